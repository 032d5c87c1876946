"""Tables of reports in plain text."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from planner.exchange.report import Line


def table(rows: Sequence[Sequence[str]], heading: Sequence[str] = (), right: Collection[int] = ()) -> Iterator[Line]:
    """Rows in columns as wide as their widest cell.

    Args:
        rows: cells, as many in every row.
        heading: of the columns; none where empty.
        right: columns that are set to the right.
    """
    every = [*([heading] if heading else []), *rows]
    widths = [max(len(cell) for cell in column) for column in zip(*every, strict=True)]
    for number, row in enumerate(every):
        cells = (
            f"{c:>{w}}" if place in right else f"{c:<{w}}" for place, (c, w) in enumerate(zip(row, widths, strict=True))
        )
        yield Line(f"  {'  '.join(cells)}".rstrip(), "heading" if heading and not number else "text")
