"""What stands behind a plan's days and cost, in words and as JSON: money, power and carbon, failures, network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from typing import Any

from planner.catalog.network import grids
from planner.catalog.prices import rents, rents_by_year
from planner.engine.account import Account, Price, price_at
from planner.engine.money import HOURS_PER_YEAR, co2_kg
from planner.engine.result import Outcome
from planner.engine.run import SECONDS_PER_DAY, SECONDS_PER_HOUR
from planner.exchange.format import amount, between, gigabytes, megawatts, money, percent, period, seconds, significant
from planner.exchange.report import Line, wrapped
from planner.exchange.tables import table
from planner.spec.words import escaped

REACH = (
    "inside: of them, in one scale-up domain. NICs: what the top tier of switches leaves. latency: above that "
    "between two nodes of one switch."
)
"""Of the table of groups."""

Section = Callable[[Outcome, Account, int], Iterator[Line]]


def lines(outcome: Outcome, found: Account, width: int, *, everything: bool = False) -> Iterator[Line]:
    """All four sections.

    Args:
        outcome: of the plan.
        found: what the engine says is behind it.
        width: columns of paragraphs; tables take what they need.
        everything: also rents of every year and carbon on every grid.
    """
    for number, (title, section) in enumerate(sections(everything=everything).items()):
        if number:
            yield Line("")
        yield Line(title, "heading")
        yield from section(outcome, found, width)


def sections(*, everything: bool) -> dict[str, Section]:
    """Title -> what makes the lines below it, of plan, account and width; the arguments are those of `lines`."""
    return {
        "Money": partial(money_lines, everything=everything),
        "Power and carbon": partial(power_lines, everything=everything),
        "Failures": failure_lines,
        "Network": network_lines,
    }


def account_dict(outcome: Outcome, found: Account) -> dict[str, Any]:
    """The same for programs: money, power, failures, network."""
    r, e, draw, length, shape = outcome.resolved, outcome.estimate, found.draw, found.length, found.network
    counted = rents(r.card, r.plan.cost.rent_date)
    return {
        "money": {
            "basis": r.plan.cost.basis,
            "rented": _price_dict(found.rented) if found.rented else None,
            "owned": {**_price_dict(found.owned), "usd_per_card_year": _floats(asdict(found.own))},
            "catalogue_rents": asdict(counted) if counted else None,
            "catalogue_rents_by_year": {year: asdict(each) for year, each in rents_by_year(r.card).items()},
            "capital_usd": float(sum(part.usd for part in found.materials.bill)),
        },
        "power": {
            **{name.removesuffix("_w") + "_mw": float(watts) / 1e6 for name, watts in asdict(draw).items()},
            "heat_mw": float(draw.it_average_w) / 1e6,
            "heat_peak_mw": float(draw.it_peak_w) / 1e6,
            "energy_mwh": e.energy_mwh,
            "joules_per_token": found.joules_per_token,
            "electricity_usd": found.electricity_usd,
            "kg_co2_per_kwh": r.kg_co2_per_kwh,
            "co2_kg_by_grid": {
                name: float(co2_kg(e.energy_mwh, grid.kg_co2_per_kwh)) for name, grid in grids().items()
            },
        },
        "failures": {
            "hours_between_interruptions": found.mean_time_s / SECONDS_PER_HOUR,
            "interruptions": float(length.interruptions),
            "checkpoint_gb": float(length.checkpoint_bytes) / 1e9,
            "checkpoint_write_s": float(length.checkpoint_write_s),
            "checkpoint_every_s": float(length.checkpoint_every_s),
            "checkpoint_stall_s": float(length.checkpoint_stall_s),
            "lost_s_per_interruption": float(length.lost_s_per_failure),
            "days_lost_to_checkpoints": found.checkpoint_lost_s / SECONDS_PER_DAY,
            "days_lost_to_interruptions": found.interruption_lost_s / SECONDS_PER_DAY,
            "goodput": e.goodput,
            "lost_usd": found.lost_usd,
            "spare_cards": float(length.spares),
            "spares_usd": found.spares_usd,
        },
        "network": {
            "topology": r.plan.cluster.topology,
            "oversubscription": r.plan.cluster.oversubscription,
            **_floats(asdict(shape) | {"switches": shape.switches}),
            "switch_ports": r.network.switch_ports,
            "usd": float(found.materials.network_usd),
            "kw": float(found.materials.network_kw),
            "groups": [asdict(each) for each in found.reach],
        },
    }


def _floats(values: dict[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items()}


def _price_dict(price: Price) -> dict[str, float]:
    return {f"usd_{name}": value for name, value in asdict(price).items()}


# ------------------------------------------------------------------------------------------------------------ money


def money_lines(outcome: Outcome, found: Account, width: int, *, everything: bool) -> Iterator[Line]:
    """Rented and owned, each by card-hour, million tokens, run and year; the arguments are those of `lines`."""
    r = outcome.resolved
    planned = r.plan.cost.basis
    rows: list[tuple[str, ...]] = []
    if found.rented:
        rows.append(_row(f"rented{', as planned' if planned == 'rent' else ''}", found.rented))
    counted = rents(r.card, r.plan.cost.rent_date)
    if counted:
        levels = {"low": counted.low, "typical": counted.typical, "high": counted.high}
        rows += [_row(f"  catalogue, {level}", price_at(outcome, rent)) for level, rent in levels.items()]
    rows.append(_row(f"owned{', as planned' if planned == 'own' else ''}", found.owned))
    rows += [_row(f"  {name}", price) for name, price in _parts(outcome, found)]
    yield from table(rows, ("", "a card-hour", "1 M tokens", "the run", "a year"), right=(1, 2, 3, 4))
    if counted:
        offers = f"{counted.offers} offers" if counted.offers > 1 else "one offer"
        when = period(counted.since if counted.since == counted.until else f"{counted.since}..{counted.until}")
        yield from wrapped(f"  Catalogue: {offers} of {r.card.name}, {when}.", width, "quiet", 2)
    if everything and (years := rents_by_year(r.card)):
        said = (
            f"{year} {between(each.low, each.high, _dollars)} (typical {_dollars(each.typical)})"
            if each.high > each.low
            else f"{year} {_dollars(each.low)}"
            for year, each in years.items()
        )
        yield from wrapped(f"  Rent of a card-hour by year: {', '.join(said)}.", width, "quiet", 2)
    yield from wrapped(f"  {_terms(outcome, found)}", width, "quiet", 2)


def _terms(outcome: Outcome, found: Account) -> str:
    """On what terms the owner's cost is worked out."""
    cost = outcome.resolved.plan.cost
    capital = money(sum(part.usd for part in found.materials.bill))
    hosting = (
        f"colocation at ${cost.colocation_usd_per_kw_month:,g} a kW and month"
        if cost.colocation_usd_per_kw_month
        else f"electricity at ${cost.usd_per_kwh:,g} a kWh"
    )
    storage = " Storage and management are in the power, not in the price."
    unpriced = "" if outcome.resolved.card_price_usd else " No price of the card is known: owning leaves it out."
    staff = "" if cost.staff_usd_per_card_year else " No staff or maintenance is stated (cost.staff_usd_per_card_year)."
    return (
        f"Owned: {capital} at {100 * cost.cost_of_capital:,g} % over {cost.years:,g} years, {hosting}, in use "
        f"{100 * cost.utilization:,g} % of the time.{staff}{storage}{unpriced}"
    )


