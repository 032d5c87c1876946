"""Tables of reports in plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator, Sequence

from planner.exchange.report import Line, Style

NARROWEST = 24
"""Columns below which the last cell of a row does not stand beside the others."""
BELOW = 6
"""Columns by which it is set in below them instead."""


def table(
    rows: Sequence[Sequence[str]], heading: Sequence[str] = (), right: Collection[int] = (), *, fold: int = 0
) -> Iterator[Line]:
    """Rows in columns as wide as their widest cell.

    Args:
        rows: cells, as many in every row.
        heading: of the columns; none where empty.
        right: columns that are set to the right.
        fold: columns to fill: the last cell of a row goes on below itself, or stands below the others where they leave
            no room for it. 0: a row is a line.
    """
    every = [*([heading] if heading else []), *rows]
    widths = [max(len(cell) for cell in column) for column in zip(*every, strict=True)]
    start = sum(widths[:-1]) + 2 * len(widths)
    below = 0 < fold < start + min(widths[-1], NARROWEST)
    room = fold - (BELOW if below else start)
    for number, row in enumerate(every):
        last = textwrap.wrap(row[-1], max(room, 1), break_on_hyphens=False) if fold else [row[-1]]
        cells = [*row[:-1], "" if below else "".join(last[:1])]
        words = (
            f"{c:>{w}}" if place in right else f"{c:<{w}}"
            for place, (c, w) in enumerate(zip(cells, widths, strict=True))
        )
        style: Style = "heading" if heading and not number else "text"
        yield Line(f"  {'  '.join(words)}".rstrip(), style)
        indent = " " * (BELOW if below else start)
        yield from (Line(indent + rest, style) for rest in (last if below else last[1:]))
