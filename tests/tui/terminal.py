"""The planner in a terminal, and a terminal that understands what it writes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

from rich.cells import get_character_cell_size

ELSE = re.compile(r"\x1b\][^\x07]*\x07|\x1b\[[?>][\d;$]*[a-z]|\x1b[^a-zA-Z\x07]*$")
"""A title, a mode, or the beginning of what is still to come."""


class Terminal:
    """Understands what `Wire` writes: places, colours, text."""

    def __init__(self, width: int, height: int) -> None:
        self.cells: list[list[tuple[str, frozenset[str]]]] = [[(" ", frozenset())] * width for _ in range(height)]
        self._x = self._y = 0

    def feed(self, text: str) -> None:
        kinds: dict[str, str] = {}
        for place, colours, char in re.findall(r"\x1b\[(\d+;\d+)H|\x1b\[([\d;]*)m|([^\x1b])", text):
            if place:
                self._y, self._x = (int(number) - 1 for number in place.split(";"))
            elif colours:
                for code in re.findall(r"[34]8;5;\d+|[34]8;2;\d+;\d+;\d+|\d+", colours):
                    if code == "0":
                        kinds.clear()
                    else:
                        kinds["fore" if code[:1] == "3" else "back" if code[:1] == "4" else code] = code
            else:
                self.cells[self._y][self._x] = (char, frozenset(kinds.values()))
                for extra in range(1, get_character_cell_size(char)):
                    self.cells[self._y][self._x + extra] = ("", frozenset(kinds.values()))
                self._x += get_character_cell_size(char)


def screen(sent: bytes, width: int, height: int) -> str:
    """The text a terminal of this size shows after all these bytes."""
    terminal = Terminal(width, height)
    terminal.feed(ELSE.sub("", sent.decode(errors="ignore")))
    return "\n".join("".join(char for char, _ in row) for row in terminal.cells)


PROGRAM = "from planner.cli import main; main()"
PATIENCE_S = 60.0
"""A busy machine may be slow; the tests end as soon as what they wait for is there."""


def start(state: Path, *arguments: str, ignore_hangup: bool = False) -> tuple[int, int]:
    """The planner in a terminal of 120 x 40: its process and the other end of the terminal."""
    pid, terminal = pty.fork()
    if not pid:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        if ignore_hangup:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
        environment["PLANNER_STATE_DIR"] = str(state)
        os.execve(sys.executable, [sys.executable, "-c", PROGRAM, *arguments], environment)
    return pid, terminal


def read_until(terminal: int, words: str) -> None:
    """Read on until some words have been written."""
    seen, end = "", time.monotonic() + PATIENCE_S
    while words not in seen:
        assert time.monotonic() < end, seen[-2000:]
        if select.select([terminal], [], [], 0.1)[0]:
            seen += os.read(terminal, 65_536).decode(errors="replace")


def read_screen(terminal: int, *words: str, seen: bytes = b"", bytes_a_second: int = 1_000_000) -> bytes:
    """Read on until all of the words are on the screen at once, no quicker than a line carries it.

    Args:
        terminal: where to read.
        words: what is waited for.
        seen: what was read before.
        bytes_a_second: what the line carries.

    Returns:
        All that was read.
    """
    end = time.monotonic() + PATIENCE_S
    while not all(word in screen(seen, 120, 40) for word in words):
        assert time.monotonic() < end, screen(seen, 120, 40)
        if select.select([terminal], [], [], 0.1)[0]:
            more = os.read(terminal, 2_048)
            seen += more
            time.sleep(len(more) / bytes_a_second)
    return seen


def ended(pid: int) -> int:
    """The status a process ends with, which it does."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise AssertionError("still running")


def quit_well(pid: int, terminal: int) -> None:
    """Leave, with the session saved."""
    os.write(terminal, b"q")
    read_until(terminal, "Session saved")
    assert ended(pid) == 0
