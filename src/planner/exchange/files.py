"""Reading whole files and writing them so that a crash leaves the old one or the new one, never half of either."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import sys
from pathlib import Path
from typing import TextIO

from planner.spec.base import PlanError, Problem
from planner.spec.parse import MAX_BYTES

STREAM = "-"
"""The name that means standard input or output."""


def read_bytes(where: str | Path) -> bytes:
    """What a file, or standard input for `-`, holds; no more than one byte beyond the most a file of ours may.

    Raises:
        PlanError: it cannot be read, and why.
    """
    if str(where) == STREAM:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        with Path(where).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise PlanError([Problem("error", "", f"cannot be read: {reason(error)}.")], _named(where)) from None


def write_atomic(where: str | Path, text: str) -> None:
    """Write a text file in one step: a new file beside it, flushed to disk, takes its name.

    A symbolic link stays one (its target is replaced) and the permissions of an existing file stay. What is no regular
    file (a device, a pipe) is written to directly. `-` is standard output.

    Raises:
        PlanError: the file cannot be written, and why; the old file is untouched.
        OSError: standard output cannot be written.
    """
    if str(where) == STREAM:
        _write_stdout(text)
        return
    try:
        target = Path(where).resolve()
        if target.exists() and not target.is_file():
            target.write_text(text, encoding="utf-8")
            return
        _replace(target, text)
    except (OSError, ValueError) as error:
        raise PlanError([Problem("error", "", f"cannot be written: {reason(error)}.")], _named(where)) from None


def _write_stdout(text: str) -> None:
    """Write and flush, in UTF-8 whatever the terminal's encoding is: that of our files."""
    stream: TextIO | None = sys.stdout
    if stream is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))  # as a closed descriptor says it
    stream.flush()
    stream.buffer.write(text.encode("utf-8"))
    stream.buffer.flush()


def _replace(target: Path, text: str) -> None:
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with open(descriptor, "w", encoding="utf-8", newline="\n") as file:  # noqa: PTH123 - a descriptor, not a path
            if target.exists():
                temporary.chmod(target.stat().st_mode & 0o7777)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut, where the system lets a folder be opened."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:  # some network file systems cannot
        return
    finally:
        os.close(descriptor)


def _named(where: str | Path) -> str:
    """A file as messages name it: no name at all is taken for the folder one is in."""
    return str(where) or os.curdir


def spoken(where: str | Path) -> str:
    """A place to read from as messages name it."""
    return "standard input" if str(where) == STREAM else str(where)


def reason(error: OSError | ValueError) -> str:
    """What the system says of a file, as a message goes on with it."""
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return words[:1].lower() + words[1:]


def from_home(path: Path) -> str:
    """A path as short as a narrow screen needs it."""
    with contextlib.suppress(ValueError, RuntimeError):  # it is elsewhere; there is no home
        return str(Path("~") / path.relative_to(Path.home()))
    return str(path)
