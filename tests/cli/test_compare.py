"""`planner compare`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.plans import plan, preset

from planner.cli.compare import command
from planner.exchange import plan_toml
from planner.exchange.compare import Compared, lines
from planner.spec.base import PlanError


def differences(*words: str) -> dict[str, list[object]]:
    result = CliRunner().invoke(command, [*words, "--json"])
    return {row["key"]: row["values"] for row in json.loads(result.stdout)["differences"]}


def test_what_the_h800s_link_costs() -> None:
    found = differences("deepseek-v3", "deepseek-v3", "--set", "cluster.card=h100-sxm", "--no-search")
    assert found["cluster.card"] == ["h800-sxm", "h100-sxm"]
    assert found["scale_up.gb_per_s"] == [200.0, 450.0]
    assert found["cluster.scale_up"] == ["nvlink4-h800", "nvlink4"]
    assert not {"workload.tokens", "strategy.pipeline", "cost.usd_per_card_hour"} & set(found)
    assert next(iter(found)) == "cluster.card"


def test_one_file_and_a_change_is_the_same() -> None:
    edit = ("--set", "cluster.card=h100-sxm", "--no-search")
    assert differences("deepseek-v3", *edit) == differences("deepseek-v3", "deepseek-v3", *edit)


def test_best_strategies_are_searched_again() -> None:
    result = CliRunner().invoke(command, ["llama-3.1-405b", "--set", "cluster.card=h800-sxm", "--json"])
    first, second = json.loads(result.stdout)["plans"]
    for each in (first, second):
        assert each["best_found"]["step_time_s"] <= each["estimate"]["step_time_s"] * (1 + 1e-9)
        assert set(each) >= {"name", "plan", "estimate"}


def test_the_headline_comes_first_then_what_differs_and_what_is_the_same_last() -> None:
    result = CliRunner().invoke(command, ["deepseek-v3", "--set", "workload.tokens=7.4e12", "--no-search"])
    text = result.stdout
    order = ["In short", "training time", "cost ", "What differs", "What follows", "card-hours", "The same:"]
    assert sorted(order, key=text.index) == order
    assert text.count("training time") == 1
    assert "-50.0 %" in text
    assert "MFU" in text[text.index("The same:") :]


def test_plans_of_one_name_are_told_apart_by_their_files(tmp_path: Path) -> None:
    for name, cards in (("old", 2048), ("new", 1024)):
        text = plan_toml.write(plan(name="Ours", cluster__cards=cards))
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    old, new = str(tmp_path / "old.toml"), str(tmp_path / "new.toml")
    text = CliRunner().invoke(command, [old, new, "--no-search"]).stdout
    assert text.startswith(f"[1]: Ours ({old})\n[2]: Ours ({new})\n")
    alone = CliRunner().invoke(command, [old, "deepseek-v3", old, "--no-search"]).stdout
    assert alone.startswith("[1]: Ours\n[2]: DeepSeek-V3 pre-training\n[3]: Ours\n")


def test_four_plans() -> None:
    names = ["deepseek-v3", "kimi-k2", "llama-3.1-405b", "bloom-176b"]
    result = CliRunner().invoke(command, [*names, "--no-search"])
    assert "[4]: BLOOM" in result.stdout


def test_four_plans_in_a_narrow_terminal_are_split_and_never_cut() -> None:
    plans = [Compared(name, preset(name), None) for name in ("deepseek-v3", "kimi-k2", "llama-3.1-405b", "bloom-176b")]
    found = [line.text for line in lines(plans, 77, fold=77)]
    assert max(map(len, found)) <= 77
    follows = [line for line in found if line.startswith("  What follows")]
    assert len(follows) > 1
    assert all("[1]" in line for line in follows)
    assert {f"[{n}]" for line in follows for n in (2, 3, 4) if f"[{n}]" in line} == {"[2]", "[3]", "[4]"}
    # A row that is the same in a part of the table is left out there: Kimi K2 runs on the same card.
    second = found[found.index(next(line for line in found if "What differs" in line)) :]
    assert not second[1].startswith("  cluster.card ") or "[3]" in second[0]


def test_in_a_pipe_four_plans_are_one_table_and_a_row_is_a_line() -> None:
    names = ["deepseek-v3", "kimi-k2", "palm-540b", "bloom-176b"]
    text = CliRunner().invoke(command, [*names, "--no-search"]).stdout
    assert text.count("What follows") == 1
    _, _, rows = text.partition("  What differs ")
    differing, _, _ = rows.partition("\n\n")
    heading, *rest = differing.splitlines()
    assert heading.split() == ["[1]", "[2]", "[3]", "[4]"]
    assert all(row[2] != " " for row in rest)
    assert any("mla_up + norm + moe_activation" in row for row in rest)


def test_a_rent_kept_for_another_card_is_said() -> None:
    edit = ["deepseek-v3", "--set", "cluster.card=gb200-nvl72", "--no-search"]
    text = " ".join(CliRunner().invoke(command, edit).stdout.split())
    assert "[2] keeps the $2.00 a card-hour the plan states" in text
    other = ["deepseek-v3", "--set", "cluster.card=gb200-nvl72", "--set", "cost.usd_per_card_hour=3.92", "--no-search"]
    assert "keeps the" not in CliRunner().invoke(command, other).stdout
    unknown = ["deepseek-v3", "--set", "cluster.card=h20", "--no-search"]
    text = " ".join(CliRunner().invoke(command, unknown).stdout.split())
    assert "[2] keeps the $2.00 a card-hour the plan states; no rent of H20 96 GB is known" in text


def test_plans_that_do_not_differ() -> None:
    assert "do not differ" in CliRunner().invoke(command, ["deepseek-v3", "deepseek-v3", "--no-search"]).stdout


def test_one_file_alone_is_a_usage_error() -> None:
    result = CliRunner().invoke(command, ["deepseek-v3"])
    assert result.exit_code == 2
    assert "second FILE" in result.output


def test_a_plan_without_strategy_gets_the_best(tmp_path: Path) -> None:
    path = tmp_path / "bare.toml"
    path.write_text(
        'schema = 1\n[cluster]\ncard = "h100-sxm"\ncards = 64\n[workload]\nmodel = "llama3.1-8b"\ntokens = 1e12\n',
        encoding="utf-8",
    )
    result = CliRunner().invoke(command, [str(path), "--set", "cluster.cards=128", "--no-search", "--json"])
    assert result.exit_code == 0, result.output
    first, second = json.loads(result.stdout)["plans"]
    assert first["estimate"]["training_days"] > second["estimate"]["training_days"]


@pytest.mark.parametrize(
    ("edit", "words"), [("cluster.crd=x", "Did you mean card?"), ("cluster.card=h1000", "h100-sxm")]
)
def test_wrong_edits(edit: str, words: str) -> None:
    result = CliRunner().invoke(command, ["deepseek-v3", "--set", edit])
    assert isinstance(result.exception, PlanError)
    assert words in str(result.exception)
