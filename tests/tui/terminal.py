"""A terminal that understands what the planner writes."""

from __future__ import annotations

import re

from rich.cells import get_character_cell_size

ELSE = re.compile(r"\x1b\][^\x07]*\x07|\x1b\[[?>][\d;$]*[a-z]|\x1b[^a-zA-Z\x07]*$")
"""A title, a mode, or the beginning of what is still to come."""


class Terminal:
    """Understands what `Wire` writes: places, colours, text."""

    def __init__(self, width: int, height: int) -> None:
        self.cells: list[list[tuple[str, frozenset[str]]]] = [[(" ", frozenset())] * width for _ in range(height)]
        self._x = self._y = 0

    def feed(self, text: str) -> None:
        kinds: dict[str, str] = {}
        for place, colours, char in re.findall(r"\x1b\[(\d+;\d+)H|\x1b\[([\d;]*)m|([^\x1b])", text):
            if place:
                self._y, self._x = (int(number) - 1 for number in place.split(";"))
            elif colours:
                for code in re.findall(r"[34]8;5;\d+|[34]8;2;\d+;\d+;\d+|\d+", colours):
                    if code == "0":
                        kinds.clear()
                    else:
                        kinds["fore" if code[:1] == "3" else "back" if code[:1] == "4" else code] = code
            else:
                self.cells[self._y][self._x] = (char, frozenset(kinds.values()))
                for extra in range(1, get_character_cell_size(char)):
                    self.cells[self._y][self._x + extra] = ("", frozenset(kinds.values()))
                self._x += get_character_cell_size(char)


def screen(sent: bytes, width: int, height: int) -> str:
    """The text a terminal of this size shows after all these bytes."""
    terminal = Terminal(width, height)
    terminal.feed(ELSE.sub("", sent.decode(errors="ignore")))
    return "\n".join("".join(char for char, _ in row) for row in terminal.cells)
