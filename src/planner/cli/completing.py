"""What a shell offers after Tab."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

VARIABLE = "_PLANNER_COMPLETE"
"""Set by the shell's script when it asks; Click makes this name from that of the program."""
SHELLS = ("bash", "zsh", "fish")


def script(shell: str) -> str:
    """The lines a shell reads to complete `planner`, as Click writes them.

    Args:
        shell: one of `SHELLS`.
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - Click brings one for each of SHELLS
    return kind(click.Command("planner"), {}, "planner", VARIABLE).source()


def plans(_context: click.Context, _parameter: click.Parameter | None, begun: str) -> list[CompletionItem]:
    """Presets that begin so, and files.

    The files stand first: where nothing else follows, Bash takes them for the answer, and clears what came before.
    """
    from click.shell_completion import CompletionItem

    from planner.catalog import Catalog

    presets = [name for name in Catalog.default().ids("plans") if name.startswith(begun)]
    return [CompletionItem(begun, type="file"), *map(CompletionItem, presets)]
