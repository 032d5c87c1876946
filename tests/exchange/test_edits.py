"""Plans changed by KEY=VALUE."""

import pytest
from tests.plans import plan

from planner.catalog import Catalog
from planner.engine.estimate import evaluate
from planner.exchange.edits import changed, set_keys
from planner.exchange.sweep import Sweep, parse_vary
from planner.exchange.sweep_places import local
from planner.spec.base import PlanError

CATALOG = Catalog.default()


def test_values_are_toml_or_bare_words() -> None:
    p = changed(
        plan(),
        ["cluster.card=h200-sxm", "cluster.cards = 128", "strategy.sequence=true", "workload.tokens=2e12"],
        CATALOG,
    )
    assert p.strategy is not None
    assert (p.cluster.card, p.cluster.cards, p.strategy.sequence, p.workload.tokens) == ("h200-sxm", 128, True, 2e12)
    listed = changed(plan(), ['strategy.recompute="selective"', 'strategy.recompute_modules=["norm"]'], CATALOG)
    assert listed.strategy is not None
    assert listed.strategy.recompute_modules == ("norm",)


def test_a_fact_of_a_catalogue_entry() -> None:
    p = changed(plan(), ["cluster.card.memory_gb=160.0"], CATALOG)
    assert p.cluster.card == {"base": "h100-sxm", "memory_gb": 160.0}
    assert CATALOG.resolve(p).card.memory_gb == 160


def test_no_edit_is_the_same_plan() -> None:
    p = plan()
    assert changed(p, [], CATALOG) is p


def test_the_old_cards_defaults_follow_the_new_card() -> None:
    spelt = plan(
        cluster__card="h800-sxm", cluster__scale_up="nvlink4-h800", cluster__scale_up_domain=8,
        cluster__cards_per_node=8, cluster__nics_per_node=8,
    )  # fmt: skip
    swapped = changed(spelt, ["cluster.card=gb200-nvl72"], CATALOG)
    r = CATALOG.resolve(swapped)
    assert (r.scale_up.id, r.scale_up_domain, r.cards_per_node) == ("nvlink5-nvl72", 72, 4)


def test_what_was_no_default_stays() -> None:
    odd = plan(
        cluster__card="h800-sxm", cluster__scale_up="nvlink3", cluster__nics_per_node=4, cost__usd_per_card_hour=9.0
    )
    swapped = changed(odd, ["cluster.card=h100-sxm"], CATALOG)
    assert (swapped.cluster.scale_up, swapped.cluster.nics_per_node) == ("nvlink3", 4)
    assert swapped.cost.usd_per_card_hour == 9.0


def test_what_is_set_beside_the_card_stays() -> None:
    both = plan(cluster__card="h800-sxm", cluster__scale_up="nvlink4-h800")
    swapped = changed(both, ["cluster.card=h100-sxm", "cluster.scale_up=nvlink4-h800"], CATALOG)
    assert swapped.cluster.scale_up == "nvlink4-h800"


def test_other_edits_leave_the_machine() -> None:
    spelt = plan(cluster__card="h800-sxm", cluster__scale_up="nvlink4-h800")
    assert changed(spelt, ["workload.tokens=1e12"], CATALOG).cluster.scale_up == "nvlink4-h800"


def test_a_changed_plan_claims_nothing_and_says_what_changed() -> None:
    swapped = changed(CATALOG.plan("deepseek-v3"), ["cluster.card=h100-sxm"], CATALOG)
    assert swapped.claim is None
    assert swapped.name == "DeepSeek-V3 pre-training, cluster.card = h100-sxm"


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ("cluster.card", "is no KEY=VALUE"), ("card=h100-sxm", "is no KEY=VALUE"), ("=3", "is no KEY=VALUE"),
        ("cluster.crd=h100-sxm", "Did you mean card?"), ("cluster.cards=many", "cluster.cards"),
        ("cluster.cards.x=1", "cannot be set in it"),
    ],
)  # fmt: skip
def test_wrong_edits(edit: str, words: str) -> None:
    with pytest.raises(PlanError) as caught:
        changed(plan(), [edit], CATALOG)
    assert words in str(caught.value)


def test_a_swept_card_brings_its_host_as_an_edited_one_does() -> None:
    spelt = plan(cluster__card="h800-sxm", cluster__scale_up="nvlink4-h800")
    ((_, blocks),) = Sweep(spelt, (parse_vary("cluster.card=h100-sxm"),)).rows(CATALOG, 0, local)
    edited = changed(spelt, ["cluster.card=h100-sxm"], CATALOG)
    assert blocks[0]["step_time_s"] == [evaluate(CATALOG.resolve(edited)).estimate.step_time_s]


def test_none_takes_a_key_out() -> None:
    spelt = plan(cluster__scale_up="nvlink4-h800")
    assert set_keys(spelt, [("cluster.scale_up", None)], CATALOG) == plan()
