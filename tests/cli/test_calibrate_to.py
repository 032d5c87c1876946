"""`planner calibrate-to` on real rows, and what a plan says that names the result."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from planner.cli import main
from planner.data_files import data_root

PLAN = """
schema = 1
[cluster]
card = "a100-sxm-80"
cards = 64
[workload]
model = "llama2-13b"
tokens = 1e12
global_batch = 512
[strategy]
tensor = 2
pipeline = 2
stack = "mine"
"""


def runs_file(folder: Path, count: int) -> Path:
    """The first rows of a shipped family, as a file of one's own."""
    text = (data_root() / "validation" / "korthikanti-seqpar.toml").read_text("utf-8")
    head, *rows = text.split("[[run]]")
    file = folder / "mine.toml"
    file.write_text("[[run]]".join([head, *rows[:count]]), encoding="utf-8")
    return file


def test_three_runs_make_a_stack_that_plans_may_name(tmp_path: Path, own_folders: Path) -> None:
    runs, stacks = runs_file(tmp_path, 8), Path(own_folders) / "config" / "catalogue" / "stacks"
    stacks.mkdir(parents=True, exist_ok=True)
    done = CliRunner().invoke(main, ["calibrate-to", str(runs), "-o", str(stacks / "mine.toml")])
    assert done.exit_code == 0, done.output
    factor = tomllib.loads((stacks / "mine.toml").read_text("utf-8"))["factor"]
    assert factor["runs"] == 8
    assert 0.8 < factor["step_time"] < 1.2
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN, encoding="utf-8")
    mine = estimate(plan)
    plan.write_text(PLAN.replace('"mine"', '"megatron-2022"'), encoding="utf-8")
    plain = estimate(plan)
    ratio = mine["step_time_s"] / plain["step_time_s"]
    assert ratio == pytest.approx(factor["step_time"], rel=1e-6)
    low, high = mine["interval_80"]["step_time_s"]
    assert high / low < plain["interval_80"]["step_time_s"][1] / plain["interval_80"]["step_time_s"][0]


def estimate(plan: Path) -> dict[str, Any]:
    done = CliRunner().invoke(main, ["estimate", str(plan), "--json"])
    assert done.exit_code in {0, 1}, done.output
    answer: dict[str, Any] = json.loads(done.stdout)["estimate"]
    return answer


def test_two_runs_are_not_enough(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["calibrate-to", str(runs_file(tmp_path, 2))])
    assert done.exit_code == 2
    assert "at least 3" in done.stderr


def own_rows(folder: Path, **changes: tuple[str, str]) -> Path:
    """Four rows of a shipped family; in some a text is replaced by another."""
    text = (data_root() / "validation" / "korthikanti-seqpar.toml").read_text("utf-8")
    head, *rows = text.split("[[run]]")
    for name, (old, new) in changes.items():
        index = int(name.removeprefix("row"))
        assert old in rows[index]
        rows[index] = rows[index].replace(old, new)
    file = folder / "mine.toml"
    file.write_text("[[run]]".join([head, *rows[:4]]), encoding="utf-8")
    return file


def calibrate(file: Path) -> tuple[int, dict[str, Any], str]:
    done = CliRunner().invoke(main, ["calibrate-to", str(file)])
    return done.exit_code, tomllib.loads(done.stdout), done.stderr


def test_the_stack_keeps_its_date(tmp_path: Path) -> None:
    _, stack, _ = calibrate(runs_file(tmp_path, 4))
    assert stack["since"].startswith("202")


def test_odd_and_partial_runs_do_not_count(tmp_path: Path) -> None:
    odd = ('confidence = "exact"', 'confidence = "exact"\nanomaly = "broken NIC"')
    status, stack, told = calibrate(own_rows(tmp_path, row1=odd))
    assert status == 0
    assert stack["factor"]["runs"] == 3
    assert "does not count, it is marked odd (broken NIC)" in told


def test_runs_that_contradict_each_other_make_no_stack(tmp_path: Path) -> None:
    rows = own_rows(tmp_path).read_text("utf-8")
    times = [line for line in rows.splitlines() if line.startswith("measured")]
    for line, seconds in zip(times, (2.0, 20.0, 0.2, 2000.0), strict=True):
        rows = rows.replace(line, f"measured = {{ step_time_s = {seconds} }}")
    file = tmp_path / "mine.toml"
    file.write_text(rows, encoding="utf-8")
    done = CliRunner().invoke(main, ["calibrate-to", str(file)])
    assert done.exit_code == 2
    assert "times what the engine says" in done.stderr
    assert "mine.toml" in done.stderr


@pytest.mark.parametrize("place", ["row0", "row3"])
def test_where_runs_differ_the_stack_keeps_the_catalogue_s_facts(tmp_path: Path, place: str) -> None:
    eager = ('kernel_fusion = "fused"', 'kernel_fusion = "eager"')
    _, stack, told = calibrate(own_rows(tmp_path, **{place: eager}))
    assert stack["kernel_fusion"] == "fused"
    assert "the runs differ in kernel_fusion" in told


def test_the_kernel_of_one_architecture_is_not_that_of_all(tmp_path: Path) -> None:
    text = runs_file(tmp_path, 4).read_text("utf-8").replace('attention_kernel = "unfused", ', "")
    file = tmp_path / "mine.toml"
    file.write_text(text.replace('stack = "megatron-2022"', 'stack = "torchtitan"'), encoding="utf-8")
    torchtitan = tomllib.loads((data_root() / "presets" / "stacks" / "torchtitan.toml").read_text("utf-8"))
    _, stack, _ = calibrate(file)
    facts = ("attention_kernel", "attention_kernel_on")
    assert {fact: stack[fact] for fact in facts} == {fact: torchtitan[fact] for fact in facts}
