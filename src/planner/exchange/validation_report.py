"""A validation as text: the error table, then memory, fit and ranking, the rows furthest off, and what was skipped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from planner.engine.validation import Prediction, Report, Summary
from planner.exchange.accuracy_pictures import percent
from planner.exchange.report import Line
from planner.exchange.tables import table
from planner.exchange.validation import memory_apart
from planner.spec.runs import SkippedRun
from planner.spec.words import escaped

HEADINGS: Final = ("", "rows", "median", "p90", "bias", "in 80 % range")
"""Of the error table."""
LONGEST: Final = 34
"""Columns of the names in the error table at most: on 80 columns its figures stand beside them."""
MEMORY_ROWS: Final = 5
"""Rows shown of those whose source gives a card's memory."""
UNKNOWN: Final = "–"


def lines(report: Report, fold: int = 0) -> Iterator[Line]:
    """Everything the report says.

    Args:
        report: the tables.
        fold: columns of the tables, as those of `exchange.tables.table`.
    """
    exact, families = report.summary.n, len(report.by_group)
    count = f"{exact:,} exact row{'s' * (exact != 1)} of {families} {'family' if families == 1 else 'families'}"
    yield Line(f"Predicted against measured step time: {count}", "title")
    yield Line("")
    yield from _errors(report)
    yield Line("")
    yield from table(_further(report), fold=fold)
    if report.worst:
        yield from (Line(""), Line("Furthest off", "title"))
        yield from _beside(((p, p.row.step_time_s, p.step_time_s, p.error) for p in report.worst), "s", fold)
    if report.memory_rows:
        yield from (Line(""), Line("Memory of the fullest card, furthest off", "title"))
        shown = report.memory_rows[:MEMORY_ROWS]
        rows = ((p, p.row.run.measured.memory_gb, p.memory_gb, p.memory_error) for p in shown)
        yield from _beside(rows, "GB", fold)
    if report.skipped:
        yield from (Line(""), Line(f"Skipped: {len(report.skipped):,}", "title"))
        yield from _skipped(report.skipped, fold)


def _errors(report: Report) -> Iterator[Line]:
    """One line a group of rows: all, by family, card, kind of model and precision; partial and odd rows last."""
    families = ("mean of family medians", "", percent(report.mean_of_family_medians), "", "", "")
    rows = [_summary("all exact rows", report.summary), families]
    groups: dict[str, Mapping[str, Summary]] = {
        "by family": report.by_group, "by card": report.by_card, "by kind of model": report.by_kind,
        "by precision": report.by_precision,
        "reported apart": {"inputs not stated": report.partial, "odd rows": report.anomalous},
    }  # fmt: skip
    for title, summaries in groups.items():
        rows += [("",) * len(HEADINGS), (title, *[""] * (len(HEADINGS) - 1))]
        rows += [_summary(f"  {name}", summary) for name, summary in summaries.items()]
    drawn = table(rows, HEADINGS, right=range(1, len(HEADINGS)))
    for row, line in zip([HEADINGS, *rows], drawn, strict=True):
        yield line if any(row[1:]) else Line(line.text, "heading")


def _summary(name: str, summary: Summary) -> tuple[str, ...]:
    name = escaped(name)
    share = UNKNOWN if summary.coverage_80 is None else f"{summary.coverage_80:.0%}"
    return (
        name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…", f"{summary.n:,}",
        percent(summary.median_abs_error), percent(summary.p90_abs_error), percent(summary.bias, sign=True), share,
    )  # fmt: skip


def _further(report: Report) -> list[tuple[str, str]]:
    """Memory, fit and ranking, a line each."""
    memory, fit, ranking = report.memory, report.fit, report.ranking
    called = (
        f"{fit.ran_called_oom:,} of {fit.ran:,} that ran are said not to fit, "
        f"{fit.oom_called_fit:,} of {fit.oom:,} that ran out of memory are said to"
    )
    pick = f"the pick loses {percent(ranking.median_loss)} at the median, and ran out of memory in {ranking.picked_oom}"
    correlation = UNKNOWN if ranking.median_spearman is None else f"{ranking.median_spearman:.2f}"
    apart = len(memory_apart(report))
    more = f"; {apart:,} more of partial or odd rows" if apart else ""
    return [
        ("Memory", f"{memory.n:,} rows, median error {percent(memory.median_abs_error)}{more}"),
        ("Fit", f"balanced accuracy {percent(fit.balanced_accuracy)}: {called}"),
        ("Ranking", f"{len(ranking.sweeps)} layout sweeps, median rank correlation {correlation}; {pick}"),
    ]


def _beside(rows: Iterable[tuple[Prediction, float | None, float, float]], unit: str, fold: int) -> Iterator[Line]:
    """Runs with what was measured, what is predicted, and the error."""
    cells = [
        (percent(error, sign=True), f"{measured or 0.0:.4g}", f"{predicted:.4g}", p.row.card, escaped(p.row.id))
        for p, measured, predicted, error in rows
    ]
    heading = ("error", f"measured {unit}", f"predicted {unit}", "card", "run")
    return table(cells, heading, right=(0, 1, 2), fold=fold)


def _skipped(rows: Sequence[SkippedRun], fold: int) -> Iterator[Line]:
    """Runs, and why they cannot be compared, behind the file they stand in where there are several."""
    several = len({row.file for row in rows if row.file}) > 1
    cells = [(row.id, f"{Path(row.file).name}: {row.why}" if several and row.file else row.why) for row in rows]
    return table([(escaped(name), escaped(why)) for name, why in cells], ("run", "why"), fold=fold)
