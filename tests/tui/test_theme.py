"""Themes: readable, apart in 256 colours, and what is wrong with a file is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.color import Color as RichColor
from rich.color import ColorSystem
from tests.tui.helpers import app_on, screen_text
from textual.color import Color
from textual.theme import Theme

from planner.tui import theme

ALL = [found for found in theme.load_all() if isinstance(found, Theme)]
THEMES = [found for found in ALL if not found.ansi]
"""Those whose colours do not depend on the terminal."""


# Machado, Oliveira, Fernandes 2009: how a colour looks without the cones for green, or for blue.
SIGHT = {
    "deuteranopia": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "tritanopia": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}


@pytest.mark.parametrize("name", SIGHT)
def test_states_stay_apart_for_those_eyes(name: str) -> None:
    found = next(one for one in ALL if one.name == name)
    seen = {}
    for state in ("success", "warning", "error", "foreground"):
        red, green, blue = Color.parse(str(getattr(found, state))).rgb
        seen[state] = [r * red + g * green + b * blue for r, g, b in SIGHT[name]]
    states = list(seen)
    for index, one in enumerate(states):
        for other in states[index + 1 :]:
            apart = sum((a - b) ** 2 for a, b in zip(seen[one], seen[other], strict=True)) ** 0.5
            assert apart > 40, (one, other, apart)


async def test_a_theme_is_read_again_when_its_file_changes(own_folders: Path) -> None:
    text = (theme.folders()[0] / "dark.toml").read_text(encoding="utf-8")
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        _write(own_folders / "config", "mine.toml", text.replace("#1c1c1c", "#262626"))
        app._watch_themes()
        await pilot.pause()
        assert app.theme_variables["surface"].lower() == "#262626"
        assert "read again" in screen_text(app)
        _write(own_folders / "config", "mine.toml", "nonsense")
        app._watch_themes()
        await pilot.pause()
        assert app.theme == "dark"
        assert "mine.toml" in screen_text(app)


def _contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [part / 255 for part in Color.parse(colour).rgb]
        red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_built_in_themes_are_there() -> None:
    names = {found.name for found in ALL}
    assert names >= {"dark", "light", "high-contrast", "deuteranopia", "tritanopia", "ansi"}


@pytest.mark.parametrize("found", ALL, ids=lambda found: found.name)
async def test_every_theme_can_be_chosen(found: Theme) -> None:
    app = app_on(theme=found.name)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.theme == found.name
        assert "Cluster" in screen_text(app)


@pytest.mark.parametrize("found", THEMES, ids=lambda found: found.name)
def test_surfaces_stay_apart_in_256_colours(found: Theme) -> None:
    slots = {
        RichColor.parse(str(colour)).downgrade(ColorSystem.EIGHT_BIT).number
        for colour in (found.background, found.surface, found.panel)
    }
    assert len(slots) == 3


@pytest.mark.parametrize("found", THEMES, ids=lambda found: found.name)
def test_text_is_readable(found: Theme) -> None:
    inks = {name: str(getattr(found, name)) for name in ("foreground", "primary", "success", "warning", "error")}
    inks |= {name: found.variables[name] for name in ("text-strong", "text-quiet", "text-faint")}
    for name, ink in inks.items():
        for ground in (found.surface, found.background):
            assert _contrast(ink, str(ground)) >= 4.5, (name, ground)


def _write(folder: Path, name: str, text: str) -> None:
    (folder / "themes").mkdir(parents=True, exist_ok=True)
    (folder / "themes" / name).write_text(text, encoding="utf-8")


def test_a_users_theme_replaces_its_namesake(own_folders: Path) -> None:
    text = (theme.folders()[0] / "dark.toml").read_text(encoding="utf-8")
    _write(own_folders / "config", "mine.toml", text.replace("#121212", "#000000", 1))
    found = {t.name: t for t in theme.load_all() if isinstance(t, Theme)}
    assert found["dark"].background == "#000000"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("background", "backgrund"), "colors.background is missing"),
        (("#121212", "no colour"), "is no colour"),
        (("[text]", "[txt]"), "unknown key txt"),
        (("name =", "name = ="), "mine.toml"),
    ],
)
def test_what_is_wrong_with_a_theme_is_said(own_folders: Path, change: tuple[str, str], says: str) -> None:
    text = (theme.folders()[0] / "dark.toml").read_text(encoding="utf-8")
    _write(own_folders / "config", "mine.toml", text.replace(*change))
    errors = [str(found) for found in theme.load_all() if isinstance(found, theme.ThemeError)]
    assert len(errors) == 1
    assert says in errors[0]
