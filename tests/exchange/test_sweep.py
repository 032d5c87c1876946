"""Sweeps: what is varied, what is written, and taking up where one stopped."""

from __future__ import annotations

import csv
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from planner.catalog import Catalog
from planner.engine.estimate import evaluate
from planner.engine.search import search
from planner.exchange import sweep_files
from planner.exchange.edits import set_keys
from planner.exchange.sweep import Sweep, parse_vary
from planner.exchange.sweep_files import sink
from planner.exchange.sweep_places import local
from planner.spec.base import PlanError


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.default()


def sweep_of(catalog: Catalog, *vary: str, strategies: Any = "plan") -> Sweep:
    return Sweep(catalog.plan("llama-3.1-8b"), tuple(parse_vary(text) for text in vary), strategies)


def written(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def in_csv(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def run(sweep: Sweep, catalog: Catalog, path: Path, stop_after: int | None = None) -> None:
    with sink(sweep, str(path)) as out:
        for done, blocks in sweep.rows(catalog, out.done, local):
            if stop_after is not None and done > stop_after:
                raise KeyboardInterrupt
            out.write(done, blocks)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("workload.precision=bf16,fp8", ("bf16", "fp8")),
        ("cluster.cards=8,16:64:16", (8, 16, 32, 48, 64)),
        ("power.pue=1.1:1.3:0.1", (1.1, 1.2, 1.3)),
        ("strategy.sequence=true,false", (True, False)),
        ("workload.tokens=1e12", (1e12,)),
        ("cluster.cards=1:3", (1, 2, 3)),
    ],
)
def test_values(text: str, values: tuple[Any, ...]) -> None:
    found = parse_vary(text).values
    assert found == pytest.approx(values) if isinstance(values[0], float) else found == values


@pytest.mark.parametrize("text", ["cards=1", "cluster.cards", "cluster.cards=", "a.b=1:x", "a.b=5:1", "a.b=1:9:0"])
def test_what_cannot_be_read_says_how_to_write_it(text: str) -> None:
    with pytest.raises(PlanError, match=r"Write|range"):
        parse_vary(text)


def test_a_row_is_what_the_estimate_says(catalog: Catalog, tmp_path: Path) -> None:
    sweep = sweep_of(catalog, "cluster.cards=256,512", "workload.precision=bf16,fp8")
    run(sweep, catalog, tmp_path / "out.csv")
    rows = written(tmp_path / "out.csv")
    assert [(row["cluster.cards"], row["workload.precision"]) for row in rows] == [
        ("256", "bf16"), ("256", "fp8"), ("512", "bf16"), ("512", "fp8"),
    ]  # fmt: skip
    plan = set_keys(sweep.plan, {"cluster.cards": 512, "workload.precision": "fp8"}.items(), catalog)
    outcome = evaluate(catalog.resolve(plan))
    assert float(rows[3]["training_days"]) == outcome.estimate.training_days
    assert rows[3]["fits"] == str(outcome.fits).lower()


def test_an_impossible_combination_is_a_row_with_its_reason(catalog: Catalog, tmp_path: Path) -> None:
    run(sweep_of(catalog, "cluster.cards=24"), catalog, tmp_path / "out.csv")
    (row,) = written(tmp_path / "out.csv")
    assert row["fits"] == "false"
    assert "sequences do not divide" in row["problem"]


def test_best_and_all_agree_with_the_search(catalog: Catalog, tmp_path: Path) -> None:
    cards, batch = "cluster.cards=16", "workload.global_batch=16"
    held = ("strategy.sharding=zero1", "strategy.recompute=none")
    run(sweep_of(catalog, cards, batch, *held, strategies="all"), catalog, tmp_path / "all.csv")
    run(sweep_of(catalog, cards, batch, *held, strategies="best"), catalog, tmp_path / "best.csv")
    every, (best,) = written(tmp_path / "all.csv"), written(tmp_path / "best.csv")
    plan = set_keys(catalog.plan("llama-3.1-8b"), {"cluster.cards": 16, "workload.global_batch": 16}.items(), catalog)
    r = catalog.resolve(plan)
    from planner.engine.search_space import Constraints

    keep = Constraints(keep={"sharding": "zero1", "recompute": "none"})
    full = search(r, 1, keep, exhaustive=True)
    assert len(every) == full.feasible
    least = min(every, key=lambda row: float(row["training_days"]))
    for key in ("training_days", "cost_usd", "energy_mwh", "mfu", "memory_gb", "power_mw", "tokens_per_s_per_card"):
        assert float(least[key]) == pytest.approx(float(best[key]), rel=1e-9)
    assert best["strategy.tensor"] == str(full.ranked[0].strategy.tensor)


