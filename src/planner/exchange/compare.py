"""Plans side by side, differences first: as JSON and as text."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from planner.catalog.prices import rent_of
from planner.engine.compare import Difference, differing, differs, figures, machine_facts, step_parts
from planner.engine.result import Outcome
from planner.exchange.as_json import outcome_dict
from planner.exchange.defaults import counting_defaults
from planner.exchange.figures import STEP_NAMES
from planner.exchange.format import (
    amount,
    days,
    gigabytes,
    megawatts,
    money,
    percent,
    seconds,
    short,
    significant,
    tonnes,
)
from planner.exchange.plan_toml import as_dict, flat
from planner.exchange.questions import run_dict
from planner.exchange.report import Line, wrapped
from planner.exchange.tables import table
from planner.spec.words import escaped

LEFT_OUT = frozenset({"schema", "name", "notes", "sources", "claim"})
"""Keys of a plan that change no figure."""

NAMES: dict[str, tuple[str, Callable[[float], str]]] = {
    "training_days": ("training time", days),
    "card_hours": ("card-hours", amount),
    "cost_usd": ("cost", money),
    "usd_per_million_tokens": ("cost of a million tokens", money),
    "step_time_s": ("step time", seconds),
    "tokens_per_s_per_card": ("tokens/s a card", amount),
    "mfu": ("MFU", percent),
    "hfu": ("HFU", percent),
    "goodput": ("goodput", percent),
    "memory_gb": ("memory", gigabytes),
    "power_mw": ("power", megawatts),
    "energy_mwh": ("energy, MWh", amount),
    "co2_kg": ("CO2", tonnes),
    "h100_equivalents": ("H100-equivalents", amount),
}
"""Figures as people call and read them."""

HEADLINE = ("mfu", "training_days", "cost_usd", "memory_gb", "power_mw")
"""Figures that come before what differs in the plans, which may be a screen of keys; in the order of the workbench."""
WIDEST_CELL = 20
LONG = 1e7
"""From here on a number of a plan gets a letter."""
TIMES = 4.0
"""From here on a difference is told as a multiple."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One plan of a comparison."""

    name: str
    outcome: Outcome
    best: Outcome | None
    """With the best strategy found for its cluster; None: not asked for, or nothing fits."""


@dataclass(frozen=True, slots=True)
class KeyDifference:
    """A key of the plan, or a fact of the machine it names, that is not the same everywhere."""

    key: str
    values: tuple[Any, ...]


def key_differences(outcomes: Sequence[Outcome]) -> tuple[KeyDifference, ...]:
    """Keys whose values differ, what stands for defaults among them, then the facts behind cards and fabrics."""
    plans = [_effective(outcome) for outcome in outcomes]
    machines = [machine_facts(outcome) for outcome in outcomes]
    rows = [KeyDifference(key, tuple(p.get(key) for p in plans)) for key in dict.fromkeys(k for p in plans for k in p)]
    rows += [KeyDifference(key, tuple(m[key] for m in machines)) for key in machines[0]]
    return tuple(row for row in rows if differs(row.values))


def compared_dict(plans: Sequence[Compared]) -> dict[str, Any]:
    """The comparison under the names of the contract: inputs that differ, then figures that differ."""
    outcomes = [plan.outcome for plan in plans]
    keys = [{"key": row.key, "values": list(row.values)} for row in key_differences(outcomes)]
    found = [_figure_dict("estimate", row) for row in differing(figures(outcomes))]
    parts = [_figure_dict("estimate.step_breakdown_s", row) for row in differing(step_parts(outcomes))]
    return {"plans": [_plan_dict(plan) for plan in plans], "differences": [*keys, *found, *parts]}


def lines(plans: Sequence[Compared], width: int, *, fold: int) -> Iterator[Line]:
    """The comparison as text: the headline, what differs in the plans, what follows, where in a step, what is the same.

    Args:
        plans: two or more.
        width: columns of paragraphs.
        fold: columns of tables, which long values and many plans are folded and split to; 0: a row is a line.
    """
    outcomes = [plan.outcome for plan in plans]
    titles = [f"[{number}]" for number in range(1, len(plans) + 1)]
    for number, plan in zip(titles, plans, strict=True):
        unfit = "" if plan.outcome.fits else " (DOES NOT FIT)"
        yield from wrapped(escaped(f"{number}: {plan.name}{unfit}"), width, "text", 3)
    yield Line("")
    keys = key_differences(outcomes)
    if not keys:
        yield Line("The plans do not differ.", "heading")
        return
    changes = {row.key: row for row in differing(figures(outcomes))}
    yield from _figures("In short", [changes[key] for key in HEADLINE if key in changes], titles, _figure_cell, fold)
    yield from _same_rent(outcomes, width)
    yield Line("")
    yield from _keys("What differs", keys, titles, fold)
    yield Line("")
    if rest := [row for key, row in changes.items() if key not in HEADLINE]:
        yield from _figures("What follows", rest, titles, _figure_cell, fold)
        yield Line("")
    yield from _figures("Where in a step", step_parts(outcomes), titles, _seconds_cell, fold)
    if all(plan.best for plan in plans):
        best = [plan.best for plan in plans if plan.best]
        yield Line("")
        yield from _figures("With the best strategy found", differing(figures(best)), titles, _figure_cell, fold)
        own = [row for row in key_differences(best) if row.key.startswith("strategy.")]
        if own:
            yield Line("")
            yield from _keys("Their strategies", own, titles, fold)
    same = [NAMES[row.key][0] for row in figures(outcomes) if row.key not in changes and row.values[0] is not None]
    if same:
        yield Line("")
        yield from wrapped(f"The same: {', '.join(same)}.", width, "quiet")


