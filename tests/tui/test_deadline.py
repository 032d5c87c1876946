"""How many cards train the plan within so many days: asked anywhere, answered on Scale."""

from __future__ import annotations

import dataclasses

import pytest
from tests.tui.helpers import CATALOG, SIZES, app_on, plain_engine, plain_size, press, screen_text, table

from planner.engine.size import SizeResult
from planner.exchange.scale import Point
from planner.exchange.sizing import clusters, headline, points

PLAN = CATALOG.plan("deepseek-v3")


async def test_a_deadline_asked_for_on_the_workbench_is_answered_on_scale() -> None:
    app = app_on()
    async with app.run_test(size=SIZES["80x24"]) as pilot:
        await press(pilot, "D")
        assert "How many cards train it within" in screen_text(app)
        await press(pilot, "text:60 enter")
        text = screen_text(app)
        # 49 days on 2,048 cards with full recomputation, 98 on half of them
        assert "Within 60 days: fewest 2,048 h800-sxm, the cheapest too" in text
        row = table(app).highlighted
        assert row is not None
        assert isinstance(row.value, Point)
        assert row.value.cards == 2_048
        await press(pilot, "end enter")
        assert app.session.plan.cluster.cards == 4_096
        assert app.session.plan.strategy is not None
        assert app.session.plan.strategy.recompute == "full"


async def test_other_cards_are_sized_too_and_the_deadline_can_be_taken_back() -> None:
    app = app_on()
    async with app.run_test(size=SIZES["120x40"]) as pilot:
        await press(pilot, "l D text:30 enter n text:h20 enter")
        text = screen_text(app)
        assert "Within 30 days: fewest 4,096 h20, cheapest 4,096 h800-sxm" in text
        assert [row.cells[1] for row in table(app).shown[:2]] == ["H800 SXM5 80 GB", "H20 96 GB"]
        assert text.count("no layout is valid") == 2
        await press(pilot, "delete")
        assert "H20" not in screen_text(app)
        assert "Within 30 days" in screen_text(app)
        await press(pilot, "D end enter")
        assert "Each number of cards with its best strategy" in screen_text(app)
        assert app.session.plan.cluster.cards == 2_048


async def test_a_small_terminal_tells_why_a_number_of_cards_has_no_figures() -> None:
    app = app_on()
    async with app.run_test(size=SIZES["80x24"]) as pilot:
        await press(pilot, "D text:60 enter home")
        assert "1,000 cards: no layout is valid" in screen_text(app)
        await press(pilot, "down")
        assert "no layout is valid" not in screen_text(app)


async def test_what_is_typed_must_be_a_number_of_days() -> None:
    app = app_on()
    async with app.run_test(size=SIZES["80x24"]) as pilot:
        await press(pilot, "D text:soon")
        assert "“soon” is not a number" in screen_text(app)
        await press(pilot, "enter")
        assert app.screen.query("Picker.-floating")
        await press(pilot, ["backspace"] * 4 + ["text:1.5", "space", "text:days", "enter"])
        assert "No cluster tried trains within 1.5 days" in screen_text(app)


async def test_a_deadline_is_found_among_the_commands() -> None:
    app = app_on()
    async with app.run_test(size=SIZES["80x24"]) as pilot:
        await press(pilot, "ctrl+p text:deadline")
        assert "Cards for a deadline" in screen_text(app)
        await press(pilot, "enter")
        assert "How many cards train it within" in screen_text(app)


@pytest.mark.parametrize(
    ("days", "words"),
    [(200.0, "Within 200 days: fewest 1,024 own, cheapest 4,096 own"), (1.0, "No cluster tried trains within 1 day")],
)
def test_the_line_names_the_fewest_and_the_cheapest(days: float, words: str) -> None:
    result = plain_size(PLAN, [""], days)
    dearer = {1_024: 3.0, 2_048: 2.0, 4_096: 1.0}
    met = tuple(dataclasses.replace(one, cost_usd=dearer[one.cards]) for one in result.results)
    assert headline(dataclasses.replace(result, results=met), "own", days) == words


def test_clusters_without_figures_say_why() -> None:
    result = SizeResult((), 0, (), {"h20": 91.0}, {"a100-40": "it has no FP8."}, 0.1)
    late, refused = points(result, clusters(PLAN, CATALOG), plain_engine)
    assert (late.card, late.cards, late.trouble) == (
        "h20",
        262_144,
        "91.0 days even if each ran at its peak all the time",
    )
    assert (refused.card, refused.trouble) == ("a100-40", "it has no FP8.")
