"""Every strategy that fits the cluster, ranked; days against memory; why the others are out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from textual.app import ComposeResult
from textual.containers import Horizontal

from planner.engine.found import SearchResult
from planner.engine.result import Outcome
from planner.engine.search_rules import Forbidden
from planner.engine.search_space import Constraints
from planner.exchange import strategies
from planner.exchange.format import day_count, gigabytes, money, percent
from planner.exchange.search_limits import Limit, offered, toggled
from planner.exchange.search_limits import constraints as limited
from planner.exchange.why import Book
from planner.spec.base import PlanError
from planner.spec.plan import Resolved
from planner.tui import thinking
from planner.tui.actions import bindings, first_key
from planner.tui.explaining import NOTHING, row_book
from planner.tui.screens.parts import PartsScreen, trouble
from planner.tui.state import Session
from planner.tui.thinking import Check
from planner.tui.widgets.lines import Line
from planner.tui.widgets.page import Page, paragraph
from planner.tui.widgets.picker import Option, Picker
from planner.tui.widgets.table import Column, Row, Table

TITLE: Final = "Strategies"
REASONS: Final = 12
PARTS: Final = 5
"""Parts of the step that are compared."""
COLUMNS: Final = (
    Column("", 3), Column("days", 9), Column("longer", 8), Column("cost", 9, wanted=100), Column("MFU", 7, falls=True),
    Column("memory", 8), Column("strategy", 0, right=False),
)  # fmt: skip


FIGURES: Final = {"cost": "cost_usd", "MFU": "mfu", "memory": "memory_gb"}
"""Column -> id of the formula of its figures."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to."""

    result: SearchResult | None
    outcomes: tuple[Outcome, ...]
    rules: tuple[Forbidden, ...]
    """What rules take out."""
    words: str = ""
    """Why there is none, or what is closest."""


class Picture(Page):
    """Days against memory."""

    def __init__(self, session: Session) -> None:
        super().__init__("Days against memory", id="pareto")
        self._session = session
        self.found: Found | None = None

    def body(self, width: int, height: int) -> list[Line]:
        """The chart, and what the days cost."""
        found = self.found
        if found is None or found.result is None or not found.outcomes:
            return []
        own = self._session.outcome
        point = (own.estimate.memory_gb, own.estimate.training_days) if own else None
        rows = strategies.pareto(found.result, found.outcomes[0], point, width - 1, max(height - 1, 8))
        e = found.outcomes[0].estimate
        cost = f"Cost grows with days: {money(e.cost_usd / e.training_days)} a day." if e.cost_usd else ""
        return [*([(row, "bar" if "│" in row else "quiet")] for row in rows),
                *paragraph(cost, width, "quiet")]  # fmt: skip


