"""What a plan leaves to defaults is told with the values that stand for it."""

import pytest
from tests.plans import BUILT_IN, EXPERTS, PRESETS, resolved

from planner.catalog.prices import rent_of
from planner.exchange.defaults import counting_defaults, default_values


def test_values_come_from_host_stack_and_catalogue() -> None:
    r = resolved(cluster__card="gb200-nvl72", strategy__stack="torchtitan")
    found = default_values(r)
    assert found["cluster.cards_per_node"] == 4
    assert found["cluster.scale_up"] == "nvlink5-nvl72"
    assert found["cluster.scale_up_domain"] == 72
    assert found["strategy.attention_kernel"] == "flash"
    assert found["strategy.sequence"] is r.stack.sequence_parallel
    assert found["strategy.schedule"] == "1f1b"
    assert found["strategy.overlap.data"] is True
    assert found["cost.usd_per_card_hour"] == rent_of(r.card) > 0
    assert found["reliability.mtbf_card_hours"] == 50_600.0


def test_what_was_chosen_is_no_default() -> None:
    found = default_values(resolved(strategy__overlap={"data": True}, strategy__stack="megatron"))
    assert "strategy.tensor" not in found
    assert "strategy.overlap.data" not in found
    assert "strategy.overlap.expert" in found
    assert "strategy.stack" not in found


def test_what_changes_nothing_is_left_out_of_reports() -> None:
    rented, owned = resolved(), resolved(cost__basis="own")
    assert "cost.years" not in counting_defaults(rented)
    assert "cost.years" in counting_defaults(owned)
    assert "strategy.dispatcher" not in counting_defaults(rented)
    assert "strategy.dispatcher" in counting_defaults(resolved(workload__model=EXPERTS))
    assert set(counting_defaults(rented)) < set(default_values(rented))


@pytest.mark.parametrize("name", PRESETS)
def test_every_default_of_a_preset_has_a_value(name: str) -> None:
    r = BUILT_IN.resolve(BUILT_IN.plan(name))
    assert r.defaults - set(default_values(r)) <= {"strategy.overlap"}
