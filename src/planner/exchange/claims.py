"""Claims of plans: whose they are, and from presets with one to findings, as the audit's command and screen go."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from planner.engine.audit import audit
from planner.exchange.edits import stated
from planner.exchange.format import short
from planner.exchange.questions import searched
from planner.spec.base import PlanError
from planner.spec.words import shown

if TYPE_CHECKING:
    from planner.catalog import Catalog
    from planner.engine.audit import Finding
    from planner.engine.result import Outcome
    from planner.spec.plan import Plan

RUN = ("cluster.card", "cluster.cards", "workload.model", "workload.tokens")
"""What makes a run another one than a source speaks of: of these a claim says how long they took."""


def claimants(catalog: Catalog) -> list[str]:
    """Presets with a claim, in their order; not those of the user's own that cannot be used."""
    return list(_claiming(catalog))


def _claiming(catalog: Catalog) -> dict[str, Plan]:
    """Presets with a claim by id."""
    found: dict[str, Plan] = {}
    for name in catalog.ids("plans"):
        with suppress(PlanError):  # warned of as the user's own files are
            if (plan := catalog.plan(name)).claim is not None:
                found[name] = plan
    return found


def borrowed(plan: Plan, catalog: Catalog) -> str:
    """Why a plan's claim is not about it: a preset has it, of another run. Empty: it may be, or there is none.

    Only presets can be held against a plan: what somebody claims in a file of his own is his.
    """
    if plan.claim is None:
        return ""
    why = ""
    for name, preset in _claiming(catalog).items():
        if preset.claim != plan.claim:
            continue
        other = next((key for key in RUN if stated(preset, key) != stated(plan, key)), "")
        if not other:
            return ""
        its = stated(preset, other)
        value = f"{its:,}" if isinstance(its, int) else short(its) if isinstance(its, float) else shown(its)
        why = why or f"[claim] is left out: it is of {name}, whose {other} is {value}."
    return why


def own(outcome: Outcome, catalog: Catalog) -> tuple[Outcome, str]:
    """An outcome whose plan has no claim of another run, and why it has none; empty: nothing was left out."""
    why = borrowed(outcome.resolved.plan, catalog)
    if not why:
        return outcome, ""
    plan = outcome.resolved.plan.model_copy(update={"claim": None})
    return replace(outcome, resolved=replace(outcome.resolved, plan=plan)), why


def finding(plan: Plan, catalog: Catalog, outcome: Callable[[Plan], Outcome], assumed: Collection[str]) -> Finding:
    """A plan's claim, judged where it is its own; a plan without a layout gets the best.

    Args:
        plan: has the claim.
        catalog: where its names are looked up.
        outcome: the engine.
        assumed: keys or tables of the plan that no source states.

    Raises:
        PlanError: it cannot be used, or is impossible.
    """
    if borrowed(plan, catalog):
        plan = plan.model_copy(update={"claim": None})
    if plan.strategy is None and (best := searched(plan, catalog)) is not None:
        return audit(best, (*assumed, "strategy"))
    return audit(outcome(plan), assumed)
