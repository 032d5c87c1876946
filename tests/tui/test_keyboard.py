"""Keys that come all at once, as in one packet of a slow line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from tests.tui.helpers import app_on
from textual import events

from planner.tui.app import PlannerApp
from planner.tui.screens.help import HelpScreen
from planner.tui.widgets.picker import Picker

NAMED = {"\r": "enter", "?": "question_mark"}
PATIENCE_S = 60.0


async def all_at_once(app: PlannerApp, keys: str, done: Callable[[], bool]) -> None:
    """Send keys without a pause, and wait until they have done what they should."""
    for key in keys:
        app.post_message(events.Key(NAMED.get(key, key), key))
    end = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < end, [step.label for step in app.session.history]
        await asyncio.sleep(0.01)


def labels(app: PlannerApp) -> list[str]:
    """The steps that led to the plan."""
    return [step.label for step in app.session.history[: app.session.index + 1]]


async def test_a_key_that_climbs_to_its_binding_is_not_overtaken() -> None:
    app = app_on("llama-3.1-8b")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await all_at_once(app, "64\ru128\r", lambda: labels(app) == ["opened", "Cards 128"])
        await all_at_once(app, "256\rur512\r", lambda: labels(app) == ["opened", "Cards 128", "Cards 256", "Cards 512"])


async def test_keys_go_to_the_list_that_the_key_before_opened_and_past_the_one_it_closed() -> None:
    app = app_on("llama-3.1-8b")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("home")
        await all_at_once(app, "\rb200\r", lambda: "b200" in str(app.session.plan.cluster.card))
        await all_at_once(app, "u?", lambda: isinstance(app.screen, HelpScreen))
        assert not app.workbench.query(Picker)
        assert app.session.plan.cluster.card == "h100-sxm"