def _parts(outcome: Outcome, found: Account) -> Iterator[tuple[str, Price]]:
    """The owner's cost by what it is paid for; lines of nothing left out."""
    cost, own = outcome.resolved.plan.cost, found.own
    names = {
        "cards": own.card,
        "servers and racks": own.server,
        "network": own.network,
        "building": own.building,
        "colocation" if cost.colocation_usd_per_kw_month else "electricity": own.hosting,
        "staff, maintenance": own.staff,
    }
    for name, year in names.items():
        if year:
            hour = float(year) / (HOURS_PER_YEAR * cost.utilization)
            yield name, price_at(outcome, hour, float(year))


def _row(name: str, price: Price) -> tuple[str, ...]:
    hour, million = _dollars(price.per_card_hour), f"${significant(price.per_million_tokens)}"
    return name, hour, million, money(price.per_run), money(price.per_year)


def _dollars(value: float) -> str:
    return f"${value:,.2f}"


# ------------------------------------------------------------------------------------------------------------ power


def power_lines(outcome: Outcome, found: Account, width: int, *, everything: bool) -> Iterator[Line]:
    """Power at most and in training, heat, energy, carbon; the arguments are those of `lines`."""
    draw, plan = found.draw, outcome.resolved.plan
    load = float(draw.it_average_w / draw.it_peak_w)
    cards = plan.cluster.cards
    rated = {
        "cards": draw.cards_w,
        "servers, NICs": draw.hosts_w,
        "switches, optics": draw.network_w,
        "storage, heads": draw.storage_w,
        "all of it (IT)": draw.it_peak_w,
        f"facility, PUE {plan.power.pue:,g}": draw.facility_peak_w,
    }
    rows = [
        (name, megawatts(watts / 1e6), megawatts(load * watts / 1e6), f"{watts / cards:,.0f} W")
        for name, watts in ((name, float(watts)) for name, watts in rated.items())
    ]
    yield from table(rows, ("", "at most", "training", "a card"), right=(1, 2, 3))
    heat = (
        f"  Heat to carry away: {megawatts(float(draw.it_average_w) / 1e6)} in training, "
        f"{megawatts(float(draw.it_peak_w) / 1e6)} at most; all power ends as heat."
    )
    energy = (
        f"  Energy of the run: {amount(outcome.estimate.energy_mwh)} MWh, {significant(found.joules_per_token)} J a "
        f"token; {money(found.electricity_usd)} at ${plan.cost.usd_per_kwh:,g} a kWh."
    )
    yield from wrapped(heat, width, "text", 2)
    yield from wrapped(energy, width, "text", 2)
    yield from _carbon(outcome, width, everything=everything)


