"""`planner validate`: predicted against measured, with the error table."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from planner.cli.numbers import FiniteRange


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
    "--max-median", type=FiniteRange(min=0.0), metavar="RATIO",
    help="Fail (exit status 1) where the median absolute error of exact rows is above this, e.g. 0.06.",
)  # fmt: skip
def command(files: tuple[str, ...], *, held_out: bool, as_json: bool, max_median: float | None) -> None:
    """Compare the engine with measured runs.

    Runs whose source leaves inputs out are reported apart; their ranges span a plan's defaults and the best choice.
    """
    if held_out:
        if files or as_json or max_median is not None:
            raise click.UsageError("--held-out is about the runs that come with the program, and goes alone.")
        _show_held_out()
        return
    from planner.catalog import Catalog
    from planner.cli.output import complain, folding, put_json, put_lines
    from planner.engine.estimate import evaluate
    from planner.engine.validation import predict_all, report
    from planner.exchange.runs import read_all, shipped_runs
    from planner.exchange.validation import validation_json
    from planner.exchange.validation_report import lines

    data = read_all([Path(file) for file in files] or shipped_runs(), Catalog.default())
    with click.progressbar(data.runs, label="Runs", file=sys.stderr, hidden=not sys.stderr.isatty()) as rows:
        predictions, refused = predict_all(rows, evaluate)
    made = report(predictions, (*data.skipped, *refused))
    if data.warnings:
        complain(*(f"warning: {warning}" for warning in data.warnings))
    if as_json:
        put_json(validation_json(made, data.warnings))
    else:
        put_lines(lines(made, folding()))
    if not predictions:
        complain(f"validate: no row can be compared; rows skipped: {len(made.skipped):,}.")
        sys.exit(2)
    median = made.summary.median_abs_error
    if max_median is not None and (median is None or median > max_median):
        got = "there is no exact row" if median is None else f"the median absolute error is {median:.4f}"
        complain(f"validate: {got}; the limit is {max_median:g}.")
        sys.exit(1)


def _show_held_out() -> None:
    """The table and the chart of the terminal UI's screen."""
    from planner.catalog import Catalog
    from planner.cli.output import put_lines, width
    from planner.exchange.accuracy import by_family, points
    from planner.exchange.accuracy_pictures import lines
    from planner.exchange.runs import read_all, shipped_runs

    put_lines(lines(by_family(), points(read_all(shipped_runs(), Catalog.default()).runs), width()))
