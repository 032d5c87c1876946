"""Best strategy, compare, costs, audit, fleet, limits: real keys, and the figures they lead to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.tui.helpers import (
    CATALOG,
    PLAIN,
    app_on,
    plain_engine,
    plain_search,
    press,
    screen_text,
    table,
)

from planner.engine.found import Ranked, SearchResult
from planner.exchange import plan_toml
from planner.spec.plan import Resolved
from planner.tui.app import PlannerApp
from planner.tui.screens.audit import AuditScreen
from planner.tui.screens.limits import LimitsScreen
from planner.tui.screens.workbench import WorkbenchScreen
from planner.tui.widgets import best as best_module
from planner.tui.widgets.best import BestLine

WIDE, SMALL = (120, 40), (80, 24)
BOTH = pytest.mark.parametrize("size", [WIDE, SMALL])


def best_words(app: PlannerApp) -> str:
    line = app.workbench.query_one(BestLine)
    return "".join(text for row in line.build(120, 2) for text, _ in row)


# ------------------------------------------------------------------------------------------------- best strategy


@BOTH
async def test_the_best_strategy_is_on_screen_and_a_key_applies_it(size: tuple[int, int]) -> None:
    app = app_on()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        # A step of 18 s, not 20: 49.0 days, not 54.5, which are 10.0 % less.
        assert "Best found: 49.0 days (-10.0 %), 70.0 GB" in screen_text(app)
        await press(pilot, "b")
        assert app.session.plan.strategy is not None
        assert app.session.stated("strategy.recompute") == "full"
        assert [step.label for step in app.session.history] == ["opened", "best strategy"]
        assert "no other of 1,000 strategies is faster" in screen_text(app)
        await press(pilot, "b")
        assert "there is no better strategy to apply" in screen_text(app)
        await press(pilot, "u")
        assert app.session.stated("strategy.recompute") == "selective"
        assert "Best found: 49.0 days" in screen_text(app)


async def test_the_best_strategy_follows_each_edit() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "text:4096")
        assert "Best found: 24.5 days (-10.0 %)" in screen_text(app)
        await press(pilot, "text:1")
        assert "Best found" not in screen_text(app)  # 40,961 cards have no layout
        await press(pilot, "escape")
        assert "Best found: 49.0 days" in screen_text(app)


def only_on_25_stages(resolved: Resolved, top: int, *_: object) -> SearchResult:
    """A search that finds one strategy, with a pipeline of 25; none on numbers of cards that are odd."""
    if resolved.plan.cluster.cards % 2:
        return replace(plain_search(resolved, top), ranked=(), searched=0)
    one = resolved.strategy.model_copy(update={"pipeline": 25, "expert": 8, "schedule": "1f1b"})
    return replace(plain_search(resolved, top), ranked=(Ranked(one, 18.0, 70.0),))


async def test_a_plan_with_an_impossible_layout_has_a_best_strategy_that_mends_it() -> None:
    tools = replace(PLAIN, search=only_on_25_stages)
    app = PlannerApp(CATALOG.plan("deepseek-v3"), "deepseek-v3", catalog=CATALOG, engine=plain_engine, tools=tools)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "text:1000 enter")
        assert "16 = 16 cards. Use cards" in screen_text(app)
        assert app.session.stale
        assert "Best found: 112 days and valid" in screen_text(app)  # 54.5 days x 2,048 / 1,000
        await press(pilot, "b")
        assert not app.session.stale
        assert (app.session.plan.cluster.cards, app.session.stated("strategy.pipeline")) == (1_000, 25)
        assert "✓ fits" in screen_text(app)
        await press(pilot, "text:1001 enter")
        assert "No strategy is valid on these cards; s says why" in screen_text(app)
        await press(pilot, "b")
        assert "there is no better strategy to apply" in screen_text(app)


async def test_while_a_number_is_typed_no_letter_is_offered_as_a_key() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "text:4096")
        assert "Enter, then b applies it" in screen_text(app)
        await press(pilot, "enter")
        assert "  b applies it" in screen_text(app)
        assert "Enter, then" not in screen_text(app)
        await press(pilot, "text:4095")  # has no layout; another number of cards is proposed
        assert "→" in screen_text(app)
        assert "f applies it" not in screen_text(app)
        await press(pilot, "enter")
        assert "f applies it" in screen_text(app)


async def test_what_would_help_most_stands_below_it() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert "10 % more of: card FLOP/s -3.27 days · scale-out bandwidth -0.545 days" in screen_text(app)
        await press(pilot, "x")
        assert isinstance(app.screen, LimitsScreen)
        text = screen_text(app)
        assert "card price" in text
        assert "+$500 k (+10.0 %)" in text
        assert "-3.27 days (-6.0 %)" in text
        assert "No effect to speak of: memory size." in text
        await press(pilot, "escape")
        assert isinstance(app.screen, WorkbenchScreen)


async def test_nothing_fits_is_said() -> None:
    def none(resolved: Resolved, top: int, _check: object = None, _limits: object = None) -> SearchResult:
        return replace(plain_search(resolved, top), ranked=(), front=())

    app = app_on()
    app.session.tools = replace(PLAIN, search=none)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert "None of 1,000 strategies fits these cards" in screen_text(app)


async def test_an_edit_stops_the_search_of_the_plan_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(best_module, "DELAY_S", 0.001)
    begun, stopped, cards = threading.Event(), threading.Event(), list[int]()

    def slow(resolved: Resolved, top: int, check: Callable[[], None], _limits: object = None) -> SearchResult:
        cards.append(resolved.plan.cluster.cards)
        if len(cards) > 1:
            return plain_search(resolved, top)
        begun.set()
        try:
            while True:
                check()
        finally:
            stopped.set()

    app = app_on()
    app.session.tools = replace(PLAIN, search=slow, beside=True)
    async with app.run_test(size=WIDE) as pilot:
        while not begun.is_set():
            await pilot.pause(0.01)
        assert "Looking for the best strategy" in screen_text(app)
        await press(pilot, "text:4096 enter")
        while app.workbench.query_one(BestLine).found is None:
            await pilot.pause(0.01)
        await pilot.pause()
        assert stopped.is_set()
        assert cards[-1] == 4096
        assert "Best found: 24.5 days" in screen_text(app)


async def test_a_plan_without_a_strategy_opens_with_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = CATALOG.plan("deepseek-v3")
    bare = plan.model_copy(update={"strategy": None})
    monkeypatch.setattr("planner.choose.best_for", lambda *_: plan)
    app = PlannerApp(bare, "bare", catalog=CATALOG, engine=plain_engine, tools=PLAIN)
    async with app.run_test(size=WIDE):
        assert app.session.plan.strategy == plan.strategy
        assert app.session.outcome is not None


# ------------------------------------------------------------------------------------------------------ compare


@BOTH
async def test_compare_with_the_plan_on_another_card(size: tuple[int, int]) -> None:
    app = app_on()
    async with app.run_test(size=size) as pilot:
        await press(pilot, "c")
        assert "n picks one, or a preset" in " ".join(screen_text(app).split())
        await press(pilot, "n")
        await press(pilot, ["text:cluster.card=h100-sxm", "enter"])
        text = screen_text(app)
        assert "[2]: with card h100-sxm" in text
        assert "nvlink4-h800" in text
        assert "scale_up.gb_per_s" in text
        await press(pilot, "n")
        await press(pilot, ["text:preset=llama-3.1-405b ", "enter"])
        assert "[3]: Llama 3.1 405B" in screen_text(app)
        await press(pilot, "delete delete")
        assert "[2]" not in screen_text(app)


async def test_a_plan_file_of_the_folder_can_be_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.toml").write_text(plan_toml.write(CATALOG.plan("bloom-176b")), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "c n")
        await press(pilot, ["text:mine.toml", "enter"])
        assert "[2]: BLOOM 176B pre-training" in screen_text(app)
        assert "planner compare session mine.toml" in screen_text(app)


async def test_compare_never_cuts_a_line_in_a_small_terminal() -> None:
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "c")
        for other in ("cluster.card=h100-sxm", "cluster.card=gb200-nvl72", "preset=bloom-176b "):
            await press(pilot, ["n", f"text:{other}", "enter"])
        await press(pilot, "pagedown pagedown")
        assert "…" not in screen_text(app).replace("moe…", "")


# ------------------------------------------------------------------------------------------------------- costs


@BOTH
async def test_costs_are_one_key_away_and_follow_the_plan(size: tuple[int, int]) -> None:
    app = app_on()
    async with app.run_test(size=size) as pilot:
        await press(pilot, "C")
        text = screen_text(app)
        for words in ("rented, as planned", "owned", "a year", "colocation", "catalogue, high"):
            assert words in text
        # 2,048 cards x 2 $ x 8,766 hours.
        assert "$35.9 M" in text
        if size == SMALL:
            await press(pilot, "tab")
        assert "Carbon of the run" in screen_text(app)
        assert "facility, PUE 1.25" in screen_text(app)
        await press(pilot, ["escape", "escape"] if size == SMALL else "escape")
        await press(pilot, "text:1024 enter C")
        assert "$18.0 M" in screen_text(app)


async def test_every_part_of_the_costs_is_reached_with_tab_in_a_small_terminal() -> None:
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "C tab tab")
        assert "Young/Daly" in screen_text(app)
        await press(pilot, "tab")
        assert "96 switches of 64 ports in 2 tiers" in screen_text(app)
        await press(pilot, "tab")
        assert "Bill of materials" in screen_text(app)


# ------------------------------------------------------------------------------------------------- audit, fleet


@BOTH
async def test_audit_lists_verdicts_and_says_why(size: tuple[int, int]) -> None:
    app = app_on()
    async with app.run_test(size=size) as pilot:
        await press(pilot, "d")
        text = screen_text(app)
        for words in ("deepseek-v3", "✓ plausible", "llama-3.1-405b", "▲ slower", "· not enough stated", "2.66 M"):
            assert words in text
        await press(pilot, "down enter")
        assert "Llama 3.1 405B pre-training: slower" in screen_text(app)
        await press(pilot, "tab")
        assert "Could 2,048 H800 have trained DeepSeek-V3" in screen_text(app)
        await press(pilot, "escape")
        assert isinstance(app.screen, AuditScreen)
        await press(pilot, "slash text:kimi")
        assert [row.cells[0] for row in table(app).shown] == ["kimi-k2"]


@BOTH
async def test_the_questions_of_january_have_the_screen_for_themselves(size: tuple[int, int]) -> None:
    app = app_on()
    async with app.run_test(size=size) as pilot:
        await press(pilot, "d n")
        text = screen_text(app)
        assert "✓ plausible" not in text
        for words in ("Could 2,048 H800", "What would 50,000 H100 have taken?", "What did the H800's halved link cost"):
            assert words in text
        await press(pilot, "escape")
        assert "✓ plausible" in screen_text(app)


async def test_fleets_count_h100s_by_either_rate() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "e slash text:deepseek enter escape n")
        row = next(row for row in table(app).shown if row.cells[0].startswith("DeepSeek"))
        # 20,000 H100 and H800, H20 at 148 / 989, A100 at 312 / 989.
        assert row.cells[2] == "27,644"
        assert "by BF16 rate" in screen_text(app)


@BOTH
async def test_fleets_with_totals_and_export_classes(size: tuple[int, int]) -> None:
    app = app_on()
    async with app.run_test(size=size) as pilot:
        await press(pilot, "e slash text:deepseek")
        row = table(app).highlighted
        assert row is not None
        assert row.cells[1:5] == ("60,000", "27,640", "68.5 MW", "$1.63 B")
        await press(pilot, "enter")
        text = screen_text(app)
        assert "60,000" in text
        await press(pilot, "pagedown")
        assert "since 2025-04: licence required" in screen_text(app) or "licence required" in text


async def test_a_cursor_in_a_table_costs_few_bytes() -> None:
    from tests.tui.test_wire import Recorder

    app = Recorder()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "e")
        app.take()
        await press(pilot, "s")
        app.take()
        await press(pilot, "down")
        assert app.take() <= 2_500
        await press(pilot, "tab")
        assert app.take() <= 1_500


def test_a_search_stops_where_nobody_waits() -> None:
    from planner.engine.search import search
    from planner.tui.thinking import Stopped, checking

    resolved = CATALOG.resolve(CATALOG.plan("olmo-2-32b"))
    with pytest.raises(Stopped):
        search(resolved, 1, between=checking(lambda: True))


def test_every_key_of_a_searched_strategy_is_taken_over() -> None:
    from planner.spec.plan import SEARCHED
    from planner.tui.thinking import changes

    plan = CATALOG.plan("deepseek-v3")
    taken = dict(changes(plan))
    assert set(taken) == {f"strategy.{key}" for key in SEARCHED}
    stated = plan_toml.as_dict(plan)["strategy"]
    assert taken["strategy.pipeline"] == stated["pipeline"]
    assert taken["strategy.shard_group"] is None
