"""Line charts and two-sided bars as rows of text: pure functions from figures and a size to lines of that width.

Series are told apart by their marks, not by colour. `format.in_ascii` makes ASCII of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

MARKS = "●○◆◇"
"""What stands at the points of each series."""
CAPTION = 9
"""Columns of the captions left of a chart."""
LEAST_ROWS = 3


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one kind.

    Attributes:
        name: what they are.
        points: across and up.
        joined: a line of dots leads from each to the next.
        mark: stands at its points, above all others; empty: the next of those that are free.
    """

    name: str
    points: Sequence[tuple[float, float]]
    joined: bool = True
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis.

    Attributes:
        name: what it shows.
        show: a value as people read it.
        log: equal ratios take equal room.
    """

    name: str
    show: Callable[[float], str]
    log: bool = False

    def place(self, value: float) -> float:
        """Where a value stands, before scaling."""
        return math.log10(max(value, 1e-300)) if self.log else value

    def value(self, place: float) -> float:
        """The value at a place."""
        return 10.0**place if self.log else place


def chart(series: Sequence[Series], across: Axis, up: Axis, width: int, height: int) -> list[str]:
    """Points and the lines between them, with captions; the last row says what is shown.

    Args:
        series: at most four.
        across: the horizontal axis.
        up: the vertical axis.
        width: cells, captions included.
        height: rows, captions included.
    """
    every = [(across.place(x), up.place(y)) for one in series for x, y in one.points]
    wide, high = width - CAPTION - 2, height - 3
    if not every or wide < LEAST_ROWS or high < LEAST_ROWS:
        return ["".ljust(width) for _ in range(max(height, 0))]
    left, right = _ends([x for x, _ in every])
    low, top = _ends([y for _, y in every])
    cells = [[" "] * wide for _ in range(high)]

    def cell(x: float, y: float) -> tuple[int, int]:
        column = round((across.place(x) - left) / (right - left) * (wide - 1))
        return high - 1 - round((up.place(y) - low) / (top - low) * (high - 1)), column

    kinds = [one.mark or MARKS[number % len(MARKS)] for number, one in enumerate(series)]
    for one in series:
        places = [cell(x, y) for x, y in one.points]
        for here, there in pairwise(places) if one.joined else ():
            _join(cells, here, there)
    backwards = zip(reversed(series), reversed(kinds), strict=True)
    for one, mark in sorted(backwards, key=lambda pair: bool(pair[0].mark)):
        for row, column in (cell(x, y) for x, y in one.points):
            cells[row][column] = mark
    captions = {0: top, high // 2: (top + low) / 2, high - 1: low}
    rows = [
        f"{up.show(up.value(captions[n])) if n in captions else '':>{CAPTION}} │{''.join(row)}"
        for n, row in enumerate(cells)
    ]
    rows.append(f"{'':>{CAPTION}} └{'─' * wide}")
    start, end = across.show(across.value(left)), across.show(across.value(right))
    room = max(wide - len(start) - len(end), 0)
    name = across.name if len(across.name) + 2 <= room else ""
    rows.append(f"{'':>{CAPTION + 2}}{start}{name:^{room}}{end}")
    named = "  ".join(f"{mark} {one.name}" for one, mark in zip(series, kinds, strict=True) if one.name)
    rows.append(f"{up.name:>{CAPTION}}: {named}")
    return [row[:width].ljust(width) for row in rows]


def two_sided(value: float, reach: float, width: int) -> str:
    """A bar from the middle: to the left where the value is below zero.

    >>> two_sided(-1.0, 1.0, 9), two_sided(0.5, 1.0, 9)
    ('━━━━│    ', '    │━━  ')
    """
    half = max((width - 1) // 2, 1)
    length = round(min(abs(value) / reach, 1.0) * half) if reach > 0 else 0
    bar = "━" * (max(length, 1) if value else 0)
    return f"{bar:>{half}}│{'':<{half}}" if value < 0 else f"{'':>{half}}│{bar:<{half}}"


def _ends(values: Sequence[float]) -> tuple[float, float]:
    """First and last of an axis, never the same."""
    low, high = min(values), max(values)
    pad = max(abs(high), 1.0) * 0.05 if high - low < 1e-12 * max(abs(high), 1.0) else 0.0
    return low - pad, high + pad


def _join(cells: list[list[str]], start: tuple[int, int], end: tuple[int, int]) -> None:
    """Dots on the way from one cell to another."""
    steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]))
    for n in range(1, steps):
        row = round(start[0] + (end[0] - start[0]) * n / steps)
        column = round(start[1] + (end[1] - start[1]) * n / steps)
        cells[row][column] = "·"
