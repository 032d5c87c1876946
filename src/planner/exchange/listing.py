"""What the catalogue knows, as rows for people and as plain values for programs; every figure with its source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_args

from pydantic import BaseModel

from planner.catalog import Catalog, Source
from planner.catalog.catalog import Kind
from planner.catalog.prices import typical_rent
from planner.exchange.format import short, significant
from planner.exchange.plan_toml import as_dict as plan_dict
from planner.spec.base import Entry
from planner.spec.card import Card
from planner.spec.fabric import ScaleOut, ScaleUp
from planner.spec.fleet import Fleet
from planner.spec.model import Model
from planner.spec.plan import Plan
from planner.spec.stack import Stack

KINDS: dict[str, Kind] = {"presets" if kind == "plans" else kind: kind for kind in get_args(Kind)}
"""Kinds as the command line names them -> as the catalogue does."""

UNVERIFIED = "?"
"""Stands behind a figure that was not checked against a source that was read."""

NOT_SHOWN = frozenset({"id", "name", "notes", "provenance", "unverified", "sources"})
"""Keys of an entry that are no figures of it."""

Object = Card | ScaleUp | ScaleOut | Model | Stack | Plan | Fleet


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of an entry."""

    key: str
    """Dotted."""
    value: str
    unverified: bool = False
    sources: tuple[str, ...] = ()
    """Keys of `presets/sources.toml`, or addresses."""


def find(catalog: Catalog, kind: str, name: str) -> Object:
    """An entry by kind (of `KINDS`) and id.

    Raises:
        PlanError: there is none of that id, or its file cannot be used.
    """
    getters = {
        "cards": catalog.card, "fabrics": catalog.fabric, "models": catalog.model, "stacks": catalog.stack,
        "presets": catalog.plan, "fleets": catalog.fleet,
    }  # fmt: skip
    found: Object = getters[kind](name)
    return found


def entry_dict(catalog: Catalog, name: str, found: Object) -> dict[str, Any]:
    """Everything known of an entry; a model's parameters are computed, a preset brings its owner and what is assumed."""
    if isinstance(found, Plan):
        return {"id": name, **asdict(catalog.preset_info(name)), "plan": plan_dict(found)}
    data: dict[str, Any] = {"id": name, **found.model_dump(mode="json", by_alias=True, exclude={"id"})}
    if isinstance(found, Model):
        data["params"] = {"total": found.total_params, "active": found.active_params}
    return data


def sources_of(catalog: Catalog, found: Object) -> dict[str, Source]:
    """The sources an entry names, by their key; addresses and texts stand for themselves."""
    known = catalog.sources()
    return {key: known.get(key, Source(key, key if "://" in key else "", "", read=True)) for key in _cited(found)}


def rows(found: Object) -> list[Row]:
    """Every figure that is set, in the order of the file, with its mark and its sources."""
    entry = found if isinstance(found, Entry) else None
    out = []
    for key, value in _flat(found, ""):
        sources = _covering(entry.provenance, key) if entry else ()
        unverified = entry is not None and any(_covers(group, key) for group in entry.unverified)
        out.append(Row(key, value, unverified, sources))
    return out


def table(kind: str, catalog: Catalog, found: Mapping[str, Object]) -> tuple[list[str], list[list[str]]]:
    """Headings, and one line an entry, of the list of a kind."""
    headings = {
        "cards": ["id", "name", "memory GB", "TB/s", "BF16 TF", "FP8 TF", "W", "scale-up", "$ an hour"],
        "fabrics": ["id", "name", "role", "GB/s", "domain"],
        "models": ["id", "name", "owner", "parameters", "active", "layers", "hidden", "attention"],
        "stacks": ["id", "name", "attention", "kernels", "dispatcher"],
        "presets": ["id", "owner", "title", "cards", "card", "model"],
        "fleets": ["id", "name", "clusters", "cards"],
    }[kind]
    return headings, [[name, *_cells(catalog, name, item)] for name, item in found.items()]


def _cells(catalog: Catalog, name: str, item: Object) -> list[str]:
    match item:
        case Card():
            peaks = [_figure(item, "peak_tflops", peak) for peak in (item.peak_tflops.bf16, item.peak_tflops.fp8)]
            sizes = [_figure(item, "memory_gb", item.memory_gb), _figure(item, "memory_tb_per_s", item.memory_tb_per_s)]
            rent = typical_rent(item)
            power = _figure(item, "tdp_w", item.tdp_w)
            return [item.name, *sizes, *peaks, power, item.scale_up, significant(rent) if rent else "–"]
        case ScaleUp():
            return [item.name, item.role, _figure(item, "gb_per_s", item.gb_per_s), f"{item.domain:,}"]
        case ScaleOut():
            return [item.name, item.role, _figure(item, "gb_per_s", item.gb_per_s), ""]
        case Model():
            sizes = [short(item.total_params), short(item.active_params), f"{item.layers:,}", f"{item.hidden:,}"]
            return [item.name, item.owner, *sizes, item.attention]
        case Stack():
            return [item.name, item.attention_kernel, item.kernel_fusion, item.dispatcher]
        case Plan():
            info, cluster = catalog.preset_info(name), item.cluster
            return [info.owner, info.title, f"{cluster.cards:,}", _named(cluster.card), _named(item.workload.model)]
        case Fleet():
            return [item.name, f"{len(item.cluster):,}", f"{sum(c.cards for c in item.cluster):,}"]


def _figure(entry: Entry, key: str, value: float) -> str:
    mark = UNVERIFIED if any(_covers(group, key) for group in entry.unverified) else ""
    return f"{value:,.10g}{mark}" if value else "–"


def _named(value: str | Mapping[str, Any]) -> str:
    """A reference of a plan: an id, or the name of a table."""
    return value if isinstance(value, str) else str(value.get("name") or f"{value.get('base', 'own')} (changed)")


def _flat(value: object, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        for name, field in fields.items():
            if name in value.model_fields_set and not (not key and name in NOT_SHOWN):
                yield from _flat(getattr(value, name), f"{key}.{field.alias or name}".lstrip("."))
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _flat(item, f"{key}.{name}")
    elif isinstance(value, list | tuple) and any(isinstance(item, BaseModel | Mapping) for item in value):
        for index, item in enumerate(value):
            yield from _flat(item, f"{key}[{index}]")
    elif value is not None and value != "":
        yield key, _shown(value)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:,.10g}" if isinstance(value, float) else f"{value:,}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_shown(item) for item in value)
    return str(value)


def _covers(group: str, key: str) -> bool:
    """A key, or a table that holds it."""
    return key == group or key.startswith(f"{group}.")


def _covering(provenance: Mapping[str, tuple[str, ...]], key: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(source for group, keys in provenance.items() if _covers(group, key) for source in keys))


def _cited(found: Object) -> Iterator[str]:
    if isinstance(found, Plan | Fleet):
        yield from found.sources
        return
    for keys in found.provenance.values():
        yield from keys
    if isinstance(found, Card):
        yield from (price.source for price in (*found.price_usd, *found.rental_usd_per_hour))
