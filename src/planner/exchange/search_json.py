"""What a search found as JSON: the ranked, the reasons, the plan's own strategy against the best, what would fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.engine.inputs import SHARDINGS
from planner.engine.search_reasons import Difference, NothingFits, Reason, differences, rejected
from planner.exchange.as_json import estimate_dict, problem_dict
from planner.exchange.figures import unpriced
from planner.exchange.plan_toml import as_dict
from planner.spec.base import PlanError
from planner.spec.plan import Cluster, Plan, Workload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.engine.found import SearchResult
    from planner.engine.result import Outcome
    from planner.engine.search_rules import Forbidden
    from planner.spec.plan import Strategy


def search_dict(
    result: SearchResult, rules: Sequence[Forbidden], outcomes: Sequence[Outcome], objective: str,
    own: Outcome | PlanError | None, nothing: NothingFits | None,
) -> dict[str, Any]:  # fmt: skip
    """Everything `planner search --json` promises.

    Args:
        result: of the search.
        rules: what rules take out of it.
        outcomes: of the strategies ranked, the best first.
        objective: what the best has least of.
        own: the plan with its own strategy, or why that is impossible; None where it has none.
        nothing: what is closest, where nothing fits.
    """
    return {
        "searched": result.searched,
        "feasible": result.feasible,
        "seconds": result.seconds,
        "objective": objective,
        "exhaustive": result.exhaustive,
        "too_large": result.too_large,
        "slower": result.slower,
        "results": [
            {"strategy": strategy_dict(o.resolved.strategy), "estimate": estimate_dict(o.estimate)} for o in outcomes
        ],
        "rejected": [*(_reason(one) for one in rejected(result)), *(_forbidden(one) for one in rules)],
        "own": None if own is None else _own(own, outcomes[0] if outcomes else None),
        "nothing_fits": None if nothing is None else _nothing(nothing),
        "problems": [problem_dict(problem) for problem in unpriced(outcomes[0])] if outcomes else [],
    }


def strategy_dict(strategy: Strategy) -> dict[str, Any]:
    """A strategy as a plan file would set it."""
    plan = Plan(cluster=Cluster(card="-", cards=1), workload=Workload(model="-", tokens=1.0))
    table: dict[str, Any] = as_dict(plan.model_copy(update={"strategy": strategy}).with_strategy(strategy))["strategy"]
    return table


def _reason(one: Reason) -> dict[str, Any]:
    where = one.where
    return {
        "rule": "memory",
        "region": one.region,
        "pipeline": where.pipeline,
        "sharding": SHARDINGS[where.zero],
        "shard_group": where.shard_group,
        "strategies": where.count,
        "too_large": where.too_large,
        "over_gb": where.over_gb,
        "stage": where.stage,
        "why": one.why,
    }


def _forbidden(one: Forbidden) -> dict[str, Any]:
    nowhere = dict.fromkeys(("pipeline", "sharding", "shard_group", "over_gb", "stage"))
    return {
        "rule": one.rule,
        "region": one.region,
        **nowhere,
        "strategies": one.strategies,
        "too_large": 0,
        "why": one.why,
    }


def _own(own: Outcome | PlanError, best: Outcome | None) -> dict[str, Any]:
    if isinstance(own, PlanError):
        found: dict[str, Any] = {"possible": False, "problem": own.problems[0].message}
        return {**found, "fits": False, "step_time_s": None, "memory_gb": None, "differences": []}
    parts = differences(own.estimate, best.estimate) if best else ()
    return {
        "possible": True,
        "problem": "",
        "fits": own.fits,
        "step_time_s": own.estimate.step_time_s,
        "memory_gb": own.estimate.memory_gb,
        "differences": [_difference(one) for one in parts],
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {"part": one.part, "own_s": one.own_s, "best_s": one.best_s, "gain_s": one.gain_s}


def _nothing(one: NothingFits) -> dict[str, Any]:
    return {
        "strategy": strategy_dict(one.closest.strategy),
        "memory_gb": one.closest.memory_gb,
        "over_gb": one.over_gb,
        "card_memory_gb": one.needed_gb,
        "stage": one.stage,
        "cards": one.cards or None,
        "offload": one.offload,
        "without_limits": one.unlimited,
        "message": one.message,
    }
