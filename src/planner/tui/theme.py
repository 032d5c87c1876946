"""Themes: one TOML file each, the built-in ones and those in the user's own folder."""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from textual.color import Color, ColorParseError
from textual.theme import BUILTIN_THEMES, Theme

from planner.data_files import config_folder, data_root

COLOURS: Final = (
    "background", "surface", "panel", "foreground", "primary", "secondary", "accent", "success", "warning", "error",
)  # fmt: skip
"""Keys of `[colors]`."""
TEXT: Final = ("strong", "quiet", "faint", "rule")
"""Keys of `[text]`: `$text-strong` and so on in style sheets."""
DEFAULT: Final = "dark"


class ThemeError(ValueError):
    """A theme file that cannot be used, and why."""


def folders() -> tuple[Path, Path]:
    """Where themes are: the built-in folder, then the user's."""
    return data_root() / "themes", config_folder() / "themes"


def load(path: Path) -> Theme:
    """Read one theme.

    Raises:
        ThemeError: the file cannot be read, is no TOML, lacks a colour, has an unknown key or a colour that is none.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ThemeError(f"{path}: {error}") from None
    tables = {"colors": COLOURS, "text": TEXT}
    if unknown := sorted(set(data) - {"name", "dark", "ansi", *tables}):
        raise ThemeError(f"{path}: unknown key {unknown[0]}; known are name, dark, ansi, colors, text")
    colours: dict[str, str] = {}
    for table, keys in tables.items():
        given = data.get(table)
        if not isinstance(given, dict):
            raise ThemeError(f"{path}: the table [{table}] is missing")
        if wrong := sorted(set(given) ^ set(keys)):
            what = "unknown" if wrong[0] in given else "missing"
            raise ThemeError(f"{path}: {table}.{wrong[0]} is {what}; [{table}] has {', '.join(keys)}")
        for key, value in given.items():
            try:
                colours[key] = Color.parse(str(value)).hex
            except ColorParseError:
                raise ThemeError(f"{path}: {table}.{key} = {value!r} is no colour; write #rrggbb") from None
    base = BUILTIN_THEMES["ansi-dark"].variables if data.get("ansi") else {}
    return Theme(
        name=str(data.get("name", path.stem)),
        dark=bool(data.get("dark", True)),
        ansi=bool(data.get("ansi", False)),
        variables={**base, **{f"text-{key}": colours.pop(key) for key in TEXT}},
        **{key: colours[key] for key in COLOURS},  # type: ignore[arg-type]
    )


def load_all() -> Iterator[Theme | ThemeError]:
    """Every theme there is, and what is wrong with those that cannot be used; a user's theme replaces its namesake."""
    found: dict[str, Theme] = {}
    for folder in folders():
        for path in sorted(folder.glob("*.toml")):
            try:
                theme = load(path)
            except ThemeError as error:
                yield error
            else:
                found[theme.name] = theme
    yield from found.values()


def missing(wanted: str, names: Iterable[str]) -> str:
    """The message for a theme that there is not."""
    return f"there is no theme {wanted}; there are {', '.join(sorted(names))}"


def stamp() -> tuple[tuple[str, int], ...]:
    """Names and times of the user's theme files: another value when one of them has changed."""
    found = []
    for path in sorted(folders()[1].glob("*.toml")):
        with contextlib.suppress(OSError):
            found.append((path.name, path.stat().st_mtime_ns))
    return tuple(found)
