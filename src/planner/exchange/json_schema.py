"""JSON Schema of the files, made from the spec classes, so that editors complete keys and show what they mean."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import ModelSchema

from planner.spec.base import MAX_NUMBER, MAX_WHOLE_NUMBER, MIN_NUMBER
from planner.spec.card import Card
from planner.spec.fabric import ScaleOut, ScaleUp
from planner.spec.fleet import Fleet
from planner.spec.meanings import meaning
from planner.spec.model import Model
from planner.spec.plan import SCHEMA, Plan
from planner.spec.runs import RunsFile
from planner.spec.stack import Stack

DIALECT = "https://json-schema.org/draft/2020-12/schema"

FILES: dict[str, type[BaseModel]] = {
    "plan": Plan, "fleet": Fleet, "runs": RunsFile, "card": Card, "model": Model, "stack": Stack,
}  # fmt: skip
"""Kinds of files and the class of each; a fabric has two."""

LARGEST = {"integer": MAX_WHOLE_NUMBER, "number": MAX_NUMBER}
"""What every number of a type is at most."""

KINDS = ("plan", "fleet", "runs", "card", "fabric", "model", "stack")


class _Described(GenerateJsonSchema):
    """Adds what each key means."""

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        """The schema of one class."""
        made = super().model_schema(schema)
        model: type[BaseModel] = schema["cls"]
        for key, field in model.model_fields.items():
            if (words := meaning(model, key)) and (field.alias or key) in made.get("properties", {}):
                made["properties"][field.alias or key]["description"] = words
        return made


def schema(kind: str) -> dict[str, Any]:
    """The schema of a kind of file (of `KINDS`).

    It says what pydantic checks of each key, and the bounds of every number; rules about several keys together
    (`planner.spec.rules`) have no words in JSON Schema.
    """
    if kind == "fabric":
        made = TypeAdapter(ScaleUp | ScaleOut).json_schema(schema_generator=_Described)
        for fabric in ("ScaleUp", "ScaleOut"):
            made["$defs"][fabric]["required"].insert(0, "role")
    else:
        made = FILES[kind].model_json_schema(schema_generator=_Described)
    if kind in {"plan", "fleet", "runs"}:
        made["properties"]["schema"] = {"const": SCHEMA, "description": "Version of the file's format."}
        needed = ["schema"] if kind == "plan" else ["schema", "kind"]
        made["required"] = [*needed, *made.get("required", ())]
    return {"$schema": DIALECT, "title": f"cluster-planner {kind} file", **_plain(made)}


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same without null, which TOML does not have, titles, which repeat the keys, and defaults of whole tables.

    The bounds of all numbers (`planner.spec.parse.extremes`) are added to those of each key.
    """
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    idle = {"title": str, "default": dict}
    out = {k: _plain(v) for k, v in value.items() if v is not None and not isinstance(v, idle.get(k, type(None)))}
    if out.get("type") in LARGEST:
        out.setdefault("maximum", LARGEST[out["type"]])
    if out.get("type") == "number" and out.get("exclusiveMinimum") == 0:
        out["minimum"] = MIN_NUMBER
        del out["exclusiveMinimum"]
    members = out.get("anyOf")
    if isinstance(members, list) and {"type": "null"} in members:
        rest = [member for member in members if member != {"type": "null"}]
        del out["anyOf"]
        out = {**out, **rest[0]} if len(rest) == 1 else {**out, "anyOf": rest}
    return out
