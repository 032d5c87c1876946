"""Whether a published claim can be: what it implies, what the engine expects of that cluster and model, and a verdict.

Hours of a source are all-in (restarts, evaluation, idle cards), so they are compared with the
engine's card-hours, which hold failures and checkpoints; its speeds are of steps alone, and are compared with steps.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from planner.engine.conventions import flops_per_token
from planner.engine.estimate import evaluate
from planner.engine.result import Interval, Outcome
from planner.engine.run import SECONDS_PER_HOUR
from planner.engine.search import search
from planner.spec.plan import Claim, Resolved
from planner.spec.runs import FlopsConvention

Verdict = Literal["plausible", "faster-than-range", "slower-than-range", "not-enough-stated"]
Figure = Literal["card-hours", "tokens a second and card", "MFU"]

READINGS: tuple[FlopsConvention, ...] = ("6nd", "causal", "full-square", "hardware")
"""How a source may have counted an MFU it does not explain: from the fewest FLOPs to the most."""

NEEDED = frozenset({"cluster", "cluster.card", "workload", "workload.model"})
"""Keys (or whole tables) without which no figure of a claim says anything."""

NEEDED_FOR_HOURS = NEEDED | {"workload.tokens"}
"""Hours say something only with the tokens they were spent on."""

HOURS_PER_DAY = 24.0


@dataclass(frozen=True, slots=True)
class Implied:
    """What a claim comes to. None: its figures do not give it."""

    mfu: float | None
    """Averaged over the hours where the claim is of hours, else of the steps; counted as the engine counts."""
    tokens_per_s_per_card: float | None
    """The same."""
    card_hours: float | None
    """As claimed, or from the claimed speed with the engine's goodput."""
    days: float | None
    cost_usd: float | None
    """As claimed, or card-hours at the plan's rent."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One claimed figure beside the engine's 80 % range."""

    figure: Figure
    claimed: float
    low: float
    """Least the engine gives it."""
    high: float
    verdict: Verdict
    """Faster: fewer hours, or more speed, than the range."""
    readings: tuple[FlopsConvention, ...] = ()
    """Of an MFU: conventions by which it is inside."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim, judged."""

    outcome: Outcome
    """What the engine says about the plan."""
    claim: Claim
    implied: Implied
    card_hours: Interval
    """The engine's 80 % range."""
    judged: tuple[Judged, ...]
    """Every claimed figure that can be judged; the first decides."""
    verdict: Verdict
    missing: tuple[str, ...]
    """Keys no source states, for want of which the claim cannot be judged."""
    layout_assumed: bool
    """No source states the layout, so a better one of the same cluster counts as well."""
    best: Outcome | None
    """With the best strategy of the same cluster; asked for where the claim is faster than the plan's range."""
    tokens: Interval
    """Tokens the implied card-hours would train at the engine's speed; zero where no hours are implied."""


def audit(outcome: Outcome, assumed: Collection[str] = ()) -> Finding:
    """Judge the claim of a plan.

    Args:
        outcome: of a plan with a claim (one without says nothing, which is the verdict).
        assumed: dotted keys or whole tables of the plan that no source states.
    """
    claim = outcome.resolved.plan.claim or Claim()
    implied = implied_by(outcome, claim)
    judged = _judged(outcome, claim)
    hours_only = bool(judged) and judged[0].figure == "card-hours"
    missing = tuple(sorted((NEEDED_FOR_HOURS if hours_only else NEEDED).intersection(assumed)))
    best = None
    verdict: Verdict = "not-enough-stated"
    if judged and not missing:
        verdict = judged[0].verdict
        if verdict == "faster-than-range":
            best = best_of(outcome.resolved)
            if "strategy" in assumed and best is not None:
                verdict = _judged(best, claim)[0].verdict
                verdict = "plausible" if verdict == "slower-than-range" else verdict
    return Finding(
        outcome=outcome,
        claim=claim,
        implied=implied,
        card_hours=hours_range(outcome),
        judged=judged,
        verdict=verdict,
        missing=missing,
        layout_assumed="strategy" in assumed,
        best=best,
        tokens=_tokens(outcome, implied),
    )


