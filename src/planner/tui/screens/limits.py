"""What limits the plan, as a tornado: days and cost with ten per cent more of each thing."""

from __future__ import annotations

import contextlib

from textual import events
from textual.app import ComposeResult
from textual.worker import get_current_worker

from planner.engine.found import Effect
from planner.engine.result import Outcome
from planner.exchange.strategies import tornado
from planner.exchange.why import Book
from planner.spec.base import PlanError
from planner.tui import thinking
from planner.tui.actions import BY_ID, first_key, keys
from planner.tui.explaining import own_book
from planner.tui.screens.base import LeanScreen
from planner.tui.state import Session, sentence
from planner.tui.thinking import Check, Stopped
from planner.tui.widgets.hints import HintBar
from planner.tui.widgets.lines import Line
from planner.tui.widgets.page import Page, paragraph, report

INTRODUCTION = (
    "Each thing ten per cent more, one at a time, the strategy as it is; the bar is the change of days, or of the cost "
    "where the days stay. To the left is less. Memory is the exception: it helps by letting another strategy fit."
)


class Limits(Page):
    """The tornado."""

    def __init__(self) -> None:
        super().__init__("What would help", id="limits")
        self.effects: tuple[Effect, ...] | None = None
        self.trouble = ""

    def body(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - it scrolls
        """Introduction, then a bar a thing."""
        if self.effects is None:
            return [(), *paragraph(self.trouble or "computing …", width, "quiet")]
        lines: list[Line] = [(), *paragraph(INTRODUCTION, width, "quiet"), ()]
        return [*lines, *report(tornado(self.effects, width - 2), width), ()]


class LimitsScreen(LeanScreen):
    """One page over the workbench; Esc leads back.

    Args:
        session: has the engine.
        outcome: of the plan that is explained.
    """

    def __init__(self, session: Session, outcome: Outcome) -> None:
        super().__init__()
        self._session, self._outcome = session, outcome

    def compose(self) -> ComposeResult:
        """The page and the keys."""
        yield Limits()
        yield HintBar(id="hints")

    def on_mount(self) -> None:
        """Compute beside the keys."""
        self.set_focus(self.query_one(Limits))
        hints = [("↑↓", "scroll"), (first_key("why"), "why"), ("Esc", "back")]
        self.query_one(HintBar).show(hints, "planner estimate FILE")
        if self._session.tools.beside:
            self.run_worker(self._beside, thread=True, exit_on_error=False)
        else:
            self._show(*self._compute(lambda: None))

    def explained(self) -> tuple[Book, str] | str:
        """The days, which the bars are changes of."""
        return own_book(self._session, self._outcome), "training_days"

    def _compute(self, check: Check) -> tuple[tuple[Effect, ...] | None, str]:
        try:
            return self._session.tools.explain(self._outcome.resolved, check, None), ""
        except PlanError as error:
            return None, sentence(error.problems[0])

    def _beside(self) -> None:
        worker = get_current_worker()
        with contextlib.suppress(Stopped):
            found = self._compute(thinking.checking(lambda: worker.is_cancelled))
            if not worker.is_cancelled:
                self.app.call_from_thread(self._show, *found)

    def _show(self, effects: tuple[Effect, ...] | None, trouble: str) -> None:
        page = self.query_one(Limits)
        page.effects, page.trouble = effects, trouble
        page.repaint()

    def on_key(self, event: events.Key) -> None:
        """Esc, or a key that opened it, leads back."""
        if {event.key, event.character} & {"escape", "tab", "enter", *keys(BY_ID["limits"])}:
            event.stop()
            event.prevent_default()
            self.dismiss()
