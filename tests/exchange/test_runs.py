"""Runs files: the shipped ones are whole, and every row of any file is either used or skipped for a reason."""

import datetime as dt
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from planner.catalog import Catalog
from planner.data_files import data_root
from planner.engine.conventions import flops_per_token
from planner.exchange.runs import read_all, read_runs, shipped_runs
from planner.spec.base import PlanError
from planner.spec.runs import RunsData, RunsFile

BUILT_IN = Catalog(data_root() / "presets")

SHAPE = {"layers": 32, "hidden": 4096, "ffn_hidden": 14336, "heads": 32, "kv_heads": 8, "vocab": 128256}


def row(name: str = "one", **keys: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "id": name,
        "group": "mine",
        "cluster": {"card": "h100-sxm", "cards": 16},
        "workload": {"model": "mine-8b", "sequence_length": 8192, "global_batch": 128},
        "strategy": {"stack": "megatron"},
        "measured": {"step_time_s": 9.5},
    }
    for key, value in keys.items():
        base[key] = {**base[key], **value} if isinstance(value, dict) and key in base else value
    return base


def read(*rows: dict[str, Any], **top: Any) -> RunsData:
    data = {"schema": 1, "kind": "runs", "model": {"mine-8b": SHAPE}, "run": list(rows), **top}
    return read_runs(tomli_w.dumps(data), BUILT_IN)


@pytest.fixture(scope="module")
def shipped() -> RunsData:
    return read_all(shipped_runs(), BUILT_IN)


def test_all_published_rows_are_there(shipped: RunsData) -> None:
    ran = [r for r in shipped.runs if not r.oom]
    assert len(ran) + len(shipped.skipped) == 1287
    assert sum(r.oom for r in shipped.runs) == 436
    assert Counter(r.run.confidence for r in ran)["exact"] == 989
    assert not shipped.warnings
    assert len({r.id for r in shipped.runs}) == len(shipped.runs)


def test_exact_rows_are_all_used_and_timed(shipped: RunsData) -> None:
    assert all(r.step_time_s for r in shipped.runs if r.exact and not r.oom)
    partial = {s.id for s in shipped.skipped}
    assert len(partial) == 5
    rows = [row for path in shipped_runs() for row in tomllib.loads(path.read_text(encoding="utf-8"))["run"]]
    assert {r["confidence"] for r in rows if r["id"] in partial} == {"partial"}


def test_a_file_holds_one_family_of_its_own_name() -> None:
    for path in shipped_runs():
        file = tomllib.loads(path.read_text(encoding="utf-8"))
        assert {run["group"] for run in file["run"]} == {path.stem.removesuffix("-oom")}
        assert {run.get("outcome", "ran") for run in file["run"]} == {"oom" if path.stem.endswith("-oom") else "ran"}
        assert set(file["model"]) == {run["workload"]["model"] for run in file["run"]}


def test_the_readme_names_every_family() -> None:
    readme = (data_root() / "validation" / "README.md").read_text(encoding="utf-8")
    for path in shipped_runs():
        assert f"| {path.stem.removesuffix('-oom')} |" in readme