def implied_by(outcome: Outcome, claim: Claim) -> Implied:
    """What a claim comes to, from the first of its figures that gives it: hours, days, cost, speed, MFU.

    Formula: tokens a second and card = tokens / (3600 card-hours); MFU = that x FLOPs a token / peak.

    Args:
        outcome: of the plan.
        claim: what its source says.
    """
    e, plan = outcome.estimate, outcome.resolved.plan
    tokens, cards = plan.workload.tokens, plan.cluster.cards
    hours = _stated_hours(outcome, claim)
    mfu_per_speed = e.mfu / e.tokens_per_s_per_card
    speed = tokens / (SECONDS_PER_HOUR * hours) if hours else claim.tokens_per_s_per_card or claim.mfu / mfu_per_speed
    if not speed:
        return Implied(None, None, None, claim.days or None, claim.cost_usd or None)
    hours = hours or tokens / (SECONDS_PER_HOUR * speed * e.goodput)
    rate = e.usd_per_card_hour
    return Implied(
        mfu=speed * mfu_per_speed,
        tokens_per_s_per_card=speed,
        card_hours=hours,
        days=claim.days or hours / cards / HOURS_PER_DAY,
        cost_usd=claim.cost_usd or (hours * rate if rate else None),
    )


def _stated_hours(outcome: Outcome, claim: Claim) -> float:
    """Card-hours a claim states, itself or by days or cost; 0: none. A cost does where the plan states the rent."""
    plan = outcome.resolved.plan
    if hours := claim.card_hours or claim.days * HOURS_PER_DAY * plan.cluster.cards:
        return hours
    rent = plan.cost.usd_per_card_hour if plan.cost.basis == "rent" else None
    return claim.cost_usd / rent if rent else 0.0


def hours_range(outcome: Outcome) -> Interval:
    """The engine's 80 % range of card-hours: that of the days, times the cards."""
    per_day = HOURS_PER_DAY * outcome.resolved.plan.cluster.cards
    low, high = outcome.estimate.interval_80["training_days"]
    return float(low) * per_day, float(high) * per_day


def best_of(resolved: Resolved) -> Outcome | None:
    """A plan with the fastest strategy that fits its cluster; None: none does.

    Raises:
        PlanError: no strategy can make the plan possible.
    """
    ranked = search(resolved, top=1).ranked
    return evaluate(resolved.with_strategy(ranked[0].strategy)) if ranked else None


def judge_hours(outcomes: Sequence[Outcome], card_hours: float) -> Judged:
    """Card-hours said of a run, or of several together, beside the sum of the engine's ranges.

    The ends add up as they stand: runs of one owner on one software are off in the same direction.

    Args:
        outcomes: of the runs.
        card_hours: said of all of them together.
    """
    ranges = [hours_range(outcome) for outcome in outcomes]
    low, high = sum(r[0] for r in ranges), sum(r[1] for r in ranges)
    return Judged("card-hours", card_hours, low, high, _verdict(card_hours, low, high, less_is_faster=True))


def _judged(outcome: Outcome, claim: Claim) -> tuple[Judged, ...]:
    """The figures of a claim that can be judged, hours first."""
    found: list[Judged] = []
    e = outcome.estimate
    if hours := _stated_hours(outcome, claim):
        found.append(judge_hours([outcome], hours))
    if speed := claim.tokens_per_s_per_card:
        fast, slow = (e.tokens_per_s_per_card * e.step_time_s / s for s in e.interval_80["step_time_s"])
        verdict = _verdict(speed, slow, fast, less_is_faster=False)
        found.append(Judged("tokens a second and card", speed, slow, fast, verdict))
    if claim.mfu:
        found.append(_judged_mfu(outcome, claim.mfu))
    return tuple(found)


def _judged_mfu(outcome: Outcome, mfu: float) -> Judged:
    """An MFU by every way its source may have counted; outside only where it is so by all of them."""
    r = outcome.resolved
    low, high = outcome.estimate.interval_80["mfu"]
    own = flops_per_token(r.model, r.plan.workload.sequence_length, "causal")
    ranges = {
        way: (low * factor, high * factor)
        for way in READINGS
        for factor in [float(flops_per_token(r.model, r.plan.workload.sequence_length, way, r.strategy) / own)]
    }
    inside = tuple(way for way, (least, most) in ranges.items() if least <= mfu <= most)
    least, most = min(a for a, _ in ranges.values()), max(b for _, b in ranges.values())
    verdict = "plausible" if inside else _verdict(mfu, least, most, less_is_faster=False)
    return Judged("MFU", mfu, least, most, verdict, inside)


def _verdict(value: float, low: float, high: float, *, less_is_faster: bool) -> Verdict:
    if low <= value <= high:
        return "plausible"
    return "faster-than-range" if (value < low) == less_is_faster else "slower-than-range"


def _tokens(outcome: Outcome, implied: Implied) -> Interval:
    """Tokens the implied card-hours would train, between the slow and the fast end of the range."""
    if not implied.card_hours:
        return 0.0, 0.0
    tokens = outcome.resolved.plan.workload.tokens
    low, high = hours_range(outcome)
    return tokens * implied.card_hours / high, tokens * implied.card_hours / low