class Reasons(Page):
    """Where the plan's own strategy loses, and what memory rules out."""

    def __init__(self, session: Session) -> None:
        super().__init__("Why not", id="reasons")
        self._session = session
        self.found: Found | None = None
        self.row: Row | None = None
        """The strategy with the cursor."""

    def body(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - it scrolls
        """The strategy with the cursor in full, the plan against it, counts, the regions that are out."""
        found = self.found
        if found is None:
            return []
        lines: list[Line] = []
        if found.words:
            lines += [*paragraph(found.words, width, "warn"), ()]
        if found.result is None:
            return lines
        own, row = self._session.outcome, self.row
        if own is not None and row is not None and isinstance(row.value, Outcome):
            name = f"strategy {row.cells[0].strip()}"
            lines += [*paragraph(f"{name.capitalize()}: {row.cells[-1]}", width), ()]
            for line in strategies.against(own, row.value, PARTS, name):
                lines += [[(f"  {line.text}", "text")]] if line.text[0] == " " else paragraph(line.text, width)
            lines.append(())
        lines += [*paragraph(strategies.counts(found.result), width, "quiet"), ()]
        for line in strategies.ruled_out(found.result, found.rules, REASONS):
            mark = "- " if line.text.startswith(" ") else ""
            lines += paragraph(f"{mark}{line.text.strip()}", width, "quiet") if line.text else [()]
        return [*lines, ()]


class StrategiesScreen(PartsScreen):
    """Table above, picture and reasons below it; in small terminals one of them."""

    MODE = "strategies"
    PARTS = ("ranked", "pareto", "reasons")
    BINDINGS = [*bindings("strategies")]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._of: Resolved | None = None
        self._limits: tuple[Limit, ...] = ()

    def body(self) -> ComposeResult:
        """Table, picture, reasons."""
        yield Table(TITLE, COLUMNS, self._apply, self._moved, order="the fastest first", id="ranked")
        with Horizontal(id="below"):
            yield Picture(self.session)
            yield Reasons(self.session)

    def arrive(self) -> None:
        """Search again where the plan is another."""
        resolved = self.session.resolved
        if resolved is self._of:
            return
        self._of = resolved
        self._show(None)
        table = self.query_one(Table)
        table.heading = " · ".join((TITLE, *(limit.words for limit in self._limits)))
        if resolved is None:
            table.fill([], f"There is no plan to search for: mend it on the workbench ({first_key('workbench')}).")
            return
        table.fill([], "Searching every layout of these cards …")
        self.think(lambda check, tell: self._search(resolved, check, tell), self._show)

    def _search(self, resolved: Resolved, check: Check, tell: Callable[[Found], None]) -> None:
        try:
            constraints = limited(self._limits)
            result = self.session.tools.search(resolved, strategies.RANKED, check, constraints)
            rules = _forbidden(resolved, constraints)
            if not result.ranked:
                tell(Found(result, (), rules, "Nothing fits. Looking for what comes closest …"))
                tell(Found(result, (), rules, _closest(resolved, constraints)))
                return
            every = tuple(strategies.outcomes(resolved, result, self.session.evaluate, check))
        except PlanError as error:
            tell(Found(None, (), (), trouble(error)))
            return
        tell(Found(result, every, rules))

    def _show(self, found: Found | None) -> None:
        for page in (self.query_one(Picture), self.query_one(Reasons)):
            page.found = found
            page.to_top()
        if found is None:
            return
        best = found.outcomes[0].estimate.training_days if found.outcomes else 1.0
        rows = [_row(number, outcome, best) for number, outcome in enumerate(found.outcomes, 1)]
        self.query_one(Table).fill(rows, found.words)
        self.guide()

    def _apply(self, row: Row) -> None:
        """Take over the strategy under the cursor."""
        chosen = row.value
        assert isinstance(chosen, Outcome)  # noqa: S101 - as filled in
        plan = chosen.resolved.plan.with_strategy(chosen.resolved.strategy)
        try:
            thinking.apply(self.session, plan, f"strategy {row.cells[0]}")
        except PlanError as error:
            self.say(trouble(error))
            return
        self._of = self.session.resolved  # the same cluster and workload: the ranking stays
        for page in (self.query_one(Picture), self.query_one(Reasons)):
            page.repaint()
        self.app.autosave()
        self.say(f"applied: strategy {row.cells[0]}; undo it on the workbench")

    def _moved(self, row: Row | None) -> None:
        page = self.query_one(Reasons)
        page.row = row
        page.to_top()

    def explained(self) -> tuple[Book, str] | str:
        """A figure of the strategy with the cursor: the one the table is sorted by, else its days."""
        table = self.query_one(Table)
        row = table.highlighted
        if row is None or not isinstance(row.value, Outcome):
            return NOTHING
        resolved = row.value.resolved.with_strategy(row.value.resolved.strategy)
        book = row_book(self.session, dataclasses.replace(row.value, resolved=resolved), f"strategy {row.cells[0]}")
        return book, FIGURES.get(table.by, "training_days")

    # ------------------------------------------------------------------------------------------------- limits

    def action_limit(self) -> None:
        """Pick what the search may not change, or take it back."""
        resolved = self.session.resolved
        if resolved is None:
            return

        def done(value: object | None) -> None:
            self.show(self._here)
            if isinstance(value, Limit):
                self._limit(toggled(self._limits, value))

        every = [*self._limits, *(one for one in offered(resolved) if one not in self._limits)]
        entries = [Option(one, one.words, one.flag, current=one in self._limits) for one in every]
        picker = Picker("Limit the search", entries, done)
        self.mount(picker)
        self.set_focus(picker)

    def action_free(self) -> None:
        """Take all limits back."""
        if self._limits:
            self._limit(())

    def _limit(self, limits: tuple[Limit, ...]) -> None:
        self._limits, self._of = limits, None
        self.arrive()

    def picks(self) -> list[tuple[str, str]]:
        """Enter applies; a key limits the search."""
        if not isinstance(self.focused, Table):
            return []
        free = [(first_key("strategies-free"), "no limits")] if self._limits else []
        return [("Enter", "apply"), (first_key("why"), "why"), (first_key("strategies-limit"), "limit"), *free]

    def about(self) -> str:
        """The twin."""
        return " ".join(("planner search FILE", *(limit.flag for limit in self._limits)))


def _row(number: int, outcome: Outcome, best: float) -> Row:
    e, r = outcome.estimate, outcome.resolved
    text = strategies.describe(r.strategy, r.data_parallel)
    longer = e.training_days / best - 1.0
    cells = (
        str(number), day_count(e.training_days), f"+{100 * longer:.1f} %" if number > 1 else "",
        money(e.cost_usd) if r.priced else "–", percent(e.mfu), gigabytes(e.memory_gb), text,
    )  # fmt: skip
    return Row(outcome, cells, (number, e.training_days, longer, e.cost_usd, e.mfu, e.memory_gb, text))


def _forbidden(resolved: Resolved, constraints: Constraints | None) -> tuple[Forbidden, ...]:
    from planner.engine.search_rules import forbidden

    return forbidden(resolved, constraints)


def _closest(resolved: Resolved, constraints: Constraints | None) -> str:
    from planner.engine.search_reasons import no_layout, nothing_fits

    nothing = nothing_fits(resolved, constraints)
    words = nothing.message if nothing else no_layout(resolved, constraints)
    return f"{words[0].upper()}{words[1:]}"
