"""A table of outcomes: one row a plan, and nothing a spreadsheet would run."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.plans import outcome, told

from planner.exchange.as_csv import dumps, safe_cell


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_row_a_plan_with_dotted_headings() -> None:
    done = told()
    (row,) = rows(dumps([done]))
    assert row["plan.cluster.cards"] == "64"
    assert row["plan.name"] == "A plan"
    assert row["fits"] == "true"
    assert float(row["estimate.mfu"]) == done.estimate.mfu
    assert row["estimate.step_breakdown_s.tensor"] == "1.0"
    assert row["estimate.interval_80.mfu"] == "0.36; 0.46"
    assert row["estimate.memory_gb_by_stage"] == "58.0; 48.0"
    assert row["estimate.extra.steps"] == "238419.0"
    assert "power.pue = 1.25" in row["defaults"]
    assert not any("bill_of_materials" in heading for heading in row)


def test_plans_of_different_keys_share_a_table() -> None:
    first, second = rows(dumps([told(), outcome(cost__years=3.0, strategy__sharding="zero3")]))
    assert first["plan.cost.years"] == ""
    assert second["plan.cost.years"] == "3.0"
    assert second["problems"].startswith("info: zero3 with a pipeline")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\n", "＝"])
def test_text_that_a_spreadsheet_would_run_is_quoted(start: str) -> None:
    evil = f"{start}HYPERLINK(1)"
    assert safe_cell(evil) == f"'{evil}"
    (row,) = rows(dumps([outcome(name=evil, sources=[evil, "x"], claim__source=evil)]))
    assert row["plan.name"].startswith("'")
    assert row["plan.sources"].startswith("'")
    assert row["plan.claim.source"].startswith("'")


@given(st.text())
def test_no_text_begins_as_a_formula_or_acts_on_a_terminal(text: str) -> None:
    cell = safe_cell(text)
    assert isinstance(cell, str)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert not any(ord(letter) < 32 and letter not in "\n\t" for letter in cell)


@pytest.mark.parametrize("value", [-1.5, 3, True, None])
def test_numbers_stay_numbers(value: object) -> None:
    assert safe_cell(value) is value


def test_keys_of_inline_tables_are_headings_and_quoted_as_well() -> None:
    (row,) = rows(dumps([outcome(cluster__card={"base": "h100-sxm", "name": "=1+1", "tdp_w": 600.0})]))
    assert row["plan.cluster.card.name"] == "'=1+1"
    assert row["plan.cluster.card.tdp_w"] == "600.0"


def test_escapes_are_shown() -> None:
    (row,) = rows(dumps([outcome(name="a\x1b[31m\rb")]))
    assert row["plan.name"] == "a\\x1b[31m\\rb"


def test_commas_and_lines_stay_in_their_cell() -> None:
    (row,) = rows(dumps([outcome(notes='a, "b"\nc')]))
    assert row["plan.notes"] == 'a, "b"\nc'


def test_what_no_price_is_known_of_costs_nothing_to_read() -> None:
    text = dumps([outcome(cluster__card="tpu-v5p"), outcome(cost__usd_per_card_hour=0.0)])
    unpriced, free = csv.DictReader(io.StringIO(text))
    for key in ("cost_usd", "usd_per_million_tokens", "interval_80.cost_usd"):
        assert unpriced[f"estimate.{key}"] == ""
        assert free[f"estimate.{key}"].startswith("0.0")
    assert "no rental price is known" in unpriced["problems"]
