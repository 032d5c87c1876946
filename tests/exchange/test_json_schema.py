"""The schemas editors read: what the program accepts, with words beside every key of a plan."""

from typing import Any

import pytest
from tests.plans import data

from planner.exchange.as_json import dumps
from planner.exchange.json_schema import KINDS, schema
from planner.spec.plan import Plan


def nodes(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [node for item in value for node in nodes(item)]
    if isinstance(value, dict):
        return [value, *(node for item in value.values() for node in nodes(item))]
    return []


@pytest.mark.parametrize("kind", KINDS)
def test_no_schema_knows_null(kind: str) -> None:
    made = schema(kind)
    assert made["$schema"].startswith("https://json-schema.org/")
    assert made["title"] == f"cluster-planner {kind} file"
    assert "null" not in dumps(made)
    for node in nodes(made):
        if isinstance(reference := node.get("$ref"), str):
            assert reference.removeprefix("#/$defs/") in made["$defs"]


def test_every_key_of_a_plan_is_described() -> None:
    made = schema("plan")
    for name, table in {"plan": made, **made["$defs"]}.items():
        for key, field in table["properties"].items():
            described = "description" in field or "description" in made["$defs"].get(field["$ref"].rpartition("/")[2])
            assert described, (name, key)


@pytest.mark.parametrize("kind", KINDS)
def test_every_number_has_its_bounds(kind: str) -> None:
    for node in nodes(schema(kind)):
        if node.get("type") == "integer":
            assert node["maximum"] <= 2**53
        if node.get("type") == "number":
            assert node["maximum"] <= 1e30
            assert "exclusiveMinimum" not in node


def test_a_plan_needs_what_the_contract_says() -> None:
    made = schema("plan")
    assert made["required"] == ["schema", "cluster", "workload"]
    assert made["properties"]["schema"]["const"] == 1
    assert made["$defs"]["Cluster"]["required"] == ["card", "cards"]
    assert made["$defs"]["Workload"]["required"] == ["model", "tokens"]
    assert made["additionalProperties"] is False
    assert set(made["properties"]) == {f.alias or name for name, f in Plan.model_fields.items()}
    assert set(data()) <= set(made["properties"])


def test_choices_and_bounds_are_told() -> None:
    tables = schema("plan")["$defs"]
    assert "dualpipe" in tables["Strategy"]["properties"]["schedule"]["enum"]
    assert tables["Strategy"]["properties"]["tensor"]["minimum"] == 1
    assert tables["Cluster"]["properties"]["oversubscription"]["default"] == 1.0
    assert tables["Claim"]["properties"]["mfu"]["maximum"] == 1


def test_kinds_are_told_apart() -> None:
    assert schema("fleet")["required"][:2] == ["schema", "kind"]
    assert schema("runs")["required"][:2] == ["schema", "kind"]
    fabrics = schema("fabric")
    assert [member["$ref"] for member in fabrics["anyOf"]] == ["#/$defs/ScaleUp", "#/$defs/ScaleOut"]
    assert "role" in fabrics["$defs"]["ScaleOut"]["required"]
