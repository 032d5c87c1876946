"""The planner seen from outside, through a pseudo-terminal, beside the smallest Textual app; for `scripts.bench`."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterable, Sequence

SIZE = struct.pack("HHHH", 40, 120, 0, 0)
MINIMAL = """
from textual.app import App
from textual.widgets import Input, Static
class Minimal(App):
    def compose(self):
        yield Static("minimal app")
        yield from (Input() for _ in range(3))
Minimal().run()
"""
PLANNER = "import sys; from planner.cli import main; sys.argv[1:] = ['deepseek-v3']; main()"
PROGRAMS = (("a minimal Textual app", MINIMAL, "minimal app"), ("the planner", PLANNER, "tokens/s a card"))
"""Name, what is run, and what is on screen when it is all there: of the planner, the figures."""
KEYS = (("Tab", b"\t", 12), ("a digit of the cards", b"4096", 1))
"""What is pressed, key by key, and how often."""

CONTROL = re.compile(rb"\x1b\[[^a-zA-Z]*[a-zA-Z]|\x1b\][^\x07]*\x07|\x1b.")
CELLS = 10
"""Cells with something in them that make a first picture."""
QUIET_S = 0.15
"""Silence that ends the answer to a key."""
SETTLED_S = 5.0
"""After so long, or such a silence, nothing is worked on beside the keys."""
LONGEST_S = 20.0


class Program:
    """A program in a terminal of its own, with a session of its own.

    Args:
        code: the Python code that runs it.
    """

    def __init__(self, code: str) -> None:
        self.sent = b""
        self.started = time.perf_counter()
        self._pid, self._terminal = pty.fork()
        if not self._pid:
            fcntl.ioctl(0, termios.TIOCSWINSZ, SIZE)
            state = tempfile.mkdtemp()
            environment = {k: v for k, v in os.environ.items() if k not in {"COLUMNS", "LINES", "NO_COLOR"}}
            environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PLANNER_STATE_DIR": state}
            os.execve(sys.executable, [sys.executable, "-c", code], environment)  # noqa: S606 - no shell is wanted

    def read(self, silence_s: float) -> float | None:
        """Take what comes next; its time after the start, or None where there is silence for so long."""
        if not select.select([self._terminal], [], [], silence_s)[0]:
            return None
        self.sent += os.read(self._terminal, 65_536)
        return time.perf_counter() - self.started

    def press(self, key: bytes) -> tuple[int, float]:
        """Bytes a key costs, and seconds until the last of them."""
        before, begin = len(self.sent), time.perf_counter() - self.started
        os.write(self._terminal, key)
        last = begin
        while (now := self.read(QUIET_S)) is not None:
            last = now
        return len(self.sent) - before, last - begin

    def end(self) -> None:
        """End it."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._terminal)


def start(program: Program, words: str) -> tuple[float, float, float, int]:
    """Times in ms until the first byte, the first picture, and some words are there; and bytes until then."""
    first = picture = now = 0.0
    while words.encode() not in program.sent and now < LONGEST_S:
        now = program.read(LONGEST_S) or LONGEST_S
        first = first or now
        if not picture and len(CONTROL.sub(b"", program.sent).replace(b" ", b"")) >= CELLS:
            picture = now
    return 1000 * first, 1000 * picture, 1000 * now, len(program.sent)


def starts(rounds: int) -> Iterable[Sequence[object]]:
    """The best start of each, the two by turns, with how many times the minimal app's."""
    found: dict[str, list[tuple[float, float, float, int]]] = {name: [] for name, _, _ in PROGRAMS}
    for _ in range(rounds):
        for name, code, words in PROGRAMS:
            program = Program(code)
            found[name].append(start(program, words))
            program.end()
    least = {name: [min(column) for column in zip(*runs, strict=True)] for name, runs in found.items()}
    usual = least[PROGRAMS[0][0]][2]
    for name, (first, picture, all_there, size) in least.items():
        yield name, first, picture, all_there, picture / usual, all_there / usual, f"{size:,.0f}"


def presses() -> Iterable[Sequence[object]]:
    """Bytes and time of keys, when nothing is worked on any more."""
    for name, code, words in PROGRAMS:
        program = Program(code)
        start(program, words)
        while (program.read(SETTLED_S) or SETTLED_S) < SETTLED_S:
            pass
        for what, keys, times in KEYS:
            runs = [program.press(keys[i : i + 1]) for _ in range(times) for i in range(len(keys))]
            sizes, seconds = zip(*runs, strict=True)
            middle = f"{statistics.median(sizes):,.0f}", f"{max(sizes):,}", 1000 * statistics.median(seconds)
            yield f"{name}: {what}", *middle, 1000 * max(seconds)
        program.end()
