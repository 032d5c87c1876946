"""A plan without a strategy gets the best one."""

import pytest

from planner.catalog import Catalog
from planner.choose import best_for
from planner.engine.estimate import evaluate
from planner.engine.search import search
from planner.exchange.plan_toml import loads, write
from planner.spec.base import PlanError


@pytest.mark.parametrize("name", ["llama-3.1-8b", "llama-3.1-405b", "mixtral-8x22b"])
def test_the_best_is_filled_in_and_can_be_written(name: str) -> None:
    catalog = Catalog.default()
    plan = catalog.plan(name).model_copy(update={"strategy": None})
    filled = best_for(plan, catalog)
    resolved = catalog.resolve(filled)
    assert resolved.strategy == search(resolved, 1).ranked[0].strategy
    assert evaluate(resolved).fits
    assert catalog.resolve(loads(write(filled))).strategy == resolved.strategy


def test_what_is_not_searched_stays_the_users() -> None:
    catalog = Catalog.default()
    plan = catalog.plan("palm-540b")
    assert plan.strategy is not None
    filled = best_for(plan, catalog)
    assert filled.strategy is not None
    assert filled.strategy.stack == plan.strategy.stack
    assert filled.strategy.overlap == plan.strategy.overlap


def test_where_nothing_fits_the_closest_is_filled_in() -> None:
    catalog = Catalog.default()
    plan = catalog.plan("llama-3.1-405b")
    cluster = plan.cluster.model_copy(update={"cards": 16})
    filled = best_for(plan.model_copy(update={"cluster": cluster, "strategy": None}), catalog)
    assert not evaluate(catalog.resolve(filled)).fits


def test_cards_no_layout_divides_are_refused() -> None:
    catalog = Catalog.default()
    plan = catalog.plan("llama-3.1-8b")
    work = plan.workload.model_copy(update={"global_batch": 7})
    cluster = plan.cluster.model_copy(update={"cards": 1013})
    with pytest.raises(PlanError, match="no layout divides"):
        best_for(plan.model_copy(update={"cluster": cluster, "workload": work, "strategy": None}), catalog)
