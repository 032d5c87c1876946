"""The best strategies of a cluster, from all valid ones.

Branch and bound over the complete space of `search_space`: a group of strategies is set aside only when a lower bound
of its step time is above the slowest strategy still ranked, or a lower bound of its memory above what a card has. What
is left is evaluated by `step()` and `memory.most_bytes()`, the functions behind every estimate, on broadcast axes.
Three levels, each on fewer groups than the one above:

1. cells (tensor, sequence, context, micro batch) x (expert, expert tensor): the layers' time if no card ever waited;
   state (weights, gradients, optimizer) and the inputs of the layers alone;
2. rows, cells x (virtual stages, schedule) x sharding: the step without recomputation, and the memory if every layer
   were recomputed for nothing;
3. rows x recomputation: everything.

With `exhaustive` nothing is bounded: every strategy is evaluated, and `feasible` counts all that fit.

Ties (step times equal to 12 digits) go to the simpler layout: less tensor, context, pipeline, expert tensor and expert
parallelism, fewer virtual stages, no sequence parallelism, less recomputation, the lower ZeRO stage, the plainer
schedule (1f1b, interleaved, zero-bubble, dualpipe, gpipe), the smaller micro batch, in this order.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from planner.engine import memory
from planner.engine.constants import Constants, calibrated
from planner.engine.found import Ranked, Region, SearchResult
from planner.engine.inputs import DUALPIPE, GPIPE, INTERLEAVED, ONE_F_ONE_B, ZERO_BUBBLE, Inputs
from planner.engine.layout import groups
from planner.engine.reading import inputs_of
from planner.engine.search_bounds import cell_bytes, layer_bounds, least_bytes, least_seconds
from planner.engine.search_grid import Grid, block, block_count
from planner.engine.search_space import Constraints, Floats, Ints, Space
from planner.engine.step import step
from planner.spec.plan import Resolved

ROUNDING = 1e-9
"""Bounds and values come from different sums: relative difference below which they count as equal."""
PLAINER = (ONE_F_ONE_B, INTERLEAVED, ZERO_BUBBLE, DUALPIPE, GPIPE)
"""Schedules, the plainest first; GPipe last, since 1f1b is as quick and holds less."""
ELEMENTS = 1 << 16
"""Strategies evaluated at once: arrays that stay in a core's cache."""
SEED_CELLS = 64
"""Cells looked at first, to have something to compare with."""
STRIDE = 4096
"""Cells bounded at once."""


@dataclass
class _Found:
    """Feasible strategies by place: six indices (see `Space.strategy`), seconds and bytes."""

    places: Ints = field(default_factory=lambda: np.zeros((0, 6), dtype=np.int64))
    seconds: Floats = field(default_factory=lambda: np.zeros(0))
    bytes: Floats = field(default_factory=lambda: np.zeros(0))

    def add(self, places: Ints, seconds: Floats, used: Floats) -> None:
        self.places = np.concatenate([self.places, places])
        self.seconds = np.concatenate([self.seconds, seconds])
        self.bytes = np.concatenate([self.bytes, used])

    def keep(self, chosen: NDArray[np.bool_] | Ints) -> None:
        self.places, self.seconds, self.bytes = self.places[chosen], self.seconds[chosen], self.bytes[chosen]


