"""Every strategy that fits, as columns: what a sweep writes out. Memory stays flat: one block at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from planner.engine import memory
from planner.engine.inputs import SCHEDULES, SHARDINGS
from planner.engine.layout import groups
from planner.engine.search import Search
from planner.engine.search_grid import block, block_count
from planner.engine.search_space import Constraints, Floats, Ints, Space
from planner.engine.step import step
from planner.spec.plan import Resolved


@dataclass(frozen=True, eq=False)
class Coded:
    """A column of few distinct values: `values[code]` of each row. A byte a row where strings would take fifty."""

    values: Sequence[Any]
    codes: NDArray[np.integer[Any]]

    @classmethod
    def same(cls, value: object, count: int) -> Self:
        """One value in all rows."""
        return cls([value], np.zeros(count, dtype=np.int8))

    def __len__(self) -> int:
        """Rows."""
        return len(self.codes)

    def tolist(self) -> list[Any]:
        """The values, row by row."""
        return [self.values[code] for code in self.codes.tolist()]


@dataclass(frozen=True, slots=True)
class Table:
    """Strategies that fit, as columns of one length."""

    strategy: dict[str, Any]
    """Key of the strategy -> array or `Coded` column of values."""
    step_time_s: Floats
    memory_gb: Floats


class Blocks:
    """The strategies of a plan in numbered blocks, in the order of the space.

    Args:
        resolved: the plan.
        constraints: what may not change.

    Raises:
        PlanError: no strategy can make the plan possible.
    """

    def __init__(self, resolved: Resolved, constraints: Constraints | None = None) -> None:
        self.space = Space(resolved, constraints)
        self._search = Search(self.space, 1)
        self._ends = np.cumsum([block_count(grid) for grid in self._search.grids])

    def __len__(self) -> int:
        """Blocks."""
        return int(self._ends[-1]) if len(self._ends) else 0

    def tables(self) -> Iterator[Table]:
        """All strategies that fit."""
        for number in range(len(self)):
            if (table := self.table(number)) is not None:
                yield table

    def table(self, number: int) -> Table | None:
        """The strategies of a block that fit; None: none does."""
        at = int(np.searchsorted(self._ends, number, side="right"))
        grid, run = self._search.grids[at], self._search
        index, there = block(grid, number - (int(self._ends[at - 1]) if at else 0))
        x = grid.inputs(*index, again=True)
        shape = np.broadcast_shapes(*(part.shape for part in index), (len(grid.again),))
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            used = np.broadcast_to(memory.most_bytes(x, groups(x), run.c), shape)
            chosen = np.nonzero((used <= run.capacity) & there)
            if not len(chosen[0]):
                return None
            seconds = np.broadcast_to(step(x, run.c).total, shape)[chosen]
        row, pair, chunk, shard = (np.broadcast_to(part, shape)[chosen] for part in index)
        again, one = chosen[-1], grid.slice
        strategy = {
            "tensor": _short(one.rows[row, 0]),
            "sequence": one.rows[row, 1].astype(bool),
            "context": _short(one.rows[row, 2]),
            "pipeline": Coded.same(one.pipeline, len(row)),
            "virtual_stages": _short(one.chunks[chunk, 0]),
            "expert": _short(one.experts[pair, 0]),
            "expert_tensor": _short(one.experts[pair, 1]),
            "micro_batch": _short(one.rows[row, 3]),
            "schedule": Coded(SCHEDULES, one.chunks[chunk, 1].astype(np.int8)),
            "sharding": Coded(SHARDINGS, one.sharding[shard, 0].astype(np.int8)),
            "shard_group": _short(one.sharding[shard, 1]),
            "recompute": Coded([way.kind for way in one.again], again.astype(np.int16)),
            "recompute_modules": Coded([" ".join(way.modules) for way in one.again], again.astype(np.int16)),
            "recompute_layers": Coded([way.layers for way in one.again], again.astype(np.int16)),
        }
        return Table(strategy, seconds, used[chosen] / 1e9)


def _short(values: Ints) -> NDArray[np.int32]:
    return values.astype(np.int32)
