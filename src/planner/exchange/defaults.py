"""What a plan leaves to defaults, with the values that stand for them: shown as defaults, never as a user's choice."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel

from planner.exchange.format import STEPS
from planner.spec.base import Entry
from planner.spec.plan import Resolved

Value = bool | int | float | str | list[str]

LONG = 1e10
"""From here on a number gets a letter."""


def default_values(r: Resolved) -> dict[str, Value]:
    """Every key a plan leaves out and what stands in its place, by dotted key, in order of the alphabet.

    Tables whose keys are listed one by one are left out themselves.
    """
    found = ((key, _value(r, key)) for key in sorted(r.defaults))
    return {key: value for key, value in found if value is not None}


def counting_defaults(r: Resolved) -> dict[str, Value]:
    """Those of them that can change a figure of this plan: no owner's cost where cards are rented, and so on."""
    idle = tuple(start for start, rule in IDLE.items() if rule(r))
    return {key: value for key, value in default_values(r).items() if not key.startswith(idle)}


def as_text(value: Value | tuple[str, ...]) -> str:
    """A value in a sentence.

    >>> as_text(True), as_text(50_600.0), as_text(14.8e12), as_text(["norm", "mlp"])
    ('on', '50,600', '14.8 T', 'norm + mlp')
    """
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | float):
        step, letter = next(((s, f" {unit}") for s, unit in STEPS if abs(value) >= max(s, LONG)), (1, ""))
        return f"{value / step:,.10g}{letter}"
    return value if isinstance(value, str) else " + ".join(value) or "none"


REPEATED = ("cost.rent_level", "cost.rent_date", "power.grid")
"""Keys that say nothing the price, or the carbon, they lead to does not."""

IDLE: dict[str, Callable[[Resolved], bool]] = {
    "cluster.wan_gb_per_s": lambda r: r.plan.cluster.sites == 1,
    "cost.usd_per_card_hour": lambda r: r.plan.cost.basis == "own",
    **dict.fromkeys(REPEATED, lambda _: True),
    **dict.fromkeys(
        ("cost.card_usd", "cost.server", "cost.network", "cost.years", "cost.cost_of", "cost.colocation",
         "cost.usd_per_kwh", "cost.building", "cost.staff", "cost.utilization"),
        lambda r: r.plan.cost.basis == "rent",
    ),
    "strategy.sequence": lambda r: r.strategy.tensor == 1,
    "strategy.overlap.tensor": lambda r: r.strategy.tensor == 1,
    "strategy.virtual_stages": lambda r: r.strategy.pipeline == 1,
    "strategy.schedule": lambda r: r.strategy.pipeline == 1,
    "strategy.p2p": lambda r: r.strategy.pipeline == 1,
    "strategy.overlap.pipeline": lambda r: r.strategy.pipeline == 1,
    "strategy.expert": lambda r: r.model.moe is None,
    "strategy.dispatcher": lambda r: r.model.moe is None,
    "strategy.overlap.expert": lambda r: r.model.moe is None,
    "strategy.overlap.fsdp": lambda r: r.strategy.sharding != "zero3",
    "strategy.shard_group": lambda r: r.strategy.sharding == "none",
    "strategy.recompute_modules": lambda r: r.strategy.recompute != "selective",
    "strategy.recompute_layers": lambda r: r.strategy.recompute != "full",
}  # fmt: skip
"""Beginnings of keys -> whether they change nothing in a plan, or say nothing that another key does not."""


def _value(r: Resolved, key: str) -> Value | None:
    """What stands in the place of a key; None for a table."""
    decided: dict[str, Value] = {
        "cluster.cards_per_node": r.cards_per_node,
        "cluster.nics_per_node": r.nics_per_node,
        "cluster.scale_up_domain": r.scale_up_domain,
        "cluster.scale_up": _name(r.scale_up),
        "cluster.scale_out": _name(r.scale_out),
        "cost.usd_per_card_hour": r.usd_per_card_hour,
        "cost.card_usd": r.card_price_usd,
        "power.kg_co2_per_kwh": r.kg_co2_per_kwh,
        "strategy.stack": _name(r.stack),
    }
    if key in decided:
        return decided[key]
    *tables, name = key.split(".")
    owner: object = r.strategy if tables[0] == "strategy" else getattr(r.plan, tables[0])
    if tables[0] == "strategy" and (tables[1:] or getattr(r.strategy, name) is None):
        owner = r.stack
    for table in tables[1:]:
        owner = getattr(owner, table)
    value = getattr(owner, name)
    if isinstance(value, BaseModel):
        return None
    return list(value) if isinstance(value, tuple) else value


def _name(entry: Entry) -> str:
    return entry.id or entry.name
