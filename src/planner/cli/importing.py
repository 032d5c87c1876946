"""`planner import`: a model from the `config.json` beside its weights."""

from __future__ import annotations

import click


@click.command("import")
@click.argument("config", metavar="CONFIG.json", type=click.Path(allow_dash=True))
@click.option(
    "-o", "--output", default="-", metavar="MODEL.toml", help="The file to write; - (the default) is standard output."
)
def command(config: str, output: str) -> None:
    """Turn a Hugging Face config.json into a model of the catalogue.

    CONFIG.json may be - for standard input. In the settings folder, as catalogue/models/NAME.toml, the model is one of
    the catalogue; its keys may also stand in a plan, as workload.model.
    """
    from planner.cli.output import complain
    from planner.exchange.files import read_bytes, spoken, write_atomic
    from planner.exchange.hugging_face.model import model_of, written

    model = model_of(read_bytes(config), spoken(config))
    write_atomic(output, written(model))
    if model.unmodelled:
        complain(f"warning: the engine has no equations for {model.unmodelled}; it refuses plans with this model.")
