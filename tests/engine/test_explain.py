"""What ten per cent more of each thing does."""

import dataclasses

import pytest
from tests.engine.random_plans import random_plans
from tests.plans import BUILT_IN

from planner.catalog import Catalog
from planner.engine.constants import calibrated
from planner.engine.estimate import evaluate
from planner.engine.explain import CHANGES, MORE, explain
from planner.engine.search import search
from planner.engine.search_closest import closest
from planner.spec.plan import Resolved


def with_memory(r: Resolved, factor: float) -> Resolved:
    return dataclasses.replace(r, card=r.card.model_copy(update={"memory_gb": r.card.memory_gb * factor}))


def best_days(r: Resolved) -> float:
    return evaluate(dataclasses.replace(r, strategy=search(r, 1).ranked[0].strategy)).estimate.training_days


@pytest.mark.parametrize("name", ["llama-3.1-405b", "deepseek-v3", "palm-540b"])
def test_more_is_never_slower_and_the_largest_effect_is_first(name: str) -> None:
    catalog = Catalog.default()
    r = catalog.resolve(catalog.plan(name))
    effects = explain(r)
    by_key = {one.key: one for one in effects}
    assert by_key.keys() == {*CHANGES, "memory"}
    for key in ("memory", "flops", "memory_bandwidth", "scale_up", "scale_out", "mtbf"):
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


@pytest.mark.parametrize("key", ["flops", "memory_bandwidth", "scale_up", "scale_out", "latency", "mtbf", "price"])
def test_more_of_a_thing_moves_days_and_cost_one_way(key: str) -> None:
    """Sign of the change: -1 for what helps, 1 for what hurts, of days and of cost."""
    wanted = {"latency": (1, 1), "price": (0, 1)}.get(key, (-1, -1))
    _, change = CHANGES[key]
    moved = [0, 0]
    for r in random_plans(60):
        base, now = evaluate(r).estimate, evaluate(*change(r, calibrated())).estimate
        for place, (before, after) in enumerate(
            [(base.training_days, now.training_days), (base.cost_usd, now.cost_usd)]
        ):
            assert (after - before) * wanted[place] >= -1e-9 * before, r.plan
            assert wanted[place] or after == before
            moved[place] += after != before
    assert [count > 0 for count in moved] == [bool(sign) for sign in wanted]


@pytest.mark.parametrize("name", ["kimi-k2", "llama-3.1-405b-8k-gpus", "llama-3.1-8b"])
def test_memory_is_what_the_best_strategy_gains_by_it(name: str) -> None:
    r = BUILT_IN.resolve(BUILT_IN.plan(name))
    memory = next(one for one in explain(r) if one.key == "memory")
    before, after = best_days(r), best_days(with_memory(r, MORE))
    assert memory.days == pytest.approx(after - before, abs=1e-9)
    assert memory.days_share == pytest.approx(after / before - 1.0, abs=1e-9)
    known = explain(r, best=search(r, 1).ranked[0])
    assert next(one for one in known if one.key == "memory") == memory


def test_memory_says_whether_a_plan_that_does_not_fit_would() -> None:
    r = BUILT_IN.resolve(BUILT_IN.plan("llama-3.1-70b"))
    least = closest(r)
    assert least is not None
    own = dataclasses.replace(r, strategy=search(r, 1).ranked[0].strategy)
    used = evaluate(own).estimate
    brim = used.memory_gb / used.memory_capacity_gb  # of the card that just holds it
    for factor, words in ((0.95 * brim, "would fit"), (0.7 * brim, "would still not fit")):
        tight = with_memory(own, factor)
        assert not evaluate(tight).fits
        memory = next(one for one in explain(tight) if one.key == "memory")
        assert words in memory.note
        assert memory.days < 0
    for factor, words in ((0.95, "The best strategy would take"), (0.8, "still no strategy fits")):
        memory = next(
            one for one in explain(with_memory(r, factor * least.memory_gb / used.memory_capacity_gb))
            if one.key == "memory"
        )  # fmt: skip
        assert words in memory.note
        assert memory.days == memory.cost_usd == 0.0


def test_an_unknown_price_has_no_share() -> None:
    catalog = Catalog.default()
    r = dataclasses.replace(catalog.resolve(catalog.plan("llama-3.1-8b")), usd_per_card_hour=0.0)
    assert {one.cost_share for one in explain(r)} == {0.0}
