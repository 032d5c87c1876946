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


def test_fix_after_fix_ends_in_a_plan_that_fits_where_there_is_one() -> None:
    # 405 billion parameters on 64 cards of 80 GB: the optimizer has to leave them.
    edits: dict[str, object] = {"cluster.cards": 64, "workload.global_batch": 64, "strategy.tensor": 8}
    edits |= {"strategy.context": 1, "strategy.pipeline": 2, "strategy.virtual_stages": 1, "strategy.schedule": "1f1b"}
    plan = set_keys(BUILT_IN.plan("llama-3.1-405b"), tuple(edits.items()), BUILT_IN)
    outcome = evaluate(BUILT_IN.resolve(plan))
    for _ in range(6):
        if outcome.fits:
            break
        change = next(problem.change for problem in outcome.problems if problem.severity == "error")
        plan = set_keys(plan, change, BUILT_IN)
        outcome = evaluate(BUILT_IN.resolve(plan))
    assert outcome.fits
    assert plan.strategy is not None
    assert plan.strategy.offload == "optimizer"
