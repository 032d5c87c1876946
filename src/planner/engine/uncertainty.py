"""Ranges, from how wrong the engine was on measured runs of source families it was not fitted on.

`held_out.csv` (written by the calibration) holds one row a measured run: what kind of run it was, and the logarithm of
predicted over measured step time when its family was left out of the fit. A plan's range is the 80 % quantile of those
errors, nearer runs counting more, wider where little is near.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from planner.engine.constants import calibrated
from planner.engine.inputs import Inputs
from planner.engine.num import log2, where
from planner.spec.plan import Resolved

Floats = NDArray[np.float64]

FEATURES = ("architecture", "moe", "hybrid", "software", "bits", "log2_cards", "log2_sequence")
"""What makes two runs alike. `software`: 0 tuned, 1 in-house or young, 2 XLA; `bits`: of the linears' operands."""
CATEGORY_DISTANCE = np.array([1.0, 1.2, 1.2, 0.8])
"""Distance two runs are apart where architecture, MoE, hybrid or software differ."""
SCALE_DISTANCE = np.array([0.1, 0.12, 0.2])
"""The same for each bit of precision, doubling of the cards, doubling of the sequence."""
LEAST_WIDTH = 0.05
"""Least half-width in log step time: NVIDIA accepts a spread of 5 % between installations that run one recipe."""
UNKNOWN_WIDTH = 0.18
"""Half-width where nothing like the plan was measured: the held-out 80 % error of a source on unknown software."""
OWN_RUNS = 3
"""Runs of a user's own from which a stack's measured spread replaces the general one."""


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
class HeldOut:
    """All measured runs with their held-out errors, in the order of the errors' size."""

    ids: tuple[str, ...]
    families: tuple[str, ...]
    features: Floats
    """Runs x FEATURES."""
    log_error: Floats
    share: Floats
    """Weight of a run: one over the root of its family's size, so that no family dominates."""


@cache
def held_out() -> HeldOut:
    """The table of held-out errors, smallest first."""
    text = resources.files("planner.engine").joinpath("held_out.csv").read_text(encoding="utf-8")
    rows = sorted(list(csv.reader(text.splitlines()))[1:], key=lambda row: abs(float(row[-1])))
    families = tuple(row[1] for row in rows)
    sizes = {family: families.count(family) for family in set(families)}
    return HeldOut(
        ids=tuple(row[0] for row in rows),
        families=families,
        features=np.array([[float(v) for v in row[2:-1]] for row in rows], order="F"),  # read column by column
        log_error=np.array([float(row[-1]) for row in rows]),
        share=np.array([sizes[family] ** -0.5 for family in families]),
    )


def features_of(x: Inputs) -> Floats:
    """A plan's place among the measured runs, in the order of FEATURES; rows x FEATURES for a batch of plans."""
    columns = (
        x.machine.architecture,
        x.shape.moe_layers > 0,
        x.shape.mamba_layers > 0,
        where(x.software.xla, 2.0, where(x.software.mature, 0.0, 1.0)),
        where(x.layout.four_bit, 4.0, where(x.layout.eight_bit, 8.0, 16.0)),
        log2(x.machine.cards),
        log2(x.layout.sequence),
    )
    return np.array(columns, dtype=float).T


def similarity(place: Floats, others: Floats) -> Floats:
    """How alike runs are, 1 to 0: exp(-distance^2) over the features."""
    columns, here = others.T, place[:, np.newaxis]
    categories = CATEGORY_DISTANCE @ (columns[:4] != here[:4])
    scales = SCALE_DISTANCE @ np.abs(columns[4:] - here[4:])
    return np.asarray(np.exp(-((categories + scales) ** 2)))


def reach(near: Floats, table: HeldOut) -> float:
    """Half-width of the 80 % range in log step time, before scaling: the weighted 80 % quantile of held-out errors.

    Where the weight of alike runs is small, the range goes over to that of software nobody measured.
    """
    weight = near * table.share
    total = float(weight.sum())
    place = int(np.searchsorted(np.cumsum(weight), 0.8 * total))
    quantile = abs(float(table.log_error[min(place, len(weight) - 1)]))
    known = total / (total + 1.0)
    return max(LEAST_WIDTH, quantile * known + max(quantile, UNKNOWN_WIDTH) * (1.0 - known))


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
    table = held_out()
    near = similarity(features_of(x), table.features)
    width = calibrated().interval_scale * reach(near, table)
    return Spread(math.exp(-width), math.exp(width), int((near > 0.5).sum()))  # noqa: PLR2004


def nearest(x: Inputs, count: int) -> tuple[Neighbour, ...]:
    """The measured runs most like a plan, nearest first.

    Args:
        x: the plan.
        count: how many.
    """
    table = held_out()
    near = similarity(features_of(x), table.features)
    order = np.argsort(-near, kind="stable")[:count]
    return tuple(
        Neighbour(table.ids[i], table.families[i], float(near[i]), float(np.expm1(table.log_error[i]))) for i in order
    )
