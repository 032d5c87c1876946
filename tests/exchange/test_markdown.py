"""The Markdown report: the same figures, and text from files that stays text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.plans import PRESETS, outcome, preset, told

from planner.exchange.figures import headline
from planner.exchange.markdown import markdown, plain


def test_sections_and_figures() -> None:
    text = markdown(told())
    assert text.startswith("# A plan\n\n64 x H100 SXM5 80 GB · dense · ")
    assert "**It fits.**" in text
    assert "| MFU | 40.5 % | 36.0 – 46.0 % | HFU 45.0 %, by 6ND 38.0 % |" in text
    assert "| – matrix products | 4.00 s | 50.0 % |" in text
    assert "| 0 | 4.00 GB | 8.00 GB | 2.00 GB | 40.0 GB | 4.00 GB | 58.0 GB |" in text
    assert "| cable | 128 | no price |  |" in text
    assert "`power.pue` 1.25" in text
    assert "Claimed: MFU 40.0 %, 1,500 card-hours (a \\[paper\\])." in text
    assert "80 % ranges: from 12 measured runs like it." in text
    assert "80 % ranges: no measured run is known to be like it." in markdown(told(runs_behind=0))


def test_stages_that_read_the_same_share_a_line() -> None:
    parts = told().estimate.memory_by_stage_gb
    text = markdown(told(memory_by_stage_gb=(parts[0], parts[1], parts[1])))
    assert "| 1 – 2 | 4.00 GB |" in text


@pytest.mark.parametrize("name", PRESETS)
def test_every_table_is_whole(name: str) -> None:
    done = preset(name)
    text = markdown(done)
    for figure in headline(done):
        assert f"| {figure.name} | {figure.value} | {figure.range_80} | {figure.note} |" in text
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert len(tables) == 4
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_problems_and_sources() -> None:
    text = markdown(outcome(strategy__sharding="zero3", sources=["a <b> | c", "1. d"]))
    assert "- **info** `strategy.sharding`: zero3 with a pipeline" in text
    assert "- a \\<b\\> \\| c\n- 1\\. d\n" in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[x](javascript:1)", "\\[x\\](javascript:1)"),
        ("<script>", "\\<script\\>"),
        ("`a` *b* _c_ ~d~", "\\`a\\` \\*b\\* \\_c\\_ \\~d\\~"),
        ("a\n\n# b", "a \\# b"),
        ("- a", "\\- a"),
        ("2) a", "2\\) a"),
        ("$x$", "\\$x\\$"),
        ("\x1b[2J\u202e", "\\\\x1b\\[2J\\\\u202e"),
        ("plain (text), v1.2.", "plain (text), v1.2."),
    ],
)
def test_text_from_files_is_shown_as_it_is(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(st.text())
def test_no_text_leaves_its_line_or_cell(text: str) -> None:
    shown = plain(text)
    assert "\n" not in shown
    assert not re.search(r"(?<!\\)(\\\\)*[|<`]", shown)
