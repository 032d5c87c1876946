"""The session on disk: the history of plans, so that a lost connection loses nothing. No Textual."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from planner.data_files import state_folder
from planner.exchange import plan_toml
from planner.exchange.files import write_atomic
from planner.spec.base import PlanError
from planner.spec.parse import parse_plan
from planner.spec.plan import Plan
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
    if saved := _read(path):
        session.variants, session.recent = saved.variants, saved.recent


def resume(session: Session, path: Path) -> bool:
    """Take up the saved session.

    Returns:
        False, with the session untouched, where there is none or it cannot be read.
    """
    saved = _read(path)
    if saved is None:
        return False
    session.restore(saved.steps, saved.index, saved.source, saved.exported)
    session.variants, session.recent = saved.variants, saved.recent
    return True


@dataclass(frozen=True, slots=True)
class _Saved:
    """What a session file holds."""

    steps: list[Step]
    index: int
    source: str
    exported: Plan | None
    variants: dict[str, Plan]
    recent: list[str]


def _read(path: Path) -> _Saved | None:
    """The saved session; None where there is none or it cannot be read."""
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if data["version"] != VERSION:
            return None
        steps = [Step(str(item["label"]), parse_plan(item["plan"], str(path))) for item in data["history"]]
        exported = parse_plan(data["exported"], str(path)) if data["exported"] else None
        variants = {str(name): parse_plan(plan, str(path)) for name, plan in data.get("variants", {}).items()}
        recent = [str(file) for file in data.get("recent", ())]
        index, source = int(data["index"]), str(data["source"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # PlanError is a ValueError
        return None
    return _Saved(steps, index, source, exported, variants, recent) if 0 <= index < len(steps) else None
