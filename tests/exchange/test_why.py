"""Explanations: every figure has one, made of things that exist, and says where each came from."""

from __future__ import annotations

import pytest
from tests.tui.helpers import CATALOG, plain_engine

from planner.engine.estimate import evaluate
from planner.engine.result import Outcome
from planner.exchange import why
from planner.exchange.edits import set_keys
from planner.exchange.formulas import FORMULAS
from planner.exchange.plan_toml import as_dict
from planner.spec.base import PlanError
from planner.spec.parse import parse_plan


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return plain_engine(CATALOG.resolve(CATALOG.plan("deepseek-v3")))


BACKGROUND = why.Background(CATALOG, "deepseek-v3", {"cluster.cards": "yours"})


@pytest.mark.parametrize("key", FORMULAS)
def test_every_figure_is_explained_and_made_of_what_exists(outcome: Outcome, key: str) -> None:
    found = why.explain(outcome, key, BACKGROUND)
    assert found.words.endswith(".")
    assert found.inputs
    assert all(item.origin for item in (*found.inputs, *found.constants))
    keys = set(why.plan_values(outcome.resolved))
    for need in FORMULAS[key].needs:
        known = need in FORMULAS or need.partition(".")[0] in why.OWNED
        assert known or any(why._matches(need, each) for each in keys), need
    for line in why.lines(found, 80):
        assert len(line.text) <= 80 or " " not in line.text.strip()


@pytest.mark.parametrize(
    ("kernel", "counts", "idle"),
    [
        ("flash", {"attention", "attention_backward"}, {"attention_early", "score_traffic", "hbm", "narrow_head"}),
        ("triton", {"attention_early", "early_backward", "attention_ramp", "attention_fixed"}, {"attention"}),
        ("unfused", {"score_traffic", "hbm", "gemm16"}, {"attention", "attention_ramp", "attention_fixed"}),
    ],
)
def test_only_constants_that_count_in_the_plan_are_named(kernel: str, counts: set[str], idle: set[str]) -> None:
    data = as_dict(CATALOG.plan("deepseek-v3"))
    data["strategy"]["attention_kernel"] = kernel
    found = why.explain(evaluate(CATALOG.resolve(parse_plan(data, "plan"))), "compute.attention", BACKGROUND)
    named = {item.key.partition(".")[0] for item in found.constants}
    assert named >= counts
    assert not named & idle


@pytest.mark.parametrize(
    ("key", "starts"),
    [
        ("cluster.cards", "yours"),
        ("cluster.card", "preset deepseek-v3"),
        ("strategy.micro_batch", "preset deepseek-v3, assumed"),
        ("cluster.cards_per_node", "default: what H800"),
        ("strategy.kernel_fusion", "default: NVIDIA NeMo"),
        ("power.pue", "default"),
    ],
)
def test_each_value_says_where_it_came_from(outcome: Outcome, key: str, starts: str) -> None:
    assert why.origin(outcome.resolved, key, BACKGROUND).startswith(starts)


def test_a_plan_of_ones_own_is_not_a_preset(outcome: Outcome) -> None:
    assert why.origin(outcome.resolved, "cluster.card", why.Background(CATALOG)) == "your plan"


def test_constants_say_what_they_were_fitted_on(outcome: Outcome) -> None:
    found = why.explain(outcome, "compute.gemm", BACKGROUND)
    gemm = next(item for item in found.constants if item.key == "gemm16.hopper")
    assert gemm.origin.startswith("fitted on")
    assert "spread" in gemm.origin


def test_a_key_says_what_it_feeds(outcome: Outcome) -> None:
    found = why.explain(outcome, "workload.tokens", BACKGROUND)
    assert "training_days" in dict(found.feeds)
    assert found.words


@pytest.mark.parametrize(("basis", "feeds"), [("rent", ()), ("own", ("usd_per_card_hour",))])
def test_a_key_of_what_is_owned_feeds_no_price_of_what_is_rented(basis: str, feeds: tuple[str, ...]) -> None:
    plan = set_keys(CATALOG.plan("deepseek-v3"), [("cost.basis", basis)], CATALOG)
    found = why.explain(plain_engine(CATALOG.resolve(plan)), "cost.usd_per_kwh", BACKGROUND)
    assert tuple(key for key, _ in found.feeds) == feeds


def test_which_rents_count_feeds_the_price_of_what_is_rented(outcome: Outcome) -> None:
    found = why.explain(outcome, "cost.rent_date", BACKGROUND)
    assert "usd_per_card_hour" in dict(found.feeds)


def test_an_unknown_figure_names_the_nearest(outcome: Outcome) -> None:
    with pytest.raises(PlanError, match="Did you mean training_days"):
        why.explain(outcome, "training_day", BACKGROUND)


def test_long_names_do_not_push_their_values_out_of_the_column(outcome: Outcome) -> None:
    found = why.explain(outcome, "goodput", BACKGROUND)
    rows = [line.text for line in why.lines(found, 100) if line.text.startswith("  reliability.")]
    assert len(rows) > 2
    assert len({row.index(" default") for row in rows}) == 1


def test_memory_a_run_can_use_follows_from_what_is_shown() -> None:
    outcome = evaluate(CATALOG.resolve(CATALOG.plan("deepseek-v3")))
    found = why.explain(outcome, "memory_capacity_gb", BACKGROUND)
    sold = float(next(item.value for item in found.inputs if item.name == "card memory_gb"))
    share = float(next(item.value for item in found.constants if item.name == "usable"))
    assert "2^30 bytes, 1.074 GB" in found.words
    assert sold * share * 1.074 == pytest.approx(outcome.estimate.memory_capacity_gb, rel=2e-3)
