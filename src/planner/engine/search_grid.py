"""A slice of the search space as the engine's inputs: index arrays in, `Inputs` on broadcast axes out."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from planner.engine.flops import recomputed_share
from planner.engine.inputs import DUALPIPE, Inputs
from planner.engine.memory import MODULES
from planner.engine.num import ceil
from planner.engine.search_space import Floats, Ints, Slice

BLOCK = 1 << 16
"""Strategies of a block, about: more axes than a bounded search has at once, and so less work an element."""


class Grid:
    """One slice as numbers.

    Args:
        one: the slice.
        base: the plan as numbers; what the space does not vary is taken from it.
    """

    def __init__(self, one: Slice, base: Inputs) -> None:
        self.slice = one
        self.pipeline = float(one.pipeline)
        self.rows: Floats = one.rows.astype(float)
        self.experts: Floats = one.experts.astype(float)
        self.chunks = one.chunks
        self.sharding = one.sharding
        self.again = one.again
        self._virtual: Floats = one.chunks[:, 0].astype(float)
        self._schedule = one.chunks[:, 1]
        self._zero: Floats = one.sharding[:, 0].astype(float)
        self._group: Floats = one.sharding[:, 1].astype(float)
        layers = int(base.shape.layers)
        self._full = np.array(
            [recomputed_share(w.layers, layers, one.pipeline) if w.kind == "full" else 0.0 for w in one.again]
        )
        self._modules = {name: np.array([float(name in w.modules) for w in one.again]) for name in MODULES}
        none = {**dict.fromkeys(MODULES, 0.0), "full_recompute": 0.0}
        self._base = dataclasses.replace(base, layout=dataclasses.replace(base.layout, pipeline=self.pipeline, **none))

    @property
    def has_dual(self) -> bool:
        """DualPipe is among its schedules."""
        return bool((self._schedule == DUALPIPE).any())

    def inputs(self, row: Ints, pair: Ints, chunk: Ints, shard: Ints, *, again: bool = False) -> Inputs:
        """Inputs of strategies given by indices that broadcast; with `again`, every recomputation on the last axis."""
        y = self._base.layout
        tensor, sequence, context, micro = (self.rows[row, k] for k in range(4))
        group = self._group[shard]
        whole = self._base.machine.cards / (tensor * self.pipeline)
        flags = {"full_recompute": self._full, **self._modules} if again else {}
        changed = dataclasses.replace(
            y,
            tensor=tensor,
            sequence_parallel=sequence,
            context=context,
            micro_batch=micro,
            expert=self.experts[pair, 0],
            expert_tensor=self.experts[pair, 1],
            chunks=self._virtual[chunk],
            schedule=self._schedule[chunk],
            zero=self._zero[shard],
            shard_group=np.where(group > 0.0, group, whole) if self._group.any() else whole,
            **flags,
        )
        return dataclasses.replace(self._base, layout=changed)

    def row_inputs(self) -> Inputs:
        """Inputs that decide what a micro-batch leaves behind: rows x chunks."""
        every = np.zeros(1, dtype=np.int64)
        return self.inputs(np.arange(len(self.rows))[:, None], every, np.arange(len(self.chunks))[None, :], every)

    def _splits(self) -> Ints:
        """One of the chunks for each split of the layers over the stages, with and without DualPipe's two copies."""
        s = self._base.shape
        full = ceil((s.layers + s.mtp) / (self.pipeline * self._virtual)) * self._virtual
        _, chosen = np.unique(full * 2.0 + (self._schedule == DUALPIPE), return_index=True)
        return chosen

    def state_inputs(self, tensors: Floats) -> Inputs:
        """Inputs that decide weights, gradients and optimizer: tensor x expert pairs x splits of layers x sharding."""
        chosen = self._splits()
        tensor = tensors[:, None, None, None]
        whole = self._base.machine.cards / (tensor * self.pipeline)
        group = self._group[None, None, None, :]
        changed = dataclasses.replace(
            self._base.layout,
            tensor=tensor,
            expert=self.experts[:, 0][None, :, None, None],
            expert_tensor=self.experts[:, 1][None, :, None, None],
            chunks=self._virtual[chosen][None, None, :, None],
            schedule=self._schedule[chosen][None, None, :, None],
            zero=self._zero[None, None, None, :],
            shard_group=np.where(group > 0.0, group, whole),
        )
        return dataclasses.replace(self._base, layout=changed)


def block_count(grid: Grid) -> int:
    """Blocks of a slice."""
    return -(-len(grid.rows) * len(grid.experts) // _block_cells(grid))


def block(grid: Grid, number: int) -> tuple[tuple[Ints, ...], NDArray[np.bool_]]:
    """A block of a slice: cells x chunks x sharding (x recomputation), and which of them exist."""
    size = _block_cells(grid)
    chunk = np.arange(len(grid.chunks))[None, :, None, None]
    shard = np.arange(len(grid.sharding))[None, None, :, None]
    cells = np.arange(number * size, min((number + 1) * size, len(grid.rows) * len(grid.experts)))
    row, pair = np.divmod(cells, len(grid.experts))
    there = grid.slice.allowed[row][:, :, None, None] & grid.slice.shares[row][:, None, :, None]
    return (row[:, None, None, None], pair[:, None, None, None], chunk, shard), there


def _block_cells(grid: Grid) -> int:
    return max(1, BLOCK // (len(grid.again) * len(grid.chunks) * len(grid.sharding)))
