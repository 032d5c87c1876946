"""On a terminal no line is wider than it; in a pipe a row of a table stays one line."""

import os
import pty
import subprocess
import sys
from itertools import takewhile

import pytest
from tests.cli.helpers import planner

NARROW = {
    "size": "size deepseek-v3 --within-days 60 --cards 2048,2560",
    "scale": "search llama-3.1-8b --scale",
    "search": "search deepseek-v3 --top 2",
    "pictures": "estimate deepseek-v3 --pictures",
    "audit": "audit deepseek-v3 gb200-nvl72-deepseek-v3 llama-3.1-405b-8k-gpus",
    **{kind: f"catalog {kind}" for kind in ("cards", "fabrics", "models", "stacks", "presets", "fleets", "parts")},
    "settings": "config show",
    "validate": "validate",
}


def on_terminal(arguments: str, columns: int, *, messages: bool = False) -> list[str]:
    """What a command writes on a terminal of so many columns, its messages too if wanted."""
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-m", "planner", *arguments.split()],
        stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs if messages else subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": str(columns), "NO_COLOR": "1"},
    )  # fmt: skip
    os.close(theirs)
    parts = []
    while True:
        try:
            part = os.read(ours, 1 << 16)
        except OSError:  # Linux tells so that the other end is closed
            break
        if not part:
            break
        parts.append(part)
    os.close(ours)
    assert running.wait() in ({2} if messages else {0, 1})
    return b"".join(parts).decode().replace("\r\n", "\n").splitlines()


@pytest.mark.parametrize("arguments", NARROW.values(), ids=NARROW.keys())
def test_lines_fit_a_terminal_of_80_columns(arguments: str) -> None:
    lines = on_terminal(arguments, 80)
    assert len(lines) > 5
    assert [line for line in lines if len(line) > 80 and not line.startswith("Settings file: ")] == []


def test_a_strategy_that_has_no_room_beside_stands_below_its_row() -> None:
    lines = on_terminal(NARROW["size"], 80)
    row = next(n for n, line in enumerate(lines) if "2,560" in line)
    below = takewhile(lambda line: line.startswith("      ") and "h800-sxm" not in line, lines[row + 1 :])
    folded = " ".join(line.strip() for line in below)
    whole = next(line for line in planner(*NARROW["size"].split()).stdout.splitlines() if "2,560" in line)
    assert whole.endswith(folded)
    assert folded.startswith("tensor ")


def test_messages_break_between_words() -> None:
    lines = on_terminal("no-such-preset", 40, messages=True)
    whole = planner("no-such-preset").stderr
    assert max(map(len, lines)) <= 40
    assert " ".join(lines) == whole.strip()
