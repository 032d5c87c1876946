"""The command line: the headless twin of the terminal UI, and the way into it.

Each command is a module of its own that exports `command`, imported when it is asked for; the help is made from the
table below, so that `planner --help` imports none of them.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping

import click

from planner import __version__
from planner.cli.completing import plans
from planner.cli.group import LazyGroup

# Pydantic would read the metadata of every package installed beside this one for plugins of its own, at each start.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

COMMANDS = {
    "estimate": ("planner.cli.estimate", "Time, memory, power and cost of a plan."),
    "search": ("planner.cli.search", "Rank every strategy that fits a plan's cluster."),
    "size": ("planner.cli.size", "The smallest or cheapest cluster that meets a deadline."),
    "sweep": ("planner.cli.sweep", "A table over any keys of a plan."),
    "compare": ("planner.cli.compare", "Plans side by side, with their differences."),
    "audit": ("planner.cli.audit", "Published claims against the engine."),
    "fleet": ("planner.cli.fleet", "The totals of a fleet."),
    "export": ("planner.cli.export", "Write a plan out: a file, a report, launch settings."),
    "import": ("planner.cli.importing", "A model from a Hugging Face config.json."),
    "catalog": ("planner.cli.catalog", "Cards, fabrics, models, stacks and presets, with sources."),
    "validate": ("planner.cli.validate", "Compare the engine with measured runs."),
    "calibrate-to": ("planner.cli.calibrate_to", "A stack of your own from runs you measured."),
    "config": ("planner.cli.config", "Settings: values and origins; shell completions; manual page."),
    "schema": ("planner.cli.schema", "JSON Schema of the files, for editors."),
}
"""Name -> module and one line of help."""

LOOKS = {"theme": "--theme", "mouse": "--mouse"}
"""Options that say how the terminal UI looks and feels; beside it only the list of settings knows them."""
STDIN = 0


@click.group(
    "planner",
    cls=LazyGroup,
    commands_table=COMMANDS,
    fallback="open",
    invoke_without_command=True,
    options_metavar="[OPTIONS]",
    subcommand_metavar="[FILE | COMMAND ...]",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, "--version", prog_name="planner", message="%(prog)s %(version)s")
@click.option("--theme", metavar="NAME", help="Colours of the terminal UI.")
@click.option("--glyphs", type=click.Choice(["unicode", "ascii"]), help="Characters of screens, texts and messages.")
@click.option("--mouse/--no-mouse", default=None, help="Whether clicks reach the terminal UI.")
@click.pass_context
def main(context: click.Context, /, **flags: str | bool | None) -> None:
    """Plan AI training clusters: time, memory, power and cost of a training run.

    Without a command, the terminal UI opens on FILE: a preset's id, a plan file, or - for standard input. Without
    FILE it takes up the last session.
    """
    context.obj = flags
    idle = [option for name, option in LOOKS.items() if flags[name] is not None]
    if idle and context.invoked_subcommand not in {None, "open", "config"}:
        raise click.UsageError(f"{idle[0]} is of the terminal UI, which {context.invoked_subcommand} does not open.")
    if context.invoked_subcommand is None:
        _open_ui(None, flags)


@main.command("open", hidden=True, add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("file", shell_complete=plans)
@click.argument("others", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def open_file(context: click.Context, file: str, others: tuple[str, ...]) -> None:
    """Open the terminal UI on a plan; what is no plan was perhaps meant as a command, so say that first."""
    group = context.find_root()
    if {"-h", "--help"} & set(others):
        click.echo(group.get_help())
        return
    if others:
        from planner.catalog import Catalog
        from planner.cli.plans import find_plan

        find_plan(file, Catalog.default(), commands=COMMANDS)
        message = f"the terminal UI opens one plan, and takes nothing behind it: {' '.join(others)}"
        raise click.UsageError(message, group)
    _open_ui(file, group.obj)


def _open_ui(file: str | None, flags: Mapping[str, str | bool | None]) -> None:
    from planner.data_files import has_preset

    gc.disable()  # next to nothing of what a start makes is ever thrown away; the app turns it on again
    plan, source = None, file
    if file is not None and (os.path.isfile(file) or not has_preset(file)):  # noqa: PTH113 - Path raises on odd names
        from planner.catalog import Catalog
        from planner.cli.plans import find_plan
        from planner.exchange.sessions import is_kept

        plan = find_plan(file, Catalog.default(), commands=COMMANDS)
        source = "" if is_kept(file) and not os.path.isfile(file) else file  # noqa: PTH113 - as above
    if file == "-":
        source = ""
        _keys_from_terminal()
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        from planner.spec.base import PlanError, Problem

        message = "the terminal UI needs a terminal for its keys and its picture."
        fix = f"`planner estimate {file or 'deepseek-v3'}` says the same without one."
        raise PlanError([Problem("error", "", message, fix)])

    from planner.tui.app import PlannerApp

    app = PlannerApp(plan, source, flags=flags)
    app.run(mouse=app.settings.on("mouse"))
    sys.exit(app.return_code or 0)


def _keys_from_terminal() -> None:
    """After a plan came in over standard input: let keys come from the terminal."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError:
        return
    os.dup2(terminal, STDIN)
    os.close(terminal)
