"""The measured runs like a plan."""

import math
import statistics

import pytest
from tests.plans import outcome, preset

from planner.engine.reading import inputs_of
from planner.engine.result import Outcome
from planner.engine.uncertainty import ALIKE, UNKNOWN_WIDTH, features_of, held_out, similarity
from planner.exchange.accuracy import runs_like

A100 = outcome(
    cluster__card="a100-sxm-80", cluster__cards=256, workload__sequence_length=2048,
    strategy__stack={"base": "in-house", "described": True},
)  # fmt: skip
"""Of the kind most runs are of: more than 400."""
PLANS = (preset("llama-3.1-405b"), preset("deepseek-v3"), preset("palm-540b"), outcome(), A100)


@pytest.mark.parametrize("of", PLANS)
def test_every_run_like_a_plan_counts(of: Outcome) -> None:
    found = runs_like(of.resolved, 3)
    here = features_of(inputs_of(of.resolved))
    alike = {one.id: similarity(here, one.place) for one in held_out().errors}
    errors = [abs(math.expm1(one.log)) for one in held_out().errors if alike[one.id] >= ALIKE]
    assert found.count == of.estimate.runs_behind == len(errors)
    assert found.median_abs_error == pytest.approx(statistics.median(errors) if errors else 0.0)
    assert of is not A100 or found.count > 400
    assert [one.similarity for one in found.nearest] == sorted(alike.values(), reverse=True)[:3]


@pytest.mark.parametrize("stack", ["custom", "in-house"])
def test_software_nobody_described_has_the_range_of_unknown_software_until_a_plan_states_it(stack: str) -> None:
    facts = {"attention_kernel": "flash", "kernel_fusion": "fused", "overlap": {"data": True}}
    undescribed = outcome(strategy__stack=stack)
    half_stated = outcome(strategy__stack=stack, strategy__attention_kernel="flash")
    described = outcome(strategy__stack={"base": stack, "described": True})
    stated = outcome(**{f"strategy__{key}": value for key, value in facts.items()}, strategy__stack=stack)

    def width(of: Outcome) -> float:
        low, high = of.estimate.interval_80["step_time_s"]
        return math.log(high / low)

    assert width(undescribed) == width(half_stated) == pytest.approx(2 * UNKNOWN_WIDTH)
    assert (undescribed.estimate.runs_behind, stated.estimate.runs_behind > 0) == (0, True)
    assert width(stated) == pytest.approx(width(described))
    assert width(described) < 0.8 * width(undescribed)
    told = [any("no software in particular" in p.message for p in one.problems) for one in (undescribed, stated)]
    assert told == [True, False]
