"""Fabrics: inside the scale-up domain, and between nodes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from planner.spec.base import Count, Entry, NotNegative, Positive

ScaleUpKind = Literal["switch", "mesh", "torus", "pcie"]

Topology = Literal["fat-tree", "rail-optimized", "multi-plane", "dragonfly", "torus", "single-switch"]


class ScaleUp(Entry):
    """The fabric cards of one scale-up domain share (NVLink, Infinity Fabric, ICI, ...)."""

    role: Literal["scale-up"] = "scale-up"
    """Tells it from a fabric between nodes."""
    kind: ScaleUpKind = "switch"
    """How cards are joined: by switches, each to each (mesh), each to its neighbours (torus), or by the host (pcie)."""
    gb_per_s: Positive
    """All links of one card together, one direction, GB/s."""
    domain: Count = 8
    """Cards that share it, as sold."""
    links: Annotated[int, Field(ge=0)] = 0
    """Links of one card; 0: not stated. Shown beside the fabric; no equation uses it."""
    link_gb_per_s: NotNegative = 0.0
    """One link, one direction; in a mesh, what a pair of cards gets."""
    torus_axes: Annotated[int, Field(ge=0)] = 0
    """Axes of the torus; 0: not a torus."""
    in_switch_reduction: bool = False
    """The switches can add (NVLink SHARP)."""


class ScaleOut(Entry):
    """The fabric between nodes (InfiniBand, RoCE, EFA, data-centre network)."""

    role: Literal["scale-out"] = "scale-out"
    """Tells it from a fabric inside the scale-up domain."""
    gb_per_s: Positive
    """One NIC, one direction, GB/s."""
    nics_per_node: Annotated[int, Field(ge=0)] = 0
    """NICs a node of this product has; 0: the card's host decides."""
    switch: str = ""
    """Catalogue id of the switch it is usually built with."""
    rdma: bool = True
    """Cards send without passing through host memory. Shown beside the fabric; no equation uses it yet."""
