"""The constants a formula names: each moves its figure in some plan, and no other does, but through what it needs."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest
from tests.engine.random_plans import Floats, column, random_plans
from tests.plans import BUILT_IN

from planner.engine.constants import Constants, calibrated, scaled
from planner.engine.inputs import batch
from planner.engine.layout import groups
from planner.engine.memory import fullest
from planner.engine.reading import inputs_of
from planner.engine.result import COMPUTE_PARTS, MEMORY_PARTS, STEP_PARTS
from planner.engine.step import step
from planner.exchange.formulas import FORMULAS
from planner.exchange.why import NUDGE

PLANS = (*(BUILT_IN.resolve(BUILT_IN.plan(name)) for name in BUILT_IN.ids("plans")), *random_plans(300, seed=7))
X = batch([inputs_of(resolved) for resolved in PLANS])
NAMES = [field.name for field in dataclasses.fields(Constants)]
ELSEWHERE = {"interval_scale"}
"""Makes the ranges, not the figures."""


def _figures(c: Constants) -> dict[str, Floats]:
    seconds, peak = step(X, c), fullest(X, groups(X), c)
    found = {f"step.{part}": getattr(seconds, part) for part in STEP_PARTS}
    found |= {f"compute.{part}": getattr(seconds, part) for part in COMPUTE_PARTS}
    found |= {f"memory.{part}": getattr(peak, part) for part in MEMORY_PARTS}
    found["memory_capacity_gb"] = c.usable * X.machine.memory_bytes / 1e9
    return {key: column(value, len(PLANS)) for key, value in found.items()}


@cache
def _moved() -> dict[str, set[str]]:
    """Constant -> the figures it moves in one plan or another."""
    before = _figures(calibrated())
    after = {name: _figures(scaled(calibrated(), name, NUDGE)) for name in NAMES}
    return {name: {key for key in before if np.any(figures[key] != before[key])} for name, figures in after.items()}


def _behind(key: str) -> set[str]:
    """Constants of a figure and of every figure it is made of."""
    needs = (need for need in FORMULAS[key].needs if need in FORMULAS)
    return set(FORMULAS[key].constants).union(*(_behind(need) for need in needs))


@pytest.mark.parametrize("key", [key for key, formula in FORMULAS.items() if formula.constants])
def test_each_constant_of_a_formula_moves_its_figure(key: str) -> None:
    assert [name for name in FORMULAS[key].constants if key not in _moved()[name]] == []


@pytest.mark.parametrize("key", sorted(_figures(calibrated())))
def test_no_other_constant_moves_a_figure(key: str) -> None:
    assert [name for name in NAMES if key in _moved()[name] and name not in _behind(key)] == []


def test_every_constant_is_of_a_figure() -> None:
    named = {name for formula in FORMULAS.values() for name in formula.constants}
    assert named == set(NAMES) - ELSEWHERE
