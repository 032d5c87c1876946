"""The few array operations the engine needs, quick on plain floats and right on NumPy arrays.

NumPy pays about a microsecond a call on a scalar; one plan is a batch of one, and these keep it under a millisecond.
They import NumPy when the first array comes: one plan has none, and is on screen before that import would be over.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

Num = Any
"""A float or a NumPy array of floats; arrays broadcast against each other."""

PLAIN: Final = frozenset({float, bool, int})
"""What one plan is made of; a look in here is half the time of isinstance(), some thousand times an estimate."""
np: Any = None


def is_array(value: Num) -> bool:
    """It is a NumPy array, not a single number; asked only where its type is none of PLAIN."""
    global np  # noqa: PLW0603 - the module, once it is needed
    if np is None:
        import numpy as np
    return type(value) is np.ndarray


def any_of(condition: Num) -> bool:
    """Whether the condition holds anywhere: work that nobody needs is skipped."""
    return bool(condition.any()) if type(condition) not in PLAIN and is_array(condition) else bool(condition)


def where(condition: Num, yes: Num, no: Num) -> Num:
    """`yes` where the condition holds, else `no`; both are evaluated."""
    if type(condition) not in PLAIN and is_array(condition):
        return np.where(condition, yes, no)
    return yes if condition else no


def maximum(a: Num, b: Num) -> Num:
    """The larger of two, element by element."""
    if (type(a) not in PLAIN and is_array(a)) or (type(b) not in PLAIN and is_array(b)):
        return np.maximum(a, b)
    return a if a >= b else b  # noqa: FURB136 - several times quicker than max()


def minimum(a: Num, b: Num) -> Num:
    """The smaller of two, element by element."""
    if (type(a) not in PLAIN and is_array(a)) or (type(b) not in PLAIN and is_array(b)):
        return np.minimum(a, b)
    return a if a <= b else b  # noqa: FURB136 - several times quicker than min()


def clip(value: Num, low: Num, high: Num) -> Num:
    """`value` held between `low` and `high`."""
    return minimum(maximum(value, low), high)


def ceil(value: Num) -> Num:
    """Smallest whole number not below the value."""
    return np.ceil(value) if type(value) not in PLAIN and is_array(value) else float(math.ceil(value))


def floor(value: Num) -> Num:
    """Largest whole number not above the value."""
    return np.floor(value) if type(value) not in PLAIN and is_array(value) else float(math.floor(value))


def log2(value: Num) -> Num:
    """Logarithm to base two; the value must be positive."""
    return np.log2(value) if type(value) not in PLAIN and is_array(value) else math.log2(value)


def sqrt(value: Num) -> Num:
    """Square root; the value must not be negative."""
    return np.sqrt(value) if type(value) not in PLAIN and is_array(value) else math.sqrt(value)


def exp(value: Num) -> Num:
    """Euler's number to the power of the value."""
    return np.exp(value) if type(value) not in PLAIN and is_array(value) else math.exp(value)


def expm1(value: Num) -> Num:
    """`exp(value) - 1`, exact for small values."""
    return np.expm1(value) if type(value) not in PLAIN and is_array(value) else math.expm1(value)


def log1p(value: Num) -> Num:
    """`ln(1 + value)`, exact for small values."""
    return np.log1p(value) if type(value) not in PLAIN and is_array(value) else math.log1p(value)


def logical_and(a: Num, b: Num) -> Num:
    """Both conditions hold."""
    if (type(a) not in PLAIN and is_array(a)) or (type(b) not in PLAIN and is_array(b)):
        return np.logical_and(a, b)
    return a and b


def logical_or(a: Num, b: Num) -> Num:
    """At least one of the conditions holds."""
    if (type(a) not in PLAIN and is_array(a)) or (type(b) not in PLAIN and is_array(b)):
        return np.logical_or(a, b)
    return a or b


def logical_not(a: Num) -> Num:
    """The condition does not hold."""
    return np.logical_not(a) if type(a) not in PLAIN and is_array(a) else not a


def pick(table: NDArray[float64] | tuple[float, ...], index: Num) -> Num:
    """The table's entry at an index (an int, or an array of them)."""
    return np.asarray(table)[index] if type(index) not in PLAIN and is_array(index) else table[index]
