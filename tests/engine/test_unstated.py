"""What sources leave out, on the runs that come with the program."""

from __future__ import annotations

import pytest
from tests.plans import BUILT_IN

from planner.engine.estimate import evaluate
from planner.engine.search_space import canonical
from planner.engine.unstated import FOLLOWERS, well_chosen
from planner.engine.validation import predict_all
from planner.exchange.runs import read_all, shipped_runs
from planner.spec.runs import MeasuredRun

RUNS = {run.id: run for run in read_all(shipped_runs(), BUILT_IN).runs}
PARTIAL = [run for run in RUNS.values() if run.run.confidence == "partial" and run.step_time_s]


def test_chunks_nobody_states_are_chosen_and_what_is_stated_stays() -> None:
    # Nemotron-4 340B (arXiv 2406.11704): tensor 8, pipeline 12, interleaved, its depth and micro batch not printed.
    run = RUNS["nemotron4-340b-paper-1536gpu"]
    chosen = well_chosen(run)
    assert chosen is not None
    assert (chosen.strategy.tensor, chosen.strategy.pipeline, chosen.strategy.sharding) == (8, 12, "zero1")
    assert chosen.strategy.virtual_stages > 1
    assert evaluate(chosen).estimate.step_time_s < evaluate(run.resolved).estimate.step_time_s


def test_a_run_that_states_its_layout_has_nothing_to_choose() -> None:
    assert well_chosen(RUNS["sc21-t2-174.6b-ptd-384gpu"]) is not None  # chunks are not tabulated
    assert well_chosen(RUNS["fms-llama2-70b-h100-sxm"]) is None


@pytest.mark.parametrize("run", PARTIAL[::7], ids=lambda run: run.id)
def test_no_stated_key_changes(run: MeasuredRun) -> None:
    chosen = well_chosen(run)
    free = {*FOLLOWERS, *(key for keys in FOLLOWERS.values() for key in keys)}
    if chosen is not None:
        before, after = (canonical(plan.strategy, plan) for plan in (run.resolved, chosen))
        for key in run.run.strategy.model_fields_set - free:
            assert getattr(after, key) == getattr(before, key)


def test_ranges_span_both_and_hold_more_of_the_runs() -> None:
    made, _ = predict_all(PARTIAL, evaluate)
    alone = [evaluate(run.resolved).estimate.interval_80["step_time_s"] for run in PARTIAL]
    for prediction, (low, high) in zip(made, alone, strict=True):
        assert prediction.interval_80[0] <= low < high <= prediction.interval_80[1]
    held = sum(low <= (run.step_time_s or 0.0) <= high for run, (low, high) in zip(PARTIAL, alone, strict=True))
    assert sum(prediction.inside for prediction in made) > 1.2 * held
