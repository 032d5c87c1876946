"""How wrong the engine is: held-out errors by family, and on the measured runs most like a plan."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from planner.engine.reading import inputs_of
from planner.engine.uncertainty import ALIKE, Neighbour, held_out, nearest
from planner.engine.validation import Summary, summarize_errors
from planner.spec.plan import Resolved
from planner.spec.runs import MeasuredRun

ALL = "all runs"


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


@dataclass(frozen=True, slots=True)
class Alike:
    """The measured runs like a plan."""

    count: int
    median_abs_error: float
    """Of these runs; 0 where there are none."""
    nearest: tuple[Neighbour, ...]
    """The runs most like it, like it or not, the nearest first."""


def runs_like(resolved: Resolved, named: int) -> Alike:
    """The measured runs like a plan, with the engine's error there.

    Args:
        resolved: the plan.
        named: how many of the nearest to name.
    """
    found = nearest(inputs_of(resolved), len(held_out().errors))
    errors = [abs(run.error) for run in found if run.similarity >= ALIKE]
    return Alike(len(errors), statistics.median(errors) if errors else 0.0, found[:named])


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
