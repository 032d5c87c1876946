"""Jump mode: letters on what is on screen; one of them goes there."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, Final

from textual.screen import Screen

from planner.tui.widgets.lines import Lines

LETTERS: Final = "asdfghjklqwertyuiopzxcvbnm"
"""The home row first."""


class Jump:
    """The letters on a screen, from the key that shows them to the one that ends it.

    Args:
        screen: what is in front.
    """

    def __init__(self, screen: Screen[Any]) -> None:
        self._places = dict(zip(_names(len(places := list(_places(screen)))), places, strict=False))
        self._typed = ""
        self._show()

    def key(self, character: str | None) -> bool:
        """Take a key; True where it was the last: it went somewhere, or it was none of the letters."""
        self._typed += character or " "
        if any(name.startswith(self._typed) and name != self._typed for name in self._places):
            self._show()
            return False
        self.end()
        if self._typed in self._places:
            widget, row = self._places[self._typed]
            widget.jump(row)
        return True

    def end(self) -> None:
        """Take the letters away."""
        for widget, _ in self._places.values():
            widget.labels = {}
            widget.repaint()

    def _show(self) -> None:
        labels: dict[Lines, dict[int, str]] = {widget: {} for widget, _ in self._places.values()}
        for name, (widget, row) in self._places.items():
            if name.startswith(self._typed):
                labels[widget][row] = name
        for widget, named in labels.items():
            widget.labels = named
            widget.repaint()


def _names(count: int) -> list[str]:
    """So many names of one letter, or of two where one does not do."""
    return list(LETTERS) if count <= len(LETTERS) else ["".join(pair) for pair in product(LETTERS, repeat=2)]


def _places(screen: Screen[Any]) -> Iterator[tuple[Lines, int]]:
    """Widgets and rows that can be gone to and are in view, from left to right and down."""
    for widget in screen.query(Lines):
        if not widget.is_on_screen:
            continue
        seen = screen.find_widget(widget).visible_region
        for row in widget.targets():
            if seen.y <= widget.region.y + row < seen.bottom:
                yield widget, row
