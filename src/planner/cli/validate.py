"""`planner validate`: predicted against measured, with the error table."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from planner.engine.validation import Prediction, Report, Summary
    from planner.exchange.report import Line
    from planner.spec.runs import SkippedRun

PIPE_WIDTH = 120
"""Columns of the tables where nothing tells how wide the output is."""

MEMORY_ROWS = 5
"""Rows shown of those whose source gives a card's memory."""
CHART = 22
"""Rows of the chart of predicted against measured."""

UNKNOWN = "–"


@click.command("validate")
@click.option(
    "--runs", "files", multiple=True, metavar="FILE",
    help="Runs file to compare with; several are read as one. Without it: the runs that come with the program.",
)  # fmt: skip
@click.option(
    "--held-out", is_flag=True, help="Errors on families left out of the fit, and predicted against measured, drawn.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print every row and every table as JSON.")
@click.option(
    "--max-median", type=click.FloatRange(min=0.0), metavar="RATIO",
    help="Fail (exit status 1) where the median absolute error of exact rows is above this, e.g. 0.06.",
)  # fmt: skip
def command(files: tuple[str, ...], *, held_out: bool, as_json: bool, max_median: float | None) -> None:
    """Compare the engine with measured runs."""
    if max_median is not None and not math.isfinite(max_median):
        raise click.BadParameter(f"{max_median} is not a finite number.", param_hint="--max-median")
    if held_out:
        if files or as_json or max_median is not None:
            raise click.UsageError("--held-out is about the runs that come with the program, and goes alone.")
        _show_held_out()
        return
    from planner.catalog import Catalog
    from planner.engine.estimate import evaluate
    from planner.engine.validation import predict_all, report
    from planner.exchange.runs import read_all, shipped_runs
    from planner.exchange.validation import validation_json

    data = read_all([Path(file) for file in files] or shipped_runs(), Catalog.default())
    with click.progressbar(data.runs, label="Runs", file=sys.stderr, hidden=not sys.stderr.isatty()) as rows:
        predictions, refused = predict_all(rows, evaluate)
    made = report(predictions, (*data.skipped, *refused))
    for warning in data.warnings:
        click.echo(f"warning: {warning}", err=True)
    if as_json:
        click.echo(json.dumps(validation_json(made, data.warnings), ensure_ascii=False, allow_nan=False, indent=1))
    else:
        _show(made)
    if not predictions:
        click.echo(f"validate: no row can be compared; {len(made.skipped):,} are skipped.", err=True)
        sys.exit(2)
    median = made.summary.median_abs_error
    if max_median is not None and (median is None or median > max_median):
        got = "there is no exact row" if median is None else f"the median absolute error is {median:.4f}"
        click.echo(f"validate: {got}; the limit is {max_median:g}.", err=True)
        sys.exit(1)


def _show_held_out() -> None:
    """The table and the chart of the terminal UI's screen."""
    from planner.catalog import Catalog
    from planner.cli.output import put_lines, width
    from planner.exchange.accuracy import by_family, points
    from planner.exchange.accuracy_pictures import BIAS, TITLE, chart_rows, family_rows, introduction
    from planner.exchange.report import Line, wrapped
    from planner.exchange.runs import read_all, shipped_runs

    families = by_family()
    rows = [*family_rows(families, width())]
    drawn = chart_rows(points(read_all(shipped_runs(), Catalog.default()).runs), width(), CHART)
    put_lines([
        *wrapped(introduction(families), width()), Line(""), *map(_joined, rows), Line(""), Line(BIAS), Line(""),
        Line(TITLE, "heading"), *map(_joined, drawn),
    ])  # fmt: skip


def _joined(row: list[tuple[str, str]]) -> Line:
    from planner.exchange.report import Line

    return Line("".join(words for words, _ in row).rstrip())


def _show(made: Report) -> None:
    from rich.console import Console

    on_screen = sys.stdout.isatty()
    console = Console(highlight=False, width=None if on_screen else PIPE_WIDTH)
    with console.capture() as drawn:
        console.print(*_page(made), sep="\n")
    click.echo("\n".join(line.rstrip() for line in drawn.get().splitlines()))


