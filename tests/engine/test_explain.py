"""What ten per cent more of each thing does."""

import dataclasses

import pytest

from planner.catalog import Catalog
from planner.engine.estimate import evaluate
from planner.engine.explain import CHANGES, explain


@pytest.mark.parametrize("name", ["llama-3.1-405b", "deepseek-v3", "palm-540b"])
def test_more_is_never_slower_and_the_largest_effect_is_first(name: str) -> None:
    catalog = Catalog.default()
    r = catalog.resolve(catalog.plan(name))
    effects = explain(r)
    by_key = {one.key: one for one in effects}
    assert by_key.keys() == CHANGES.keys()
    for key in ("flops", "memory_bandwidth", "scale_up", "scale_out", "mtbf"):
        assert by_key[key].days <= 0
    assert by_key["latency"].days >= 0
    assert by_key["flops"].days_share == pytest.approx(by_key["flops"].days / evaluate(r).estimate.training_days)
    shares = [max(abs(one.days_share), abs(one.cost_share)) for one in effects]
    assert shares == sorted(shares, reverse=True)


def test_the_price_changes_the_cost_alone() -> None:
    catalog = Catalog.default()
    r = catalog.resolve(catalog.plan("llama-3.1-405b"))
    price = next(one for one in explain(r) if one.key == "price")
    assert price.days == 0
    assert price.cost_share == pytest.approx(0.1)


def test_owners_pay_more_for_dearer_cards() -> None:
    catalog = Catalog.default()
    plan = catalog.plan("llama-3.1-8b")
    plan = plan.model_copy(update={"cost": plan.cost.model_copy(update={"basis": "own"})})
    price = next(one for one in explain(catalog.resolve(plan)) if one.key == "price")
    assert 0 < price.cost_share < 0.1


def test_memory_changes_nothing_while_the_strategy_stays() -> None:
    catalog = Catalog.default()
    memory = next(one for one in explain(catalog.resolve(catalog.plan("llama-3.1-70b"))) if one.key == "memory")
    assert (memory.days, memory.cost_usd) == (0, 0)


def test_an_unknown_price_has_no_share() -> None:
    catalog = Catalog.default()
    r = dataclasses.replace(catalog.resolve(catalog.plan("llama-3.1-8b")), usd_per_card_hour=0.0)
    assert {one.cost_share for one in explain(r)} == {0.0}
