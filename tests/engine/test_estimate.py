"""The door of the engine: what an estimate says of published plans and of random ones."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.floors import C, preset
from tests.engine.random_plans import random_plans
from tests.plans import PRESETS, outcome, resolved
from tests.plans import preset as preset_outcome

from planner.engine.estimate import evaluate
from planner.engine.layout import groups
from planner.engine.memory import Parameters
from planner.engine.reading import GIBIBYTE, inputs_of
from planner.engine.result import COMPUTE_PARTS, MEMORY_PARTS, STEP_PARTS, Outcome
from planner.engine.step import fully_sharded
from planner.exchange.as_json import outcome_dict
from planner.spec.base import PlanError
from planner.spec.plan import Resolved

SOME = 60
plans: st.SearchStrategy[Resolved] = st.sampled_from(range(SOME)).map(lambda i: random_plans(SOME, seed=1)[i])


def sums_up(result: Outcome) -> None:
    e = result.estimate
    assert tuple(e.step_breakdown_s) == STEP_PARTS
    assert math.isclose(sum(e.step_breakdown_s.values()), e.step_time_s, rel_tol=1e-9)
    assert tuple(e.compute_breakdown_s) == COMPUTE_PARTS
    assert math.isclose(sum(e.compute_breakdown_s.values()), e.step_breakdown_s["compute"], rel_tol=1e-9)
    assert tuple(e.memory_breakdown_gb) == MEMORY_PARTS
    assert math.isclose(sum(e.memory_breakdown_gb.values()), e.memory_gb, rel_tol=1e-9)
    assert len(e.memory_gb_by_stage) == result.resolved.strategy.pipeline
    assert max(e.memory_gb_by_stage) == e.memory_gb
    for whole, parts in zip(e.memory_gb_by_stage, e.memory_by_stage_gb, strict=True):
        assert math.isclose(sum(parts.values()), whole, rel_tol=1e-9)


def tells_truth(result: Outcome) -> None:
    e = result.estimate
    assert result.fits == (e.memory_gb <= e.memory_capacity_gb)
    for name, (low, high) in e.interval_80.items():
        value = getattr(e, name)
        assert low <= value <= high
        assert value == 0 or low < high
    assert 0 < e.goodput <= 1
    assert e.mfu <= e.hfu
    assert all(v >= 0 for v in (*e.step_breakdown_s.values(), *e.compute_breakdown_s.values()))
    json.dumps(outcome_dict(result), allow_nan=False)


@pytest.mark.parametrize(
    ("keys", "again"),
    [
        ({"recompute": "full"}, ("attention", "projections", "mlp")),
        ({"recompute": "selective"}, ("attention",)),
        ({"recompute": "selective", "recompute_modules": ("mlp",)}, ("mlp",)),
    ],
)
def test_hfu_adds_the_flops_that_are_done_again(keys: dict[str, Any], again: tuple[str, ...]) -> None:
    # Llama 3.1 405B: 126 layers of 16,384, FFN 53,248, 128 heads, 8 of keys and values, vocabulary 128,256.
    h, s, layers = 16_384, 131_072, 126
    forward = {
        "attention": layers * 2 * 2 * h * s / 2,
        "projections": layers * 2 * h * (2 * h + 2 * 8 * 128),
        "mlp": layers * 2 * 3 * h * 53_248,
        "logits": 2 * h * 128_256,
    }
    e = evaluate(preset("llama-3.1-405b", workload={"sequence_length": s, "global_batch": 128}, **keys)).estimate
    redone = sum(forward[name] for name in again) / sum(forward.values())
    assert e.hfu / e.mfu == pytest.approx(1 + redone / 3, rel=1e-6)


def test_weights_in_fp32_travel_in_fp32() -> None:
    held, stage = Parameters(1e12, 0.0, layers=32.0), (0.0, 0.0)  # so many that latency does not count
    half, full = (
        inputs_of(preset("llama-3.1-8b", workload={"precision": precision}, sharding="zero3"))
        for precision in ("bf16", "tf32")
    )
    assert fully_sharded(held, stage, full, groups(full), C) > 1.2 * fully_sharded(held, stage, half, groups(half), C)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_sum_up_and_tell_the_truth(name: str) -> None:
    result = preset_outcome(name)
    sums_up(result)
    tells_truth(result)


@settings(max_examples=60)
@given(plans)
def test_random_plans_sum_up_and_tell_the_truth(r: Resolved) -> None:
    result = evaluate(r)
    sums_up(result)
    tells_truth(result)


# figures that follow from others


def test_tokens_flops_and_days_by_hand() -> None:
    result = outcome(workload__tokens=1e12)
    e = result.estimate
    tokens = 512 * 8192
    assert e.tokens_per_s == pytest.approx(tokens / e.step_time_s)
    assert e.tokens_per_s_per_card == pytest.approx(e.tokens_per_s / 64)
    assert e.steps == math.ceil(1e12 / tokens)
    assert e.training_days == pytest.approx(e.steps * e.step_time_s / e.goodput / 86_400)
    assert e.card_hours == pytest.approx(64 * 24 * e.training_days)
    assert e.mfu == pytest.approx(e.model_tflops_per_card / 989, rel=0.001)


def test_mfu_of_llama_8b_counts_causal_attention_once() -> None:
    # 51.47 GFLOP a token at 8,192 (Megatron-Bridge's own count for Llama 3 8B).
    e = outcome(workload__model="llama3-8b").estimate
    assert e.model_tflops_per_card == pytest.approx(51.47e9 * e.tokens_per_s_per_card / 1e12, rel=1e-3)
    # 6 N with N without the input embedding: 8.03 - 0.53 G.
    assert e.mfu_6nd / e.mfu == pytest.approx(6 * 7.505e9 / 51.47e9, rel=2e-3)


def test_rent_is_cards_times_hours_times_price() -> None:
    e = outcome(cost__usd_per_card_hour=2.0).estimate
    assert e.cost_usd == pytest.approx(2 * e.card_hours)
    assert e.usd_per_million_tokens == pytest.approx(e.cost_usd / 1e6)


def test_energy_is_power_times_time() -> None:
    e = outcome().estimate
    assert e.energy_mwh == pytest.approx(e.power_mw * 24 * e.training_days)
    assert e.co2_kg == pytest.approx(0.4 * 1000 * e.energy_mwh)


def test_an_80_gb_card_has_80_gib() -> None:
    assert outcome().estimate.memory_capacity_gb == pytest.approx(C.usable * 80 * GIBIBYTE / 1e9)


# published plans


def test_llama_405b_fits_and_reaches_its_published_mfu() -> None:
    # Issue 2, "must show": TP8 PP16, no recomputation, 80 GB; published 41 to 43 % (arXiv 2407.21783, table 4).
    result = preset_outcome("llama-3.1-405b")
    strategy = result.resolved.strategy
    assert (strategy.tensor, strategy.pipeline, strategy.recompute) == (8, 16, "none")
    assert result.fits
    assert 0.9 * 0.41 < result.estimate.mfu < 1.1 * 0.43


def test_deepseek_v3_takes_about_its_published_card_hours() -> None:
    # 2.664 M H800 hours of pre-training (arXiv 2412.19437, table 1).
    result = preset_outcome("deepseek-v3")
    assert result.fits
    assert result.estimate.card_hours == pytest.approx(2.664e6, rel=0.15)
    assert result.estimate.step_time_s == pytest.approx(19.926, rel=0.10)


# directions


@settings(max_examples=60)
@given(plans, st.floats(1.0, 4.0))
def test_more_memory_never_makes_a_plan_stop_fitting(r: Resolved, factor: float) -> None:
    larger = replace(r, card=r.card.model_copy(update={"memory_gb": r.card.memory_gb * factor}))
    before, after = evaluate(r), evaluate(larger)
    assert after.fits >= before.fits
    assert after.estimate.memory_gb == before.estimate.memory_gb
    assert after.estimate.step_time_s == before.estimate.step_time_s


@settings(max_examples=60)
@given(plans, st.floats(1.01, 10.0))
def test_more_tokens_never_take_fewer_days(r: Resolved, factor: float) -> None:
    work = r.plan.workload.model_copy(update={"tokens": r.plan.workload.tokens * factor})
    longer = replace(r, plan=r.plan.model_copy(update={"workload": work}))
    before, after = evaluate(r).estimate, evaluate(longer).estimate
    assert after.training_days > before.training_days
    assert after.step_time_s == before.step_time_s


def test_failures_and_slow_storage_cost_days_not_steps() -> None:
    base = outcome().estimate
    for changes in ({"reliability__mtbf_card_hours": 500.0}, {"reliability__checkpoint_gb_per_s": 0.1}):
        worse = outcome(**changes).estimate
        assert worse.training_days > base.training_days
        assert worse.step_time_s == base.step_time_s


# what is refused, and what is said


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"strategy__tensor": 3}, "cluster.cards"), ({"workload__global_batch": 500}, "workload.global_batch"),
        ({"strategy__expert": 8}, "strategy.expert"), ({"workload__precision": "nvfp4"}, "workload.precision"),
        ({"cluster__sites": 2}, "cluster.wan_gb_per_s"),
    ],
)  # fmt: skip
def test_what_is_impossible_is_refused_by_its_key(changes: dict[str, object], key: str) -> None:
    with pytest.raises(PlanError) as error:
        outcome(**changes)
    assert key in {problem.key for problem in error.value.problems}


def test_a_v100_does_not_train_in_bf16() -> None:
    with pytest.raises(PlanError):
        outcome(cluster__card="v100-sxm2-32")
    assert outcome(cluster__card="v100-sxm2-32", workload__precision="fp16").estimate.mfu > 0.1


def test_a_plan_that_does_not_fit_says_what_fills_the_card() -> None:
    result = outcome(strategy__micro_batch=8)
    assert not result.fits
    problem = next(p for p in result.problems if p.severity == "error")
    assert "does not fit" in problem.message
    assert "then it needs" in problem.fix
    changes = {key.replace(".", "__"): value for key, value in problem.change}
    assert outcome(**{"strategy__micro_batch": 8, **changes}).estimate.memory_gb < result.estimate.memory_gb


def test_an_unknown_price_is_said_not_hidden() -> None:
    plan = replace(resolved(), usd_per_card_hour=0.0)
    result = evaluate(plan)
    assert result.estimate.cost_usd == 0
    assert any(p.key == "cost.usd_per_card_hour" for p in result.problems)


def test_constants_can_be_other_than_the_calibrated_ones() -> None:
    slow = evaluate(preset("llama-3.1-8b"), replace(C, hbm=0.5 * C.hbm))
    assert slow.estimate.step_time_s > evaluate(preset("llama-3.1-8b")).estimate.step_time_s


def test_activations_that_no_pass_hides_on_their_way_to_the_host_are_warned_of() -> None:
    shape = {"strategy__tensor": 1, "strategy__pipeline": 1, "strategy__offload": "activations"}
    told = {p.key: p.message for p in outcome(**shape).problems}
    assert "to the host and a forward pass" in told["strategy.offload"]
    # NVLink-C2C carries 225 GB/s where PCIe 5 carries 63, and nothing goes to the host without the key.
    assert not any(p.key == "strategy.offload" for p in outcome(**shape, cluster__card="gh200-96").problems)
    assert not any(p.key == "strategy.offload" for p in outcome(**shape | {"strategy__offload": "none"}).problems)


def test_a_rent_kept_from_another_card_is_told() -> None:
    cost = {"usd_per_card_hour": 2.0}
    told = [p for p in evaluate(resolved(cluster__card="b200-sxm", cost=cost)).problems if "usually rents" in p.message]
    assert [(p.severity, p.key) for p in told] == [("info", "cost.usd_per_card_hour")]
    ((key, usual),) = told[0].change
    assert key == "cost.usd_per_card_hour"
    assert isinstance(usual, float)
    assert usual > 3
    for other in (resolved(cluster__card="h100-sxm", cost=cost), resolved(cluster__card="b200-sxm")):
        assert not any("usually rents" in p.message for p in evaluate(other).problems)


def test_rents_of_a_year_there_are_none_of_name_the_years_there_are() -> None:
    found = outcome(cost__rent_date="1999")
    (problem,) = [problem for problem in found.problems if problem.key.startswith("cost.")]
    assert problem.key == "cost.rent_date"
    assert "no rental price of 1999 is known" in problem.message
    years = found.resolved.rent_years
    assert ", ".join(years) in problem.fix
    assert problem.change == (("cost.rent_date", years[-1]),)
    assert all(outcome(cost__rent_date=year).resolved.priced for year in years)


def test_a_rent_of_nothing_is_known() -> None:
    free = outcome(cost__usd_per_card_hour=0.0)
    assert free.resolved.priced
    assert not any("no rental price" in problem.message for problem in free.problems)
    assert not outcome(cluster__card="tpu-v5p").resolved.priced
