"""Pictures of the plan: the pipeline's timeline, and which ranks share what. The CLI prints the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from textual.app import ComposeResult

from planner.exchange import pictures
from planner.exchange.report import Line as TextLine
from planner.exchange.timeline import IDLE, WEIGHT
from planner.exchange.why import Book
from planner.tui.actions import first_key
from planner.tui.explaining import NOTHING, own_book
from planner.tui.screens.base import ModeScreen
from planner.tui.state import Session
from planner.tui.widgets.lines import Line, padded
from planner.tui.widgets.page import INKS, Page, paragraph

STAGE = re.compile(r"(  stage \d+ +)(.*)")
"""A row of the timeline: its name, then its slots."""


class PicturesPage(Page):
    """Both pictures."""

    def __init__(self, session: Session) -> None:
        super().__init__("Pictures of the plan", id="pictures")
        self._session = session

    def body(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - it scrolls
        """What the stages do when; which ranks share what."""
        outcome = self._session.outcome
        if outcome is None:
            return [(), *paragraph("There are no figures to draw yet.", width, "quiet")]
        lines: list[Line] = [()]
        for line in pictures.lines(outcome, width):
            lines += self._drawn(line, width)
        return lines

    @staticmethod
    def _drawn(line: TextLine, width: int) -> Iterator[Line]:
        """A line of the text, the slots of a timeline each in the colour of what is done in it."""
        if match := STAGE.fullmatch(line.text):
            slots = [("".join(run), ink) for ink, run in groupby(match[2], _ink)]
            yield padded([(match[1], "quiet"), *slots], width)
        elif line.style == "heading" and not line.text.startswith(" "):
            yield padded([(f"  {line.text}", "title")], width)
        elif line.style == "quiet" and len(line.text) > width:
            yield from paragraph(line.text.strip(), width, "quiet")
        else:
            yield padded([(line.text, INKS[line.style])], width)


def _ink(slot: str) -> str:
    if slot == IDLE:
        return "rule"
    return "bar" if slot == WEIGHT else "key" if slot.isdigit() else "strong"


class PicturesScreen(ModeScreen):
    """The pictures, on a screen of their own."""

    MODE = "pictures"

    def body(self) -> ComposeResult:
        """They scroll."""
        yield PicturesPage(self.session)

    def on_mount(self) -> None:
        """Scroll at once."""
        self.set_focus(self.query_one(PicturesPage))

    def arrive(self) -> None:
        """The plan may be another."""
        self.query_one(PicturesPage).repaint()

    def explained(self) -> tuple[Book, str] | str:
        """The bubble, which the timeline shows."""
        outcome = self.session.outcome
        return (own_book(self.session, outcome), "step.pipeline_bubble") if outcome else NOTHING

    def hints(self) -> list[tuple[str, str]]:
        """It scrolls."""
        return [("↑↓", "scroll"), (first_key("why"), "why"), (first_key("copy"), "copy")]

    def about(self) -> str:
        """The twin."""
        return "planner estimate FILE --pictures"
