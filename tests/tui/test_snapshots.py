"""Pictures of the workbench, each looked at when it changed. Figures are the plain engine's."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.tui.helpers import SIZES, app_on, press
from textual.pilot import Pilot

Compare = Callable[..., bool]

STATES = {
    "preset": "",
    "invalid": "text:4095",
    "no-fit": "alt+3 down down down down down down down down down text:2 enter",
}
OTHERS = {
    "results-80x24": ("80x24", "v"),
    "zoom-120x40": ("120x40", "alt+6 z"),
    "cards-120x40": ("120x40", "up enter text:h100"),
    "commands-80x24": ("80x24", "ctrl+p"),
    "open-120x40": ("120x40", "o down"),
    "export-80x24": ("80x24", "w"),
    "help-120x40": ("120x40", "question_mark"),
    "more-120x40": ("120x40", "m"),
}


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
def test_workbench(snap_compare: Compare, state: str, size: str, theme: str) -> None:
    async def run_before(pilot: Pilot[None]) -> None:
        await pilot.pause()
        await press(pilot, STATES[state])

    assert snap_compare(app_on(theme=theme), terminal_size=SIZES[size], run_before=run_before)


@pytest.mark.parametrize("name", OTHERS)
def test_others(
    snap_compare: Compare, name: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))
    size, keys = OTHERS[name]

    async def run_before(pilot: Pilot[None]) -> None:
        await pilot.pause()
        await press(pilot, keys)

    assert snap_compare(app_on(), terminal_size=SIZES[size], run_before=run_before)


def test_too_small(snap_compare: Compare) -> None:
    assert snap_compare(app_on(), terminal_size=(50, 14))
