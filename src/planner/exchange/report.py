"""The report of a plan as plain text. Readable without colour; a terminal may colour whole lines by their style."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from planner.engine.result import MEMORY_PARTS, Estimate, Outcome, Part
from planner.exchange.bars import FILLS, memory_bars, memory_title, rough_percent, step_bars, step_title
from planner.exchange.defaults import Value, as_text, counting_defaults, default_values
from planner.exchange.figures import (
    MFU_NOTE,
    Figure,
    claimed,
    headline,
    layout_facts,
    plan_facts,
    ranges_from,
    verdict,
)
from planner.exchange.format import gigabytes, megawatts, money, seconds
from planner.spec.base import Problem
from planner.spec.words import escaped

Style = Literal["title", "heading", "text", "quiet", "error", "warning", "info"]

NARROWEST, WIDEST = 56, 120
RANGES = 32
"""Column the ranges of figures begin at."""
STAGES = 3
"""Pipeline stages whose memory is shown: the first, the fullest and the last."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a report."""

    text: str
    style: Style = "text"


def text(outcome: Outcome, width: int = 100) -> str:
    """The whole report as text, no line wider than asked for (where that is at least 56)."""
    return "\n".join(line.text for line in lines(outcome, width)) + "\n"


def lines(outcome: Outcome, width: int = 100, *, everything: bool = False, assumed: Sequence[str] = ()) -> list[Line]:
    """The report: the plan, the headline figures, where a step goes, memory by stage, parts, defaults, problems.

    Args:
        outcome: what is reported.
        width: columns to fill.
        everything: every stage and every default, also those that change nothing in this plan.
        assumed: keys of a preset that no source states.
    """
    width = min(max(width, NARROWEST), WIDEST)
    blocks = (
        _plan(outcome, width),
        _outcome(outcome, width),
        step_lines(outcome.estimate, width),
        memory_lines(outcome.estimate, width, everything=everything),
        bill_lines(outcome.estimate.bill_of_materials, width),
        _defaults((default_values if everything else counting_defaults)(outcome.resolved), width),
        _assumed(assumed, width),
        _problems(outcome.problems, width),
    )
    return [line for block in map(list, blocks) if block for line in (*block, Line(""))][:-1]


def problem_lines(problem: Problem, width: int) -> list[Line]:
    """A problem: severity, key, what is wrong, what to do."""
    words = " ".join(part for part in (f"{problem.key}:" if problem.key else "", problem.message, problem.fix) if part)
    return wrapped(f"{problem.severity:<9}{escaped(words)}", width, problem.severity, 9)


def _plan(outcome: Outcome, width: int) -> Iterator[Line]:
    resolved = outcome.resolved
    yield from wrapped(escaped(resolved.title), width, "title")
    yield from _joined(plan_facts(resolved), width)
    yield from _joined(layout_facts(resolved), width)


def _outcome(outcome: Outcome, width: int) -> Iterator[Line]:
    fits = verdict(outcome) if outcome.fits else verdict(outcome).upper()
    ranges = f"80 % range, {ranges_from(outcome.estimate)}"
    style: Style = "heading" if outcome.fits else "error"
    if RANGES + len(ranges) > width:
        yield Line(fits, style)
        yield from wrapped(f"  {ranges}:", width, style, 2)
    else:
        yield Line(f"{fits:<{RANGES}}{ranges}", style)
    for figure in headline(outcome):
        yield from _figure(figure, width)
    yield from wrapped(f"  {MFU_NOTE}", width, "quiet", 2)
    if said := claimed(outcome):
        yield from wrapped(escaped(f"  {said}"), width, "quiet", 2)


def _figure(figure: Figure, width: int) -> Iterator[Line]:
    row = f"  {figure.name:<18}{figure.value:<11} {figure.range_80:<18} "
    if len(row) + len(figure.note) <= width:
        yield Line(f"{row}{figure.note}".rstrip())
        return
    yield Line(row.rstrip())
    yield from wrapped(f"    {figure.note}", width, "quiet", 4)


def step_lines(e: Estimate, width: int) -> Iterator[Line]:
    """Where a step goes: a bar a part, then what those of compute come to."""
    compute = e.step_breakdown_s["compute"]
    yield Line(step_title(e), "heading")
    yield from (Line(one.text) for one in step_bars(e, width))
    yield Line(f"  Compute in all: {seconds(compute)}, {rough_percent(compute / e.step_time_s)}.", "quiet")


