"""The plan on more and fewer cards: days, cost and MFU, what bubbles and failures take, and which meet a deadline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from textual.app import ComposeResult

from planner.engine.result import Outcome
from planner.exchange import scale, sizing
from planner.exchange.edits import PRICES
from planner.exchange.scale import Point
from planner.exchange.strategies import describe
from planner.exchange.typed import parse_number
from planner.exchange.why import Book
from planner.spec.base import PlanError
from planner.spec.plan import Plan, Resolved
from planner.tui import thinking
from planner.tui.actions import bindings, first_key
from planner.tui.explaining import NOTHING, row_book
from planner.tui.picking import options
from planner.tui.screens.parts import PartsScreen, trouble
from planner.tui.state import Session, Value
from planner.tui.thinking import Check
from planner.tui.widgets.lines import Line, padded
from planner.tui.widgets.page import Page, paragraph
from planner.tui.widgets.picker import Option, Picker
from planner.tui.widgets.table import Column, Row, Table

MOST: Final = 4
"""Cards of different kinds."""
TITLE: Final = "Each number of cards with its best strategy"
DEADLINES: Final = (30.0, 60.0, 90.0, 180.0, 365.0)
"""Days one picks; any other number is typed."""
COLUMNS: Final = (
    Column("cards", 9), Column("card", 15, right=False, wanted=70), Column("days", 8), Column("cost", 9),
    Column("MFU", 7, falls=True), Column("goodput", 8, falls=True), Column("bubble", 7),
    Column("failures", 9, wanted=90), Column("strategy", 0, right=False, wanted=90),
)  # fmt: skip
FIGURES: Final = {
    "cost": "cost_usd", "MFU": "mfu", "goodput": "goodput", "bubble": "step.pipeline_bubble",
    "failures": "interruptions",
}  # fmt: skip
"""Column -> id of the formula of its figures."""


class Charts(Page):
    """Three pictures of the same clusters."""

    def __init__(self, session: Session) -> None:
        super().__init__("Days, cost and MFU against cards", id="charts")
        self._session = session
        self.points: list[Point] = []
        self.chosen = ""
        """What the last column says of the row with the cursor, and has no room for."""

    def body(self, width: int, height: int) -> list[Line]:
        """The strategy, and below it the pictures, which stay where they are when its words are fewer."""
        words = paragraph(self.chosen, width, "text")
        words += [()] * (2 - len(words))
        pictures = self.pictures(width, height - len(words))
        return [*words, *pictures] if pictures else []

    def pictures(self, width: int, height: int) -> list[Line]:
        """Beside each other, or below where there is little room."""
        if not any(point.outcome for point in self.points):
            return []
        across = scale.across(width)
        rows = max(height - 1, scale.CHART) if across > 1 else scale.CHART
        lines = scale.charts(self.points, self.name_of, width, rows, across=across)
        return [padded([(row, "bar" if "│" in row else "quiet")], width) for row in lines]

    def name_of(self, card: str) -> str:
        """A card's name."""
        return scale.name_of(card, self._session.resolved, self._session.catalog)


