"""`planner audit`."""

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.cli.helpers import planner

from planner.catalog import Catalog
from planner.catalog.questions import questions
from planner.cli.audit import command
from planner.exchange import plan_toml
from planner.exchange.edits import set_keys
from planner.exchange.typed import number_or_word

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


@pytest.mark.parametrize(
    ("key", "value", "stated"),
    [
        ("card", "cluster.card=h100-sxm", 'cluster.card is "h800-sxm"'),
        ("cards", "cluster.cards=4096", "cluster.cards is 2,048"),
        ("model", "workload.model=llama3.1-8b", 'workload.model is "deepseek-v3"'),
        ("tokens", "workload.tokens=2e12", "workload.tokens is 14.8 T"),
    ],
)
def test_a_presets_claim_is_not_held_against_another_run(key: str, value: str, stated: str, tmp_path: Path) -> None:
    preset = CATALOG.plan("deepseek-v3")
    other = set_keys(preset, [(name, number_or_word(word)) for name, _, word in [value.partition("=")]], CATALOG)
    assert other.claim == preset.claim
    file = tmp_path / f"{key}.toml"
    file.write_text(plan_toml.write(other.model_copy(update={"strategy": None})), encoding="utf-8")
    done = planner("audit", str(file), "--json")
    (found,) = json.loads(done.stdout)["claims"]
    assert (found["verdict"], found["claim"], done.exit_code) == ("not-enough-stated", {}, 0)
    assert found["why"] == "The plan has no claim of its own."
    assert f"{file}: [claim] is left out: it is of deepseek-v3, whose {stated}." in done.stderr
    shown = planner("estimate", str(file))
    assert "Claimed" not in shown.stdout
    assert stated in shown.stderr


def test_a_broken_preset_of_ones_own_does_not_stop_a_plan_with_a_claim(tmp_path: Path, own_folders: Path) -> None:
    folder = own_folders / "config" / "catalogue" / "plans"
    folder.mkdir(parents=True)
    (folder / "broken.toml").write_text("schema = 1\n", encoding="utf-8")
    file = tmp_path / "plan.toml"
    other = set_keys(CATALOG.plan("deepseek-v3"), [("claim.card_hours", 2e6)], CATALOG)
    file.write_text(plan_toml.write(other), encoding="utf-8")
    shown = planner("estimate", str(file))
    assert shown.exit_code == 0, shown.stderr
    assert "Claimed: 2.00 M card-hours" in shown.stdout
    audited = planner("audit", "--no-questions")
    assert audited.exit_code == 0, audited.stderr
    assert "broken.toml" in audited.stderr


def test_a_claim_stays_with_another_strategy_and_with_a_plan_of_ones_own(tmp_path: Path) -> None:
    preset = CATALOG.plan("deepseek-v3")
    file = tmp_path / "plan.toml"
    file.write_text(plan_toml.write(set_keys(preset, [("strategy.micro_batch", 2)], CATALOG)), encoding="utf-8")
    assert "Claimed: 2.66 M card-hours" in planner("estimate", str(file)).stdout
    own = set_keys(preset, [("cluster.cards", 4096), ("claim.card_hours", 2e6)], CATALOG)
    file.write_text(plan_toml.write(own), encoding="utf-8")
    assert "Claimed: 2.00 M card-hours" in planner("estimate", str(file)).stdout


def test_reports_leave_a_claim_of_another_run_out_and_the_file_of_the_plan_keeps_it(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    other = set_keys(CATALOG.plan("deepseek-v3"), [("cluster.cards", 4096)], CATALOG)
    file.write_text(plan_toml.write(other), encoding="utf-8")
    for kind in ("markdown", "html", "json"):
        done = planner("export", str(file), "--to", kind)
        assert "2412.19437, table 1" not in done.stdout
        assert "whose cluster.cards is 2,048" in done.stderr
    done = planner("export", str(file), "--to", "toml")
    assert ("2412.19437, table 1" in done.stdout, done.stderr) == (True, "")
