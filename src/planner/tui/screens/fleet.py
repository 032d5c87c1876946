"""Fleets by owner: cards, H100-equivalents, power, money, export classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from textual.app import ComposeResult

from planner.engine.fleet import FleetTotals
from planner.engine.money import EquivalentRule
from planner.exchange import fleet as texts
from planner.exchange.format import amount, megawatts, money
from planner.exchange.why import Book
from planner.exchange.why_entries import FleetBook
from planner.spec.base import PlanError
from planner.spec.fleet import Fleet
from planner.tui.actions import bindings, first_key
from planner.tui.screens.parts import PartsScreen, trouble
from planner.tui.state import Session
from planner.tui.thinking import Check
from planner.tui.widgets.lines import Line
from planner.tui.widgets.page import Page, paragraph, report
from planner.tui.widgets.table import Column, Row, Table

COLUMNS: Final = (
    Column("fleet", 0, right=False), Column("cards", 9, falls=True), Column("as H100s", 9, falls=True),
    Column("power", 9, falls=True), Column("capital", 12, falls=True), Column("a year", 9, falls=True, wanted=88),
    Column("largest run", 30, right=False, wanted=110),
)  # fmt: skip
FIGURES: Final = {
    "cards": "cards", "power": "power_mw", "capital": "capex_usd", "a year": "owning_usd_per_year",
}  # fmt: skip
"""Column -> id of the total."""
TITLES: Final[dict[EquivalentRule, str]] = {
    "8-bit": "Fleets, H100-equivalents by 8-bit rate", "bf16": "Fleets, H100-equivalents by BF16 rate",
}  # fmt: skip
OTHER: Final[dict[EquivalentRule, EquivalentRule]] = {"8-bit": "bf16", "bf16": "8-bit"}
Found = tuple[str, Fleet, FleetTotals | str]


class Totals(Page):
    """One fleet as the command line prints it."""

    def __init__(self) -> None:
        super().__init__("The fleet with the cursor", id="totals")
        self.row: Row | None = None

    def body(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - it scrolls
        """Cards, totals, export classes, notes."""
        value = self.row.value if self.row else None
        if not isinstance(value, tuple):
            return []
        _, fleet, totals = value
        if isinstance(totals, str):
            return paragraph(totals, width, "error")
        return [*report(texts.lines(fleet, totals, width - 3), width), ()]


class FleetScreen(PartsScreen):
    """The fleets above, the one with the cursor below."""

    MODE = "fleet"
    PARTS = ("fleets", "totals")
    BINDINGS = [*bindings("fleet")]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._rows: list[Row] = []
        self._begun = False
        self._rule: EquivalentRule = "8-bit"

    def body(self) -> ComposeResult:
        """Table, totals."""
        yield Table(TITLES[self._rule], COLUMNS, self._open, self._moved, id="fleets")
        yield Totals()

    def arrive(self) -> None:
        """Add up once; fleets do not depend on the plan."""
        if not self._begun:
            self._begun = True
            self._begin()

    def _begin(self) -> None:
        self._rows = []
        table = self.query_one(Table)
        table.heading = TITLES[self._rule]
        table.fill([], "Adding up …")
        self.think(self._add_up, self._show)

    def action_rule(self) -> None:
        """Count H100s by the other rate."""
        self._rule = OTHER[self._rule]
        self._begin()

    def _add_up(self, check: Check, tell: Callable[[Found], None]) -> None:
        from planner.catalog.fleets import resolve_fleet
        from planner.engine.fleet import fleet_totals

        catalog = self.session.catalog
        for name in catalog.ids("fleets"):
            check()
            fleet = catalog.fleet(name)
            try:
                tell((name, fleet, fleet_totals(resolve_fleet(catalog, fleet), self._rule)))
            except PlanError as error:
                tell((name, fleet, trouble(error)))

    def _show(self, found: Found) -> None:
        self._rows.append(_row(found))
        self.query_one(Table).fill(self._rows)

    def _moved(self, row: Row | None) -> None:
        page = self.query_one(Totals)
        if row is not page.row:
            page.row = row
            page.to_top()

    def _open(self, _row: Row) -> None:
        """The fleet under the cursor in full."""
        self.show("totals")

    def explained(self) -> tuple[Book, str] | str:
        """A total of the fleet with the cursor: the one the table is sorted by, else its H100-equivalents."""
        table = self.query_one(Table)
        row = table.highlighted
        value = row.value if row else None
        if not isinstance(value, tuple) or isinstance(value[2], str):
            return "there are no figures of this fleet to explain"
        name, fleet, totals = value
        return FleetBook(name, fleet, totals, self._rule), FIGURES.get(table.by, "h100_equivalents")

    def picks(self) -> list[tuple[str, str]]:
        """Enter reads."""
        keys = [("Enter", "read"), (first_key("why"), "why"), (first_key("fleet-rule"), f"by {OTHER[self._rule]}")]
        return keys if isinstance(self.focused, Table) else keys[1:2]

    def about(self) -> str:
        """The twin."""
        row = self.query_one(Table).highlighted
        rule = "" if self._rule == "8-bit" else f" --rule {self._rule}"
        return f"planner fleet {row.value[0]}{rule}" if row and isinstance(row.value, tuple) else "planner fleet FILE"


def _row(found: Found) -> Row:
    name, fleet, t = found
    title = fleet.name or name
    if isinstance(t, str):
        return Row(found, (title, "", "", "", "", "", t), (title, 0, 0, 0, 0, 0, t), "error")
    run = t.largest_single_site_run
    where = f"{run.cards:,} {run.card}, {run.site}" if run.cards else "no site is stated"
    cells = (
        title, f"{t.cards:,}", amount(t.h100_equivalents), megawatts(t.power_mw), texts.capital(t),
        money(t.owning_usd_per_year), where,
    )  # fmt: skip
    keys = (title, t.cards, t.h100_equivalents, t.power_mw, t.capex_usd, t.owning_usd_per_year, float(run.cards))
    return Row(found, cells, keys)
