"""Why this number, on screen."""

from __future__ import annotations

import pytest
from tests.tui.helpers import app_on, press, screen_text

from planner.tui.screens.why import WhyScreen
from planner.tui.screens.workbench import WorkbenchScreen


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ("alt+4 i", "Why MFU is 40.0 %"),
        ("alt+5 i", "Why Step time is 20.0 s"),
        ("alt+6 i", "Why Memory is"),
        ("i", "Why cluster.cards is 2,048"),
        ("equals_sign", "preset deepseek-v3"),
        ("text:4096 enter i", "yours"),
        ("alt+4 i text:attention enter end", "FlashAttention-2 (arXiv 2307.08691)"),
    ],
)
async def test_a_key_explains_what_has_the_focus(keys: str, says: str) -> None:
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, keys)
        assert says in screen_text(app)


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)])
async def test_into_the_text_and_back(size: tuple[int, int]) -> None:
    app = app_on()
    async with app.run_test(size=size) as pilot:
        await press(pilot, "i enter")
        assert "Why cluster.cards" in screen_text(app)
        await press(pilot, "down escape")
        assert isinstance(app.screen, WhyScreen)
        assert "Why this number" in screen_text(app)
        await press(pilot, "escape")
        assert isinstance(app.screen, WorkbenchScreen)


async def test_without_figures_it_says_so() -> None:
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "text:4095 enter i")
        assert isinstance(app.screen, WorkbenchScreen)
        assert "no figures of this plan" in screen_text(app)
