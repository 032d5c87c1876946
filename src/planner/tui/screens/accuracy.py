"""How wrong the engine is: error by family, the runs most like the plan, predicted against measured."""

from __future__ import annotations

from textwrap import wrap
from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget
from textual.worker import get_current_worker

from planner.exchange import accuracy
from planner.exchange.accuracy_pictures import BIAS, TITLE, chart_rows, family_rows, introduction, percent
from planner.tui.screens.base import ModeScreen
from planner.tui.state import Session
from planner.tui.widgets.lines import Line, padded
from planner.tui.widgets.page import Page, heading, paragraph

NEAR: Final = 8
"""Runs like the plan that are shown."""
SIDE_BY_SIDE: Final = 110
TALLEST: Final = 22


class Families(Page):
    """Held-out errors by family, and below them, where there is no second column, the rest."""

    def __init__(self, session: Session) -> None:
        super().__init__("Error on families left out of the fit", id="families")
        self._session = session
        self._rows = accuracy.by_family()
        self.rest: PlanAccuracy | None = None
        """What to show below the table."""

    def body(self, width: int, height: int) -> list[Line]:
        """A line a family, with a picture of its errors."""
        lines: list[Line] = [(), *paragraph(introduction(self._rows), width, "quiet"), ()]
        lines += [padded(row, width) for row in family_rows(self._rows, width)]
        lines += [(), *paragraph(BIAS, width, "quiet")]
        return [*lines, (), *self.rest.body(width, height)] if self.rest else lines


class PlanAccuracy(Page):
    """The runs most like the plan, and predicted against measured."""

    def __init__(self, session: Session) -> None:
        super().__init__("Runs like this plan", id="near")
        self._session = session
        self.points: list[tuple[float, float]] | None = None
        """Measured and predicted seconds; None: not read yet."""

    def body(self, width: int, height: int) -> list[Line]:
        """Nearest runs, then the chart."""
        near = self._near(width)
        return [*near, (), *self._chart(width, min(max(height - len(near) - 5, 8), TALLEST))]

    def _near(self, width: int) -> list[Line]:
        if self._session.resolved is None:
            return [(), *paragraph("There is no plan to compare with.", width, "quiet")]
        like = accuracy.runs_like(self._session.resolved, NEAR)
        words = "No measured run is much like this plan; its ranges are wide for that."
        if like.count:
            words = (
                f"On {like.count} measured runs of its kind, the engine was {percent(like.median_abs_error)} off "
                "at the median. The nearest:"
            )
        lines: list[Line] = [(), *paragraph(words, width, "quiet"), ()]
        names = max(width - 18, 10)
        head = f"{'alike':>6}{'error':>9}"
        lines.append(padded([(" " * (names + 2), "text"), (head, "quiet")], width))
        for run in like.nearest:
            figures = [(f"{run.similarity:>6.0%}", "quiet"), (f"{percent(run.error, sign=True):>9}", "strong")]
            *above, last = wrap(run.id, names)
            lines += [padded([(f"  {piece}", "text")], width) for piece in above]
            lines.append(padded([(f"  {last:<{names}}", "text"), *figures], width))
        return lines

    def _chart(self, width: int, height: int) -> list[Line]:
        title = heading(TITLE, width)
        if self.points is None:
            return [title, *paragraph("reading the measured runs …", width, "quiet")]
        if not self.points:
            return [title, *paragraph("there are no measured runs to show", width, "quiet")]
        rows = chart_rows(self.points, width, height)
        return [title, *(padded(row, width) for row in rows)]


class AccuracyScreen(ModeScreen):
    """Two columns, or one where there is no room."""

    MODE = "accuracy"

    def body(self) -> ComposeResult:
        """Families to the left, the plan to the right."""
        with Horizontal(id="accuracy"):
            yield Families(self.session)
            yield PlanAccuracy(self.session)

    def panels(self) -> list[Widget]:
        """Both columns, or the one there is."""
        return [self.query_one(Families), *([] if self.has_class("-one") else [self.query_one(PlanAccuracy)])]

    def on_mount(self) -> None:
        """Scroll at once; read the measured runs beside it."""
        for number, page in enumerate(self.query(Page), 1):
            page.number = number
        self.set_focus(self.query_one(Families))
        self.run_worker(self._read, thread=True, exit_on_error=False)

    def _read(self) -> None:
        from planner.exchange.runs import read_all, shipped_runs

        points = accuracy.points(read_all(shipped_runs(), self.session.catalog).runs)
        if not get_current_worker().is_cancelled:
            self.app.call_from_thread(self._show, points)

    def _show(self, points: list[tuple[float, float]]) -> None:
        self.query_one(PlanAccuracy).points = points
        self.arrive()

    def arrive(self) -> None:
        """The plan may be another."""
        for page in self.query(Page):
            page.repaint()

    def on_resize(self, _event: events.Resize) -> None:
        """Without room for two columns, everything is in one."""
        near, families = self.query_one(PlanAccuracy), self.query_one(Families)
        one = self.size.width < SIDE_BY_SIDE
        self.set_class(one, "-one")
        families.rest = near if one else None
        if one:
            self.set_focus(families)
        families.repaint()
        self.guide()

    def hints(self) -> list[tuple[str, str]]:
        """It scrolls; Tab goes to the other column."""
        return [("↑↓", "scroll"), *([] if self.has_class("-one") else [("Tab", "other side")])]

    def about(self) -> str:
        """The twin."""
        return "planner validate --held-out"
