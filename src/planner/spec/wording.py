"""The words of error messages about a file: what a key allows, where it stands, what was probably meant.

What is allowed is worded from the annotations of the spec classes themselves.
"""

from __future__ import annotations

import math
import types
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from planner.spec.base import MAX_NUMBER, MAX_WHOLE_NUMBER, MIN_NUMBER, Form, Problem
from planner.spec.words import MANY, escaped, nearest, shown

UNKNOWN = "unknown key."
MISSING = "this key is missing."
MISSING_TABLE = "this table is missing."
DID_YOU_MEAN = "Did you mean "
TOO_LARGE = "is too large; whole numbers go up to 2^53 (about 9e15)."

Scalar = int | float | str | bool


def allowed(annotation: object, metadata: Sequence[object] = ()) -> str:
    """What a key may hold, in words.

    >>> allowed(list[str] | None)
    'a list of text'
    """
    annotation, metadata = _plain(annotation, metadata)
    if members := _members(annotation):
        if {get_origin(m) or m for m in members} == {str, dict}:
            return "a catalogue id (text) or a table"
        return " or ".join(allowed(member, metadata) for member in members)
    origin = get_origin(annotation) or annotation
    if origin is Literal:
        return "one of " + ", ".join(str(value) for value in get_args(annotation))
    if origin in {tuple, list}:
        inner, inner_metadata = _plain(get_args(annotation)[0], ())
        what = "text" if inner is str else allowed(inner, inner_metadata)
        return f"a list of {what}" if get_origin(inner) is not Literal else f"a list, of {what}"
    words: dict[object, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
    if origin in {int, float}:
        return words[origin] + _bounds(metadata)
    return next((m.words for m in metadata if isinstance(m, Form)), words.get(origin, "a table"))


def problem_of(detail: ErrorDetails, model: type[BaseModel], source: str, prefix: str) -> Problem:
    """One pydantic error as a problem: key path, value, what is allowed, the nearest valid name."""
    path, annotation, metadata, owner = _locate(model, detail["loc"])
    key = f"{prefix}.{path}".strip(".")
    value, kind = detail["input"], detail["type"]
    if kind == "extra_forbidden":
        return _unknown_key(key, str(detail["loc"][-1]), owner, model)
    if kind == "missing":
        name, table = key.rpartition(".")[2], key.rpartition(".")[0]
        what = allowed(annotation, metadata)
        if what == "a table":
            fix = f"Add a [{key}] table to {escaped(source) or 'the file'}."
            return Problem("error", key, MISSING_TABLE, fix)
        where = f" under [{table}]" if table else ""
        return Problem("error", key, MISSING, f"Add {name} = ...{where}: {what}.")
    if kind == "value_error":
        return Problem("error", key, escaped(detail["msg"].removeprefix("Value error, ")) + ".")
    return _not_allowed(key, value, annotation, metadata)


def _not_allowed(key: str, value: object, annotation: object, metadata: Sequence[object]) -> Problem:
    if isinstance(value, int | float) and value > MAX_WHOLE_NUMBER and _kinds(annotation) == (int,):
        return Problem("error", key, f"{shown(value)} {TOO_LARGE}")
    what = allowed(annotation, metadata)
    if what == "a table" and value and isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return Problem("error", key, "a list of tables is not allowed; it must be one table.", f"Write [{key}].")
    fix, change = _correction(key, value, annotation, metadata)
    return Problem("error", key, f"{shown(value)} is not allowed; it must be {what}.", fix, change)


def beyond(value: float) -> str:
    """Why no key may hold a number, as the end of a message about it; empty where one may.

    >>> beyond(2**53), beyond(0.0), beyond(1e-300)
    ('', '', 'is too small; numbers above 0 begin at 1e-9.')
    """
    if isinstance(value, int):
        return TOO_LARGE if abs(value) > MAX_WHOLE_NUMBER else ""
    if not math.isfinite(value):
        return "is not a finite number."
    if abs(value) > MAX_NUMBER:
        return "is too large; numbers go up to 1e30."
    return "is too small; numbers above 0 begin at 1e-9." if 0 < abs(value) < MIN_NUMBER else ""


def meant_key(problem: Problem) -> str:
    """The key an unknown one was probably meant to be, dotted; empty for any other problem."""
    if problem.message != UNKNOWN or not problem.fix.startswith(DID_YOU_MEAN):
        return ""
    table, name = problem.key.rpartition(".")[0], problem.fix.removeprefix(DID_YOU_MEAN).rstrip("?")
    return f"{table}.{name}".strip(".")


def _unknown_key(key: str, name: str, owner: type[BaseModel], model: type[BaseModel]) -> Problem:
    names = [field for field in _fields(owner) if field != "id"]
    if meant := nearest(name, names):
        return Problem("error", key, UNKNOWN, f"{DID_YOU_MEAN}{meant}?")
    for other, (field, _) in ((o, f) for o, f in _fields(model).items() if owner is model or o not in key):
        table = _model_of(field)
        if table is not None and name in _fields(table):
            return Problem("error", key, UNKNOWN, f"{name} belongs in [{other}].")
    listing = f"Known here: {', '.join(names)}." if len(names) <= 2 * MANY else ""
    return Problem("error", key, UNKNOWN, listing)


def _kinds(annotation: object) -> tuple[object, ...]:
    """The types a key may hold, `None` left out."""
    annotation, _ = _plain(annotation, ())
    return tuple(get_origin(m) or m for m in _members(annotation) or (annotation,))


def _correction(
    key: str, value: object, annotation: object, metadata: Sequence[object]
) -> tuple[str, tuple[tuple[str, Scalar], ...]]:
    """What to write instead, where that is plain, and the change as a program can apply it."""
    annotation, _ = _plain(annotation, ())
    kinds = _kinds(annotation)
    if Literal in kinds and isinstance(value, str):
        names = [name for name in get_args(annotation) if isinstance(name, str)]
        if meant := nearest(value, names):
            return f'Did you mean "{meant}"?', ((key, meant),)
    if isinstance(value, str) and (bool in kinds) and value.lower() in {"true", "false"}:
        return f"Write {value.lower()}, without quotes.", ((key, value.lower() == "true"),)
    if isinstance(value, str) and (int in kinds or float in kinds):
        digits = value.strip().replace(",", "").replace("_", "")
        if digits.isascii() and digits.isdigit():
            return f"Write {int(digits)}, without quotes.", ((key, int(digits)),)
    least = max((m.ge for m in metadata if hasattr(m, "ge")), default=-MAX_WHOLE_NUMBER)
    if isinstance(value, float) and int in kinds and value.is_integer() and value >= least:
        return f"Write {int(value)}, without a decimal point or exponent.", ((key, int(value)),)
    if tuple in kinds and isinstance(value, str):
        return f"Write [{shown(value)}].", ()
    return "", ()


def _locate(
    model: type[BaseModel], loc: tuple[int | str, ...]
) -> tuple[str, object, Sequence[object], type[BaseModel]]:
    """Follow a pydantic location: dotted path, annotation and metadata there, and the class that owns the key."""
    path, owner = "", model
    annotation: object = model
    metadata: Sequence[object] = ()
    for position, step in enumerate(loc):
        annotation, metadata = _plain(annotation, metadata)
        if members := _members(annotation):  # the step only names the member of a union that was tried
            if position < len(loc) - 1:
                annotation = next((m for m in members if getattr(m, "__name__", "") == step), annotation)
            continue
        if isinstance(step, int):
            path += f"[{step}]"
            annotation, metadata = (get_args(annotation) or (Any,))[0], ()
            continue
        path = f"{path}.{escaped(step)}".lstrip(".")
        inner = _model_of(annotation)
        if inner is not None:
            owner = inner
            annotation, metadata = _fields(inner).get(step, (Any, ()))
        else:
            annotation, metadata = (get_args(annotation) or (Any,))[-1], ()
    annotation, metadata = _plain(annotation, metadata)
    return path, annotation, metadata, owner


def _fields(model: type[BaseModel]) -> dict[str, tuple[object, Sequence[object]]]:
    """Annotation and metadata of a class's keys, by the name the file uses."""
    return {f.alias or name: (f.annotation, f.metadata) for name, f in model.model_fields.items()}


def _model_of(annotation: object) -> type[BaseModel] | None:
    annotation, _ = _plain(annotation, ())
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _plain(annotation: object, metadata: Sequence[object]) -> tuple[object, Sequence[object]]:
    """Peel `Annotated` and `| None` off."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *extra = get_args(annotation)
            metadata = [*metadata, *(m for e in extra for m in (e.metadata if isinstance(e, FieldInfo) else [e]))]
            continue
        rest = [a for a in get_args(annotation) if a is not types.NoneType] if _is_union(annotation) else []
        if len(rest) != 1:
            return annotation, metadata
        annotation = rest[0]


def _is_union(annotation: object) -> bool:
    return get_origin(annotation) in {Union, types.UnionType}


def _members(annotation: object) -> tuple[object, ...]:
    """Members of a union, without None; empty for anything else."""
    return tuple(a for a in get_args(annotation) if a is not types.NoneType) if _is_union(annotation) else ()


def _bounds(metadata: Sequence[object]) -> str:
    words = {"ge": "of at least", "gt": "above", "le": "at most", "lt": "below"}
    limits = [f"{word} {getattr(m, name)}" for name, word in words.items() for m in metadata if hasattr(m, name)]
    return " " + " and ".join(limits) if limits else ""
