"""`planner search`, `planner size` and `planner sweep`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from planner.catalog import Catalog
from planner.cli.search import command as search_command
from planner.cli.size import command as size_command
from planner.cli.sweep import command as sweep_command
from planner.engine.estimate import evaluate
from planner.spec.parse import parse_plan

PLAN = """
schema = 1
[cluster]
card = "h100-sxm"
cards = 16
[workload]
model = "llama3.1-8b"
tokens = 1e11
global_batch = 64
"""


def run(command: Any, *arguments: str, plan: str = PLAN) -> Result:
    return CliRunner().invoke(command, [*arguments], input=plan, catch_exceptions=False)


def test_json_keeps_the_contract_and_each_strategy_gives_its_estimate() -> None:
    done = run(search_command, "-", "--top", "3", "--json")
    assert done.exit_code == 0
    data = json.loads(done.stdout)
    assert {"searched", "feasible", "seconds", "objective", "results"} <= data.keys()
    assert len(data["results"]) == 3
    catalog = Catalog.default()
    for row in data["results"]:
        plan = {
            "schema": 1,
            "cluster": {"card": "h100-sxm", "cards": 16},
            "workload": {"model": "llama3.1-8b", "tokens": 1e11, "global_batch": 64},
            "strategy": row["strategy"],
        }
        outcome = evaluate(catalog.resolve(parse_plan(plan, "")))
        assert outcome.fits
        assert outcome.estimate.step_time_s == row["estimate"]["step_time_s"]
    days = [row["estimate"]["training_days"] for row in data["results"]]
    assert days == sorted(days)


def test_the_text_ranks_and_compares_with_the_plans_own_strategy() -> None:
    done = run(search_command, "-", "--top", "2", plan=PLAN + '[strategy]\nsharding = "zero1"\nrecompute = "full"\n')
    assert done.exit_code == 0
    assert "strategies in" in done.stdout
    assert "The plan's own strategy takes" in done.stdout
    assert "\x1b" not in done.stdout


def test_nothing_fits_says_what_would() -> None:
    done = run(search_command, "-", plan=PLAN.replace("llama3.1-8b", "llama3.1-405b"))
    assert done.exit_code == 1
    assert "nothing fits: the closest" in done.stdout
    assert "cards" in done.stdout


def test_constraints_are_kept() -> None:
    done = run(search_command, "-", "--json", "--keep", "tensor=2", "--schedule", "1f1b", "--sharding", "zero1")
    rows = json.loads(done.stdout)["results"]
    assert rows
    assert {row["strategy"]["tensor"] for row in rows} == {2}
    assert {row["strategy"]["sharding"] for row in rows} == {"zero1"}


@pytest.mark.parametrize("arguments", [["--keep", "colour=2"], ["--schedule", "none"], ["--keep", "tensor=1,2"]])
def test_a_constraint_that_is_none_is_refused(arguments: list[str]) -> None:
    assert run(search_command, "-", *arguments).exit_code == 2


def test_size_names_cluster_and_strategy() -> None:
    done = run(size_command, "-", "--within-days", "20", "--json")
    assert done.exit_code == 0
    data = json.loads(done.stdout)
    assert data["searched"] > 0
    first = data["results"][0]
    assert first.keys() == {"card", "cards", "training_days", "cost_usd", "power_mw", "strategy"}
    assert first["card"] == "h100-sxm"
    assert first["training_days"] <= 20


def test_size_takes_card_kinds_and_counts() -> None:
    done = run(size_command, "-", "--within-days", "400", "--cards", "a100-sxm-80,16,h100-sxm")
    assert done.exit_code == 0
    assert "fewest" in done.stdout
    assert "a100-sxm-80" in done.stdout


def test_a_deadline_nothing_meets_is_status_1() -> None:
    done = run(size_command, "-", "--within-days", "0.001", "--cards", "8,16")
    assert done.exit_code == 1
    assert "No cluster tried" in done.stdout


def test_sweep_prints_rows() -> None:
    done = run(sweep_command, "-", "--vary", "cluster.cards=8,16", "--strategies", "best")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("cluster.cards,strategy.tensor,")
    assert len(lines) == 3


def test_sweep_refuses_a_key_that_is_none() -> None:
    from planner.spec.base import PlanError

    with pytest.raises(PlanError, match=r"cluster\.colour"):
        run(sweep_command, "-", "--vary", "cluster.colour=1,2", plan=PLAN + "[strategy]\n")
