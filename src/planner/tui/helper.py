"""A process that searches while this one answers keys. No Textual.

It is started when something is first asked of it, after the first screen, and ends with the program. Threads of one
process share an interpreter, and a key would wait for its turn in it; two processes share nothing but the cores, and
the helper takes what is left of them.
"""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from planner.spec.base import PlanError, Problem

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

POLL_S: Final = 0.02
"""How often who waits asks whether the answer is still wanted."""
NICE: Final = 10
"""How much the helper lets others go first (nice(2))."""
STOP: Final = "stop"


class _Stop(Exception):  # noqa: N818 - no error: it was asked to
    """Nobody waits for the answer any more."""


class Helper:
    """The other process, one question at a time."""

    def __init__(self) -> None:
        self._asking = Lock()
        self._there: Connection | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """End the other process; a question after this starts another."""
        if self._there is not None:
            self._there.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._there = self._process = None

    def ask(self, work: Callable[..., Any], arguments: tuple[Any, ...], check: Callable[[], None]) -> Any:  # noqa: ANN401
        """What a function says, computed in the helper.

        Args:
            work: a function of a module; it takes `between`, which it calls every few milliseconds, after the rest.
            arguments: its other arguments.
            check: called while waiting; what it raises ends the work.

        Raises:
            PlanError: the work did, or the helper ended before its time.
        """
        while not self._asking.acquire(timeout=POLL_S):
            check()
        try:
            return self._answer(work, arguments, check)
        except (EOFError, OSError):
            self.close()
            fix = "It is looked for again after the next change."
            raise PlanError([Problem("error", "", "the search ended before its time.", fix)]) from None
        finally:
            self._asking.release()

    def _answer(self, work: Callable[..., Any], arguments: tuple[Any, ...], check: Callable[[], None]) -> Any:  # noqa: ANN401
        check()
        if self._there is None:
            self._there, self._process = _started()
            atexit.register(self.close)
        there = self._there
        there.send((work, arguments))
        try:
            while not there.poll(POLL_S):
                check()
        except BaseException:
            there.send(STOP)
            there.recv()  # each question has one answer, wanted or not
            raise
        fine, result = there.recv()
        if not fine:
            raise result
        return result


def _started() -> tuple[Connection, subprocess.Popen[bytes]]:
    """The way to a helper, and its process, which ends when the way is closed."""
    from multiprocessing.connection import Connection  # not above: the workbench is on screen before it is needed

    here, there = socket.socketpair()
    path = [os.path.abspath(entry) for entry in sys.path]  # noqa: PTH100 - an import path is text
    code = f"import sys; sys.path[:] = {path!r}; from planner.tui.helper import main; main({there.fileno()})"
    process = subprocess.Popen(  # noqa: S603 - this very interpreter
        [sys.executable, "-P", "-c", code],
        pass_fds=[there.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    there.close()
    return Connection(here.detach()), process


def main(handle: int) -> None:
    """In the helper: answer until nobody is there."""
    from multiprocessing.connection import Connection

    os.nice(NICE)
    there = Connection(handle)

    def between() -> None:
        if there.poll():
            there.recv()
            raise _Stop

    while True:
        try:
            question = there.recv()
        except EOFError:
            return
        if question == STOP:  # it came after the answer
            continue
        work, arguments = question
        try:
            answer = True, work(*arguments, between)
        except _Stop:
            answer = False, None
        except Exception as error:  # noqa: BLE001 - told to who asked
            answer = False, error
        there.send(answer)
