"""From the text of a file to a plan, or to problems a reader can act on.

Nothing here reads files: text or bytes come in, objects or `PlanError` go out. The wording of what is allowed is made
from the same annotations that pydantic checks, so that it cannot drift from them (`planner.spec.wording`).
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from planner.spec.base import MAX_WHOLE_NUMBER, PlanError, Problem
from planner.spec.plan import SCHEMA, Plan
from planner.spec.wording import MISSING, MISSING_TABLE, TOO_LARGE, beyond, meant_key, problem_of
from planner.spec.words import escaped, shown

MAX_BYTES = 16_000_000
"""Larger files are refused unread; the largest validation file is a tenth of it."""

KINDS = {
    "fleet": "It is a fleet file; `planner fleet FILE` reads it.",
    "runs": "It is a file of measured runs; `planner validate --runs FILE` reads it.",
}
"""What to do with files that are no plan, by their `kind`."""
PLAN_FILE = "It is a plan; `planner estimate FILE` reads it."
"""What to do with a plan where another file is wanted."""

SpecT = TypeVar("SpecT", bound=BaseModel)


def load_toml(raw: bytes | str, source: str, *, rows: str = "") -> dict[str, Any]:
    """Parse TOML, turning everything that can be wrong with a file into one clear `PlanError`.

    Args:
        raw: what the file holds.
        source: its name, for the message.
        rows: a key whose tables stand for themselves: the caller looks at each with `unfit_values`.

    Raises:
        PlanError: empty, too large, not text, not UTF-8, or not TOML (with line and column).
    """
    if len(raw) > MAX_BYTES:
        raise _refused(f"the file is larger than {MAX_BYTES // 1_000_000} MB; this is no plan.", source)
    text = _decoded(raw, source) if isinstance(raw, bytes) else raw
    if not text.strip():
        raise _refused("the file is empty.", source, "The documentation has an example of every kind of file.")
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise _refused("tables or lists are nested too deeply.", source) from None
    except tomllib.TOMLDecodeError as error:
        hint = "It looks like JSON; TOML is needed." if text.lstrip().startswith("{") else ""
        raise _refused(f"not valid TOML: {escaped(str(error))}.", source, hint) from None
    except ValueError:  # what Python says of an integer of thousands of digits
        raise _refused("a whole number has more digits than this program reads.", source) from None
    if problems := tuple(unfit_values({key: value for key, value in data.items() if key != rows}, "")):
        raise PlanError(problems, source)
    return data


def parse_plan(data: Mapping[str, Any], source: str) -> Plan:
    """Make a plan of parsed TOML. `[estimate]` is checked to be a table and otherwise not read.

    Raises:
        PlanError: with every problem found: unknown keys, wrong types, values out of range, a newer schema.
    """
    kind = data.get("kind")
    if isinstance(kind, str) and kind in KINDS:
        raise PlanError([Problem("error", "kind", f"this is not a plan (kind = {shown(kind)}).", KINDS[kind])], source)
    check_schema(data, source)
    if isinstance(data.get("estimate"), dict):
        data = {key: value for key, value in data.items() if key != "estimate"}
    return build(Plan, data, source)


def check_schema(data: Mapping[str, Any], source: str) -> None:
    """Refuse a file that does not say its schema, or says one this planner does not read.

    Raises:
        PlanError: `schema` is missing, no whole number, or newer than `SCHEMA`.
    """
    schema = data.get("schema")
    if schema is None:
        add = f"Add the line schema = {SCHEMA} at the top."
        raise _refused("the file does not say which schema it is in.", source, add)
    if isinstance(schema, bool) or not isinstance(schema, int) or schema < 1:
        problem = Problem("error", "schema", f"{shown(schema)} is no schema number.", f"Write schema = {SCHEMA}.")
        raise PlanError([problem], source)
    if schema > SCHEMA:
        message = f"this file is schema {schema}; this planner reads up to {SCHEMA}: update the planner."
        raise PlanError([Problem("error", "schema", message)], source)


def build(model: type[SpecT], data: Mapping[str, Any], source: str, prefix: str = "") -> SpecT:
    """Validate a table as a spec object.

    Args:
        model: what it should be.
        data: the table.
        source: file name or id, for messages.
        prefix: dotted path of the table inside its file, for an inline table.

    Raises:
        PlanError: with one problem for each thing that is wrong.
    """
    try:
        made = model.model_validate(dict(data))
    except ValidationError as error:
        raise PlanError(problems_from(error, model, source, prefix), source) from None
    if problems := tuple(extremes(data, prefix)):
        raise PlanError(problems, source)
    return made


def problems_from(error: ValidationError, model: type[BaseModel], source: str, prefix: str = "") -> tuple[Problem, ...]:
    """Turn pydantic's errors into problems in plain words, one for each key.

    A key that is missing because it was misspelt is told once, as the unknown key.

    Args:
        error: what pydantic raised.
        model: the class that was validated.
        source: file name or id, named where a whole table is missing.
        prefix: dotted path put before every key.
    """
    found: dict[str, Problem] = {}
    for detail in error.errors(include_url=False, include_context=False):
        problem = problem_of(detail, model, source, prefix)
        found.setdefault(problem.key or problem.message, problem)
    misspelt = {key for problem in found.values() if (key := meant_key(problem))}
    return tuple(p for p in found.values() if not (p.key in misspelt and p.message in {MISSING, MISSING_TABLE}))


def _decoded(raw: bytes, source: str) -> str:
    if b"\0" in raw:
        raise _refused("this is not a text file (it holds zero bytes).", source)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _refused(f"not a UTF-8 text file (byte 0x{raw[error.start]:02x} on line {line}).", source) from None


def unfit_values(value: object, path: str) -> Iterator[Problem]:
    """Problems with values TOML allows and no file of ours may hold, wherever they stand below a path."""
    if isinstance(value, dict):
        for key, item in value.items():
            inner = f"{path}.{escaped(key)}" if path else escaped(key)
            if key != escaped(key):
                yield Problem("error", inner, "this key holds control characters, which it may not.")
            yield from unfit_values(item, inner)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from unfit_values(item, f"{path}[{index}]")
    elif isinstance(value, str) and value != escaped(value, keep="\n\t"):
        yield Problem("error", path, f"{shown(value)} holds control characters, which text may not.", "Remove them.")
    elif isinstance(value, float) and not math.isfinite(value):
        yield Problem("error", path, f"{value} is not a finite number.")
    elif isinstance(value, int) and abs(value) > MAX_WHOLE_NUMBER:
        yield Problem("error", path, f"{shown(value)} {TOO_LARGE}")


def extremes(value: object, path: str) -> Iterator[Problem]:
    """Problems with numbers no engine can compute with, wherever they stand below a path.

    A key's own bounds are in its class; these hold for every key, and for a table that came from no file.
    """
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from extremes(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from extremes(item, f"{path}[{index}]")
    elif isinstance(value, int | float) and (words := beyond(value)):
        yield Problem("error", path, f"{shown(value)} {words}")


def _refused(message: str, source: str, fix: str = "") -> PlanError:
    return PlanError([Problem("error", "", message, fix)], source)
