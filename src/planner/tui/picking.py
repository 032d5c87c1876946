"""What a field can be set to, as entries of a list, and what picking one does. No Textual."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from typing import Final

from planner.catalog import Catalog
from planner.catalog.prices import newest_price, rent_of
from planner.exchange import plan_toml
from planner.exchange.edits import CARD
from planner.exchange.format import short
from planner.exchange.sessions import SESSION, VARIANT
from planner.spec.base import Entry, PlanError
from planner.spec.card import Card
from planner.spec.fabric import ScaleOut, ScaleUp
from planner.spec.grid import Grid
from planner.spec.model import Model
from planner.spec.plan import Plan
from planner.spec.rules import CHOOSABLE, choices
from planner.spec.stack import Stack
from planner.tui.actions import first_key
from planner.tui.fields import CLUSTER, MORE, STRATEGY, WORKLOAD, Catalogued, Field, owned, shown, value_of
from planner.tui.figures import headline
from planner.tui.state import Session, Value
from planner.tui.text import plain
from planner.tui.widgets.picker import Option

ROOM: Final = 90
"""Characters of the titles of sources below a list."""


def options(item: Field, session: Session) -> list[Option]:
    """The entries of a field's list, in order; those that are not possible say why."""
    if item.kind == "catalogue":
        return list(_entries(item, session))
    value = value_of(item, session)
    if item.kind == "several":
        chosen = value if isinstance(value, list | tuple) else ()
        return [Option(o, shown(item, o), "chosen" if o in chosen else "", item.about, current=o in chosen)
                for o in item.options]  # fmt: skip
    if session.resolved is not None and item.key in CHOOSABLE:
        return [
            Option(c.value, shown(item, c.value), "" if c.ok else "not possible here", c.why or item.about, c.ok,
                   c.value == value)
            for c in choices(session.resolved, item.key)
        ]  # fmt: skip
    return [Option(o, shown(item, o), "", item.about, current=o == value) for o in item.options]


def fields(session: Session) -> list[Option]:
    """Every line of the workbench as an entry of the command list, which goes there; the rare ones too."""
    entries = []
    for item in (*CLUSTER, *WORKLOAD, *STRATEGY, *MORE):
        here = session.resolved is None or item.shown(session.resolved)
        table = item.key.partition(".")[0]
        why = "" if here else f" Of no use in this plan{', which rents' if item.shown is owned else ''}."
        entries.append(Option(f"field('{item.key}')", item.label, f"a setting: {table}", f"{item.about}{why}", ok=here))
    return entries


def variants(session: Session) -> list[Option]:
    """Kept variants with what they come to, which plan they are of, and what the command line calls them."""
    now = plan_toml.as_dict(session.plan)
    entries = []
    for number, (name, plan) in enumerate(session.variants.items(), 1):
        come_to, machine = _comes_to(plan, session)
        of = f"{plan.name}{machine}. " if plan.name or machine else ""
        twin = f"On the command line: {VARIANT}{number}, as in `planner compare {SESSION} {VARIANT}{number}`."
        entries.append(Option(name, name, come_to, of + twin, current=plan_toml.as_dict(plan) == now))
    return entries


def _comes_to(plan: Plan, session: Session) -> tuple[str, str]:
    """The headline figures of a plan, or why it has none; and its cards."""
    try:
        outcome = session.preview(plan)
    except PlanError as error:
        return error.problems[0].message, ""
    figures = "  ".join(f"{figure.name} {figure.amount}" for figure in headline(outcome)[:4])
    return figures, f" on {plan.cluster.cards:,} x {outcome.resolved.card.name}"


def picked(item: Field, value: object, session: Session) -> str:
    """Set a field to the entry that was picked; of several, switch it on or off.

    Returns:
        What is worth saying about it; empty: nothing.
    """
    if item.kind == "several":
        stated = session.stated(item.key) or []
        chosen = [o for o in item.options if (o in stated) != (o == value)]
        session.edit(item.key, [str(o) for o in chosen] or None, f"{item.label} {value}")
        return ""
    session.edit(item.key, _as_value(value), f"{item.label} {shown(item, value)}")
    return _kept_price(session) if item.key == CARD else ""


