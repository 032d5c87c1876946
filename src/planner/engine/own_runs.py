"""A user's own runs: how much slower or faster their stack is than the engine says, and how surely."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from planner.spec.base import PlanError, Problem
from planner.spec.stack import Stack, StackFactor

LEAST = 3
"""Runs a factor needs: two fix a line, the third shows whether it holds."""


def factor_of(measured: Sequence[float], predicted: Sequence[float]) -> StackFactor:
    """The factor that brings predictions onto measurements, with the spread that is left.

    The median of measured over predicted; the spread is the standard deviation of its logarithm over the runs,
    widened by the factor's own uncertainty, 1 / sqrt(runs).

    Args:
        measured: step times, s.
        predicted: the engine's for the same runs, without any factor, s.

    Raises:
        PlanError: fewer than three runs.
    """
    if len(measured) < LEAST:
        message = f"{len(measured)} usable runs; a stack's factor needs at least {LEAST}."
        raise PlanError([Problem("error", "run", message, "Measure layouts that differ: the factor stands for all.")])
    ratios = [m / p for m, p in zip(measured, predicted, strict=True)]
    spread = statistics.stdev(math.log(ratio) for ratio in ratios)
    return StackFactor(
        step_time=round(statistics.median(ratios), 4),
        spread=round(spread * math.sqrt(1.0 + 1.0 / len(ratios)), 4),
        runs=len(ratios),
    )


def without_factor(stack: Stack) -> Stack:
    """The stack as the catalogue has it: what a new factor is measured against."""
    return stack.model_copy(update={"factor": StackFactor()})