def _page(made: Report) -> list[RenderableType]:
    """Everything the text says, top to bottom."""
    from rich.text import Text

    out: list[RenderableType] = [Text(_heading(made)), _errors(made), Text(""), _further(made)]
    if made.worst:
        out += [Text("\nFurthest off"), _worst(made.worst)]
    if made.memory_rows:
        out += [Text("\nMemory of the fullest card, furthest off"), _memory(made.memory_rows[:MEMORY_ROWS])]
    if made.skipped:
        out += [Text(f"\nSkipped: {len(made.skipped):,}"), _skipped(made.skipped)]
    return out


def _heading(made: Report) -> str:
    families = len(made.by_group)
    return f"Predicted against measured step time: {made.summary.n:,} exact rows of {families} families\n"


def _errors(made: Report) -> Table:
    """One line a group of rows: all, by family, card, kind of model and precision; partial and odd rows last."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for name in ("rows", "median", "p90", "bias", "in 80 % range"):
        table.add_column(name, justify="right")
    _line(table, "all exact rows", made.summary)
    table.add_row("mean of family medians", "", _percent(made.mean_of_family_medians))
    tables = {
        "family": made.by_group, "card": made.by_card, "kind of model": made.by_kind, "precision": made.by_precision,
    }  # fmt: skip
    for title, summaries in tables.items():
        table.add_row()
        table.add_row(Text(f"by {title}", style="bold"))
        for name, summary in summaries.items():
            _line(table, f"  {name}", summary)
    table.add_row()
    _line(table, "reported apart: inputs not stated", made.partial)
    _line(table, "reported apart: odd rows", made.anomalous)
    return table


def _line(table: Table, name: str, summary: Summary) -> None:
    from rich.text import Text

    share = UNKNOWN if summary.coverage_80 is None else f"{summary.coverage_80:.0%}"
    figures = (_percent(summary.median_abs_error), _percent(summary.p90_abs_error))
    table.add_row(Text(name), f"{summary.n:,}", *figures, _percent(summary.bias, signed=True), share)


def _further(made: Report) -> Table:
    """Memory, fit and ranking, a line each."""
    from rich.table import Table

    memory, fit, ranking = made.memory, made.fit, made.ranking
    table = Table.grid(padding=(0, 2))
    table.add_row("Memory", f"{memory.n:,} rows, median error {_percent(memory.median_abs_error)}")
    called = (
        f"{fit.ran_called_oom:,} of {fit.ran:,} that ran are said not to fit, "
        f"{fit.oom_called_fit:,} of {fit.oom:,} that ran out of memory are said to"
    )
    table.add_row("Fit", f"balanced accuracy {_percent(fit.balanced_accuracy)}: {called}")
    pick = (
        f"the pick loses {_percent(ranking.median_loss)} at the median, and ran out of memory in {ranking.picked_oom}"
    )
    correlation = UNKNOWN if ranking.median_spearman is None else f"{ranking.median_spearman:.2f}"
    table.add_row("Ranking", f"{len(ranking.sweeps)} layout sweeps, median rank correlation {correlation}; {pick}")
    return table


def _worst(rows: Iterable[Prediction]) -> Table:
    return _beside([(p, p.row.step_time_s or 0.0, p.step_time_s, p.error) for p in rows], "s")


def _memory(rows: Iterable[Prediction]) -> Table:
    return _beside([(p, p.row.run.measured.memory_gb or 0.0, p.memory_gb, p.memory_error) for p in rows], "GB")


def _beside(rows: Iterable[tuple[Prediction, float, float, float]], unit: str) -> Table:
    """Runs with what was measured, what is predicted, and the error."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("run", overflow="fold")
    for name in ("card", f"measured {unit}", f"predicted {unit}", "error"):
        table.add_column(name, justify="left" if name == "card" else "right", no_wrap=True)
    for p, measured, predicted, error in rows:
        figures = (f"{measured:.4g}", f"{predicted:.4g}", _percent(error, signed=True))
        table.add_row(Text(p.row.id), Text(p.row.card), *figures)
    return table


def _skipped(rows: Sequence[SkippedRun]) -> Table:
    from rich.table import Table
    from rich.text import Text

    several = len({row.file for row in rows if row.file}) > 1
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("run", "why", *(["file"] if several else [])):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, (row.id, row.why, *([Path(row.file).name] if several else []))))
    return table


def _percent(ratio: float | None, *, signed: bool = False) -> str:
    if ratio is None:
        return UNKNOWN
    return f"{100 * ratio:{'+' if signed else ''}.1f} %"
