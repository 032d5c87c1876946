"""Plan to outcome: the only door the rest of the program uses."""

from __future__ import annotations

from planner.engine import money, offload
from planner.engine.account import built_of, run_length_of, usd_per_card_hour_of
from planner.engine.constants import Constants, calibrated
from planner.engine.flops import recomputed_flops_per_token
from planner.engine.inputs import Inputs
from planner.engine.layout import Groups, groups
from planner.engine.memory import layer_bytes, most_bytes, stage_memory
from planner.engine.memory_fit import memory_problems
from planner.engine.reading import inputs_of
from planner.engine.result import COMPUTE_PARTS, MEMORY_PARTS, STEP_PARTS, Estimate, Outcome
from planner.engine.run import SECONDS_PER_DAY, SECONDS_PER_HOUR
from planner.engine.step import step
from planner.engine.uncertainty import Spread, spread_of
from planner.spec.base import PlanError, Problem
from planner.spec.plan import Resolved
from planner.spec.rules import check

PASSES = ("compute", "tensor", "context", "expert")
"""Parts of a step that are forward and backward passes."""

UNUSUAL = 1.5
"""Times more or less than usual from which a stated rent is worth a word: it may be another card's."""


def evaluate(resolved: Resolved, constants: Constants | None = None) -> Outcome:
    """Everything the engine says about a plan.

    Args:
        resolved: the plan with every reference resolved.
        constants: other than the calibrated ones, for sensitivity and fits.

    Raises:
        PlanError: the layout is impossible, or a part of the plan is not modelled.
    """
    problems = check(resolved)
    errors = [p for p in problems if p.severity == "error"]
    if errors:
        raise PlanError(errors, resolved.plan.name)
    c = constants or calibrated()
    x = inputs_of(resolved)
    estimate = _estimate(resolved, x, c)
    memory = memory_problems(resolved, estimate, lambda other: _needs_gb(other, c))
    found = (*memory, *_offload_problems(x, estimate), *_money_problems(resolved), *problems)
    return Outcome(resolved, estimate.memory_gb <= estimate.memory_capacity_gb, found, estimate)


def _estimate(r: Resolved, x: Inputs, c: Constants) -> Estimate:
    g = groups(x)
    seconds = step(x, c, g)
    work, cluster = r.plan.workload, r.plan.cluster
    step_s = float(seconds.total)
    tokens = work.global_batch * work.sequence_length
    length = run_length_of(r, step_s)
    days = length.wall_seconds / SECONDS_PER_DAY
    card_hours = cluster.cards * length.wall_seconds / SECONDS_PER_HOUR
    materials, draw = built_of(r)
    rate = usd_per_card_hour_of(r, materials, draw)
    spread = spread_of(r, x)
    flops = x.shape.flops_per_token * tokens / step_s / cluster.cards
    mfu = flops / x.machine.peak16
    recomputed = recomputed_flops_per_token(r.model, work.sequence_length, r.strategy) / x.shape.flops_per_token
    energy = money.energy_mwh(draw.facility_average_w, length.wall_seconds)
    stages = _stages(x, g, c)
    fullest = max(stages, key=lambda stage: sum(stage.values()))
    cost = rate * card_hours
    return Estimate(
        step_time_s=step_s,
        tokens_per_s=tokens / step_s,
        tokens_per_s_per_card=tokens / step_s / cluster.cards,
        model_tflops_per_card=flops / 1e12,
        mfu=mfu,
        hfu=float(mfu * (1.0 + recomputed)),
        mfu_6nd=6.0 * _params_6nd(x) * tokens / step_s / cluster.cards / x.machine.peak16,
        training_days=days,
        card_hours=card_hours,
        goodput=float(length.goodput),
        h100_equivalents=float(
            money.h100_equivalents(
                cluster.cards, r.card.peak_tflops.bf16, r.card.peak_tflops.fp8, r.card.peak_tflops.int8
            )
        ),
        cost_usd=cost,
        usd_per_million_tokens=float(money.usd_per_million_tokens(cost, work.tokens)),
        energy_mwh=float(energy),
        power_mw=float(draw.facility_average_w) / 1e6,
        co2_kg=float(money.co2_kg(energy, r.kg_co2_per_kwh)),
        memory_gb=sum(fullest.values()),
        memory_gb_by_stage=tuple(sum(stage.values()) for stage in stages),
        memory_breakdown_gb=fullest,
        memory_by_stage_gb=stages,
        step_breakdown_s={name: float(getattr(seconds, name)) for name in STEP_PARTS},
        compute_breakdown_s={name: float(getattr(seconds, name)) for name in COMPUTE_PARTS},
        interval_80=_intervals(spread, step_s, mfu, days, cost),
        runs_behind=spread.runs,
        bill_of_materials=materials.bill,
        memory_capacity_gb=c.usable * x.machine.memory_bytes / 1e9,
        steps=float(length.steps),
        interruptions=float(length.interruptions),
        checkpoint_gb=float(length.checkpoint_bytes) / 1e9,
        checkpoint_every_s=float(length.checkpoint_every_s),
        spare_cards=float(length.spares),
        it_peak_mw=float(draw.it_peak_w) / 1e6,
        usd_per_card_hour=float(rate),
    )


