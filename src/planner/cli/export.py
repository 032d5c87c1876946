"""`planner export`: a plan written out for other programs and other people."""

from __future__ import annotations

import click

from planner.cli.completing import plans
from planner.exchange.export import FORMATS, TELL_OF_CLAIMS, Format, exported


@click.command("export")
@click.argument("file", shell_complete=plans)
@click.option("--to", "kind", type=click.Choice(FORMATS), required=True, help="The format.")
@click.option(
    "-o", "--output", default="-", metavar="OUT", help="The file to write; - (the default) is standard output."
)
@click.pass_context
def command(context: click.Context, file: str, kind: Format, output: str) -> None:
    """Write a plan out: TOML, JSON, CSV, Markdown, HTML, SVG, launch settings.

    FILE is a plan file, a preset's id, or - for standard input. Launch settings are megatron (arguments of Megatron-LM
    in a shell fragment), torchtitan (its TOML), nemo (overrides of a Megatron Bridge recipe in Python) and deepspeed
    (ds_config.json); what the tool has no setting for stands in comments, for JSON on standard error. A plan that does
    not fit is written all the same; the exit status is then 1.
    """
    from planner.catalog import Catalog
    from planner.cli.output import complain
    from planner.cli.plans import outcome_of, with_own_claim
    from planner.exchange.files import spoken, write_atomic

    catalog = Catalog.default()
    outcome = outcome_of(file, catalog)
    told = with_own_claim(outcome, catalog, file) if kind in TELL_OF_CLAIMS else outcome
    made = exported(outcome.resolved.plan, told, kind)
    write_atomic(output, made.text)
    for words in made.unsaid:
        complain(f"{spoken(file)}: {words}")
    if not outcome.fits:
        complain(f"{spoken(file)}: the plan does not fit; it was written all the same.")
        context.exit(1)
