"""Every strategy that fits, as columns: what a sweep writes out. Memory stays flat: one block at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.engine import memory
from planner.engine.constants import Constants
from planner.engine.inputs import SCHEDULES, SHARDINGS
from planner.engine.layout import groups
from planner.engine.search import Search, every_block
from planner.engine.search_space import Constraints, Floats, Space
from planner.engine.step import step
from planner.spec.plan import Resolved


@dataclass(frozen=True, slots=True)
class Table:
    """Strategies that fit, as columns of one length."""

    strategy: dict[str, Any]
    """Key of the strategy -> values."""
    step_time_s: Floats
    memory_gb: Floats


def feasible(
    resolved: Resolved, constraints: Constraints | None = None, constants: Constants | None = None
) -> Iterator[Table]:
    """All strategies that fit, a block at a time, in the order of the space.

    Args:
        resolved: the plan.
        constraints: what may not change.
        constants: other than the calibrated ones.

    Raises:
        PlanError: no strategy can make the plan possible.
    """
    run = Search(Space(resolved, constraints), 1, constants)
    schedules, shardings = np.array(SCHEDULES), np.array(SHARDINGS)
    for grid in run.grids:
        kinds = np.array([way.kind for way in grid.again])
        modules = np.array([" ".join(way.modules) for way in grid.again])
        layers = np.array([way.layers for way in grid.again])
        for index, there in every_block(grid):
            x = grid.inputs(*index, again=True)
            shape = np.broadcast_shapes(*(part.shape for part in index), (len(grid.again),))
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                used = np.broadcast_to(memory.most_bytes(x, groups(x), run.c), shape)
                at = np.nonzero((used <= run.capacity) & there)
                if not len(at[0]):
                    continue
                seconds = np.broadcast_to(step(x, run.c).total, shape)[at]
            row, pair, chunk, shard = (np.broadcast_to(part, shape)[at] for part in index)
            rows = grid.slice.rows[row]
            yield Table(
                {
                    "tensor": rows[:, 0],
                    "sequence": rows[:, 1].astype(bool),
                    "context": rows[:, 2],
                    "pipeline": np.full(len(row), grid.slice.pipeline),
                    "virtual_stages": grid.chunks[chunk, 0],
                    "expert": grid.slice.experts[pair, 0],
                    "expert_tensor": grid.slice.experts[pair, 1],
                    "micro_batch": rows[:, 3],
                    "schedule": schedules[grid.chunks[chunk, 1]],
                    "sharding": shardings[grid.sharding[shard, 0]],
                    "shard_group": grid.sharding[shard, 1],
                    "recompute": kinds[at[-1]],
                    "recompute_modules": modules[at[-1]],
                    "recompute_layers": layers[at[-1]],
                },
                seconds,
                used[at] / 1e9,
            )
