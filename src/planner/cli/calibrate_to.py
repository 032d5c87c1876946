"""`planner calibrate-to`: a stack of one's own from a few measured runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from planner.spec.runs import MeasuredRun
    from planner.spec.stack import Stack, StackFactor


@click.command("calibrate-to")
@click.argument("runs", metavar="RUNS")
@click.option("-o", "--output", metavar="STACK.toml", default="-", help="Where the stack goes; - (the default): shown.")
def command(runs: str, output: str) -> None:
    """Make a stack of your own from three or more runs you measured.

    RUNS is a runs file (`planner schema runs`) whose runs name one stack. The result holds that stack's facts and the
    factor your runs show, with its spread. Put it into the catalogue's stacks folder, and plans may name it.
    """
    from planner.catalog import Catalog
    from planner.engine.estimate import evaluate
    from planner.engine.own_runs import factor_of, without_factor
    from planner.exchange.files import write_atomic
    from planner.exchange.runs import read_runs

    data = read_runs(Path(runs), Catalog.default())
    rows = [row for row in data.runs if row.step_time_s]
    stack = _one_stack(rows)
    plain = [replace(row.resolved, stack=without_factor(row.resolved.stack)) for row in rows]
    predicted = [evaluate(resolved).estimate.step_time_s for resolved in plain]
    factor = factor_of([row.step_time_s or 0.0 for row in rows], predicted)
    write_atomic(output, _as_toml(stack, factor, Path(runs).name))
    for row, seconds in zip(rows, predicted, strict=True):
        click.echo(f"{row.id}: measured {row.step_time_s:.4g} s, engine {seconds:.4g} s", err=True)
    for skipped in data.skipped:
        click.echo(f"{skipped.id}: skipped, {skipped.why}", err=True)
    click.echo(f"factor {factor.step_time:g} on the step time, spread {100 * factor.spread:.1f} %", err=True)


def _one_stack(rows: list[MeasuredRun]) -> Stack:
    from planner.spec.base import PlanError, Problem

    names = sorted({row.resolved.stack.id or row.resolved.stack.name for row in rows})
    if len(names) > 1:
        message = f"the runs name {len(names)} stacks: {', '.join(names)}."
        raise PlanError([Problem("error", "run.strategy.stack", message, "Give each stack a file of its own.")])
    if not rows:
        raise PlanError([Problem("error", "run", "no run has a step time or a speed.")])
    return rows[0].resolved.stack


def _as_toml(stack: Stack, factor: StackFactor, source: str) -> str:
    import tomli_w

    facts = stack.model_dump(exclude={"id", "provenance", "unverified", "factor", "notes", "since"})
    facts["name"] = f"{stack.name}, as measured"
    facts["notes"] = f"Facts of {stack.name}; factor from {factor.runs} runs of {source}."
    return tomli_w.dumps({**facts, "factor": factor.model_dump()})
