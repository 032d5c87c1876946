"""`planner search`, `planner size` and `planner sweep`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.cli.helpers import planner, refused

from planner.catalog import Catalog
from planner.catalog.prices import rent_of
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


def test_days_of_a_picture_and_a_table_are_never_years() -> None:
    long = PLAN.replace("1e11", "1e16")
    days = json.loads(run(search_command, "-", "--json", plan=long).stdout)["results"][0]["estimate"]["training_days"]
    assert days > 365.25 * 100
    rows = run(search_command, "-", plan=long).stdout.splitlines()
    first = next(row for row in rows if row.startswith("   1  "))
    lowest = next(row for row in reversed(rows) if "│" in row or "┤" in row)
    for text in (first.split("  ")[2].strip(), lowest.split("│")[0].strip()):
        number, _, thousands = text.partition(" ")
        assert float(number.replace(",", "")) * (1e3 if thousands == "k" else 1.0) == pytest.approx(days, rel=0.01), (
            text
        )


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
    assert "Nothing fits: the closest" in done.stdout
    assert "cards" in done.stdout


def test_json_says_what_would_make_it_fit() -> None:
    large = PLAN.replace("llama3.1-8b", "llama3.1-405b")
    done = run(search_command, "-", "--json", plan=large)
    assert done.exit_code == 1
    data = json.loads(done.stdout)
    assert data["results"] == []
    assert data["own"] is None
    nothing = data["nothing_fits"]
    usable = nothing["memory_gb"] - nothing["over_gb"]
    assert nothing["over_gb"] > 0
    assert nothing["card_memory_gb"] / 80.0 == pytest.approx(nothing["memory_gb"] / usable)
    assert nothing["message"][1:] in " ".join(run(search_command, "-", plan=large).stdout.split())
    assert 0 <= nothing["stage"] < nothing["strategy"]["pipeline"]
    more = large.replace("cards = 16", f"cards = {nothing['cards']}")
    assert json.loads(run(search_command, "-", "--json", plan=more).stdout)["nothing_fits"] is None
    fewer = large.replace("cards = 16", f"cards = {nothing['cards'] // 2}")
    assert json.loads(run(search_command, "-", "--json", plan=fewer).stdout)["results"] == []


def test_json_says_what_memory_rules_out() -> None:
    data = json.loads(run(search_command, "llama-3.1-405b", "--json", "--top", "1").stdout)
    rejected = [one for one in data["rejected"] if one["rule"] == "memory"]
    assert rejected
    assert 0 < sum(one["too_large"] for one in rejected) <= data["too_large"]
    for one in rejected:
        assert 0 < one["too_large"] <= one["strategies"]
        assert 0 <= one["stage"] < one["pipeline"]
        assert (one["over_gb"] > 0) == (one["too_large"] == one["strategies"])
    whole = next(one for one in rejected if one["pipeline"] == 1 and one["sharding"] == "none")
    # 16 bytes a parameter (weights, FP32 gradients, optimizer), at most over the 128 heads' tensor ranks, of 80 GB.
    assert whole["over_gb"] > 405 * 16 / 128 - 80
    text = run(search_command, "llama-3.1-405b", "--top", "1").stdout
    assert f"{rejected[0]['region']}: {rejected[0]['too_large']:,}" in text
    assert rejected[0]["why"] in " ".join(text.split())


def test_rules_say_what_they_take_out_and_limits_what_they_leave_out() -> None:
    limits = ("--top", "1", "--max-tensor", "4", "--keep", "pipeline=8", "--sharding", "zero1")
    data = json.loads(run(search_command, "llama-3.1-405b", "--json", *limits).stdout)
    rules = {one["rule"]: one for one in data["rejected"] if one["rule"] != "memory"}
    assert rules["heads_divide"]["region"] == "tensor 256, 512, 1,024 … 16,384"
    assert rules["heads_divide"]["why"] == "tensor = 256 does not divide the model's 128 attention heads."
    assert rules["constraints"]["region"] == "all but tensor up to 4, zero1, pipeline 8"
    free = json.loads(run(search_command, "llama-3.1-405b", "--json", "--top", "1").stdout)["searched"]
    assert rules["constraints"]["strategies"] == free - data["searched"]
    text = " ".join(run(search_command, "llama-3.1-405b", *limits).stdout.split())
    for one in rules.values():
        assert one["too_large"] == 0 < one["strategies"]
    shown = sorted(rules.values(), key=lambda one: -one["strategies"])[:5]
    assert all(f"{one['region']}: {one['strategies']:,}; {one['why']}" in text for one in shown)


@pytest.mark.parametrize(
    ("kept", "words"),
    [("tensor=a", "whole number"), ("sharding=zero9", "Did you mean"), ("context=0", "at least 1"),
     ("recompute_modules=nrm", "norm"), ("dispatcher=deepep", "a key that is searched"), ("tensor=2,4", "KEY=VALUE")],
)  # fmt: skip
def test_a_value_held_is_checked(kept: str, words: str) -> None:
    assert words in refused(planner("search", "llama-3.1-8b", "--keep", kept))


def test_no_valid_layout_says_which_rule() -> None:
    done = run(search_command, "llama-3.1-70b", "--keep", "pipeline=1024")
    assert done.exit_code == 1
    assert "No layout is valid for these cards, this batch and this model." in done.stdout
    assert "pipeline = 1024 has more stages than the model's 80 layers can fill." in " ".join(done.stdout.split())


def test_no_valid_layout_names_the_nearest_cards_that_have_some() -> None:
    odd = PLAN.replace("cards = 16", "cards = 1001").replace("global_batch = 64", "global_batch = 1000")
    text = " ".join(run(search_command, "-", plan=odd).stdout.split())
    assert "there are some for 1,000 and 1,024 cards." in text
    for cards, some in ((1000, True), (1008, False), (1016, False), (1024, True)):
        data = json.loads(run(search_command, "-", "--json", "--top", "1", plan=odd.replace("1001", str(cards))).stdout)
        assert (data["searched"] > 0) == some


def test_limits_that_leave_nothing_that_fits_are_named() -> None:
    limits = ("--max-tensor", "2", "--schedule", "1f1b", "--sharding", "none", "--keep", "pipeline=2")
    data = json.loads(run(search_command, "llama-3.1-70b", "--json", *limits).stdout)
    nothing = data["nothing_fits"]
    assert nothing["without_limits"]
    assert not nothing["offload"]
    assert "without the limits of this search a strategy fits" in nothing["message"]
    large = PLAN.replace("llama3.1-8b", "llama3.1-405b")
    none = json.loads(run(search_command, "-", "--json", "--max-tensor", "2", plan=large).stdout)
    assert not none["nothing_fits"]["without_limits"]


def test_the_best_strategy_is_printed_as_a_plan_file_has_it(tmp_path: Path) -> None:
    text = run(search_command, "-", plan=PLAN).stdout
    table = text[text.index("  [strategy]") :]
    file = tmp_path / "plan.toml"
    file.write_text(f"{PLAN}\n{table}", encoding="utf-8")
    data = json.loads(run(search_command, str(file), "--json", "--top", "1").stdout)
    assert data["own"]["differences"] == []
    assert data["own"]["step_time_s"] == data["results"][0]["estimate"]["step_time_s"]


def test_json_compares_the_plans_own_strategy_with_the_best() -> None:
    own = PLAN + '[strategy]\nsharding = "zero1"\nrecompute = "full"\n'
    data = json.loads(run(search_command, "-", "--json", "--top", "1", plan=own).stdout)
    found, best = data["own"], data["results"][0]["estimate"]
    assert found["possible"]
    gains = [one["gain_s"] for one in found["differences"]]
    assert sum(gains) == pytest.approx(found["step_time_s"] - best["step_time_s"])
    assert [abs(gain) for gain in gains] == sorted((abs(gain) for gain in gains), reverse=True)
    assert "recompute" in {one["part"] for one in found["differences"]}


def test_json_says_why_the_plans_own_strategy_is_impossible() -> None:
    found = json.loads(run(search_command, "-", "--json", plan=PLAN + "[strategy]\ntensor = 3\n").stdout)["own"]
    assert not found["possible"]
    assert "3" in found["problem"]
    assert found["step_time_s"] is None


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


def test_a_deadline_nothing_meets_is_status_1_and_names_the_quickest() -> None:
    done = run(size_command, "-", "--within-days", "0.001", "--cards", "8,16,37")
    assert done.exit_code == 1
    assert "No cluster tried meets 0.001 days (3 clusters" in done.stdout
    assert "The quickest tried: 16 h100-sxm, " in done.stdout
    assert "37 h100-sxm: no layout is valid." in done.stdout
    data = json.loads(run(size_command, "-", "--within-days", "0.001", "--cards", "8,16,37", "--json").stdout)
    assert data["results"] == []
    assert {one["cards"]: one["training_days"] is None for one in data["tried"]} == {8: False, 16: False, 37: True}
    hopeless = run(size_command, "-", "--within-days", "1e-9")
    assert "262,144 h100-sxm would take" in hopeless.stdout


def test_size_prices_each_card_as_its_own() -> None:
    stated = PLAN + "[cost]\nusd_per_card_hour = 100.0\n"
    asked = ("--within-days", "400", "--cards", "h100-sxm,h200-sxm,gaudi3,16")
    data = json.loads(run(size_command, "-", "--json", *asked, plan=stated).stdout)
    rows = data["results"]
    catalog = Catalog.default()
    rent = {"h100-sxm": 100.0, "h200-sxm": rent_of(catalog.card("h200-sxm")), "gaudi3": 0.0}
    for one in rows:
        assert one["cost_usd"] == pytest.approx(rent[one["card"]] * one["training_days"] * 24 * 16)
    text = run(size_command, "-", *asked, plan=stated).stdout
    (cheapest,) = [line for line in text.splitlines() if "cheapest" in line]
    assert "h200-sxm" in cheapest
    (problem,) = data["problems"]
    assert (problem["severity"], problem["key"]) == ("warning", "cost.usd_per_card_hour")
    assert problem["message"] == "no rental price is known for Gaudi 3, so the cost is 0."
    assert problem["message"] in " ".join(text.split())


def test_a_search_says_that_no_price_is_known() -> None:
    asked = PLAN.replace('"h100-sxm"', '"gaudi3"')
    data = json.loads(run(search_command, "-", "--json", "--top", "1", plan=asked).stdout)
    assert data["results"][0]["estimate"]["cost_usd"] == 0
    assert [problem["key"] for problem in data["problems"]] == ["cost.usd_per_card_hour"]
    assert "no rental price is known for Gaudi 3" in run(search_command, "-", "--top", "1", plan=asked).stdout
    assert json.loads(run(search_command, "-", "--json", "--top", "1").stdout)["problems"] == []


def test_size_says_what_an_owned_cluster_leaves_out_of_its_cost() -> None:
    asked = ("--within-days", "400", "--cards", "h100-sxm,gaudi3,16", "--json")
    data = json.loads(run(size_command, "-", *asked, plan=PLAN + '[cost]\nbasis = "own"\n').stdout)
    costs = {one["card"]: one["cost_usd"] for one in data["results"]}
    assert costs["gaudi3"] > 0
    assert [(p["key"], "Gaudi 3" in p["message"]) for p in data["problems"]] == [("cost.card_usd", True)]


@pytest.mark.parametrize(
    ("options", "words"),
    [(("--within-days", "nan"), "nan is not a finite"), (("--within-days", "inf"), "inf is not a finite"),
     (("--within-days", "0"), "not in the range"), (("--within-days", "9", "--cards", ","), "commas between them"),
     (("--within-days", "9", "--cards", "0"), "no number of cards"),
     (("--within-days", "9", "--cards", "9007199254740993"), "9007199254740993 is too large; whole numbers go up to"),
     (("--within-days", "9", "--cards", "9" * 5000), "is too large; whole numbers go up to 2^53"),
     (("--within-days", "9", "--cards", "1,024"), "024 is no number of cards; thousands are written without a comma"),
     (("--within-days", "9", "--cards", "b200"), "Did you mean")],
)  # fmt: skip
def test_size_refuses_what_it_cannot_mean(options: tuple[str, ...], words: str) -> None:
    assert words in refused(planner("size", "llama-3.1-8b", *options))


def test_sweep_prints_rows() -> None:
    done = run(sweep_command, "-", "--vary", "cluster.cards=8,16", "--strategies", "best")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("cluster.cards,strategy.tensor,")
    assert len(lines) == 3


@pytest.mark.parametrize("more", [(), ("--scale",)])
def test_headroom_is_a_number(more: tuple[str, ...]) -> None:
    message = refused(planner("search", "llama-3.1-8b", "--headroom", "nan", *more))
    assert "'--headroom': nan is not a finite number" in message


@pytest.mark.parametrize("text", ["tensor", "tensor=", "tensor=1,2", "tensor=1:4", "cards=8"])
def test_what_is_kept_is_told_with_an_example_of_a_strategy(text: str) -> None:
    message = refused(planner("search", "llama-3.1-8b", "--keep", text))
    assert f"--keep: '{text}': write KEY=VALUE, for example tensor=8" in message


@pytest.mark.parametrize(
    ("key", "words"),
    [("estimate.cards", "never read. Did you mean cluster.cards?"), ("claim.mfu", "no figure depends on claim.mfu")],
)
def test_sweep_refuses_a_key_no_figure_depends_on(key: str, words: str) -> None:
    assert words in refused(planner("sweep", "llama-3.1-8b", "--vary", f"{key}=1"))


def test_sweep_refuses_a_file_whose_name_says_something_else(tmp_path: Path) -> None:
    out = tmp_path / "rows.xlsx"
    message = refused(planner("sweep", "llama-3.1-8b", "--vary", "cluster.cards=64", "-o", str(out)))
    assert "cannot be written as .xlsx. Write a name that ends in .csv or .parquet." in message
    assert not out.exists()


def test_sweep_refuses_a_key_that_is_none() -> None:
    from planner.spec.base import PlanError

    with pytest.raises(PlanError, match=r"cluster\.colour"):
        run(sweep_command, "-", "--vary", "cluster.colour=1,2", plan=PLAN + "[strategy]\n")


def test_long_rows_are_folded_where_somebody_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run(search_command, "deepseek-v3", "--top", "3").stdout.splitlines()
    rows = [line for line in whole if "· micro 1" in line]
    assert len(rows) == 3
    assert max(map(len, rows)) > 100
    monkeypatch.setattr("planner.cli.output.folding", lambda: 80)
    folded = run(search_command, "deepseek-v3", "--top", "3").stdout.splitlines()
    start = folded.index(next(line for line in folded if line.endswith("strategy")))
    end = folded.index("", start)
    assert max(map(len, folded[start:end])) <= 80
    assert " ".join(" ".join(rows).split()) == " ".join(" ".join(folded[start + 1 : end]).split())


def test_everything_is_evaluated_where_it_is_asked_for() -> None:
    small = PLAN.replace("cards = 16", "cards = 2").replace("global_batch = 64", "global_batch = 4")
    data = json.loads(run(search_command, "-", "--json", "--exhaustive", plan=small).stdout)
    assert data["exhaustive"]
    assert data["feasible"] + data["too_large"] == data["searched"] > 0
    assert data["slower"] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--card h100-sxm", "--card goes with --scale."),
        ("--scale --json", "--json does not go with --scale."),
        ("--scale --exhaustive", "--exhaustive does not go with --scale."),
        ("--scale --top 3", "--top does not go with --scale."),
    ],
)
def test_an_option_that_would_have_no_effect_is_refused(options: str, message: str) -> None:
    assert message in refused(planner("search", "llama-3.1-8b", *options.split()))
