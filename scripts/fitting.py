"""The calibration fit: constants from measured runs, held to their priors, no family dominating."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from planner.engine.constants import from_values
from planner.engine.inputs import Inputs, batch
from planner.engine.reading import inputs_of
from planner.engine.step import step
from planner.spec.runs import MeasuredRun

Floats = NDArray[np.float64]

SCALE = 0.06
"""Error of log step time beyond which a row's pull grows slower (soft L1): the spread between software releases."""
FAMILY_CAP = 40.0
"""Rows' worth of weight one source family may have at most."""


@dataclass(frozen=True)
class Data:
    """Rows to fit on or to test: inputs as arrays, measured step times, weights."""

    rows: tuple[MeasuredRun, ...]
    inputs: Inputs
    seconds: Floats
    weights: Floats


def data_of(rows: Sequence[MeasuredRun]) -> Data:
    """Rows with their weights: 1 / sqrt(repeats of a configuration), families capped."""
    repeats = Counter(row.run.config_id or row.id for row in rows)
    weights = np.array([1.0 / np.sqrt(repeats[row.run.config_id or row.id]) for row in rows])
    families = np.array([row.group for row in rows])
    for family in set(families):
        mine = families == family
        weights[mine] *= min(1.0, FAMILY_CAP / weights[mine].sum())
    seconds = np.array([row.step_time_s for row in rows], dtype=float)
    return Data(tuple(rows), batch([inputs_of(row.resolved) for row in rows]), seconds, weights)


def predict(values: dict[str, float], inputs: Inputs, without: Sequence[str] = ()) -> Floats:
    """Predicted step times, s, without some parts of the step."""
    with np.errstate(all="ignore"):
        found = step(inputs, from_values(values))
        return np.asarray(found.total - sum(getattr(found, part) for part in without), dtype=float)


def fit(
    data: Data, priors: dict[str, float], sigmas: dict[str, float], free: Sequence[str], without: Sequence[str] = ()
) -> dict[str, float]:
    """Constants that fit the rows: soft L1 on log(predicted / measured), Gaussian priors on the constants' logarithms.

    Args:
        data: rows to fit on.
        priors: every constant's prior.
        sigmas: spread of its logarithm.
        free: names that may move; the others stay at their priors.
        without: parts of the step that the model is to do without.
    """
    start = np.array([np.log(priors[name]) for name in free])
    spread = np.array([sigmas[name] for name in free])
    target = np.log(data.seconds)
    root = np.sqrt(data.weights)

    def residuals(logs: Floats) -> Floats:
        values = priors | {name: float(np.exp(v)) for name, v in zip(free, logs, strict=True)}
        error = (np.log(predict(values, data.inputs, without)) - target) / SCALE
        # soft L1 on the rows only: sign(e) sqrt(2 (sqrt(1 + e^2) - 1)); the priors stay quadratic
        soft = np.sign(error) * np.sqrt(2.0 * (np.sqrt(1.0 + error**2) - 1.0))
        return np.concatenate([root * soft, (logs - start) / spread])

    answer = least_squares(residuals, start, method="trf", x_scale=spread, diff_step=1e-4, max_nfev=25, ftol=1e-5)
    return priors | {name: float(np.exp(v)) for name, v in zip(free, answer.x, strict=True)}


def spreads(data: Data, values: dict[str, float], sigmas: dict[str, float], free: Sequence[str]) -> dict[str, float]:
    """Spread left in each free constant's logarithm after the fit, from the curvature at the answer (Laplace)."""
    root = np.sqrt(data.weights)
    base = np.log(predict(values, data.inputs))
    columns = []
    for name in free:
        moved = values | {name: values[name] * 1.001}
        columns.append(root * (np.log(predict(moved, data.inputs)) - base) / np.log(1.001) / SCALE)
    jacobian = np.array(columns)
    precision = jacobian @ jacobian.T + np.diag([sigmas[name] ** -2.0 for name in free])
    covariance = np.linalg.inv(precision)
    return {name: float(np.sqrt(covariance[i, i])) for i, name in enumerate(free)}
