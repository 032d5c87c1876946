"""Pictures of the workbench, each looked at when it changed. Figures are the plain engine's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tests.tui.helpers import SIZES, app_on, press
from textual.pilot import Pilot

from planner.engine.uncertainty import Neighbour
from planner.exchange import accuracy
from planner.spec.runs import RunsData

Compare = Callable[..., bool]

STATES = {
    "preset": "",
    "invalid": "text:4095",
    "chosen": "alt+5 down down",
    "jump": "J",
    "variants": "k text:4096 enter k K",
    "no-fit": "alt+3 down down down down down down down down down text:2 enter",
}
FAMILIES = {accuracy.ALL: 60, "nvidia-megatron-bridge": 40, "google-maxtext": 20}
OTHERS = {
    "results-80x24": ("80x24", "v"),
    "zoom-120x40": ("120x40", "alt+6 z"),
    "cards-120x40": ("120x40", "up enter text:h100"),
    "commands-80x24": ("80x24", "ctrl+p"),
    "open-120x40": ("120x40", "o down"),
    "export-80x24": ("80x24", "w"),
    "help-120x40": ("120x40", "question_mark"),
    "more-120x40": ("120x40", "m"),
    "jump-to-rows-120x40": ("120x40", "s J"),
    "jump-to-rows-80x24": ("80x24", "d J"),
    "zoom-costs-120x40": ("120x40", "C 3 z"),
    "why-strategy-120x40": ("120x40", "s down i"),
    "why-fleet-80x24": ("80x24", "e i enter"),
}


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
def test_workbench(snap_compare: Compare, state: str, size: str, theme: str) -> None:
    async def run_before(pilot: Pilot[None]) -> None:
        await pilot.pause()
        await press(pilot, STATES[state])

    assert snap_compare(app_on(theme=theme), terminal_size=SIZES[size], run_before=run_before)


SCREENS = {
    "why-120x40": ("120x40", "alt+4 i"),
    "why-80x24": ("80x24", "i enter"),
    "catalogue-120x40": ("120x40", "g down"),
    "catalogue-80x24": ("80x24", "g slash text:h100"),
    "accuracy-120x40": ("120x40", "a"),
    "accuracy-80x24": ("80x24", "a"),
    "pictures-120x40": ("120x40", "p"),
    "pictures-80x24": ("80x24", "p"),
    "help-80x24": ("80x24", "question_mark"),
}


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("name", SCREENS)
def test_screens(snap_compare: Compare, name: str, theme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same figures whatever the calibration says, and without reading the measured runs."""
    families = [accuracy._family(words, np.linspace(-0.2, 0.25, count)) for words, count in FAMILIES.items()]
    monkeypatch.setattr(accuracy, "by_family", lambda: families)
    like = accuracy.Alike(9, 0.041, (Neighbour("bridge-v3-h100", "bridge", 0.93, 0.041),) * 8)
    monkeypatch.setattr(accuracy, "runs_like", lambda *_: like)
    monkeypatch.setattr(accuracy, "points", lambda _: [(1.2**n, 1.2**n * (0.9 + n % 5 * 0.05)) for n in range(40)])
    monkeypatch.setattr("planner.exchange.runs.read_all", lambda *_: RunsData((), ()))
    size, keys = SCREENS[name]

    async def run_before(pilot: Pilot[None]) -> None:
        await pilot.pause()
        await press(pilot, keys)
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()

    assert snap_compare(app_on(theme=theme), terminal_size=SIZES[size], run_before=run_before)


@pytest.mark.parametrize("theme", ["high-contrast", "deuteranopia", "tritanopia", "ansi"])
def test_themes(snap_compare: Compare, theme: str) -> None:
    assert snap_compare(app_on(theme=theme), terminal_size=SIZES["120x40"])


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
