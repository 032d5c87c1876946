"""What is on screen until the workbench is: its frame, while the engine and the plan are being read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from textual.app import ComposeResult
from textual.screen import Screen

from planner.tui.widgets.hints import ModeBar
from planner.tui.widgets.lines import Line, Lines, padded, rule

FORM: Final = 44
"""Columns of the fields where results stand beside them."""
WIDE: Final = 120
"""Columns from which they do."""


class FirstScreen(Screen[None]):
    """Painted with nothing but Textual imported.

    Args:
        source: the file or preset that is being read; empty: it has no name; None: the last session.
        shown: called as it comes to the terminal; it must not block.
    """

    def __init__(self, source: str | None, shown: Callable[[], object]) -> None:
        super().__init__()
        self._source = source
        self._shown = shown

    def compose(self) -> ComposeResult:
        """The modes, and the frame."""
        yield ModeBar("workbench")
        yield Frame("the last session" if self._source is None else self._source or "the plan")

    def on_screen_resume(self) -> None:
        """Go on when it is painted, which Textual does in this very turn; a callback would wait for its clock."""
        self._shown()


class Frame(Lines):
    """The first panels of the workbench, empty.

    Args:
        name: what is being read.
    """

    def __init__(self, name: str) -> None:
        super().__init__(id="frame")
        self._name = name

    def build(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - the rest is blank
        """The top line, and a panel or two."""
        left = FORM - 1 if width >= WIDE else width
        top = rule("1 Cluster", left, "title", "rule")
        words = [("  ", "text"), (f"reading {self._name} ...", "quiet")]
        if width < WIDE:
            return [(), top, words]
        right = rule("4 Outcome", width - FORM, "title", "rule")
        return [(), [*padded(top, FORM), *right], words]
