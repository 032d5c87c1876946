"""`planner catalog`: what is known of cards, fabrics, models, stacks, presets, fleets, parts, grids, with sources."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from planner.catalog import Catalog, Source
    from planner.exchange.listing import Item, Row
    from planner.exchange.report import Line

KINDS = ("cards", "fabrics", "models", "stacks", "presets", "fleets", "parts", "grids")

NARROWEST = 16
"""Columns below which a list leaves a column of words out, rather than fold it."""

LEGEND = {
    "?": "? behind a figure: not checked against a source that was read.",
    "assumed": "assumed: no source states it; the preset's notes say why it was chosen.",
}


class Kind(click.Choice[str]):
    """A kind of entry; where an entry is named instead, the message says of which kind it is."""

    def get_invalid_choice_message(self, value: object, ctx: click.Context | None) -> str:
        """What is wrong with a kind."""
        from planner.catalog import Catalog
        from planner.exchange import listing

        catalog = Catalog.default()
        for kind in KINDS:
            if value in catalog.ids(listing.KINDS[kind]):
                return f"{value} is one of the {kind}: `planner catalog {kind} {value}`."
        return super().get_invalid_choice_message(value, ctx)


@click.command("catalog")
@click.argument("kind", type=Kind(KINDS), required=False, metavar=f"[{'|'.join(KINDS)}]")
@click.argument("name", required=False, metavar="[ID]")
@click.option("--json", "as_json", is_flag=True, help="Print everything known as JSON.")
def command(kind: str | None, name: str | None, *, as_json: bool) -> None:
    """Cards, fabrics, models, stacks and presets, with sources.

    Parts are what networks are built from; grids, where electricity comes from, with its carbon. Without ID, the list
    of a kind; without a kind, how many there are of each. A figure with ? behind it was not checked against a source
    that was read.
    """
    from planner.catalog import Catalog
    from planner.cli.output import folding, put_json, put_lines, width
    from planner.cli.plans import warn_of_own_files
    from planner.exchange import listing

    catalog = Catalog.default()
    warn_of_own_files(catalog)
    if kind is None:
        ids = {each: catalog.ids(listing.KINDS[each]) for each in KINDS}
        if as_json:
            put_json({"kinds": ids})
        else:
            put_lines(_overview(ids))
        return
    found = {each: listing.find(catalog, kind, each) for each in ([name] if name else _usable(catalog, kind))}
    if as_json:
        put_json(listing.as_dict(catalog, kind, found))
    elif name:
        put_lines(_page(catalog, name, found[name], width()))
    else:
        put_lines(_list(listing.HEADINGS[kind], [listing.cells(catalog, *pair) for pair in found.items()], folding()))


def _usable(catalog: Catalog, kind: str) -> Iterator[str]:
    """Ids of a kind whose files can be used; those of the others were warned of."""
    from planner.exchange import listing
    from planner.spec.base import PlanError

    for name in catalog.ids(listing.KINDS[kind]):
        try:
            listing.find(catalog, kind, name)
        except PlanError:
            continue
        yield name


def _overview(ids: Mapping[str, Sequence[str]]) -> Iterator[Line]:
    from planner.exchange.report import Line

    for kind, names in ids.items():
        yield Line(f"{kind:<10}{len(names):>4}   planner catalog {kind}")


def _list(headings: Sequence[str], rows: Sequence[Sequence[str]], fold: int) -> Iterator[Line]:
    """A table, figures set to the right. Where it is wider than `fold`, if any, the widest words are folded, or go."""
    from itertools import zip_longest

    from planner.exchange.report import Line
    from planner.spec.words import escaped

    lines = [[*headings], *([escaped(cell) for cell in row] for row in rows)]
    right = [all(not cell[:1].isalpha() for cell in column) for column in list(zip(*rows, strict=True))]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    while fold and (over := sum(widths) + 2 * len(widths) - 2 - fold) > 0:
        words = [place for place, figures in enumerate(right) if place and not figures]
        if not words:
            break
        widest = max(words, key=lambda place: widths[place])
        if widths[widest] - over >= NARROWEST:
            widths[widest] -= over
            break
        right, widths = right[:widest] + right[widest + 1 :], widths[:widest] + widths[widest + 1 :]
        lines = [[*line[:widest], *line[widest + 1 :]] for line in lines]
    for number, line in enumerate(lines):
        folded = [textwrap.wrap(cell, w, break_on_hyphens=False) for cell, w in zip(line, widths, strict=True)]
        for row in zip_longest(*folded, fillvalue=""):
            cells = (f"{c:>{w}}" if r else f"{c:<{w}}" for c, w, r in zip(row, widths, right, strict=True))
            yield Line("  ".join(cells).rstrip(), "text" if number else "heading")
    if any("?" in cell for row in rows for cell in row):
        yield from (Line(""), Line(LEGEND["?"], "quiet"))


def _page(catalog: Catalog, name: str, item: Item, width: int) -> Iterator[Line]:
    """One entry: its figures, notes, sources."""
    from planner.exchange import listing
    from planner.exchange.report import Line
    from planner.spec.words import escaped

    yield Line(escaped(item.name or name), "title")
    yield Line(escaped(f"id: {name}"), "quiet")
    yield Line("")
    rows = listing.rows(catalog, name, item)
    column = max((len(escaped(row.key)) for row in rows), default=0)
    for row in rows:
        yield from (Line(text) for text in _row(row, column, width))
    marks = {row.mark for row in rows if row.mark}
    if marks:
        yield Line("")
        yield from (Line(LEGEND[mark], "quiet") for mark in sorted(marks))
    if item.notes:
        yield from (Line(""), Line("Notes", "heading"))
        for paragraph in item.notes.strip().splitlines():
            yield from (Line(text) for text in _wrapped(escaped(paragraph), width, "  ", "  "))
    if sources := listing.sources_of(catalog, item):
        yield from (Line(""), Line("Sources", "heading"))
        for key, source in sources.items():
            yield from (Line(text) for text in _wrapped(escaped(_cited(key, source)), width, "  ", "    "))


def _row(row: Row, column: int, width: int) -> list[str]:
    """A figure with its mark, and where it was read."""
    from planner.spec.words import escaped

    value = f"{row.value}{row.mark if row.mark == '?' else ''}"
    behind = f"  [{', '.join(row.sources)}]" if row.sources else f"  ({row.mark})" if row.mark not in {"", "?"} else ""
    start = f"  {escaped(row.key):<{column}}  "
    return _wrapped(escaped(" ".join(value.split()) + behind), width, start, " " * len(start))


def _cited(key: str, source: Source) -> str:
    url = "" if source.url in {"", key} else f" {source.url}"
    title = "" if source.title == key else f": {source.title}"
    return f"{key}{title}{url}{'' if source.read else ' (quoted, not read)'}"


def _wrapped(text: str, width: int, first: str, other: str) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=other, break_on_hyphens=False, break_long_words=False
    )
