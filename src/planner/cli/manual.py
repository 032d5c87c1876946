"""The manual page, made from the commands as they are.

Not click-man: it walks the commands a group holds, and those here are imported when called; it lists hidden ones; and
it leaves dots at the start of a line to roff, which takes them for requests.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from planner import __version__


def page(root: click.Context) -> str:
    """The manual page in roff's man macros: every command and its options.

    Args:
        root: the context of the whole command line.
    """
    return "\n".join(_page(root)) + "\n"


def _page(root: click.Context) -> Iterator[str]:
    name, summary, *more = [root.command_path, *_paragraphs(root.command)]
    yield f'.TH "{name.upper()}" "1" "" "{name} {__version__}"'
    yield from (".SH NAME", rf"{name} \- {_text(summary[0].lower() + summary[1:].rstrip('.'))}")
    yield from (".SH SYNOPSIS", *_usage(root))
    yield ".SH DESCRIPTION"
    for paragraph in more:
        yield from (".PP", paragraph)
    yield from (".SH OPTIONS", *_options(root), ".SH COMMANDS")
    for context in below(root):
        yield f".SS {_text(context.command_path)}"
        yield from _usage(context)
        for paragraph in _paragraphs(context.command):
            yield from (".PP", paragraph)
        yield from _options(context)


def below(context: click.Context) -> Iterator[click.Context]:
    """The commands of a group, and theirs, in the order of its help."""
    if not isinstance(context.command, click.Group):
        return
    for name in context.command.list_commands(context):
        command = context.command.get_command(context, name)
        if command is not None and not command.hidden:
            inner = click.Context(command, info_name=name, parent=context)
            yield inner
            yield from below(inner)


def _usage(context: click.Context) -> Iterator[str]:
    pieces = " ".join(context.command.collect_usage_pieces(context))
    yield rf"\fB{_text(context.command_path)}\fR {_text(pieces)}"


def _options(context: click.Context) -> Iterator[str]:
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        if record and isinstance(parameter, click.Option):
            yield from (".TP", rf"\fB{_text(record[0])}\fR", _text(record[1]))


def _paragraphs(command: click.Command) -> Iterator[str]:
    r"""What a command says of itself; a paragraph after a line `\b` keeps its lines."""
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        if paragraph.startswith("\b\n"):
            yield "\n".join((".nf", *map(_text, paragraph.splitlines()[1:]), ".fi"))
        else:
            yield _text(" ".join(paragraph.split()))


def _text(words: str) -> str:
    r"""Words as roff reads them: no escapes, real hyphens, no request.

    >>> print(_text(".toml with --why and a\\b"))
    \&.toml with \-\-why and a\eb
    """
    escaped = words.replace("\\", r"\e").replace("-", r"\-")
    return re.sub(r"^(?=[.'])", r"\\&", escaped)
