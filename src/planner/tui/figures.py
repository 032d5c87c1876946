"""The headline figures as they stand on screen: text, unit, range. Formatting alone, no Textual."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from planner.engine.result import Outcome
from planner.exchange.figures import ranges_from
from planner.exchange.format import YEAR, between, day_count, days, megawatts, percent, seconds, short, significant


@dataclass(frozen=True, slots=True)
class Figure:
    """One headline figure."""

    name: str
    unit: str
    number: str
    """Digits alone."""
    below: str
    """Its 80 % range, or what it is out of."""
    key: str
    """Id of its formula."""
    alarm: bool = False
    """It is beyond what there is."""

    @property
    def amount(self) -> str:
        """Number and unit as one writes them."""
        money, _, unit = self.unit.partition(" ") if self.unit.startswith("$") else ("", "", self.unit)
        return f"{money}{self.number} {unit}".strip()


def headline(outcome: Outcome) -> list[Figure]:
    """MFU, time, cost, memory and power, in this order."""
    estimate = outcome.estimate
    ranges = estimate.interval_80
    capacity = estimate.memory_capacity_gb
    over = estimate.memory_gb > capacity
    text, _, time_unit = days(estimate.training_days).rpartition(" ")
    time, _, thousands = text.partition(" ")
    bare = _bare_years if time_unit == "years" else day_count
    cost, _, cost_unit = short(estimate.cost_usd).partition(" ")
    power, _, power_unit = megawatts(estimate.power_mw).partition(" ")
    priced = outcome.resolved.priced
    return [
        Figure("MFU", "%", significant(estimate.mfu * 100), _range(ranges.get("mfu"), _bare_percent), "mfu"),
        Figure(time_unit.title(), thousands, time, _range(ranges.get("training_days"), bare), "training_days"),
        Figure("Cost", f"$ {cost_unit}".strip() if priced else "", cost if priced else "–",
               _range(ranges.get("cost_usd"), short) if priced else "no price known", "cost_usd"),
        Figure("Memory", "GB", significant(estimate.memory_gb),
               f"{'over' if over else 'of'} {capacity:.3g} GB", "memory_gb", alarm=over),
        Figure("Power", power_unit, power, _energy(estimate.energy_mwh), "power_mw"),
    ]  # fmt: skip


def _energy(mwh: float) -> str:
    return f"{significant(mwh / 1000)} GWh" if mwh >= 1000 else f"{significant(mwh)} MWh"  # noqa: PLR2004 - as SI says


def _bare_percent(share: float) -> str:
    return significant(share * 100)


def _bare_years(value: float) -> str:
    return short(value / YEAR)


def facts(outcome: Outcome) -> dict[str, str]:
    """Further figures by the id of their formula, most wanted first."""
    estimate = outcome.estimate
    return {
        "step_time_s": f"step {seconds(estimate.step_time_s)}",
        "tokens_per_s_per_card": f"{short(estimate.tokens_per_s_per_card)} tokens/s a card",
        "goodput": f"goodput {percent(estimate.goodput)}",
        "card_hours": f"{short(estimate.card_hours)} card-hours",
    }


def standing(outcome: Outcome) -> str:
    """What the ranges stand on."""
    runs = outcome.estimate.runs_behind
    return f"80 % ranges from {runs:,} measured runs" if runs else f"80 % ranges; {ranges_from(outcome.estimate)}"


def _range(interval: tuple[float, float] | None, show: Callable[[float], str]) -> str:
    return between(*interval, show) if interval else ""
