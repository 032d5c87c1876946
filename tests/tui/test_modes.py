"""From screen to screen: one key each, Esc back, and nothing lost on the way."""

from __future__ import annotations

import pytest
from tests.tui.helpers import CATALOG, SIZES, app_on, press, screen_lines, screen_text

from planner.spec.runs import RunsData
from planner.tui import screens
from planner.tui.actions import ACTIONS, modes
from planner.tui.screens.base import ModeScreen
from planner.tui.screens.workbench import WorkbenchScreen
from planner.tui.widgets.picker import Picker

KEYS = {action.id: action.keys for action in ACTIONS if action.where == "modes"}


@pytest.fixture(autouse=True)
def no_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The measured runs take seconds to read."""
    monkeypatch.setattr("planner.exchange.runs.shipped_runs", lambda: ())
    monkeypatch.setattr("planner.exchange.runs.read_all", lambda *_: RunsData((), ()))


@pytest.mark.parametrize("name", screens.SCREENS)
@pytest.mark.parametrize("size", SIZES.values())
async def test_a_key_leads_to_each_mode_and_escape_back(name: str, size: tuple[int, int]) -> None:
    app = app_on()
    async with app.run_test(size=size) as pilot:
        await press(pilot, KEYS[name][0])
        assert isinstance(app.screen, ModeScreen)
        assert name == app.screen.MODE
        assert "\x1b" not in screen_text(app)
        await press(pilot, KEYS[name][0])
        assert len(app.screen_stack) == 2
        for _ in range(3):
            await press(pilot, "escape")
        assert isinstance(app.screen, WorkbenchScreen)
        await press(pilot, KEYS[name][1] if len(KEYS[name]) > 1 else KEYS[name][0])
        assert isinstance(app.screen, ModeScreen)
        assert name == app.screen.MODE


async def test_from_mode_to_mode_and_home() -> None:
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "g a")
        assert isinstance(app.screen, ModeScreen)
        assert app.screen.MODE == "accuracy"
        catalogue = app.get_screen("catalogue")
        await press(pilot, "g")
        assert app.screen is catalogue
        await press(pilot, "h")
        assert isinstance(app.screen, WorkbenchScreen)


async def test_modes_stand_in_the_bar_the_commands_and_the_help() -> None:
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        for action in modes():
            assert action.title in screen_lines(app)[0]
        await press(pilot, "ctrl+p text:catal")
        assert "Catalogue" in screen_text(app)
        await press(pilot, "enter")
        assert app.screen.MODE == "catalogue"  # type: ignore[attr-defined]  # it is a mode
        await pilot.click(offset=(3, 0))
        assert isinstance(app.screen, WorkbenchScreen)


async def test_commands_are_found_by_what_they_say_where_no_name_matches() -> None:
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "ctrl+p text:rename")
        assert "Edit the plan as text" in screen_text(app)
        await press(pilot, "escape escape ctrl+p text:plan")
        found = [option.name for option in app.screen.query_one(Picker).shown]
        assert "Edit the plan as text" in found
        assert "Accuracy" not in found, "only its text says plan, and a name does too"


async def test_no_mode_while_something_is_open_or_typed() -> None:
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "text:4 g")
        assert isinstance(app.screen, WorkbenchScreen)
        await press(pilot, "escape up enter g")
        assert isinstance(app.screen, WorkbenchScreen)
        await press(pilot, "escape w tab g")
        assert not isinstance(app.screen, ModeScreen)


async def test_a_theme_chosen_elsewhere_holds_on_a_screen_made_before() -> None:
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "g h")
        before = app.theme
        await press(pilot, "t g")
        assert app.theme != before
        ground = app.theme_variables["surface"]
        style = next(iter(app.screen._compositor.render_strips()[5]))[1]
        assert style is not None
        assert style.bgcolor is not None
        assert style.bgcolor.get_truecolor().hex == ground.lower()


# --------------------------------------------------------------------------------------------------- catalogue


async def test_the_catalogue_filters_with_a_slash() -> None:
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "g slash text:h100")
        assert f"of {len(CATALOG.ids('cards'))}" in screen_text(app)
        assert "A100 PCIe" not in screen_text(app)
        await press(pilot, "enter")
        assert "nvlink4" in screen_text(app)
        await press(pilot, "escape escape")
        assert "A100 PCIe" in screen_text(app)
        assert isinstance(app.screen, ModeScreen)


async def test_every_kind_of_the_catalogue_shows_figures_with_sources() -> None:
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "g")
        for words in ("Cards", "Fabrics", "Models", "Software", "Presets", "Fleets", "Network parts", "Grids", "Cards"):
            assert f"{words}  ←→" in screen_text(app)
            await press(pilot, "right")
        await press(pilot, "left left enter pagedown pagedown pagedown pagedown")
        assert "Sources" in screen_text(app)
        await press(pilot, "escape")
        assert isinstance(app.screen, ModeScreen)


async def test_a_narrow_terminal_shows_the_list_or_the_entry() -> None:
    app = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "g")
        assert "memory_gb" not in screen_text(app)
        await press(pilot, "enter")
        assert "memory_gb" in screen_text(app)
        await press(pilot, "escape")
        assert "memory_gb" not in screen_text(app)


# ---------------------------------------------------------------------------------------------------- accuracy


async def test_accuracy_names_the_families_and_the_nearest_runs() -> None:
    from planner.exchange.accuracy import by_family, runs_like

    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "a")
        await app.workers.wait_for_complete()
        await pilot.pause()
        text = screen_text(app)
        for family in by_family()[:5]:
            assert family.name in text
            assert f"{family.summary.n:,}" in text
        assert app.session.resolved is not None
        assert runs_like(app.session.resolved, 1).nearest[0].id[:20] in text
