"""`planner export`: a plan written out for other programs and other people."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from planner.cli.completing import plans

if TYPE_CHECKING:
    from planner.engine.result import Outcome


def _toml(outcome: Outcome) -> str:
    from planner.exchange.plan_toml import write

    return write(outcome.resolved.plan, outcome.estimate)


def _json(outcome: Outcome) -> str:
    from planner.exchange.as_json import dumps, outcome_dict

    return dumps(outcome_dict(outcome))


def _csv(outcome: Outcome) -> str:
    from planner.exchange.as_csv import dumps

    return dumps([outcome])


def _markdown(outcome: Outcome) -> str:
    from planner.exchange.markdown import markdown

    return markdown(outcome)


FORMATS: dict[str, Callable[[Outcome], str]] = {"toml": _toml, "json": _json, "csv": _csv, "markdown": _markdown}
"""Name of each format -> what writes it."""


@click.command("export")
@click.argument("file", shell_complete=plans)
@click.option("--to", "kind", type=click.Choice(list(FORMATS)), required=True, help="The format.")
@click.option(
    "-o", "--output", default="-", metavar="OUT", help="The file to write; - (the default) is standard output."
)
@click.pass_context
def command(context: click.Context, file: str, kind: str, output: str) -> None:
    """Write a plan out: TOML, JSON, CSV, Markdown.

    FILE is a plan file, a preset's id, or - for standard input. A plan that does not fit is written all the same; the
    exit status is then 1.
    """
    from planner.catalog import Catalog
    from planner.cli.output import complain
    from planner.cli.plans import outcome_of, spoken
    from planner.exchange.files import write_atomic

    outcome = outcome_of(file, Catalog.default())
    write_atomic(output, FORMATS[kind](outcome))
    if not outcome.fits:
        complain(f"{spoken(file)}: the plan does not fit; it was written all the same.")
        context.exit(1)
