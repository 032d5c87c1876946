"""`planner estimate`: what the engine says about a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from planner.cli.completing import plans

if TYPE_CHECKING:
    from planner.engine.result import Outcome
    from planner.exchange.report import Line


TOGETHER = ({"--why", "--json"}, {"--all", "--json"})
"""Options that go together: a figure may be explained as JSON, and JSON has everything."""


@click.command("estimate")
@click.argument("file", shell_complete=plans)
@click.option("--json", "as_json", is_flag=True, help="Print the estimate as JSON, with every figure.")
@click.option("--all", "everything", is_flag=True, help="Show every pipeline stage, default, rent and grid.")
@click.option("--why", "figure", metavar="FIGURE", help="Explain one figure (mfu, step.tensor) or key instead.")
@click.option(
    "--pictures",
    is_flag=True,
    help="Draw where a step goes, memory by stage, timeline and rank map instead.",
)
@click.pass_context
def command(
    context: click.Context, file: str, *, as_json: bool, everything: bool, figure: str | None, pictures: bool
) -> None:
    """Time, memory, power and cost of a plan.

    FILE is a plan file, a preset's id, or - for standard input. The exit status is 1 where the plan does not fit.
    """
    views = {"--why": figure is not None, "--pictures": pictures, "--all": everything, "--json": as_json}
    asked = [name for name, given in views.items() if given]
    if len(asked) > 1 and set(asked) not in TOGETHER:
        raise click.UsageError(f"{asked[0]} and {asked[1]} do not go together.")
    from planner.catalog import Catalog
    from planner.cli.output import put_json, put_lines, width
    from planner.cli.plans import is_preset, outcome_of, with_own_claim

    catalog = Catalog.default()
    outcome = with_own_claim(outcome_of(file, catalog), catalog, file)
    if figure:
        from planner.exchange import why

        background = why.Background(catalog, file if is_preset(file, catalog) else "")
        explained = why.explain(outcome, figure, background)
        if as_json:
            put_json(asdict(explained))
        else:
            put_lines(why.lines(explained, width()))
    elif pictures:
        from planner.exchange.pictures import every

        put_lines(every(outcome, width()))
    elif as_json:
        from planner.exchange.as_json import outcome_dict

        put_json(outcome_dict(outcome))
    else:
        from planner.engine.account import account
        from planner.exchange import account as behind
        from planner.exchange.report import Line, lines

        assumed = catalog.preset_info(file).assumed if is_preset(file, catalog) else ()
        page = lines(outcome, width(), everything=everything, assumed=assumed)
        page += [Line(""), *behind.lines(outcome, account(outcome), width(), everything=everything)]
        put_lines([*page, *_limits(outcome, width())])
    if not outcome.fits:
        context.exit(1)


def _limits(outcome: Outcome, columns: int) -> Iterator[Line]:
    """What ten per cent more of each thing would change."""
    from planner.engine.explain import explain
    from planner.exchange.report import NARROWEST, WIDEST, Line
    from planner.exchange.strategies import tornado

    yield Line("")
    yield Line("What 10 % more of one thing would change, the strategy as it is", "heading")
    yield from tornado(explain(outcome.resolved), min(max(columns, NARROWEST), WIDEST))
