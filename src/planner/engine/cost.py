"""Seconds of a piece of work by what it waits for, and of a block forward, backward and recomputed; they add up."""

from __future__ import annotations

from dataclasses import dataclass

from planner.engine.num import Num


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds by what they are spent on; each float or array."""

    gemm: Num = 0.0
    attention: Num = 0.0
    memory: Num = 0.0
    tensor: Num = 0.0
    context: Num = 0.0
    expert: Num = 0.0
    host: Num = 0.0

    def __add__(self, other: Cost) -> Cost:
        """Part by part."""
        return Cost(
            self.gemm + other.gemm,
            self.attention + other.attention,
            self.memory + other.memory,
            self.tensor + other.tensor,
            self.context + other.context,
            self.expert + other.expert,
            self.host + other.host,
        )

    def __mul__(self, factor: Num) -> Cost:
        """All parts scaled."""
        return Cost(
            self.gemm * factor,
            self.attention * factor,
            self.memory * factor,
            self.tensor * factor,
            self.context * factor,
            self.expert * factor,
            self.host * factor,
        )

    @property
    def total(self) -> Num:
        """All parts together, s."""
        return self.gemm + self.attention + self.memory + self.tensor + self.context + self.expert + self.host


@dataclass(frozen=True, slots=True)
class Block:
    """One block's cost for a micro-batch."""

    forward: Cost
    backward: Cost
    again: Cost
    """Recomputed in the backward pass."""
    weight: Num
    """Weight-gradient GEMMs, a part of `backward.gemm` that a schedule may move."""

    def __add__(self, other: Block) -> Block:
        """One after the other."""
        return Block(
            self.forward + other.forward,
            self.backward + other.backward,
            self.again + other.again,
            self.weight + other.weight,
        )

    def __mul__(self, count: Num) -> Block:
        """`count` of them."""
        return Block(self.forward * count, self.backward * count, self.again * count, self.weight * count)

    @property
    def total(self) -> Num:
        """Forward, backward and recomputation, s."""
        return self.forward.total + self.backward.total + self.again.total
