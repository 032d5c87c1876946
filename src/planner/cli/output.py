"""What commands write, and where: results to standard output, messages to standard error, nothing that acts."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

import click

if TYPE_CHECKING:
    from planner.exchange.report import Line

PIPE_WIDTH = 100
"""Columns of a text where no terminal says how wide it is."""

COLOURS: dict[str, dict[str, str | bool]] = {
    "title": {"bold": True},
    "heading": {"bold": True},
    "quiet": {"dim": True},
    "error": {"fg": "red"},
    "warning": {"fg": "yellow"},
    "info": {"fg": "cyan"},
}
"""How a terminal shows the styles of a line; each is told by its words as well."""


def put(text: str) -> None:
    """Write a whole text to standard output, in UTF-8 whatever the terminal says it is."""
    from planner.exchange.files import STREAM, write_atomic

    write_atomic(STREAM, as_wanted(text))


def put_lines(lines: Iterable[Line]) -> None:
    """Write lines to standard output, coloured by their style where somebody looks at them."""
    colour = wants_colour(sys.stdout)
    put("".join(f"{_painted(line) if colour else line.text}\n" for line in lines))


def put_json(data: object) -> None:
    """Write strict JSON to standard output."""
    from planner.exchange.as_json import dumps

    put(dumps(data))


def complain(*messages: str) -> None:
    """Write messages to standard error, one a line, with nothing in them a terminal would act on.

    On a terminal, lines break between words.
    """
    from planner.spec.words import escaped

    lines = [escaped(message) for message in messages]
    if _is_terminal(sys.stderr):
        columns = shutil.get_terminal_size().columns
        lines = [textwrap.fill(line, columns, break_long_words=False, break_on_hyphens=False) for line in lines]
    with contextlib.suppress(OSError, ValueError):  # nobody can be told
        click.echo(as_wanted("\n".join(lines)), err=True, color=False)


def width() -> int:
    """Columns to fill: the terminal's, or a fixed number in a pipe or file."""
    return shutil.get_terminal_size().columns if _is_terminal(sys.stdout) else PIPE_WIDTH


def as_wanted(text: str) -> str:
    """A text to be read as the user wants it: with every character, or in ASCII alone (the setting `glyphs`)."""
    context = click.get_current_context(silent=True)
    from planner.exchange.format import in_ascii
    from planner.exchange.settings import load

    return in_ascii(text) if load(context.obj if context else None).text("glyphs") == "ascii" else text


def folding() -> int:
    """Columns in which long rows are folded: the terminal's; 0: nobody looks, and a row is a line."""
    return width() if _is_terminal(sys.stdout) else 0


def wants_colour(stream: IO[str] | None) -> bool:
    """Somebody looks at it, on a terminal that has colour, and did not set NO_COLOR (no-color.org)."""
    return _is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def flush() -> None:
    """Write what is still held back, now, while a failure can be told."""
    if isinstance(sys.stdout, io.TextIOBase):  # None where the caller closed it
        sys.stdout.flush()


def forgive() -> None:
    """Let a letter that the terminal's encoding does not have be shown as `?`, rather than end the program."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def mute() -> None:
    """Let nothing more be said on standard output, whose reader is gone; Python would try when it ends."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _is_terminal(stream: IO[str] | None) -> bool:
    """False for a stream the caller closed, too."""
    return stream is not None and stream.isatty()


def _painted(line: Line) -> str:
    return click.style(line.text, **COLOURS[line.style]) if line.style in COLOURS and line.text else line.text  # type: ignore[arg-type]
