"""Reads the network parts and grids of the catalogue, `presets/network` and `presets/grids.toml`, when asked for."""

from __future__ import annotations

import tomllib
from functools import cache

from planner.data_files import data_root
from planner.spec.fabric import ScaleOut
from planner.spec.grid import Grid, Grids
from planner.spec.network import NetworkPart, NetworkParts, choose


@cache
def network_parts() -> tuple[NetworkPart, ...]:
    """Every part of `presets/network`, by id."""
    files = sorted((data_root() / "presets" / "network").glob("*.toml"))
    return tuple(NetworkPart.model_validate({"id": f.stem, **tomllib.loads(f.read_text("utf-8"))}) for f in files)


@cache
def parts_at(nic_gb_per_s: float, switch: str = "") -> NetworkParts:
    """Parts of a network at the rate of its NICs.

    Args:
        nic_gb_per_s: rate of one NIC and direction, GB/s.
        switch: catalogue id of the switch; empty or unknown: the usual one for the rate.
    """
    return choose(network_parts(), nic_gb_per_s, switch)


def parts_for(fabric: ScaleOut) -> NetworkParts:
    """Parts a scale-out fabric is built from."""
    return parts_at(fabric.gb_per_s, fabric.switch)


@cache
def grids() -> dict[str, Grid]:
    """Every grid of `presets/grids.toml`, by id."""
    file = data_root() / "presets" / "grids.toml"
    found = Grids.model_validate(tomllib.loads(file.read_text("utf-8"))).grid
    return {name: grid.model_copy(update={"id": name}) for name, grid in found.items()}
