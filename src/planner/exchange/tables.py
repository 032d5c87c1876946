"""Paragraphs and tables of reports in plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator, Sequence

from planner.exchange.report import Line, Style


def wrapped(words: str, width: int, style: Style = "text", indent: int = 0) -> Iterator[Line]:
    """A paragraph, its first line as it starts, the others indented.

    Args:
        words: already made harmless to terminals where they come from files.
        width: columns to fill.
        style: of every line.
        indent: of every line after the first.
    """
    for part in textwrap.wrap(words, width, subsequent_indent=" " * indent, break_on_hyphens=False) or [""]:
        yield Line(part, style)


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
