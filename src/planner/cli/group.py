"""A group of commands that are imported when called, and one place where every failure becomes one message."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NoReturn

import click

from planner.cli.output import complain, flush, forgive, mute

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

USAGE = 2
"""Exit status: bad input or usage."""
INTERNAL = 70
"""Exit status: a fault of the program (EX_SOFTWARE of sysexits.h)."""
INTERRUPTED = 130
"""Exit status a shell gives a program that Ctrl+C ended."""
READER_GONE = 141
"""Exit status a shell gives a program whose reader went away (`planner ... | head`)."""

NOT_WRITTEN = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
"""What the system says of an output that takes no more: full, over quota, too large, broken, closed."""

DEBUG = "PLANNER_DEBUG"
"""Set in the environment: an internal error shows its traceback."""


class LazyGroup(click.Group):
    """A group whose commands live in modules that are imported when they are called.

    Args:
        commands_table: name of each command -> the module that exports it as `command`, and its line of help.
        fallback: name of the command that gets the arguments when the first of them is no command.
        attributes: those of a click group.
    """

    def __init__(
        self,
        *,
        commands_table: Mapping[str, tuple[str, str]],
        fallback: str,
        **attributes: Any,  # noqa: ANN401 - click's own
    ) -> None:
        super().__init__(**attributes)
        self._table = commands_table
        self._fallback = fallback

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands in the order of the table; none of them is imported."""
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        if cmd_name not in self.list_commands(ctx):
            return super().get_command(ctx, cmd_name)
        command = importlib.import_module(self._table[cmd_name][0]).command
        assert isinstance(command, click.Command)  # noqa: S101 - what the table promises
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Give what is no command to the fallback, whole."""
        if args[0] in self.list_commands(ctx):
            return super().resolve_command(ctx, args)
        return super().resolve_command(ctx, [self._fallback, *args])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands in the help, from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._table[name][1]) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands, options, and what the fallback takes."""
        fallback = self.commands[self._fallback]
        return [*fallback.params[0].shell_complete(ctx, incomplete), *super().shell_complete(ctx, incomplete)]

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002, ARG002 - click's signature
        windows_expand_args: bool = True,  # noqa: FBT001, FBT002, ARG002 - click's signature
        **extra: Any,  # noqa: ANN401 - click's own
    ) -> NoReturn:
        """Run a command line and exit: 0 fine, 1 does not fit, 2 bad input; one message on standard error, if any."""
        prog_name = prog_name or "planner"
        self._main_shell_completion(extra, prog_name, complete_var)
        forgive()
        sys.exit(self._run(list(sys.argv[1:] if args is None else args), prog_name, extra))

    def _run(self, args: list[str], prog_name: str, extra: Mapping[str, Any]) -> int:
        """Exit status of a command line; what went wrong is on standard error by then."""
        with ExitStack() as held:  # a message is told as the command line wants it, so its context outlives a failure
            try:
                status = self._status(held, args, prog_name, extra)
                flush()
            except (KeyboardInterrupt, click.Abort):
                return INTERRUPTED
            except BrokenPipeError:
                mute()
                return READER_GONE
            except Exception as error:
                if os.environ.get(DEBUG):
                    raise
                return _told(error, prog_name)
            return status

    def _status(self, held: ExitStack, args: list[str], prog_name: str, extra: Mapping[str, Any]) -> int:
        """Exit status a command chose; `held` closes its context."""
        try:
            self.invoke(held.enter_context(self.make_context(prog_name, args, **extra)))
        except click.exceptions.Exit as end:
            return end.exit_code
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else 0
        return 0


def _told(error: Exception, prog_name: str) -> int:
    """Say what went wrong in one message; the exit status it means."""
    from planner.spec.base import PlanError  # not above: it brings pydantic, which no help needs

    if isinstance(error, PlanError):
        complain(*error.lines())
    elif isinstance(error, click.ClickException):
        complain(_usage(error, prog_name))
    elif isinstance(error, OSError) and error.errno in NOT_WRITTEN and error.filename is None:
        complain(f"standard output cannot be written: {os.strerror(error.errno or 0).lower()}.")
    else:
        complain(f"internal error: {type(error).__name__}: {error} ({DEBUG}=1 shows where)")
        return INTERNAL
    return USAGE


def _usage(error: click.ClickException, prog_name: str) -> str:
    """A usage error in one line, and where to read more."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    group = click.get_current_context(silent=True)
    command = group.invoked_subcommand if group else None  # known where click forgot the context: an option's argument
    path = context.command_path if context else f"{prog_name} {command}" if command else prog_name
    message = " ".join(error.format_message().split()).rstrip(".")
    return f"{path}: {message}{'' if message.endswith('?') else '.'} `{path} --help` says more."
