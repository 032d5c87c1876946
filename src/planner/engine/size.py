"""Which cluster meets a deadline: card kinds and counts, each with the best strategy found by `search`."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from planner.engine.estimate import evaluate
from planner.engine.run import SECONDS_PER_DAY
from planner.engine.search import search
from planner.spec.base import PlanError, Problem
from planner.spec.plan import Resolved, Strategy

LARGEST = 262_144
"""Cards of the largest cluster tried."""
BEYOND = 4
"""Counts are tried up to so many times the first that meets the deadline: a larger cluster can be cheaper."""
PARTS = 8
"""Counts tried between the last that misses the deadline and the first that meets it,"""
FINER = 2
"""and how often, closer each time."""

Make = Callable[[str, int], Resolved]
"""The plan on so many cards of a kind (a catalogue id)."""


@dataclass(frozen=True, slots=True)
class Size:
    """A cluster with its best strategy."""

    card: str
    cards: int
    training_days: float
    cost_usd: float
    """0 where the price is unknown."""
    power_mw: float
    strategy: Strategy
    priced: bool = True
    """A price is known."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A cluster that was searched."""

    card: str
    cards: int
    size: Size | None
    """None: no strategy is valid there and fits."""
    why: str = ""
    """Why there is none."""


@dataclass(frozen=True, slots=True)
class SizeResult:
    """Clusters that meet the deadline, fewest cards first."""

    results: tuple[Size, ...]
    searched: int
    """Strategies searched on all clusters."""
    tried: tuple[Tried, ...]
    """Clusters searched; between them nothing is claimed."""
    at_peak_days: dict[str, float]
    """Of cards of which not even the largest cluster could meet the deadline: its days if each card ran at its peak."""
    refused: dict[str, str]
    """Of cards that cannot run the plan at all: why."""
    seconds: float

    @property
    def cheapest(self) -> Size | None:
        """The one that costs least; None: none meets the deadline, or no price is known."""
        priced = [one for one in self.results if one.priced]
        return min(priced, key=lambda one: (one.cost_usd, one.cards), default=None)

    @property
    def quickest(self) -> Size | None:
        """Of all that were tried, the one that takes the fewest days; None: nothing fits on any."""
        fit = [one.size for one in self.tried if one.size is not None]
        return min(fit, key=lambda one: (one.training_days, one.cards), default=None)

    def below(self, size: Size) -> Tried | None:
        """The next smaller cluster of the same card that was tried."""
        fewer = [one for one in self.tried if one.card == size.card and one.cards < size.cards]
        return max(fewer, key=lambda one: one.cards, default=None)


def size(
    make: Make,
    cards: Iterable[str],
    within_days: float,
    counts: Sequence[int] = (),
    tried: Callable[[str, int], None] | None = None,
) -> SizeResult:
    """Search clusters that train within a deadline.

    Counts are whole nodes, doubling with a step in between (1, 2, 3, 4, 6, 8, 12, ... nodes), up to four times the
    first that meets the deadline; then counts between the last that misses and the first that meets it, in eighths of
    the gap, and in eighths of what is left of it.

    Args:
        make: gives the plan on a number of cards of a kind; its tokens and global batch never change.
        cards: catalogue ids of the cards to try.
        within_days: the deadline.
        counts: numbers of cards to try instead.
        tried: called before each cluster is searched.

    Raises:
        PlanError: a card is unknown, or no card can run the plan whatever its layout.
    """
    start = time.perf_counter()
    found = [_Card(make, card, within_days, tried or (lambda _card, _count: None)) for card in cards]
    refused: dict[str, PlanError] = {}
    for one in found:
        try:
            one.run(counts)
        except PlanError as error:
            refused[one.card] = error
    if len(refused) == len(found):
        raise next(iter(refused.values()))
    every = [tried for one in found for tried in one.every.values()]
    met = [one.size for one in every if one.size is not None and one.size.training_days <= within_days]
    met.sort(key=lambda one: (one.cards, one.cost_usd))
    return SizeResult(
        results=tuple(met),
        searched=sum(one.searched for one in found),
        tried=tuple(every),
        at_peak_days={one.card: one.late_days for one in found if one.late_days},
        refused={card: error.problems[0].message for card, error in refused.items()},
        seconds=time.perf_counter() - start,
    )


@dataclass
class _Card:
    make: Make
    card: str
    within_days: float
    tried: Callable[[str, int], None]
    every: dict[int, Tried] = field(default_factory=dict)
    searched: int = 0
    late_days: float = 0.0

    def run(self, counts: Sequence[int]) -> None:
        """Try every count given, or find them.

        Raises:
            PlanError: the card cannot run the plan whatever its number.
        """
        if counts:
            for count in counts:
                self._meets(count)
            return
        missed, node = 0, self.make(self.card, 1).cards_per_node
        if node > LARGEST:
            message = f"a node of {node:,} cards is more than the largest cluster that is tried, {LARGEST:,} cards."
            fix = "Give the numbers of cards to try."
            raise PlanError([Problem("error", "cluster.cards_per_node", message, fix)])
        first = count = 0
        for count in _counts(node):
            if first and count > BEYOND * first:
                break
            if self._peak_days(count) > self.within_days:
                missed = count
            elif self._meets(count):
                first = first or count
            elif not first:
                missed = count
        if missed == count:  # the largest
            self.late_days = self._peak_days(count) if count not in self.every else 0.0
        for _ in range(FINER):
            missed, first = self._between(missed, first, node)

    def _between(self, missed: int, first: int, node: int) -> tuple[int, int]:
        """Counts between one that misses and the first that meets: the same, closer to each other."""
        step = max((first - missed) // PARTS // node, 1) * node
        for count in range(missed + step, first, step):
            if self._meets(count):
                return count - step, count
        return max(missed, first - step), first

    def _peak_days(self, count: int) -> float:
        """Days if every card did all the time what it can do at its peak."""
        r = self.make(self.card, count)
        rates = (*(rate for _, rate in r.card.peak_tflops), r.card.measured.gemm_under_load_tflops)
        flops = 6.0 * _matrix_params(r) * r.plan.workload.tokens
        return float(flops / (SECONDS_PER_DAY * count * 1e12 * max(rates)))

    def _meets(self, count: int) -> bool:
        if count not in self.every:
            self.tried(self.card, count)
            self.every[count] = self._try(count)
        known = self.every[count].size
        return known is not None and known.training_days <= self.within_days

    def _try(self, count: int) -> Tried:
        r = self.make(self.card, count)
        try:
            result = search(r, 1)
            self.searched += result.searched
            if not result.ranked:
                why = "nothing fits" if result.searched else "no layout is valid"
                return Tried(self.card, count, None, why)
            chosen = result.ranked[0].strategy
            e = evaluate(dataclasses.replace(r, strategy=chosen)).estimate
        except PlanError as error:
            if error.problems[0].key.startswith("workload."):
                raise
            return Tried(self.card, count, None, error.problems[0].message.rstrip("."))
        one = Size(self.card, count, float(e.training_days), float(e.cost_usd), float(e.power_mw), chosen, r.priced)
        return Tried(self.card, count, one)


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