def test_sources_count_as_their_convention_says(shipped: RunsData) -> None:
    """Where a source prints FLOP/s and speed, its convention reproduces the FLOPs of a token; few shapes are off.

    Those are rows whose shape has no MTP layer that the source counts, or whose counter its notes call wrong.
    """
    off = []
    for r in shipped.runs:
        m, w = r.run.measured, r.run.workload
        plain = m.model_tflops_per_card
        rate, convention = (plain, r.run.flops_convention) if plain else (m.hardware_tflops_per_card, "hardware")
        if not rate or not r.exact or not r.step_time_s or not r.how.startswith("step time"):
            continue
        tokens = w.global_batch * w.sequence_length / r.run.cluster.cards
        counted = flops_per_token(r.resolved.model, w.sequence_length, convention, r.resolved.strategy)  # type: ignore[arg-type]
        off.append(abs(rate * 1e12 * r.step_time_s / tokens / float(counted) - 1))
    assert len(off) > 400
    assert sorted(off)[len(off) // 2] < 0.001
    assert sum(error > 0.05 for error in off) < 20


def test_the_schema_of_a_runs_file_holds_for_the_shipped_ones() -> None:
    path = next(path for path in shipped_runs() if path.stem == "korthikanti-seqpar")
    file = RunsFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    assert len(file.run) == 8
    assert set(RunsFile.model_json_schema(by_alias=True)["properties"]) == {"schema", "kind", "model", "run"}


def test_a_row_is_a_plan_of_one_step() -> None:
    run = read(row()).runs[0]
    assert run.step_time_s == 9.5
    assert run.resolved.plan.workload.tokens == 128 * 8192
    assert run.resolved.model.name == "mine-8b"
    assert run.resolved.scale_out.gb_per_s > 0
    assert "strategy.micro_batch" in run.resolved.defaults
    assert (run.exact, run.kind, run.card, run.oom) == (True, "dense", "h100-sxm", False)


def test_the_file_s_shape_wins_over_the_catalogue_s_and_the_catalogue_is_asked_next() -> None:
    assert "llama3-8b" in BUILT_IN.ids("models")
    own = read(row(workload={"model": "llama3-8b"}), model={"llama3-8b": {**SHAPE, "layers": 2}})
    assert own.runs[0].resolved.model.layers == 2
    assert read(row(workload={"model": "llama3-8b"})).runs[0].resolved.model.layers == 32


def test_an_inline_fabric() -> None:
    run = read(row(cluster={"scale_out": {"name": "Omni-Path", "gb_per_s": 12.5}, "nics_per_node": 4})).runs[0]
    assert (run.resolved.scale_out.gb_per_s, run.resolved.nics_per_node) == (12.5, 4)


NOON = dt.datetime(2024, 6, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize("date", ["2024", "2024-06", "2024-06-01", NOON.date(), NOON])
def test_a_date_is_a_year_a_month_or_a_day(date: object) -> None:
    """TOML's own dates are taken as the day they are."""
    (one,) = read(row(date=date)).runs
    assert "2024-06-01".startswith(one.run.date)


@pytest.mark.parametrize("date", ["June 2024", "2024-13", "2024-6", "2024-Q3", "24", 2024])
def test_what_is_no_date_costs_the_row(date: object) -> None:
    """It decides the attention kernels, by comparing texts: another form would be of any day."""
    (skipped,) = read(row(date=date)).skipped
    assert skipped.why.startswith("date: ")
    assert 'it must be a year ("2023"), a month ("2023-11") or a day' in skipped.why


@pytest.mark.parametrize(
    ("figures", "told"),
    [
        ({"tokens_per_s": 110376.4}, ""),  # 9.5 s
        ({"tokens_per_s_per_card": 7000.0}, ""),  # 9.36 s, rounded by the source
        ({"tokens_per_s_per_card": 110376.4}, "tokens_per_s_per_card gives a step of 0.5938 s"),
        ({"samples_per_s": 12.0}, "samples_per_s gives a step of 10.67 s"),
    ],
)
def test_figures_that_contradict_the_one_that_counts_are_told(figures: dict[str, float], told: str) -> None:
    data = read(row(measured=figures))
    assert data.runs[0].step_time_s == 9.5
    wanted = f"runs: one: measured.{told}, measured.step_time_s one of 9.5 s, which counts"
    assert data.warnings == ((wanted,) if told else ())


def test_a_table_that_is_none_is_told_with_the_one_that_was_meant() -> None:
    with pytest.raises(PlanError, match=r"runs: unknown key\. Did you mean run\?"):
        read(row(), runs=[row("two")])
    with pytest.raises(PlanError, match=r"colour: unknown key\. Known here: schema, kind, model, run"):
        read(row(), colour="red")


def test_a_row_without_a_figure_says_what_it_has_instead() -> None:
    bare = row(measured={"tokens_per_sec_per_gpu": 7000.0})
    del bare["measured"]["step_time_s"]
    (skipped,) = read(bare).skipped
    assert "there is no figure of speed or memory. tokens_per_sec_per_gpu is none of step_time_s, tok" in skipped.why


def test_partial_and_odd_rows_are_read_and_marked() -> None:
    data = read(row("a", confidence="partial", unstated=["mbs"]), row("b", anomaly="a misprint"))
    assert [r.exact for r in data.runs] == [False, False]
    assert data.runs[0].run.unstated == ("mbs",)


@pytest.mark.parametrize(
    ("date", "kernel", "older"),
    [("2021-10", "fused-softmax", "both"), ("2022-06", "flash1", "both"), ("2024-02", "flash", "both"),
     ("2025-06", "flash", "blackwell"), ("2026", "flash", ""), ("", "flash", "")],
)  # fmt: skip
def test_software_is_of_the_day_of_the_run(date: str, kernel: str, older: str) -> None:
    (undated, stated, dated) = read(
        row("undated", date=date, strategy={"stack": "custom"}),
        row("stated", date=date, strategy={"stack": "custom", "attention_kernel": "triton"}),
        row("dated", date=date),
    ).runs
    assert undated.resolved.stack.attention_kernel == kernel
    assert stated.resolved.stack.attention_kernel == "triton"
    assert dated.resolved.stack.attention_kernel == "flash"
    for stack in (undated.resolved.stack, dated.resolved.stack):
        assert stack.older_kernels("hopper") == (older == "both")
        assert stack.older_kernels("blackwell") == bool(older)
        assert not stack.older_kernels("ampere")


def test_texts_as_stated_and_further_figures_are_kept() -> None:
    data = read(row(scale_up_as_stated="nvlink4", date=tomllib.loads("d = 2024-05-01")["d"], measured={"pflops": 4.4}))
    assert not data.warnings
    assert data.runs[0].run.date == "2024-05-01"
    assert read(row(comment="x")).warnings == ("runs: one: unknown key comment, ignored",)


def test_a_misspelt_key_is_told_with_the_name_that_was_meant() -> None:
    told = read(row(confidnce="partial", measured={"step_tim_s": 1.7, "pct_peak_hw": 40})).warnings
    assert told == (
        "runs: one: unknown key confidnce, ignored. Did you mean confidence?",
        "runs: one: unknown key measured.step_tim_s, ignored. Did you mean measured.step_time_s?",
    )


def test_out_of_memory_needs_no_figure_and_a_speed_is_ignored() -> None:
    data = read(row(outcome="oom", measured={"step_time_s": 1.0}))
    assert data.runs[0].oom
    assert data.runs[0].step_time_s is None
    assert data.warnings == ("runs: one: measured.step_time_s is ignored: it ran out of memory",)


@pytest.mark.parametrize(
    ("measured", "why"),
    [
        ({"step_time_s": 1e-9}, "gives a step of 1e-09 s"),
        ({"tokens_per_s": 5e-324}, "5e-324 is too small; numbers above 0 begin at 1e-9"),
        ({"model_tflops_per_card": 4e14}, "more than its peak of 989"),
        ({"mfu": 41.5}, "more than its peak of 989. A ratio is written 0.41"),
        ({"step_time_s": float("nan")}, "nan is not a finite number"),
        ({"step_time_s": 2**60}, "too large"),
    ],
)
def test_a_slip_of_unit_or_pen_costs_its_own_row_alone(measured: dict[str, Any], why: str) -> None:
    bad = row("bad")
    bad["measured"] = measured
    data = read(row("fine"), bad)
    assert [r.id for r in data.runs] == ["fine"]
    assert why in data.skipped[0].why


def test_utilization_of_a_card_without_bf16_is_over_its_fp16_peak() -> None:
    old = row(cluster={"card": "v100-sxm2-32"}, workload={"precision": "fp16"})
    old["measured"] = {"mfu": 0.4}
    new = row()
    new["measured"] = {"mfu": 0.4}
    slow, fast = (read(one).runs[0].step_time_s for one in (old, new))
    assert slow is not None
    assert fast is not None
    assert slow / fast == pytest.approx(989.4 / 125, rel=0.01)


def test_a_skipped_row_says_what_was_meant_and_where_it_stands() -> None:
    skipped = read(row(strategy={"stack": "megatronn"})).skipped[0]
    assert "Did you mean" in skipped.why
    assert skipped.file == "runs"


def test_an_id_is_one_line_of_text() -> None:
    assert "one line of text" in read(row("a\nb")).skipped[0].why
    assert "one line of text" in read(row(group=" ")).skipped[0].why


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"workload": {"precision": "unstated"}}, "precision"),
        ({"workload": {"model": "half-known"}}, "model.half-known.hidden"),
        ({"workload": {"model": "mine-9b"}}, "mine-9b"),
        ({"cluster": {"card": "h9000"}}, "h9000"),
        ({"strategy": {"tensor": 32}}, "cards"),
        ({"strategy": {"tensr": 2}}, "tensr"),
        ({"workload": {"global_batch": 7}}, "7 sequences"),
        ({"measured": {"step_time_s": -1.0}}, "step_time_s"),
    ],
)
def test_a_row_that_cannot_be_used_says_why(keys: dict[str, Any], why: str) -> None:
    data = read(row("fine"), row("bad", **keys), model={"mine-8b": SHAPE, "half-known": {"layers": 16}})
    assert [r.id for r in data.runs] == ["fine"]
    assert [s.id for s in data.skipped] == ["bad"]
    assert why in data.skipped[0].why


