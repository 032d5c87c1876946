"""Text that fills a part of a screen of its own and scrolls: help, an explanation, an entry of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from planner.exchange.report import Line as Words
from planner.tui.text import wrap
from planner.tui.widgets.lines import Line, padded
from planner.tui.widgets.panel import ScrollPanel

INKS: Final = {
    "title": "strong", "heading": "title", "text": "text", "quiet": "quiet", "error": "error", "warning": "warn",
    "info": "quiet",
}  # fmt: skip
"""How the styles of a report's lines look here."""


class Page(ScrollPanel):
    """A quiet rule with a title, no number, and the text below it.

    Args:
        title: what the rule says.
        id: the widget's id.
    """

    BY_LINE = {"up": -1, "down": 1, "k": -1, "j": 1}

    def __init__(self, title: str, *, id: str) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(0, title, id=id)

    def to_top(self) -> None:
        """Show the beginning, as after the text has changed altogether."""
        self._offset = 0
        self.repaint()


def heading(words: str, width: int) -> Line:
    """A heading inside a page."""
    return padded([("  ", "text"), (words, "title")], width)


def paragraph(words: str, width: int, ink: str = "text") -> list[Line]:
    """Words over as many lines as they need."""
    return [padded([("  ", "text"), (line, ink)], width) for line in wrap(words, width - 4)]


def report(lines: Iterable[Words], width: int) -> list[Line]:
    """Lines of a report, as the command line prints them but for a margin; longer ones are cut."""
    return [
        padded([("  " if line.text[:2].strip() else "", "text"), (line.text, INKS[line.style])], width)
        for line in lines
    ]
