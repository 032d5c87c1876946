"""From a fleet to the same with every id an object."""

from __future__ import annotations

from planner.catalog.catalog import Catalog
from planner.catalog.network import parts_at
from planner.catalog.prices import newest_price
from planner.catalog.resolving import carbon_of, rent_per_hour
from planner.spec.base import PlanError, Problem
from planner.spec.card import Card
from planner.spec.fleet import Fleet, FleetCluster, Holding, ResolvedFleet


def resolve_fleet(catalog: Catalog, fleet: Fleet) -> ResolvedFleet:
    """Look up the cards of a fleet, their fabrics, network parts and prices.

    Raises:
        PlanError: with every card or fabric that is not there and every table that is not valid; else with the grid.
    """
    holdings, problems = list[Holding](), list[Problem]()
    for number, cluster in enumerate(fleet.cluster):
        key = f"cluster[{number}].card"
        try:
            card = catalog.card_of(cluster.card, key)
            holdings.append(_holding(catalog, cluster, card, key))
        except PlanError as error:
            problems += error.problems
    if problems:
        raise PlanError(problems)
    return ResolvedFleet(fleet, tuple(holdings), carbon_of(catalog, fleet.power))


def _holding(catalog: Catalog, cluster: FleetCluster, card: Card, key: str) -> Holding:
    base = cluster.card if isinstance(cluster.card, str) else cluster.card.get("base", "")
    host = card.host
    rate, switch, nics = host.nic_gb_per_s, "", host.nics
    if card.scale_out:
        fabric = catalog.scale_out(card.scale_out, key)
        rate, switch, nics = fabric.gb_per_s, fabric.switch, fabric.nics_per_node or host.nics
    return Holding(
        cluster=cluster,
        card_id=str(base),
        card=card,
        scale_up=catalog.scale_up(card.scale_up, key),
        network=parts_at(rate, switch),
        nics_per_node=nics if rate > 0 else 0,
        card_price_usd=cluster.card_usd or newest_price(card),
        usd_per_card_hour=rent_per_hour(card, cluster),
    )
