"""From a plan to the same with every id an object and every default filled in."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from planner.catalog.inline import entry_of
from planner.catalog.network import parts_for
from planner.catalog.prices import newest_price, rent_of, rents_by_year
from planner.spec.base import PlanError, Problem, Spec
from planner.spec.card import Card
from planner.spec.fabric import ScaleOut, ScaleUp
from planner.spec.model import Model
from planner.spec.plan import Cost, Plan, Power, Resolved, Strategy
from planner.spec.stack import Stack

if TYPE_CHECKING:
    from planner.catalog.catalog import Catalog

SECTIONS = ("cluster", "workload", "strategy", "reliability", "cost", "power")
"""Tables of a plan whose keys have defaults."""

OVERRIDES = ("attention_kernel", "kernel_fusion", "p2p", "gradient_bytes", "loss", "cuda_graphs", "dispatcher")
"""Facts of a stack that a plan's strategy may override by the key of the same name."""

USUAL_KG_CO2_PER_KWH = 0.4
"""Carbon of one kWh where neither it nor the grid is stated, kg: about the United States (0.369) or the world."""

FoundT = TypeVar("FoundT")


def resolve(catalog: Catalog, plan: Plan) -> Resolved:
    """Look up what a plan names and fill in what it leaves out.

    Raises:
        PlanError: it has no strategy, names what is not there, or holds a table that is not valid; every such problem.
    """
    strategy = plan.strategy
    if strategy is None:
        missing = "the plan has no [strategy]."
        raise PlanError([Problem("error", "strategy", missing, "`planner search FILE` ranks the ones that fit.")])
    cluster, problems = plan.cluster, list[Problem]()
    card = _attempt(problems, lambda: catalog.card_of(cluster.card, "cluster.card"))
    model = _attempt(
        problems, lambda: entry_of(plan.workload.model, "workload.model", catalog.model, Model, name="custom model")
    )
    stack = _attempt(problems, lambda: entry_of(strategy.stack, "strategy.stack", catalog.stack, Stack))
    scale_up = _attempt(problems, lambda: _scale_up(catalog, plan, card))
    scale_out = _attempt(problems, lambda: _scale_out(catalog, plan, card))
    carbon = _attempt(problems, lambda: carbon_of(catalog, plan.power))
    if card is None or model is None or stack is None or scale_up is None or scale_out is None or carbon is None:
        raise PlanError(problems)
    stack = _overridden(stack, strategy, card)
    cards_per_node = cluster.cards_per_node or card.host.cards
    return Resolved(
        plan=plan,
        card=card,
        scale_up=scale_up,
        scale_out=scale_out,
        model=model,
        stack=stack,
        strategy=_decided(strategy, stack),
        cards_per_node=cards_per_node,
        nics_per_node=cluster.nics_per_node or _nics(card, scale_out, cards_per_node),
        scale_up_domain=cluster.scale_up_domain or scale_up.domain,
        network=parts_for(scale_out),
        usd_per_card_hour=rent_per_hour(card, plan.cost),
        card_price_usd=plan.cost.card_usd or newest_price(card),
        kg_co2_per_kwh=carbon,
        defaults=defaults_of(plan),
        usual_usd_per_card_hour=0.0 if plan.cost.usd_per_card_hour is None else rent_of(card),
        rent_years=_other_years(card, plan.cost),
    )


def defaults_of(plan: Plan) -> frozenset[str]:
    """Dotted keys a plan leaves out, and so leaves to a default, the stack or the card's host."""
    left_out = {key for name in SECTIONS for key in _unset(getattr(plan, name), name)}
    if plan.strategy is not None:
        left_out |= set(_unset(plan.strategy.overlap, "strategy.overlap"))
    return frozenset(left_out)


def rent_per_hour(card: Card, cost: Cost) -> float:
    """Rent of one card, USD an hour: the plan's own, else the catalogue's; 0: unknown."""
    stated = cost.usd_per_card_hour
    return rent_of(card, cost.rent_level, cost.rent_date) if stated is None else stated


