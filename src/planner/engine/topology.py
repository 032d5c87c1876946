"""The shape of a scale-out network: switches, links and hops by topology, and what they cost a collective.

Everything takes floats or NumPy arrays that broadcast against each other, and returns the same; the topology is a name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from planner.engine.num import Num, any_of, ceil, floor, log2, maximum, minimum, where
from planner.spec.fabric import Topology

Pattern = Literal["ring", "all-to-all"]

EDGE = 1e-9
"""Slack below a whole number, so that a tree exactly full does not get another tier from rounding."""


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """A scale-out network in numbers. Floats, or arrays of one shape; all planes together."""

    tiers: Num
    """Switch tiers from a server to the top."""
    leaf_switches: Num
    """Switches servers are plugged into."""
    middle_switches: Num
    """Switches between leaves and top tier."""
    top_switches: Num
    inter_switch_links: Num
    """Cables between switches (in a torus: between cards)."""
    max_hops: Num
    """Most switches a message passes."""
    leaf_nodes: Num
    """Nodes that reach each other through one switch."""
    block_nodes: Num
    """Nodes that reach each other without the top tier (in a dragonfly: one group)."""

    @property
    def switches(self) -> Num:
        """All switches."""
        return self.leaf_switches + self.middle_switches + self.top_switches


def fat_tree(endpoints: Num, radix: Num, oversubscription: Num = 1.0, nics_per_leaf_node: Num = 8.0) -> NetworkShape:
    """Smallest fat tree that holds the endpoints: one switch, or as many tiers as the radix r asks for.

    Formula: t tiers hold 2 (r/2)^t endpoints; every tier below the top has endpoints / (r/2) switches, the top half of
    that. Two tiers: r^2/2 endpoints, 3r/2 switches; three: r^3/4 and 5r^2/4. With 1:o oversubscription the switches
    below the top give r / (1 + o) ports to it (rounded up, never worse than asked) and the rest downwards.

    Source: Al-Fares et al. 2008 (SIGCOMM); Insights into DeepSeek-V3 (arXiv 2505.09343), table 3: 2,048 endpoints with
    96 switches, 65,536 with 5,120 (radix 64).

    Args:
        endpoints: NIC ports to join (float or array).
        radix: ports of a switch (float or array).
        oversubscription: o, at the top tier; 1: non-blocking (float or array).
        nics_per_leaf_node: NICs of one node that share a leaf: all of them, or 1 where each goes to a leaf of its own.

    >>> shape = fat_tree(65_536.0, 64.0)
    >>> shape.tiers, shape.switches, shape.inter_switch_links
    (3.0, 5120.0, 131072.0)
    """
    half = floor(radix / 2)
    up = minimum(ceil(radix / (1.0 + oversubscription) - EDGE), half)
    down = radix - up
    extra = maximum(ceil(log2(maximum(endpoints / (radix * down), EDGE)) / log2(half) - EDGE), 0.0)
    single = endpoints <= radix
    full_tier = ceil(endpoints / half)
    below_top = ceil(endpoints / down)
    top = ceil(below_top * up / radix)
    block = down * half**extra
    leaf = where(extra > 0, half, down)
    return NetworkShape(
        tiers=where(single, 1.0, 2.0 + extra),
        leaf_switches=where(single, 1.0, where(extra > 0, full_tier, below_top)),
        middle_switches=where(single, 0.0, where(extra > 0, full_tier * (extra - 1.0) + below_top, 0.0)),
        top_switches=where(single, 0.0, top),
        inter_switch_links=where(single, 0.0, extra * full_tier * half + below_top * up),
        max_hops=where(single, 1.0, 3.0 + 2.0 * extra),
        leaf_nodes=maximum(floor(where(single, radix, leaf) / nics_per_leaf_node), 1.0),
        block_nodes=maximum(floor(where(single, radix, block) / nics_per_leaf_node), 1.0),
    )


def rail_optimized(endpoints: Num, radix: Num, oversubscription: Num, nics_per_node: Num) -> NetworkShape:
    """Fat tree whose leaves each serve one rail: NIC i of every node goes to leaf i, NVLink brings data to its rail.

    Formula: the fat tree's counts; a leaf of r/2 ports joins r/2 nodes instead of r/2 / NICs. Only the first tier is by
    rail, so blocks of higher tiers hold what they hold in a fat tree.

    Source: SemiAnalysis, 100,000 H100 Clusters (2024-06) and AI Neocloud Playbook (2024-10): same switch count as top
    of rack; NVIDIA DGX SuperPOD reference architecture: 32 nodes on 8 leaves of 64 ports.

    Args:
        endpoints: NIC ports to join (float or array).
        radix: ports of a switch (float or array).
        oversubscription: at the top tier (float or array).
        nics_per_node: rails (float or array).
    """
    tree = fat_tree(endpoints, radix, oversubscription, nics_per_node)
    rail = fat_tree(endpoints, radix, oversubscription, 1.0)
    leaf_nodes = where(tree.top_switches > 0, rail.leaf_nodes, tree.leaf_nodes)
    return replace(tree, leaf_nodes=leaf_nodes, block_nodes=maximum(tree.block_nodes, leaf_nodes))


def multi_plane(endpoints: Num, radix: Num, oversubscription: Num, planes: Num) -> NetworkShape:
    """Separate fat trees, one for each NIC of a node; traffic changes plane inside the node only.

    Source: Insights into DeepSeek-V3 (arXiv 2505.09343), section 5.1: eight planes of two-tier trees, 16,384 endpoints
    with 768 switches.

    Args:
        endpoints: NIC ports of all planes (float or array).
        radix: ports of a switch (float or array).
        oversubscription: at the top tier of each plane (float or array).
        planes: NICs of one node (float or array).
    """
    planes = maximum(planes, 1.0)
    plane = fat_tree(ceil(endpoints / planes), radix, oversubscription, 1.0)
    return replace(
        plane,
        leaf_switches=planes * plane.leaf_switches,
        middle_switches=planes * plane.middle_switches,
        top_switches=planes * plane.top_switches,
        inter_switch_links=planes * plane.inter_switch_links,
    )


def dragonfly(endpoints: Num, radix: Num, oversubscription: Num, nics_per_node: Num) -> NetworkShape:
    """Balanced dragonfly: groups of a switches joined all to all, every switch with p endpoints and h links to groups.

    Formula: p = (r + 1) / 4, a = 2p, h = p; up to a h + 1 groups of p a endpoints; a (a - 1) / 2 links in a group and
    a h / 2 a group between them (divided by the oversubscription).

    Source: Kim et al. 2008 (ISCA), section 3; Insights into DeepSeek-V3, table 3: 261,632 endpoints, 16,352 switches,
    384,272 links = 511 groups at radix 64.

    Args:
        endpoints: NIC ports to join (float or array).
        radix: ports of a switch (float or array).
        oversubscription: of the links between groups (float or array).
        nics_per_node: NICs of one node, all on one switch (float or array).
    """
    p = floor((radix + 1.0) / 4.0)
    a, h = 2.0 * p, p
    groups = ceil(endpoints / (p * a))
    single = endpoints <= radix
    between = where(groups > 1, ceil(groups * a * h / 2.0 / oversubscription), 0.0)
    return NetworkShape(
        tiers=where(single, 1.0, 2.0),
        leaf_switches=where(single, 1.0, a * groups),
        middle_switches=0.0,
        top_switches=0.0,
        inter_switch_links=where(single, 0.0, groups * a * (a - 1.0) / 2.0 + between),
        max_hops=where(single, 1.0, where(groups > 1, 4.0, 2.0)),
        leaf_nodes=maximum(floor(where(single, radix, p) / nics_per_node), 1.0),
        block_nodes=maximum(floor(where(single, radix, p * a) / nics_per_node), 1.0),
    )


def torus(endpoints: Num) -> NetworkShape:
    """Three-dimensional torus of cards, no switches: three links a card.

    Formula: the farthest card is half way round each axis, 3/2 n^(1/3) hops.
    Source: JAX scaling book, TPU chapter; Jouppi et al. 2023 (arXiv 2304.01433).

    Args:
        endpoints: cards to join (float or array).
    """
    return NetworkShape(
        tiers=0.0,
        leaf_switches=0.0,
        middle_switches=0.0,
        top_switches=0.0,
        inter_switch_links=3.0 * endpoints,
        max_hops=ceil(1.5 * endpoints ** (1.0 / 3.0) - EDGE),
        leaf_nodes=1.0,
        block_nodes=1.0,
    )


def single_switch(radix: Num, nics_per_node: Num = 8.0) -> NetworkShape:
    """One switch for everything.

    Args:
        radix: its ports (float or array).
        nics_per_node: NICs of one node (float or array).
    """
    nodes = maximum(floor(radix / nics_per_node), 1.0)
    return NetworkShape(
        tiers=1.0,
        leaf_switches=1.0,
        middle_switches=0.0,
        top_switches=0.0,
        inter_switch_links=0.0,
        max_hops=1.0,
        leaf_nodes=nodes,
        block_nodes=nodes,
    )


TREES: dict[str, Callable[[Num, Num, Num, Num], NetworkShape]] = {
    "fat-tree": fat_tree,
    "rail-optimized": rail_optimized,
    "multi-plane": multi_plane,
    "dragonfly": dragonfly,
}
"""Topologies whose shape follows from endpoints, radix, oversubscription and NICs a node."""


def network_shape(
    topology: Topology, endpoints: Num, radix: Num, oversubscription: Num = 1.0, nics_per_node: Num = 8.0
) -> NetworkShape:
    """Switches, links and hops of a topology that holds the endpoints.

    Args:
        topology: its name.
        endpoints: NIC ports to join (float or array); in a torus, cards.
        radix: ports of a switch (float or array).
        oversubscription: at the top tier (float or array); a single switch and a torus have none.
        nics_per_node: NICs of one node; planes of a multi-plane network (float or array).
    """
    nics = maximum(nics_per_node, 1.0)
    if topology in TREES:
        return TREES[topology](endpoints, radix, oversubscription, nics)
    if topology == "torus":
        return torus(endpoints)
    return single_switch(radix, nics)


class Reach(Protocol):
    """How far nodes of a network reach each other: what groups need to know of its shape. Floats, or arrays."""

    @property
    def leaf_nodes(self) -> Num:
        """Nodes that reach each other through one switch."""

    @property
    def block_nodes(self) -> Num:
        """Nodes that reach each other without the top tier."""

    @property
    def max_hops(self) -> Num:
        """Most switches a message passes."""


def hops(shape: Reach, span_nodes: Num) -> Num:
    """Switches a message passes at most inside a group that spans `span_nodes` neighbouring nodes.

    In a torus this is the whole torus's; ask for the shape of the span to get less.
    Source: Insights into DeepSeek-V3 (arXiv 2505.09343), table 5: same leaf against cross leaf.

    Args:
        shape: the network.
        span_nodes: nodes from the group's first to its last (float or array).
    """
    near = where(span_nodes <= shape.block_nodes, maximum(shape.max_hops - 2.0, 1.0), shape.max_hops)
    return where(span_nodes <= shape.leaf_nodes, minimum(1.0, shape.max_hops), near)


def extra_latency_s(hops_passed: Num, hop_s: Num) -> Num:
    """Latency above that of two nodes on one leaf, s: (hops - 1) x time through a switch.

    Source: Insights into DeepSeek-V3 (arXiv 2505.09343), table 5: InfiniBand 2.8 us on one leaf, 3.7 across two more
    switches; RoCE 3.6 and 5.6.

    Args:
        hops_passed: switches passed (float or array).
        hop_s: time through one switch, s (float or array).
    """
    return maximum(hops_passed - 1.0, 0.0) * hop_s


def top_tier_share(
    shape: Reach,
    span_nodes: Num,
    oversubscription: Num,
    members: Num | None = None,
    pattern: Pattern = "ring",
) -> Num:
    """Factor on a group's NIC bandwidth from an oversubscribed top tier, above 0 and at most 1.

    Formula: 1 / max(1, x o), x the share of a node's traffic that crosses the top tier. A ring over neighbours crosses
    once for all its members in a block: x = 1 / (members in a block). All-to-all: x = 1 - 1 / blocks. Every node of
    the block sends at once, each for its own group.

    Source: counting; Meta's 24,576-card RoCE cluster (1:7 between pods) relied on placing groups so (arXiv 2407.21783,
    section 3.3.1).

    Args:
        shape: the network.
        span_nodes: nodes from the group's first to its last (float or array).
        oversubscription: o, at the top tier (float or array).
        members: nodes of the group among them; none: all (float or array).
        pattern: who sends to whom.
    """
    if not any_of(oversubscription > 1.0):
        return 1.0
    blocks = maximum(span_nodes / shape.block_nodes, 1.0)
    inside = maximum((span_nodes if members is None else members) / blocks, 1.0)
    crossing = 1.0 / inside if pattern == "ring" else 1.0 - 1.0 / blocks
    return where(blocks > 1.0, 1.0 / maximum(crossing * oversubscription, 1.0), 1.0)
