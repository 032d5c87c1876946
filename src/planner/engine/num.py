"""The few array operations the engine needs, quick on plain floats and right on NumPy arrays.

NumPy pays about a microsecond a call on a scalar; one plan is a batch of one, and these keep it under a millisecond.
`type(...) is ndarray` and no isinstance(): half the time, some thousand times an estimate; subclasses never come here.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import ndarray
from numpy.typing import NDArray

Num = Any
"""A float or a NumPy array of floats; arrays broadcast against each other."""


def any_of(condition: Num) -> bool:
    """Whether the condition holds anywhere: work that nobody needs is skipped."""
    return bool(condition.any()) if type(condition) is ndarray else bool(condition)


def where(condition: Num, yes: Num, no: Num) -> Num:
    """`yes` where the condition holds, else `no`; both are evaluated."""
    if type(condition) is ndarray:
        return np.where(condition, yes, no)
    return yes if condition else no


def maximum(a: Num, b: Num) -> Num:
    """The larger of two, element by element."""
    if type(a) is ndarray or type(b) is ndarray:
        return np.maximum(a, b)
    return a if a >= b else b  # noqa: FURB136 - several times quicker than max()


def minimum(a: Num, b: Num) -> Num:
    """The smaller of two, element by element."""
    if type(a) is ndarray or type(b) is ndarray:
        return np.minimum(a, b)
    return a if a <= b else b  # noqa: FURB136 - several times quicker than min()


def clip(value: Num, low: Num, high: Num) -> Num:
    """`value` held between `low` and `high`."""
    return minimum(maximum(value, low), high)


def ceil(value: Num) -> Num:
    """Smallest whole number not below the value."""
    return np.ceil(value) if type(value) is ndarray else float(math.ceil(value))


def floor(value: Num) -> Num:
    """Largest whole number not above the value."""
    return np.floor(value) if type(value) is ndarray else float(math.floor(value))


def log2(value: Num) -> Num:
    """Logarithm to base two; the value must be positive."""
    return np.log2(value) if type(value) is ndarray else math.log2(value)


def sqrt(value: Num) -> Num:
    """Square root; the value must not be negative."""
    return np.sqrt(value) if type(value) is ndarray else math.sqrt(value)


def logical_and(a: Num, b: Num) -> Num:
    """Both conditions hold."""
    if type(a) is ndarray or type(b) is ndarray:
        return np.logical_and(a, b)
    return a and b


def logical_or(a: Num, b: Num) -> Num:
    """At least one of the conditions holds."""
    if type(a) is ndarray or type(b) is ndarray:
        return np.logical_or(a, b)
    return a or b


def logical_not(a: Num) -> Num:
    """The condition does not hold."""
    return np.logical_not(a) if type(a) is ndarray else not a


def pick(table: NDArray[np.float64] | tuple[float, ...], index: Num) -> Num:
    """The table's entry at an index (an int, or an array of them)."""
    return np.asarray(table)[index] if type(index) is ndarray else table[index]
