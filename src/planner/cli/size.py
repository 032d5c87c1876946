"""`planner size`: the smallest and the cheapest cluster that meets a deadline."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from planner.cli.completing import plans
from planner.cli.numbers import FiniteRange

if TYPE_CHECKING:
    from planner.catalog import Catalog
    from planner.engine.size import Make, SizeResult
    from planner.exchange.report import Line
    from planner.spec.base import Problem

MOST_NAMED = 4
"""Clusters named that are out for the same reason."""


@click.command("size")
@click.argument("file", shell_complete=plans)
@click.option(
    "--within-days", type=FiniteRange(min=0.0, min_open=True), required=True, metavar="D", help="The deadline.",
)  # fmt: skip
@click.option(
    "--cards", default="", metavar="A,B,C",
    help="Card ids, numbers of cards, or both, to try. Without: the plan's card, in whole nodes up to 262,144.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the clusters as JSON.")
@click.pass_context
def command(context: click.Context, file: str, *, within_days: float, cards: str, as_json: bool) -> None:
    """Find the smallest and the cheapest cluster that meets a deadline.

    FILE is a plan file, a preset's id, or - for standard input. Tokens and global batch stay as they are; each cluster
    gets its best strategy, and other cards than the plan's their own price, host and fabrics. The exit status is 1
    where none meets the deadline.
    """
    from planner.catalog import Catalog
    from planner.cli.output import put_json, put_lines
    from planner.cli.plans import find_plan
    from planner.engine.size import size
    from planner.exchange.sizing import clusters, own_card

    catalog = Catalog.default()
    plan = find_plan(file, catalog)
    kinds, counts = _asked(cards, catalog)
    make = clusters(plan, catalog)

    def tell(card: str, count: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r\x1b[K{card or 'the card'}: {count:,} cards", err=True, nl=False)

    result = size(make, kinds or [""], within_days, counts, tell)
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", err=True, nl=False)
    own = own_card(plan, catalog)
    problems = list(_unpriced(result, make))
    if as_json:
        put_json(_dict(result, own, problems))
    else:
        put_lines(_lines(result, own, within_days, problems))
    if not result.results:
        context.exit(1)


def _asked(cards: str, catalog: Catalog) -> tuple[list[str], list[int]]:
    """Card ids and numbers of cards of the option, each once."""
    from planner.spec.base import MAX_WHOLE_NUMBER
    from planner.spec.wording import TOO_LARGE
    from planner.spec.words import shown

    words = list(dict.fromkeys(word.strip() for word in cards.split(",")))
    if cards and not all(words):
        raise click.BadParameter("write card ids and numbers of cards with commas between them.", param_hint="--cards")
    for word in words:
        if word.isdecimal() and word.startswith("0"):
            message = f"{word} is no number of cards; thousands are written without a comma."
            raise click.BadParameter(message, param_hint="--cards")
        if word.isdecimal() and (len(word) > len(str(MAX_WHOLE_NUMBER)) or int(word) > MAX_WHOLE_NUMBER):
            raise click.BadParameter(f"{shown(word)[1:-1]} {TOO_LARGE}", param_hint="--cards")
    counts = [int(word) for word in words if word.isdecimal()]
    kinds = [word for word in words if word and not word.isdecimal()]
    for kind in kinds:
        catalog.card(kind, "--cards")
    return kinds, counts


def _unpriced(result: SizeResult, make: Make) -> Iterator[Problem]:
    """What the engine says of cards in the results no price is known of."""
    from planner.engine.estimate import evaluate
    from planner.exchange.figures import unpriced

    for one in {one.card: one for one in result.results}.values():
        yield from unpriced(evaluate(make(one.card, one.cards).with_strategy(one.strategy)))


def _dict(result: SizeResult, own: str, problems: list[Problem]) -> dict[str, Any]:
    from planner.exchange.as_json import problem_dict
    from planner.exchange.search_json import strategy_dict

    rows = [
        {
            "card": one.card or own, "cards": one.cards, "training_days": one.training_days,
            "cost_usd": one.cost_usd, "power_mw": one.power_mw, "strategy": strategy_dict(one.strategy),
        }
        for one in result.results
    ]  # fmt: skip
    tried = [
        {
            "card": one.card or own, "cards": one.cards,
            "training_days": one.size.training_days if one.size else None, "why": one.why,
        }
        for one in result.tried
    ]  # fmt: skip
    refused = [
        {"card": card or own, "cards": None, "training_days": None, "why": why} for card, why in result.refused.items()
    ]
    return {
        "results": rows, "searched": result.searched, "seconds": result.seconds, "tried": [*tried, *refused],
        "problems": [problem_dict(problem) for problem in problems],
    }  # fmt: skip


def _lines(result: SizeResult, own: str, within_days: float, problems: list[Problem]) -> Iterator[Line]:
    from planner.cli.output import width
    from planner.exchange.report import Line, problem_lines, wrapped
    from planner.exchange.sizing import limit

    clusters = "1 cluster" if len(result.tried) == 1 else f"{len(result.tried):,} clusters"
    words = f"{clusters}, {result.searched:,} strategies in {result.seconds:.1f} s"
    if result.results:
        yield from wrapped(f"Clusters that train within {limit(within_days)} ({words}):", width(), "title")
        yield from _table(result, own)
        yield Line("")
    else:
        yield from wrapped(f"No cluster tried meets {limit(within_days)} ({words}).", width(), "error")
    yield from (line for text in _notes(result, own) for line in wrapped(text, width(), "quiet", 2))
    yield from (line for problem in problems for line in problem_lines(problem, width()))


def _table(result: SizeResult, own: str) -> Iterator[Line]:
    from planner.cli.output import folding
    from planner.exchange.format import day_count, megawatts, money
    from planner.exchange.strategies import describe
    from planner.exchange.tables import table

    marks = {id(result.results[0]): "fewest"}
    if cheapest := result.cheapest:
        marks[id(cheapest)] = ", ".join(filter(None, (marks.get(id(cheapest)), "cheapest")))
    head = ("", "cards", "card", "days", "cost", "power", "strategy")
    rows = [
        (
            marks.get(id(one), ""), f"{one.cards:,}", one.card or own,
            day_count(one.training_days),
            money(one.cost_usd) if one.priced else "–", megawatts(one.power_mw),
            describe(one.strategy, one.cards // (one.strategy.tensor * one.strategy.context * one.strategy.pipeline)),
        )
        for one in result.results
    ]  # fmt: skip
    yield from table(rows, head, (1, 3, 4, 5), fold=folding())


def _notes(result: SizeResult, own: str) -> Iterator[str]:
    """What the clusters tried say beside those that meet the deadline."""
    from planner.engine.size import LARGEST
    from planner.exchange.format import days

    first, quickest = result.results[0] if result.results else None, result.quickest
    if first and (below := result.below(first)):
        what = f"takes {days(below.size.training_days)}" if below.size else f"is out: {below.why}"
        yield f"The next smaller cluster tried, {below.cards:,} {below.card or own}, {what}."
    if first is None and quickest:
        time = days(quickest.training_days)
        yield f"The quickest tried: {quickest.cards:,} {quickest.card or own}, {time}."
        if any(one.size and one.card == quickest.card and one.cards > quickest.cards for one in result.tried):
            yield "More of them are slower: this global batch does not feed them."
    out = [one for one in result.tried if one.why]
    for why in dict.fromkeys(one.why for one in out) if first is None else ():
        where = [f"{one.cards:,} {one.card or own}" for one in out if one.why == why]
        yield f"{', '.join(where[:MOST_NAMED])}{' …' if len(where) > MOST_NAMED else ''}: {why}."
    for card, late in result.at_peak_days.items():
        yield f"{LARGEST:,} {card or own} would take {days(late)} even if each ran at its peak all the time."
    yield from (f"{card or own}: {why}" for card, why in result.refused.items())
