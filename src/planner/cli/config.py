"""`planner config`: the settings in force, what is wrong with the files, and what a shell and `man` want to know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from planner.cli.completing import SHELLS, script

if TYPE_CHECKING:
    from planner.exchange.report import Line
    from planner.exchange.settings import Settings


@click.group("config", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Settings: values, where they come from, what is wrong; and completions for your shell, and a manual page."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@command.command("show", short_help="Every setting and its origin.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_context
def show(context: click.Context, *, as_json: bool) -> None:
    """Every setting, its value, and where that comes from."""
    from dataclasses import asdict

    from planner.cli.output import put_json, put_lines
    from planner.exchange.settings import load

    settings = load(context.obj)
    if as_json:
        put_json({key: asdict(value) for key, value in settings.values.items()})
    else:
        put_lines(_lines(settings))


@command.command("validate", short_help="Whether settings, keys and themes can be used.")
@click.pass_context
def validate(context: click.Context) -> None:
    """Look at settings.toml, keymap.toml and your themes; the exit status is 1 where something cannot be used."""
    from planner.cli.output import complain, put
    from planner.data_files import config_folder
    from planner.exchange.settings import load
    from planner.tui.own_files import file_problems

    settings = load(context.obj)
    problems = [*settings.problems, *file_problems(settings.text("theme"))]
    if problems:
        complain(*problems)
        context.exit(1)
    put(f"Nothing is wrong in {config_folder()}.\n")


@command.command("completions", short_help="What makes your shell complete.")
@click.argument("shell", type=click.Choice(SHELLS), metavar="|".join(SHELLS))
def completions(shell: str) -> None:
    """Print what makes your shell complete commands, options and presets.

    \b
    bash: planner config completions bash > ~/.local/share/bash-completion/completions/planner
    zsh:  planner config completions zsh > "${fpath[1]}/_planner"
    fish: planner config completions fish > ~/.config/fish/completions/planner.fish
    """  # noqa: D301 - Click wants the character itself
    from planner.cli.output import put

    put(script(shell))


@command.command("man", short_help="The manual page.")
@click.pass_context
def man(context: click.Context) -> None:
    """Print the manual page: planner config man | man -l - shows it."""
    from planner.cli.manual import page
    from planner.cli.output import put

    put(page(context.find_root()))


def _lines(settings: Settings) -> Iterator[Line]:
    from planner.cli.output import width
    from planner.exchange.report import Line, wrapped
    from planner.exchange.settings import SETTINGS, settings_path
    from planner.spec.words import escaped

    for setting in SETTINGS:
        found = settings.values[setting.key]
        text = str(found.value).lower() if isinstance(found.value, bool) else found.value
        yield Line(f"{setting.key:<10}{escaped(text):<14}{escaped(found.origin)}")
        yield from wrapped(f"{'':<24}{setting.about} {setting.variable}", width(), "quiet", 24)
    there = "" if settings_path().exists() else " (there is none yet)"
    yield from (Line(""), Line(f"Settings file: {settings_path()}{there}", "quiet"))
