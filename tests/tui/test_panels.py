"""The same keys on every screen: digits and brackets lead to panels, z zooms one, Esc backs out, i explains."""

from __future__ import annotations

import pytest
from tests.tui.helpers import CATALOG, PLAIN, SIZES, app_on, press, screen_lines, screen_text

from planner.tui.app import PlannerApp
from planner.tui.screens.base import LeanScreen, ModeScreen
from planner.tui.screens.why import WhyScreen
from planner.tui.screens.workbench import WorkbenchScreen
from planner.tui.widgets.lines import Lines

SCREENS = {"strategies": "s", "scale": "l", "costs": "C", "compare": "c", "audit": "d", "fleet": "e", "pictures": "p",
           "catalogue": "g", "accuracy": "a", "help": "question_mark"}  # fmt: skip
PANELS = {"strategies": 3, "scale": 2, "costs": 5, "audit": 3, "fleet": 2, "catalogue": 2, "accuracy": 2}


@pytest.mark.parametrize("size", ["80x24", "120x40"])
@pytest.mark.parametrize("name", SCREENS)
async def test_a_zoomed_panel_has_the_screen_to_itself(name: str, size: str) -> None:
    app = app_on()
    async with app.run_test(size=SIZES[size]) as pilot:
        await press(pilot, [SCREENS[name]])
        before = screen_text(app)
        await press(pilot, "z")
        panel = app.screen.focused
        assert isinstance(panel, Lines)
        wide, high = SIZES[size]
        assert panel.size == (wide, high - 2)
        await press(pilot, "escape")
        assert isinstance(app.screen, ModeScreen), "Esc ends the zoom, and nothing else"
        assert screen_text(app) == before
        await press(pilot, "escape")
        assert isinstance(app.screen, WorkbenchScreen)


@pytest.mark.parametrize("name", PANELS)
async def test_digits_and_brackets_lead_to_panels(name: str) -> None:
    app = app_on()
    async with app.run_test(size=SIZES["120x40"]) as pilot:
        await press(pilot, [SCREENS[name]])
        screen = app.screen
        assert isinstance(screen, LeanScreen)
        panels = screen.panels()
        assert len(panels) == PANELS[name]
        for number, panel in enumerate(panels, 1):
            await press(pilot, str(number))
            assert screen.focused is panel
        await press(pilot, "right_square_bracket")
        assert screen.focused is panels[0]
        await press(pilot, "left_square_bracket")
        assert screen.focused is panels[-1]
        await press(pilot, "9")
        assert screen.focused is panels[-1]
        await press(pilot, "z 1")
        assert screen.focused is panels[0]
        assert panels[0].size == (120, 38), "the zoom goes along"


async def test_the_numbers_stand_in_the_titles() -> None:
    app = app_on()
    async with app.run_test(size=SIZES["120x40"]) as pilot:
        await press(pilot, "C")
        assert all(f"─ {number} " in screen_text(app) for number in range(1, 6))


@pytest.mark.parametrize(
    ("keys", "title", "says"),
    [
        ("s i", "Why: strategy 1", "Why Training time is"),
        ("s down right right right right i", "Why: strategy", "Why MFU is 40.0 %"),
        ("s i text:hfu", "Why: strategy 1", "of strategy 1"),
        ("l i", "Why: 2,048 cards", "Why Training time is"),
        ("C i", "Why this number", "Why Cost is"),
        ("C 5 i", "Why this number", "Why Capital is"),
        ("C 2 i", "Why this number", "Why Power is"),
        ("C 3 i", "Why this number", "Why Goodput is 97.0 %"),
        ("x i", "Why this number", "Why Training time is"),
        ("c i", "Why this number", "Why Training time is"),
        ("d i", "Why: preset deepseek-v3", "planner estimate deepseek-v3 --why card_hours"),
        ("e slash text:ceiba enter escape i", "Why: fleet aws-ceiba", "Epoch AI"),
        ("p i", "Why this number", "Why Pipeline bubble is 1.20 s"),
        ("g slash text:h100-sxm enter escape i text:tdp_w", "Why: h100-sxm", "Power"),
    ],
)
async def test_a_key_explains_what_is_chosen(keys: str, title: str, says: str) -> None:
    app = app_on()
    async with app.run_test(size=SIZES["120x40"]) as pilot:
        await press(pilot, keys)
        assert isinstance(app.screen, WhyScreen)
        assert title in screen_text(app)
        assert says in screen_text(app)
        here = app.screen
        await press(pilot, "escape escape" if "text:" in keys.rsplit("i", maxsplit=1)[-1] else "escape")
        assert app.screen is not here


async def test_of_compared_plans_one_is_chosen_first() -> None:
    app = app_on()
    async with app.run_test(size=SIZES["120x40"]) as pilot:
        await press(pilot, ["k", "c", "n", "text:cluster.card=h100-sxm", "enter", "i"])
        assert "Why: which plan" in screen_text(app)
        await press(pilot, "down down enter")
        assert "Why: [2]" in screen_text(app)


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        ("alt+4 right i", "mfu"),
        ("alt+4 right right right i", "cost_usd"),
        ("alt+4 right right right right right right i", "step_time_s"),
        ("alt+5 down i", "compute.gemm"),
        ("alt+5 down down down i", "compute.memory_bound"),
        ("alt+6 right right right i", "memory.optimizer"),
    ],
)
async def test_a_figure_of_the_workbench_is_chosen_by_arrows(keys: str, key: str) -> None:
    app = app_on()
    async with app.run_test(size=SIZES["120x40"]) as pilot:
        await press(pilot, keys)
        assert f"planner estimate FILE --why {key}" in screen_lines(app)[-1]


async def test_what_is_chosen_bears_a_mark_that_needs_no_colour() -> None:
    app = app_on()
    async with app.run_test(size=SIZES["120x40"]) as pilot:
        await press(pilot, "alt+5 down down")
        assert any("▌ attention" in line for line in screen_lines(app))
        await press(pilot, "alt+4 right right")
        assert any("▌Days" in line for line in screen_lines(app))
        await press(pilot, "alt+6 right")
        assert any("▌█ weights" in line for line in screen_lines(app))


@pytest.mark.parametrize("opened", ["w", "w down", "o", "x", "i", "K", "ctrl+p"])
async def test_the_keys_of_panels_do_no_harm_where_there_are_none(opened: str) -> None:
    app = app_on()
    async with app.run_test(size=SIZES["80x24"]) as pilot:
        await press(pilot, f"k {opened} ctrl+down ctrl+up right_square_bracket left_square_bracket z z i 9")
        await press(pilot, "escape escape escape escape escape")
        assert isinstance(app.screen, WorkbenchScreen)


def _sharding(app: PlannerApp) -> str:
    strategy = app.session.plan.strategy
    return strategy.sharding if strategy else ""


async def test_a_note_is_no_fix_to_apply_until_it_is_chosen() -> None:
    app = PlannerApp(CATALOG.plan("llama-3.1-405b"), "llama-3.1-405b", catalog=CATALOG, tools=PLAIN)
    async with app.run_test(size=SIZES["120x40"]) as pilot:
        await press(pilot, "f")
        assert _sharding(app) == "zero2", "as published"
        await press(pilot, "alt+7")
        note = next(i for i, problem in enumerate(app.session.problems) if problem.key == "strategy.sharding")
        await press(pilot, [*["down"] * note, "f"])
        assert _sharding(app) == "zero1"
