"""The first picture: what is typed on it is answered by the workbench; what cannot be opened never gets that far."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.tui.terminal import ended, quit_well, read_screen, read_until, screen, start

ALTERNATE = b"\x1b[?1049h"


def history(state: Path) -> list[dict[str, Any]]:
    """The steps of the saved session."""
    saved: list[dict[str, Any]] = json.loads((state / "session.json").read_text(encoding="utf-8"))["history"]
    return saved


def test_a_first_picture_waits_for_nothing_of_the_engine() -> None:
    heavy = ("pydantic", "planner.catalog", "planner.engine", "planner.spec.base", "planner.tui.state")
    code = f"import sys, planner.cli, planner.tui.app; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_figures_wait_for_nothing_they_do_not_show(tmp_path: Path) -> None:
    later = ("numpy", "planner.exchange.plots", "planner.exchange.report", "planner.spec.fleet")
    code = (
        "import sys; from planner.tui import session_file; from planner.tui.screens.workbench import WorkbenchScreen; "
        "outcome = session_file.begin(None, 'deepseek-v3').outcome; "
        f"print(outcome is not None, [name for name in {later} if name in sys.modules])"
    )
    there = os.environ | {"PLANNER_STATE_DIR": str(tmp_path)}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=there)
    assert found.stdout.strip() == "True []"


def test_the_figures_stand_where_they_stay_when_they_first_show(tmp_path: Path) -> None:
    pid, terminal = start(tmp_path, "llama-3.1-8b")
    seen = read_screen(terminal, "4 Outcome, with", "^p commands")
    os.write(terminal, b"64\r")
    seen = read_screen(terminal, "64  8 nodes", "undo", seen=seen)
    quit_well(pid, terminal)
    begun = [screen(seen[:end], 120, 40) for end in range(0, len(seen), 256)]
    columns = [line.find("─ 5 Where a step") for shown in begun for line in shown.splitlines()]
    assert {column for column in columns if column >= 0} == {44}


def test_what_is_typed_before_the_workbench_is_there_is_answered_in_order(tmp_path: Path) -> None:
    pid, terminal = start(tmp_path, "llama-3.1-8b")
    first = read_screen(terminal, "reading llama-3.1-8b", "1 Cluster", "4 Outcome")
    assert "MFU" not in screen(first, 120, 40)
    os.write(terminal, b"64\ru128\r")  # cards, undone, other cards
    shown = read_screen(terminal, "128  16 nodes", "3 Strategy", "MFU", "undo", seen=first)
    assert "reading" not in screen(shown, 120, 40)
    quit_well(pid, terminal)
    assert [step["label"] for step in history(tmp_path)] == ["opened", "Cards 128"]
    assert history(tmp_path)[-1]["plan"]["cluster"]["cards"] == 128


def test_a_paste_on_the_first_picture_goes_into_the_field(tmp_path: Path) -> None:
    pid, terminal = start(tmp_path)
    read_screen(terminal, "reading the last session")
    os.write(terminal, b"\x1b[200~4096\x1b[201~\r")
    quit_well(pid, terminal)
    assert [step["label"] for step in history(tmp_path)] == ["opened", "Cards 4096"]


def test_a_slow_line_shows_the_same(tmp_path: Path) -> None:
    shown = []
    for bytes_a_second in (1_000_000, 16_000):
        pid, terminal = start(tmp_path / str(bytes_a_second), "llama-3.1-8b")
        seen = read_screen(terminal, "reading", bytes_a_second=bytes_a_second)
        os.write(terminal, b"64\r")
        seen = read_screen(terminal, "64  8 nodes", "undo", seen=seen, bytes_a_second=bytes_a_second)
        shown.append(screen(seen, 120, 40).splitlines()[:36])  # the last lines tell of a search, which takes its time
        quit_well(pid, terminal)
    assert shown[0] == shown[1]


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGHUP])
def test_told_to_end_on_the_first_picture(tmp_path: Path, name: signal.Signals) -> None:
    pid, terminal = start(tmp_path, "deepseek-v3")
    read_screen(terminal, "reading deepseek-v3")
    os.write(terminal, b"4096\r")
    os.kill(pid, name)
    read_until(terminal, "Session saved")
    assert ended(pid) == 0
    assert [step["label"] for step in history(tmp_path)] == ["opened"]


@pytest.mark.parametrize("word", ["nosuchpreset", "broken.toml"])
def test_what_cannot_be_opened_is_said_in_one_line_before_any_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.toml").write_text("schema = 1\n[cluster]\ncard = 7\n", encoding="utf-8")
    pid, terminal = start(tmp_path, word)
    seen = b""
    try:
        while data := os.read(terminal, 65_536):
            seen += data
    except OSError:
        pass  # that is how a terminal ends
    assert os.waitstatus_to_exitcode(ended(pid)) == 2
    assert ALTERNATE not in seen
    assert word in seen.decode()
    assert b"Traceback" not in seen


def test_what_is_wrong_with_a_setting_is_said_on_the_workbench(tmp_path: Path) -> None:
    pid, terminal = start(tmp_path, "--theme", "nosuch", "llama-3.1-8b")
    read_screen(terminal, "there is no theme nosuch", "3 Strategy")
    quit_well(pid, terminal)
