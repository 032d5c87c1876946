"""Electric power of a cluster: at most, while it trains, and at the facility's meter.

Everything takes floats or NumPy arrays that broadcast against each other, and returns the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from planner.engine.num import Num, clip, maximum, where

TRAINING_LOAD = 0.8
"""Average over rated power of the whole IT load while training. Source: SemiAnalysis, AI Datacenter Energy Dilemma
(2024-03), which plans with 0.8. Measured on H100 nodes: 8.4 of 10.2 kW at most (0.82, Latif et al. 2024, arXiv
2412.08602) and 0.76 in compute-bound training (Newkirk et al. 2025, arXiv 2506.14551)."""

HOST_W_PER_CARD_W = 575.0 / 700.0
"""Rated power of the server around a card over that of the card, where neither server nor all-in power is stated: 575 W
around the H100's 700 W (SemiAnalysis, AI Datacenter Energy Dilemma). B200 gives 0.79, A100 1.03 (presets/cards)."""

STORAGE_W_PER_CARD = 45.0
"""Storage, head nodes and management, W a card: 114 W of an H100 SuperPOD's 1,389 (SemiAnalysis, AI Datacenter Energy
Dilemma: 11,112 W a server against 10,200) less the 69 W of its two-tier 400G network."""


@dataclass(frozen=True, slots=True)
class PowerDraw:
    """Power of a cluster in W. Floats, or arrays of one shape; all of it ends as heat."""

    cards_w: Num
    """Rated: all cards at thermal design power."""
    hosts_w: Num
    """Rated: servers without cards, NICs included."""
    network_w: Num
    """Rated: switches and transceivers."""
    storage_w: Num
    """Rated: storage, head nodes, management."""
    it_peak_w: Num
    """Critical IT power: the four above."""
    it_average_w: Num
    """While training."""
    facility_peak_w: Num
    """it_peak_w x PUE: what the site must be able to feed and cool."""
    facility_average_w: Num
    """it_average_w x PUE: what the meter shows while training."""


def host_w_per_card(
    cards_per_node: Num, card_w: Num, node_max_kw: Num = 0.0, all_in_kw_per_card: Num = 0.0, network_w: Num = 0.0
) -> Num:
    """Rated power of the server around one card, NICs included, W.

    Formula: (node_max_kw - cards x card_w) / cards where the node's rating is known, else what the stated all-in power
    leaves after card, network and storage, else 575/700 of the card's power.

    Source: SemiAnalysis, AI Datacenter Energy Dilemma (2024-03): H100 server 10.2 kW, 1,275 W a card, 575 W beside it.

    Args:
        cards_per_node: cards of one node (float or array).
        card_w: thermal design power of one card, W (float or array).
        node_max_kw: rated power of the node, kW; 0: not stated (float or array).
        all_in_kw_per_card: critical IT power a card with its shares of everything, kW; 0: not stated (float or array).
        network_w: network power of one card, W, in that all-in power (float or array).

    >>> round(host_w_per_card(8.0, 700.0, 10.2))
    575
    """
    rated = maximum(1000.0 * node_max_kw / cards_per_node - card_w, 0.0)
    left = maximum(1000.0 * all_in_kw_per_card - card_w - network_w - STORAGE_W_PER_CARD, 0.0)
    usual = HOST_W_PER_CARD_W * card_w
    return where(node_max_kw > 0, rated, where(all_in_kw_per_card > 0, left, usual))


def training_load(node_max_kw: Num = 0.0, node_measured_kw: Num = 0.0) -> Num:
    """Average over rated power while training: the node's own measurement where there is one, else 0.8.

    Source: Fire-Flyer (arXiv 2408.14158): a DGX A100 of 6.5 kW drew 4.2.

    Args:
        node_max_kw: rated power of the node, kW; 0: not stated (float or array).
        node_measured_kw: measured under training load, kW; 0: not stated (float or array).
    """
    own = node_measured_kw / maximum(node_max_kw, 1e-9)
    known = (node_max_kw > 0) & (node_measured_kw > 0)
    return where(known, clip(own, 0.0, 1.0), TRAINING_LOAD)


def power(
    *,
    cards: Num,
    card_w: Num,
    host_w_per_card: Num,
    network_w: Num,
    pue: Num,
    load: Num = TRAINING_LOAD,
    storage_w_per_card: Num = STORAGE_W_PER_CARD,
) -> PowerDraw:
    """Power of a cluster.

    Formula: it_peak = cards (card + host + storage) + network; it_average = load x it_peak; facility = PUE x IT.
    Source: SemiAnalysis, AI Datacenter Energy Dilemma (2024-03).

    Args:
        cards: cards of the cluster (float or array).
        card_w: thermal design power of one card, W (float or array).
        host_w_per_card: the server around one card, NICs included, W (float or array).
        network_w: switches and transceivers of the whole cluster, W (float or array).
        pue: power usage effectiveness, facility over IT, at least 1 (float or array).
        load: average over rated power, 0 to 1 (float or array).
        storage_w_per_card: storage, head nodes and management, W a card (float or array).
    """
    cards_w, hosts_w, storage_w = cards * card_w, cards * host_w_per_card, cards * storage_w_per_card
    peak = cards_w + hosts_w + network_w + storage_w
    return PowerDraw(
        cards_w=cards_w,
        hosts_w=hosts_w,
        network_w=network_w,
        storage_w=storage_w,
        it_peak_w=peak,
        it_average_w=load * peak,
        facility_peak_w=pue * peak,
        facility_average_w=pue * load * peak,
    )
