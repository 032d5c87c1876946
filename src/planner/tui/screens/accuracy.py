"""How wrong the engine is: error by family, the runs most like the plan, predicted against measured."""

from __future__ import annotations

import math
from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget
from textual.worker import get_current_worker

from planner.exchange import accuracy
from planner.exchange.charts import density, scatter
from planner.exchange.format import seconds
from planner.tui.screens.base import ModeScreen
from planner.tui.state import Session
from planner.tui.text import fit
from planner.tui.widgets.lines import Line, padded
from planner.tui.widgets.page import Page, heading, paragraph
from planner.tui.widgets.results import Results

REACH: Final = 0.3
"""Errors the pictures of a family go to."""
FIGURES: Final = 32
"""Columns of runs, median, p90 and bias."""
NAMES: Final = 24
"""Columns of the families' names."""
NEAR: Final = 8
"""Runs like the plan that are shown."""
SIDE_BY_SIDE: Final = 110
WIDEST, LEAST = 31, 13
"""Columns of the pictures."""
TALLEST: Final = 22
CAPTION: Final = 9
"""Columns left of the chart."""


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
        total = self._rows[0].summary
        median, p90 = _percent(total.median_abs_error), _percent(total.p90_abs_error)
        words = (
            f"Step time of {total.n:,} measured runs, each predicted by an engine fitted without its family: half of "
            f"them are less than {median} off, nine of ten less than {p90}."
        )
        picture = min(max(width - 2 - NAMES - FIGURES, 0), WIDEST)
        picture -= 1 - picture % 2
        names = max(min(width - FIGURES - picture - 2, 40), 12)
        scale = f"{'-30 %':<{picture // 2}}0{'+30 %':>{picture // 2}}" if picture >= LEAST else ""
        lines: list[Line] = [(), *paragraph(words, width, "quiet"), ()]
        head = f"{'runs':>6}{'median':>8}{'p90':>7}{'bias':>8}   "
        lines.append(padded([(" " * (names + 2), "text"), (head, "quiet"), (scale, "faint")], width))
        for row in self._rows:
            s, ink = row.summary, "strong" if row.name == accuracy.ALL else "text"
            figures = f"{s.n:>6,}{_percent(s.median_abs_error):>8}{_percent(s.p90_abs_error):>7}"
            figures += f"{_percent(s.bias, sign=True):>8}   "
            chart = density(row.errors, REACH, picture, ascii_only=Results.ascii_only) if picture >= LEAST else ""
            line = [("  ", "text"), (fit(row.name, names), ink), (figures, ink), (chart, "bar")]
            lines.append(padded(line, width))
        lines += [(), *paragraph("Bias above zero: the engine is too slow.", width, "quiet")]
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
        found = accuracy.runs_like(self._session.resolved, 200)
        like = [run for run in found if run.similarity >= accuracy.LIKE]
        errors = sorted(abs(run.error) for run in like)
        words = "No measured run is much like this plan; its ranges are wide for that."
        if errors:
            words = (
                f"On {len(errors)} measured runs of its kind, the engine was {_percent(errors[len(errors) // 2])} off "
                "at the median. The nearest:"
            )
        lines: list[Line] = [(), *paragraph(words, width, "quiet"), ()]
        names = max(width - 18, 10)
        head = f"{'alike':>6}{'error':>9}"
        lines.append(padded([(" " * (names + 2), "text"), (head, "quiet")], width))
        for run in found[:NEAR]:
            figures = [(f"{run.similarity:>6.0%}", "quiet"), (f"{_percent(run.error, sign=True):>9}", "strong")]
            lines.append(padded([("  ", "text"), (fit(run.id, names), "text"), *figures], width))
        return lines

    def _chart(self, width: int, height: int) -> list[Line]:
        title = heading("Predicted against measured step time", width)
        if self.points is None:
            return [title, *paragraph("reading the measured runs …", width, "quiet")]
        if not self.points:
            return [title, *paragraph("there are no measured runs to show", width, "quiet")]
        inner = max(width - CAPTION - 3, 4)
        low = min(min(pair) for pair in self.points)
        high = max(max(pair) for pair in self.points)
        rows = scatter(self.points, inner, height, ascii_only=Results.ascii_only)
        middle = math.sqrt(low * high)
        captions = {0: seconds(high), height // 2: seconds(middle), height - 1: seconds(low)}
        lines: list[Line] = [title]
        for number, row in enumerate(rows):
            edge = f"{captions.get(number, ''):>{CAPTION}} "
            lines.append(padded([(edge, "quiet"), ("│", "rule"), (row, "bar")], width))
        lines.append(padded([(" " * (CAPTION + 1), "text"), ("└" + "─" * inner, "rule")], width))
        axis = f"{seconds(low)}{'measured':^{max(inner - 2 * CAPTION, 8)}}{seconds(high):>{CAPTION}}"
        return [*lines, padded([(" " * (CAPTION + 2), "text"), (axis, "quiet")], width)]


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
        return "planner validate"


def _percent(ratio: float | None, *, sign: bool = False) -> str:
    return "–" if ratio is None else f"{100 * ratio:{'+' if sign else ''}.1f} %"
