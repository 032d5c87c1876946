"""Pictures of the screens that search, scale, compare and judge; figures are the plain engine's."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.tui.helpers import SIZES, app_on, press
from textual.pilot import Pilot

Compare = Callable[..., bool]

SCREENS = {
    "strategies": "s",
    "scale": "l n text:h20 enter",
    "compare": ["c", "n", "text:cluster.card=h100-sxm", "enter"],
    "compare-four": [
        "c", "n", "text:cluster.card=h100-sxm", "enter", "n", "text:cluster.card=gb200-nvl72", "enter",
        "n", "text:preset=bloom-176b ", "enter",
    ],
    "costs": "C",
    "audit": "d down",
    "questions": "d n",
    "fleet": "e slash text:deepseek enter escape",
    "limits": "x",
}  # fmt: skip
SMALL = {"pareto": "s tab", "reasons": "s tab tab", "charts": "l tab", "claim": "d enter", "totals": "e enter",
         "power": "C tab", "failures": "C tab tab", "network": "C tab tab tab"}  # fmt: skip


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", ["80x24", "120x40"])
@pytest.mark.parametrize("name", SCREENS)
def test_screens(snap_compare: Compare, name: str, size: str, theme: str) -> None:
    async def run_before(pilot: Pilot[None]) -> None:
        await pilot.pause()
        await press(pilot, SCREENS[name])

    assert snap_compare(app_on(theme=theme), terminal_size=SIZES[size], run_before=run_before)


@pytest.mark.parametrize("name", SMALL)
def test_parts_of_small_terminals(snap_compare: Compare, name: str) -> None:
    async def run_before(pilot: Pilot[None]) -> None:
        await pilot.pause()
        await press(pilot, SMALL[name])

    assert snap_compare(app_on(), terminal_size=SIZES["80x24"], run_before=run_before)
