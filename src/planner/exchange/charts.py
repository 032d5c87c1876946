"""Pictures as rows of text: pure functions from figures and a size to lines of exactly that width."""

from __future__ import annotations

import math
from collections.abc import Sequence

LEVELS = " ▁▂▃▄▅▆▇█"
"""Heights of a column of one cell."""
BRAILLE = 0x2800
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of a braille character by row and column."""


def density(values: Sequence[float], reach: float, width: int) -> str:
    """How values from -reach to +reach are spread, a column of one cell each; what lies beyond is counted at the ends.

    >>> density([0.0, 0.0, 0.1, -0.2], 0.2, 5)
    '▄ █▄ '
    """
    counts = [0] * width
    for value in values:
        place = (min(max(value, -reach), reach) + reach) / (2 * reach)
        counts[min(int(place * width), width - 1)] += 1
    top = max(*counts, 1)
    return "".join(LEVELS[math.ceil(count / top * (len(LEVELS) - 1))] for count in counts)


def scatter(points: Sequence[tuple[float, float]], width: int, height: int) -> list[str]:
    """Points of two positive figures on logarithmic axes of the same scale, with the line where both are equal.

    Args:
        points: first and second figure of each.
        width: cells.
        height: rows.
    """
    logs = [(math.log10(x), math.log10(y)) for x, y in points if x > 0 and y > 0]
    if not logs or width < 1 or height < 1:
        return [" " * width for _ in range(height)]
    low = min(min(pair) for pair in logs)
    span = max(max(max(pair) for pair in logs) - low, 1e-9)
    columns, rows = len(DOTS[0]), len(DOTS)
    bits = [[0] * width for _ in range(height)]
    for x, y in logs:
        across = round((x - low) / span * (width * columns - 1))
        up = height * rows - 1 - round((y - low) / span * (height * rows - 1))
        bits[up // rows][across // columns] |= DOTS[up % rows][across % columns]
    lines = [[chr(BRAILLE | bit) if bit else " " for bit in row] for row in bits]
    for column in range(width):
        row = height - 1 - round(column / max(width - 1, 1) * (height - 1))
        if lines[row][column] == " ":
            lines[row][column] = "·"
    return ["".join(line) for line in lines]
