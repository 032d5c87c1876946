"""The report of a plan as Markdown, for a merge request or a wiki."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from planner import __version__
from planner.engine.result import MEMORY_PARTS, Outcome
from planner.exchange.figures import headline, layout_line, plan_line, step_parts
from planner.exchange.format import gigabytes, money, percent, seconds, significant
from planner.spec.wording import escaped

SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#|!&~])")


def plain(text: str) -> str:
    r"""Text from a file as Markdown that shows it literally, on one line.

    >>> plain("a|b <script>")
    'a\\|b \\<script\\>'
    """
    return SPECIAL.sub(r"\\\1", escaped(" ".join(text.split())))


def markdown(outcome: Outcome) -> str:
    """The report: headline figures, where a step goes, memory by stage, parts, problems."""
    r, e = outcome.resolved, outcome.estimate
    parts = [
        f"# {plain(r.plan.name or f'{r.model.name} on {r.card.name}')}",
        f"{plain(plan_line(r))}  \n{plain(layout_line(r))}",
        "**Fits.**" if outcome.fits else "**Does not fit.**",
        _table(("", "", "80 % range", ""), ((f.name, f.value, f.range_80, f.note) for f in headline(outcome))),
        f"## Where a step of {seconds(e.step_time_s)} goes",
        _table(("part", "time", "share"), ((n, seconds(t), percent(t / e.step_time_s)) for n, t in step_parts(e))),
        f"## Memory by stage, of {gigabytes(r.card.memory_gb)} a card",
        _table(
            ("stage", *MEMORY_PARTS, "total"),
            ((str(i), *(gigabytes(s[p]) for p in MEMORY_PARTS), gigabytes(sum(s.values())))
             for i, s in enumerate(e.memory_by_stage_gb)),
        ),
    ]  # fmt: skip
    if e.bill_of_materials:
        rows = ((plain(p.part), f"{p.count:,.0f}", money(p.usd), significant(p.kw)) for p in e.bill_of_materials)
        parts += ["## Bill of materials", _table(("part", "count", "cost", "kW"), rows)]
    if outcome.problems:
        listed = (f"- **{p.severity}** `{p.key}`: {plain(f'{p.message} {p.fix}'.strip())}" for p in outcome.problems)
        parts += ["## Problems", "\n".join(listed)]
    if r.plan.sources:
        parts += ["## Sources", "\n".join(f"- {plain(source)}" for source in r.plan.sources)]
    parts.append(f"cluster-planner {__version__}; the range comes from {e.runs_behind:,} measured runs.")
    return "\n\n".join(parts) + "\n"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
