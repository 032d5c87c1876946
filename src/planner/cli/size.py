"""`planner size`: the smallest and the cheapest cluster that meets a deadline."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from planner.cli.completing import plans

if TYPE_CHECKING:
    from planner.engine.size import SizeResult
    from planner.exchange.report import Line


@click.command("size")
@click.argument("file", shell_complete=plans)
@click.option(
    "--within-days", type=click.FloatRange(min=0.0, min_open=True), required=True, metavar="D", help="The deadline.",
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
    gets its best strategy. The exit status is 1 where none meets the deadline.
    """
    from planner.catalog import Catalog
    from planner.cli.output import put_json, put_lines
    from planner.cli.plans import find_plan
    from planner.engine.size import size
    from planner.exchange.search_json import strategy_dict
    from planner.spec.plan import Resolved, Strategy

    catalog = Catalog.default()
    plan = find_plan(file, catalog)
    words = [word.strip() for word in cards.split(",") if word.strip()]
    counts = [int(word) for word in words if word.isdigit() and int(word)]
    kinds = [word for word in words if not word.isdigit()]
    base = plan if plan.strategy is not None else plan.model_copy(update={"strategy": Strategy()})

    def make(card: str, count: int) -> Resolved:
        update: dict[str, Any] = {"cards": count}
        if card:  # another card brings its own host and fabrics
            update |= {"card": card, "scale_up": None, "scale_up_domain": None, "scale_out": None}
            update |= {"cards_per_node": None, "nics_per_node": None}
        return catalog.resolve(base.model_copy(update={"cluster": base.cluster.model_copy(update=update)}))

    for kind in kinds:
        catalog.card(kind, "--cards")

    def tell(card: str, count: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r\x1b[K{card or 'the card'}: {count:,} cards", err=True, nl=False)

    result = size(make, kinds or [""], within_days, counts, tell)
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", err=True, nl=False)
    own = base.cluster.card if isinstance(base.cluster.card, str) else catalog.resolve(base).card.name
    if as_json:
        rows = [
            {
                "card": one.card or own, "cards": one.cards, "training_days": one.training_days,
                "cost_usd": one.cost_usd, "power_mw": one.power_mw, "strategy": strategy_dict(one.strategy),
            }
            for one in result.results
        ]  # fmt: skip
        put_json({"results": rows, "searched": result.searched, "seconds": result.seconds})
    else:
        put_lines(_lines(result, own, within_days))
    if not result.results:
        context.exit(1)


def _lines(result: SizeResult, own: str, within_days: float) -> Iterator[Line]:
    from planner.exchange.format import days, megawatts, money
    from planner.exchange.report import Line
    from planner.exchange.strategies import describe

    words = f"{len(result.tried):,} clusters, {result.searched:,} strategies in {result.seconds:.1f} s"
    if not result.results:
        yield Line(f"No cluster tried meets {within_days:g} days ({words}).", "error")
        return
    cheapest = result.cheapest
    known = any(one.cost_usd for one in result.results)
    yield Line(f"Clusters that train within {within_days:g} days ({words}):", "title")
    head = ("cards", "card", "days", "cost", "power", "")
    rows = [
        (
            f"{one.cards:,}", one.card or own, " ".join(days(one.training_days)).removesuffix(" days"),
            money(one.cost_usd) if one.cost_usd else "–", megawatts(one.power_mw),
            describe(one.strategy, one.cards // (one.strategy.tensor * one.strategy.context * one.strategy.pipeline)),
        )
        for one in result.results
    ]  # fmt: skip
    widths = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head) - 1)]
    for number, row in enumerate((head, *rows)):
        cells = "  ".join(f"{cell:>{wide}}" for cell, wide in zip(row, widths, strict=False))
        marks = []
        if number == 1:
            marks.append("fewest")
        if number and known and result.results[number - 1] is cheapest:
            marks.append("cheapest")
        mark = f"  <- {', '.join(marks)}" if marks else ""
        yield Line(f"{cells}  {row[-1]}{mark}", "heading" if not number else "text")
