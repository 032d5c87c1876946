"""The session on disk: the history of plans, so that a lost connection loses nothing. No Textual."""

from __future__ import annotations

import json
from pathlib import Path

from planner.exchange import plan_toml
from planner.exchange.files import write_atomic
from planner.exchange.sessions import VERSION, read, session_path
from planner.spec.base import PlanError
from planner.tui.state import Session

__all__ = ["beside", "resume", "save", "session_path"]


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
    if saved := read(path):
        session.variants, session.recent = saved.variants, saved.recent


def resume(session: Session, path: Path) -> bool:
    """Take up the saved session.

    Returns:
        False, with the session untouched, where there is none or it cannot be read.
    """
    saved = read(path)
    if saved is None:
        return False
    session.restore(saved.steps, saved.index, saved.source, saved.exported)
    session.variants, session.recent = saved.variants, saved.recent
    return True
