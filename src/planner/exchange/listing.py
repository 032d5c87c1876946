"""What the catalogue knows, as rows for people and as plain values for programs; every figure with its source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pydantic import BaseModel

from planner.catalog import Catalog, Source
from planner.catalog.catalog import Kind
from planner.catalog.prices import rent_of
from planner.exchange.format import STEPS, period, short
from planner.exchange.plan_toml import as_dict as plan_dict
from planner.spec.base import Entry
from planner.spec.card import Card, Price
from planner.spec.fabric import ScaleOut, ScaleUp
from planner.spec.fleet import Fleet
from planner.spec.grid import Grid
from planner.spec.model import Model
from planner.spec.network import NetworkPart
from planner.spec.plan import Plan
from planner.spec.stack import Stack

KINDS: dict[str, Kind] = {
    "cards": "cards", "fabrics": "fabrics", "models": "models", "stacks": "stacks", "presets": "plans",
    "fleets": "fleets", "parts": "parts", "grids": "grids",
}  # fmt: skip
"""Kinds as the command line names them -> as the catalogue does."""

HEADINGS = {
    "cards": ("id", "name", "memory GB", "TB/s", "BF16 TF", "FP8 TF", "W", "scale-up", "USD/h"),
    "fabrics": ("id", "name", "role", "GB/s", "domain"),
    "models": ("id", "name", "owner", "parameters", "active", "layers", "hidden", "attention"),
    "stacks": ("id", "name", "attention", "kernels", "dispatcher"),
    "presets": ("id", "title", "owner", "cards", "card", "model"),
    "fleets": ("id", "name", "clusters", "cards"),
    "parts": ("id", "kind", "name", "GB/s", "ports", "USD", "W"),
    "grids": ("id", "name", "kg CO2/kWh"),
}
"""Columns of the list of each kind."""

UNVERIFIED = "?"
"""Marks a figure that was not checked against a source that was read."""
ASSUMED = "assumed"
"""Marks a key of a preset that no source states."""
NONE = "–"
"""Stands where there is no figure."""

LONG = 1e6
"""From here on numbers get a letter for millions and more."""

NOT_ROWS = frozenset({"schema", "kind", "id", "name", "notes", "provenance", "unverified", "sources"})
"""Keys of an entry that are shown apart from its figures, or are about them."""

Item = Card | ScaleUp | ScaleOut | Model | Stack | Plan | Fleet | NetworkPart | Grid


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of an entry."""

    key: str
    """Dotted."""
    value: str
    mark: str = ""
    """`UNVERIFIED`, `ASSUMED` or nothing."""
    sources: tuple[str, ...] = ()
    """Keys of `presets/sources.toml`, or addresses."""


def find(catalog: Catalog, kind: str, name: str) -> Item:
    """An entry by kind (of `KINDS`) and id.

    Raises:
        PlanError: there is none of that id, or its file cannot be used.
    """
    getters: dict[str, Callable[[str], Item]] = {
        "cards": catalog.card, "fabrics": catalog.fabric, "models": catalog.model, "stacks": catalog.stack,
        "presets": catalog.plan, "fleets": catalog.fleet,
        "parts": catalog.part, "grids": catalog.grid,
    }  # fmt: skip
    return getters[kind](name)


def entry_dict(catalog: Catalog, name: str, item: Item) -> dict[str, Any]:
    """Everything known of an entry; a model's parameters are computed, a preset says what is assumed in it."""
    if isinstance(item, Plan):
        return {"id": name, **asdict(catalog.preset_info(name)), "plan": plan_dict(item)}
    data: dict[str, Any] = {"id": name, **item.model_dump(mode="json", by_alias=True, exclude={"id"})}
    if isinstance(item, Model):
        data["params"] = {"total": item.total_params, "active": item.active_params}
    return data


def as_dict(catalog: Catalog, kind: str, found: Mapping[str, Item]) -> dict[str, Any]:
    """Entries of a kind, and the sources they name."""
    cited = {key: source for item in found.values() for key, source in sources_of(catalog, item).items()}
    return {
        "kind": kind,
        "entries": [entry_dict(catalog, name, item) for name, item in found.items()],
        "sources": {key: asdict(source) for key, source in sorted(cited.items())},
    }


def sources_of(catalog: Catalog, item: Item) -> dict[str, Source]:
    """The sources an entry names, by their key, in the order they are named; an address stands for itself."""
    known = catalog.sources()
    return {key: known.get(key, Source(key, key if "://" in key else "", "", read=True)) for key in _cited(item)}


def rows(catalog: Catalog, name: str, item: Item) -> list[Row]:
    """Every figure that is set, in the order of the documentation, with its mark and its sources."""
    found = [row for key, value in _set(item) if key not in NOT_ROWS for row in _flat(value, key)]
    if isinstance(item, Plan):
        assumed = set(catalog.preset_info(name).assumed)
        found = [replace(row, mark=ASSUMED if _names(row.key) & assumed else "") for row in found]
    if isinstance(item, Entry):
        found = [_cited_row(item, row) for row in found]
    if isinstance(item, Model):
        sizes = {"parameters": item.total_params, "parameters of a token": item.active_params}
        found += [Row(key, f"{short(value)} (computed)") for key, value in sizes.items()]
    return found


