"""`planner compare`: plans side by side, differences first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from planner.cli.completing import plans

if TYPE_CHECKING:
    from planner.catalog import Catalog
    from planner.exchange.compare import Compared
    from planner.spec.plan import Plan


@click.command("compare")
@click.argument("files", nargs=-1, required=True, metavar="FILE FILE...", shell_complete=plans)
@click.option(
    "--set", "edits", multiple=True, metavar="KEY=VALUE", help="Change a key of the last FILE; may be repeated."
)
@click.option("--search/--no-search", default=True, help="Look for the best strategy of each plan as well.")
@click.option("--json", "as_json", is_flag=True, help="Print plans and differences as JSON.")
@click.pass_context
def command(
    context: click.Context, files: tuple[str, ...], *, edits: tuple[str, ...], search: bool, as_json: bool
) -> None:
    """Plans side by side, with their differences.

    FILE is a plan file, a preset's id, session (the plan that the terminal UI shows), variant:NAME or variant:NUMBER
    (one that it keeps), or - for standard input. One FILE with --set is compared with itself changed.
    --set takes dotted keys of the plan, such as cluster.card=h100-sxm. Where it changes the card, keys that spell out
    what was the old card's own default (its fabrics, node and prices) follow the new card. The exit status is 1 where a
    plan does not fit.
    """
    from planner.catalog import Catalog
    from planner.cli.output import folding, put_json, put_lines, width
    from planner.cli.plans import find_plan, only_once, warn_of_own_files
    from planner.exchange.compare import compared_dict, lines
    from planner.exchange.edits import changed

    if len(files) == 1 and not edits:
        message = "give a second FILE to compare with, or --set KEY=VALUE to compare it with itself changed."
        raise click.UsageError(message)
    only_once(files)
    catalog = Catalog.default()
    warn_of_own_files(catalog)
    plans = [find_plan(file, catalog) for file in (files if len(files) > 1 else files * 2)]
    plans[-1] = changed(plans[-1], edits, catalog)
    names = [files[min(number, len(files) - 1)] for number in range(len(plans))]
    compared = _told_apart([_compared(*each, catalog, search=search) for each in zip(plans, names, strict=True)], names)
    if as_json:
        put_json(compared_dict(compared))
    else:
        put_lines(lines(compared, width(), fold=folding()))
    if not all(each.outcome.fits for each in compared):
        context.exit(1)


def _told_apart(compared: Sequence[Compared], files: Sequence[str]) -> list[Compared]:
    """Plans under one name, as a copied file and its original are, with the words they were asked for by."""
    from dataclasses import replace

    from planner.exchange.files import spoken

    told = []
    for one, file in zip(compared, files, strict=True):
        others = {name for other, name in zip(compared, files, strict=True) if other.name == one.name}
        told.append(replace(one, name=f"{one.name} ({spoken(file)})") if others > {file} else one)
    return told


def _compared(plan: Plan, source: str, catalog: Catalog, *, search: bool) -> Compared:
    """A plan with its outcome; one without a strategy gets the best that fits.

    Raises:
        PlanError: it cannot be used, or nothing fits.
    """
    from planner.cli.plans import evaluated
    from planner.exchange.compare import Compared
    from planner.exchange.questions import searched
    from planner.spec.base import PlanError, Problem

    best = searched(plan, catalog) if search or plan.strategy is None else None
    name = plan.name or source
    if plan.strategy is not None:
        return Compared(name, evaluated(plan, catalog, source), best)
    if best is None:
        raise PlanError([Problem("error", "strategy", "no strategy fits this cluster.")], source)
    return Compared(name, best, best)
