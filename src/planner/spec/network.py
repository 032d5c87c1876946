"""Parts of a scale-out network: switches, transceivers, cables, NICs, racks, and the server around the cards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from planner.spec.base import Count, Entry, NotNegative

PartKind = Literal["switch", "transceiver", "trunk-transceiver", "cable", "copper-cable", "nic", "rack", "server"]
"""A `transceiver` ends a link between a server and its switch, a `trunk-transceiver` one between two switches."""


class NetworkPart(Entry):
    """One part with its price and power. Files: `presets/network/*.toml`."""

    kind: PartKind
    gb_per_s: NotNegative = 0.0
    """Rate of one port and direction, GB/s; 0: fits any rate."""
    ports: Count = 1
    """Ports of a switch at that rate."""
    usd: NotNegative
    """Price used in the bill of materials, USD; of a server, per card and without cards and network cards."""
    usd_low: NotNegative = 0.0
    """Lowest price seen, USD; 0: not stated."""
    usd_high: NotNegative = 0.0
    """Highest price seen, USD; 0: not stated."""
    date: str = ""
    """Year or month of the price."""
    power_w: NotNegative = 0.0
    """Typical power, W; of a switch, without transceivers; of a rack, what it can feed and cool."""
    reach_m: NotNegative = 0.0
    """Longest span of a transceiver or cable, m; 0: not stated."""
    hop_us: NotNegative = 0.0
    """Time a message takes through a switch, us; 0: not stated."""
    usual: bool = True
    """Chosen where the fabric names no switch: the part of this kind with the slowest port that is fast enough."""


@dataclass(frozen=True, slots=True)
class NetworkParts:
    """The parts one scale-out network is built from: what `planner.engine.parts` needs, at the rate of its NICs."""

    switch: str
    """Name of the switch."""
    switch_ports: float
    """Its ports at the NICs' rate, split ports counted."""
    switch_usd: float
    switch_w: float
    """Power without transceivers, W."""
    hop_s: float
    """Time through one switch, s."""
    transceiver: str
    """Name of the transceiver on links between server and switch."""
    transceiver_usd: float
    transceiver_w: float
    trunk_transceiver: str
    """Name of the transceiver on links between switches."""
    trunk_transceiver_usd: float
    trunk_transceiver_w: float
    cable: str
    """Name of the fibre cable."""
    cable_usd: float
    copper_cable: str
    """Name of the copper cable (links of a torus inside one rack)."""
    copper_cable_usd: float
    copper_cable_w: float
    nic: str
    """Name of the network card."""
    nic_usd: float
    nic_w: float
    rack: str
    rack_usd: float
    rack_w: float
    """What one rack can feed and cool, W."""
    server_usd_per_card: float
    """Server around the cards, without cards and network cards, USD a card."""


MAX_SPLIT = 4
"""Slower ports one switch port can be split into by a breakout cable (800G to 4 x 200G, 400G to 4 x 100G)."""


def choose(catalogue: tuple[NetworkPart, ...], nic_gb_per_s: float, switch: str = "") -> NetworkParts:
    """Parts for a fabric: the switch it names, else the usual one for its rate, and what goes with it.

    Args:
        catalogue: all parts known; at least one usual part of each kind.
        nic_gb_per_s: rate of one NIC and direction, GB/s.
        switch: catalogue id of a switch; unknown or empty: the usual one.
    """

    def usual(kind: PartKind) -> NetworkPart:
        parts = sorted((p for p in catalogue if p.kind == kind and p.usual), key=lambda p: p.gb_per_s)
        return next((p for p in parts if p.gb_per_s == 0 or p.gb_per_s >= nic_gb_per_s), parts[-1])

    named = next((p for p in catalogue if p.kind == "switch" and p.id == switch), None)
    box = named or usual("switch")
    near, trunk, cable, copper = usual("transceiver"), usual("trunk-transceiver"), usual("cable"), usual("copper-cable")
    nic, rack, server = usual("nic"), usual("rack"), usual("server")
    split = min(max(int(box.gb_per_s // nic_gb_per_s), 1), MAX_SPLIT) if nic_gb_per_s > 0 else 1
    return NetworkParts(
        switch=box.name,
        switch_ports=float(box.ports * split),
        switch_usd=box.usd,
        switch_w=box.power_w,
        hop_s=box.hop_us * 1e-6,
        transceiver=near.name,
        transceiver_usd=near.usd,
        transceiver_w=near.power_w,
        trunk_transceiver=trunk.name,
        trunk_transceiver_usd=trunk.usd,
        trunk_transceiver_w=trunk.power_w,
        cable=cable.name,
        cable_usd=cable.usd,
        copper_cable=copper.name,
        copper_cable_usd=copper.usd,
        copper_cable_w=copper.power_w,
        nic=nic.name,
        nic_usd=nic.usd,
        nic_w=nic.power_w,
        rack=rack.name,
        rack_usd=rack.usd,
        rack_w=rack.power_w,
        server_usd_per_card=server.usd,
    )
