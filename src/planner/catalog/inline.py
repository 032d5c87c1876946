"""Tables given in a plan where an id could stand: a `base` of the catalogue and the keys that differ, or all keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from planner.spec.base import Entry, PlanError, Problem
from planner.spec.card import Card
from planner.spec.parse import build
from planner.spec.words import shown

EntryT = TypeVar("EntryT", bound=Entry)


def entry_of(
    value: str | Mapping[str, Any], key: str, find: Callable[[str, str], EntryT], kind: type[EntryT], name: str = ""
) -> EntryT:
    """The object a plan's key stands for.

    Args:
        value: a catalogue id or a table.
        key: dotted path of the key, for messages.
        find: looks an id up; takes the id and the key that names it.
        kind: class of the object.
        name: what a table without a name is called.

    Raises:
        PlanError: the id is unknown, or the table is not valid.
    """
    if isinstance(value, str):
        return find(value, key)
    table = dict(value)
    base = table.pop("base", None)
    if base is None:
        return build(kind, {"name": name, **table} if name else table, "", key)
    if not isinstance(base, str):
        raise PlanError([Problem("error", f"{key}.base", f"{shown(base)} is not allowed; it must be a catalogue id.")])
    return build(kind, _changed(find(base, f"{key}.base"), table), "", key)


def _changed(base: Entry, table: Mapping[str, Any]) -> dict[str, Any]:
    """A catalogue entry's keys with those of a table over them; changed figures lose the entry's sources."""
    keys = base.model_dump(exclude_unset=True)
    keys["name"] = f"{base.name} (changed)"
    keys["provenance"] = {k: v for k, v in base.provenance.items() if k.partition(".")[0] not in table}
    if "measured" in keys:
        keys["measured"] = {"at_w": keys["tdp_w"]} | keys["measured"]
    if isinstance(base, Card) and isinstance(power_w := table.get("tdp_w"), int | float):
        keys["host"] = keys.get("host", {}) | _ratings(base, power_w)
    if "attention_kernel" in table:  # a kernel that is chosen is that of every card
        keys.pop("attention_kernel_on", None)
    return merged(keys, table)


def _ratings(card: Card, power_w: float) -> dict[str, float]:
    """Ratings of a card's host where its cards draw `power_w` each: the rest of the node stays what it was."""
    more_kw, host = (power_w - card.tdp_w) / 1000.0, card.host
    ratings = {}
    if host.max_kw:
        ratings["max_kw"] = max(host.max_kw + host.cards * more_kw, 0.0)
        ratings["measured_kw"] = host.measured_kw * ratings["max_kw"] / host.max_kw
    if host.all_in_kw_per_card:
        ratings["all_in_kw_per_card"] = max(host.all_in_kw_per_card + more_kw, 0.0)
    return ratings


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Two tables as one: where both have a key the upper one counts, tables within them key by key.

    >>> merged({"a": 1, "t": {"x": 1, "y": 2}}, {"t": {"y": 3}})
    {'a': 1, 't': {'x': 1, 'y': 3}}
    """
    result = dict(under)
    for key, value in over.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result
