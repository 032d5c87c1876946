"""Jump mode: letters on what is on screen lead there."""

from __future__ import annotations

import pytest
from tests.tui.helpers import SIZES, app_on, press, screen_lines, screen_text

from planner.tui.actions import BY_ID, MODES
from planner.tui.screens.workbench import WorkbenchScreen
from planner.tui.widgets.field_panel import FieldPanel
from planner.tui.widgets.lines import Lines
from planner.tui.widgets.panel import Panel


def _label(lines: list[str], words: str) -> str:
    """The letters before some words."""
    line = next(line for line in lines if words in line)
    return line[: line.index(words)].split()[-1]


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
async def test_letters_lead_to_a_field(size: tuple[int, int]) -> None:
    app = app_on()
    async with app.run_test(size=size) as pilot:
        before = screen_text(app)
        await press(pilot, "J")
        letters = _label(screen_lines(app), "NICs")
        await press(pilot, list(letters))
        assert isinstance(app.focused, FieldPanel)
        assert app.focused.current.key == "cluster.nics_per_node"
        await press(pilot, "J")
        assert _label(screen_lines(app), "NICs") == letters
        await press(pilot, "escape alt+1 down")
        assert "Cluster" in screen_text(app)
        assert len(before.split("\n")) == size[1]


async def test_letters_lead_to_a_panel_of_results_and_another_key_ends_it() -> None:
    app = app_on()
    async with app.run_test(size=SIZES["120x40"]) as pilot:
        await press(pilot, "J")
        await press(pilot, list(_label(screen_lines(app), "6 Memory")))
        assert isinstance(app.focused, Panel)
        assert app.focused.number == 6
        plan, shown = app.session.plan, screen_text(app)
        await press(pilot, "J full_stop")
        assert screen_text(app) == shown
        assert app.session.plan is plan
        assert isinstance(app.screen, WorkbenchScreen)


async def test_a_row_of_a_table_is_a_place() -> None:
    app = app_on()
    async with app.run_test(size=SIZES["120x40"]) as pilot:
        await press(pilot, "d J")
        line = next(line for line in screen_lines(app) if "kimi-k2" in line)
        await press(pilot, line.split()[0])
        assert "▌ kimi-k2" in screen_text(app)


async def test_letters_survive_a_change_of_size() -> None:
    app = app_on()
    async with app.run_test(size=SIZES["120x40"]) as pilot:
        await press(pilot, "J")
        await pilot.resize_terminal(80, 24)
        await press(pilot, "q")
        assert not app.is_running or app._exit


@pytest.mark.parametrize("size", ["80x24", "120x40"])
@pytest.mark.parametrize("name", MODES)
async def test_every_screen_has_places_and_is_the_same_after_them(name: str, size: str) -> None:
    app = app_on()
    async with app.run_test(size=SIZES[size]) as pilot:
        await press(pilot, [] if name == "workbench" else [BY_ID[name].keys[0]])
        await app.workers.wait_for_complete()
        await pilot.pause()
        before = screen_text(app)
        await press(pilot, "J")
        labels = {place for widget in app.screen.query(Lines) for place in widget.labels.values()}
        assert labels
        assert screen_text(app) != before
        await press(pilot, "full_stop")
        assert screen_text(app) == before


async def test_an_entry_of_the_catalogue_is_a_place() -> None:
    app = app_on()
    async with app.run_test(size=SIZES["120x40"]) as pilot:
        await press(pilot, "g J")
        letters = next(line for line in screen_lines(app) if "H100 PCIe 80 GB" in line).split()[0]
        await press(pilot, list(letters))
        assert "─ 2 h100-pcie ─" in screen_text(app)
