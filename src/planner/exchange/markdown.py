"""The report of a plan as Markdown, for a merge request or a wiki."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from planner import __version__
from planner.engine.result import MEMORY_PARTS, Estimate, Outcome
from planner.exchange.bars import memory_title, part_name, step_parts, step_title
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
from planner.spec.words import escaped

SPECIAL = re.compile(r"([\\`*_\[\]<>#|&~$])|^([-+=])|(?<=\d)([.)])(?=\s)")
"""What Markdown acts on: anywhere, at the beginning of a line, and after the number of a list's item."""


def plain(text: str) -> str:
    r"""Text from a file as Markdown that shows it literally, on one line.

    >>> plain("a|b <script>")
    'a\\|b \\<script\\>'
    """
    return SPECIAL.sub(r"\\\g<0>", escaped(" ".join(text.split())))


def markdown(outcome: Outcome) -> str:
    """The report: headline figures, where a step goes, memory by stage, parts, defaults, problems, sources."""
    r, e = outcome.resolved, outcome.estimate
    facts = [" · ".join(map(plain, group)) for group in (plan_facts(r), layout_facts(r))]
    parts = [
        f"# {plain(r.title)}",
        "  \n".join(facts),
        f"**{verdict(outcome)}**",
        _table(("", "", "80 % range", ""), ((f.name, f.value, f.range_80, f.note) for f in headline(outcome))),
        f"{MFU_NOTE} 80 % ranges: {ranges_from(e)}.",
    ]
    if said := claimed(outcome):
        parts.append(plain(said))
    parts += [f"## {step_title(e)}", _step(e)]
    parts += [f"## {memory_title(e)}", _memory(e)]
    if e.bill_of_materials:
        parts += ["## Bill of materials", _bill(e)]
    if values := counting_defaults(r):
        listed = (f"`{key}` {plain(as_text(value))}" for key, value in values.items())
        parts += ["## Left to defaults", ", ".join(listed)]
    if outcome.problems:
        found = (f"- **{p.severity}** `{p.key}`: {plain(f'{p.message} {p.fix}'.strip())}" for p in outcome.problems)
        parts += ["## Problems", "\n".join(found)]
    if r.plan.sources:
        parts += ["## Sources", "\n".join(f"- {plain(source)}" for source in r.plan.sources)]
    parts.append(f"cluster-planner {__version__}")
    return "\n\n".join(parts) + "\n"


def _step(e: Estimate) -> str:
    """Compute, its parts, then the other parts."""
    rows = [("compute", e.step_breakdown_s["compute"])]
    for key, time in step_parts(e).items():
        rows.append((f"– {part_name(key)}" if key.startswith("compute.") else part_name(key), time))
    return _table(("part", "time", "share"), ((n, seconds(t), share(t / e.step_time_s)) for n, t in rows))


def _memory(e: Estimate) -> str:
    return _table(("stage", *MEMORY_PARTS, "all"), stage_rows(e))


def _bill(e: Estimate) -> str:
    rows = ((plain(part), *cells) for part, *cells in part_rows(e))
    return _table(("part", "count", "to buy", "power"), rows)


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
