"""Published claims against the engine: all verdicts, each in words, and the questions of January 2025."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from textual.app import ComposeResult
from textual.containers import Horizontal

from planner.engine.audit import Finding
from planner.exchange import claims
from planner.exchange.audit import VERDICT_WORDS, claim_lines
from planner.exchange.format import between, percent, short
from planner.exchange.questions import Answer, answer_lines
from planner.exchange.why import Book
from planner.spec.base import PlanError
from planner.tui.actions import bindings, first_key
from planner.tui.explaining import NOTHING, claim_book
from planner.tui.screens.parts import PartsScreen, trouble
from planner.tui.state import Session
from planner.tui.thinking import Check
from planner.tui.widgets.lines import Line
from planner.tui.widgets.page import Page, paragraph, report
from planner.tui.widgets.table import Column, Row, Table

MARKS: Final = {
    "plausible": "✓ plausible", "faster-than-range": "✖ faster", "slower-than-range": "▲ slower",
    "not-enough-stated": "· not enough stated",
}  # fmt: skip
INKS: Final = {
    "plausible": "text", "faster-than-range": "error", "slower-than-range": "warn", "not-enough-stated": "quiet",
}  # fmt: skip
COLUMNS: Final = (
    Column("claim", 24, right=False), Column("verdict", 19, right=False), Column("claimed", 8),
    Column("engine", 8), Column("80 % range", 17, wanted=88), Column("MFU", 7, falls=True),
    Column("engine's", 8, wanted=96), Column("source", 0, right=False, wanted=110),
)  # fmt: skip


class Detail(Page):
    """One claim in words."""

    def __init__(self) -> None:
        super().__init__("The claim with the cursor", id="claim")
        self.row: Row | None = None

    def body(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - it scrolls
        """Verdict, days and cost both ways, why, what would have to be true."""
        value = self.row.value if self.row else None
        if not isinstance(value, tuple):
            return []
        name, finding = value
        if isinstance(finding, str):
            return paragraph(finding, width, "error")
        return report(claim_lines(name, finding, width - 3), width)


class Questions(Page):
    """The page of questions."""

    def __init__(self) -> None:
        super().__init__("January 2025", id="questions")
        self.answers: list[Answer] = []
        self.words = "answering …"

    def body(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - it scrolls
        """Each question and its answer."""
        lines: list[Line] = []
        for each in self.answers:
            lines += [*report(answer_lines(each, width - 3), width), ()]
        return [*lines, *(paragraph(self.words, width, "quiet") if self.words else [])]


class AuditScreen(PartsScreen):
    """Claims above; below them the one with the cursor, and the questions."""

    MODE = "audit"
    PARTS = ("claims", "claim", "questions")
    BINDINGS = [*bindings("audit")]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._rows: list[Row] = []
        self._begun = False

    def body(self) -> ComposeResult:
        """Table, detail, questions."""
        yield Table("Claims against the engine, in card-hours", COLUMNS, self._open, self._moved, id="claims")
        with Horizontal(id="words"):
            yield Detail()
            yield Questions()

    def show(self, name: str) -> None:
        """The questions have the whole screen while they have the focus."""
        self.set_class(name == "questions", "-asking")
        super().show(name)

    def action_ask(self) -> None:
        """To the questions."""
        self.show("questions")

    def arrive(self) -> None:
        """Judge once; claims do not depend on the plan."""
        if self._begun:
            return
        self._begun = True
        self.query_one(Table).fill([], "Judging the claims …")
        self.think(self._judge, self._show)

    def _judge(self, check: Check, tell: Callable[[tuple[str, Finding | str] | Answer | str], None]) -> None:
        catalog = self.session.catalog
        for name in self.session.tools.claims(catalog):
            check()
            try:
                assumed = catalog.preset_info(name).assumed
                tell((name, claims.finding(catalog.plan(name), catalog, self.session.preview, assumed)))
            except PlanError as error:
                tell((name, trouble(error)))
        from planner.catalog.questions import questions

        page = questions()
        for question in page.question:
            check()
            try:
                tell(self.session.tools.answer(question, catalog))
            except PlanError as error:
                tell(Answer(question.ask, trouble(error), ""))
        tell(page.title)

    def _show(self, found: tuple[str, Finding | str] | Answer | str) -> None:
        questions = self.query_one(Questions)
        if isinstance(found, tuple):
            self._rows.append(_row(*found))
            self.query_one(Table).fill(self._rows)
        elif isinstance(found, Answer):
            questions.answers.append(found)
            questions.repaint()
        else:
            questions.heading, questions.words = found, ""
            questions.repaint()

    def _moved(self, row: Row | None) -> None:
        detail = self.query_one(Detail)
        if row is not detail.row:
            detail.row = row
            detail.to_top()

    def _open(self, _row: Row) -> None:
        """The claim under the cursor in words."""
        self.show("claim")

    def explained(self) -> tuple[Book, str] | str:
        """The engine's card-hours of the claim with the cursor, or its MFU where the table is sorted by that."""
        table = self.query_one(Table)
        row = table.highlighted
        value = row.value if row else None
        if not isinstance(value, tuple) or isinstance(value[1], str):
            return NOTHING
        name, finding = value
        return claim_book(self.session, finding.outcome, name), "mfu" if table.by in {
            "MFU",
            "engine's",
        } else "card_hours"

    def picks(self) -> list[tuple[str, str]]:
        """Enter reads; the questions are a key away."""
        keys = [("Enter", "read"), (first_key("why"), "why"), (first_key("audit-questions"), "January 2025")]
        return keys if isinstance(self.focused, Table) else []

    def about(self) -> str:
        """The twin."""
        return "planner audit"


def _row(name: str, found: Finding | str) -> Row:
    if isinstance(found, str):
        return Row((name, found), (name, "✖ error", "", "", "", "", "", found), (name, "", 0, 0, 0, 0, 0, ""), "error")
    e, implied = found.outcome.estimate, found.implied
    low, high = found.card_hours
    cells = (
        name, MARKS[found.verdict], short(implied.card_hours) if implied.card_hours else "–", short(e.card_hours),
        between(low, high, short), percent(implied.mfu) if implied.mfu else "–", percent(e.mfu), found.claim.source,
    )  # fmt: skip
    order = list(VERDICT_WORDS).index(found.verdict)
    keys = (name, order, implied.card_hours or 0.0, e.card_hours, low, implied.mfu or 0.0, e.mfu, found.claim.source)
    return Row((name, found), cells, keys, INKS[found.verdict])
