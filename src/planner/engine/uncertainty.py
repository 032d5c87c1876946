"""Ranges, from how wrong the engine was on measured runs of source families it was not fitted on.

`held_out.csv` (written by the calibration) holds one row a measured run: what kind of run it was, and the logarithm of
predicted over measured step time when its family was left out of the fit. A plan's range is the 80 % quantile of those
errors, nearer runs counting more, wider where little is near.
"""

from __future__ import annotations

import csv
import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate
from operator import mul
from pathlib import Path

from planner.engine.constants import calibrated
from planner.engine.inputs import Inputs
from planner.engine.num import Num, log2, where
from planner.spec.plan import Resolved

Place = tuple[float, ...]
"""A run's features, in the order of FEATURES."""

FEATURES = ("architecture", "moe", "hybrid", "software", "bits", "log2_cards", "log2_sequence")
"""What makes two runs alike. `software`: 0 public, 1 in-house, 2 XLA; `bits`: of the linears' operands."""
LEAST_WIDTH = 0.05
"""Least half-width in log step time: NVIDIA accepts a spread of 5 % between installations that run one recipe."""
UNKNOWN_WIDTH = 0.18
"""Half-width where nothing like the plan was measured: the held-out 80 % error of a source on unknown software."""
ALIKE = 0.5
"""From this similarity on a measured run counts as like a plan."""
OWN_RUNS = 3
"""Runs of a user's own that a stack's factor needs, and from which its measured spread replaces the general one: two
fix a line, the third shows whether it holds."""


@dataclass(frozen=True, slots=True)
class Spread:
    """An 80 % range as factors on the step time, and the measured runs behind it."""

    low: float
    high: float
    runs: int


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A measured run like a plan."""

    id: str
    family: str
    similarity: float
    """1: the same kind of run; falls to 0 with distance."""
    error: float
    """Predicted over measured step time, minus one, with its family left out of the fit."""


@dataclass(frozen=True, slots=True)
class Error:
    """What the engine was wrong by on a measured run, with the run's family left out of the fit."""

    id: str
    family: str
    place: Place
    log: float
    """Predicted over measured step time, as a logarithm."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Measured runs with their held-out errors, the smallest error first."""

    errors: tuple[Error, ...]
    places: tuple[Place, ...]
    """The different ones: many runs differ in nothing that counts."""
    at: tuple[int, ...]
    """Which of the places a run has."""
    share: tuple[float, ...]
    """Weight of a run: one over the root of its family's size, so that no family dominates."""

    @classmethod
    def of(cls, errors: Iterable[Error]) -> HeldOut:
        """The table of some errors."""
        rows = sorted(errors, key=lambda row: abs(row.log))
        sizes = Counter(row.family for row in rows)
        places = {place: index for index, place in enumerate(dict.fromkeys(row.place for row in rows))}
        return cls(
            tuple(rows), tuple(places), tuple(places[row.place] for row in rows),
            tuple(sizes[row.family] ** -0.5 for row in rows),
        )  # fmt: skip

    def near(self, here: Place) -> list[float]:
        """How alike each run is to one at a place, 1 to 0."""
        near = [similarity(here, other) for other in self.places]
        return [near[index] for index in self.at]


@cache
def held_out() -> HeldOut:
    """All measured runs of the calibration."""
    text = Path(__file__).with_name("held_out.csv").read_text(encoding="utf-8")
    rows = csv.reader(text.splitlines()[1:])
    return HeldOut.of(Error(row[0], row[1], tuple(map(float, row[2:-1])), float(row[-1])) for row in rows)


def features_of(x: Inputs) -> tuple[Num, ...]:
    """A plan's place among the measured runs, in the order of FEATURES: floats, or arrays for a batch of plans."""
    return (
        x.machine.architecture,
        where(x.shape.moe_layers > 0, 1.0, 0.0),
        where(x.shape.mamba_layers > 0, 1.0, 0.0),
        where(x.software.xla, 2.0, where(x.software.mature, 0.0, 1.0)),
        where(x.layout.four_bit, 4.0, where(x.layout.eight_bit, 8.0, 16.0)),
        log2(x.machine.cards),
        log2(x.layout.sequence),
    )


def similarity(here: Place, there: Place) -> float:
    """How alike two runs are, 1 to 0.

    Formula: exp(-d^2), where d has 1 for another architecture, 1.2 where one alone is a mixture of experts, 1.2 where
    one alone is a hybrid, 0.8 for another kind of software; 0.1 for each bit of precision, 0.12 for each doubling of
    the cards, 0.2 for each doubling of the sequence.
    """
    architecture, moe, hybrid, software, bits, cards, sequence = here
    architecture2, moe2, hybrid2, software2, bits2, cards2, sequence2 = there
    kinds = (
        1.0 * (architecture != architecture2) + 1.2 * (moe != moe2)
        + 1.2 * (hybrid != hybrid2) + 0.8 * (software != software2)
    )  # fmt: skip
    scales = 0.1 * abs(bits - bits2) + 0.12 * abs(cards - cards2) + 0.2 * abs(sequence - sequence2)
    return math.exp(-((kinds + scales) ** 2))


def reach(near: Sequence[float], table: HeldOut) -> float:
    """Half-width of the 80 % range in log step time, before scaling: the weighted 80 % quantile of held-out errors.

    Where the weight of alike runs is small, the range goes over to that of software nobody measured.
    """
    summed = list(accumulate(map(mul, near, table.share)))
    total = summed[-1]
    quantile = abs(table.errors[min(bisect_left(summed, 0.8 * total), len(summed) - 1)].log)
    known: float = total / (total + 1.0)
    return max(LEAST_WIDTH, quantile * known + max(quantile, UNKNOWN_WIDTH) * (1.0 - known))


@lru_cache(maxsize=1024)
def _around(here: Place) -> tuple[float, int]:
    """Half-width of the range of a plan at a place, before scaling, and how many runs are like it."""
    table = held_out()
    near = table.near(here)
    return reach(near, table), sum(one >= ALIKE for one in near)


def spread_of(resolved: Resolved, x: Inputs) -> Spread:
    """The range of a plan.

    Args:
        resolved: the plan.
        x: the same as numbers.
    """
    factor = resolved.stack.factor
    if factor.runs >= OWN_RUNS:
        width = 1.2816 * max(factor.spread, 0.02)
        return Spread(math.exp(-width), math.exp(width), factor.runs)
    half, runs = _around(features_of(x))
    width = calibrated().interval_scale * half
    if not resolved.stack.described and width < UNKNOWN_WIDTH:
        width, runs = UNKNOWN_WIDTH, 0
    return Spread(math.exp(-width), math.exp(width), runs)


def nearest(x: Inputs, count: int) -> tuple[Neighbour, ...]:
    """The measured runs most like a plan, nearest first.

    Args:
        x: the plan.
        count: how many.
    """
    table = held_out()
    near = table.near(features_of(x))
    order = sorted(range(len(near)), key=lambda index: -near[index])[:count]
    return tuple(
        Neighbour(table.errors[i].id, table.errors[i].family, near[i], math.expm1(table.errors[i].log)) for i in order
    )
