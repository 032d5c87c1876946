"""The catalogue: what comes with the program and what users add, by kind and id."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from planner.catalog.inline import entry_of
from planner.catalog.network import grids, network_parts
from planner.catalog.resolving import resolve
from planner.catalog.shelf import Folders, Maker, Shelf, unknown
from planner.data_files import config_folder, data_root
from planner.spec.base import Entry, PlanError, Problem
from planner.spec.card import Card
from planner.spec.fabric import ScaleOut, ScaleUp
from planner.spec.grid import Grid
from planner.spec.model import Model
from planner.spec.network import NetworkPart
from planner.spec.parse import build, load_toml, parse_plan
from planner.spec.plan import Plan, Resolved
from planner.spec.stack import Stack
from planner.spec.words import shown

if TYPE_CHECKING:
    from planner.spec.fleet import Fleet

Kind = Literal["cards", "fabrics", "models", "stacks", "plans", "fleets", "parts", "grids"]

EntryT = TypeVar("EntryT", bound=Entry)

INDEX = "index.toml"
"""Beside the built-in plans: who ran them, their order, and what no source states."""

MANY = 3
"""Suggestions for a name that is not there."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where figures were read."""

    title: str
    url: str
    kind: str
    """vendor, paper, analyst, dataset, config, press, ..."""
    read: bool
    """False: quoted without having been read."""


@dataclass(frozen=True, slots=True)
class PresetInfo:
    """What the list of presets says of a plan."""

    owner: str
    """Who ran it; empty for a user's own."""
    assumed: tuple[str, ...]
    """Dotted keys (or tables) of the plan that no source states."""
    title: str
    order: int
    """Place in the list, from 1; a user's own come last, at 0."""