class ScaleScreen(PartsScreen):
    """Charts above, the table below them."""

    MODE = "scale"
    PARTS = ("sizes", "charts")
    BINDINGS = [*bindings("scale")]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._of: Plan | None = None
        self._cards: list[str] = [""]
        self._points: list[Point] = []
        self._within: float | None = None
        """The deadline in days."""
        self._found = ""
        """Which clusters meet it."""

    def body(self) -> ComposeResult:
        """Charts, table."""
        yield Charts(self.session)
        yield Table(TITLE, COLUMNS, self._apply, self._tell, id="sizes")

    def arrive(self) -> None:
        """Compute again where the plan is another."""
        if self.session.plan is not self._of:
            self._again()

    def _again(self) -> None:
        """All of them, of the plan as it is now."""
        self._of, self._points = self.session.plan, []
        self._compute(self._cards)

    def _compute(self, cards: list[str]) -> None:
        plan, self._found = self.session.plan, ""
        if self._within is not None:
            self._meet(self._within)
            return
        self._fill(busy=True)

        def work(check: Check, tell: Callable[[Point | None], None]) -> None:
            for card in cards:
                for point in scale.points(plan, card, self.session.catalog, lambda r: self._best(r, check)):
                    tell(point)
            tell(None)

        self.think(work, self._add)

    def _meet(self, within: float) -> None:
        """The clusters that meet the deadline, and those that were tried on the way."""
        session, plan, cards, self._points = self.session, self.session.plan, list(self._cards), []
        self._fill(busy=True)

        def work(check: Check, tell: Callable[[tuple[str, list[Point]]], None]) -> None:
            try:
                result = session.tools.size(plan, cards, within, check)
                make, own = sizing.clusters(plan, session.catalog), sizing.own_card(plan, session.catalog)
                found = []
                for point in sizing.points(result, make, session.evaluate):
                    check()
                    found.append(point)
            except PlanError as error:
                tell((trouble(error), []))
            else:
                tell((sizing.headline(result, own, within), found))

        self.think(work, self._sized)

    def _sized(self, found: tuple[str, list[Point]]) -> None:
        self._found, self._points = found
        self._fill(busy=False)
        table = self.query_one(Table)
        meet = [n for n, row in enumerate(table.shown) if row.ink == "text"]
        table.move((meet[0] if meet else 0) - table.cursor)
        self.guide()

    def _best(self, resolved: Resolved, check: Check) -> Outcome | None:
        check()
        ranked = self.session.tools.search(resolved, 1, check).ranked
        return self.session.evaluate(resolved.with_strategy(ranked[0].strategy)) if ranked else None

    def _add(self, point: Point | None) -> None:
        if point is not None:
            self._points.append(point)
        self._fill(busy=point is not None)
        self.guide()

    def _fill(self, *, busy: bool) -> None:
        charts, table = self.query_one(Charts), self.query_one(Table)
        order = {card: n for n, card in enumerate(self._cards)}
        within = self._within
        self._points.sort(key=lambda point: (within is None and order.get(point.card, MOST), point.cards))
        charts.points = self._points
        charts.repaint()
        title = TITLE if within is None else f"Within {sizing.limit(within)}"
        table.heading = self._found or title + (" · still searching" if busy else "")
        rows = [_row(point, charts.name_of(point.card), within) for point in self._points]
        words = (
            "Searching …" if within is None else f"Searching for clusters that train within {sizing.limit(within)} …"
        )
        table.fill(rows, words if busy else "")

    def _tell(self, row: Row | None) -> None:
        """The strategy of a row in full above the charts, or why there is none; why also where they are out of view."""
        charts, point = self.query_one(Charts), row.value if row else None
        charts.chosen = ""
        if isinstance(point, Point):
            r = point.outcome.resolved if point.outcome else None
            words = describe(r.strategy, r.data_parallel) if r else point.trouble
            charts.chosen = f"{point.cards:,} cards: {words}"
            if r is None and self.has_class("-one"):
                self.say(charts.chosen)
        charts.repaint()

    def _apply(self, row: Row) -> None:
        """Take over the cluster and strategy under the cursor."""
        point = row.value
        assert isinstance(point, Point)  # noqa: S101 - as filled in
        if point.outcome is None:
            self.say(point.trouble)
            return
        changes: list[tuple[str, Value | None]] = [("cluster.cards", point.cards)]
        if point.card:
            changes += [("cluster.card", point.card), *((key, None) for key in PRICES)]
        changes += thinking.changes(point.outcome.resolved.plan)
        try:
            self.session.apply(changes, f"{point.cards:,} cards")
        except PlanError as error:
            self.say(trouble(error))
            return
        if not point.card:
            self._of = self.session.plan  # the same ladder still stands
        self.app.autosave()
        self.say(f"applied: {point.cards:,} cards with their best strategy; undo it on the workbench")

    # ------------------------------------------------------------------------------------------------- other cards

    def action_add(self) -> None:
        """Pick another card to draw beside the plan's."""
        if len(self._cards) >= MOST:
            self.say(f"{MOST} kinds of cards at most; {first_key('scale-drop')} takes the last away")
            return
        from planner.tui.fields import CLUSTER

        entries: list[Option] = options(next(item for item in CLUSTER if item.key == "cluster.card"), self.session)

        def done(value: object | None) -> None:
            self.show(self._here)
            if value is not None and value not in self._cards:
                self._cards.append(str(value))
                missing = [c for c in self._cards if not any(p.card == c for p in self._points)]
                self._compute([*dict.fromkeys([*self._unfinished(), *missing])])

        picker = Picker("Another card", entries, done)
        self.mount(picker)
        self.set_focus(picker)

    def _unfinished(self) -> list[str]:
        """Cards whose ladder was cut short by another wish."""
        busy = "searching" in self.query_one(Table).heading
        last = self._points[-1].card if busy and self._points else None
        if last is None:
            return []
        self._points = [point for point in self._points if point.card != last]
        return [last]

    def action_drop(self) -> None:
        """Take the last card away."""
        if len(self._cards) > 1:
            card = self._cards.pop()
            self._points = [point for point in self._points if point.card != card]
            self.rest()
            if self._within is None:
                self._fill(busy=False)
            else:
                self._meet(self._within)

    # ------------------------------------------------------------------------------------------------- a deadline

    def action_deadline(self) -> None:
        """Ask within how many days the plan has to be trained."""

        def done(value: object | None) -> None:
            self.show(self._here)
            if isinstance(value, float):
                self._within = value or None
                self._again()

        entries = [_deadline(value, self._within) for value in DEADLINES]
        if self._within is not None:
            entries.append(Option(0.0, "no deadline", "", "The numbers of cards around the plan's own again."))
        picker = Picker("How many cards train it within …", entries, done, typed=_typed_days, asks="a number of days")
        self.mount(picker)
        self.set_focus(picker)

    def explained(self) -> tuple[Book, str] | str:
        """A figure of the cluster with the cursor: the one the table is sorted by, else its days."""
        table = self.query_one(Table)
        row = table.highlighted
        if row is None or not isinstance(row.value, Point) or row.value.outcome is None:
            return NOTHING
        book = row_book(self.session, row.value.outcome, f"{row.value.cards:,} cards")
        return book, FIGURES.get(table.by, "training_days")

    def picks(self) -> list[tuple[str, str]]:
        """Enter applies; n draws another card."""
        return [
            ("Enter", "apply"),
            (first_key("why"), "why"),
            (first_key("scale-add"), "another card"),
            *([(first_key("scale-drop"), "drop it")] if len(self._cards) > 1 else []),
            (first_key("deadline"), "deadline"),
        ]

    def about(self) -> str:
        """The twin."""
        if self._within is not None:
            own = sizing.own_card(self.session.plan, self.session.catalog)
            cards = f" --cards {','.join(card or own for card in self._cards)}" if len(self._cards) > 1 else ""
            return f"planner size FILE --within-days {self._within:g}{cards}"
        others = "".join(f" --card {card}" for card in self._cards if card)
        return f"planner search FILE --scale{others}"


def _deadline(value: float, now: float | None) -> Option:
    about = "The fewest and the cheapest cards that do it, each number with its best strategy; the batch stays."
    return Option(value, sizing.limit(value), "", about, current=value == now)


def _typed_days(text: str) -> list[Option]:
    """A number that is typed, as a deadline."""
    try:
        value = float(parse_number(text.rstrip(" days")))
    except ValueError as error:
        return [Option("", text, detail=str(error), ok=False)]
    return [_deadline(value, None)] if value > 0 else []


def _row(point: Point, name: str, within: float | None) -> Row:
    """A cluster; quiet where it has no figures, or misses the deadline."""
    cells = scale.cells(point, name)
    if point.outcome is None:
        return Row(point, cells, (point.cards, name, *[float("inf")] * 6, point.trouble), "faint")
    e = point.outcome.estimate
    bubble = e.step_breakdown_s["pipeline_bubble"] / e.step_time_s
    keys = (point.cards, name, e.training_days, e.cost_usd, e.mfu, e.goodput, bubble, e.interruptions, cells[-1])
    return Row(point, cells, keys, "text" if within is None or e.training_days <= within else "quiet")
