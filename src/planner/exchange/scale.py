"""A plan on more and fewer cards, each cluster with its best strategy: what days, cost and MFU do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.exchange.edits import on_cards
from planner.exchange.format import day_count, money, percent, short, significant
from planner.exchange.plots import CAPTION, MARKS, Axis, Series, chart
from planner.exchange.report import Line
from planner.exchange.strategies import describe
from planner.exchange.tables import table
from planner.spec.base import PlanError

if TYPE_CHECKING:
    from planner.catalog import Catalog
    from planner.engine.result import Outcome
    from planner.spec.plan import Plan, Resolved

FACTORS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Of the plan's own number of cards."""
GAP = 2
"""Columns between charts side by side."""
THREE = 96
"""Columns from which three charts stand side by side."""
CHART = 13
"""Rows of a chart."""
HEADINGS = ("cards", "card", "days", "cost", "MFU", "goodput", "bubble", "failures", "strategy")
"""Of the table of clusters."""


@dataclass(frozen=True, slots=True)
class Point:
    """One cluster.

    Attributes:
        card: id of its card; empty: the plan's own.
        cards: how many.
        outcome: with the best strategy; None where there is none.
        trouble: why there is none.
    """

    card: str
    cards: int
    outcome: Outcome | None
    trouble: str = ""


def counts(plan: Plan, node: int) -> list[int]:
    """Numbers of cards around a plan's own, in whole nodes.

    >>> from planner.spec.plan import Cluster, Plan, Workload
    >>> counts(Plan(cluster=Cluster(card="h100-sxm", cards=64), workload=Workload(model="m", tokens=1.0)), 8)
    [8, 16, 32, 64, 128, 256, 512]
    """
    own = plan.cluster.cards
    return sorted({max(round(own * factor / node), 1) * node for factor in FACTORS} | {own})


def points(plan: Plan, card: str, catalog: Catalog, best: Callable[[Resolved], Outcome | None]) -> Iterator[Point]:
    """The plan on each number of cards, its own number first.

    Args:
        plan: tokens and global batch stay as they are.
        card: id of another card; empty: the plan's own.
        catalog: where names are looked up.
        best: the plan with its best strategy; None where nothing fits.
    """
    own = plan.cluster.cards
    try:
        node = catalog.resolve(on_cards(plan, card, own, catalog)).cards_per_node
    except PlanError as error:
        yield Point(card, own, None, _words(error))
        return
    for cards in sorted(counts(plan, node), key=lambda n: (n != own, n)):
        try:
            outcome = best(catalog.resolve(on_cards(plan, card, cards, catalog)))
        except PlanError as error:
            yield Point(card, cards, None, _words(error))
        else:
            yield Point(card, cards, outcome, "" if outcome else "nothing fits")


def name_of(card: str, resolved: Resolved | None, catalog: Catalog) -> str:
    """The name of a card by its id; that of the plan's own where it is empty."""
    return catalog.card(card).name if card else resolved.card.name if resolved else ""


def cells(point: Point, name: str) -> tuple[str, ...]:
    """A cluster as a row of a table, below `HEADINGS`."""
    if point.outcome is None:
        return (f"{point.cards:,}", name, *["–"] * 6, point.trouble)
    e, r = point.outcome.estimate, point.outcome.resolved
    bubble = e.step_breakdown_s["pipeline_bubble"] / e.step_time_s
    return (
        f"{point.cards:,}", name, day_count(e.training_days), money(e.cost_usd) if r.priced else "–", percent(e.mfu),
        percent(e.goodput), percent(bubble), significant(e.interruptions),
        describe(r.strategy, r.data_parallel),
    )  # fmt: skip


def across(width: int) -> int:
    """How many charts stand side by side in so many columns."""
    return 3 if width >= THREE else 1


def lines(every: Sequence[Point], names: Callable[[str], str], width: int, *, fold: int = 0) -> Iterator[Line]:
    """The charts, and below them the table.

    Args:
        every: the clusters.
        names: a card's name by its id.
        width: columns to fill.
        fold: columns of the table, as those of `table`.
    """
    drawn = charts(every, names, width, CHART, across=across(width))
    yield from (Line(row.rstrip()) for row in drawn)
    yield Line("")
    rows = [cells(point, names(point.card)) for point in every]
    yield from table(rows, HEADINGS, right=(0, *range(2, len(HEADINGS) - 1)), fold=fold)


def charts(
    every: Sequence[Point], names: Callable[[str], str], width: int, height: int, *, across: int = 3
) -> list[str]:
    """Days, cost and MFU against cards, beside or below each other.

    Args:
        every: the clusters.
        names: a card's name by its id.
        width: cells.
        height: rows of each chart.
        across: charts side by side.
    """
    cards = Axis("cards", lambda value: short(round(value)), log=True)
    kinds: list[tuple[Axis, Callable[[Outcome], float]]] = [
        (Axis("days", day_count, log=True), lambda o: o.estimate.training_days),
        (Axis("$", short, log=True), lambda o: o.estimate.cost_usd),
        (Axis("MFU", percent), lambda o: o.estimate.mfu),
    ]
    pictures = []
    room = (width - GAP * (across - 1)) // across
    for axis, figure in kinds:
        series = []
        for card in dict.fromkeys(point.card for point in every):
            found = [p for p in every if p.card == card and p.outcome is not None and figure(p.outcome) > 0]
            at = sorted((float(p.cards), figure(p.outcome)) for p in found if p.outcome is not None)
            series.append(Series(names(card) if across == 1 else "", at))
        pictures.append(chart(series, cards, axis, room, height))
    rows: list[str] = []
    for start in range(0, len(pictures), across):
        rows += [(" " * GAP).join(parts) for parts in zip(*pictures[start : start + across], strict=True)]
    if across > 1:
        marks = zip(MARKS, dict.fromkeys(point.card for point in every), strict=False)
        rows.append(f"{'':>{CAPTION + 2}}{'   '.join(f'{mark} {names(card)}' for mark, card in marks)}"[:width])
    return rows


def _words(error: PlanError) -> str:
    problem = error.problems[0]
    return f"{problem.message} {problem.fix}".strip()
