"""What goes out of the program and comes back: the clipboard of the user's terminal, and the plan in an editor."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
from typing import TYPE_CHECKING, Final

from planner.data_files import state_folder
from planner.exchange import plan_toml
from planner.exchange.files import from_home, write_atomic
from planner.spec.base import PlanError
from planner.tui.actions import first_key
from planner.tui.state import Session, sentence

if TYPE_CHECKING:
    from planner.tui.app import PlannerApp

LONGEST: Final = 74_994
"""Characters in base 64 that terminals are known to take at once (hterm and tmux set this limit)."""


def copy(app: PlannerApp, what: str, text: str) -> str:
    """Send text to the clipboard of the terminal (OSC 52), and write it to a file, since nobody says if it arrived.

    Returns:
        What was done, honestly.
    """
    path = state_folder() / "copied.txt"
    kept = f"also in {from_home(path)}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, text)
    except (OSError, PlanError):
        kept = "no file could be written"
    if len(text.encode()) * 4 // 3 > LONGEST:
        return f"{what}: too long for a clipboard; {kept}"
    app.copy_to_clipboard(text)
    return f"{what}: sent to your terminal's clipboard, if it takes OSC 52; {kept}"


def edit(app: PlannerApp, session: Session) -> str:
    """Open the plan's TOML in the user's editor; what comes back is the plan, if it is one.

    Returns:
        What became of it.
    """
    path, fresh = state_folder() / "editing.toml", False
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if fresh := not path.exists():
            write_atomic(path, plan_toml.write(session.plan))
        trouble = _run_away(app, [*shlex.split(command), str(path)])
    except PlanError as error:
        return error.lines()[0]
    except (OSError, ValueError) as error:
        trouble = str(error)
    if trouble:
        if fresh:
            path.unlink(missing_ok=True)
        return f"{command} cannot be started: {trouble}"
    try:
        plan = plan_toml.read(path)
    except PlanError as error:
        return f"not taken: {sentence(error.problems[0])} {first_key('editor')} opens your text again"
    with contextlib.suppress(OSError):
        path.unlink()
    return (
        f"edited as text; {first_key('undo')} undoes it"
        if session.replace(plan, "edited as text")
        else "nothing was changed"
    )


def _run_away(app: PlannerApp, command: list[str]) -> str:
    """Give a program the terminal until it ends; why it cannot be started, or an empty string.

    What goes wrong is caught inside: Textual takes the terminal back at the end of the block alone.
    """
    with app.suspend():
        try:
            subprocess.run(command, check=False)  # noqa: S603 - the user's own editor
        except OSError as error:
            return error.strerror or str(error)
    return ""
