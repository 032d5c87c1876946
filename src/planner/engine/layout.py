"""Which ranks share a scale-up domain: the group sizes collectives run over.

Ranks are numbered as Megatron does, fastest varying first: tensor, context, expert, data, pipeline.
"""

from __future__ import annotations

from dataclasses import dataclass

from planner.engine.inputs import DUALPIPE, Inputs, Machine
from planner.engine.num import Num, any_of, ceil, clip, log2, maximum, minimum, where
from planner.engine.topology import Pattern, extra_latency_s, hops, top_tier_share

TORUS_HOP_S = 1e-6
"""One hop between neighbours of a torus, s. Source: JAX scaling book, TPU chapter (about 1 us)."""

RING_HOPS = 7.0
"""Hops of the longest ring inside a domain whose switches add: wider ones gather and reduce through the switch (NCCL
NVLS), whose way does not grow."""


@dataclass(frozen=True, slots=True)
class Group:
    """A communication group: cards in it, and how many of them share one scale-up domain. Floats or arrays."""

    size: Num
    local: Num
    nic: Num
    """Bytes/s of scale-out one member gets: what an oversubscribed top tier leaves of its NIC."""
    hops: Num
    """Hops between domains of a ring through all members, one after the other."""
    hops_inside: Num
    """Its hops inside domains."""
    wait: Num
    """Time a message loses in switches above the first, or on the axes of a torus, s."""


def torus_axes(local: Num, machine: Machine) -> Num:
    """Axes of a torus that neighbours span, at least 1; axes are taken as equally long."""
    axes = maximum(machine.torus_axes, 1.0)
    share = log2(maximum(local, 1.0)) / log2(maximum(machine.domain, 2.0))
    return clip(ceil(axes * share - 1e-9), 1.0, axes)


def closed(local: Num, machine: Machine) -> Num:
    """Whether rings of neighbours close on a torus.

    On two axes only rings of 16 do, on three those of four and more (JAX scaling book, TPU chapter: v5e and v6e wrap on
    whole axes of 16, v4, v5p and v7 on multiples of 4).
    """
    side = maximum(local, 1.0) ** (1.0 / torus_axes(local, machine))
    return side > where(machine.torus_axes > 2.0, 3.5, 15.5)  # noqa: PLR2004 - between the sides that can be


def group(size: Num, stride: Num, machine: Machine, pattern: Pattern = "ring") -> Group:
    """A group of `size` ranks whose neighbours are `stride` cards apart, and who of it sends to whom.

    On a torus, rings run along its axes and both ways at once, half of each axis where they close; slices are joined by
    a ring.
    """
    local = clip(machine.domain // stride, 1.0, maximum(size, 1.0))
    span = maximum(((size - 1.0) * stride + 1.0) / machine.cards_per_node, 1.0)
    share = top_tier_share(machine, span, machine.oversubscription, minimum(size, span), pattern)
    wait = where(size > local, extra_latency_s(hops(machine, span), machine.hop_s), 0.0)
    torus = machine.torus_axes > 0
    domains = ceil(size / local)
    inside = where(torus, 0.0, where(machine.in_switch, minimum(local - 1.0, RING_HOPS), local - 1.0))
    if any_of(torus):
        axes = torus_axes(local, machine)
        way = where(closed(local, machine), 0.5, 1.0) * axes * local ** (1.0 / axes)
        wait = wait + where(torus, TORUS_HOP_S * way, 0.0)
    return Group(size, local, machine.nic * share, domains - 1.0, domains * inside, wait)


@dataclass(frozen=True, slots=True)
class Groups:
    """All communication groups of a layout."""

    tensor: Group
    context: Group
    gradient: Group
    """Data x context: cards of a site that hold the same dense weights."""
    shard: Group
    """Cards that share one copy of sharded state."""
    replica: Group
    """Copies of a shard group."""
    expert: Group
    expert_tensor: Group
    expert_gradient: Group
    """Cards that hold the same experts."""
    expert_shard: Group
    """Those of them that share one copy of sharded state."""
    expert_replica: Group
    """Copies of such a group."""
    stage: Group
    """A card and the one of the next pipeline stage."""
    far_stage: Group
    """The same, across the edge of a domain; where one domain holds all stages, `stage`."""
    ends: Group
    """A card of the first pipeline stage and the one of the last."""


def groups(x: Inputs) -> Groups:
    """The groups of a layout, all inside one site: between sites only reduced gradients travel (`step.between_sites`).

    State is therefore shared out inside a site, and each site holds a whole copy of it.
    """
    y, m, cards = x.layout, x.machine, x.machine.cards / x.machine.sites
    # With DualPipe two cards of each pipeline hold every stage.
    twice = where(y.schedule == DUALPIPE, 2.0, 1.0)
    copies = twice * cards / (y.tensor * y.pipeline)
    shard = minimum(twice * y.shard_group, copies)
    expert_copies = maximum(twice * cards / (y.pipeline * y.expert * y.expert_tensor), 1.0)
    apart = y.expert * y.expert_tensor
    between = cards / y.pipeline
    expert_shard = clip(shard * y.tensor / apart, 1.0, expert_copies)
    return Groups(
        tensor=group(y.tensor, 1.0, m),
        context=group(y.context, y.tensor, m),
        gradient=group(copies, y.tensor, m),
        shard=group(shard, y.tensor, m),
        replica=group(copies / shard, y.tensor * shard, m),
        expert=group(y.expert, y.expert_tensor, m, "all-to-all"),
        expert_tensor=group(y.expert_tensor, 1.0, m),
        expert_gradient=group(expert_copies, apart, m),
        expert_shard=group(expert_shard, apart, m),
        expert_replica=group(expert_copies / expert_shard, apart * expert_shard, m),
        stage=group(2.0, between, m),
        far_stage=group(2.0, where(cards <= m.domain, between, maximum(between, m.domain)), m),
        ends=group(2.0, between * maximum(y.pipeline - 1.0, 1.0), m),
    )
