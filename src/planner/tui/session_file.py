"""The session on disk: the history of plans, so that a lost connection loses nothing. No Textual."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from planner.data_files import state_folder
from planner.exchange import plan_toml
from planner.exchange.files import write_atomic
from planner.spec.base import PlanError
from planner.spec.parse import parse_plan
from planner.tui.state import Session, Step

VERSION: Final = 1
"""Files of another version are left alone and not read."""


def session_path() -> Path:
    """The file of the one session."""
    return state_folder() / "session.json"


def save(session: Session, path: Path) -> None:
    """Write the session in one step.

    Raises:
        PlanError: it cannot be written, and why.
    """
    data = {
        "version": VERSION,
        "source": session.source,
        "index": session.index,
        "exported": plan_toml.as_dict(session.exported) if session.exported else None,
        "recent": session.recent,
        "variants": {name: plan_toml.as_dict(plan) for name, plan in session.variants.items()},
        "history": [{"label": step.label, "plan": plan_toml.as_dict(step.plan)} for step in session.history],
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PlanError([], str(path)) from error
    write_atomic(path, json.dumps(data, ensure_ascii=False))


def beside(session: Session, path: Path) -> None:
    """Take the variants and recent files of the saved session along to another plan."""
    other = Session(session.catalog, session.evaluate, session.plan, session.source, session.tools)
    if resume(other, path):
        session.variants, session.recent = other.variants, other.recent


def resume(session: Session, path: Path) -> bool:
    """Take up the saved session.

    Returns:
        False, with the session untouched, where there is none or it cannot be read.
    """
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if data["version"] != VERSION:
            return False
        steps = [Step(str(item["label"]), parse_plan(item["plan"], str(path))) for item in data["history"]]
        exported = parse_plan(data["exported"], str(path)) if data["exported"] else None
        variants = {str(name): parse_plan(plan, str(path)) for name, plan in data.get("variants", {}).items()}
        recent = [str(file) for file in data.get("recent", ())]
        index, source = int(data["index"]), str(data["source"])
        if not 0 <= index < len(steps):
            return False
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # PlanError is a ValueError
        return False
    session.restore(steps, index, source, exported)
    session.variants, session.recent = variants, recent
    return True
