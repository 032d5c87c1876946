"""`planner config`: the settings in force and where each comes from, and what is wrong with the files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from planner.exchange.report import Line
    from planner.exchange.settings import Settings


@click.group("config")
def command() -> None:
    """Settings: what they are, where they come from, what is wrong with them."""


@command.command("show")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def show(*, as_json: bool) -> None:
    """Every setting, its value, and where that comes from."""
    from dataclasses import asdict

    from planner.cli.output import put_json, put_lines
    from planner.exchange.settings import load

    settings = load()
    if as_json:
        put_json({key: asdict(value) for key, value in settings.values.items()})
    else:
        put_lines(_lines(settings))


@command.command("validate")
@click.pass_context
def validate(context: click.Context) -> None:
    """Look at settings.toml, keymap.toml and your themes; the exit status is 1 where something cannot be used."""
    from planner.cli.output import complain, put
    from planner.data_files import config_folder
    from planner.exchange.settings import load
    from planner.tui.app import file_problems

    problems = [*load().problems, *file_problems()]
    if problems:
        complain(*problems)
        context.exit(1)
    put(f"Nothing is wrong in {config_folder()}.\n")


def _lines(settings: Settings) -> Iterator[Line]:
    from planner.exchange.report import Line
    from planner.exchange.settings import SETTINGS, settings_path
    from planner.spec.wording import escaped

    for setting in SETTINGS:
        found = settings.values[setting.key]
        text = str(found.value).lower() if isinstance(found.value, bool) else found.value
        yield Line(f"{setting.key:<10}{escaped(text):<14}{escaped(found.origin)}")
        yield Line(f"{'':<24}{setting.about} {setting.variable}", "quiet")
    there = "" if settings_path().exists() else " (there is none yet)"
    yield from (Line(""), Line(f"Settings file: {settings_path()}{there}", "quiet"))
