"""`planner schema`: JSON Schema of the files, for editors."""

from __future__ import annotations

import click

KINDS = ("plan", "fleet", "runs", "card", "fabric", "model", "stack")


@click.command("schema")
@click.argument("kind", type=click.Choice(KINDS), metavar="|".join(KINDS))
def command(kind: str) -> None:
    """JSON Schema of the files, for editors.

    An editor with a TOML language server completes keys and shows what they mean: write the schema to a file and name
    it in the first line of the plan, as #:schema ./plan.schema.json
    """
    from planner.cli.output import put_json
    from planner.exchange.json_schema import schema

    put_json(schema(kind))
