"""Figures as people read and type them, and text from files made safe to show. No Textual here."""

from __future__ import annotations

import textwrap
import unicodedata

from rich.cells import cell_len, set_cell_size

from planner.exchange.format import STEPS


def clean(text: str) -> str:
    r"""Text from a file as one line that cannot steer a terminal.

    Control and format characters become a middle dot and every white space a plain one.

    >>> clean("a\x1b[31m\nb")
    'a·[31m b'
    """
    if text.isprintable():
        return text
    return "".join(
        " " if char.isspace() else "·" if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn"} else char
        for char in text
    )


def fit(text: str, width: int) -> str:
    """Cut or pad to exactly so many cells; a cut ends in an ellipsis.

    >>> fit("Scale-up", 5), fit("ab", 4)
    ('Scal…', 'ab  ')
    """
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…"


def wrap(text: str, width: int) -> list[str]:
    """Break into lines of at most so many cells (wide characters count twice); at least one line."""
    width = max(width, 1)
    lines: list[str] = []
    for line in textwrap.wrap(text, max(width, 4), break_on_hyphens=False) or [""]:
        while cell_len(line) > width:
            head = set_cell_size(line, width).rstrip()
            lines.append(head)
            line = line[max(len(head), 1) :]  # noqa: PLW2901 - what is left of it
        lines.append(line)
    return lines


def first_lines(text: str, width: int, most: int) -> list[str]:
    """The lines of a text as `wrap` breaks it, so many at most; what is left out leaves an ellipsis.

    >>> first_lines("one two three four", 9, 2), first_lines("one two three", 9, 2)
    (['one two', 'three…'], ['one two', 'three'])
    """
    lines = wrap(text, width)
    if len(lines) <= most:
        return lines
    last = lines[most - 1]
    return [*lines[: most - 1], fit(f"{last}…", width).rstrip()]


def plain(value: float) -> str:
    """A setting in full: whole numbers with separators, round large ones with a letter.

    >>> plain(15360.0), plain(14.8e12), plain(1.25)
    ('15,360', '14.8 T', '1.25')
    """
    if abs(value) >= 1e9:  # noqa: PLR2004 - a billion: digits stop being readable
        for step, letter in STEPS:
            if abs(value) >= step:
                return f"{value / step:,.6g} {letter}"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.6g}"


def typed(value: float) -> str:
    """A setting as it stands in the field when editing starts: no separators, no unit.

    >>> typed(14.8e12), typed(2048.0)
    ('14.8T', '2048')
    """
    return plain(value).replace(",", "").replace(" ", "")
