"""Clusters that meet a deadline, as the command line and the terminal UI tell of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from planner.catalog import Catalog
from planner.engine.result import Outcome
from planner.engine.size import LARGEST, Make, SizeResult
from planner.exchange.edits import on_cards
from planner.exchange.format import days
from planner.exchange.scale import Point
from planner.spec.plan import Plan, Resolved


def clusters(plan: Plan, catalog: Catalog) -> Make:
    """A plan on other numbers and kinds of cards; its tokens and global batch stay.

    Args:
        plan: the plan; without a strategy it gets the default one, which a search replaces.
        catalog: knows the cards.
    """
    base = plan.searchable

    def make(card: str, count: int) -> Resolved:
        return catalog.resolve(on_cards(base, card, count, catalog))

    return make


def own_card(plan: Plan, catalog: Catalog) -> str:
    """What stands for a plan's own card in a list: its id, or the name of one the plan describes itself."""
    card = plan.cluster.card
    return card if isinstance(card, str) else clusters(plan, catalog)("", plan.cluster.cards).card.name


def limit(within_days: float) -> str:
    """A deadline in words.

    >>> limit(1.0), limit(60.0)
    ('1 day', '60 days')
    """
    return f"{within_days:g} {'day' if within_days == 1 else 'days'}"


def headline(result: SizeResult, own: str, within_days: float) -> str:
    """The fewest and the cheapest cards that meet a deadline, in a line."""
    if not result.results:
        return f"No cluster tried trains within {limit(within_days)}"
    first, cheapest = result.results[0], result.cheapest
    words = f"Within {limit(within_days)}: fewest {first.cards:,} {first.card or own}"
    if cheapest is None:
        return words
    if cheapest == first:
        return f"{words}, the cheapest too"
    return f"{words}, cheapest {cheapest.cards:,} {cheapest.card or own}"


def points(result: SizeResult, make: Make, evaluate: Callable[[Resolved], Outcome]) -> Iterator[Point]:
    """Every cluster that was tried, in the order of trying, and why a kind of card has none.

    Args:
        result: what was tried.
        make: gives the plan on a number of cards, as it did to the search.
        evaluate: the engine.
    """
    for one in result.tried:
        if one.size is None:
            yield Point(one.card, one.cards, None, one.why)
        else:
            yield Point(one.card, one.cards, evaluate(make(one.card, one.cards).with_strategy(one.size.strategy)))
    for card, late in result.at_peak_days.items():
        yield Point(card, LARGEST, None, f"{days(late)} even if each ran at its peak all the time")
    for card, why in result.refused.items():
        yield Point(card, 1, None, why)
