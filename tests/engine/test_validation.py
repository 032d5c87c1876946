"""The error tables, the fit table and the ranking, on rows small enough to check by hand."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from planner.catalog import Catalog
from planner.data_files import data_root
from planner.engine.result import Outcome
from planner.engine.validation import (
    Prediction,
    families,
    fit_of,
    memory_errors,
    predict_all,
    rank_sweeps,
    ranks,
    report,
    spearman,
    summarize,
    summarize_errors,
    with_memory,
)
from planner.exchange.validation import validation_json
from planner.spec.base import PlanError, Problem
from planner.spec.model import Model, Moe
from planner.spec.plan import Cluster, Plan, Resolved, Strategy, Workload
from planner.spec.runs import Measured, MeasuredRun, Run, SkippedRun

DENSE = Model(name="dense", layers=2, hidden=64, ffn_hidden=256, heads=4, kv_heads=4, vocab=1000)
SPARSE = DENSE.model_copy(update={"name": "sparse", "moe": Moe(experts=4, topk=1, expert_ffn=64)})


def _base() -> Resolved:
    plan = Plan(cluster=Cluster(card="a100-sxm-80", cards=8), workload=WORKLOAD, strategy=Strategy())
    return Catalog(data_root() / "presets").resolve(plan)


WORKLOAD = Workload(model="llama3-8b", tokens=1e9)
BASE = _base()


def prediction(  # what is not said is right and unremarkable
    name: str,
    measured: float | None = 1.0,
    predicted: float = 1.0,
    *,
    model: Model = DENSE,
    fits: bool = True,
    memory: float = 50.0,
    **keys: Any,
) -> Prediction:
    data = {"cluster": {"card": "a100-sxm-80", "cards": 8}, "workload": {"model": "m"}, "group": "g", **keys}
    run = Run.model_validate({"id": name, **data})
    row = MeasuredRun(run, replace(BASE, model=model), measured, "step time")
    return Prediction(row, predicted, (0.9 * predicted, 1.1 * predicted), memory, fits)


def oom(name: str, predicted: float = 1.0, *, fits: bool = False, **keys: Any) -> Prediction:
    return prediction(name, None, predicted, fits=fits, outcome="oom", **keys)


def test_a_summary_of_errors() -> None:
    some = summarize_errors([0.1, -0.2, 0.3, 0.0], [True, False, False, True])
    assert (some.n, some.median_abs_error, some.bias, some.coverage_80) == (4, 0.15000000000000002, 0.05, 0.5)
    assert some.p90_abs_error == pytest.approx(0.27)
    nothing = summarize_errors([], [])
    assert (nothing.n, nothing.median_abs_error, nothing.coverage_80) == (0, None, None)


def test_error_is_predicted_over_measured_minus_one_and_the_range_holds_its_ends() -> None:
    slow = prediction("slow", measured=2.0, predicted=2.2)
    assert slow.error == pytest.approx(0.1)
    assert slow.inside
    assert not prediction("far", measured=2.0, predicted=3.0).inside
    assert not oom("none").inside
    assert summarize([slow, oom("none")]).n == 1


def test_only_exact_rows_that_are_not_odd_count() -> None:
    rows = [
        prediction("exact", 1.0, 1.1),
        prediction("other family", 1.0, 1.3, group="h", model=SPARSE),
        prediction("partial", 1.0, 1.5, confidence="partial", unstated=["mbs"]),
        prediction("odd", 1.0, 2.0, anomaly="a misprint"),
        prediction("odd and partial", 1.0, 3.0, confidence="partial", anomaly="a misprint"),
        prediction("memory alone", None),
    ]
    made = report(rows, [SkippedRun("x", "no figure")])
    assert made.summary.n == 2
    assert made.summary.median_abs_error == pytest.approx(0.2)
    assert {name: s.n for name, s in made.by_group.items()} == {"g": 1, "h": 1}
    assert {name: s.n for name, s in made.by_kind.items()} == {"dense": 1, "moe": 1}
    assert list(made.by_card) == ["a100-sxm-80"]
    assert list(made.by_precision) == ["bf16"]
    assert made.mean_of_family_medians == pytest.approx(0.2)
    assert (made.partial.n, made.anomalous.n) == (1, 2)
    assert [p.row.id for p in made.worst] == ["other family", "exact"]


def test_a_big_family_does_not_dominate_the_mean_of_medians() -> None:
    rows = [prediction(f"big {i}", 1.0, 1.02, group="big") for i in range(9)]
    made = report([*rows, prediction("small", 1.0, 1.10, group="small")])
    assert made.summary.median_abs_error == pytest.approx(0.02)
    assert made.mean_of_family_medians == pytest.approx(0.06)


def test_fit_is_judged_on_both_kinds_alike() -> None:
    ran = [prediction(f"ran {i}", fits=i > 0) for i in range(4)]
    out = [oom(f"oom {i}", fits=i == 0) for i in range(2)]
    fit = fit_of([*ran, *out, prediction("partial", fits=False, confidence="partial")])
    assert (fit.ran, fit.ran_called_oom, fit.oom, fit.oom_called_fit) == (4, 1, 2, 1)
    assert fit.balanced_accuracy == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert fit_of(ran).balanced_accuracy is None


def test_memory_counts_exact_rows_that_give_it() -> None:
    rows = [
        _with_memory(40.0, prediction("exact", memory=44.0)),
        _with_memory(50.0, prediction("partial", memory=60.0, confidence="partial")),
        _with_memory(50.0, oom("oom")),
        prediction("none"),
    ]
    memory = memory_errors(with_memory(rows))
    assert memory.n == 1
    assert memory.median_abs_error == pytest.approx(0.1)


def _with_memory(memory_gb: float, made: Prediction) -> Prediction:
    run = made.row.run.model_copy(update={"measured": Measured(memory_gb=memory_gb)})
    return replace(made, row=replace(made.row, run=run))


def test_ranks_share_the_mean_of_equal_values() -> None:
    assert ranks([3.0, 1.0, 3.0, 2.0]).tolist() == [3.5, 1.0, 3.5, 2.0]


def test_spearman_s_correlation() -> None:
    assert spearman([1, 2, 3, 4], [10, 20, 30, 40]) == pytest.approx(1.0)
    assert spearman([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1.0)
    assert spearman([1, 2, 2, 4], [1, 3, 2, 4]) == pytest.approx(0.9486832980505138)
    assert spearman([1, 1, 1], [1, 2, 3]) == 0.0


def test_a_sweep_needs_eight_rows_and_is_judged_by_its_pick() -> None:
    measured = np.arange(1.0, 9.0)
    predicted = [2.0, 1.0, *measured[2:]]
    sweep = [prediction(f"r{i}", float(m), p) for i, (m, p) in enumerate(zip(measured, predicted, strict=True))]
    ranking = rank_sweeps([*sweep, *[prediction(f"short{i}", group="h") for i in range(7)]])
    assert len(ranking.sweeps) == 1
    found = ranking.sweeps[0]
    assert (found.n, found.pick, found.picked_oom) == (8, "r1", False)
    assert found.loss == pytest.approx(1.0)
    assert found.spearman == pytest.approx(1 - 6 * 2 / (8 * 63))
    assert (ranking.median_spearman, ranking.median_loss, ranking.picked_oom) == (found.spearman, found.loss, 0)


def test_the_pick_may_run_out_of_memory_and_that_is_said() -> None:
    sweep = [prediction(f"r{i}", 1.0 + i, 1.0 + i) for i in range(8)]
    warned = rank_sweeps([*sweep, oom("greedy", 0.1, fits=False)])
    assert (warned.picked_oom, warned.median_loss) == (0, 0.0)
    fooled = rank_sweeps([*sweep, oom("greedy", 0.1, fits=True)])
    assert (fooled.sweeps[0].pick, fooled.picked_oom, fooled.median_loss) == ("greedy", 1, None)


def test_families_keep_their_rows_together() -> None:
    rows = [prediction(n, group=g).row for n, g in (("a", "y"), ("b", "x"), ("c", "y"))]
    assert {name: [r.id for r in rs] for name, rs in families(rows).items()} == {"x": ["b"], "y": ["a", "c"]}


def test_a_plan_the_engine_refuses_is_skipped_with_its_reason() -> None:
    def evaluate(plan: Resolved) -> Outcome:
        if plan.model.moe:
            raise PlanError([Problem("error", "strategy.expert", "is impossible.")])
        estimate = SimpleNamespace(step_time_s=2.0, memory_gb=3.0, interval_80={"step_time_s": (1.0, 4.0)})
        return cast("Outcome", SimpleNamespace(estimate=estimate, fits=True))

    rows = [prediction("fine").row, prediction("refused", model=SPARSE).row]
    made, refused = predict_all(rows, evaluate)
    assert [(p.row.id, p.step_time_s, p.interval_80) for p in made] == [("fine", 2.0, (1.0, 4.0))]
    assert refused == (SkippedRun("refused", "strategy.expert: is impossible."),)


def test_the_json_has_the_contract_s_keys() -> None:
    made = report([prediction("one", 1.0, 1.1), oom("two")], [SkippedRun("three", "why not", "mine.toml")])
    data = validation_json(made)
    run = data["runs"][0]
    assert {"id", "group", "card", "measured_step_time_s", "predicted_step_time_s", "error", "inside"} <= set(run)
    assert run["interval_80"] == [pytest.approx(0.99), pytest.approx(1.21)]
    assert data["skipped"] == [{"id": "three", "why": "why not", "file": "mine.toml"}]
    assert data["oom"] == [{"id": "two", "called_fit": False}]
    keys = {"n", "median_abs_error", "p90_abs_error", "bias", "coverage_80"}
    assert set(data["summary"]) == set(data["by_group"]["g"]) == set(data["by_card"]["a100-sxm-80"]) == keys
    assert set(data["fit"]) == {"ran", "ran_called_oom", "oom", "oom_called_fit", "balanced_accuracy"}
    assert {"n", "median_abs_error"} <= set(data["memory"])
    assert {"n", "median_abs_error"} <= set(data["partial"])
