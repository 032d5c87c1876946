"""Themes: readable, apart in 256 colours, and what is wrong with a file is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.color import Color as RichColor
from rich.color import ColorSystem
from textual.color import Color
from textual.theme import Theme

from planner.tui import theme

THEMES = [found for found in theme.load_all() if isinstance(found, Theme)]


def _contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [part / 255 for part in Color.parse(colour).rgb]
        red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_built_in_themes_are_there() -> None:
    assert {found.name for found in THEMES} >= {"dark", "light"}


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
