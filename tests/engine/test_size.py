"""Which clusters meet a deadline."""

import dataclasses

import pytest

from planner.catalog import Catalog
from planner.engine.estimate import evaluate
from planner.engine.search import search
from planner.engine.size import Make, size
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
    assert any(count < smallest.cards for _, count in result.tried)
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


def test_a_deadline_nothing_meets_has_no_result(make: Make) -> None:
    assert size(make, ["h100-sxm"], 1e-3).results == ()
