"""Electricity grids: how much carbon a kilowatt-hour carries."""

from __future__ import annotations

from pydantic import Field

from planner.spec.base import Entry, NotNegative, Spec


class Grid(Entry):
    """One grid, region or cloud zone."""

    kg_co2_per_kwh: NotNegative
    """Carbon dioxide (equivalents) of one kWh, kg."""


class Grids(Spec):
    """The file `presets/grids.toml`."""

    kind: str = "grids"
    grid: dict[str, Grid] = Field(default={})
    """Grid id -> grid."""
