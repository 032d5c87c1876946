"""Outcomes as a table: one row a plan, dotted headings. Safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from planner.engine.result import Outcome
from planner.exchange.as_json import outcome_dict
from planner.exchange.defaults import as_text
from planner.spec.words import escaped

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\n", "＝", "＋", "－", "＠")
"""A spreadsheet may take text that begins so for a formula."""

LEFT_TO_JSON = frozenset({"bill_of_materials", "groups", "catalogue_rents_by_year", "co2_kg_by_grid"})
"""What has no single cell for each plan."""
OF_MONEY = frozenset({
    "estimate.cost_usd", "estimate.usd_per_million_tokens", "estimate.interval_80.cost_usd",
    "estimate.extra.usd_per_card_hour", "account.failures.lost_usd", "account.failures.spares_usd",
})  # fmt: skip
"""Columns that hold nothing where no price is known."""


def dumps(outcomes: Sequence[Outcome]) -> str:
    """A heading line and one row for each outcome; a column for every key any of them has.

    Lists are joined with semicolons; `LEFT_TO_JSON` is left out. Where no price is known, cells of money are empty.
    """
    rows = [_row(outcome) for outcome in outcomes]
    headings = list(dict.fromkeys(key for row in rows for key in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, [safe_cell(key) for key in headings], lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows({safe_cell(key): value for key, value in row.items()} for row in rows)
    return out.getvalue()


def _row(outcome: Outcome) -> dict[str, object]:
    row = dict(_flat(outcome_dict(outcome), ""))
    return row if outcome.resolved.priced else {key: "" if key in OF_MONEY else value for key, value in row.items()}


def safe_cell(value: object) -> object:
    """A cell's value; text that a spreadsheet would run as a formula gets an apostrophe before it.

    Nothing in a text acts on a terminal, either, where the table is printed.

    >>> safe_cell("=1+1"), safe_cell(-1.5)
    ("'=1+1", -1.5)
    """
    if not isinstance(value, str):
        return value
    text = escaped(value, keep="\n\t")
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _flat(data: Mapping[str, object], prefix: str) -> Iterator[tuple[str, object]]:
    for name, value in data.items():
        key = f"{prefix}{name}"
        if name == "problems" and isinstance(value, list):
            yield key, safe_cell("; ".join(f"{p['severity']}: {p['message']}" for p in value))
        elif name == "defaults" and isinstance(value, Mapping):
            yield key, safe_cell("; ".join(f"{path} = {as_text(item)}" for path, item in value.items()))
        elif name in LEFT_TO_JSON:
            continue
        elif isinstance(value, Mapping):
            yield from _flat(value, f"{key}.")
        elif isinstance(value, list):
            yield key, safe_cell("; ".join(str(item) for item in value))
        elif isinstance(value, bool):
            yield key, str(value).lower()
        else:
            yield key, safe_cell(value)
