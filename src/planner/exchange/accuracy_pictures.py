"""How wrong the engine is, as a table with pictures and a chart: the same text on screen and on the command line.

A row is pieces of text, each with the name of its style.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from planner.exchange.accuracy import ALL, Family
from planner.exchange.charts import density, scatter
from planner.exchange.format import seconds
from planner.exchange.report import Line, wrapped

Row = list[tuple[str, str]]

CHART: Final = 22
"""Rows of the chart, below the table."""

REACH: Final = 0.3
"""Errors the pictures of a family go to."""
FIGURES: Final = 32
"""Columns of runs, median, p90 and bias."""
NAMES: Final = 24
"""Columns of the families' names, at least."""
LONGEST: Final = 40
WIDEST, LEAST = 31, 13
"""Columns of the pictures."""
CAPTION: Final = 9
"""Columns left of the chart."""
TITLE: Final = "Predicted against measured step time"
BIAS: Final = "Bias above zero: the engine is too slow."


def percent(ratio: float | None, *, sign: bool = False) -> str:
    """An error, or that there is none."""
    return "–" if ratio is None else f"{100 * ratio:{'+' if sign else ''}.1f} %"


def introduction(families: Sequence[Family]) -> str:
    """What the table says, in a sentence."""
    total = families[0].summary
    return (
        f"Step time of {total.n:,} measured runs, each predicted by an engine fitted without its family: half of them "
        f"are less than {percent(total.median_abs_error)} off, nine of ten less than {percent(total.p90_abs_error)}."
    )


def family_rows(families: Sequence[Family], width: int) -> Iterator[Row]:
    """A heading, then a line a family with a picture of its errors.

    Args:
        families: all runs, then each family.
        width: columns to fill; without room there are no pictures.
    """
    picture = min(max(width - 2 - NAMES - FIGURES, 0), WIDEST)
    picture -= 1 - picture % 2
    names = max(min(width - FIGURES - picture - 2, LONGEST), 12)
    drawn = picture >= LEAST
    scale = f"{'-30 %':<{picture // 2}}0{'+30 %':>{picture // 2}}" if drawn else ""
    head = f"{'runs':>6}{'median':>8}{'p90':>7}{'bias':>8}   "
    yield [(" " * (names + 2), "text"), (head, "quiet"), (scale, "faint")]
    for row in families:
        s, ink = row.summary, "strong" if row.name == ALL else "text"
        figures = f"{s.n:>6,}{percent(s.median_abs_error):>8}{percent(s.p90_abs_error):>7}"
        figures += f"{percent(s.bias, sign=True):>8}   "
        chart = density(row.errors, REACH, picture) if drawn else ""
        name = row.name if len(row.name) <= names else f"{row.name[: names - 1]}…"
        yield [("  ", "text"), (f"{name:<{names}}", ink), (figures, ink), (chart, "bar")]


def chart_rows(points: Sequence[tuple[float, float]], width: int, height: int) -> Iterator[Row]:
    """Predicted against measured, with captions and axes.

    Args:
        points: measured and predicted seconds, at least one.
        width: columns to fill.
        height: rows of the chart without its axis.
    """
    inner = max(width - CAPTION - 3, 4)
    low, high = min(min(pair) for pair in points), max(max(pair) for pair in points)
    captions = {0: seconds(high), height // 2: seconds(math.sqrt(low * high)), height - 1: seconds(low)}
    for number, row in enumerate(scatter(points, inner, height)):
        yield [(f"{captions.get(number, ''):>{CAPTION}} ", "quiet"), ("│", "rule"), (row, "bar")]
    yield [(" " * (CAPTION + 1), "text"), ("└" + "─" * inner, "rule")]
    axis = f"{seconds(low)}{'measured':^{max(inner - 2 * CAPTION, 8)}}{seconds(high):>{CAPTION}}"
    yield [(" " * (CAPTION + 2), "text"), (axis, "quiet")]


def lines(families: Sequence[Family], points: Sequence[tuple[float, float]], width: int) -> Iterator[Line]:
    """The table and, below it, the chart.

    Args:
        families: all runs, then each family.
        points: measured and predicted seconds, at least one.
        width: columns to fill.
    """
    yield from (*wrapped(introduction(families), width), Line(""))
    yield from (Line(_text(row)) for row in family_rows(families, width))
    yield from (Line(""), Line(BIAS), Line(""), Line(TITLE, "heading"))
    yield from (Line(_text(row)) for row in chart_rows(points, width, CHART))


def _text(row: Row) -> str:
    return "".join(words for words, _ in row).rstrip()