def memory_lines(e: Estimate, width: int, *, everything: bool) -> Iterator[Line]:
    """Memory by stage: a legend, a stacked bar a stage, then what the fullest holds.

    Args:
        e: the estimate.
        width: columns to fill.
        everything: every stage.
    """
    stages, fullest = e.memory_by_stage_gb, e.fullest_stage
    yield Line(memory_title(e), "heading")
    yield from _joined([f"{FILLS[kind]} {kind}" for kind in MEMORY_PARTS], width, start="  ", between="  ")
    bars = [*memory_bars(e, width, 0 if everything else STAGES)]
    yield from (Line(one.text, "error" if one.over else "text") for one in bars)
    if hidden := len(stages) - len(bars):
        yield Line(f"  and {hidden} stage{'s' * (hidden > 1)} between (--all)", "quiet")
    parts = [f"{kind} {gigabytes(stages[fullest][kind])}" for kind in MEMORY_PARTS]
    which = f"  Stage {fullest}, the fullest: " if len(stages) > 1 else "  "
    yield from _joined(parts, width, start=which, between=", ")


def bill_lines(parts: Sequence[Part], width: int, heading: str = "Bill of materials") -> Iterator[Line]:
    """What the cluster is built from: count, price, power.

    Args:
        parts: kinds of parts.
        width: columns to fill; names that are longer than what is left of them go on below.
        heading: above the names.
    """
    if not parts:
        return
    room = width - 33
    yield Line(f"{heading:<{room + 1}}{'count':>10}{'to buy':>11}{'power':>11}", "heading")
    for part in parts:
        name, *rest = textwrap.wrap(escaped(part.part), room - 1, subsequent_indent="  ", break_on_hyphens=False)
        price = money(part.usd) if part.usd else "no price"
        power = megawatts(part.kw / 1000) if part.kw else ""
        yield Line(f"  {name:<{room}}{part.count:>9,.0f}{price:>11}{power:>11}".rstrip())
        yield from (Line(f"  {words}") for words in rest)
    usd, kw = sum(part.usd for part in parts), sum(part.kw for part in parts)
    at_least = "" if all(part.usd for part in parts) else ", without what has no price"
    yield Line(f"  {f'all{at_least}':<{room}}{'':>9}{money(usd):>11}{megawatts(kw / 1000):>11}", "quiet")


def _defaults(values: dict[str, Value], width: int) -> Iterator[Line]:
    if not values:
        return
    yield Line("Left to defaults", "heading")
    for table, keys in groupby(values, key=lambda key: key.partition(".")[0]):
        words = [f"{key.partition('.')[2]} {escaped(as_text(values[key]))}" for key in keys]
        yield from _joined(words, width, "quiet", start=f"  {table:<12}", between=", ")


def _assumed(keys: Sequence[str], width: int) -> Iterator[Line]:
    if keys:
        yield Line("Assumed, since no source states it", "heading")
        yield from _joined(list(keys), width, "quiet", start="  ", between=", ")


def _problems(problems: Iterable[Problem], width: int) -> Iterator[Line]:
    for problem in problems:
        yield from problem_lines(problem, width)


def wrapped(words: str, width: int, style: Style = "text", indent: int = 0) -> list[Line]:
    """A paragraph, its first line as it starts, the others indented.

    Args:
        words: already made harmless to terminals where they come from files.
        width: columns to fill.
        style: of every line.
        indent: of every line after the first.
    """
    parts = textwrap.wrap(words, width, subsequent_indent=" " * indent, break_on_hyphens=False)
    return [Line(part, style) for part in parts or [""]]


def _joined(
    facts: Sequence[str], width: int, style: Style = "quiet", *, start: str = "", between: str = " · "
) -> Iterator[Line]:
    """Facts in a row, broken between them; each line after the first is indented as far as the first starts."""
    mark = between.rstrip()
    gap = between[len(mark) :]
    line = ""
    for word in [*(f"{escaped(fact)}{mark}" for fact in facts[:-1]), escaped(facts[-1])]:
        longer = f"{line}{gap}{word}" if line else word
        if line and len(start) + len(longer) > width:
            yield from wrapped(start + line, width, style, len(start))
            start, line = " " * len(start), word
        else:
            line = longer
    yield from wrapped(start + line, width, style, len(start))
