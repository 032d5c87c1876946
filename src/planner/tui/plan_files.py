"""Plan files as entries of a list: those of this folder, and those a typed path leads to. No Textual here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from planner.exchange.files import reason
from planner.tui.text import clean
from planner.tui.widgets.picker import Option

MOST_FILES: Final = 500
HEAD: Final = 65_536
"""Bytes looked at to tell a plan from another TOML file."""


def plans_here() -> list[Path]:
    """Plan files of the folder the program was started in."""
    return [path for path in sorted(Path().glob("*.toml"))[:MOST_FILES] if looks_like_a_plan(path)]


def looks_like_a_plan(path: Path) -> bool:
    """Other TOML files of a folder (pyproject.toml) would only be in the way."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError:
        return False
    return b"schema" in head and b"cluster" in head


def at_path(text: str) -> Iterator[Option]:
    """The folders and plan files a typed path may be the beginning of; none where it is no path.

    A path has a slash in it, or begins with `~`. Picking a folder types it. A file that is typed in full is there
    whatever it is called and holds; opening it tells what is wrong with it.
    """
    text = "~/" if text == "~" else text
    folder, slash, start = text.rpartition("/")
    if not slash:
        return
    try:
        place = Path(folder + slash).expanduser()
        with os.scandir(place) as entries:
            found = sorted((entry for entry in entries if entry.name.startswith(start)), key=lambda entry: entry.name)
    except (OSError, RuntimeError, ValueError) as error:  # no such user; a character no path may have
        why = str(error) if isinstance(error, RuntimeError) else reason(error)
        yield Option("", folder + slash, detail=f"cannot be read: {why}", ok=False)
        return
    for entry in [one for one in found if start or not one.name.startswith(".")][:MOST_FILES]:
        path = place.absolute() / entry.name
        name, where = clean(entry.name), clean(str(place))
        if os.path.isdir(path):  # noqa: PTH112 - where nobody may look, it says no, and a Path raises
            types = f"{folder}{slash}{name}/" if name == entry.name else ""
            yield Option(path, f"{name}/", "folder", where if types else "cannot be typed", bool(types), types=types)
        elif entry.name == start or (entry.name.endswith(".toml") and looks_like_a_plan(path)):
            yield Option(path, name, "file", where)
