"""Strategies and scale: real keys, and the tables they lead to."""

from __future__ import annotations

import pytest
from tests.tui.helpers import app_on, press, screen_lines, screen_text, table

from planner.exchange.format import money
from planner.tui.widgets.table import Table

WIDE, SMALL = (120, 40), (80, 24)
BOTH = pytest.mark.parametrize("size", [WIDE, SMALL])


# --------------------------------------------------------------------------------------------------- strategies


async def test_strategies_are_ranked_filtered_sorted_and_applied() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "s")
        assert len(table(app).shown) == 12
        assert "49.0" in screen_lines(app)[3]
        assert "$4.82 M" in screen_lines(app)[3]
        await press(pilot, "slash text:all")
        assert len(table(app).shown) == 6
        assert "6 of 12" in screen_text(app)
        assert "memory" in screen_lines(app)[3], "the heading stays below the filter"
        await pilot.click(Table, offset=(5, 4))
        assert table(app).cursor == 1, "and a click still hits the row under it"
        assert "Strategies, the fastest first" in screen_text(app)
        await press(pilot, "escape right")
        assert "days▴" in screen_text(app)
        assert "Strategies, by days ─" in screen_text(app)
        assert [row.cells[1] for row in table(app).shown] == ["49.0"] * 6 + ["54.5"] * 6
        await press(pilot, "minus")
        assert "days▾" in screen_text(app)
        assert "Strategies, by days, the other way round ─" in screen_text(app)
        assert table(app).shown[0].cells[1] == "54.5"
        await press(pilot, "end enter")
        assert app.session.plan.strategy is not None
        assert app.session.stated("strategy.recompute") == "full"
        assert app.session.history[-1].label.startswith("strategy ")
        await press(pilot, "escape u")
        assert app.session.stated("strategy.recompute") == "selective"


async def test_strategies_show_the_front_and_why_the_rest_is_out() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "s")
        text = screen_text(app)
        assert "● Pareto front" in text
        assert "◆ this plan" in text
        assert "The plan's own strategy takes 11.1 % more time" in text
        await press(pilot, "tab tab pagedown")
        seen = " ".join(screen_text(app).split())
        await press(pilot, "end")
        seen += " ".join(screen_text(app).split())
        assert "all are at least 412.0 GB over" in seen
        assert "tensor = 256 does not" in seen


async def test_a_small_terminal_shows_one_part_after_the_other() -> None:
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "s")
        assert "this plan" not in screen_text(app)
        await press(pilot, "tab")
        assert "◆ this plan" in screen_text(app)
        await press(pilot, "tab")
        assert "layer inputs alone do not fit in:" in " ".join(screen_text(app).split())
        await press(pilot, "escape")
        assert "Strategies, the fastest first" in screen_text(app)


async def test_a_filter_takes_a_name_and_its_number_together() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "s")
        assert all("pipeline 16 · expert 64 " in row.cells[-1] for row in table(app).shown)
        await press(pilot, ["/", "text:expert 6"])
        assert len(table(app).shown) == 12
        await press(pilot, ["escape", "/", "text:micro 6"])  # a 6 is in every row, but as no micro batch
        assert not table(app).shown
        await press(pilot, ["escape", "/", "text:6 micro"])
        assert len(table(app).shown) == 12


@BOTH
async def test_a_search_is_limited_and_set_free(size: tuple[int, int]) -> None:
    app = app_on()
    async with app.run_test(size=size) as pilot:
        await press(pilot, "s down enter")  # the second recomputes nothing
        assert len(table(app).shown) == 12
        await press(pilot, "n")
        assert "--keep pipeline=16" in screen_text(app)
        await press(pilot, ["text:keep recompute", "enter"])
        assert len(table(app).shown) == 6
        assert all("recompute" not in row.cells[-1] for row in table(app).shown)
        assert "recompute none as it is" in screen_text(app)
        await press(pilot, "tab")
        assert ("planner search FILE --keep recompute=none" in screen_text(app)) == (size == WIDE)  # where it has room
        await press(pilot, "shift+tab n")
        await press(pilot, ["text:max-tensor 2", "enter"])
        assert "tensor up to 2" in screen_text(app)
        assert len(table(app).shown) == 6
        await press(pilot, "n")
        await press(pilot, ["text:keep recompute", "enter"])  # the same again takes it back
        assert len(table(app).shown) == 12
        await press(pilot, "n")
        await press(pilot, ["text:only sharding zero3", "enter"])
        assert not table(app).shown
        await press(pilot, "delete")
        assert len(table(app).shown) == 12
        assert "tensor up to" not in screen_text(app)


# -------------------------------------------------------------------------------------------------------- scale


@BOTH
async def test_scale_halves_the_days_and_adds_another_card(size: tuple[int, int]) -> None:
    app = app_on()
    async with app.run_test(size=size) as pilot:
        await press(pilot, "l")
        days = {row.keys[0]: row.cells[2] for row in table(app).shown}
        assert (days[1024], days[2048], days[4096]) == ("98.0", "49.0", "24.5")
        assert days[256] == "–"
        goodput = {row.cells[5] for row in table(app).shown}
        assert goodput == {"–", "97.0 %"}
        await press(pilot, "n text:h20 enter")
        assert len(table(app).shown) == 14
        assert {row.cells[1] for row in table(app).shown} == {"H800 SXM5 80 GB", "H20 96 GB"}
        await press(pilot, "delete")
        assert len(table(app).shown) == 7
        while table(app).highlighted.keys[0] != 4096:  # type: ignore[union-attr]  # there are rows
            await press(pilot, "down")
        await press(pilot, "enter")
        assert app.session.plan.cluster.cards == 4096
        assert app.session.history[-1].label == "4,096 cards"


async def test_scale_draws_each_card_with_its_own_mark() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "l n text:h20 enter")
        assert "● H800 SXM5 80 GB   ○ H20 96 GB" in screen_text(app)


async def test_another_card_is_applied_at_its_own_price() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        assert app.session.plan.cost.model_dump()["usd_per_card_hour"] == 2.0
        await press(pilot, "l n text:h200 enter")
        there = [row.cells[:2] for row in table(app).shown].index(("2,048", "H200 SXM 141 GB"))
        await press(pilot, ["down"] * (there - table(app).cursor))
        cost = table(app).shown[there].cells[3]
        await press(pilot, "enter")
        assert app.session.plan.cluster.card == "h200-sxm"
        assert app.session.plan.cost.usd_per_card_hour is None
        assert app.session.outcome is not None
        assert money(app.session.outcome.estimate.cost_usd) == cost != "$4.82 M"


async def test_a_column_that_a_small_terminal_leaves_out_is_there_while_the_table_is_sorted_by_it() -> None:
    app = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "s")
        assert "cost" not in screen_lines(app)[2]
        await press(pilot, "right right right")
        assert "by cost" in screen_lines(app)[1]
        assert "cost▴" in screen_lines(app)[2]
        costs = [row.cells[3] for row in table(app).shown[:3]]
        assert [cost in line for cost, line in zip(costs, screen_lines(app)[3:6], strict=True)] == [True] * 3
        await press(pilot, "right")
        assert "cost" not in screen_lines(app)[2]


async def test_it_takes_the_place_of_what_is_wanted_least() -> None:
    app = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "l right right right right right right right right")
        head = screen_lines(app)[2]
        assert "failures▴" in head
        assert " card " not in head
        assert len(head.rstrip()) <= 80
