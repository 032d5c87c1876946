"""Lower bounds of groups of strategies, from the engine's own functions with the parts left out that differ in a group.

Each bound is of all strategies that share what it is computed on; tests compare them with exhaustive searches.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.engine import memory
from planner.engine.constants import Constants
from planner.engine.cost import Block
from planner.engine.inputs import DUALPIPE, Inputs
from planner.engine.layers import expert_layers, plain_layers
from planner.engine.layout import groups
from planner.engine.num import maximum, where
from planner.engine.schedule import in_flight
from planner.engine.search_grid import Grid
from planner.engine.search_space import Floats, Ints
from planner.engine.step import step

ELEMENTS = 1 << 16
"""Cells bounded at once."""


def layer_bounds(base: Inputs, grids: list[Grid], rows: list[NDArray[np.bool_]], c: Constants) -> list[Floats]:
    """Of every cell (rows x experts) of every slice, least seconds of a step: its layers' time, if cards never waited.

    Args:
        base: the plan as numbers.
        grids: the slices.
        rows: which rows of each are asked for; the others get infinity.
        c: constants.
    """
    asked, row_of = _unique([grid.rows[chosen] for grid, chosen in zip(grids, rows, strict=True)])
    pairs, pair_of = _unique([grid.experts for grid in grids])
    least = _layers_seconds(base, asked, pairs, c, dual=any(grid.has_dual for grid in grids))
    bounds = []
    for grid, chosen, row, pair in zip(grids, rows, row_of, pair_of, strict=True):
        bound = np.full((len(grid.rows), len(grid.experts)), np.inf)
        bound[chosen] = least[row[:, None], pair[None, :]]
        bounds.append(bound)
    return bounds


@dataclass(frozen=True)
class CellBytes:
    """Least bytes of cells (rows x experts x sharding) on the stages that can be the fullest, as sums of two parts.

    State (weights, gradients, optimizer) with the split of layers that needs least, and the inputs of the layers in
    flight with the schedule that keeps fewest, as if all else were recomputed.
    """

    state: dict[float, Floats]
    """Stage -> (tensor degrees, experts, sharding)."""
    rows: dict[float, Floats]
    """Stage -> (rows,)."""
    tensor_of: Ints
    """Tensor degree of each row, as a place in `state`."""

    def fits(self, capacity: float) -> NDArray[np.bool_]:
        """(rows, experts, sharding): there is a chance."""
        live = np.logical_and.reduce([row <= capacity for row in self.rows.values()])
        where_ = self.tensor_of[live]
        every = [self.rows[at][live][:, None, None] <= (capacity - self.state[at])[where_] for at in self.state]
        fits = np.zeros((len(live), *next(iter(self.state.values())).shape[1:]), dtype=np.bool_)
        fits[live] = np.logical_and.reduce(every)
        return fits

    @property
    def total(self) -> Floats:
        """(rows, experts, sharding): bytes on the fullest stage."""
        stages = [self.rows[at][:, None, None] + self.state[at][self.tensor_of] for at in self.state]
        return np.asarray(np.maximum.reduce(stages))

    def least(self) -> tuple[Floats, Ints]:
        """Of each sharding, the least over all cells, and the stage that is of."""
        count = len(next(iter(self.state.values())))
        stages = []
        for at, state in self.state.items():
            row = np.full(count, np.inf)
            np.minimum.at(row, self.tensor_of, self.rows[at])
            stages.append(state + row[:, None, None])
        most = np.maximum.reduce(stages)
        flat = most.reshape(-1, most.shape[2]).argmin(axis=0)
        stage = np.array(stages).argmax(axis=0).reshape(-1, most.shape[2])
        each = np.arange(most.shape[2])
        numbers = np.array([int(at) for at in self.state])
        return most.reshape(-1, most.shape[2])[flat, each], numbers[stage[flat, each]]


def cell_bytes(grid: Grid, c: Constants) -> CellBytes:
    """Least bytes of the cells of a slice."""
    tensors, tensor_of = np.unique(grid.rows[:, 0], return_inverse=True)
    held = grid.state_inputs(tensors)
    x = grid.row_inputs()
    full = dataclasses.replace(x, layout=dataclasses.replace(x.layout, full_recompute=1.0))
    shape = (len(tensors), len(grid.experts), len(grid.sharding))
    kept = where(x.layout.offload_activations, memory.LEFT, 1.0)
    layer, plain = memory.layer_bytes(full), memory.layer_bytes(x)
    states, rows = {}, {}
    for stage in dict.fromkeys((0.0, min(1.0, grid.pipeline - 1.0), grid.pipeline - 1.0)):
        state = sum(memory.state(memory.parameters(memory.stage_at(stage, held), held), held, groups(held)))
        states[stage] = np.broadcast_to(np.min(state, axis=2), shape)
        at = memory.stage_at(stage, x)
        stored = kept * memory.activations(at, full, layer) * in_flight(stage, x) + memory.working(at, x, plain)
        stored = np.where(grid.slice.allowed, np.broadcast_to(stored, grid.slice.allowed.shape), np.inf)
        rows[stage] = c.fragmentation * stored.min(axis=1) + c.context_bytes
    return CellBytes(states, rows, tensor_of.ravel())


def least_seconds(x: Inputs, c: Constants) -> Floats:
    """Step time with the least recomputation: more of it may hide gradient traffic, but no more than it costs."""
    return np.asarray(step(x, c).total)


def least_bytes(x: Inputs, c: Constants) -> Floats:
    """Bytes of the fullest stage if every layer were recomputed without room to do so."""
    full = dataclasses.replace(x, layout=dataclasses.replace(x.layout, full_recompute=1.0))
    attention, ffn, expert = memory.layer_activations(full)
    s = x.shape
    widest = attention + maximum(where(s.dense_layers > 0, ffn, 0.0), where(s.moe_layers > 0, expert, 0.0))
    return np.asarray(memory.most_bytes(full, groups(full), c) - c.fragmentation * x.tokens * widest)


def _layers_seconds(base: Inputs, rows: Floats, pairs: Floats, c: Constants, *, dual: bool) -> Floats:
    """(rows, pairs): seconds of all layers of a step on each card. Experts are asked once for rows of equal tokens."""
    if not len(rows):
        return np.zeros((0, len(pairs)))
    x = _cells_only(base, rows, pairs[:1], dual=False)
    y = x.layout
    slow = where(x.software.tuned, 1.0, c.untuned) * x.software.factor
    per_card = (slow * y.global_batch * y.tensor * y.context / (x.machine.cards * y.micro_batch))[:, :, 0]
    plain = np.broadcast_to(_both_ways(plain_layers(x, groups(x), c)), (len(rows), 1))
    if not base.shape.moe_layers:
        return np.broadcast_to(plain * per_card, (len(rows), len(pairs)))
    tokens = rows.copy()
    tokens[:, 3] /= tokens[:, 2]
    tokens[:, 2] = 1.0
    alike, (place,) = _unique([tokens])
    size = max(1, ELEMENTS // (len(pairs) * (1 + dual)))
    parts = []
    for at in range(0, len(alike), size):
        x = _cells_only(base, alike[at : at + size], pairs, dual=dual)
        parts.append(_both_ways(expert_layers(x, groups(x), c)))
    return np.asarray((plain + np.concatenate(parts)[place]) * per_card)


def _both_ways(block: Block) -> Floats:
    """Forward and backward seconds, with the schedule that takes less."""
    return np.asarray((block.forward.total + block.backward.total).min(axis=2))


def _unique(tables: list[Floats]) -> tuple[Floats, list[Ints]]:
    """Distinct rows of several tables, and where each table's rows stand among them."""
    every = np.concatenate(tables)
    _, numbers = np.unique(every, return_inverse=True)  # small whole numbers, so that a row makes one
    key = np.zeros(len(every), dtype=np.int64)
    for column in numbers.reshape(every.shape).T:
        key = key * (int(numbers.max(initial=0)) + 1) + column
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    return every[first], np.split(inverse.ravel(), np.cumsum([len(t) for t in tables])[:-1])


def _cells_only(base: Inputs, rows: Floats, pairs: Floats, *, dual: bool) -> Inputs:
    """Inputs of the layers of all cells, on axes rows x pairs x (other schedules, DualPipe)."""
    tensor, sequence, context, micro = (column[:, None, None] for column in rows.T)
    kinds = np.array([0, DUALPIPE] if dual else [0])[None, None, :]
    changed = dataclasses.replace(
        base.layout, tensor=tensor, sequence_parallel=sequence, context=context, micro_batch=micro,
        expert=pairs[None, :, 0, None], expert_tensor=pairs[None, :, 1, None], schedule=kinds,
        pipeline=1.0, chunks=1.0, shard_group=1.0, zero=0.0, full_recompute=0.0, core_attention=0.0, mla_up=0.0,
        moe_activation=0.0, norm=0.0, mlp=0.0, attention=0.0, half_linears=0.0, all_but_linears=0.0,
    )  # fmt: skip
    return dataclasses.replace(base, layout=changed)
