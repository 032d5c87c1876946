"""Fills in the strategy a plan leaves out: the best that fits, else the one that comes closest to fitting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.spec.base import PlanError, Problem
from planner.spec.plan import Plan, Resolved

if TYPE_CHECKING:
    from planner.catalog import Catalog


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

    resolved = catalog.resolve(plan.searchable)
    found = search(resolved, 1).ranked
    chosen = found[0] if found else closest(resolved)
    if chosen is None:
        raise PlanError([no_strategy(resolved)], plan.name)
    return plan.with_strategy(chosen.strategy)


def no_strategy(resolved: Resolved) -> Problem:
    """The problem of a cluster and workload that no layout divides."""
    cards, batch = resolved.plan.cluster.cards, resolved.plan.workload.global_batch
    message = f"no layout divides {cards:,} cards, a global batch of {batch:,} and {resolved.model.name} evenly."
    return Problem("error", "workload.global_batch", message, "Use a global batch that the cards divide.")