def test_a_row_without_any_figure_says_so() -> None:
    bare = row()
    bare["measured"] = {}
    assert "no figure" in read(bare).skipped[0].why
    bare["measured"] = {"memory_gb": 70.0}
    assert read(bare).runs[0].step_time_s is None


def test_rows_are_named_by_number_where_they_have_no_id() -> None:
    nameless = row()
    del nameless["id"]
    assert read(row(), nameless).skipped[0].id == "row 2"


@pytest.mark.parametrize(
    ("top", "says"),
    [
        ({"kind": "fleet"}, "not a runs file"),
        ({"schema": 2}, "newer|up to"),
        ({"rnu": []}, "rnu"),
        ({"run": {"a": 1}}, r"\[\[run\]\]"),
        ({"run": []}, "no run in the file"),
        ({"model": {"a": 1}}, r"\[model.NAME\]"),
    ],
)
def test_a_file_that_is_no_runs_file_is_refused(top: dict[str, Any], says: str) -> None:
    with pytest.raises(PlanError, match=says):
        read(row(), **top)


@pytest.mark.parametrize(
    ("file", "reader"),
    [
        ({"workload": {"tokens": 1e12}}, "It is a plan; `planner estimate FILE` reads it."),
        ({"kind": "fleet", "cluster": []}, "It is a fleet file; `planner fleet FILE` reads it."),
    ],
)
def test_a_file_of_another_kind_says_what_reads_it(file: dict[str, Any], reader: str) -> None:
    with pytest.raises(PlanError) as caught:
        read_runs(tomli_w.dumps({"schema": 1, **file}), BUILT_IN)
    assert caught.value.lines() == [f"runs: kind: this is not a runs file. {reader}"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"nowhere\.toml"):
        read_all([tmp_path / "nowhere.toml"], BUILT_IN)


def test_several_files_are_one_and_a_second_row_of_an_id_is_skipped(tmp_path: Path) -> None:
    for name, layers in (("a", 32), ("b", 16)):
        head = {"schema": 1, "kind": "runs", "model": {"mine-8b": {**SHAPE, "layers": layers}}}
        text = tomli_w.dumps({**head, "run": [row(f"of-{name}"), row("both")]})
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    data = read_all([tmp_path / "a.toml", tmp_path / "b.toml"], BUILT_IN)
    assert {r.id: r.resolved.model.layers for r in data.runs} == {"of-a": 32, "both": 32, "of-b": 16}
    assert [(s.id, s.why) for s in data.skipped] == [("both", "another row has the same id")]
