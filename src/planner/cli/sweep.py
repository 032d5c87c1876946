"""`planner sweep`: a table over any keys of a plan."""

from __future__ import annotations

import sys

import click


@click.command("sweep")
@click.argument("file")
@click.option(
    "--vary", "vary", multiple=True, required=True, metavar="KEY=VALUES",
    help="Values a key takes: a list (cluster.cards=1024,2048), a range a:b:step, or both; repeat for more keys.",
)  # fmt: skip
@click.option("-o", "--output", default="-", metavar="FILE", help="CSV, or Parquet by its suffix; - prints CSV.")
@click.option(
    "--strategies", type=click.Choice(["plan", "best", "all"]), default="plan", show_default=True,
    help="Rows for the plan's own strategy, the best that fits, or every one that fits.",
)  # fmt: skip
def command(file: str, *, vary: tuple[str, ...], output: str, strategies: str) -> None:
    """Write a table over any keys of a plan, a row a combination.

    FILE is a plan file, a preset's id, or - for standard input. An interrupted sweep goes on where it stopped when the
    same command is given again.
    """
    from planner.catalog import Catalog
    from planner.cli.plans import find_plan
    from planner.exchange.edits import set_keys
    from planner.exchange.sweep import Sweep, parse_vary
    from planner.exchange.sweep_files import sink

    catalog = Catalog.default()
    varied = tuple(parse_vary(text) for text in vary)
    keys = [one.key for one in varied]
    if len(set(keys)) < len(keys):
        raise click.BadParameter("a key is varied twice.", param_hint="--vary")
    plan = find_plan(file, catalog)
    for one in varied:
        set_keys(
            plan, [(one.key, one.values[0])], catalog, plan.name
        )  # a key that is none is said once, before the first row
    sweep = Sweep(plan, varied, strategies)  # type: ignore[arg-type]  # click has checked it
    label = f"{sweep.count:,} combinations"
    shown = sys.stderr.isatty() and output != "-"
    with (
        sink(sweep, output) as out,
        click.progressbar(length=sweep.count, label=label, file=sys.stderr, hidden=not shown) as bar,
    ):
        bar.update(out.done)
        for done, block in sweep.rows(catalog, out.done):
            before = out.done
            out.write(done, block)
            bar.update(out.done - before)
