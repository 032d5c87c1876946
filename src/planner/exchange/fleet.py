"""A fleet's totals as JSON and as text."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from planner.engine.export import FLEET, ExportClass
from planner.engine.fleet import WIRING, CardCount, FleetTotals, SiteRun
from planner.engine.result import Outcome
from planner.exchange.figures import layout_facts
from planner.exchange.format import amount, between, days, megawatts, money, percent, significant
from planner.exchange.questions import run_dict
from planner.exchange.report import Line, wrapped
from planner.exchange.tables import table
from planner.spec.fleet import Fleet
from planner.spec.words import escaped

LEGEND = (
    "  2022 and 2023: 3A090; 2025: the letters on China; 2026: the rule on China. TPP: dense TOP/s x bit length; "
    "density: TPP over mm2 of die. No legal advice."
)
"""Of the table of export classes."""


def fleet_dict(name: str, fleet: Fleet, totals: FleetTotals) -> dict[str, Any]:
    """The totals under the names of the contract, and the rest of what is known.

    Args:
        name: id or file name.
        fleet: the fleet.
        totals: what the engine says of it.
    """
    figures = dataclasses.asdict(totals)
    return {"fleet": name, "name": fleet.name, "notes": fleet.notes, "sources": list(fleet.sources), **figures}


def site_run_dict(outcome: Outcome | None, run: SiteRun) -> dict[str, Any]:
    """A plan on the cards of the largest single-site run; no estimate where nothing fits.

    Args:
        outcome: of the plan there, with the best strategy found.
        run: the site and its cards.
    """
    where = dataclasses.asdict(run)
    if outcome is None:
        return {"on": where, "cards_used": 0, "estimate": None}
    cluster = outcome.resolved.plan.cluster
    assumed = {f"cluster.{key}": getattr(cluster, key) for key in WIRING}
    return {"on": where, "cards_used": cluster.cards, "estimate": run_dict(outcome), "assumed": assumed}


def lines(fleet: Fleet, totals: FleetTotals, width: int) -> Iterator[Line]:
    """The totals as text.

    Args:
        fleet: the fleet.
        totals: what the engine says of it.
        width: columns to fill.
    """
    yield from wrapped(escaped(fleet.name), width, "title")
    yield Line("")
    yield from table(_cards(totals), ("card", "cards", "sites"), right=(1,))
    yield Line("")
    for figure, text in _figures(totals):
        yield from wrapped(f"  {figure:<16}  {text}", width, "text", 20)
    if totals.unpriced:
        names = escaped(", ".join(totals.unpriced))
        yield from wrapped(
            f"  No price is known of {names}: every sum of money leaves these cards out.", width, "warning", 2
        )
    yield Line("")
    yield Line("Export control of the United States, by date of the rule", "heading")
    yield from _export(totals, width)
    yield from wrapped(LEGEND, width, "quiet", 2)
    if fleet.notes:
        yield from (Line(""), Line("Notes", "heading"))
        for paragraph in fleet.notes.strip().splitlines():
            yield from wrapped(escaped(f"  {paragraph}"), width, "text", 2)
    if fleet.sources:
        yield from wrapped(escaped(f"  Sources: {'; '.join(fleet.sources)}."), width, "quiet", 2)


def site_run_lines(outcome: Outcome | None, run: SiteRun, width: int) -> Iterator[Line]:
    """A plan on the cards of the largest single-site run, as text."""
    where = f"{run.cards:,} {run.card} at {run.site}"
    if outcome is None:
        yield from wrapped(escaped(f"No strategy of the plan fits {where}."), width, "warning")
        return
    e, plan = outcome.estimate, outcome.resolved.plan
    yield from wrapped(escaped(f"{plan.name}"), width, "heading")
    low, high = e.interval_80["training_days"]
    used = plan.cluster.cards
    cards = "" if used == run.cards else f" ({used:,} of {run.cards:,} cards, which divide the batch)"
    text = (
        f"  {days(e.training_days)}{cards}, 80 % range {between(low, high, days)}; {amount(e.card_hours)} hours, "
        f"MFU {percent(e.mfu)}, goodput {percent(e.goodput)}, with the best strategy found: "
        f"{', '.join(layout_facts(outcome.resolved)[:-1])}."
    )
    yield from wrapped(escaped(text), width, "text", 2)
    wired = f"{plan.cluster.topology} at 1:{plan.cluster.oversubscription:g}"
    text = f"  A fleet states no wiring of a site's network: {wired} is assumed, whatever the plan's own cluster has."
    yield from wrapped(text, width, "quiet", 2)


def _cards(totals: FleetTotals) -> list[tuple[str, str, str]]:
    rows = [(escaped(c.card), f"{c.cards:,}", escaped(_sites(c))) for c in totals.by_card]
    return [*rows, ("all", f"{totals.cards:,}", "")]


def _sites(c: CardCount) -> str:
    if not c.sites:
        return "not stated"
    return ", ".join(c.sites) + (f"; {c.cards_without_site:,} not stated" if c.cards_without_site else "")


def _figures(t: FleetTotals) -> Iterator[tuple[str, str]]:
    run = t.largest_single_site_run
    years = f"{t.period_years:.3g} years"
    yield "H100-equivalents", f"{t.h100_equivalents:,.0f}, by {t.h100_equivalents_rule}"
    yield "Power", f"{megawatts(t.power_mw)} critical, {megawatts(t.facility_mw)} at the meter"
    yield "Energy", f"{amount(t.energy_mwh_per_year / 1000)} GWh a year at the load of training"
    yield "Carbon", f"{amount(t.co2_kg_per_year / 1e6)} kt of CO2 a year"
    buildings = f"; buildings {money(t.buildings_usd)} more" if t.buildings_usd else "; no buildings"
    yield "Capital", f"{capital(t)}: cards, servers, network{buildings}"
    yield "Operation", f"{money(t.operating_usd_over_period)} over {years}, {money(t.operating_usd_per_year)} a year"
    with_interest = f"{money(t.owning_with_interest_usd_per_year)} with interest"
    hour = f"${t.usd_per_used_card_hour:,.2f} a used card-hour"
    yield "Owning", f"{money(t.owning_usd_per_year)} a year with capital spread over {years}, {with_interest}: {hour}"
    yield "Largest run", escaped(f"{run.cards:,} {run.card} at {run.site}") if run.cards else "no site is stated"


def capital(t: FleetTotals) -> str:
    """Capital, marked where cards without a price are left out of it."""
    return f"{'over ' if t.unpriced else ''}{money(t.capex_usd)}"


def _export(totals: FleetTotals, width: int) -> Iterator[Line]:
    """A row a card, a column a rule, or below each other where there is no room; then the rules about the fleet."""
    cards = dict.fromkeys(c.card for c in totals.export_classes if c.card != FLEET)
    of_cards = [c for c in totals.export_classes if c.card != FLEET]
    rules = list(dict.fromkeys(_dated(c) for c in of_cards))
    rows = []
    for card in cards:
        own = {_dated(c): c for c in of_cards if c.card == card}
        first = next(iter(own.values()))
        density = significant(first.performance_density) if first.performance_density else "not known"
        rows.append((escaped(card), f"{first.tpp:,.0f}", density, *(own[rule].outcome for rule in rules)))
    found = list(table(rows, ("card", "TPP", "density", *rules), right=(1, 2)))
    if max(len(line.text) for line in found) > width:
        found = []
        for card, tpp, density, *outcomes in rows:
            found.append(Line(f"  {card}: TPP {tpp}, density {density}"))
            found += [Line(f"    {rule}: {outcome}") for rule, outcome in zip(rules, outcomes, strict=True)]
    yield from found
    for whole in totals.export_classes:
        if whole.card == FLEET:
            yield from wrapped(f"  {whole.rule}, {_dated(whole)}: the fleet is {whole.outcome}", width, "text", 2)


def _dated(c: ExportClass) -> str:
    return f"{c.since} to {c.until}" if c.until else f"since {c.since}"
