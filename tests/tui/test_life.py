"""The ways a session over SSH ends: nothing is lost, and nothing goes on running."""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import struct
import termios
import time
from pathlib import Path

import pytest
from tests.tui.terminal import PATIENCE_S, ended, quit_well, read_screen, read_until, start


@pytest.mark.parametrize("how", ["hangup", "term", "quit"])
def test_the_session_survives(how: str, tmp_path: Path) -> None:
    pid, terminal = start(tmp_path)
    read_until(terminal, "Cluster")
    os.write(terminal, b"4096\r")
    read_until(terminal, "undo")
    if how == "hangup":
        os.close(terminal)
    elif how == "term":
        os.kill(pid, signal.SIGTERM)
    else:
        os.write(terminal, b"q")
    if how != "hangup":
        read_until(terminal, "Session saved")
    assert ended(pid) == 0
    data = json.loads((tmp_path / "session.json").read_text(encoding="utf-8"))
    assert data["history"][data["index"]]["plan"]["cluster"]["cards"] == 4096


def _resize(terminal: int, width: int, height: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))


def test_a_storm_of_sizes_and_a_huge_paste_do_no_harm(tmp_path: Path) -> None:
    pid, terminal = start(tmp_path)
    read_until(terminal, "Cluster")
    for turn in range(40):
        _resize(terminal, 40 + (turn * 37) % 261, 10 + (turn * 23) % 91)
        select.select([terminal], [], [], 0.01)
        while select.select([terminal], [], [], 0)[0]:
            os.read(terminal, 65_536)
    _resize(terminal, 120, 40)
    paste = b"\x1b[200~" + b"4096 " * 20_000 + b"\x1b[201~"
    while paste:
        ready, writable, _ = select.select([terminal], [terminal], [], PATIENCE_S)
        assert ready or writable
        if ready:
            os.read(terminal, 65_536)
        if writable:
            paste = paste[os.write(terminal, paste[:512]) :]
    os.write(terminal, b"\x1b")
    time.sleep(0.5)  # a lone Escape is one only when nothing follows it for a while
    os.write(terminal, b"8192\r")
    read_until(terminal, "1,024 nodes")
    quit_well(pid, terminal)
    data = json.loads((tmp_path / "session.json").read_text(encoding="utf-8"))
    assert data["history"][data["index"]]["plan"]["cluster"]["cards"] == 8192


def test_a_terminal_that_is_gone_is_noticed_where_the_hangup_was_ignored(tmp_path: Path) -> None:
    pid, terminal = start(tmp_path, ignore_hangup=True)
    read_until(terminal, "Cluster")
    os.write(terminal, b"4096\r")
    read_until(terminal, "undo")
    os.close(terminal)
    ended(pid)
    data = json.loads((tmp_path / "session.json").read_text(encoding="utf-8"))
    assert data["history"][data["index"]]["plan"]["cluster"]["cards"] == 4096


def _stopped(pid: int, terminal: int) -> bytes:
    """What it sends until it stops; a terminal that nobody reads would keep it from stopping."""
    sent, end = b"", time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.02)[0]:
            sent += os.read(terminal, 65_536)
        done, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
        if done:
            assert os.WIFSTOPPED(status), "it ended"
            return sent + _rest(terminal)
    raise AssertionError("it did not stop")


def _rest(terminal: int) -> bytes:
    """What a program that has stopped left to be read."""
    rest = b""
    while select.select([terminal], [], [], 0.2)[0]:
        rest += os.read(terminal, 65_536)
    return rest


def _typed_lines(terminal: int) -> bool:
    """The terminal shows what is typed, and gives whole lines: a shell's, not a screen's."""
    local = termios.tcgetattr(terminal)[3]
    assert bool(local & termios.ECHO) == bool(local & termios.ICANON)
    return bool(local & termios.ECHO)


@pytest.mark.parametrize("how", ["key", "signal"])
def test_suspended_and_taken_up_again(how: str, tmp_path: Path) -> None:
    pid, terminal = start(tmp_path)
    read_until(terminal, "Cluster")
    os.write(terminal, b"4096\r")
    read_until(terminal, "undo")
    for _ in range(2):
        assert not _typed_lines(terminal)
        if how == "key":
            os.write(terminal, b"Z")
        else:
            os.kill(pid, signal.SIGTSTP)
        left = _stopped(pid, terminal)
        assert b"\x1b[?1049l" in left
        assert b"\x1b[?25h" in left
        assert _typed_lines(terminal)
        os.kill(pid, signal.SIGCONT)
        shown = read_screen(terminal, "Cluster", "4,096", "Strategy", "Memory")
        assert b"\x1b[?1049h" in shown
    os.write(terminal, b"8192\r")
    read_until(terminal, "1,024 nodes")
    quit_well(pid, terminal)
    data = json.loads((tmp_path / "session.json").read_text(encoding="utf-8"))
    assert [step["plan"]["cluster"]["cards"] for step in data["history"]][-2:] == [4096, 8192]


@pytest.mark.parametrize("there", [True, False], ids=["an-editor", "no-editor"])
def test_the_terminal_comes_back_from_the_editor(there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "editor.sh"
    script.write_text('#!/bin/sh\nsed -i "s/^cards = 2048/cards = 1024/" "$1"\n', encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(script) if there else "/no/such/editor")
    pid, terminal = start(tmp_path, ignore_hangup=False)
    read_until(terminal, "Cluster")
    _rest(terminal)
    os.write(terminal, b"\x05")
    read_until(terminal, "edited as text" if there else "cannot be started")
    assert not _typed_lines(terminal)
    assert (tmp_path / "editing.toml").exists() is False, "nothing is left to be edited again"
    os.write(terminal, b"\x1b[B")
    quit_well(pid, terminal)
    data = json.loads((tmp_path / "session.json").read_text(encoding="utf-8"))
    assert data["history"][data["index"]]["plan"]["cluster"]["cards"] == (1024 if there else 2048)


def test_suspended_amid_drawing_it_never_hangs(tmp_path: Path) -> None:
    pid, terminal = start(tmp_path, ignore_hangup=False)
    read_until(terminal, "Cluster")
    for turn in range(12):
        os.write(terminal, b"t")  # another theme: everything is drawn again
        time.sleep(0.004 * turn)
        os.kill(pid, signal.SIGTSTP)
        end = time.monotonic() + PATIENCE_S
        while not os.waitpid(pid, os.WNOHANG | os.WUNTRACED)[0]:
            assert time.monotonic() < end, f"still drawing in turn {turn}"
            if select.select([terminal], [], [], 0.01)[0]:
                os.read(terminal, 65_536)
        os.kill(pid, signal.SIGCONT)
        _rest(terminal)
    quit_well(pid, terminal)
