"""Plans side by side: which figures differ, by how much, and in which part of the step the difference arises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.engine.result import STEP_PARTS, Outcome

FIGURES = (
    "training_days", "card_hours", "cost_usd", "usd_per_million_tokens", "step_time_s", "tokens_per_s_per_card", "mfu",
    "hfu", "goodput", "memory_gb", "power_mw", "energy_mwh", "co2_kg", "h100_equivalents",
)  # fmt: skip
"""Figures of an estimate that are compared, the most looked at first."""

OF_MONEY = frozenset({"cost_usd", "usd_per_million_tokens"})
"""Figures there are only of a plan whose price is known."""

SAME = 5e-4
"""Relative difference below which two figures count as the same: no column of a table shows it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of several plans."""

    key: str
    values: tuple[float | None, ...]
    """None where it is unknown."""
    relative: tuple[float | None, ...]
    """Each over the first, minus one; None where the first is zero or one of the two is unknown."""


def figures(outcomes: Sequence[Outcome]) -> tuple[Difference, ...]:
    """The compared figures of several plans, all of them."""
    return tuple(_difference(name, [_figure(o, name) for o in outcomes]) for name in FIGURES)


def step_parts(outcomes: Sequence[Outcome]) -> tuple[Difference, ...]:
    """Seconds of every part of a step that any of the plans has, in the order of the step."""
    rows = [_difference(name, [o.estimate.step_breakdown_s[name] for o in outcomes]) for name in STEP_PARTS]
    return tuple(row for row in rows if any(row.values))


def machine_facts(outcome: Outcome) -> dict[str, float]:
    """What the names of card and fabrics stand for, where it decides the figures."""
    r = outcome.resolved
    return {
        "card.memory_gb": r.card.memory_gb,
        "card.memory_tb_per_s": r.card.memory_tb_per_s,
        "card.peak_tflops.bf16": r.card.peak_tflops.bf16,
        "card.peak_tflops.fp8": r.card.peak_tflops.fp8,
        "card.tdp_w": r.card.tdp_w,
        "scale_up.gb_per_s": r.scale_up.gb_per_s,
        "scale_out.gb_per_s_per_card": r.scale_out.gb_per_s * r.nics_per_node / r.cards_per_node,
    }


def differing(rows: Sequence[Difference]) -> tuple[Difference, ...]:
    """Those whose values are not all the same."""
    return tuple(row for row in rows if differs(row.values))


def differs(values: Sequence[object]) -> bool:
    """Values are not all the same; numbers that no reader would tell apart are the same."""
    first = values[0]
    for value in values[1:]:
        if isinstance(first, float) and isinstance(value, float):
            if abs(value - first) > SAME * max(abs(first), abs(value)):
                return True
        elif value != first:
            return True
    return False


def _figure(outcome: Outcome, name: str) -> float | None:
    return None if name in OF_MONEY and not outcome.resolved.priced else float(getattr(outcome.estimate, name))


def _difference(key: str, values: Sequence[float | None]) -> Difference:
    first = values[0]
    relative = (value / first - 1.0 if first and value is not None else None for value in values)
    return Difference(key, tuple(values), tuple(relative))
