"""Settings and keys of the user's own: what is in force, where from, and what is wrong is said and never fatal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.tui.helpers import app_on, press, screen_text

from planner.cli.config import command
from planner.exchange import settings
from planner.tui import keymap
from planner.tui.actions import rebind
from planner.tui.own_files import file_problems
from planner.tui.screens.base import LeanScreen, ModeScreen


def _write(home: Path, name: str, text: str) -> None:
    (home / "config").mkdir(parents=True, exist_ok=True)
    (home / "config" / name).write_text(text, encoding="utf-8")


def test_the_environment_stands_over_the_file_and_flags_over_both(
    own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.load().values["theme"] == settings.Value("dark", "default")
    _write(own_folders, "settings.toml", 'theme = "light"\nmouse = false\n')
    assert settings.load().values["theme"].origin.endswith("settings.toml")
    assert not settings.load().on("mouse")
    monkeypatch.setenv("PLANNER_THEME", "ansi")
    assert settings.load().values["theme"] == settings.Value("ansi", "PLANNER_THEME in the environment")
    assert settings.load({"theme": "mine", "mouse": None}).values["theme"] == settings.Value("mine", "command line")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("thme = 'light'", "did you mean theme?"),
        ("glyphs = 'braille'", "write unicode or ascii"),
        ("mouse = 'perhaps'", "neither true nor false"),
        ("mouse = ", "cannot be read"),
    ],
)
async def test_what_is_wrong_is_said_and_the_rest_counts(own_folders: Path, text: str, says: str) -> None:
    _write(own_folders, "settings.toml", text + "\n")
    found = settings.load()
    assert len(found.problems) == 1
    assert says in found.problems[0]
    assert found.values["theme"].value == "dark"
    result = CliRunner().invoke(command, ["validate"])
    assert result.exit_code == 1
    assert says in result.stderr
    app = app_on()
    async with app.run_test(size=(300, 40)) as pilot:
        await pilot.pause()
        assert says in screen_text(app)


def test_config_show_says_where_from(own_folders: Path) -> None:
    _write(own_folders, "settings.toml", "autosave = false\n")
    lines = CliRunner().invoke(command, ["show"]).output.splitlines()
    assert any(line.startswith("autosave  false") and line.endswith("settings.toml") for line in lines)
    assert any(line.startswith("theme     dark") and line.endswith("default") for line in lines)
    assert CliRunner().invoke(command, ["validate"]).exit_code == 0


@pytest.fixture(autouse=True)
def default_keys_afterwards() -> Iterator[None]:
    """Keys in force are of the process: other tests want the program's own."""
    yield
    rebind({})


async def test_own_keys_work_and_are_shown(own_folders: Path) -> None:
    _write(own_folders, "keymap.toml", '[keys]\ncatalogue = "f13"\n')
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "g")
        assert not isinstance(app.screen, ModeScreen)
        assert "F13" in screen_text(app)
        await press(pilot, "f13")
        assert isinstance(app.screen, ModeScreen)


async def test_hints_and_remarks_name_the_keys_in_force(own_folders: Path) -> None:
    _write(own_folders, "keymap.toml", '[keys]\nwhy = "f13"\nbest = "f14"\nmore = "f15"\nundoo = "x"\nredoo = "y"\n')
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, LeanScreen)
        assert app.screen.said.endswith("1 more: planner config validate")
        await press(pilot, "down")
        text = screen_text(app)
        assert "F14 applies it" in text
        assert "▾ F15 33 more settings" in text
        await press(pilot, "C")
        assert "F13 why" in screen_text(app)


async def test_text_of_screens_names_the_keys_in_force(own_folders: Path) -> None:
    _write(own_folders, "keymap.toml", '[keys]\nwhy = "f13"\ncompare-add = "f14"\nlimits = "L"\n')
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "question_mark")
        assert "F13 explains" in screen_text(app)
        await press(pilot, "c")
        assert "F14 picks one" in screen_text(app)
        await press(pilot, "h L")
        assert "What would help" in screen_text(app)
        await press(pilot, "L")
        assert "What would help" not in screen_text(app)


def test_the_example_of_the_documentation_works(own_folders: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
    example = next(part for part in page.split("```") if part.startswith("toml\n[keys]"))
    _write(own_folders, "keymap.toml", example.removeprefix("toml\n"))
    assert keymap.load() == ({"strategies": ("S",), "undo": ("u", "ctrl+z")}, [])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[keys]\nundoo = "x"', "did you mean undo?"),
        ('[keys]\nundo = "o"', "clashes with open"),
        ('[keys]\ncatalogue = "u"', "clashes with undo"),
        ('[keys]\nundo = "f13"\nredo = "f13"', "clashes with undo"),
        ('[keys]\nstep = "x"', "cannot be changed"),
        ("[keys]\nundo = []", "write a key"),
        ("[kees]\n", "unknown key kees"),
        ("[keys", "cannot be read"),
        ("keys = 3", "keys is no table"),
    ],
)
def test_a_keymap_that_is_wrong_is_said(own_folders: Path, text: str, says: str) -> None:
    _write(own_folders, "keymap.toml", text + "\n")
    _, problems = keymap.load()
    assert len(problems) == 1
    assert says in problems[0]


def test_a_theme_that_there_is_not_is_said(own_folders: Path) -> None:
    _write(own_folders, "settings.toml", 'theme = "blue"\n')
    assert [
        problem
        for problem in file_problems(settings.load().text("theme"))
        if problem.startswith("there is no theme blue; there are ansi")
    ]


async def test_compact_and_ascii(own_folders: Path) -> None:
    _write(own_folders, "settings.toml", 'density = "compact"\nglyphs = "ascii"\ntheme = "nowhere"\n')
    app = app_on(theme="dark")
    async with app.run_test(size=(200, 40)) as pilot:
        await pilot.pause()
        text = screen_text(app)
        assert "h Workbench" not in text
        assert "there is no theme nowhere" in text
        assert app.theme == "dark"


async def test_in_ascii_arrow_keys_are_words_for_they_would_read_as_ctrl_v(own_folders: Path) -> None:
    _write(own_folders, "settings.toml", 'glyphs = "ascii"\n')
    app = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "Left/Right change  Up/Down move" in screen_text(app).splitlines()[-1]
        await press(pilot, "ctrl+p text:panel")
        assert "[ ^Up" in screen_text(app)
        assert "] ^Down" in screen_text(app)
    _write(own_folders, "settings.toml", "")
    arrows = app_on()
    async with arrows.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "←→ change  ↑↓ move" in screen_text(arrows).splitlines()[-1]
