"""What stands behind the plan's days and cost: money, power and carbon, failures, network. The CLI prints the same."""

from __future__ import annotations

from typing import Final

from textual.app import ComposeResult
from textual.containers import Vertical

from planner.engine.account import Account, account
from planner.engine.result import Outcome
from planner.exchange.account import Section, sections
from planner.exchange.report import bill_lines
from planner.exchange.why import Book
from planner.tui.actions import bindings, first_key
from planner.tui.explaining import NOTHING, own_book
from planner.tui.screens.parts import PartsScreen
from planner.tui.widgets.lines import Line
from planner.tui.widgets.page import Page, paragraph, report

FIGURES: Final = {
    "money": "cost_usd", "bill": "capital_usd", "power": "power_mw", "failures": "goodput", "network": "step.data",
}  # fmt: skip
"""Part -> id of the formula of its main figure."""


class SectionPage(Page):
    """One section.

    Args:
        title: what it is about.
        section: makes its lines.
        id: the widget's id.
    """

    def __init__(self, title: str, section: Section, *, id: str) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(title, id=id)
        self._section = section
        self.of: tuple[Outcome, Account] | None = None

    def body(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - it scrolls
        """As the command line prints it."""
        if self.of is None:
            return [(), *paragraph("There are no figures yet.", width, "quiet")]
        return report(self._section(*self.of, width - 3), width)


class CostsScreen(PartsScreen):
    """Money, network and bill at the left, power and failures at the right."""

    MODE = "costs"
    PARTS = ("money", "power", "failures", "network", "bill")
    BINDINGS = [*bindings("costs")]

    def body(self) -> ComposeResult:
        """The four sections and the bill."""
        text = sections(everything=True)
        text["Bill of materials"] = lambda _, found, width: bill_lines(found.materials.bill, width, "")
        left = (("money", "Money"), ("bill", "Bill of materials"))
        right = (("power", "Power and carbon"), ("failures", "Failures"), ("network", "Network"))
        for side, parts in (("spent", left), ("drawn", right)):
            with Vertical(id=side):
                for name, title in parts:
                    yield SectionPage(title, text[title], id=name)

    def arrive(self) -> None:
        """The plan may be another."""
        outcome = self.session.outcome
        found = (outcome, account(outcome)) if outcome else None
        for page in self.query(SectionPage):
            page.of = found
            page.to_top()

    def explained(self) -> tuple[Book, str] | str:
        """The figure the part with the focus is about."""
        outcome = self.session.outcome
        return (own_book(self.session, outcome), FIGURES[self._here]) if outcome else NOTHING

    def picks(self) -> list[tuple[str, str]]:
        """What explains."""
        return [(first_key("why"), "why")]

    def about(self) -> str:
        """The twin."""
        return "planner estimate FILE --all"
