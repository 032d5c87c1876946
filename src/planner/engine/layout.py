"""Which ranks share a scale-up domain: the group sizes collectives run over.

Ranks are numbered as Megatron does, fastest varying first: tensor, context, expert, data, pipeline.
"""

from __future__ import annotations

from dataclasses import dataclass

from planner.engine.inputs import Inputs
from planner.engine.num import Num, clip, maximum, minimum, where


@dataclass(frozen=True, slots=True)
class Group:
    """A communication group: cards in it, and how many of them share one scale-up domain. Floats or arrays."""

    size: Num
    local: Num


def group(size: Num, stride: Num, domain: Num) -> Group:
    """A group of `size` ranks whose neighbours are `stride` cards apart."""
    return Group(size, clip(domain // stride, 1.0, maximum(size, 1.0)))


@dataclass(frozen=True, slots=True)
class Groups:
    """All communication groups of a layout."""

    tensor: Group
    context: Group
    gradient: Group
    """Data x context: cards that hold the same dense weights."""
    shard: Group
    """Cards that share one copy of sharded state."""
    replica: Group
    """Copies of a shard group."""
    expert: Group
    expert_tensor: Group
    expert_gradient: Group
    """Cards that hold the same experts."""
    neighbour_local: Num
    """The next pipeline stage is in the same scale-up domain."""


def groups(x: Inputs) -> Groups:
    """The groups of a layout."""
    y, domain, cards = x.layout, x.machine.domain, x.machine.cards
    copies = cards / (y.tensor * y.pipeline)
    shard = minimum(y.shard_group, copies)
    expert_copies = cards / (y.pipeline * y.expert * y.expert_tensor)
    return Groups(
        tensor=group(y.tensor, 1.0, domain),
        context=group(y.context, y.tensor, domain),
        gradient=group(copies, y.tensor, domain),
        shard=group(shard, y.tensor, domain),
        replica=group(copies / shard, y.tensor * shard, domain),
        expert=group(y.expert, y.expert_tensor, domain),
        expert_tensor=group(y.expert_tensor, 1.0, domain),
        expert_gradient=group(expert_copies, minimum(y.expert * y.expert_tensor, domain), domain),
        neighbour_local=where(y.pipeline > 1.0, cards / y.pipeline < domain, True),
    )
