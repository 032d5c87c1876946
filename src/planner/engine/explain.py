"""What limits a plan: how days and cost answer to ten per cent more of what the cluster is made of."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

from planner.engine.constants import Constants, calibrated
from planner.engine.estimate import evaluate
from planner.engine.found import Effect, Ranked
from planner.engine.result import Estimate, Outcome
from planner.engine.search import search
from planner.spec.plan import Resolved

MORE = 1.1
"""Ten per cent more."""

Change = Callable[[Resolved, Constants], tuple[Resolved, Constants]]


def explain(
    resolved: Resolved,
    constants: Constants | None = None,
    *,
    best: Ranked | None = None,
    between: Callable[[], None] | None = None,
) -> tuple[Effect, ...]:
    """Sensitivity of days and cost to +10 % of each thing, the largest effect first.

    The engine is asked again with the card, fabric, constant or price changed, and the strategy as it is. More memory
    makes no strategy faster, it only lets others fit: its effect is that of the best strategy with it on the best
    without it, both from `search`.

    Args:
        resolved: the plan; it must be possible.
        constants: other than the calibrated ones.
        best: the best strategy of the plan's cluster, where it is known already.
        between: called every few milliseconds of a search; what it raises ends it.

    Raises:
        PlanError: the plan is impossible.
    """
    c = constants or calibrated()
    own = evaluate(resolved, c)
    found = [_memory(own, c, best, between)]
    for key, (name, change) in CHANGES.items():
        found.append(_effect(key, name, own.estimate, evaluate(*change(resolved, c)).estimate))
    return tuple(sorted(found, key=lambda e: -max(abs(e.days_share), abs(e.cost_share))))


def _effect(key: str, name: str, base: Estimate, now: Estimate, note: str = "") -> Effect:
    days, cost = now.training_days - base.training_days, now.cost_usd - base.cost_usd
    share = float(cost / base.cost_usd) if base.cost_usd else 0.0
    return Effect(key, name, float(days), float(cost), float(days / base.training_days), share, note)


def _memory(own: Outcome, c: Constants, best: Ranked | None, between: Callable[[], None] | None) -> Effect:
    """What the best strategy gains by more memory; where none fits without it, whether one does with it."""
    r = own.resolved
    more = dataclasses.replace(r, card=r.card.model_copy(update={"memory_gb": r.card.memory_gb * MORE}))
    tight = [best] if best else search(r, 1, constants=c, between=between).ranked
    within = tight[0].step_time_s if tight else math.inf
    roomy = search(more, 1, constants=c, between=between, within_s=within).ranked
    if not roomy:
        return Effect(*MEMORY, 0.0, 0.0, 0.0, 0.0, "With 10 % more memory still no strategy fits.")
    now = evaluate(more.with_strategy(roomy[0].strategy), c).estimate
    whose = ""
    if not own.fits:
        whose = f"With 10 % more memory the plan as it is would {'' if evaluate(more, c).fits else 'still not '}fit. "
    if not tight:
        note = f"{whose}The best strategy would take {now.training_days:.3g} days."
        return Effect(*MEMORY, 0.0, 0.0, 0.0, 0.0, note)
    base = evaluate(r.with_strategy(tight[0].strategy), c).estimate
    note = "Memory size, other than the rest: the best strategy with 10 % more against the best without."
    return _effect(*MEMORY, base, now, whose + note)


def _flops(r: Resolved, c: Constants) -> tuple[Resolved, Constants]:
    peaks = {name: value * MORE for name, value in r.card.peak_tflops}
    rates = ("bf16_tflops", "fp8_tflops", "gemm_under_load_tflops")
    measured = {name: getattr(r.card.measured, name) * MORE for name in rates}
    update = {
        "peak_tflops": r.card.peak_tflops.model_copy(update=peaks),
        "measured": r.card.measured.model_copy(update=measured),
    }
    return dataclasses.replace(r, card=r.card.model_copy(update=update)), c


def _bandwidth(r: Resolved, c: Constants) -> tuple[Resolved, Constants]:
    more = r.card.model_copy(update={"memory_tb_per_s": r.card.memory_tb_per_s * MORE})
    return dataclasses.replace(r, card=more), c


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
    "memory_bandwidth": ("memory bandwidth", _bandwidth),
    "scale_up": ("scale-up bandwidth", _scale_up),
    "scale_out": ("scale-out bandwidth", _scale_out),
    "latency": ("network latency", _latency),
    "mtbf": ("time between failures", _reliability),
    "price": ("card price", _price),
}
"""Key -> name, and how the plan or the constants change, the strategy as it is."""
MEMORY = ("memory", "memory size")
"""Key and name of what helps through another strategy alone."""
