"""Rules of card, nodes, sites and what the model and its data ask of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import get_args

from planner.spec.base import Problem
from planner.spec.card import Card, Precision
from planner.spec.plan import Resolved
from planner.spec.rules.numbers import around, card_counts, divisors, group_size, multiples_around, use

NO_BLOCK_SCALING = frozenset({"ada", "hopper", "cdna3"})
"""Architectures with FP8 units that do not apply a scale for each block of 32 values, as MXFP8 has."""

NVFP4 = frozenset({"blackwell", "blackwell-ultra", "rubin"})
"""Architectures that compute in NVFP4, a format of NVIDIA's own."""


def precisions_of(card: Card) -> tuple[Precision, ...]:
    """The precisions a card can train in.

    Source: OCP Microscaling Formats 1.0; NVIDIA Transformer Engine (MXFP8 and NVFP4 from compute capability 10.0 on).
    """
    names: tuple[Precision, ...] = get_args(Precision)
    able = [name for name in names if card.peak(name) > 0]
    if card.architecture in NO_BLOCK_SCALING:
        able = [name for name in able if name != "mxfp8"]
    if card.architecture not in NVFP4:
        able = [name for name in able if name != "nvfp4"]
    return tuple(able)


def model_is_modelled(r: Resolved) -> Iterator[Problem]:
    """A part of the model the engine has no equations for is refused by name."""
    if r.model.unmodelled:
        message = f"{r.model.name} cannot be estimated: the engine has no equations for {r.model.unmodelled}."
        yield Problem("error", "workload.model", message)


def software_is_described(r: Resolved) -> Iterator[Problem]:
    """The stack has the facts of some software, or the plan states those that count most."""
    if not r.stack.described:
        message = f"{r.stack.name} is no software in particular: the ranges are those of software nobody described."
        fix = "State strategy.attention_kernel, kernel_fusion and overlap, or measure: `planner calibrate-to`."
        yield Problem("info", "strategy.stack", message, fix)


def precision_of_card(r: Resolved) -> Iterator[Problem]:
    """The card computes in the precision asked for."""
    wanted, able = r.plan.workload.precision, precisions_of(r.card)
    if wanted in able:
        return
    names = get_args(Precision)
    wider = [name for name in names[: names.index(wanted)] if name in able]
    message = f"{r.card.name} does not compute in {wanted}; it has {', '.join(able)}."
    yield Problem("error", "workload.precision", message, *use("workload.precision", wider[-1:] or able[:1]))


def sites(r: Resolved) -> Iterator[Problem]:
    """Sites hold equal numbers of cards and are joined by a wide-area link."""
    c = r.plan.cluster
    if c.sites == 1:
        if c.wan_gb_per_s:
            message = f"wan_gb_per_s = {c.wan_gb_per_s:g} joins sites, but sites = 1: it has no effect."
            yield Problem("info", "cluster.wan_gb_per_s", message)
        return
    if c.cards % c.sites:
        message = f"{c.cards:,} cards do not divide over {c.sites:,} sites."
        yield Problem("error", "cluster.cards", message, *use("cluster.cards", multiples_around(c.cards, c.sites)))
    if not c.wan_gb_per_s:
        message = f"{c.sites:,} sites need wan_gb_per_s: GB/s between them, for each site and direction."
        fix, key = "For example wan_gb_per_s = 100 (an 800 Gbit/s link).", "cluster.wan_gb_per_s"
        yield Problem("error", key, message, fix, ((key, 100.0),))


def sites_hold_whole_copies(r: Resolved) -> Iterator[Problem]:
    """Only data parallelism crosses between sites."""
    count, data = r.plan.cluster.sites, r.data_parallel
    if data % count:
        message = f"data = {data:,} groups do not divide over {count:,} sites, and a copy of the model cannot span two."
        yield Problem("error", "cluster.sites", message, *use("cluster.sites", around(divisors(data), count)))