def _carbon(outcome: Outcome, width: int, *, everything: bool) -> Iterator[Line]:
    """Carbon of the run where it stands, and on grids from the cleanest to the dirtiest."""
    r, e = outcome.resolved, outcome.estimate
    known = sorted(grids().values(), key=lambda grid: grid.kg_co2_per_kwh)
    shown = known if everything else [known[round(place * (len(known) - 1) / 4)] for place in range(5)]
    there = "; ".join(f"{g.name} {amount(co2_kg(e.energy_mwh, g.kg_co2_per_kwh) / 1000)} t" for g in shown)
    where = grids()[r.plan.power.grid].name if r.plan.power.grid else "no grid stated"
    text = (
        f"  Carbon of the run: {amount(e.co2_kg / 1000)} t at {r.kg_co2_per_kwh:,g} kg a kWh ({where}). "
        f"Elsewhere: {there} (power.grid)."
    )
    yield from wrapped(text, width, "text", 2)


# --------------------------------------------------------------------------------------------------------- failures


def failure_lines(outcome: Outcome, found: Account, width: int) -> Iterator[Line]:
    """Interruptions, checkpoints, what is lost, spares; the arguments are those of `lines`."""
    for name, text in _failure_rows(outcome, found):
        yield from wrapped(f"  {name:<16}{text}", width, "text", 18)


