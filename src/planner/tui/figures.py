"""The headline figures as they stand on screen: text, unit, range. Formatting alone, no Textual."""

from __future__ import annotations

from dataclasses import dataclass

from planner.engine.result import Outcome
from planner.exchange.format import between, days, gigabytes, megawatts, money, percent, seconds, short, significant


@dataclass(frozen=True, slots=True)
class Figure:
    """One headline figure."""

    name: str
    number: str
    """Digits alone, with a currency sign."""
    unit: str
    below: str
    """Its 80 % range, or what it is out of."""
    alarm: bool = False
    """It is beyond what there is."""


def headline(outcome: Outcome) -> list[Figure]:
    """MFU, days, cost, memory and power, in this order."""
    estimate = outcome.estimate
    ranges = estimate.interval_80
    number, unit = days(estimate.training_days)
    cost, _, cost_unit = money(estimate.cost_usd).partition(" ")
    capacity = outcome.resolved.card.memory_gb
    power, _, power_unit = megawatts(estimate.power_mw).partition(" ")
    return [
        Figure("MFU", significant(estimate.mfu * 100), "%", _range(ranges.get("mfu"), lambda v: percent(v))),
        Figure("Time", number, unit, _range(ranges.get("training_days"), lambda v: " ".join(days(v)))),
        Figure("Cost", cost, cost_unit, _range(ranges.get("cost_usd"), money))
        if estimate.cost_usd
        else Figure("Cost", "–", "", "no price known"),
        Figure("Memory", significant(estimate.memory_gb), "GB",
               f"{'over' if estimate.memory_gb > capacity else 'of'} {gigabytes(capacity)}",
               alarm=estimate.memory_gb > capacity),
        Figure("Power", power, power_unit, f"{short(estimate.energy_mwh)} MWh"),
    ]  # fmt: skip


def facts(outcome: Outcome) -> list[str]:
    """Further figures, most wanted first."""
    estimate = outcome.estimate
    runs = estimate.runs_behind
    return [
        f"step {seconds(estimate.step_time_s)}",
        f"{short(estimate.tokens_per_s_per_card)} tokens/s a card",
        f"goodput {percent(estimate.goodput)}",
        f"ranges hold 80 %{f', from {runs} runs' if runs else ''}",
    ]


STEP_NAMES = {
    "gemm": "matrix products", "attention": "attention", "memory_bound": "memory-bound work", "logits": "output head",
    "recompute": "recomputation", "host": "launch overhead", "tensor": "tensor exchange", "context":
    "context exchange", "expert": "expert exchange", "pipeline_bubble": "pipeline bubble", "pipeline_transfer":
    "pipeline transfer", "data": "data exchange", "optimizer": "optimizer", "other": "other",
}  # fmt: skip
"""What the parts of a step are called."""


def step_parts(outcome: Outcome) -> list[tuple[str, float]]:
    """Where a step goes: names and seconds that add up to it, compute split into its kinds."""
    estimate = outcome.estimate
    rest = {key: value for key, value in estimate.step_breakdown_s.items() if key != "compute"}
    parts = {**estimate.compute_breakdown_s, **rest}
    return [(STEP_NAMES.get(key, key.replace("_", " ")), value) for key, value in parts.items() if value > 0]


def _range(interval: tuple[float, float] | None, show: object) -> str:
    return between(*interval, show) if interval and callable(show) else ""