def topology_holds(r: Resolved) -> Iterator[Problem]:
    """A single switch has no more ports than it has, and a dragonfly no more groups than its switches can join.

    Source: Kim et al. 2008 (ISCA), section 3: a balanced dragonfly has p = (radix + 1) / 4 endpoints a switch, groups
    of 2 p switches and 2 p^2 + 1 groups.
    """
    c, radix = r.plan.cluster, int(r.network.switch_ports)
    p = (radix + 1) // 4
    most = {"single-switch": radix, "dragonfly": 2 * p * p * (2 * p * p + 1)}.get(c.topology)
    nodes = -(-c.cards // r.cards_per_node)
    ports = -(-nodes * r.nics_per_node // c.sites)
    if most is not None and nodes > c.sites and ports > most:
        message = f"{c.topology} joins up to {most:,} NICs with switches of {radix:,} ports; a site here has {ports:,}."
        yield Problem("error", "cluster.topology", message, *use("cluster.topology", ("fat-tree",)))


def building(r: Resolved) -> Iterator[Problem]:
    """Who pays for a building of his own pays no colocation."""
    cost, key = r.plan.cost, "cost.colocation_usd_per_kw_month"
    if cost.basis == "own" and cost.building_usd_per_kw and cost.colocation_usd_per_kw_month:
        price = f"{cost.colocation_usd_per_kw_month:g}"
        message = f"a building is paid for twice: building_usd_per_kw, and colocation at {price} $ a kW and month."
        yield Problem("warning", key, message, *use(key, (0,)))


def electricity(r: Resolved) -> Iterator[Problem]:
    """A rent has the electricity in it, and so has a colocation's price."""
    cost, key = r.plan.cost, "cost.colocation_usd_per_kw_month"
    if "usd_per_kwh" not in cost.model_fields_set:
        return
    if cost.basis == "rent":
        message = f"usd_per_kwh = {cost.usd_per_kwh:g} does not change the cost: a rent has the electricity in it."
        yield Problem("info", "cost.usd_per_kwh", message)
    elif cost.colocation_usd_per_kw_month:
        message = f"usd_per_kwh counts for nothing: colocation at {cost.colocation_usd_per_kw_month:g} $ a kW and month"
        message += " has the electricity in it."
        yield Problem("info", "cost.usd_per_kwh", message, *use(key, (0,)))


def whole_nodes(r: Resolved) -> Iterator[Problem]:
    """Nodes are bought whole."""
    cards, node = r.plan.cluster.cards, r.cards_per_node
    if cards > node and cards % node:
        message = f"{cards:,} cards fill {cards // node:,} nodes of {node:,} and leave one with {cards % node:,}."
        step = math.lcm(node, group_size(r))
        yield Problem("warning", "cluster.cards", message, *use("cluster.cards", card_counts(r, step)))


def domain(r: Resolved) -> Iterator[Problem]:
    """A scale-up domain is made of whole nodes, or a node of whole domains, and no larger than is sold."""
    size, node, key = r.scale_up_domain, r.cards_per_node, "cluster.scale_up_domain"
    if size % node and node % size:
        message = f"a scale-up domain of {size:,} cards and nodes of {node:,} do not divide each other."
        yield Problem("warning", key, message, *use(key, multiples_around(size, node)))
    if size > r.scale_up.domain:
        message = f"{r.scale_up.name} joins up to {r.scale_up.domain:,} cards; this plan assumes {size:,}."
        yield Problem("warning", key, message, *use(key, (r.scale_up.domain,)))


def sequence_of_model(r: Resolved) -> Iterator[Problem]:
    """The model was made for sequences that long."""
    length, most = r.plan.workload.sequence_length, r.model.max_sequence
    if most and length > most:
        message = f"{r.model.name} was made for sequences of up to {most:,} tokens; the plan trains on {length:,}."
        yield Problem("info", "workload.sequence_length", message)


def tokens_of_a_step(r: Resolved) -> Iterator[Problem]:
    """A run is at least one step long."""
    w = r.plan.workload
    step = w.global_batch * w.sequence_length
    if w.tokens < step:
        message = f"{w.tokens:,.0f} tokens are less than one step of {step:,} (global_batch x sequence_length)."
        change = (("workload.tokens", w.tokens * 1e9),) if w.tokens * 1e9 >= step else ()
        yield Problem("warning", "workload.tokens", message, "Were billions meant? 15 T is written 15e12.", change)
