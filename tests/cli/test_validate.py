"""`planner validate` on a small runs file."""

import json
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from click.testing import CliRunner, Result
from tests.cli.helpers import planner, refused

from planner.cli.validate import command

SHAPE = {"layers": 32, "hidden": 4096, "ffn_hidden": 14336, "heads": 32, "kv_heads": 8, "vocab": 128256}


def run(name: str, **keys: Any) -> dict[str, Any]:
    return {
        "id": name,
        "group": "[bold]mine",
        "cluster": {"card": "h100-sxm", "cards": 16},
        "workload": {"model": "mine-8b", "sequence_length": 8192, "global_batch": 128},
        "strategy": {"sharding": "zero3"},
        "measured": {"step_time_s": 6.0, "memory_gb": 60.0},
        **keys,
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = [
        run("plain"),
        run("partial", confidence="partial", unstated=["recompute"]),
        run("odd", anomaly="a misprint", measured={"step_time_s": 1e-3}),
        run("too-big", outcome="oom", cluster={"card": "h100-sxm", "cards": 1}, strategy={}, measured={}),
        run("bare", measured={}),
    ]
    path = tmp_path / "runs.toml"
    data = {"schema": 1, "kind": "runs", "model": {"mine-8b": SHAPE}, "run": rows}
    path.write_text(tomli_w.dumps(data), encoding="utf-8")
    return path


def validate(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def test_the_tables_name_families_and_what_was_skipped(file: Path) -> None:
    done = validate("--runs", str(file))
    assert done.exit_code == 0
    assert "1 exact row of 1 family" in done.stdout
    assert "[bold]mine" in done.stdout  # a name is no markup
    assert "bare" in done.stdout
    assert "there is no figure of speed or memory" in done.stdout
    assert "\x1b" not in done.stdout


def test_json_holds_every_row(file: Path) -> None:
    data = json.loads(validate("--runs", str(file), "--json").stdout)
    assert {row["id"]: row["confidence"] for row in data["runs"]} == {
        "plain": "exact",
        "partial": "partial",
        "odd": "exact",
    }
    assert [row["id"] for row in data["skipped"]] == ["bare"]
    assert (data["summary"]["n"], data["partial"]["n"], data["anomalous"]["n"]) == (1, 1, 1)
    assert (data["fit"]["ran"], data["fit"]["oom"], data["fit"]["oom_called_fit"]) == (1, 1, 0)
    assert data["memory"]["n"] == 1
    row = data["runs"][0]
    assert row["error"] == pytest.approx(row["predicted_step_time_s"] / row["measured_step_time_s"] - 1)


def test_a_threshold_decides_the_exit_status(file: Path) -> None:
    assert validate("--runs", str(file), "--max-median", "9").exit_code == 0
    failed = validate("--runs", str(file), "--json", "--max-median", "0.0000001")
    assert failed.exit_code == 1
    assert "the limit is 1e-07" in failed.stderr
    json.loads(failed.stdout)


@pytest.mark.parametrize("limit", ["nan", "inf", "-1"])
def test_a_threshold_is_a_number(file: Path, limit: str) -> None:
    assert CliRunner().invoke(command, ["--runs", str(file), "--max-median", limit]).exit_code == 2


def test_where_no_row_can_be_compared_that_is_bad_input(tmp_path: Path) -> None:
    path = tmp_path / "runs.toml"
    bad = run("bad", cluster={"card": "nope", "cards": 16})
    path.write_text(tomli_w.dumps({"schema": 1, "kind": "runs", "run": [bad]}), encoding="utf-8")
    done = validate("--runs", str(path), "--json")
    assert done.exit_code == 2
    assert [row["id"] for row in json.loads(done.stdout)["skipped"]] == ["bad"]
    assert "no row can be compared" in done.stderr


def test_memory_of_each_row_is_told(file: Path) -> None:
    rows = json.loads(validate("--runs", str(file), "--json").stdout)["memory_runs"]
    told = [(row["id"], row["confidence"], row["measured_memory_gb"]) for row in rows]
    assert told == [("plain", "exact", 60.0), ("partial", "partial", 60.0)]
    assert rows[0]["error"] == pytest.approx(rows[0]["memory_gb"] / 60 - 1)
    text = validate("--runs", str(file)).stdout
    assert "Memory of the fullest card, furthest off" in text
    assert "; 1 more of partial or odd rows" in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_several_files_are_read_as_one(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    text = {"schema": 1, "kind": "runs", "model": {"mine-8b": SHAPE}, "run": [run("more"), run("plain")]}
    other.write_text(tomli_w.dumps(text), encoding="utf-8")
    data = json.loads(validate("--runs", str(file), "--runs", str(other), "--json").stdout)
    assert data["summary"]["n"] == 2
    assert {row["id"] for row in data["skipped"]} == {"bare", "plain"}
    other.write_text(tomli_w.dumps({**text, "run": [run("more"), run("bare", measured={})]}), encoding="utf-8")
    told = validate("--runs", str(file), "--runs", str(other)).stdout
    assert "runs.toml" in told
    assert "other.toml" in told


def test_names_of_files_neither_act_on_a_terminal_nor_break_the_table(tmp_path: Path) -> None:
    path = tmp_path / "runs.toml"
    rows = [run("plain", group="東京-" + "x" * 60), run("bad", further="\x1b[2J")]
    text = {"schema": 1, "kind": "runs", "model": {"mine-8b": SHAPE}, "run": rows}
    path.write_text(tomli_w.dumps(text), encoding="utf-8")
    done = validate("--runs", str(path))
    assert "\x1b" not in done.stdout + done.stderr
    assert r'further: "\x1b[2J" holds control characters' in done.stdout
    (row,) = [line for line in done.stdout.splitlines() if "東京" in line]
    assert "x… " in row
    assert row.split()[1] == "1"
    data = validate("--runs", str(path), "--json").stdout
    assert data.isascii()
    assert [*json.loads(data)["by_group"]] == [rows[0]["group"]]


@pytest.mark.parametrize("arguments", [["validate", "--runs", "-"], ["calibrate-to", "-"]])
def test_runs_from_standard_input_are_named_so(arguments: list[str]) -> None:
    assert refused(planner(*arguments, stdin="")).startswith("standard input: the file is empty.")
