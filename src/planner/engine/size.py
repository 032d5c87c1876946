"""Which cluster meets a deadline: card kinds and counts, each with the best strategy found by `search`."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from planner.engine.estimate import evaluate
from planner.engine.run import SECONDS_PER_DAY
from planner.engine.search import search
from planner.spec.base import PlanError
from planner.spec.plan import Resolved, Strategy

LARGEST = 262_144
"""Cards of the largest cluster tried."""
BEYOND = 4
"""Counts are tried up to so many times the first that meets the deadline: a larger cluster can be cheaper."""
PARTS = 8
"""Counts tried between the last that misses the deadline and the first that meets it."""

Make = Callable[[str, int], Resolved]
"""The plan on so many cards of a kind (a catalogue id)."""


@dataclass(frozen=True, slots=True)
class Size:
    """A cluster that meets the deadline."""

    card: str
    cards: int
    training_days: float
    cost_usd: float
    power_mw: float
    strategy: Strategy


@dataclass(frozen=True, slots=True)
class SizeResult:
    """Clusters that meet the deadline, fewest cards first."""

    results: tuple[Size, ...]
    searched: int
    """Strategies searched on all clusters."""
    tried: tuple[tuple[str, int], ...]
    """Clusters searched; between them nothing is claimed."""
    seconds: float

    @property
    def cheapest(self) -> Size | None:
        """The one that costs least; None: none meets the deadline."""
        return min(self.results, key=lambda one: (one.cost_usd, one.cards), default=None)


def size(
    make: Make,
    cards: Iterable[str],
    within_days: float,
    counts: Sequence[int] = (),
    tried: Callable[[str, int], None] | None = None,
) -> SizeResult:
    """Search clusters that train within a deadline.

    Counts are whole nodes, doubling with a step in between (1, 2, 3, 4, 6, 8, 12, ... nodes), up to four times the
    first that meets the deadline; then so many counts between the last that misses and the first that meets it.

    Args:
        make: gives the plan on a number of cards of a kind; its tokens and global batch never change.
        cards: catalogue ids of the cards to try.
        within_days: the deadline.
        counts: numbers of cards to try instead.
        tried: called before each cluster is searched.

    Raises:
        PlanError: a card is unknown, or no count makes the plan possible for a reason other than its layout.
    """
    start = time.perf_counter()
    every: dict[tuple[str, int], Size | None] = {}
    searched = 0
    for card in cards:
        found = _Card(make, card, within_days, every, tried or (lambda _card, _count: None))
        found.run(counts)
        searched += found.searched
    met = [one for one in every.values() if one is not None and one.training_days <= within_days]
    met.sort(key=lambda one: (one.cards, one.cost_usd))
    return SizeResult(tuple(met), searched, tuple(every), time.perf_counter() - start)


@dataclass
class _Card:
    make: Make
    card: str
    within_days: float
    every: dict[tuple[str, int], Size | None]
    tried: Callable[[str, int], None]
    searched: int = 0

    def run(self, counts: Sequence[int]) -> None:
        if counts:
            for count in counts:
                self._meets(count)
            return
        missed, node = 0, self.make(self.card, 1).cards_per_node
        first = 0
        for count in _counts(node):
            if first and count > BEYOND * first:
                break
            if self._too_few(count):
                missed = count
            elif self._meets(count):
                first = first or count
            elif not first:
                missed = count
        step = max((first - missed) // PARTS // node, 1) * node
        for count in range(missed + step, first, step):
            if self._meets(count):
                return

    def _too_few(self, count: int) -> bool:
        """At its peak the card would still be late."""
        r = self.make(self.card, count)
        rates = (*(rate for _, rate in r.card.peak_tflops), r.card.measured.gemm_under_load_tflops)
        flops = 6.0 * _matrix_params(r) * r.plan.workload.tokens
        return bool(flops > self.within_days * SECONDS_PER_DAY * count * 1e12 * max(rates))

    def _meets(self, count: int) -> bool:
        if (self.card, count) in self.every:
            known = self.every[self.card, count]
            return known is not None and known.training_days <= self.within_days
        self.tried(self.card, count)
        r = self.make(self.card, count)
        result = search(r, 1)
        self.searched += result.searched
        self.every[self.card, count] = None
        if not result.ranked:
            return False
        try:
            e = evaluate(dataclasses.replace(r, strategy=result.ranked[0].strategy)).estimate
        except PlanError:
            return False
        chosen = result.ranked[0].strategy
        one = Size(self.card, count, float(e.training_days), float(e.cost_usd), float(e.power_mw), chosen)
        self.every[self.card, count] = one
        return one.training_days <= self.within_days


def _matrix_params(r: Resolved) -> float:
    """Parameters every token is multiplied with at the least: active ones without both embeddings."""
    return max(r.model.active_params - 2.0 * r.model.vocab * r.model.hidden, 0.0)


def _counts(node: int) -> Iterator[int]:
    """Whole nodes: 1, 2, 3, 4, 6, 8, 12, 16, ..."""
    nodes = 1
    while nodes * node <= LARGEST:
        yield nodes * node
        if nodes > 1 and nodes * node * 3 // 2 <= LARGEST:
            yield nodes * node * 3 // 2
        nodes *= 2
