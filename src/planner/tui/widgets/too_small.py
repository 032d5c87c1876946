"""What stands in a terminal that is too small."""

from __future__ import annotations

from typing import Final

from planner.tui.text import wrap
from planner.tui.widgets.lines import Line, Lines, padded

LEAST_WIDTH: Final = 60
LEAST_HEIGHT: Final = 18


class TooSmall(Lines):
    """What stands in a terminal that is too small: the size that is needed."""

    def build(self, width: int, height: int) -> list[Line]:
        """The size needed, and the size there is."""
        words = wrap(f"The workbench needs {LEAST_WIDTH} x {LEAST_HEIGHT} cells.", width)
        words += wrap(f"This terminal has {width} x {height}.", width)
        words += ["", *wrap("Make it larger; nothing is lost. q quits.", width)]
        blank: list[Line] = [()] * max((height - len(words)) // 2, 0)
        return [*blank, *(padded([(line.center(width), "text")], width) for line in words)]
