"""`planner audit`."""

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner

from planner.catalog import Catalog
from planner.catalog.questions import questions
from planner.cli.audit import command
from planner.exchange import plan_toml

CATALOG = Catalog.default()
CLAIMANTS = [name for name in CATALOG.ids("plans") if CATALOG.plan(name).claim is not None]


def test_json_lists_every_claim_with_verdict() -> None:
    result = CliRunner().invoke(command, ["--json", "--no-questions"])
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    assert [claim["plan"] for claim in data["claims"]] == CLAIMANTS
    verdicts = {"plausible", "faster-than-range", "slower-than-range", "not-enough-stated"}
    for claim in data["claims"]:
        assert claim["verdict"] in verdicts
        assert claim["why"].endswith(".")
        assert claim["source"]
        assert {"mfu", "tokens_per_s_per_card", "card_hours"} <= set(claim["implied"])
        assert {"mfu", "training_days", "card_hours", "cost_usd", "interval_80"} <= set(claim["estimate"])
        if claim["verdict"].endswith("range"):
            assert "True " in claim["why"], claim["plan"]
    assert "questions" not in data


def test_a_claimed_mfu_says_why_its_range_is_wider_than_the_tables() -> None:
    result = CliRunner().invoke(command, ["llama-3.1-405b-131k", "--no-questions"])
    text = " ".join(result.stdout.split())
    table = text.partition("% ok")[0].rpartition("%")[2].strip() + " %"
    assert "every way its source may count FLOPs" in text.partition("Llama 3.1")[0]
    assert f"counted as the engine does, it is {table}." in text


def test_questions_are_answered_on_one_page() -> None:
    result = CliRunner().invoke(command, ["--no-claims"])
    assert result.exit_code == 0, result.output
    text = result.stdout
    assert len(text.splitlines()) <= 50
    for question in questions().question:
        assert question.ask in text
    assert "card-hours" in text


def test_questions_as_json() -> None:
    data = json.loads(CliRunner().invoke(command, ["--json", "--no-claims"]).stdout)
    assert data["claims"] == []
    by_ask = {each["ask"]: each for each in data["questions"]}
    possible = next(each for ask, each in by_ask.items() if ask.startswith("Could 2,048 H800"))
    assert possible["answer"].startswith("Yes.")
    takes = next(each for ask, each in by_ask.items() if ask == "What would 50,000 H100 have taken?")
    assert 1 < takes["estimate"]["training_days"] < 10
    link = next(each for ask, each in by_ask.items() if ask.startswith("What did the H800"))
    h800, h100 = link["plans"]
    assert h800["step_time_s"] >= h100["step_time_s"]


def test_a_file_outside_the_range_fails(tmp_path: Path) -> None:
    plan = CATALOG.plan("deepseek-v3")
    assert plan.claim is not None
    hurried = plan.model_copy(update={"claim": plan.claim.model_copy(update={"card_hours": 500_000.0})})
    path = tmp_path / "hurried.toml"
    path.write_text(plan_toml.write(hurried), encoding="utf-8")
    result = CliRunner().invoke(command, [str(path)])
    assert result.exit_code == 1
    assert "faster than the engine's range" in result.stdout
    assert "True only if" in result.stdout
    assert "questions" not in result.stdout


@pytest.mark.parametrize("name", ["deepseek-v3", "kimi-k2"])
def test_a_file_that_is_plausible_or_silent_passes(name: str) -> None:
    assert CliRunner().invoke(command, [name]).exit_code == 0


def test_text_of_files_is_data(tmp_path: Path) -> None:
    plan = CATALOG.plan("bloom-176b").model_copy(update={"name": "[red]x[/red]"})
    path = tmp_path / "x.toml"
    path.write_text(plan_toml.write(plan), encoding="utf-8")
    output = CliRunner().invoke(command, [str(path)]).stdout
    assert "[red]x[/red]" in output
    assert "\x1b" not in output


def test_no_figure_is_infinite() -> None:
    data = json.loads(CliRunner().invoke(command, ["--json", "deepseek-v2"]).stdout)

    def walk(value: object) -> None:
        if isinstance(value, float):
            assert math.isfinite(value)
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            walk(inner)

    walk(data)
