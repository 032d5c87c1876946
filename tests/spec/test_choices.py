"""The values a key can take: those that keep the plan possible, and why the others do not."""

import pytest
from tests.plans import BUILT_IN, DENSE, EXPERTS, PRESETS, resolved

from planner.spec.rules import CHOOSABLE, Choice, choices, errors
from planner.spec.rules.choices import with_value


def by_value(found: list[Choice]) -> dict[int | str, Choice]:
    return {choice.value: choice for choice in found}


def test_degrees_that_are_possible_and_why_others_are_not() -> None:
    found = by_value(choices(resolved(), "strategy.tensor"))
    assert [value for value, choice in found.items() if choice.ok] == [1, 2, 4, 8, 16]
    found = by_value(choices(resolved(cluster__cards=48, workload__global_batch=528), "strategy.tensor"))
    assert found[2].ok
    assert found[16].why == "48 cards do not divide into copies of tensor 16 x context 1 x pipeline 2 = 32 cards."


def test_possible_values_say_nothing_and_others_always_do() -> None:
    for key in CHOOSABLE:
        for choice in choices(resolved(workload__model=EXPERTS), key):
            assert choice.ok == (not choice.why)


def test_experts_are_dealt_whole() -> None:
    assert [c.value for c in choices(resolved(workload__model=EXPERTS), "strategy.expert")] == [1, 2, 4, 8, 16, 32, 64]
    assert [c.value for c in choices(resolved(), "strategy.expert")] == [1]
    assert [c.value for c in choices(resolved(), "strategy.expert_tensor")] == [1]


def test_the_present_value_is_among_them_even_when_impossible() -> None:
    found = by_value(choices(resolved(strategy__tensor=5), "strategy.tensor"))
    assert not found[5].ok


def test_an_error_that_stands_anyway_is_held_against_no_value() -> None:
    r = resolved(workload__model={**DENSE, "unmodelled": "routed depth"})
    assert by_value(choices(r, "strategy.tensor"))[4].ok


def test_schedules_and_precisions_say_what_they_need() -> None:
    found = by_value(choices(resolved(), "strategy.schedule"))
    assert found["dualpipe"].ok
    assert "needs several chunks a stage" in found["interleaved"].why
    found = by_value(choices(resolved(), "workload.precision"))
    assert [value for value, choice in found.items() if choice.ok] == ["fp32", "tf32", "fp16", "bf16", "fp8"]


def test_long_lists_are_cut_to_what_is_possible_and_near() -> None:
    r = resolved(cluster__cards=2**20, workload__global_batch=2**20, workload__sequence_length=2**20)
    found = choices(r, "strategy.context", limit=5)
    assert [choice.value for choice in found] == [1, 2, 4, 8, 16]


def test_a_change_decides_again_what_follows_from_defaults() -> None:
    r = resolved()
    assert r.strategy.sequence is True
    assert with_value(r, "strategy.tensor", 1).strategy.sequence is False
    assert with_value(r, "strategy.virtual_stages", 2).strategy.schedule == "interleaved"
    assert with_value(r, "workload.precision", "fp8").plan.workload.precision == "fp8"
    chosen = resolved(strategy__sequence=False, strategy__schedule="gpipe")
    assert with_value(chosen, "strategy.tensor", 4).strategy.sequence is False
    assert with_value(chosen, "strategy.virtual_stages", 2).strategy.schedule == "gpipe"


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("key", CHOOSABLE)
def test_presets_may_keep_what_they_have(name: str, key: str) -> None:
    r = BUILT_IN.resolve(BUILT_IN.plan(name))
    table, _, field = key.partition(".")
    present = getattr(r.strategy if table == "strategy" else r.plan.workload, field)
    found = by_value(choices(r, key))
    assert found[present].ok
    for value, choice in found.items():
        assert choice.ok == (not errors(with_value(r, key, value)))


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(KeyError):
        choices(resolved(), "cluster.card")