@pytest.mark.parametrize(("strategies", "cards"), [("plan", "8:1600:8"), ("best", "8,16,24,32,40"), ("all", "8,16")])
def test_a_sweep_goes_on_where_it_stopped(catalog: Catalog, tmp_path: Path, strategies: str, cards: str) -> None:
    held = ("workload.global_batch=64", "strategy.recompute=none", "strategy.tensor=1")
    sweep = sweep_of(catalog, f"cluster.cards={cards}", *held, strategies=strategies)
    whole, cut = tmp_path / "whole.csv", tmp_path / "cut.csv"
    run(sweep, catalog, whole)
    with pytest.raises(KeyboardInterrupt):
        run(sweep, catalog, cut, stop_after=sweep.count // 2)
    assert (tmp_path / "cut.csv.progress").exists()
    with cut.open("a") as file:
        file.write("half a li")  # what a crash leaves
    run(sweep, catalog, cut)
    assert cut.read_bytes() == whole.read_bytes()
    assert not (tmp_path / "cut.csv.progress").exists()


def test_an_unfinished_sweep_of_other_keys_is_not_overwritten(catalog: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with pytest.raises(KeyboardInterrupt):
        run(sweep_of(catalog, "cluster.cards=8:800:8"), catalog, path, stop_after=64)
    with pytest.raises(PlanError, match="unfinished sweep"):
        run(sweep_of(catalog, "cluster.cards=8,16"), catalog, path)


@pytest.mark.parametrize(
    ("typed", "cell"), [("=1+1", "'=1+1"), ("＝1+1", "'＝1+1"), ("@x", "'@x"), ("red\x1b[31m", "red\\x1b[31m")]
)
def test_text_that_a_spreadsheet_or_a_terminal_would_act_on_is_escaped(
    catalog: Catalog, tmp_path: Path, typed: str, cell: str
) -> None:
    run(sweep_of(catalog, f"workload.precision={typed}"), catalog, tmp_path / "out.csv")
    (row,) = written(tmp_path / "out.csv")
    assert row["workload.precision"] == cell


def test_parquet_without_pyarrow_says_what_to_install(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(PlanError, match=r"cluster-planner\[parquet\]"):
        sink(sweep_of(catalog, "cluster.cards=8"), str(tmp_path / "out.parquet"))


@pytest.mark.parametrize(("strategies", "cards"), [("plan", "8:600:8"), ("all", "8,16")])
def test_parquet_holds_the_same_rows_and_is_taken_up_again(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strategies: str, cards: str
) -> None:
    monkeypatch.setattr(sweep_files, "PART_ROWS", 100)  # so that there is more than one part of so few rows
    monkeypatch.setattr(sweep_files, "GROUP_ROWS", 50)
    vary = (f"cluster.cards={cards}", "workload.precision=bf16,fp8", "workload.global_batch=96", "strategy.tensor=1")
    sweep = sweep_of(catalog, *vary, "strategy.recompute=none", strategies=strategies)
    path = tmp_path / "out.parquet"
    run(sweep, catalog, tmp_path / "out.csv")
    with pytest.raises(KeyboardInterrupt):
        run(sweep, catalog, path, stop_after=sweep.count // 2)
    assert not path.exists()
    kept = sorted((tmp_path / "out.parquet.parts").iterdir())
    whole = [part.read_bytes() for part in kept[:1]]
    with (tmp_path / "out.parquet.parts" / "999.parquet").open("wb") as file:
        file.write(b"half a part")  # what a crash leaves
    run(sweep, catalog, path)
    assert whole
    table = pq.read_table(path)
    assert table.column_names == list(sweep.columns)
    rows = written(tmp_path / "out.csv")
    assert table.num_rows == len(rows) > 140
    for name in sweep.columns:
        as_csv = [
            "" if v is None else str(v).lower() if isinstance(v, bool) else str(v) for v in table[name].to_pylist()
        ]
        assert as_csv == [row[name] for row in rows], name
    assert sorted(p.name for p in tmp_path.iterdir() if "parquet" in p.name) == ["out.parquet"]


def test_many_rows_of_parquet_are_few_row_groups(catalog: Catalog, tmp_path: Path) -> None:
    run(sweep_of(catalog, "cluster.cards=8:1040:8"), catalog, tmp_path / "out.parquet")
    with pq.ParquetFile(tmp_path / "out.parquet") as file:
        assert (file.metadata.num_rows, file.num_row_groups) == (130, 1)


def test_nothing_fits_is_one_row_of_each_combination(catalog: Catalog, tmp_path: Path) -> None:
    held = ("workload.sequence_length=131072", "strategy.context=1", "strategy.recompute=none", "strategy.tensor=1")
    run(sweep_of(catalog, "cluster.cards=8,16", *held, strategies="all"), catalog, tmp_path / "out.csv")
    rows = written(tmp_path / "out.csv")
    assert [(row["cluster.cards"], row["fits"], row["problem"]) for row in rows] == [
        (cards, "false", "no strategy fits.") for cards in ("8", "16")
    ]


def test_a_pool_of_processes_gives_the_same_rows_in_the_same_order(catalog: Catalog, tmp_path: Path) -> None:
    sweep = sweep_of(catalog, "cluster.cards=8:96:8", "workload.global_batch=96", strategies="best")
    for processes in (1, 2):
        with sink(sweep, str(tmp_path / f"{processes}.csv")) as out:
            for done, blocks in sweep.rows(catalog, 0, partial(local, processes=processes)):
                out.write(done, blocks)
    assert (tmp_path / "2.csv").read_bytes() == (tmp_path / "1.csv").read_bytes()


WRITE = """
import resource, sys
from planner.catalog import Catalog
from planner.exchange.sweep import Sweep, parse_vary
from planner.exchange.sweep_files import sink
from planner.exchange.sweep_places import local

catalog = Catalog.default()
held = [parse_vary(text) for text in ("cluster.cards=64", "strategy.sharding=zero1", "strategy.recompute=full")]
sweep = Sweep(catalog.plan("llama-3.1-8b"), tuple(held), "all")
blocks = [block for _, found in sweep.rows(catalog, 0, local) for block in found]
with sink(sweep, sys.argv[1]) as out:
    for done in range(1, int(sys.argv[2]) + 1):
        out.write(done, blocks)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""


def test_memory_of_a_sweep_does_not_grow_with_its_rows(tmp_path: Path) -> None:
    """Streaming and joining: twice the rows, which weigh a hundred bytes each, in as much memory."""
    used, rows = [], []
    for number, times in enumerate((16, 32)):
        path = tmp_path / f"{number}.parquet"
        command = [sys.executable, "-c", WRITE, str(path), str(times)]
        used.append(int(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        rows.append(pq.read_metadata(path).num_rows)
    assert rows[0] > sweep_files.PART_ROWS  # several parts to join
    assert rows[1] == 2 * rows[0]
    assert used[1] - used[0] < 10 * (rows[1] - rows[0])


@pytest.mark.parametrize("strategies", ["plan", "best", "all"])
def test_an_unknown_price_is_an_empty_cell(catalog: Catalog, tmp_path: Path, strategies: str) -> None:
    out = tmp_path / "rows.csv"
    keys = ("cluster.card=tpu-v5p", "cluster.cards=16", "strategy.tensor=8", "strategy.sharding=zero1")
    sweep = sweep_of(catalog, *keys, strategies=strategies)
    with sink(sweep, str(out)) as to:
        for done, blocks in sweep.rows(catalog, 0, local):
            to.write(done, blocks)
    rows = written(out)
    assert rows
    for row in rows:
        assert row["cost_usd"] == ""
        assert float(row["training_days"]) > 0
