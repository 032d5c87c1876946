"""How wrong the engine is: held-out errors by family, and on the measured runs most like a plan."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from planner.engine.reading import inputs_of
from planner.engine.uncertainty import Neighbour, held_out, nearest
from planner.engine.validation import Summary, summarize_errors
from planner.spec.plan import Resolved
from planner.spec.runs import MeasuredRun

ALL = "all runs"
LIKE = 0.5
"""From this similarity on a run counts as like a plan."""


@dataclass(frozen=True, slots=True)
class Family:
    """Errors of one source family's runs, the family left out of the fit."""

    name: str
    summary: Summary
    errors: tuple[float, ...]
    """Predicted over measured step time, minus one."""


def by_family() -> list[Family]:
    """Held-out errors: all runs, then each family, the largest first."""
    table = held_out()
    errors = np.expm1([error.log for error in table.errors])
    groups: dict[str, list[int]] = {}
    for index, error in enumerate(table.errors):
        groups.setdefault(error.family, []).append(index)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return [_family(ALL, errors), *(_family(name, errors[rows]) for name, rows in ordered)]


def _family(name: str, errors: np.ndarray) -> Family:  # floats
    return Family(name, summarize_errors(errors, [True] * len(errors)), tuple(errors.tolist()))


def runs_like(resolved: Resolved, count: int) -> tuple[Neighbour, ...]:
    """The measured runs most like a plan, nearest first, with the engine's error there."""
    return nearest(inputs_of(resolved), count)


def points(runs: Iterable[MeasuredRun]) -> list[tuple[float, float]]:
    """Measured and predicted seconds of every run with a held-out error.

    Args:
        runs: the measured runs, for the measured times.
    """
    measured: Mapping[str, float] = {run.id: run.step_time_s for run in runs if run.step_time_s}
    return [
        (measured[error.id], measured[error.id] * math.exp(error.log))
        for error in held_out().errors
        if error.id in measured
    ]