def _kept_price(session: Session) -> str:
    """That the plan's own price now stands for another card, and what that one's is."""
    r = session.resolved
    if r is None:
        return ""
    cost = r.plan.cost
    if owned(r):
        what, stated, usual = "Card price", cost.card_usd or None, newest_price(r.card)
    else:
        usual = rent_of(r.card, cost.rent_level, cost.rent_date)
        what, stated = "Rent", cost.usd_per_card_hour
    if stated is None or stated == usual:
        return ""
    known = f"that of {r.card.name} is ${usual:,.2f}" if usual else f"none is known for {r.card.name}"
    return f"{what} stays ${stated:,.2f}, as the plan states; {known}"


def _as_value(value: object) -> Value:
    return value if isinstance(value, bool | int | float | str) else str(value)


def _entries(item: Field, session: Session) -> Iterable[Option]:
    catalog = session.catalog
    stated = session.stated(item.key)
    in_force = value_of(item, session)
    finders: dict[Catalogued, Callable[[str], Entry]] = {
        "cards": catalog.card, "fabrics": catalog.fabric, "models": catalog.model, "stacks": catalog.stack,
        "grids": catalog.grid,
    }  # fmt: skip
    for entry_id in catalog.ids(item.catalogue):
        try:
            entry = finders[item.catalogue](entry_id)
        except PlanError as error:
            yield Option(entry_id, entry_id, "cannot be used", " ".join(error.lines()), ok=False)
            continue
        if isinstance(entry, ScaleUp | ScaleOut) and entry.role != item.role:
            continue
        current = stated == entry_id if isinstance(stated, str) else entry.name == in_force
        yield Option(entry_id, entry.name, facts_of(entry), detail_of(entry, catalog), current=current)


def facts_of(entry: Entry) -> str:
    """The figures one chooses an entry by."""
    match entry:
        case Card():
            facts = (f"{plain(entry.memory_gb):>4} GB  {plain(entry.peak_tflops.bf16):>6} TFLOP/s BF16  "
                     f"{plain(entry.tdp_w):>5} W  {entry.vendor}")  # fmt: skip
        case Model():
            active = f", {short(entry.active_params)} active" if entry.moe else ""
            facts = f"{short(entry.total_params)} parameters{active}  {entry.owner}"
        case ScaleUp():
            facts = f"{plain(entry.gb_per_s):>6} GB/s a card  domain of {entry.domain}"
        case ScaleOut():
            facts = f"{plain(entry.gb_per_s):>6} GB/s a port{'' if entry.rdma else '  without RDMA'}"
        case Stack():
            facts = f"{entry.kernel_fusion} kernels, {entry.attention_kernel} attention"
        case Grid():
            facts = f"{plain(entry.kg_co2_per_kwh):>6} kg of CO2 a kWh"
        case _:
            facts = ""
    return facts


def _few(titles: list[str]) -> str:
    """As many titles as two lines hold, and how many more there are; the catalogue has them all."""
    shown = [textwrap.shorten(titles[0], ROOM, placeholder=" …")]
    for title in titles[1:]:
        if len("; ".join([*shown, title])) > ROOM:
            break
        shown.append(title)
    rest = len(titles) - len(shown)
    more = f" and {rest} more, in the catalogue ({first_key('catalogue')})" if rest else ""
    return f"Source{'s' if len(titles) > 1 else ''}: {'; '.join(shown)}{more}."


def detail_of(entry: Entry, catalog: Catalog) -> str:
    """Where an entry's figures were read, and its first note."""
    known = catalog.sources()
    titles: dict[str, None] = {}
    for keys in entry.provenance.values():
        for key in keys:
            titles[known[key].title if key in known else key] = None
    source = _few([title.partition(" (")[0] for title in titles]) if titles else "No source given."
    unverified = f" Not verified: {', '.join(entry.unverified)}." if entry.unverified else ""
    note = entry.notes.strip().splitlines()[0] if entry.notes.strip() else ""
    return f"{source}{unverified} {note}".strip()
