"""Every picture is the same text on screen and on the command line, at the same width."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from tests.cli.helpers import planner
from tests.tui.helpers import CATALOG, plain_answer, plain_claims, plain_explain, plain_size, press

from planner.engine.estimate import evaluate
from planner.engine.found import SearchResult
from planner.engine.search import search
from planner.engine.search_space import Constraints
from planner.spec.plan import Resolved
from planner.tui.app import PlannerApp
from planner.tui.screens.accuracy import Families, PlanAccuracy
from planner.tui.screens.pictures import PicturesPage
from planner.tui.screens.scale import Charts
from planner.tui.screens.strategies import Picture
from planner.tui.thinking import Tools
from planner.tui.widgets.lines import Line
from planner.tui.widgets.results import MemoryPanel, StepPanel

PLAN = "deepseek-v3"


def searched(
    resolved: Resolved, top: int, _check: object = None, constraints: Constraints | None = None, /
) -> SearchResult:
    """The real search, in this process."""
    return search(resolved, top, constraints or Constraints())


REAL = Tools(searched, plain_explain, plain_claims, plain_answer, plain_size, beside=False)


def app() -> PlannerApp:
    """The real engine, without a helper process."""
    return PlannerApp(CATALOG.plan(PLAN), PLAN, catalog=CATALOG, engine=evaluate, tools=REAL)


def text(lines: Iterable[Line]) -> str:
    """Lines of a widget, without what fills them up."""
    return "\n".join("".join(words for words, _ in line).rstrip() for line in lines)


def command(monkeypatch: pytest.MonkeyPatch, width: int, *words: str) -> str:
    """What the command line prints in so many columns."""
    monkeypatch.setattr("planner.cli.output.PIPE_WIDTH", width)
    return "\n".join(line.rstrip() for line in planner(*words).stdout.splitlines())


async def test_where_a_step_goes_and_memory_by_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    one = app()
    async with one.run_test(size=(120, 40)) as pilot:
        for key, kind in (("alt+5", StepPanel), ("alt+6", MemoryPanel)):
            await press(pilot, key)
            panel = one.screen.query_one(kind)
            width = panel.size.width - 1
            shown = f"{panel.title_text()}\n{text(panel.body(width, 40))}"
            assert shown in command(monkeypatch, width, "estimate", PLAN, "--pictures")


@pytest.mark.parametrize("width", [79, 119])
async def test_the_timeline_and_the_rank_map(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    one = app()
    async with one.run_test(size=(120, 40)) as pilot:
        await press(pilot, "p")
        shown = text(one.screen.query_one(PicturesPage).body(width, 40)).split("\n")
        printed = command(monkeypatch, width, "estimate", PLAN, "--pictures")
        drawn = [
            line for line in shown if line.startswith(("  stage", "  node", "  data ", "  expert ", "  pipeline "))
        ]
        assert len(drawn) > 20
        assert all(line in printed.split("\n") for line in drawn)
        words = " ".join(" ".join(shown).split())
        for heading in ("What the stages do when", "Which ranks share what"):
            assert heading in words
            assert heading in printed


async def test_days_against_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    one = app()
    async with one.run_test(size=(120, 40)) as pilot:
        await press(pilot, "s")
        picture = text(one.screen.query_one(Picture).body(91, 16)).rpartition("\n  Cost grows")[0]
        assert "◆ this plan" in picture
        assert picture in command(monkeypatch, 100, "search", PLAN)


async def test_days_cost_and_mfu_against_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    one = app()
    async with one.run_test(size=(120, 40)) as pilot:
        await press(pilot, "l")
        for width in (70, 100):
            picture = text(one.screen.query_one(Charts).pictures(width, 14))
            assert picture.count("●") > 20
            assert picture in command(monkeypatch, width, "search", PLAN, "--scale")


async def test_errors_by_family_and_predicted_against_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    one = app()
    async with one.run_test(size=(120, 40)) as pilot:
        await press(pilot, "a")
        await one.workers.wait_for_complete()
        printed = command(monkeypatch, 100, "validate", "--held-out")
        families = text(one.screen.query_one(Families).body(100, 40)).split("\n")
        assert "\n".join(line for line in families if line.startswith("  all runs")) in printed
        start = next(place for place, line in enumerate(families) if line.startswith("  all runs"))
        assert "\n".join(families[start - 1 : -2]).rstrip() in printed
        chart = text(one.screen.query_one(PlanAccuracy)._chart(100, 22)).split("\n")
        assert "\n".join(chart[1:]) in printed


def test_held_out_errors_go_alone() -> None:
    assert "goes alone" in planner("validate", "--held-out", "--json").stderr
