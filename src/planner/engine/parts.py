"""What a cluster is built from: the bill of materials.

Everything takes floats or NumPy arrays that broadcast against each other, and returns the same; the topology is a name.
"""

from __future__ import annotations

from dataclasses import dataclass

from planner.engine.num import Num, any_of, ceil, floor, maximum, where
from planner.engine.result import Part
from planner.engine.topology import network_shape
from planner.spec.fabric import Topology
from planner.spec.network import NetworkParts

Bill = tuple[Part, ...]
"""The bill of materials, one line a part."""

RACK_SCALE_CARDS = 144.0
"""Largest scale-up domain that is one rack (NVL72, NVL144, Helios); larger ones span racks. Source: presets/cards."""

CUBE_SHARE = 0.75
"""Share of a 3D torus's links inside a 4 x 4 x 4 cube, copper: 3 x 4 x 4 x 3 of 3 x 64. Source: Jouppi et al. 2023, TPU
v4 (arXiv 2304.01433): a rack is a cube, its 96 outer ends are optical."""


@dataclass(frozen=True, slots=True)
class Materials:
    """The bill by who pays for it. Counts, USD and kW are floats, or arrays of one shape."""

    card: Part
    server: Part
    """Power of the servers without cards and NICs."""
    nic: Part
    network: Bill
    """Switches by tier, transceivers, cables; lines of nothing left out."""
    rack: Part

    @property
    def bill(self) -> Bill:
        """All lines."""
        return (self.card, self.server, self.nic, *self.network, self.rack)

    @property
    def server_usd(self) -> Num:
        """Servers and racks, USD."""
        return self.server.usd + self.rack.usd

    @property
    def network_usd(self) -> Num:
        """NICs, switches, transceivers and cables, USD."""
        return self.nic.usd + sum(part.usd for part in self.network)

    @property
    def network_kw(self) -> Num:
        """Switches, transceivers and cables, kW; NICs stand in the servers' power."""
        return 0.0 + sum(part.kw for part in self.network)


def racks(nodes: Num, cards_per_node: Num, node_w: Num, scale_up_domain: Num, rack_w: Num) -> Num:
    """Racks of the servers: one a domain where the domain is a rack, else as many nodes as the rack can feed.

    Args:
        nodes: servers (float or array).
        cards_per_node: cards of one (float or array).
        node_w: power of one, W (float or array).
        scale_up_domain: cards that share the scale-up fabric (float or array).
        rack_w: what one rack can feed and cool, W (float or array).
    """
    by_power = ceil(nodes / maximum(floor(rack_w / maximum(node_w, 1.0)), 1.0))
    whole = ceil(nodes * cards_per_node / scale_up_domain)
    rack_scale = (scale_up_domain > cards_per_node) & (scale_up_domain <= RACK_SCALE_CARDS)
    return where(rack_scale, whole, by_power)


def _line(name: str, count: Num, usd: Num, watts: Num) -> Part:
    return Part(part=name, count=count, usd=count * usd, kw=count * watts / 1000.0)


def materials(
    *,
    cards: Num,
    cards_per_node: Num,
    nics_per_node: Num,
    topology: Topology,
    parts: NetworkParts,
    card_name: str,
    card_usd: Num,
    card_w: Num,
    host_w_per_card: Num,
    oversubscription: Num = 1.0,
    server_usd_per_card: Num = 0.0,
    scale_up_domain: Num = 8.0,
    sites: Num = 1.0,
) -> Materials:
    """Bill of materials of a cluster: cards, servers, NICs, switches by tier, transceivers, cables, racks.

    Every link has two transceivers and a fibre, in a torus three quarters are copper. A single node has no switches.
    Each site has a network of its own; what joins sites is not in the bill.

    Source: the 2024 H100 network sheet (H100 Freakonomics) counts so; the design of each topology in
    `planner.engine.topology`.

    Args:
        cards: cards of the cluster (float or array).
        cards_per_node: cards of one node (float or array).
        nics_per_node: NICs of one node (float or array).
        topology: of the scale-out network.
        parts: what it is built from.
        card_name: how the bill names the card.
        card_usd: price of one card, USD; 0: not known (float or array).
        card_w: thermal design power of a card, W (float or array).
        host_w_per_card: the server's other power with its NICs, W a card (float or array).
        oversubscription: at the top tier (float or array).
        server_usd_per_card: server without cards and NICs, USD a card; 0: the parts' (float or array).
        scale_up_domain: cards that share the scale-up fabric (float or array).
        sites: sites the cards are spread over evenly (float or array).
    """
    nodes = ceil(cards / cards_per_node)
    nics = nodes * nics_per_node
    is_torus = topology == "torus"
    ports = cards if is_torus else nics
    joined = where((nodes > sites) & (ports > 0), sites, 0.0)
    shape = network_shape(topology, ceil(ports / sites), parts.switch_ports, oversubscription, nics_per_node)
    links = shape.inter_switch_links * joined
    copper = CUBE_SHARE * links if is_torus else 0.0 * links
    trunks = links - copper
    near = 0.0 * links if is_torus else nics * where(joined > 0, 1.0, 0.0)
    lines = (
        _line(f"leaf switch, {parts.switch}", shape.leaf_switches * joined, parts.switch_usd, parts.switch_w),
        _line(f"middle switch, {parts.switch}", shape.middle_switches * joined, parts.switch_usd, parts.switch_w),
        _line(f"top switch, {parts.switch}", shape.top_switches * joined, parts.switch_usd, parts.switch_w),
        _line(f"transceiver to servers, {parts.transceiver}", 2.0 * near, parts.transceiver_usd, parts.transceiver_w),
        _line(
            f"transceiver between switches, {parts.trunk_transceiver}",
            2.0 * trunks,
            parts.trunk_transceiver_usd,
            parts.trunk_transceiver_w,
        ),
        _line(parts.cable, near + trunks, parts.cable_usd, 0.0),
        _line(parts.copper_cable, copper, parts.copper_cable_usd, parts.copper_cable_w),
    )
    server_usd = where(server_usd_per_card > 0, server_usd_per_card, parts.server_usd_per_card)
    server_w = maximum(cards_per_node * host_w_per_card - nics_per_node * parts.nic_w, 0.0)
    node_w = cards_per_node * (card_w + host_w_per_card)
    rack_count = racks(nodes, cards_per_node, node_w, scale_up_domain, parts.rack_w)
    return Materials(
        card=_line(card_name, cards, card_usd, card_w),
        server=_line("server", nodes, cards_per_node * server_usd, server_w),
        nic=_line(f"NIC, {parts.nic}", nics, parts.nic_usd, parts.nic_w),
        network=tuple(line for line in lines if any_of(line.count > 0)),
        rack=_line(parts.rack, rack_count, parts.rack_usd, 0.0),
    )
