"""What is wrong with a file is said in words: where, what, what is allowed, and which name was probably meant."""

import math
from typing import Any

import pytest
from tests.plans import DENSE, data

from planner.spec.base import PlanError, Problem
from planner.spec.card import Card
from planner.spec.fleet import parse_fleet
from planner.spec.model import Model
from planner.spec.parse import MAX_BYTES, build, load_toml, parse_plan
from planner.spec.words import escaped, nearest, shown

PLAN = """
schema = 1
[cluster]
card = "h100-sxm"
cards = 64
[workload]
model = "llama3.1-8b"
tokens = 15e12
[strategy]
tensor = 8
"""


def problems(text: str | bytes) -> tuple[Problem, ...]:
    with pytest.raises(PlanError) as caught:
        parse_plan(load_toml(text, "plan.toml"), "plan.toml")
    assert all(line.startswith("plan.toml: ") for line in caught.value.lines())
    return caught.value.problems


def only(text: str | bytes) -> Problem:
    (problem,) = problems(text)
    return problem


def test_a_whole_plan_is_read() -> None:
    plan = parse_plan(load_toml(PLAN, "plan.toml"), "plan.toml")
    assert plan.cluster.cards == 64
    assert plan.strategy is not None
    assert plan.strategy.tensor == 8


FILES = {
    "empty": (b"", "the file is empty."),
    "blank": (b" \n\t\n", "the file is empty."),
    "zero bytes": (b"schema = 1\0", "not a text file"),
    "binary": (bytes(range(128, 256)), "not a UTF-8 text file (byte 0x80 on line 1)"),
    "latin-1": ('schema = 1\nname = "é"'.encode("latin-1"), "byte 0xe9 on line 2"),
    "too large": (b" " * (MAX_BYTES + 1), "larger than 16 MB"),
    "no TOML": (b"schema = \n", "not valid TOML: Invalid value (at line 1, column 10)"),
    "twice": (b"schema = 1\nschema = 1\n", "not valid TOML: Cannot overwrite a value (at line 2"),
    "nested": (b"x = " + b"[" * 5000, "nested too deeply"),
    "long number": (b"x = " + b"9" * 5000, "more digits than this program reads"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_no_toml(name: str) -> None:
    raw, words = FILES[name]
    assert words in only(raw).message


def test_json_is_told_apart() -> None:
    assert "It looks like JSON" in only('{"schema": 1}').fix


def test_a_byte_order_mark_is_read_over() -> None:
    assert load_toml(b"\xef\xbb\xbfschema = 1", "plan.toml") == {"schema": 1}


CASES = {
    # change of the text -> key, words of the message, words of the fix
    "unknown key": (("cards = 64", "crads = 64"), "cluster.crads", "unknown key.", "Did you mean cards?"),
    "unknown table": (("[strategy]", "[stratgy]"), "stratgy", "unknown key.", "Did you mean strategy?"),
    "wrong table": (("cards = 64", "cards = 64\ntensor = 8"), "cluster.tensor", "unknown", "belongs in [strategy]"),
    "top level": (("schema = 1", "schema = 1\ncards = 64"), "cards", "unknown key.", "belongs in [cluster]"),
    "text": (("cards = 64", 'cards = "64"'), "cluster.cards", '"64" is not allowed', "Write 64, without quotes."),
    "separators": (("cards = 64", 'cards = "2,048"'), "cluster.cards", '"2,048" is not', "Write 2048, without quotes."),
    "float": (("cards = 64", "cards = 64.0"), "cluster.cards", "a whole number of at least 1", "Write 64, without a d"),
    "fraction": (("cards = 64", "cards = 64.5"), "cluster.cards", "64.5 is not allowed; it must be a whole number", ""),
    "zero": (("cards = 64", "cards = 0"), "cluster.cards", "0 is not allowed; it must be a whole number of at l", ""),
    "truth": (("tensor = 8", 'sequence = "true"'), "strategy.sequence", "it must be true or false", "Write true, with"),
    "number for truth": (("tensor = 8", "sequence = 1"), "strategy.sequence", "1 is not allowed; it must be true", ""),
    "choice": (("tensor = 8", 'schedule = "1f1f"'), "strategy.schedule", "one of gpipe, 1f1b,", 'Did you mean "1f1b"?'),
    "list": (("tensor = 8", 'recompute_modules = "norm"'), "strategy.recompute_modules", "a list, of", '["norm"]'),
    "item": (("tensor = 8", 'recompute_modules = ["nrom"]'), "strategy.recompute_modules[0]", '"nrom" is', '"norm"?'),
    "table": (("tensor = 8", "overlap = true"), "strategy.overlap", "true is not allowed; it must be a table", ""),
    "nested": (("tensor = 8", "overlap = { dta = true }"), "strategy.overlap.dta", "unknown key", "Did you mean data?"),
    "list for id": (('"h100-sxm"', "[1]"), "cluster.card", "a catalogue id (text) or a table", ""),
    "endless": (("15e12", "inf"), "workload.tokens", "inf is not a finite number", ""),
    "no number": (("15e12", "nan"), "workload.tokens", "nan is not a finite number", ""),
    "negative": (("15e12", "-1.0"), "workload.tokens", "-1.0 is not allowed; it must be a number above 0", ""),
    "huge": (("cards = 64", f"cards = {2**60}"), "cluster.cards", "too large", ""),
    "whole in powers": (("cards = 64", "cards = 1e20"), "cluster.cards", "1e+20 is too large; whole numbers go up", ""),
    "zero with a point": (("cards = 64", "cards = 0.0"), "cluster.cards", "0.0 is not allowed; it must be", ""),
    "beyond": (("15e12", "1e308"), "workload.tokens", "1e+308 is too large; numbers go up to 1e30.", ""),
    "next to nothing": (("15e12", "5e-324"), "workload.tokens", "5e-324 is too small; numbers above 0 begin at", ""),
    "date": (("[strategy]", '[cost]\nrent_date = "20x4"\n[strategy]'), "cost.rent_date", 'a year ("2024"), a', ""),
    "list of tables": (("[cluster]", "[[cluster]]"), "cluster", "a list of tables is not allowed", "Write [cluster]."),
    "missing key": (("cards = 64", ""), "cluster.cards", "this key is missing.", "Add cards = ... under [cluster]: a"),
    "newer": (("schema = 1", "schema = 2"), "schema", "this file is schema 2; this planner reads up to 1: update", ""),
    "no schema": (("schema = 1", ""), "", "does not say which schema", "Add the line schema = 1 at the top."),
    "odd schema": (("schema = 1", 'schema = "one"'), "schema", '"one" is no schema number', "Write schema = 1."),
    "fleet": (("schema = 1", 'schema = 1\nkind = "fleet"'), "kind", "not a plan", "`planner fleet FILE` reads it"),
    "runs": (("schema = 1", 'schema = 1\nkind = "runs"'), "kind", "not a plan", "`planner validate --runs FILE`"),
    "escape": (("schema = 1", 'schema = 1\nname = "\\u001b[31m"'), "name", '"\\x1b[31m" holds control char', "Remove"),
    "key of escapes": (("schema = 1", 'schema = 1\n"\\u001b[2J" = 1'), "\\x1b[2J", "this key holds control ch", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_mistake_is_told_with_its_remedy(name: str) -> None:
    (old, new), key, message, fix = CASES[name]
    assert PLAN.count(old) == 1
    problem = problems(PLAN.replace(old, new))[0]
    assert problem.key == key
    assert message in problem.message
    assert fix in problem.fix


@pytest.mark.parametrize("value", [10**20, 1e31, math.nan, math.inf, -1e300])
def test_a_table_that_came_from_no_file_has_the_same_bounds(value: float) -> None:
    with pytest.raises(PlanError) as caught:
        parse_plan(data(workload__tokens=value), "edit")
    (problem,) = caught.value.problems
    assert problem.key == "workload.tokens"


def test_a_missing_table_is_told_with_the_file() -> None:
    problem = only("schema = 1\n[cluster]\ncard = 'h100-sxm'\ncards = 8\n")
    assert (problem.key, problem.message) == ("workload", "this table is missing.")
    assert problem.fix == "Add a [workload] table to plan.toml."


def test_every_mistake_is_told_at_once() -> None:
    text = PLAN.replace("cards = 64", "cards = 0\ncrads = 1").replace("tensor = 8", "tensor = 'x'")
    assert [p.key for p in problems(text)] == ["cluster.cards", "cluster.crads", "strategy.tensor"]


def test_a_change_can_be_applied_by_a_program() -> None:
    problem = only(PLAN.replace("tensor = 8", 'sharding = "zero-1"'))
    assert problem.change == (("strategy.sharding", "zero1"),)


def test_the_estimate_block_is_never_read() -> None:
    text = PLAN + "[estimate]\nmfu = 'anything'\nwhatever = 1\n"
    assert parse_plan(load_toml(text, ""), "").estimate is None
    assert "estimate" in only(PLAN.replace("schema = 1", "schema = 1\nestimate = 1")).key


RULES_OF_ONE: dict[str, tuple[dict[str, Any], str]] = {
    "head groups": ({"kv_heads": 7}, "heads (32) must be a multiple of kv_heads (7)"),
    "latent": ({"attention": "mla"}, "needs the table mla"),
    "latent by another name": (
        {"mla": {"q_lora": 0, "kv_lora": 512, "qk_nope": 128, "qk_rope": 64, "v_head": 128}}, "attention = 'gqa'",
    ),
    "a head each": ({"attention": "mha"}, "'mha' has one for each head, but kv_heads = 8: write 'gqa'"),
    "one for all": ({"attention": "mqa"}, "'mqa' has one for all heads, but kv_heads = 8: write 'gqa'"),
    "top k": ({"moe": {"experts": 4, "topk": 8, "expert_ffn": 64}}, "moe.topk (8) cannot exceed moe.experts (4)"),
    "no ffn": ({"ffn_hidden": 0}, "ffn_hidden is needed"),
    "too many": ({"moe": {"experts": 4, "topk": 2, "expert_ffn": 64, "layers": 40}}, "moe.layers (40) exceeds layers"),
    "too many of no width": (
        {"ffn_hidden": 0, "moe": {"experts": 4, "topk": 2, "expert_ffn": 64, "layers": 40}}, "moe.layers (40) exceeds",
    ),
    "too many dense": (
        {"moe": {"experts": 4, "topk": 2, "expert_ffn": 64, "first_k_dense": 30, "dense_layers": 9}},
        "moe.first_k_dense + moe.dense_layers (39) exceed layers (32)",
    ),
    "pattern": ({"hybrid": {"pattern": "MM", "mamba_heads": 1, "mamba_head_dim": 1, "mamba_state": 1}}, "2 letters"),
}  # fmt: skip


@pytest.mark.parametrize("name", RULES_OF_ONE)
def test_rules_about_a_model_alone(name: str) -> None:
    change, words = RULES_OF_ONE[name]
    with pytest.raises(PlanError) as caught:
        build(Model, {**DENSE, **change}, "", "workload.model")
    assert words in caught.value.lines()[0]
    assert caught.value.problems[0].key == "workload.model"


def test_a_pattern_of_unknown_letters() -> None:
    hybrid: dict[str, Any] = {"pattern": "M?", "mamba_heads": 1, "mamba_head_dim": 1, "mamba_state": 1}
    with pytest.raises(PlanError) as caught:
        build(Model, {**DENSE, "layers": 2, "hybrid": hybrid}, "")
    assert caught.value.problems[0].key == "hybrid.pattern"
    assert '"M?" is not allowed; it must be text of the letters M, E, * and -' in caught.value.problems[0].message


def test_lists_of_tables_are_named_by_number() -> None:
    price = {"low": 1.0, "high": 2.0, "basis": "x", "date": "2025", "source": "y", "verified": True}
    card = {
        "name": "x", "vendor": "x", "architecture": "hopper", "memory_gb": 80.0, "memory_tb_per_s": 3.0,
        "peak_tflops": {"bf16": 989}, "tdp_w": 700, "scale_up": "nvlink4", "price_usd": [price, {**price, "low": "1"}],
    }  # fmt: skip
    with pytest.raises(PlanError) as caught:
        build(Card, card, "")
    assert [p.key for p in caught.value.problems] == ["price_usd[1].low"]
    with pytest.raises(PlanError, match="needs a peak in bf16 or fp16"):
        build(Card, {**card, "peak_tflops": {"fp8": 1979.0}, "price_usd": []}, "")


def test_fleets_say_what_they_are() -> None:
    cluster = {"name": "one", "card": "h100-sxm", "cards": 8}
    assert parse_fleet({"schema": 1, "kind": "fleet", "cluster": [cluster]}, "").cluster[0].basis == "own"
    for wrong, key in (
        ({"schema": 1, "cluster": [cluster]}, "kind"),
        ({"schema": 9, "kind": "fleet", "cluster": [cluster]}, "schema"),
        ({"schema": 1, "kind": "fleet", "cluster": []}, "cluster"),
        ({"schema": 1, "kind": "fleet", "cluster": [{**cluster, "cards": 0}]}, "cluster[0].cards"),
    ):
        with pytest.raises(PlanError) as caught:
            parse_fleet(wrong, "")
        assert caught.value.problems[0].key == key


def test_inline_tables_are_checked_when_they_are_looked_up() -> None:
    parse_plan(data(cluster__card={"base": "h100-sxm", "memory_gb": 96.0}), "")


def test_names_are_found_by_likeness_and_beginning() -> None:
    names = ["tensor", "sequence", "virtual_stages"]
    assert nearest("tensr", names) == "tensor"
    assert nearest("Virtual-Stages", names) == "virtual_stages"
    assert nearest("seq", names) == "sequence"
    assert nearest("se", ["sequence"]) == ""
    assert nearest("colour", names) == ""


def test_nothing_shown_acts_on_a_terminal() -> None:
    assert escaped("a\x1b]0;title\x07b\u202ec") == "a\\x1b]0;title\\x07b\\u202ec"
    assert escaped("line\nnext", keep="\n") == "line\nnext"
    assert escaped("naïve 東京 👩\u200d💻") == "naïve 東京 👩\u200d💻"
    assert shown({"a": 1}) == "a table"
    assert len(shown("x" * 1000)) == 60


def test_a_misspelt_key_is_not_missing_as_well() -> None:
    assert [p.key for p in problems(PLAN.replace("cards = 64", "crads = 64"))] == ["cluster.crads"]
    assert [p.key for p in problems(PLAN.replace("cards = 64", "colour = 64"))] == ["cluster.cards", "cluster.colour"]
    assert [p.key for p in problems(PLAN.replace("[workload]", "[worklaod]"))] == ["worklaod"]


def test_a_window_needs_no_attention_layer() -> None:
    hybrid = {"pattern": "MMMM", "mamba_heads": 8, "mamba_head_dim": 64, "mamba_state": 128}
    model = build(Model, {**DENSE, "layers": 4, "hybrid": hybrid, "window": 128, "full_every": 4}, "")
    assert model.windowed_share == 0


def test_a_plan_among_the_fleets_is_told_where_it_belongs() -> None:
    with pytest.raises(PlanError, match="It is a plan; `planner estimate FILE` reads it"):
        parse_fleet(load_toml(PLAN, "plan.toml"), "plan.toml")
