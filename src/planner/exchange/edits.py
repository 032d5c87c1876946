"""A plan with some of its keys changed: by an edit on screen, on the command line, in a what-if twin or a sweep."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, get_args

from planner.exchange.defaults import default_values
from planner.exchange.plan_toml import as_dict
from planner.exchange.typed import number_or_word, whole
from planner.spec.base import PlanError, Problem
from planner.spec.parse import load_toml, parse_plan
from planner.spec.words import nearest, shown

if TYPE_CHECKING:
    from planner.catalog import Catalog
    from planner.spec.plan import Plan

CARD = "cluster.card"

MACHINE = (
    "cluster.cards_per_node", "cluster.scale_up", "cluster.scale_up_domain", "cluster.scale_out",
    "cluster.nics_per_node", "cost.usd_per_card_hour", "cost.card_usd",
)  # fmt: skip
"""Keys whose default is the card's."""
UNREAD = "estimate."
"""Begins the keys that export writes and nothing reads."""
PRICES = ("cost.usd_per_card_hour", "cost.card_usd")
"""What a plan pays for its card."""


def set_keys(plan: Plan, changes: Iterable[tuple[str, object]], catalog: Catalog, source: str = "") -> Plan:
    """A plan with keys set to other values, checked as a file would be.

    Where the card changes, keys that spell out what was the old card's own default follow the new card: a plan that
    writes the H800's fabric out gets the H100's with the H100. Keys that differ from that default stay.

    Args:
        plan: the plan.
        changes: dotted keys and their values; None takes a key out, so that its default applies.
        catalog: knows the cards' defaults.
        source: names the changed plan in messages.

    Raises:
        PlanError: there is no such key, or it cannot have the value.
    """
    changes = list(changes)
    data = copy.deepcopy(as_dict(plan))
    if any(key == CARD for key, _ in changes):
        for key in _the_cards_own(data, catalog):
            _drop(data, key)
    for key, value in changes:
        if key.startswith(UNREAD):
            message = "[estimate] is written by export and never read."
            raise PlanError([Problem("error", key, message, _meant(key))], source)
        if value is None:
            _drop(data, key)
        else:
            _put(data, key, value)
    return parse_plan(data, source)


def on_cards(plan: Plan, card: str, cards: int, catalog: Catalog) -> Plan:
    """A plan on another number of cards; of another kind, at their own price: what the plan states is its own card's.

    Args:
        plan: the plan.
        card: id of the card; empty: the plan's own.
        cards: how many.
        catalog: knows the cards' defaults.

    Raises:
        PlanError: there is no such card.
    """
    kind: tuple[tuple[str, object], ...] = ()
    if card and card != plan.cluster.card:
        kind = ((CARD, card), *((key, None) for key in PRICES))
    return set_keys(plan, [("cluster.cards", cards), *kind], catalog, plan.name)


def changed(plan: Plan, edits: Iterable[str], catalog: Catalog) -> Plan:
    """A plan with keys set to other values; without its claim, which was made of the plan as it was.

    Args:
        plan: the plan.
        edits: KEY=VALUE; the value is TOML (`8`, `true`, `"h20"`, `["norm"]`), a number with a letter (`14.8T`) or a
            bare word.
        catalog: knows the cards' defaults.

    Raises:
        PlanError: an edit is none, or the changed plan is not valid.
    """
    pairs = [_pair(edit) for edit in edits]
    if not pairs:
        return plan
    words = ", ".join(f"{key} = {value:,}" if type(value) is int else f"{key} = {value}" for key, value in pairs)
    new = set_keys(plan, pairs, catalog, words)
    return new.model_copy(update={"claim": None, "name": f"{plan.name}, {words}" if plan.name else words})


def stated(plan: Plan, key: str) -> Any:  # noqa: ANN401 - any value a plan may hold
    """What a plan itself says of a dotted key; None where it leaves it to a default."""
    return _get(as_dict(plan), key)


def _pair(edit: str) -> tuple[str, Any]:
    """Key and value of an edit."""
    key, equals, text = (part.strip() for part in edit.partition("="))
    if not (key and equals and text) or "." not in key:
        fix = "Write a dotted key of the plan and a value, for instance cluster.card=h100-sxm."
        raise PlanError([Problem("error", "", f"{shown(edit)} is no KEY=VALUE.", fix)])
    try:
        value = load_toml(f"value = {text}", edit)["value"]
    except PlanError:
        return key, text if _takes_text(key) else number_or_word(text)
    return key, whole(value) if isinstance(value, float) else value


def _meant(key: str) -> str:
    """The question whether a key was meant whose name is like that of one nothing reads; empty where none is."""
    from planner.spec.plan import Cluster, Cost, Power, Reliability, Strategy, Workload

    names = [
        f"{kind.__name__.lower()}.{name}"
        for kind in (Cluster, Workload, Strategy, Reliability, Cost, Power)
        for name in kind.model_fields
    ]
    last = nearest(key.rpartition(".")[2], (name.partition(".")[2] for name in names))
    return next((f"Did you mean {name}?" for name in names if last and name.endswith(f".{last}")), "")


def _takes_text(key: str) -> bool:
    """The key of a plan holds text: what looks like a number there is a name."""
    from planner.spec.plan import Plan

    table, _, name = key.partition(".")
    section = Plan.model_fields.get(table)
    field = getattr(section.annotation, "model_fields", {}).get(name) if section else None
    return field is not None and (field.annotation is str or str in get_args(field.annotation))


def _the_cards_own(data: Mapping[str, Any], catalog: Catalog) -> list[str]:
    """Keys a plan spells out with the value its card would have given them anyway; none where it cannot be resolved."""
    bare = copy.deepcopy(dict(data))
    for key in MACHINE:
        _drop(bare, key)
    bare.setdefault("strategy", {})
    try:
        own = default_values(catalog.resolve(parse_plan(bare, "")))
    except PlanError:
        return []
    return [key for key in MACHINE if (value := _get(data, key)) is not None and value == own[key]]


def _get(data: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401 - any value a plan may hold
    value: Any = data
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _drop(data: dict[str, Any], key: str) -> None:
    table, _, name = key.rpartition(".")
    if isinstance(place := _get(data, table) if table else data, dict):
        place.pop(name, None)


def _put(data: dict[str, Any], key: str, value: object) -> None:
    *tables, name = key.split(".")
    place = data
    for number, table in enumerate(tables, 1):
        inner = place.setdefault(table, {})
        if isinstance(inner, str):  # an id, where the key is of an inline table
            inner = place[table] = {"base": inner}
        if not isinstance(inner, dict):
            owner = ".".join(tables[:number])
            raise PlanError([Problem("error", owner, f"is {shown(inner)}, no table; {key} cannot be set in it.")])
        place = inner
    place[name] = value
