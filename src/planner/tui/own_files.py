"""What is wrong with the user's own keys and themes, for the command line: without the rest of the terminal UI."""

from __future__ import annotations

from planner.tui import keymap, theme


def file_problems(wanted: str) -> list[str]:
    """What is wrong with the user's own keys and themes, and with the name of the wanted theme."""
    themes = list(theme.load_all())
    names = {found.name for found in themes if not isinstance(found, theme.ThemeError)}
    missing = [] if wanted in names else [theme.missing(wanted, names)]
    return [*keymap.load()[1], *(str(found) for found in themes if isinstance(found, theme.ThemeError)), *missing]
