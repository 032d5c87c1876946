"""From presets with a claim to findings: what the audit's command and screen both go through."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from planner.engine.audit import audit
from planner.exchange.questions import searched

if TYPE_CHECKING:
    from planner.catalog import Catalog
    from planner.engine.audit import Finding
    from planner.engine.result import Outcome
    from planner.spec.plan import Plan


def claimants(catalog: Catalog) -> list[str]:
    """Presets with a claim, in their order."""
    return [name for name in catalog.ids("plans") if catalog.plan(name).claim is not None]


def finding(plan: Plan, catalog: Catalog, outcome: Callable[[Plan], Outcome], assumed: Collection[str]) -> Finding:
    """A plan's claim, judged; one without a layout gets the best.

    Args:
        plan: has the claim.
        catalog: where its names are looked up.
        outcome: the engine.
        assumed: keys or tables of the plan that no source states.

    Raises:
        PlanError: it cannot be used, or is impossible.
    """
    if plan.strategy is None and (best := searched(plan, catalog)) is not None:
        return audit(best, (*assumed, "strategy"))
    return audit(outcome(plan), assumed)
