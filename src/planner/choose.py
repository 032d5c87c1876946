"""Fills in the strategy a plan leaves out: the best that fits, else the one that comes closest to fitting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.spec.base import PlanError, Problem
from planner.spec.plan import Plan, Resolved, Strategy

if TYPE_CHECKING:
    from planner.catalog import Catalog

SEARCHED = (
    "tensor", "sequence", "context", "pipeline", "virtual_stages", "expert", "expert_tensor", "micro_batch", "schedule",
    "sharding", "shard_group", "recompute", "recompute_modules", "recompute_layers",
)  # fmt: skip
"""Keys of a strategy that a search decides; the others stay the user's."""

ALWAYS = ("tensor", "pipeline", "micro_batch", "sharding", "recompute")
"""Keys written even where they are the default: they are what a reader of a plan looks for."""


def best_for(plan: Plan, catalog: Catalog) -> Plan:
    """The plan with the best strategy for its cluster; with the closest one where nothing fits.

    Args:
        plan: a plan; of its strategy, if it has one, only what is not searched counts.
        catalog: where its names are looked up.

    Raises:
        PlanError: it names what is not there, or no strategy at all is valid for it.
    """
    from planner.engine.search import search  # not above: to write a strategy down takes no NumPy
    from planner.engine.search_closest import closest

    asked = plan if plan.strategy is not None else plan.model_copy(update={"strategy": Strategy()})
    resolved = catalog.resolve(asked)
    found = search(resolved, 1).ranked
    chosen = found[0] if found else closest(resolved)
    if chosen is None:
        raise PlanError([no_strategy(resolved)], plan.name)
    return with_strategy(asked, chosen.strategy)


def with_strategy(plan: Plan, chosen: Strategy) -> Plan:
    """The plan with what a search decided, written as a person would: without the keys that are defaults."""
    before = plan.strategy or Strategy()
    keys: dict[str, Any] = {k: getattr(before, k) for k in before.model_fields_set if k not in SEARCHED}
    plain = Strategy()
    for name in SEARCHED:
        value = getattr(chosen, name)
        if name in ALWAYS or value != getattr(plain, name):
            keys[name] = value
    if chosen.tensor == 1:
        keys.pop("sequence", None)
    if chosen.pipeline == 1 and chosen.schedule == "1f1b":
        keys.pop("schedule", None)
    ordered = {name: keys[name] for name in Strategy.model_fields if name in keys}
    return plan.model_copy(update={"strategy": Strategy(**ordered)})


def no_strategy(resolved: Resolved) -> Problem:
    """The problem of a cluster and workload that no layout divides."""
    cards, batch = resolved.plan.cluster.cards, resolved.plan.workload.global_batch
    message = f"no layout divides {cards:,} cards, a global batch of {batch:,} and {resolved.model.name} evenly."
    return Problem("error", "workload.global_batch", message, "Use a global batch that the cards divide.")
