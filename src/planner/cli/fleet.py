"""`planner fleet`: the totals of a fleet."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from planner.catalog import Catalog
    from planner.engine.money import EquivalentRule
    from planner.engine.result import Outcome
    from planner.exchange.why import Why
    from planner.spec.fleet import Fleet, Holding
    from planner.spec.plan import Plan

RULES: tuple[EquivalentRule, ...] = ("8-bit", "bf16")
"""How cards are counted as H100s."""


@click.command("fleet")
@click.argument("file", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the totals as JSON.")
@click.option(
    "--rule", type=click.Choice(RULES), default=RULES[0], show_default=True, help="Rate that makes a card an H100."
)
@click.option("--why", "figure", metavar="FIGURE", help="Explain one figure (power_mw, capex_usd) instead.")
@click.option("--plan", "plan_file", metavar="PLAN", help="What this plan takes on the largest single-site run.")
def command(
    file: str | None, *, as_json: bool, rule: EquivalentRule, figure: str | None, plan_file: str | None
) -> None:
    """The totals of a fleet: cards, H100-equivalents, power, capital, operation, export classes, largest run.

    FILE is a fleet file, the id of one that comes with the program, or - for standard input. Operation is given a year
    and over the depreciation period; capital holds cards, servers and network, and buildings apart.
    """
    if file is None:
        raise click.UsageError("name a FILE; `planner catalog fleets` lists the fleets that come with the program.")
    from planner.catalog import Catalog
    from planner.catalog.fleets import resolve_fleet
    from planner.cli.output import put_json, put_lines, width
    from planner.cli.plans import find_plan, only_once, warn_of_own_files
    from planner.engine.fleet import fleet_totals, largest_run
    from planner.exchange import fleet as texts
    from planner.exchange.files import spoken
    from planner.exchange.why_entries import FleetBook
    from planner.spec.base import PlanError

    if figure and plan_file:
        raise click.UsageError(
            "--why explains a total of the fleet, and --plan is about a run on it: give one of them."
        )
    only_once((file, plan_file or ""))
    catalog = Catalog.default()
    warn_of_own_files(catalog)
    fleet = _found(file, catalog)
    try:
        resolved = resolve_fleet(catalog, fleet)
    except PlanError as error:
        raise PlanError(error.problems, spoken(file)) from None
    totals = fleet_totals(resolved, rule)
    if figure:
        _explain(FleetBook(file, fleet, totals, rule).explain(figure), as_json=as_json)
        return
    run = totals.largest_single_site_run
    holdings = largest_run(resolved, rule)
    outcome = _on_site(find_plan(plan_file, catalog), fleet, holdings, catalog) if plan_file else None
    if as_json:
        data = texts.fleet_dict(file, fleet, totals)
        put_json(data | ({"plan": texts.site_run_dict(outcome, run)} if plan_file else {}))
        return
    page = [*texts.lines(fleet, totals, width())]
    if plan_file:
        page += [type(page[0])(""), *texts.site_run_lines(outcome, run, width())]
    put_lines(page)


def _explain(found: Why, *, as_json: bool) -> None:
    from dataclasses import asdict

    from planner.cli.output import put_json, put_lines, width
    from planner.exchange.why import lines

    if as_json:
        put_json(asdict(found))
    else:
        put_lines(lines(found, width()))


def _found(word: str, catalog: Catalog) -> Fleet:
    """The fleet a FILE argument means: standard input, a fleet that comes with the program, else a file.

    Raises:
        PlanError: there is none, or it cannot be used.
    """
    from planner.exchange.files import STREAM, read_bytes, spoken
    from planner.spec.base import PlanError, Problem
    from planner.spec.fleet import parse_fleet
    from planner.spec.parse import load_toml
    from planner.spec.words import shown

    if word in catalog.ids("fleets") and not os.path.isfile(word):  # noqa: PTH113 - Path raises on odd names
        return catalog.fleet(word)
    if word == STREAM or os.path.exists(word):  # noqa: PTH110 - as above
        source = spoken(word)
        return parse_fleet(load_toml(read_bytes(word), source), source)
    if word in catalog.ids("plans"):
        message, fix = f"{word} is no fleet but a plan.", f"`planner estimate {word}` reads it."
        raise PlanError([Problem("error", "", message, fix)])
    near = catalog.nearest("fleets", word)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    message = f"there is no fleet or file {shown(word)}."
    raise PlanError([Problem("error", "", message, f"{hint}`planner catalog fleets` lists fleets.")])


def _on_site(plan: Plan, fleet: Fleet, holdings: Sequence[Holding], catalog: Catalog) -> Outcome | None:
    """A plan on the largest run, with the best strategy of as many of its cards as divide the batch; None: none fits.

    Raises:
        PlanError: no site is stated, or the plan is impossible there.
    """
    from planner.engine.fleet import plan_on_site
    from planner.exchange.questions import searched
    from planner.spec.base import PlanError, Problem

    if not holdings:
        fix = "Give the [[cluster]] tables a site."
        raise PlanError([Problem("error", "cluster.site", "no site is stated, so no single-site run is known.", fix)])
    node = holdings[0].card.host.cards
    most = sum(holding.cluster.cards for holding in holdings)
    there = plan.model_copy(update={"power": fleet.power})
    for cards in range(most - most % node, 0, -node):
        if outcome := searched(plan_on_site(there, holdings, cards), catalog):
            return outcome
    return None
