"""The picture of a plan as SVG: where a step goes, and memory by stage. No script, and nothing from outside.

Kinds of memory are told apart by their pattern, not by colour alone.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from html import escape

from planner.engine.result import MEMORY_PARTS, Estimate, Outcome
from planner.exchange.bars import memory_title, part_name, pick_stages, step_parts, step_title
from planner.exchange.figures import layout_facts, plan_facts, verdict
from planner.exchange.format import gigabytes, seconds, share
from planner.spec.words import escaped

WIDTH, ROW, LEFT, RIGHT = 960, 22, 150, 150
"""Of the picture, of a line, and the room of names and numbers, in pixels."""
ROOM = WIDTH - LEFT - RIGHT
TEXT, QUIET, LINE, BAR, OVER = "#1a1a1a", "#5a5a5a", "#b0b0b0", "#33658a", "#a4161a"
FILLS = {
    "weights": ("#33658a", ""),
    "gradients": ("#8fb8de", "M0 8L8 0M-2 2L2 -2M6 10L10 6"),
    "optimizer": ("#f6ae2d", "M0 0V8M4 0V8"),
    "activations": ("#d9e5d6", "M0 2H8M0 6H8"),
    "other": ("#e6e6e6", "M1 1h1v1h-1zM5 5h1v1h-1z"),
}
"""Colour and pattern of each kind of memory; weights are plain."""
MOST_STAGES = 32
LONGEST = 130
"""Characters of a line of facts; longer ones go on below, and a name takes half as many at most."""


def xml(text: str) -> str:
    r"""Text from a file as text of XML or HTML, or the value of an attribute, on one line.

    >>> xml('<a b="c">')
    '&lt;a b=&quot;c&quot;&gt;'
    """
    return escape(escaped(" ".join(text.split())))


def svg(outcome: Outcome) -> str:
    """The picture as a file of its own: the plan's name and facts above the bars.

    Args:
        outcome: what is drawn.
    """
    r, e = outcome.resolved, outcome.estimate
    facts = [" · ".join(facts) for facts in (plan_facts(r), layout_facts(r))]
    lines = [line for words in (*facts, verdict(outcome)) for line in textwrap.wrap(escaped(words), LONGEST)]
    title = textwrap.shorten(escaped(r.title), LONGEST // 2, placeholder=" …")
    head = [_text(16, 30, title, size=18, bold=True)]
    head += [_text(16, 52 + 18 * n, line, colour=QUIET) for n, line in enumerate(lines)]
    top = 64 + 18 * len(lines)
    return _document([*head, *_bars(e, top)], _height(e, top), r.title)


def figure(outcome: Outcome) -> str:
    """The bars alone, to stand inside a page."""
    e = outcome.estimate
    return _document(list(_bars(e, 0)), _height(e, 0), "Where a step goes; memory by stage")


def _document(parts: list[str], height: int, title: str) -> str:
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    start = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13" role="img">'
    ground = f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
    return "\n".join([start, f"<title>{xml(title)}</title>", _patterns(), ground, *parts, "</svg>", ""])


def _patterns() -> str:
    made = []
    for kind, (colour, path) in FILLS.items():
        stroke = f'<path d="{path}" stroke="{TEXT}" stroke-opacity="0.45" fill="none"/>' if path else ""
        size = 'width="8" height="8" patternUnits="userSpaceOnUse"'
        made.append(f'<pattern id="{kind}" {size}><rect width="8" height="8" fill="{colour}"/>{stroke}</pattern>')
    return f"<defs>{''.join(made)}</defs>"


def _bars(e: Estimate, top: int) -> Iterator[str]:
    """Both pictures, from a height on."""
    yield _text(16, top + 24, step_title(e), size=15, bold=True)
    parts = step_parts(e)
    scale = max(parts.values(), default=1.0)
    y = top + 36
    for key, time in parts.items():
        yield _text(16, y + 15, part_name(key))
        yield _rect(LEFT, y + 3, ROOM * time / scale, BAR)
        yield _text(WIDTH - 80, y + 15, seconds(time), anchor="end")
        yield _text(WIDTH - 16, y + 15, share(time / e.step_time_s), anchor="end")
        y += ROW
    yield from _memory(e, y + 20)


def _memory(e: Estimate, top: int) -> Iterator[str]:
    yield _text(16, top + 24, memory_title(e), size=15, bold=True)
    for n, kind in enumerate(MEMORY_PARTS):
        yield _rect(16 + 150 * n, top + 36, 16, f"url(#{kind})")
        yield _text(38 + 150 * n, top + 49, kind)
    totals, capacity = e.memory_gb_by_stage, e.memory_capacity_gb
    shown = pick_stages(totals, MOST_STAGES)
    scale, y = ROOM / max(capacity, *totals), top + 64
    for stage in shown:
        yield _text(16, y + 15, f"stage {stage}" if len(totals) > 1 else "all cards")
        x = float(LEFT)
        for kind in MEMORY_PARTS:
            yield _rect(x, y + 3, e.memory_by_stage_gb[stage][kind] * scale, f"url(#{kind})")
            x += e.memory_by_stage_gb[stage][kind] * scale
        over = totals[stage] > capacity
        words = f"{gigabytes(totals[stage])}{' too much' if over else ''}"
        yield _text(WIDTH - 16, y + 15, words, anchor="end", colour=OVER if over else TEXT)
        y += ROW
    edge = f"{LEFT + capacity * scale:.1f}"
    yield f'<path d="M{edge} {top + 60}V{y + 2}" stroke="{OVER}" stroke-dasharray="4 3"/>'
    if hidden := len(totals) - len(shown):
        yield _text(16, y + 15, f"and {hidden} stage{'s' * (hidden > 1)} between", colour=QUIET)


def _height(e: Estimate, top: int) -> int:
    stages = len(e.memory_gb_by_stage)
    rows = len(step_parts(e)) + min(stages, MOST_STAGES) + (stages > MOST_STAGES)
    return top + 36 + 20 + 64 + ROW * rows + 16


def _rect(x: float, y: int, width: float, fill: str) -> str:
    return f'<rect x="{x:.1f}" y="{y}" width="{max(width, 0.0):.1f}" height="16" fill="{fill}" stroke="{LINE}"/>'


def _text(
    x: int, y: int, words: str, *, size: int = 13, bold: bool = False, colour: str = TEXT, anchor: str = "start"
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    place = f'x="{x}" y="{y}" font-size="{size}" fill="{colour}" text-anchor="{anchor}"'
    return f"<text {place}{weight}>{xml(words)}</text>"
