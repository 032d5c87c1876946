"""What limits a plan: how days and cost answer to ten per cent more of what the cluster is made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from planner.engine.constants import Constants, calibrated
from planner.engine.estimate import evaluate
from planner.spec.plan import Resolved

MORE = 1.1
"""Ten per cent more."""

Change = Callable[[Resolved, Constants], tuple[Resolved, Constants]]


@dataclass(frozen=True, slots=True)
class Effect:
    """What ten per cent more of one thing does."""

    key: str
    name: str
    days: float
    """Change of the training days."""
    cost_usd: float
    """Change of the cost, USD."""
    days_share: float
    """The same over the plan's days."""
    cost_share: float
    """The same over the plan's cost; 0 where the cost is unknown."""


def explain(resolved: Resolved, constants: Constants | None = None) -> tuple[Effect, ...]:
    """Sensitivity of days and cost to +10 % of each thing, the largest effect first.

    The engine is asked again with the card, fabric, constant or price changed; the strategy stays. More memory
    therefore has no effect: what it helps is another strategy.

    Args:
        resolved: the plan; it must be possible.
        constants: other than the calibrated ones.

    Raises:
        PlanError: the plan is impossible.
    """
    c = constants or calibrated()
    base = evaluate(resolved, c).estimate
    found = []
    for key, (name, change) in CHANGES.items():
        changed, other = change(resolved, c)
        now = evaluate(changed, other).estimate
        days, cost = now.training_days - base.training_days, now.cost_usd - base.cost_usd
        found.append(
            Effect(
                key, name, float(days), float(cost), float(days / base.training_days),
                float(cost / base.cost_usd) if base.cost_usd else 0.0,
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda e: -max(abs(e.days_share), abs(e.cost_share))))


def _flops(r: Resolved, c: Constants) -> tuple[Resolved, Constants]:
    peaks = {name: value * MORE for name, value in r.card.peak_tflops}
    rates = ("bf16_tflops", "fp8_tflops", "gemm_under_load_tflops")
    measured = {name: getattr(r.card.measured, name) * MORE for name in rates}
    update = {
        "peak_tflops": r.card.peak_tflops.model_copy(update=peaks),
        "measured": r.card.measured.model_copy(update=measured),
    }
    return dataclasses.replace(r, card=r.card.model_copy(update=update)), c


def _card(field: str) -> Change:
    def change(r: Resolved, c: Constants) -> tuple[Resolved, Constants]:
        more = r.card.model_copy(update={field: getattr(r.card, field) * MORE})
        return dataclasses.replace(r, card=more), c

    return change


def _scale_up(r: Resolved, c: Constants) -> tuple[Resolved, Constants]:
    up = r.scale_up
    update = {"gb_per_s": up.gb_per_s * MORE, "link_gb_per_s": up.link_gb_per_s * MORE}
    return dataclasses.replace(r, scale_up=up.model_copy(update=update)), c


def _scale_out(r: Resolved, c: Constants) -> tuple[Resolved, Constants]:
    out = r.scale_out.model_copy(update={"gb_per_s": r.scale_out.gb_per_s * MORE})
    return dataclasses.replace(r, scale_out=out), c


def _latency(r: Resolved, c: Constants) -> tuple[Resolved, Constants]:
    return r, dataclasses.replace(c, latency=c.latency * MORE, ring_hop=c.ring_hop * MORE)


def _reliability(r: Resolved, c: Constants) -> tuple[Resolved, Constants]:
    kept = r.plan.reliability
    more = kept.model_copy(update={"mtbf_card_hours": kept.mtbf_card_hours * MORE})
    return dataclasses.replace(r, plan=r.plan.model_copy(update={"reliability": more})), c


def _price(r: Resolved, c: Constants) -> tuple[Resolved, Constants]:
    return dataclasses.replace(
        r, usd_per_card_hour=r.usd_per_card_hour * MORE, card_price_usd=r.card_price_usd * MORE
    ), c


CHANGES: dict[str, tuple[str, Change]] = {
    "flops": ("card FLOP/s", _flops),
    "memory_bandwidth": ("memory bandwidth", _card("memory_tb_per_s")),
    "memory": ("memory size", _card("memory_gb")),
    "scale_up": ("scale-up bandwidth", _scale_up),
    "scale_out": ("scale-out bandwidth", _scale_out),
    "latency": ("network latency", _latency),
    "mtbf": ("time between failures", _reliability),
    "price": ("card price", _price),
}
"""Key -> name, and how the plan or the constants change."""