def _params_6nd(x: Inputs) -> float:
    """Active parameters without the input embedding: the N of 6ND (Kaplan 2020, arXiv 2001.08361)."""
    s = x.shape
    return float(s.active_params - (1.0 - s.tied) * s.vocab * s.hidden)


def _stages(x: Inputs, g: Groups, c: Constants) -> tuple[dict[str, float], ...]:
    """Memory by kind of every pipeline stage, GB."""
    layer = layer_bytes(x)
    stages = (stage_memory(float(index), x, g, c, layer) for index in range(int(x.layout.pipeline)))
    return tuple({name: getattr(stage, name) / 1e9 for name in MEMORY_PARTS} for stage in stages)


def _needs_gb(r: Resolved, c: Constants) -> float:
    """What the fullest stage of a plan needs, GB."""
    x = inputs_of(r)
    return float(most_bytes(x, groups(x), c)) / 1e9


def _intervals(spread: Spread, step_s: float, mfu: float, days: float, cost: float) -> dict[str, tuple[float, float]]:
    low, high = spread.low, spread.high
    return {
        "step_time_s": (step_s * low, step_s * high),
        "mfu": (mfu / high, mfu / low),
        "training_days": (days * low, days * high),
        "cost_usd": (cost * low, cost * high),
    }


def _offload_problems(x: Inputs, estimate: Estimate) -> tuple[Problem, ...]:
    """Where a forward pass, a third of what a micro-batch takes, cannot hide the copies of offloaded activations."""
    if not x.layout.offload_activations:
        return ()
    copy = float(offload.copies(x))
    a_pass = sum(estimate.step_breakdown_s[part] for part in PASSES) / x.micro_batches / 3.0
    if copy <= a_pass:
        return ()
    message = (
        f"the activations of a micro-batch take {copy:.2g} s to the host and a forward pass {a_pass:.2g} s: the run "
        "waits longer than the estimate says, or leaves more of them on the card."
    )
    fix = "Recompute some, or offload the optimizer instead."
    return (Problem("warning", "strategy.offload", message, fix, (("strategy.offload", "optimizer"),)),)


def _money_problems(r: Resolved) -> tuple[Problem, ...]:
    if not r.priced and r.rent_years:
        message = f"no rental price of {r.plan.cost.rent_date} is known for {r.card.name}, so the cost is 0."
        years = ", ".join(r.rent_years)
        fix = f'There are those of {years}: use rent_date = "{r.rent_years[-1]}".'
        return (Problem("warning", "cost.rent_date", message, fix, (("cost.rent_date", r.rent_years[-1]),)),)
    if not r.priced:
        message = f"no rental price is known for {r.card.name}, so the cost is 0."
        return (Problem("warning", "cost.usd_per_card_hour", message, "Set cost.usd_per_card_hour."),)
    stated, usual, key = r.usd_per_card_hour, r.usual_usd_per_card_hour, "cost.usd_per_card_hour"
    if r.plan.cost.basis == "rent" and usual and not usual / UNUSUAL <= stated <= usual * UNUSUAL:
        message = f"the plan states ${stated:,.2f} a card-hour; {r.card.name} usually rents for ${usual:,.2f}."
        return (Problem("info", key, message, f"Use usd_per_card_hour = {usual:g}, or leave it out.", ((key, usual),)),)
    if r.plan.cost.basis == "own" and not r.card_price_usd:
        message = f"no price is known for {r.card.name}, so the cost leaves it out."
        return (Problem("warning", "cost.card_usd", message, "Set cost.card_usd."),)
    return ()
