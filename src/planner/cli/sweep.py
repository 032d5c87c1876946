"""`planner sweep`: a table over any keys of a plan."""

from __future__ import annotations

import sys

import click

from planner.cli.completing import plans


@click.command("sweep")
@click.argument("file", shell_complete=plans)
@click.option(
    "--vary", "vary", multiple=True, required=True, metavar="KEY=VALUES",
    help="Values a key takes: a list (cluster.cards=1024,2048), a range a:b:step, or both; repeat for more keys.",
)  # fmt: skip
@click.option("-o", "--output", default="-", metavar="FILE", help="CSV, or Parquet by its suffix; - prints CSV.")
@click.option(
    "--strategies", type=click.Choice(["plan", "best", "all"]), default="plan", show_default=True,
    help="Rows for the plan's own strategy, the best that fits, or every one that fits.",
)  # fmt: skip
@click.option(
    "--processes", type=click.IntRange(min=1), default=None, metavar="N",
    help="Processes of this machine to use; without: one a core, where there is enough to do.",
)  # fmt: skip
@click.option(
    "--scheduler", default="", metavar="ADDRESS",
    help="Use the workers of a Dask cluster instead, by its scheduler's address (tcp://HOST:8786).",
)  # fmt: skip
def command(
    file: str, *, vary: tuple[str, ...], output: str, strategies: str, processes: int | None, scheduler: str
) -> None:
    """Write a table over any keys of a plan, a row a combination.

    FILE is a plan file, a preset's id, or - for standard input. An interrupted sweep goes on where it stopped when the
    same command is given again. Rows and their order are the same wherever they are computed.
    """
    from contextlib import ExitStack, closing, suppress
    from functools import partial
    from pathlib import Path

    from planner.catalog import Catalog
    from planner.cli.plans import find_plan
    from planner.exchange.compare import LEFT_OUT
    from planner.exchange.edits import set_keys
    from planner.exchange.files import STREAM
    from planner.exchange.sweep import Sweep, parse_vary
    from planner.exchange.sweep_files import sink
    from planner.exchange.sweep_places import cluster, local

    if scheduler and processes:
        raise click.UsageError("--processes is about this machine, --scheduler about others: give one of them.")
    with suppress(OSError, ValueError):  # one of them is no file, which is told where it is opened
        if output != STREAM and Path(output).samefile(file):
            raise click.BadParameter(f"{output} is the plan itself; name another file.", param_hint="-o")
    catalog = Catalog.default()
    varied = tuple(parse_vary(text) for text in vary)
    keys = [one.key for one in varied]
    if len(set(keys)) < len(keys):
        raise click.BadParameter("a key is varied twice.", param_hint="--vary")
    plan = find_plan(file, catalog)
    for one in varied:
        if one.key.partition(".")[0] in LEFT_OUT:
            raise click.BadParameter(f"no figure depends on {one.key}.", param_hint="--vary")
        # A key that is none is said once, before the first row.
        set_keys(plan, [(one.key, one.values[0])], catalog, plan.name)
    sweep = Sweep(plan, varied, strategies)  # type: ignore[arg-type]  # click has checked it
    label = f"{sweep.count:,} combinations"
    shown = sys.stderr.isatty() and output != "-"
    with ExitStack() as stack:
        into = sink(sweep, output)
        computed = stack.enter_context(cluster(scheduler)) if scheduler else partial(local, processes=processes or 0)
        out = stack.enter_context(into)  # not before there is somebody to compute: it may clear a file
        bar = stack.enter_context(
            click.progressbar(
                length=sweep.count, label=label, file=sys.stderr, hidden=not shown,
                item_show_func=lambda written: f"{written:,} rows" if written else "",
            )
        )  # fmt: skip
        bar.update(out.done)
        written = 0
        rows = stack.enter_context(closing(sweep.rows(catalog, out.done, computed)))
        for done, blocks in rows:
            before = out.done
            out.write(done, blocks)
            written += sum(len(block["fits"]) for block in blocks)
            bar.update(out.done - before, written)
