"""The report of a plan as one HTML file: the same facts as the Markdown report, with its pictures inside.

No script and nothing from outside; it prints as it reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from planner import __version__
from planner.engine.result import MEMORY_PARTS, Estimate, Outcome
from planner.exchange.bars import part_name, step_parts
from planner.exchange.defaults import as_text, counting_defaults
from planner.exchange.figures import (
    MFU_NOTE,
    claimed,
    headline,
    layout_facts,
    part_rows,
    plan_facts,
    ranges_from,
    stage_rows,
    verdict,
)
from planner.exchange.format import seconds, share
from planner.exchange.pictures import lines
from planner.exchange.svg import figure, xml

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may load: the styles in the file."""
STYLE = """
body { font: 15px/1.45 sans-serif; max-width: 62em; margin: 2em auto; padding: 0 1em; color: #1a1a1a; }
h1 { font-size: 1.6em; margin-bottom: 0.2em; } h2 { font-size: 1.15em; margin-top: 1.8em; }
p.facts { color: #5a5a5a; margin: 0.2em 0; } p.no { color: #a4161a; }
table { border-collapse: collapse; } td, th { padding: 0.15em 0.8em 0.15em 0; text-align: left; vertical-align: top; }
th { border-bottom: 1px solid #b0b0b0; } td.n, th.n { text-align: right; }
svg { max-width: 100%; height: auto; } pre { font-size: 12px; line-height: 1.25; overflow-x: auto; }
@media print { body { margin: 0; max-width: none; font-size: 10pt; } pre { font-size: 6.5pt; overflow: visible; }
h2 { break-after: avoid; } svg, tr { break-inside: avoid; } }
"""
PICTURE = 110
"""Columns of the pictures that are text."""


def html(outcome: Outcome) -> str:
    """The report: headline figures, pictures, where a step goes, memory by stage, parts, defaults, problems, sources.

    Args:
        outcome: what is reported.
    """
    r, e = outcome.resolved, outcome.estimate
    name = xml(r.title)
    parts = [f"<h1>{name}</h1>"]
    parts += [f'<p class="facts">{xml(" · ".join(facts))}</p>' for facts in (plan_facts(r), layout_facts(r))]
    mark = "" if outcome.fits else ' class="no"'
    parts.append(f"<p{mark}><strong>{verdict(outcome)}</strong></p>")
    rows = [(f.name, f.value, f.range_80, f.note) for f in headline(outcome)]
    parts.append(_table(("", "", "80 % range", ""), rows))
    parts.append(f"<p>{xml(MFU_NOTE)} 80 % ranges: {ranges_from(e)}.</p>")
    if said := claimed(outcome):
        parts.append(f"<p>{xml(said)}</p>")
    parts += ["<h2>Pictures</h2>", figure(outcome).rstrip()]
    drawn = "\n".join(line.text for line in lines(outcome, PICTURE))
    parts += [f"<pre>{escape(drawn)}</pre>", "<h2>Where a step goes</h2>", _step(e)]
    parts += ["<h2>Memory by stage</h2>", _memory(e), *_bill(e), *_rest(outcome)]
    parts.append(f'<p class="facts">cluster-planner {xml(__version__)}</p>')
    head = f'<meta charset="utf-8"/><meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}"/>'
    head += f"<title>{name}</title><style>{STYLE}</style>"
    body = "\n".join(parts)
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>{head}</head>\n<body>\n{body}\n</body>\n</html>\n'


def _step(e: Estimate) -> str:
    rows = [(part_name(key), seconds(time), share(time / e.step_time_s)) for key, time in step_parts(e).items()]
    return _table(("part", "time", "share"), [*rows, ("all", seconds(e.step_time_s), share(1.0))], numbers=2)


def _memory(e: Estimate) -> str:
    return _table(("stage", *MEMORY_PARTS, "all"), stage_rows(e), numbers=len(MEMORY_PARTS) + 1)


def _bill(e: Estimate) -> list[str]:
    if not e.bill_of_materials:
        return []
    return ["<h2>Bill of materials</h2>", _table(("part", "count", "to buy", "power"), part_rows(e), numbers=3)]


def _rest(outcome: Outcome) -> list[str]:
    """Defaults, problems, sources and notes, where there are any."""
    r, parts = outcome.resolved, []
    if values := counting_defaults(r):
        parts += ["<h2>Left to defaults</h2>", _list(f"{key} {as_text(value)}" for key, value in values.items())]
    if outcome.problems:
        words = (f"{p.severity}: {p.key + ': ' if p.key else ''}{p.message} {p.fix}" for p in outcome.problems)
        parts += ["<h2>Problems</h2>", _list(words)]
    if r.plan.sources:
        parts += ["<h2>Sources</h2>", _list(r.plan.sources)]
    if r.plan.notes.strip():
        parts += ["<h2>Notes</h2>", *(f"<p>{xml(line)}</p>" for line in r.plan.notes.strip().splitlines())]
    return parts


def _list(items: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{xml(item)}</li>' for item in items)}</ul>"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> str:
    """A table whose last columns are numbers."""
    marks = [""] * (len(headings) - numbers) + [' class="n"'] * numbers

    def line(cells: Sequence[str], tag: str) -> str:
        inside = (f"<{tag}{mark}>{xml(cell)}</{tag}>" for cell, mark in zip(cells, marks, strict=True))
        return f"<tr>{''.join(inside)}</tr>"

    return "\n".join(["<table>", line(headings, "th"), *(line(row, "td") for row in rows), "</table>"])
