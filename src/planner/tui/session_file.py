"""The session on disk: the history of plans, so that a lost connection loses nothing. No Textual."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from planner.catalog import Catalog
from planner.engine.estimate import evaluate
from planner.engine.result import Outcome
from planner.exchange import plan_toml
from planner.exchange.files import from_home, reason, write_atomic
from planner.exchange.sessions import VERSION, Saved, read, session_path
from planner.spec.base import PlanError, Problem
from planner.spec.plan import Plan, Resolved
from planner.tui.state import Session, unexported
from planner.tui.thinking import REAL, Tools

__all__ = ["begin", "save", "session_path"]

FIRST_PLAN: Final = "deepseek-v3"
"""What a first start shows."""


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
        raise PlanError([Problem("error", "", f"cannot be written: {reason(error)}.")], str(path)) from error
    write_atomic(path, json.dumps(data, ensure_ascii=False))


def begin(
    plan: Plan | None,
    source: str | None,
    catalog: Catalog | None = None,
    engine: Callable[[Resolved], Outcome] | None = None,
    tools: Tools | None = None,
) -> Session:
    """A session on a plan, or on what a source names, else the saved one; the variants and recent files come along.

    Args:
        plan: the plan; None: the preset `source` names.
        source: the file or preset it came from; empty: it has no name; None without a plan: the saved session, and the
            first time a preset.
        catalog: what a plan may name; None: the built-in presets and the user's.
        engine: computes an outcome; None: the planner's own.
        tools: what works beside the keys; None: the planner's own.

    Raises:
        PlanError: the preset cannot be used.
    """
    catalog, engine, tools = catalog or Catalog.default(), engine or evaluate, tools or REAL
    saved, trouble = _saved(session_path())
    session = None
    if plan is None and source is None and saved is not None:
        try:
            session = Session(catalog, engine, saved.steps[saved.index].plan, saved.source, tools)
            session.restore(saved.steps, saved.index, saved.source, saved.exported)
        except Exception:  # noqa: BLE001 - whatever it is, it would end every later start as well
            session, trouble = None, _set_aside(session_path())
    if session is None:
        name = FIRST_PLAN if source is None else source
        session = Session(catalog, engine, plan or catalog.plan(name), name, tools)
    if saved is not None:
        session.variants, session.recent = saved.variants, saved.recent
        if session.history is not saved.steps and unexported(saved.steps, saved.index, saved.exported):
            session.keep(saved.steps[saved.index])
    if plan is not None and source and source not in catalog.ids("plans"):
        session.mark_exported(source)
    session.trouble = trouble
    return session


def _saved(path: Path) -> tuple[Saved | None, str]:
    """The saved session, and what became of one that cannot be read."""
    try:
        return read(path), ""
    except PlanError:
        return None, _set_aside(path)


def _set_aside(path: Path) -> str:
    """Keep a session that cannot be used, before another takes its place; what happened, or an empty string."""
    kept = path.with_name("session.unreadable.json")
    with contextlib.suppress(OSError):
        path.replace(kept)
        return f"session unusable, kept: {from_home(kept)}"
    return ""