def cells(catalog: Catalog, name: str, item: Item) -> list[str]:
    """One line of the list of a kind, under its `HEADINGS`."""
    return [name, *_cells(catalog, name, item)]


def _cells(catalog: Catalog, name: str, item: Item) -> list[str]:
    match item:
        case Card():
            sizes = [_figure(item, "memory_gb", item.memory_gb), _figure(item, "memory_tb_per_s", item.memory_tb_per_s)]
            peaks = [_figure(item, "peak_tflops", peak) for peak in (item.peak_tflops.bf16, item.peak_tflops.fp8)]
            rent = f"{rent_of(item):,.2f}" if rent_of(item) else NONE
            found = [item.name, *sizes, *peaks, _figure(item, "tdp_w", item.tdp_w), item.scale_up, rent]
        case ScaleUp() | ScaleOut():
            domain = f"{item.domain:,}" if isinstance(item, ScaleUp) else NONE
            found = [item.name, item.role, _figure(item, "gb_per_s", item.gb_per_s), domain]
        case Model():
            shape = [f"{item.layers:,}", f"{item.hidden:,}", item.attention]
            found = [item.name, item.owner, short(item.total_params), short(item.active_params), *shape]
        case Stack():
            found = [item.name, item.attention_kernel, item.kernel_fusion, item.dispatcher]
        case Plan():
            info, cluster = catalog.preset_info(name), item.cluster
            found = [info.title, info.owner, f"{cluster.cards:,}", _named(cluster.card), _named(item.workload.model)]
        case NetworkPart():
            ports = _figure(item, "ports", item.ports) if item.kind == "switch" else NONE
            price, power = _figure(item, "usd", item.usd), _figure(item, "power_w", item.power_w)
            found = [item.kind, item.name, _figure(item, "gb_per_s", item.gb_per_s), ports, price, power]
        case Grid():
            found = [item.name, _figure(item, "kg_co2_per_kwh", item.kg_co2_per_kwh)]
        case _:
            found = [item.name, f"{len(item.cluster):,}", f"{sum(cluster.cards for cluster in item.cluster):,}"]
    return found


def _figure(entry: Entry, key: str, value: float) -> str:
    return f"{value:,.10g}{UNVERIFIED if _names(key) & set(entry.unverified) else ''}" if value else NONE


def _named(value: str | Mapping[str, Any]) -> str:
    """A reference of a plan: an id, or the name of a table."""
    return value if isinstance(value, str) else str(value.get("name") or f"{value.get('base', 'own')} (changed)")


def _set(spec: BaseModel) -> Iterator[tuple[str, object]]:
    for name, field in type(spec).model_fields.items():
        if name in spec.model_fields_set:
            yield field.alias or name, getattr(spec, name)


def _flat(value: object, key: str) -> Iterator[Row]:
    if isinstance(value, Price):
        amount = _shown(value.low) if value.low == value.high else f"{_shown(value.low)} – {_shown(value.high)}"
        mark = "" if value.verified else UNVERIFIED
        yield Row(key, f"{amount} ({value.basis}, {period(value.date)})", mark, (value.source,))
    elif isinstance(value, BaseModel | Mapping):
        for name, item in _set(value) if isinstance(value, BaseModel) else value.items():
            yield from _flat(item, f"{key}.{name}")
    elif isinstance(value, list | tuple) and any(isinstance(item, BaseModel | Mapping) for item in value):
        for index, item in enumerate(value):
            yield from _flat(item, key if isinstance(item, Price) else f"{key}[{index}]")
    elif value not in (None, "", ()):
        yield Row(key, _shown(value))


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        step, letter = next(((step, f" {letter}") for step, letter in STEPS if value >= max(step, LONG)), (1, ""))
        return f"{value / step:,.10g}{letter}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_shown(item) for item in value)
    return str(value)


def _cited_row(entry: Entry, row: Row) -> Row:
    """A row with the entry's mark and sources, where it has none of its own."""
    names = _names(row.key)
    if isinstance(entry, Model) and "published" not in names:
        names.add("shape")
    if isinstance(entry, Stack):
        names.add("facts")
    cited = (source for group, keys in entry.provenance.items() if group in names for source in keys)
    mark = UNVERIFIED if names & set(entry.unverified) else ""
    return replace(row, mark=row.mark or mark, sources=row.sources or tuple(dict.fromkeys(cited)))


def _names(key: str) -> set[str]:
    """What may stand for a key: itself, and each table it is in.

    >>> sorted(_names("host.max_kw"))
    ['host', 'host.max_kw']
    """
    parts = key.split(".")
    return {".".join(parts[:count]) for count in range(1, len(parts) + 1)}


def _cited(item: Item) -> Iterator[str]:
    if isinstance(item, Plan | Fleet):
        yield from item.sources
        return
    for keys in item.provenance.values():
        yield from keys
    if isinstance(item, Card):
        yield from (price.source for price in (*item.price_usd, *item.rental_usd_per_hour))
