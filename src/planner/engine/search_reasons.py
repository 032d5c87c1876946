"""Why: what a search set aside, where a strategy loses time against the best, what is closest when none fits."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from planner.engine.constants import Constants
from planner.engine.estimate import evaluate
from planner.engine.found import Ranked, Region, SearchResult
from planner.engine.inputs import SHARDINGS
from planner.engine.result import COMPUTE_PARTS, STEP_PARTS, Estimate
from planner.engine.search import search
from planner.engine.search_closest import closest
from planner.engine.search_space import Constraints, Space
from planner.spec.base import PlanError
from planner.spec.plan import Resolved

DOUBLINGS = 6
"""How often the cards are doubled before giving up."""
NEAR = 64
"""Nodes fewer or more that are looked at where no layout is valid."""
GIGABYTE = 1e9


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a region of the space holds no ranked strategy."""

    where: Region
    region: str
    """The same in words."""
    why: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A part of the step in two strategies, s."""

    part: str
    own_s: float
    best_s: float

    @property
    def gain_s(self) -> float:
        """What the best saves; negative: what it costs."""
        return self.own_s - self.best_s


@dataclass(frozen=True, slots=True)
class NothingFits:
    """What is closest, and what would make it fit."""

    closest: Ranked
    stage: int
    """Its fullest stage."""
    over_gb: float
    """By which it is over what a run can use of a card."""
    needed_gb: float
    """Memory of a card (as sold) on which it would fit."""
    cards: int
    """Fewest cards, doubling, on which something fits with the same global batch; 0: none tried does."""
    offload: bool
    """With the optimizer in the host's memory something fits."""
    unlimited: bool
    """Without the constraints of the search something fits."""

    @property
    def message(self) -> str:
        """In a few sentences."""
        y = self.closest.strategy
        ways = [f"a card sold as {math.ceil(self.needed_gb):,} GB would hold it"]
        ways += [f"{self.cards:,} cards would do"] if self.cards else []
        ways += ["offload = optimizer would do"] if self.offload else []
        ways += ["without the limits of this search a strategy fits"] if self.unlimited else []
        return (
            f"nothing fits: the closest (tensor {y.tensor}, context {y.context}, pipeline {y.pipeline}, "
            f"{y.sharding}, recompute {y.recompute}) needs {self.closest.memory_gb:,.1f} GB, {self.over_gb:,.1f} over, "
            f"on stage {self.stage} of {y.pipeline}; {', or '.join(ways)}."
        )


def rejected(result: SearchResult) -> tuple[Reason, ...]:
    """What memory rules out, by pipeline degree and sharding, the largest regions first.

    Each counts what weights, gradients, optimizer and layer inputs alone rule out.
    """
    found = []
    for one in result.regions:
        if not one.too_large:
            continue
        group = f" in groups of {one.shard_group:,}" if one.shard_group else ""
        region = f"pipeline {one.pipeline}, {SHARDINGS[one.zero]}{group}"
        where = f"on stage {one.stage} of {one.pipeline}"
        if one.over_gb > 0:
            why = f"all are at least {one.over_gb:,.1f} GB over, {where}."
        else:
            why = f"the leanest of the others leaves {-one.over_gb:.1f} GB free, {where}."
        found.append(Reason(one, region, why))
    return tuple(sorted(found, key=lambda reason: -reason.where.too_large))


def differences(own: Estimate, best: Estimate) -> tuple[Difference, ...]:
    """Which parts of the step differ between two strategies, the largest difference first."""
    names = (*COMPUTE_PARTS, *(name for name in STEP_PARTS if name != "compute"))
    first = {**own.compute_breakdown_s, **own.step_breakdown_s}
    second = {**best.compute_breakdown_s, **best.step_breakdown_s}
    parts = (Difference(name, first[name], second[name]) for name in names)
    return tuple(sorted((d for d in parts if d.gain_s), key=lambda d: -abs(d.gain_s)))


def nothing_fits(
    resolved: Resolved, constraints: Constraints | None = None, constants: Constants | None = None
) -> NothingFits | None:
    """What to say when no strategy fits; None: there is no valid strategy at all.

    Args:
        resolved: the plan.
        constraints: of the search that found nothing.
        constants: other than the calibrated ones.
    """
    result = search(resolved, 1, constraints, constants)
    least = closest(resolved, constraints, constants)
    if least is None:
        return None
    capacity = result.capacity_bytes / GIGABYTE
    own = resolved.plan.cluster.cards
    tries = (with_cards(resolved, own << doubled) for doubled in range(1, DOUBLINGS + 1))
    enough = next((more for more in tries if _fits(more, constraints, constants)), None)
    estimate = evaluate(resolved.with_strategy(least.strategy), constants).estimate
    free = Constraints(headroom=constraints.headroom) if constraints else None
    return NothingFits(
        closest=least,
        stage=estimate.fullest_stage,
        over_gb=least.memory_gb - capacity,
        needed_gb=resolved.card.memory_gb * least.memory_gb / capacity,
        cards=enough.plan.cluster.cards if enough else 0,
        offload=resolved.strategy.offload == "none" and _fits(_offloaded(resolved), constraints, constants),
        unlimited=free is not None and free != constraints and _fits(resolved, free, constants),
    )


def no_layout(resolved: Resolved, constraints: Constraints | None = None) -> str:
    """What to say where no strategy is valid: that, and the nearest numbers of cards in whole nodes that have some."""
    own, node = resolved.plan.cluster.cards, resolved.cards_per_node
    below = (n for n in range(own // node * node, 0, -node)[:NEAR] if n < own)
    above = (own // node * node + more * node for more in range(1, NEAR))
    near = [next((n for n in counts if _has_some(resolved, n, constraints)), 0) for counts in (below, above)]
    text = "no layout is valid for these cards, this batch and this model"
    counts = " and ".join(f"{n:,}" for n in near if n)
    return f"{text}; there are some for {counts} cards." if counts else f"{text}."


def _has_some(resolved: Resolved, cards: int, constraints: Constraints | None) -> bool:
    try:
        return bool(Space(with_cards(resolved, cards), constraints).slices)
    except PlanError:
        return False


def _fits(resolved: Resolved, constraints: Constraints | None, constants: Constants | None) -> bool:
    """Some strategy does."""
    try:
        return bool(search(resolved, 1, constraints, constants).ranked)
    except PlanError:
        return False


def _offloaded(resolved: Resolved) -> Resolved:
    strategy = resolved.strategy.model_copy(update={"offload": "optimizer"})
    return dataclasses.replace(resolved, strategy=strategy)


def with_cards(resolved: Resolved, cards: int) -> Resolved:
    """The plan on another number of cards."""
    cluster = resolved.plan.cluster.model_copy(update={"cards": cards})
    return dataclasses.replace(resolved, plan=resolved.plan.model_copy(update={"cluster": cluster}))
