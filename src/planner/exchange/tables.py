"""Tables of reports in plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator, Sequence

from planner.exchange.report import Line

NARROWEST = 24
"""Columns below which the last cell of a row is not folded."""


def table(
    rows: Sequence[Sequence[str]], heading: Sequence[str] = (), right: Collection[int] = (), *, fold: int = 0
) -> Iterator[Line]:
    """Rows in columns as wide as their widest cell.

    Args:
        rows: cells, as many in every row.
        heading: of the columns; none where empty.
        right: columns that are set to the right.
        fold: columns to fill: the last cell of a row goes on below itself. 0: a row is a line.
    """
    every = [*([heading] if heading else []), *rows]
    widths = [max(len(cell) for cell in column) for column in zip(*every, strict=True)]
    start = sum(widths[:-1]) + 2 * len(widths)
    for number, row in enumerate(every):
        last = textwrap.wrap(row[-1], fold - start, break_on_hyphens=False) if fold - start >= NARROWEST else []
        cells = [*row[:-1], *(last[:1] or row[-1:])]
        words = (
            f"{c:>{w}}" if place in right else f"{c:<{w}}"
            for place, (c, w) in enumerate(zip(cells, widths, strict=True))
        )
        yield Line(f"  {'  '.join(words)}".rstrip(), "heading" if heading and not number else "text")
        yield from (Line(" " * start + rest) for rest in last[1:])
