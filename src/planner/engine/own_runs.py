"""A user's own runs: how much slower or faster their stack is than the engine says, and how surely."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from planner.engine.uncertainty import OWN_RUNS
from planner.spec.base import PlanError, Problem
from planner.spec.stack import Stack, StackFactor

LEAST_FACTOR, MOST_FACTOR = 0.1, 10.0
"""Beyond these a measured step has another unit, card or layout than the row says."""
MOST_SPREAD = 0.7
"""Spread of a factor's logarithm, a factor of two either way, above which the runs tell of several softwares."""


def factor_of(measured: Sequence[float], predicted: Sequence[float]) -> StackFactor:
    """The factor that brings predictions onto measurements, with the spread that is left.

    The median of measured over predicted; the spread is the standard deviation of its logarithm over the runs,
    widened by the factor's own uncertainty, 1 / sqrt(runs).

    Args:
        measured: step times, s.
        predicted: the engine's for the same runs, without any factor, s.

    Raises:
        PlanError: fewer than three runs, a factor no software has, or runs that contradict each other.
    """
    if len(measured) < OWN_RUNS:
        message = f"a stack's factor needs at least {OWN_RUNS} runs, and {len(measured)} can be used."
        raise PlanError([Problem("error", "run", message, "Measure layouts that differ: the factor stands for all.")])
    ratios = [m / p for m, p in zip(measured, predicted, strict=True)]
    factor = statistics.median(ratios)
    if not LEAST_FACTOR <= factor <= MOST_FACTOR:
        message = f"the runs take {factor:.3g} times what the engine says: no software is so far off."
        raise PlanError([Problem("error", "run", message, "Look at the units, the cards and the layout.")])
    spread = statistics.stdev(math.log(ratio) for ratio in ratios) * math.sqrt(1.0 + 1.0 / len(ratios))
    if spread > MOST_SPREAD:
        message = (
            f"the runs take {min(ratios):.3g} to {max(ratios):.3g} times what the engine says: no one factor fits."
        )
        raise PlanError([Problem("error", "run", message, "Mark what went wrong with `anomaly`, or split the runs.")])
    return StackFactor(step_time=round(factor, 4), spread=round(spread, 4), runs=len(ratios))


def without_factor(stack: Stack) -> Stack:
    """The stack as the catalogue has it: what a new factor is measured against."""
    return stack.model_copy(update={"factor": StackFactor()})
