"""`planner catalog`: what is known of cards, fabrics, models, stacks, presets and fleets, with sources."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from planner.catalog import Catalog, Source
    from planner.exchange.listing import Object
    from planner.exchange.report import Line

KINDS = ("cards", "fabrics", "models", "stacks", "presets", "fleets")

GAP = "  "

NUMERIC = frozenset("0123456789.,?–kMBT ")
"""Columns of these letters alone are set to the right."""


@click.command("catalog")
@click.argument("kind", type=click.Choice(KINDS), required=False, metavar="[cards|fabrics|models|stacks|presets|fleets]")
@click.argument("name", required=False, metavar="[ID]")
@click.option("--json", "as_json", is_flag=True, help="Print everything known as JSON.")
def command(kind: str | None, name: str | None, *, as_json: bool) -> None:
    """Cards, fabrics, models, stacks and presets, with sources.

    Without ID, the list of a kind; without a kind, how many there are of each. A figure with ? behind it was not
    checked against a source.
    """
    from planner.catalog import Catalog
    from planner.cli.output import put_json, put_lines, width
    from planner.cli.plans import warn_of_own_files
    from planner.exchange.listing import entry_dict, find, sources_of

    catalog = Catalog.default()
    warn_of_own_files(catalog)
    if kind is None:
        counts = {each: catalog.ids(_shelf(each)) for each in KINDS}
        put_json({"kinds": counts}) if as_json else put_lines(_overview(counts))
        return
    found = {each: find(catalog, kind, each) for each in ([name] if name else _usable(catalog, kind))}
    if as_json:
        sources = {key: source for item in found.values() for key, source in sources_of(catalog, item).items()}
        entries = [entry_dict(catalog, each, item) for each, item in found.items()]
        put_json({"kind": kind, "entries": entries, "sources": {key: vars_of(s) for key, s in sorted(sources.items())}})
    elif name:
        put_lines(_page(catalog, kind, name, found[name], width()))
    else:
        put_lines(_list(kind, catalog, found))