def _same_rent(outcomes: Sequence[Outcome], width: int) -> Iterator[Line]:
    """A warning where a rent stated for one card is kept for another."""
    first = outcomes[0].resolved
    for number, outcome in enumerate(outcomes[1:], 2):
        r = outcome.resolved
        stated, usual = r.plan.cost.usd_per_card_hour, rent_of(r.card)
        kept = stated is not None and stated == first.plan.cost.usd_per_card_hour and r.card != first.card
        if kept and stated and r.plan.cost.basis == "rent" and usual != stated:
            known = f"{r.card.name} usually rents for ${usual:,.2f}" if usual else f"no rent of {r.card.name} is known"
            words = f"[{number}] keeps the ${stated:,.2f} a card-hour the plan states; {known}"
            yield from wrapped(f"  {words} (cost.usd_per_card_hour).", width, "warning", 2)


def _keys(heading: str, rows: Sequence[KeyDifference], titles: Sequence[str], fold: int) -> Iterator[Line]:
    """Keys of the plans and their values."""
    body = [(escaped(row.key), [(_cell(value, fold),) for value in row.values]) for row in rows]
    yield from _side_by_side(heading, body, [(title,) for title in titles], fold)


def _figures(
    heading: str, rows: Sequence[Difference], titles: Sequence[str], cell: Callable[[Difference, int], str], fold: int
) -> Iterator[Line]:
    """Figures with how far each is from the first plan's."""
    if not rows:
        yield Line(f"{heading}: nothing that a reader could tell apart.", "heading")
        return
    body = []
    for row in rows:
        others = [(cell(row, place), _relative(row.relative[place])) for place in range(1, len(row.values))]
        body.append((_name(row.key), [(cell(row, 0),), *others]))
    yield from _side_by_side(heading, body, [(titles[0],), *((title, "") for title in titles[1:])], fold)


Cells = tuple[str, ...]


def _side_by_side(
    heading: str, body: Sequence[tuple[str, Sequence[Cells]]], titles: Sequence[Cells], fold: int
) -> Iterator[Line]:
    """A table with a group of columns for each plan.

    Where there is no room for all, several tables below each other, each with the first plan and with the rows that
    differ in it.

    Args:
        heading: of the names.
        body: name of a row, and its cells for each plan.
        titles: of the columns of each plan.
        fold: columns there are; 0: as many as one table needs.
    """

    def only(places: Sequence[int]) -> list[Line]:
        told = [row for row in body if any(row[1][place][0] != row[1][places[0]][0] for place in places)] or body
        rows = [row for name, cells in told for row in _rows(name, [c for place in places for c in cells[place]])]
        columns = [title for place in places for title in titles[place]]
        return [*table(rows, (heading, *columns), right=range(1, len(columns) + 1))]

    others = range(1, len(titles))
    for count in range(len(others), 0, -1):
        tables = [only([0, *others[start : start + count]]) for start in range(0, len(others), count)]
        if count == 1 or not fold or all(len(line.text) <= fold for each in tables for line in each):
            for number, each in enumerate(tables):
                yield from [Line("")] * bool(number)
                yield from each
            return


def _rows(name: str, cells: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """A row of a table, and further ones below it for cells of several lines."""
    for number, parts in enumerate(zip_longest(*(cell.split("\n") for cell in cells), fillvalue="")):
        yield ("" if number else name, *parts)


def _name(key: str) -> str:
    return NAMES[key][0] if key in NAMES else STEP_NAMES[key]


def _figure_cell(row: Difference, place: int) -> str:
    value = row.values[place]
    return "–" if value is None else NAMES[row.key][1](value)


def _seconds_cell(row: Difference, place: int) -> str:
    return seconds(row.values[place] or 0.0)


def _relative(value: float | None) -> str:
    if value is None:
        return ""
    if value >= TIMES:
        return f"x {significant(1.0 + value)}"
    return "=" if abs(value) < 0.0005 else f"{100 * value:+.1f} %"  # noqa: PLR2004 - less would show as zero


def _cell(value: object, fold: int) -> str:
    """A value of a plan in a column; where columns are counted, a long one takes several lines."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | float) and abs(value) >= LONG:
        return short(value, 4)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.6g}"
    text = " + ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    folded = textwrap.wrap(escaped(text), WIDEST_CELL, break_on_hyphens=False) if fold else [escaped(text)]
    return "\n".join(folded or [""])


def _effective(outcome: Outcome) -> dict[str, Any]:
    """Every key of a plan by dotted path: as written, else what stands for it."""
    written = {key: value for key, value in as_dict(outcome.resolved.plan).items() if key not in LEFT_OUT}
    keys = flat(written)
    unknown = {} if outcome.resolved.priced else {"cost.usd_per_card_hour": None}
    defaults = counting_defaults(outcome.resolved) | unknown
    return keys | {key: value for key, value in defaults.items() if key not in keys}


def _figure_dict(start: str, row: Difference) -> dict[str, Any]:
    return {"key": f"{start}.{row.key}", "values": list(row.values), "relative_to_first": list(row.relative)}


def _plan_dict(plan: Compared) -> dict[str, Any]:
    data = {"name": plan.name, **outcome_dict(plan.outcome)}
    return data | ({"best_found": run_dict(plan.best)} if plan.best else {})
