"""Which clusters meet a deadline."""

import dataclasses

import pytest

from planner.catalog import Catalog
from planner.engine.estimate import evaluate
from planner.engine.search import search
from planner.engine.size import LARGEST, Make, size
from planner.spec.base import PlanError
from planner.spec.plan import Resolved


@pytest.fixture(scope="module")
def make() -> Make:
    catalog = Catalog.default()
    plan = catalog.plan("llama-3.1-8b")

    def made(card: str, count: int) -> Resolved:
        cluster = plan.cluster.model_copy(update={"card": card, "cards": count, "scale_out": None})
        return catalog.resolve(plan.model_copy(update={"cluster": cluster}))

    return made


def test_the_smallest_meets_the_deadline_and_nothing_smaller_tried_does(make: Make) -> None:
    result = size(make, ["h100-sxm"], 60.0)
    assert result.results
    assert all(one.training_days <= 60 for one in result.results)
    assert [one.cards for one in result.results] == sorted(one.cards for one in result.results)
    smallest = result.results[0]
    below = result.below(smallest)
    assert below is not None
    assert below.size is None or below.size.training_days > 60
    assert below.cards > 0.9 * smallest.cards
    r = make("h100-sxm", smallest.cards)
    best = search(r, 1).ranked[0].strategy
    assert best == smallest.strategy
    e = evaluate(dataclasses.replace(r, strategy=best)).estimate
    assert (e.training_days, e.cost_usd) == (smallest.training_days, smallest.cost_usd)
    assert result.cheapest is not None
    assert result.cheapest.cost_usd == min(one.cost_usd for one in result.results)


def test_counts_that_are_given_are_the_ones_tried(make: Make) -> None:
    asked: list[tuple[str, int]] = []
    result = size(make, ["h100-sxm", "a100-sxm-80"], 200.0, [128, 200, 256], lambda card, n: asked.append((card, n)))
    assert asked == [(card, n) for card in ("h100-sxm", "a100-sxm-80") for n in (128, 200, 256)]
    assert {one.cards for one in result.results} <= {128, 200, 256}
    assert {one.card for one in result.results} == {"h100-sxm", "a100-sxm-80"} or result.results


def test_a_deadline_nothing_meets_has_no_result_and_says_why(make: Make) -> None:
    hopeless = size(make, ["h100-sxm"], 1e-3)
    assert (hopeless.results, hopeless.tried, hopeless.quickest) == ((), (), None)
    r = make("h100-sxm", LARGEST)
    per_token = 6.0 * (r.model.active_params - 2.0 * r.model.vocab * r.model.hidden)
    at_peak = per_token * r.plan.workload.tokens / (LARGEST * 1979e12 * 86400.0)
    assert hopeless.at_peak_days["h100-sxm"] == pytest.approx(at_peak, rel=0.01)
    assert hopeless.at_peak_days["h100-sxm"] > 1e-3
    late = size(make, ["h100-sxm"], 0.2, [64, 96, 100])
    assert late.results == ()
    assert late.quickest is not None
    assert late.quickest.training_days == min(one.size.training_days for one in late.tried if one.size)
    assert [one.cards for one in late.tried if one.why == "no layout is valid"] in ([], [100])


def test_a_card_of_unknown_price_is_not_the_cheapest(make: Make) -> None:
    result = size(make, ["gaudi3", "h100-sxm"], 400.0, [128])
    assert {one.card for one in result.results if not one.cost_usd} == {"gaudi3"}
    assert result.cheapest is not None
    assert result.cheapest.card == "h100-sxm"
    assert size(make, ["gaudi3"], 400.0, [128]).cheapest is None


def test_a_card_that_cannot_run_the_plan_does_not_end_it(make: Make) -> None:
    def fp8(card: str, count: int) -> Resolved:
        r = make(card, count)
        work = r.plan.workload.model_copy(update={"precision": "fp8"})
        return dataclasses.replace(r, plan=r.plan.model_copy(update={"workload": work}))

    result = size(fp8, ["a100-sxm-80", "h100-sxm"], 400.0, [128])
    assert {one.card for one in result.results} == {"h100-sxm"}
    assert "does not compute in fp8" in result.refused["a100-sxm-80"]
    with pytest.raises(PlanError, match="does not compute in fp8"):
        size(fp8, ["a100-sxm-80"], 400.0, [128])


def test_counts_a_cluster_cannot_have_are_out_alone(make: Make) -> None:
    def sites(card: str, count: int) -> Resolved:
        r = make(card, count)
        cluster = r.plan.cluster.model_copy(update={"sites": 3, "wan_gb_per_s": 100.0})
        work = r.plan.workload.model_copy(update={"global_batch": 384})
        return dataclasses.replace(r, plan=r.plan.model_copy(update={"cluster": cluster, "workload": work}))

    result = size(sites, ["h100-sxm"], 400.0, [128, 192])
    assert [one.cards for one in result.results] == [192]
    (out,) = [one for one in result.tried if one.why]
    assert (out.cards, out.why) == (128, "128 cards do not divide over 3 sites")


def test_a_node_larger_than_any_cluster_tried_is_said(make: Make) -> None:
    def made(card: str, count: int) -> Resolved:
        return dataclasses.replace(make(card, count), cards_per_node=300_000)

    with pytest.raises(PlanError, match="a node of 300,000 cards is more than the largest cluster"):
        size(made, ["h100-sxm"], 60.0)