def _other_years(card: Card, cost: Cost) -> tuple[str, ...]:
    """Years there are rents of, where the plan asks for those of another time."""
    if not cost.rent_date or cost.usd_per_card_hour is not None or rent_per_hour(card, cost):
        return ()
    return tuple(rents_by_year(card))


def carbon_of(catalog: Catalog, power: Power) -> float:
    """Carbon dioxide of one kWh, kg: stated, else the grid's, else `USUAL_KG_CO2_PER_KWH`.

    Raises:
        PlanError: there is no such grid.
    """
    grid = catalog.grid(power.grid, "power.grid") if power.grid else None
    if power.kg_co2_per_kwh is not None:
        return power.kg_co2_per_kwh
    return grid.kg_co2_per_kwh if grid else USUAL_KG_CO2_PER_KWH


def _unset(table: Spec | None, name: str) -> list[str]:
    if table is None:
        return []
    given = table.model_fields_set
    return [f"{name}.{key}" for key in type(table).model_fields if key not in given or getattr(table, key) is None]


def _attempt(problems: list[Problem], find: Callable[[], FoundT]) -> FoundT | None:
    """What `find` finds; None where it fails, with its problems kept."""
    try:
        return find()
    except PlanError as error:
        problems += error.problems
        return None


def _scale_up(catalog: Catalog, plan: Plan, card: Card | None) -> ScaleUp | None:
    if plan.cluster.scale_up is not None:
        return entry_of(plan.cluster.scale_up, "cluster.scale_up", catalog.scale_up, ScaleUp)
    return catalog.scale_up(card.scale_up, "cluster.scale_up") if card else None


def _scale_out(catalog: Catalog, plan: Plan, card: Card | None) -> ScaleOut | None:
    if plan.cluster.scale_out is not None:
        return entry_of(plan.cluster.scale_out, "cluster.scale_out", catalog.scale_out, ScaleOut, name="custom fabric")
    if card is None:
        return None
    if card.scale_out:
        return catalog.scale_out(card.scale_out, "cluster.scale_out")
    host = card.host
    if host.nics == 0 or host.nic_gb_per_s == 0:
        message = "the card's host has no NIC of its own."
        fix, key = 'Name the fabric, for instance "ib-ndr".', "cluster.scale_out"
        raise PlanError([Problem("error", key, message, fix, ((key, "ib-ndr"),))])
    name = f"{host.nics} x {host.nic_gb_per_s:g} GB/s (card's host)"
    return ScaleOut(name=name, gb_per_s=host.nic_gb_per_s)


def _nics(card: Card, scale_out: ScaleOut, cards_per_node: int) -> int:
    """NICs of a node: what the fabric's product has, else the card's host; in proportion where the node differs."""
    usual = scale_out.nics_per_node or card.host.nics
    return max(1, math.ceil(usual * cards_per_node / card.host.cards))


def _overridden(stack: Stack, strategy: Strategy, card: Card) -> Stack:
    """A stack as it runs on a card, with the strategy's own facts in place of its."""
    kernel = stack.attention_kernel_on.get(card.architecture, stack.attention_kernel)
    stated = {key: value for key in OVERRIDES if (value := getattr(strategy, key)) is not None}
    overlap = {key: value for key, value in strategy.overlap if value is not None}
    described = stack.described or (bool(overlap) and {"attention_kernel", "kernel_fusion"} <= stated.keys())
    facts: dict[str, Any] = {"attention_kernel": kernel, "described": described, **stated}
    if "attention_kernel" in stated:
        facts["attention_kernel_on"] = {}
    return stack.model_copy(update={**facts, "overlap": stack.overlap.model_copy(update=overlap)})


def _decided(strategy: Strategy, stack: Stack) -> Strategy:
    """A strategy with sequence parallelism and schedule decided."""
    sequence = stack.sequence_parallel and strategy.tensor > 1 if strategy.sequence is None else strategy.sequence
    schedule = strategy.schedule or ("interleaved" if strategy.virtual_stages > 1 else "1f1b")
    return strategy.model_copy(update={"sequence": sequence, "schedule": schedule})
