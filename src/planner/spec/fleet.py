"""A fleet: what an organisation owns, cluster by cluster. Fleet files are `schema = 1`, `kind = "fleet"`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from planner.spec.base import Count, PlanError, Problem, Spec, Strings
from planner.spec.card import Card
from planner.spec.fabric import ScaleUp
from planner.spec.network import NetworkParts
from planner.spec.parse import PLAN_FILE, build, check_schema
from planner.spec.plan import SCHEMA, Cost, Inline, Power


class FleetCluster(Cost):
    """Cards of one kind at one site; its cost keys are those of a plan's `[cost]`."""

    name: str
    """What the cluster is called."""
    card: str | Inline
    """Catalogue id, or a table with a `base` and the keys that differ."""
    cards: Count
    """How many."""
    site: str = ""
    """Where it is; clusters of one site may train together. Empty: not stated, or several sites."""
    basis: Literal["rent", "own"] = "own"
    """Bought, or rented by the hour."""


class Fleet(Spec):
    """A fleet file."""

    schema_: Annotated[int, Field(alias="schema")] = SCHEMA
    kind: Literal["fleet"] = "fleet"
    """Tells a fleet from a plan."""
    name: str = ""
    """Whose fleet, and when."""
    notes: str = ""
    """What a reader should know and no key says."""
    sources: Strings = ()
    """Where it was read."""
    cluster: Annotated[tuple[FleetCluster, ...], Field(strict=False, min_length=1)]
    """At least one `[[cluster]]`."""
    power: Power = Power()


@dataclass(frozen=True, slots=True)
class Holding:
    """A cluster of a fleet whose references are objects."""

    cluster: FleetCluster
    card_id: str
    """Catalogue id of the card, or of the one an inline table is based on; empty: neither."""
    card: Card
    scale_up: ScaleUp
    network: NetworkParts
    """What its scale-out network is built from."""
    nics_per_node: int
    card_price_usd: float
    """From the fleet or the catalogue; 0: unknown."""
    usd_per_card_hour: float
    """Rent, from the fleet or the catalogue; 0: unknown."""


@dataclass(frozen=True, slots=True)
class ResolvedFleet:
    """A fleet whose references are objects. What the engine takes."""

    fleet: Fleet
    holdings: tuple[Holding, ...]
    kg_co2_per_kwh: float
    """Carbon dioxide of one kWh, kg."""


def parse_fleet(data: Mapping[str, Any], source: str) -> Fleet:
    """Make a fleet of parsed TOML.

    Args:
        data: what the file holds.
        source: its name, for messages.

    Raises:
        PlanError: with every problem found.
    """
    check_schema(data, source)
    if data.get("kind") != "fleet":
        fix = 'Write kind = "fleet" if it is.'
        if "kind" not in data and "workload" in data:
            fix = PLAN_FILE
        problem = Problem("error", "kind", "this is not a fleet file.", fix)
        raise PlanError([problem], source)
    return build(Fleet, data, source)
