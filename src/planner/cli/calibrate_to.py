"""`planner calibrate-to`: a stack of one's own from a few measured runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from planner.catalog import Catalog
    from planner.spec.runs import MeasuredRun, RunsData
    from planner.spec.stack import Stack, StackFactor


@click.command("calibrate-to")
@click.argument("runs", metavar="RUNS")
@click.option("-o", "--output", metavar="STACK.toml", default="-", help="Where the stack goes; - (the default): shown.")
def command(runs: str, output: str) -> None:
    """Make a stack of your own from three or more runs you measured.

    RUNS is a runs file (`planner schema runs`) whose runs name one stack. The result holds that stack's facts and the
    factor your runs show, with its spread. Put it into catalogue/stacks/ beside the settings file that `planner config
    show` names, and plans may name it. Rows that are marked odd or partial, or ran out of memory, do not count.
    """
    from planner.catalog import Catalog
    from planner.engine.estimate import evaluate
    from planner.engine.own_runs import factor_of, without_factor
    from planner.exchange.files import write_atomic
    from planner.exchange.runs import read_all
    from planner.spec.base import PlanError

    catalog = Catalog.default()
    data = read_all([Path(runs)], catalog)
    rows = [row for row in data.runs if row.exact and row.step_time_s is not None]
    _say_what_does_not_count(data)
    try:
        stack = _one_stack(rows, catalog)
        plain = [replace(row.resolved, stack=without_factor(row.resolved.stack)) for row in rows]
        predicted = [evaluate(resolved).estimate.step_time_s for resolved in plain]
        factor = factor_of([row.step_time_s or 0.0 for row in rows], predicted)
    except PlanError as error:
        raise PlanError(error.problems, runs) from None
    write_atomic(output, _as_toml(stack, factor, Path(runs).name))
    for row, seconds in zip(rows, predicted, strict=True):
        click.echo(f"{row.id}: measured {row.step_time_s:.4g} s, engine {seconds:.4g} s", err=True)
    click.echo(f"factor {factor.step_time:g} on the step time, spread {100 * factor.spread:.1f} %", err=True)


def _say_what_does_not_count(data: RunsData) -> None:
    for warning in data.warnings:
        click.echo(f"warning: {warning}", err=True)
    for skipped in data.skipped:
        click.echo(f"{skipped.id}: skipped, {skipped.why}", err=True)
    for row in data.runs:
        if row.step_time_s is None:
            why = "it ran out of memory" if row.oom else "it has no speed"
            click.echo(f"{row.id}: does not count, {why}", err=True)
        elif not row.exact:
            why = f"it is marked odd ({row.run.anomaly})" if row.run.anomaly else "its inputs are not all stated"
            click.echo(f"{row.id}: does not count, {why}", err=True)


def _one_stack(rows: Sequence[MeasuredRun], catalog: Catalog) -> Stack:
    """The stack all rows ran on, with the facts they state; where they differ, with the catalogue's own.

    Raises:
        PlanError: there are no rows, they name several stacks, or state different facts of one that is not in the
            catalogue.
    """
    from planner.spec.base import PlanError, Problem

    if not rows:
        raise PlanError([Problem("error", "run", "no exact run has a step time or a speed.")])
    first, stack = rows[0], rows[0].resolved.stack
    for row in rows[1:]:
        other = row.resolved.stack
        if (stack.id, stack.name) != (other.id, other.name):
            message = f"{first.id} ran on {stack.id or stack.name}, {row.id} on {other.id or other.name}."
            raise PlanError([Problem("error", "run.strategy.stack", message, "Give each stack a file of its own.")])
    latest = max(row.resolved.stack.kernels_from for row in rows)
    stacks = [row.resolved.stack.model_copy(update={"kernels_from": latest}) for row in rows]
    stack = stacks[0]
    differ = [
        name for name in type(stack).model_fields if any(getattr(s, name) != getattr(stack, name) for s in stacks)
    ]
    if differ and not stack.id:
        message = f"the runs state different facts of {stack.name}: {', '.join(differ)}."
        raise PlanError([Problem("error", "run.strategy.stack", message, "Give each stack a file of its own.")])
    if differ:
        click.echo(f"the runs differ in {', '.join(differ)}: the stack keeps what {stack.id} has", err=True)
        own = catalog.stack(stack.id)
        stack = stack.model_copy(update={name: getattr(own, name) for name in differ})
    if stack.attention_kernel_on:  # the kernel of one card's architecture is not that of all
        stack = stack.model_copy(update={"attention_kernel": catalog.stack(stack.id).attention_kernel})
    return stack


def _as_toml(stack: Stack, factor: StackFactor, source: str) -> str:
    import tomli_w

    facts = stack.model_dump(exclude={"id", "provenance", "unverified", "factor", "notes"})
    facts["name"] = f"{stack.name}, as measured"
    facts["notes"] = f"Facts of {stack.name}; factor from {factor.runs} runs of {source}."
    return tomli_w.dumps({**facts, "factor": factor.model_dump()})
