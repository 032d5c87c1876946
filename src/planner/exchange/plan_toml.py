"""Plans from and to TOML. A plan that is written and read again is the same plan."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import BaseModel

from planner import __version__
from planner.engine.result import Estimate
from planner.exchange.files import read_bytes, spoken
from planner.spec.parse import load_toml, parse_plan
from planner.spec.plan import Plan

LONG_NUMBER = 1e6
"""From here on floats are written with an exponent: 1.48e+13 reads better than 14800000000000.0."""

ESTIMATE_FIGURES = (
    "step_time_s", "tokens_per_s_per_card", "mfu", "training_days", "card_hours", "cost_usd", "energy_mwh", "power_mw",
    "memory_gb",
)  # fmt: skip
"""Figures of the `[estimate]` block."""

ESTIMATE_DIGITS = 6
ESTIMATE_COMMENT = "# What the engine said when this file was written, so that a diff shows what changed. Never read."


def read(where: str | Path) -> Plan:
    """Read a plan file; `-` is standard input.

    Raises:
        PlanError: the file cannot be read or is no valid plan.
    """
    return loads(read_bytes(where), spoken(where))


def loads(text: str | bytes, source: str = "") -> Plan:
    """Read a plan from TOML text.

    Args:
        text: the TOML.
        source: its name, for messages.

    Raises:
        PlanError: the text is no valid plan.
    """
    return parse_plan(load_toml(text, source), source)


def write(plan: Plan, estimate: Estimate | None = None) -> str:
    """A plan as TOML: the keys it sets, in the order of the documentation, and nothing that is a default.

    Args:
        plan: the plan.
        estimate: adds the `[estimate]` block.
    """
    text = tomli_w.dumps(_with_exponents(as_dict(plan)), multiline_strings=True)
    if estimate is not None:
        block = {"estimate": _with_exponents(_estimate_block(estimate))}
        text += f"\n{ESTIMATE_COMMENT}\n{tomli_w.dumps(block)}"
    return text


def as_dict(plan: Plan) -> dict[str, Any]:
    """The keys a plan sets, as the file names them, without the `[estimate]` block."""
    return {"schema": plan.schema_, **_set_keys(plan)}


def flat(table: Mapping[str, Any], start: str = "") -> dict[str, Any]:
    """The values of a table and of those inside it by dotted key.

    >>> flat({"a": {"b": 1, "c": {"d": 2}}, "e": 3})
    {'a.b': 1, 'a.c.d': 2, 'e': 3}
    """
    out: dict[str, Any] = {}
    for name, value in table.items():
        out |= flat(value, f"{start}{name}.") if isinstance(value, Mapping) else {f"{start}{name}": value}
    return out


def _set_keys(spec: BaseModel) -> dict[str, Any]:
    """The keys that were set and are not None, in the order the class declares them."""
    out: dict[str, Any] = {}
    for name, field in type(spec).model_fields.items():
        value = getattr(spec, name)
        if name not in spec.model_fields_set or value is None or name in {"schema_", "estimate"}:
            continue
        if isinstance(value, BaseModel):
            value = _set_keys(value)
        out[field.alias or name] = list(value) if isinstance(value, tuple) else value
    return out


def _estimate_block(estimate: Estimate) -> dict[str, Any]:
    """The headline figures, rounded so that a last bit is no difference."""
    figures = {name: _rounded(getattr(estimate, name)) for name in ESTIMATE_FIGURES}
    ranges = {name: [_rounded(low), _rounded(high)] for name, (low, high) in estimate.interval_80.items()}
    return {"engine": __version__, **figures, "interval_80": ranges}


def _rounded(value: float) -> float:
    return float(f"{value:.{ESTIMATE_DIGITS}g}")


def _with_exponents(value: object) -> Any:  # noqa: ANN401 - any TOML value
    """The same value with long floats as decimals of few digits, which the writer gives an exponent."""
    if isinstance(value, Mapping):
        return {key: _with_exponents(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_exponents(item) for item in value]
    if isinstance(value, float) and abs(value) >= LONG_NUMBER:
        return Decimal(repr(value)).normalize()
    return value
