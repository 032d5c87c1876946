"""Ranges, from how wrong the engine was on measured runs it was not fitted on."""

from __future__ import annotations

import math
from dataclasses import dataclass

from planner.engine.inputs import Inputs
from planner.spec.plan import Resolved

Z_80 = 1.2816
"""Standard deviations either side of the mean that hold 80 % of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Spread:
    """An 80 % range as factors on the step time, and the measured runs behind it."""

    low: float
    high: float
    runs: int


def spread_of(resolved: Resolved, x: Inputs) -> Spread:
    """The range of a plan: lognormal, from held-out errors of runs like it, wider where nothing like it was measured.

    Args:
        resolved: the plan.
        x: the same as numbers.
    """
    variance = 0.06**2 + 0.057**2
    if x.shape.moe_layers > 0:
        variance += 0.1**2
    if x.layout.sequence > 65_536:  # noqa: PLR2004
        variance += 0.09**2
    if resolved.stack.factor.runs:
        variance = max(resolved.stack.factor.spread, 0.03) ** 2
    reach = math.exp(Z_80 * math.sqrt(variance))
    return Spread(1.0 / reach, reach, 0)