def _failure_rows(outcome: Outcome, found: Account) -> Iterator[tuple[str, str]]:
    length, r, goodput = found.length, outcome.resolved, percent(outcome.estimate.goodput)
    plan = r.plan.reliability
    count, each = amount(float(length.interruptions)), seconds(found.mean_time_s)
    yield "Interruptions", f"{count} in the run, one in {each}; {plan.mtbf_card_hours:,.0f} card-hours each"
    size, write = gigabytes(float(length.checkpoint_bytes) / 1e9), seconds(float(length.checkpoint_write_s))
    still = seconds(float(length.checkpoint_stall_s))
    yield (
        "Checkpoint",
        f"{size}, on storage in {write} at {plan.checkpoint_gb_per_s:,g} GB/s; training stands still for {still}",
    )
    chosen = "as the plan says" if plan.checkpoint_every_s else "the optimum (Young/Daly)"
    yield "Interval", f"{seconds(float(length.checkpoint_every_s))}, {chosen}"
    lost, restart = seconds(float(length.lost_s_per_failure)), seconds(plan.restart_s)
    words = f"{lost} on average: work done again, {restart} of restart, reading the checkpoint"
    if float(length.lost_s_per_failure) < plan.restart_s + float(length.checkpoint_write_s):
        words += "; less where it strikes in a restart"
    yield "Lost each time", words
    stalls = significant(found.checkpoint_lost_s / SECONDS_PER_DAY)
    broken = significant(found.interruption_lost_s / SECONDS_PER_DAY)
    words = f"{stalls} days to checkpoints, {broken} to interruptions: goodput {goodput}"
    yield "Lost in the run", f"{words}, {money(found.lost_usd)}" if found.lost_usd else words
    spares = float(length.spares)
    price = f"; {money(found.spares_usd)} more for the run" if found.spares_usd else ""
    nodes = f"{spares:,.0f} cards ({spares / r.cards_per_node:,.0f} nodes)"
    yield "Spares", f"{nodes} cover repairs of a day 99 % of the time{price}"


# ---------------------------------------------------------------------------------------------------------- network


def network_lines(outcome: Outcome, found: Account, width: int) -> Iterator[Line]:
    """Switches, price, and what they leave to each group; the arguments are those of `lines`."""
    r = outcome.resolved
    cluster, cards = r.plan.cluster, r.plan.cluster.cards
    usd, kw = float(found.materials.network_usd), float(found.materials.network_kw)
    price = f"NICs, switches and cables: {money(usd)}, {money(usd / cards)} a card; {megawatts(kw / 1000)}."
    kind = f"{cluster.topology} of {escaped(r.scale_out.name)}"
    yield from wrapped(f"  {kind}. {_built(outcome, found)} {price}", width, "text", 2)
    rows = [
        (
            each.group,
            f"{each.cards:,}",
            f"{each.in_domain:,}",
            percent(each.nic_share) if each.cards > each.in_domain else "–",
            f"+{significant(1e6 * each.extra_latency_s)} µs" if each.extra_latency_s else "–",
        )
        for each in found.reach
    ]
    if rows:
        yield from table(rows, ("group", "cards", "inside", "NICs", "latency"), right=(1, 2, 3, 4))
        yield from wrapped(f"  {REACH}", width, "quiet", 2)
    if cluster.sites > 1:
        waits = seconds(found.between_sites_s)
        text = f"gradients alone, over {cluster.wan_gb_per_s:,g} GB/s a site; each step waits {waits} for them"
        yield from wrapped(f"  Between sites: {text}.", width, "text", 2)


def _built(outcome: Outcome, found: Account) -> str:
    """The switches of a site and how they are joined, in a sentence or two."""
    r, shape = outcome.resolved, found.network
    cluster = r.plan.cluster
    links, hops = f"{float(shape.inter_switch_links):,.0f} links", f"{float(shape.max_hops):,.0f}"
    where = f"Each of {cluster.sites:,} sites: " if cluster.sites > 1 else ""
    if cluster.cards <= r.cards_per_node:
        return "One node needs no switches."
    if cluster.topology == "torus":
        return f"{where}No switches, {links} between cards. A message makes {hops} hops at most."
    count, tiers = float(shape.switches), float(shape.tiers)
    switches = f"{count:,.0f} {'switch' if count == 1 else 'switches'} of {r.network.switch_ports:,.0f} ports"
    depth = f"{tiers:,.0f} {'tier' if tiers == 1 else 'tiers'}"
    joined = f", {links} between them, {cluster.oversubscription:,g} to 1 at the top" if count > 1 else ""
    return f"{where}{switches} in {depth}{joined}. A message passes {hops} at most."
