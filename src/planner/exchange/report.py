"""The report of a plan as plain text. Readable without colour; a terminal may colour whole lines by their style."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from planner.engine.result import MEMORY_PARTS, Outcome
from planner.exchange.figures import Figure, headline, layout_line, plan_line, step_parts
from planner.exchange.format import bar, gigabytes, money, percent, seconds, significant
from planner.spec.base import Problem
from planner.spec.wording import escaped

Style = Literal["title", "heading", "text", "quiet", "error", "warning", "info"]

NARROWEST, WIDEST = 40, 120
MEMORY_GLYPHS = dict(zip(MEMORY_PARTS, "█▓▒░·", strict=True))
"""A glyph for each kind of memory: the picture is read without colour."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a report."""

    text: str
    style: Style = "text"


def text(outcome: Outcome, width: int = 100) -> str:
    """The whole report as text, no line wider than asked for (where that is at least 40)."""
    return "\n".join(line.text for line in lines(outcome, width)) + "\n"


def lines(outcome: Outcome, width: int = 100, *, everything: bool = False) -> list[Line]:
    """The report: the plan, the headline figures, where a step goes, memory by stage, parts, problems."""
    width = min(max(width, NARROWEST), WIDEST)
    sections = (_plan, _outcome, _step, _memory, _bill, _defaults, _problems)
    blocks = [block for section in sections if (block := list(section(outcome, width)))]
    return [line for block in blocks for line in (*block, Line(""))][:-1]


def problem_lines(problem: Problem, width: int) -> list[Line]:
    """A problem: severity, key, what is wrong, what to do."""
    words = " ".join(part for part in (f"{problem.key}:" if problem.key else "", problem.message, problem.fix) if part)
    return [Line(part, problem.severity) for part in _wrapped(f"{problem.severity:<8}{escaped(words)}", width, 8)]


def _plan(outcome: Outcome, width: int) -> Iterator[Line]:
    resolved = outcome.resolved
    name = resolved.plan.name or f"{resolved.model.name} on {resolved.card.name}"
    yield from (Line(part, "title") for part in _wrapped(escaped(name), width))
    for line in (plan_line(resolved), layout_line(resolved)):
        yield from (Line(part, "quiet") for part in _wrapped(escaped(line), width))


def _outcome(outcome: Outcome, width: int) -> Iterator[Line]:
    verdict = "It fits." if outcome.fits else "IT DOES NOT FIT."
    runs = outcome.estimate.runs_behind
    ranges = f"80 % range, from {runs:,} measured runs like it" if runs else "80 % range"
    yield Line(f"{verdict:<32}{ranges}"[:width].rstrip(), "heading" if outcome.fits else "error")
    for figure in headline(outcome):
        yield from _figure(figure, width)


def _figure(figure: Figure, width: int) -> Iterator[Line]:
    row = f"  {figure.name:<18}{figure.value:<12}{figure.range_80:<20}"
    if not figure.note or len(row) + len(figure.note) <= width:
        yield Line(f"{row}{figure.note}".rstrip())
        return
    yield Line(row.rstrip())
    yield from (Line(part, "quiet") for part in _wrapped(f"    {figure.note}", width, 4))


def _step(outcome: Outcome, width: int) -> Iterator[Line]:
    total = outcome.estimate.step_time_s
    room = max(width - 44, 4)
    yield Line(f"Where a step of {seconds(total)} goes", "heading")
    for name, time in step_parts(outcome.estimate):
        share = time / total
        yield Line(f"  {name:<20}{bar(share, room):<{room}} {seconds(time):>9} {percent(share):>8}"[:width])


def _memory(outcome: Outcome, width: int) -> Iterator[Line]:
    capacity = outcome.resolved.card.memory_gb
    stages = outcome.estimate.memory_by_stage_gb
    fullest = max(outcome.estimate.memory_gb, capacity)
    room = max(width - 40, 4)
    yield Line(f"Memory by stage, of {gigabytes(capacity)} a card"[:width], "heading")
    legend = "  ".join(f"{glyph} {part}" for part, glyph in MEMORY_GLYPHS.items())
    yield from (Line(part, "quiet") for part in _wrapped(f"  {legend}", width, 2))
    for _, group in groupby(enumerate(stages), key=lambda item: [round(v, 1) for v in item[1].values()]):
        members = list(group)
        (first, parts), last = members[0], members[-1][0]
        name = "all cards" if len(stages) == 1 else f"stage {first}" if first == last else f"stages {first}–{last}"
        total = sum(parts.values())
        picture = _stacked(parts, room / fullest)
        mark = "" if total <= capacity else "  too much"
        yield Line(f"  {name:<16}{picture:<{room}} {gigabytes(total):>9}{mark}"[:width], "error" if mark else "text")


def _stacked(parts: dict[str, float], cells_per_gb: float) -> str:
    """Kinds of memory side by side; each ends where the sum so far ends, so that rounding never adds up."""
    out, total = "", 0.0
    for part in MEMORY_PARTS:
        total += parts[part]
        out += MEMORY_GLYPHS[part] * (round(total * cells_per_gb) - len(out))
    return out


def _bill(outcome: Outcome, width: int) -> Iterator[Line]:
    parts = outcome.estimate.bill_of_materials
    if not parts:
        return
    room = max(width - 38, 8)
    yield Line("Bill of materials", "heading")
    for part in parts:
        name = textwrap.shorten(escaped(part.part), room, placeholder="…")
        price = money(part.usd) if part.usd else "no price"
        power = f"{significant(part.kw)} kW" if part.kw else ""
        yield Line(f"  {name:<{room}}{part.count:>10,.0f}{price:>12}{power:>12}"[:width].rstrip())


def _defaults(outcome: Outcome, width: int) -> Iterator[Line]:
    keys = sorted(outcome.resolved.defaults)
    if keys:
        words = f"Left to defaults: {', '.join(keys)}."
        yield from (Line(part, "quiet") for part in _wrapped(words, width, 2))


def _problems(outcome: Outcome, width: int) -> Iterator[Line]:
    for problem in outcome.problems:
        yield from problem_lines(problem, width)


def _wrapped(words: str, width: int, indent: int = 0) -> list[str]:
    return textwrap.wrap(words, width, subsequent_indent=" " * indent, break_on_hyphens=False) or [""]
