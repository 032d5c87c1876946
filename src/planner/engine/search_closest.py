"""When nothing fits: the strategy that needs the least memory, by branch and bound as in `search`."""

from __future__ import annotations

import numpy as np

from planner.engine import memory
from planner.engine.constants import Constants
from planner.engine.found import Ranked
from planner.engine.layout import groups
from planner.engine.search import ELEMENTS, ROUNDING, SEED_CELLS, STRIDE, Search, lowest
from planner.engine.search_bounds import cell_bytes, least_bytes
from planner.engine.search_space import Constraints, Floats, Ints, Space
from planner.engine.step import step
from planner.spec.plan import Resolved


class _Least(Search):
    """The search for the least memory: bounds and values are bytes."""

    def least(self) -> Ranked | None:
        """The strategy with the least memory on its fullest stage; the faster of equals."""
        self.place: list[int] = []
        self.seconds = np.inf
        if self.grids:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                self._every_cell()
        if not self.place:
            return None
        number, *rest = self.place
        return Ranked(self.space.strategy(number, *rest), self.seconds, self.limit / 1e9)

    def _every_cell(self) -> None:
        bounds = []
        for grid in self.grids:
            most = cell_bytes(grid, self.c).total
            there = grid.slice.shares[:, None, :] & (grid.slice.row_counts > 0)[:, None, None]
            bounds.append(np.where(there, most, np.inf).min(axis=2).ravel())
        ends = np.cumsum([len(bound) for bound in bounds])
        every = np.concatenate(bounds) * (1.0 - ROUNDING)
        size = SEED_CELLS
        while len(rest := np.flatnonzero(every <= self.limit * (1.0 - 2.0 * ROUNDING))):
            rest = rest[lowest(every[rest], size)]
            for number in range(len(self.grids)):
                start = ends[number - 1] if number else 0
                local = rest[(rest >= start) & (rest < ends[number])] - start
                self._slice_cells(number, local)
            every[rest] = np.inf
            size = STRIDE

    def _slice_cells(self, number: int, cells: Ints) -> None:
        grid = self.grids[number]
        row, pair = np.divmod(cells, len(grid.experts))
        count = max(1, ELEMENTS // (len(grid.chunks) * len(grid.sharding)))
        chunk, shard = np.arange(len(grid.chunks))[None, :, None], np.arange(len(grid.sharding))[None, None, :]
        for at in range(0, len(row), count):
            r, e = row[at : at + count], pair[at : at + count]
            there = grid.slice.allowed[r][:, :, None] & grid.slice.shares[r][:, None, :]
            x = grid.inputs(r[:, None, None], e[:, None, None], chunk, shard)
            least = np.broadcast_to(least_bytes(x, self.c), there.shape)
            chosen = np.flatnonzero(there & (least * (1.0 - ROUNDING) <= self.limit))
            chosen = chosen[np.argsort(least.ravel()[chosen], kind="stable")]
            cell, k, z = np.unravel_index(chosen, there.shape)
            self._rows(number, np.stack([r[cell], e[cell], k, z], axis=1), least.ravel()[chosen])

    def _level3(self, number: int, index: tuple[Ints, ...]) -> None:
        """Every recomputation of some rows; keeps the one with the least memory."""
        grid = self.grids[number]
        x = grid.inputs(*index, again=True)
        shape = np.broadcast_shapes(*(part.shape for part in index), (len(grid.again),))
        used: Floats = np.broadcast_to(memory.most_bytes(x, groups(x), self.c), shape)
        if used.min() > self.limit:
            return
        equal = used <= used.min() * (1.0 + ROUNDING)
        seconds = np.where(equal, np.broadcast_to(step(x, self.c).total, shape), np.inf)
        at = np.unravel_index(int(np.argmin(seconds)), shape)
        if used[at] < self.limit * (1.0 - ROUNDING) or seconds[at] < self.seconds:
            self.limit, self.seconds = float(used[at]), float(seconds[at])
            self.place = [number, *(int(np.broadcast_to(part, shape)[at]) for part in index), int(at[-1])]


def closest(
    resolved: Resolved, constraints: Constraints | None = None, constants: Constants | None = None
) -> Ranked | None:
    """The strategy that needs the least memory, whether it fits or not; None: there is no valid strategy."""
    return _Least(Space(resolved, constraints), 1, constants).least()