class Catalog:
    """Everything a plan can name. Nothing is read before it is asked for, and nothing is read twice.

    Args:
        builtin: folder with `cards/`, `fabrics/`, `models/`, `stacks/`, `plans/`, `fleets/` and `sources.toml`.
        own: the user's folder of the same make, whose entries add to and replace the built-in ones.
    """

    def __init__(self, builtin: Path, own: Path | None = None) -> None:
        self._builtin = builtin

        def folders(kind: Kind) -> Folders:
            return builtin / kind, own / kind if own else None

        self._cards = Shelf("card", "planner catalog cards", folders("cards"), _maker(Card))
        self._fabrics = Shelf("fabric", "planner catalog fabrics", folders("fabrics"), _fabric)
        self._models = Shelf("model", "planner catalog models", folders("models"), _maker(Model))
        self._stacks = Shelf("stack", "planner catalog stacks", folders("stacks"), _maker(Stack))
        self._plans = Shelf("preset", "planner catalog presets", folders("plans"), parse_plan, skip=[INDEX])
        self._fleets = Shelf("fleet", "planner catalog fleets", folders("fleets"), _fleet)
        self._shelves: dict[Kind, Shelf[Any]] = {
            "cards": self._cards,
            "fabrics": self._fabrics,
            "models": self._models,
            "stacks": self._stacks,
            "plans": self._plans,
            "fleets": self._fleets,
        }

    @classmethod
    def default(cls) -> Catalog:
        """The catalogue of this installation and this user."""
        return cls(data_root() / "presets", user_folder())

    def ids(self, kind: Kind) -> tuple[str, ...]:
        """Every id of a kind, in order of the alphabet; presets in their own order. No entry is read."""
        if kind == "parts":
            return tuple(part.id for part in network_parts())
        if kind == "grids":
            return tuple(grids())
        if kind != "plans":
            return self._shelves[kind].ids
        last = len(self._index) + 1
        return tuple(sorted(self._plans.ids, key=lambda name: (self.preset_info(name).order or last, name)))

    def card(self, name: str, key: str = "") -> Card:
        """A card.

        Args:
            name: its id.
            key: dotted path of the key that names it, for the message.

        Raises:
            PlanError: there is none of that id, or its file cannot be used. So do the others below.
        """
        return self._cards.get(name, key)

    def card_of(self, value: str | Mapping[str, Any], key: str) -> Card:
        """The card a plan or fleet means: a catalogue id, or a table with a `base` and the keys that differ."""
        return entry_of(value, key, self.card, Card)

    def fabric(self, name: str, key: str = "") -> ScaleUp | ScaleOut:
        """A fabric of either role."""
        return self._fabrics.get(name, key)

    def scale_up(self, name: str, key: str = "") -> ScaleUp:
        """A fabric cards of one domain share."""
        fabric = self._fabrics.get(name, key)
        if isinstance(fabric, ScaleUp):
            return fabric
        raise self._wrong_role(name, key, "scale-up")

    def scale_out(self, name: str, key: str = "") -> ScaleOut:
        """A fabric between nodes."""
        fabric = self._fabrics.get(name, key)
        if isinstance(fabric, ScaleOut):
            return fabric
        raise self._wrong_role(name, key, "scale-out")

    def fabric_ids(self, role: Literal["scale-up", "scale-out"]) -> tuple[str, ...]:
        """Ids of the fabrics of one role; reads them all, and passes over files that cannot be used."""
        found = []
        for name in self._fabrics.ids:
            try:
                if self._fabrics.get(name).role == role:
                    found.append(name)
            except PlanError:
                continue
        return tuple(found)

    def model(self, name: str, key: str = "") -> Model:
        """A model."""
        return self._models.get(name, key)

    def stack(self, name: str, key: str = "") -> Stack:
        """A profile of a training software."""
        return self._stacks.get(name, key)

    def plan(self, name: str) -> Plan:
        """A preset, or a user's own plan of the catalogue folder."""
        return self._plans.get(name)

    def fleet(self, name: str) -> Fleet:
        """A fleet."""
        return self._fleets.get(name)

    def part(self, name: str) -> NetworkPart:
        """A part of a network."""
        return self._built_in("parts", "network part", {part.id: part for part in network_parts()}, name)

    def grid(self, name: str, key: str = "") -> Grid:
        """A grid electricity comes from."""
        return self._built_in("grids", "grid", grids(), name, key)

    def resolve(self, plan: Plan) -> Resolved:
        """A plan with every id an object and every default filled in.

        Defaults that are no constants: the host of the card gives cards a node, NICs and (where the card names no
        fabric) their rate; the stack gives the strategy's unset facts; the card's prices give rent and price
        (`planner.catalog.prices`).

        Raises:
            PlanError: with every name that is not there and every table that is not valid.
        """
        return resolve(self, plan)

    def nearest(self, kind: Kind, word: str) -> tuple[str, ...]:
        """Ids most like a word, best first; empty when none is like it."""
        known = {name.lower(): name for name in self.ids(kind)}
        word = word.lower()
        within = [name for name in known if word and word in name]
        close = difflib.get_close_matches(word, known, n=MANY)
        return tuple(known[name] for name in dict.fromkeys((*within, *close)))[:MANY]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the user's own files; never fatal. Reads those files."""
        return tuple(problem for shelf in self._shelves.values() for problem in shelf.problems())

    def sources(self) -> dict[str, Source]:
        """Every source of the built-in figures, by the key that `provenance` names."""
        return dict(self._sources)

    def preset_info(self, name: str) -> PresetInfo:
        """What the list of presets says of a plan; of a user's own plan, its id alone."""
        info = self._index.get(name)
        return info or PresetInfo(owner="", assumed=(), title=name, order=0)

    @cached_property
    def _sources(self) -> dict[str, Source]:
        return {key: Source(**table) for key, table in _tables(self._builtin / "sources.toml").items()}

    @cached_property
    def _index(self) -> dict[str, PresetInfo]:
        tables = _tables(self._builtin / "plans" / INDEX)
        return {name: PresetInfo(**{**table, "assumed": tuple(table["assumed"])}) for name, table in tables.items()}

    @staticmethod
    def _built_in(kind: Kind, what: str, known: Mapping[str, EntryT], name: str, key: str = "") -> EntryT:
        """An entry of a kind users cannot add to."""
        if name in known:
            return known[name]
        raise PlanError([unknown(what, f"planner catalog {kind}", name, key, known)])

    def _wrong_role(self, name: str, key: str, role: Literal["scale-up", "scale-out"]) -> PlanError:
        problem = unknown(self._fabrics.what, self._fabrics.listed_by, name, key, self.fabric_ids(role))
        return PlanError([replace(problem, message=f'"{name}" is not a {role} fabric.')])


def user_folder() -> Path:
    """The user's own catalogue: `catalogue` in the planner's configuration folder (PLANNER_CONFIG_DIR)."""
    return config_folder() / "catalogue"


def _maker(kind: type[EntryT]) -> Maker[EntryT]:
    """What makes an entry of a kind; its id is the name of its file."""

    def make(data: Mapping[str, Any], source: str) -> EntryT:
        name = Path(source).stem
        if data.get("id", name) != name:
            message = f"{shown(data['id'])} is not the name of the file, which is the id."
            raise PlanError([Problem("error", "id", message, "Leave the key out.")], source)
        return build(kind, {**data, "id": name}, source)

    return make


def _fabric(data: Mapping[str, Any], source: str) -> ScaleUp | ScaleOut:
    role = data.get("role")
    if role == "scale-up":
        return _maker(ScaleUp)(data, source)
    if role == "scale-out":
        return _maker(ScaleOut)(data, source)
    message = "this key is missing." if role is None else f"{shown(role)} is not allowed."
    raise PlanError([Problem("error", "role", message, 'Write "scale-up" or "scale-out".')], source)


def _fleet(data: Mapping[str, Any], source: str) -> Fleet:
    from planner.spec.fleet import parse_fleet  # a plan needs none

    return parse_fleet(data, source)


def _tables(path: Path) -> dict[str, Any]:
    """The tables of a built-in file."""
    return load_toml(path.read_bytes(), str(path))
