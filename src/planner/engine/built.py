"""A cluster as it is built: what it is made of and the power of just that."""

from __future__ import annotations

from collections.abc import Callable

from planner.engine.parts import Materials
from planner.engine.power import PowerDraw, host_w_per_card, power, training_load
from planner.spec.card import Card


def built(card: Card, cards: float, pue: float, bill: Callable[[float], Materials]) -> tuple[Materials, PowerDraw]:
    """The bill of materials of a cluster and its power, which agree: storage alone has power and no line.

    Where the power of a card is stated all in, the network's share is in it, so what is left for the server depends
    on the network; the network does not depend on the server.

    Args:
        card: what the cluster is of.
        cards: how many.
        pue: power usage effectiveness of the site, at least 1.
        bill: the bill of materials at a power of the server around one card, W.
    """
    host = card.host
    network_w = 1000.0 * float(bill(0.0).network_kw)
    host_w = float(
        host_w_per_card(float(host.cards), card.tdp_w, host.max_kw, host.all_in_kw_per_card, network_w / cards)
    )
    draw = power(
        cards=cards,
        card_w=card.tdp_w,
        host_w_per_card=host_w,
        network_w=network_w,
        pue=pue,
        load=float(training_load(host.max_kw, host.measured_kw)),
    )
    return bill(host_w), draw
