"""What a plan that does not fit is told to change: the change is possible, and needs less memory."""

from __future__ import annotations

import pytest
from tests.plans import BUILT_IN

from planner.engine.estimate import evaluate
from planner.exchange.edits import set_keys
from planner.spec.base import PlanError

EDITS: tuple[tuple[tuple[str, object], ...], ...] = (
    (("strategy.micro_batch", 4),),
    (("strategy.recompute", "none"), ("strategy.recompute_modules", None), ("strategy.recompute_layers", None)),
    (("strategy.pipeline", 1), ("strategy.schedule", None), ("strategy.virtual_stages", None)),
    (("strategy.tensor", 1), ("strategy.sequence", None), ("strategy.sharding", "none")),
    (("cluster.card", "a100-pcie-40"),),
)


@pytest.mark.parametrize("edits", EDITS, ids=lambda edits: edits[0][0])
def test_the_change_is_possible_and_needs_less(edits: tuple[tuple[str, object], ...]) -> None:
    offered = 0
    for name in BUILT_IN.ids("plans"):
        plan = BUILT_IN.plan(name)
        if plan.strategy is None:
            continue
        try:
            plan = set_keys(plan, edits, BUILT_IN)
            before = evaluate(BUILT_IN.resolve(plan))
        except PlanError:
            continue
        problem = next((p for p in before.problems if p.message.startswith("does not fit")), None)
        assert (problem is None) == before.fits
        if problem is None or not problem.change:
            continue
        after = evaluate(BUILT_IN.resolve(set_keys(plan, problem.change, BUILT_IN)))
        assert after.estimate.memory_gb < before.estimate.memory_gb, (name, problem)
        assert f"it needs {after.estimate.memory_gb:.1f} GB" in problem.fix
        assert problem.fix.startswith("Use") == after.fits
        offered += 1
    assert offered