class Search:
    """One search; `run` does it."""

    def __init__(
        self, space: Space, top: int, constants: Constants | None = None, *, exhaustive: bool = False,
        between: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        self.space = space
        self.between = between or (lambda: None)
        self.top = top
        self.exhaustive = exhaustive
        self.c = constants or calibrated()
        self.base: Inputs = inputs_of(space.resolved)
        self.grids = [Grid(one, self.base) for one in space.slices]
        headroom = 1.0 - space.constraints.headroom
        self.capacity = self.c.usable * self.base.machine.memory_bytes * headroom
        self.best, self.front = _Found(), _Found()
        self.limit = np.inf
        self.evaluated = self.too_large = self.feasible = 0
        self.regions: list[Region] = []

    def run(self) -> SearchResult:
        """Search."""
        start = time.perf_counter()
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            if self.exhaustive:
                for number, grid in enumerate(self.grids):
                    for at in range(block_count(grid)):
                        self._evaluate(number, *block(grid, at))
            elif self.grids:
                self._bounded()
        self._sort()
        seconds = time.perf_counter() - start
        return SearchResult(
            searched=self.space.count,
            evaluated=self.evaluated,
            too_large=self.too_large,
            feasible=self.feasible,
            slower=self.space.count - self.too_large - self.feasible,
            exhaustive=self.exhaustive,
            seconds=seconds,
            ranked=self._ranked(self.best),
            front=self._ranked(self.front),
            regions=tuple(self.regions),
            capacity_bytes=self.capacity,
        )

    def _bounded(self) -> None:
        """Cells from the lowest bound up, until the bound is above the slowest strategy ranked."""
        fits = [self._fits(grid) for grid in self.grids]
        rows = [np.asarray(fit.any(axis=(1, 2))) for fit in fits]
        bounds = layer_bounds(self.base, self.grids, rows, self.c)
        ends = np.cumsum([bound.size for bound in bounds])
        some = np.concatenate([fit.any(axis=2).ravel() for fit in fits])
        every = np.where(some, np.concatenate([bound.ravel() for bound in bounds]) * (1.0 - ROUNDING), np.inf)
        own = int(np.searchsorted([grid.pipeline for grid in self.grids], self.base.layout.pipeline))
        own = min(own, len(self.grids) - 1)  # where the user is: likely a good place to start
        mine = np.arange(ends[own] - bounds[own].size, ends[own])
        rest = mine[lowest(every[mine], SEED_CELLS)]
        rest = rest[np.isfinite(every[rest])]
        while True:
            self._cells(rest, ends, fits)
            every[rest] = np.inf
            if not len(rest := np.flatnonzero(every < self.limit)):
                return
            rest = rest[lowest(every[rest], STRIDE)]

    def _fits(self, grid: Grid) -> NDArray[np.bool_]:
        """(rows, experts, sharding): the least the cell holds leaves it a chance; counts what has none."""
        self.between()
        cells = cell_bytes(grid, self.c)
        fits = cells.fits(self.capacity * (1.0 + ROUNDING)) & grid.slice.shares[:, None, :]
        least, stage = cells.least()
        per_row = grid.slice.allowed.sum(axis=1) * len(grid.again)
        left = np.count_nonzero(fits, axis=1)
        for z, (zero, group) in enumerate(grid.slice.sharding):
            asked = per_row * grid.slice.shares[:, z]
            count = int(asked.sum()) * len(grid.experts)
            lost = count - int((asked * left[:, z]).sum())
            over = float(least[z] - self.capacity) / 1e9
            self.regions.append(Region(grid.slice.pipeline, int(zero), int(group), count, lost, over, int(stage[z])))
            self.too_large += lost
        return fits

    def _cells(self, cells: Ints, ends: Ints, fits: list[NDArray[np.bool_]]) -> None:
        """Levels 2 and 3 of cells, given as places in the concatenated slices."""
        cells = np.sort(cells)
        cuts = np.searchsorted(cells, ends)
        start = 0
        for number, stop in enumerate(cuts):
            if stop > start:
                grid = self.grids[number]
                local = cells[start:stop] - (ends[number - 1] if number else 0)
                row, pair = np.divmod(local, len(grid.experts))
                step_ = max(1, ELEMENTS // (len(grid.chunks) * len(grid.sharding)))
                found = [
                    self._level2(number, row[at : at + step_], pair[at : at + step_], fits[number])
                    for at in range(0, len(row), step_)
                ]
                rows = np.concatenate([rows for rows, _ in found])
                order = np.argsort(np.concatenate([bound for _, bound in found]), kind="stable")
                bound = np.concatenate([bound for _, bound in found])[order]
                self._rows(number, rows[order], bound)
            start = stop

    def _level2(self, number: int, row: Ints, pair: Ints, fits: NDArray[np.bool_]) -> tuple[Ints, Floats]:
        """Rows (row, pair, chunk, shard) of cells that may rank, with their least seconds."""
        self.between()
        grid = self.grids[number]
        shape = (len(row), len(grid.chunks), len(grid.sharding))
        chunk, shard = np.arange(shape[1])[None, :, None], np.arange(shape[2])[None, None, :]
        x = grid.inputs(row[:, None, None], pair[:, None, None], chunk, shard)
        least = least_seconds(x, self.c)
        there = grid.slice.allowed[row][:, :, None] & fits[row, pair][:, None, :]
        chosen = np.flatnonzero(there & (least * (1.0 - ROUNDING) < self.limit))
        cell, chunk, shard = np.unravel_index(chosen, shape)
        rows = np.stack([row[cell], pair[cell], chunk, shard], axis=1)
        least = np.broadcast_to(least, shape).ravel()[chosen]
        if not len(rows):
            return rows, least
        x = grid.inputs(*rows.T)
        room = least_bytes(x, self.c) * (1.0 - ROUNDING) <= self.capacity
        self.too_large += int((~room).sum()) * len(grid.again)
        return rows[room], least[room]

    def _rows(self, number: int, rows: Ints, bound: Floats) -> None:
        """Level 3 of rows in order of their bounds, until the bound says the rest is slower."""
        size = max(1, ELEMENTS // len(self.grids[number].again))
        for start in range(0, len(rows), size):
            if bound[start] * (1.0 - ROUNDING) > self.limit:
                return
            self._level3(number, tuple(column[:, None] for column in rows[start : start + size].T))

    def _level3(self, number: int, index: tuple[Ints, ...]) -> None:
        """Every recomputation of some rows that may rank."""
        self._evaluate(number, index)

    def _evaluate(self, number: int, index: tuple[Ints, ...], there: NDArray[np.bool_] | None = None) -> None:
        """Every recomputation of some rows: memory first, then the step where any fits.

        Args:
            number: the slice.
            index: row, pair, chunk and shard, on axes that broadcast; the last axis is left to recomputation.
            there: which of them exist; None: all.
        """
        self.between()
        grid = self.grids[number]
        x = grid.inputs(*index, again=True)
        shape = np.broadcast_shapes(*(part.shape for part in index), (len(grid.again),))
        used = np.broadcast_to(memory.most_bytes(x, groups(x), self.c), shape)
        fits = used <= self.capacity
        if there is not None:
            fits &= there
        asked = fits.size if there is None else int(there.sum()) * len(grid.again)
        here = int(np.count_nonzero(fits))
        self.evaluated += asked
        self.feasible += here
        self.too_large += asked - here
        if here:
            some = fits.any(axis=-1)
            if there is None and not some.all():  # one axis of rows: those without any need no step time
                index = tuple(part[some] for part in index)
                used, fits = used[some], fits[some]
                x = grid.inputs(*index, again=True)
            seconds = np.broadcast_to(step(x, self.c).total, used.shape)
            self._record(number, index, np.where(fits, seconds, np.inf), used)

    def _record(self, number: int, index: tuple[Ints, ...], seconds: Floats, used: Floats) -> None:
        shape = seconds.shape
        flat, used_flat = seconds.ravel(), used.ravel()
        better = np.flatnonzero(flat <= self.limit)
        if self.top and len(better) > self.top:
            cut = np.partition(flat[better], self.top - 1)[self.top - 1]
            better = better[flat[better] <= cut * (1.0 + ROUNDING)]
        better = better[np.isfinite(flat[better])]
        self.best.add(_places(number, index, better, shape), flat[better], used_flat[better])
        if len(self.best.seconds) > self.top:
            cut = np.partition(self.best.seconds, self.top - 1)[self.top - 1]
            self.limit = float(cut * (1.0 + ROUNDING))
            self.best.keep(self.best.seconds <= self.limit)
        bar = self._front_bytes(np.array([flat.min()]))[0]  # nothing here can be on the front above it
        lower = np.flatnonzero((used_flat < bar) & np.isfinite(flat))
        lower = lower[used_flat[lower] < self._front_bytes(flat[lower])]
        if len(lower):
            lower = lower[_pareto(flat[lower], used_flat[lower])]
            self.front.add(_places(number, index, lower, shape), flat[lower], used_flat[lower])
            self.front.keep(_pareto(self.front.seconds, self.front.bytes))

    def _front_bytes(self, seconds: Floats) -> Floats:
        """Least bytes among strategies of the front that are at least as fast."""
        if not len(self.front.seconds):
            return np.full(seconds.shape, np.inf)
        place = np.searchsorted(self.front.seconds, seconds, side="right") - 1
        return np.where(place >= 0, self.front.bytes[np.maximum(place, 0)], np.inf)

    def _sort(self) -> None:
        if not len(self.best.seconds):
            return
        digits = np.array([float(f"{value:.12g}") for value in self.best.seconds])
        keys = np.array([self._plainness(place) for place in self.best.places]).T
        order = np.lexsort((*keys[::-1], digits))
        self.best.keep(order[: self.top])

    def _plainness(self, place: Ints) -> tuple[int, ...]:
        number, row, pair, chunk, shard, again = (int(i) for i in place)
        one = self.space.slices[number]
        tensor, sequence, context, micro = (int(v) for v in one.rows[row])
        expert, expert_tensor = (int(v) for v in one.experts[pair])
        virtual, schedule = (int(v) for v in one.chunks[chunk])
        parallel = (tensor, context, one.pipeline, expert_tensor, expert, virtual, sequence)
        return (*parallel, again, int(one.sharding[shard, 0]), PLAINER.index(schedule), micro)

    def _ranked(self, found: _Found) -> tuple[Ranked, ...]:
        rows = zip(found.places, found.seconds, found.bytes, strict=True)
        return tuple(Ranked(self.space.strategy(*(int(i) for i in at)), float(s), float(b) / 1e9) for at, s, b in rows)


def search(
    resolved: Resolved,
    top: int = 10,
    constraints: Constraints | None = None,
    constants: Constants | None = None,
    *,
    exhaustive: bool = False,
    between: Callable[[], None] | None = None,
    within_s: float = np.inf,
) -> SearchResult:
    """Rank the strategies of a plan's cluster and workload.

    On one cluster training days, cost and energy all grow with the step time and with nothing else a strategy decides,
    so the ranking is the same by each of them.

    Args:
        resolved: the plan; tokens and global batch stay as they are.
        top: strategies to rank.
        constraints: what may not change.
        constants: other than the calibrated ones.
        exhaustive: evaluate everything, bound nothing.
        between: called every few milliseconds; what it raises ends the search.
        within_s: step time, s, above which a strategy need not be ranked: that of one known to fit.

    Raises:
        PlanError: no strategy can make the plan possible.
    """
    start = time.perf_counter()
    asked = Search(Space(resolved, constraints), top, constants, exhaustive=exhaustive, between=between)
    asked.limit = within_s * (1.0 + ROUNDING)
    return dataclasses.replace(asked.run(), seconds=time.perf_counter() - start)


def lowest(values: Floats, count: int) -> Ints:
    """Places of the lowest values, in no order."""
    return np.argpartition(values, count)[:count] if len(values) > count else np.arange(len(values))


def _places(number: int, index: tuple[Ints, ...], flat: Ints, shape: tuple[int, ...]) -> Ints:
    """Places (see `Space.strategy`) of elements of a flattened grid."""
    at = np.unravel_index(flat, shape)
    columns = [np.broadcast_to(part, shape)[at] for part in index]
    return np.stack([np.full(len(flat), number), *columns, at[-1]], axis=1)


def _pareto(seconds: Floats, used: Floats) -> Ints:
    """Places of the points no other beats in both, fastest first."""
    order = np.lexsort((used, seconds))
    best = np.minimum.accumulate(used[order])
    first = np.concatenate([[True], best[1:] < best[:-1]])
    return np.asarray(order[first])
