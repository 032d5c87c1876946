"""What the terminal UI left on disk: the history of plans, the variants kept beside it, recent files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from planner.data_files import state_folder
from planner.exchange.files import reason
from planner.spec.base import PlanError, Problem
from planner.spec.parse import parse_plan
from planner.spec.plan import Plan
from planner.spec.words import shown

VERSION: Final = 1
"""Files of another version are left alone and not read."""
SESSION: Final = "session"
"""Means, where a command wants a FILE, the plan that the terminal UI shows."""
VARIANT: Final = "variant:"
"""Begins, where a command wants a FILE, the name or number of a kept variant."""


@dataclass(frozen=True, slots=True)
class Step:
    """One state of the plan, and what made it."""

    label: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class Saved:
    """What a session file holds."""

    steps: list[Step]
    index: int
    source: str
    exported: Plan | None
    variants: dict[str, Plan]
    recent: list[str]


def session_path() -> Path:
    """The file of the one session."""
    return state_folder() / "session.json"


def read(path: Path) -> Saved | None:
    """The saved session; None where there is none.

    Raises:
        PlanError: it cannot be used, and why.
    """
    try:
        return _parsed(json.loads(path.read_text(encoding="utf-8")), str(path))
    except FileNotFoundError:
        return None
    except PlanError as error:
        problem = error.problems[0]
        why = f"{problem.key}: {problem.message}".removeprefix(": ").rstrip(".")
    except OSError as error:
        why = reason(error)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        why = "it is no session"
    fix = "`planner` sets it aside and starts anew."
    raise PlanError([Problem("error", "", f"the saved session cannot be used: {why}.", fix)], str(path))


def _parsed(data: Mapping[str, Any], source: str) -> Saved:
    if data["version"] != VERSION:
        message = f"{shown(data['version'])} is not the version this planner reads, {VERSION}."
        raise PlanError([Problem("error", "version", message)])
    saved = Saved(
        steps=[Step(str(item["label"]), parse_plan(item["plan"], source)) for item in data["history"]],
        index=int(data["index"]),
        source=str(data["source"]),
        exported=parse_plan(data["exported"], source) if data["exported"] else None,
        variants={str(name): parse_plan(plan, source) for name, plan in data.get("variants", {}).items()},
        recent=[str(file) for file in data.get("recent", ())],
    )
    if not 0 <= saved.index < len(saved.steps):
        raise IndexError(saved.index)
    return saved


def is_kept(word: str) -> bool:
    """A word means a plan of the session."""
    return word == SESSION or word.startswith(VARIANT)


def find(word: str) -> Plan:
    """The plan of the session that a word means: `session`, or `variant:` with a number or a name.

    Raises:
        PlanError: there is no session, it cannot be used, or has no such variant; it names those there are.
    """
    saved = read(session_path())
    if saved is None:
        fix = "`planner` starts one; k keeps the plan on screen as a variant."
        raise PlanError([Problem("error", "", "there is no saved session.", fix)])
    if word == SESSION:
        return saved.steps[saved.index].plan
    wanted = word.removeprefix(VARIANT).strip()
    for number, (name, plan) in enumerate(saved.variants.items(), 1):
        if wanted.casefold() in {str(number), name.casefold()}:
            return plan if plan.name == "" else plan.model_copy(update={"name": f"{plan.name}: {name}"})
    kept = ", ".join(f"{number} {shown(name)}" for number, name in enumerate(saved.variants, 1))
    fix = f"Kept are: {kept}." if kept else "None is kept; k on the workbench keeps the plan."
    raise PlanError([Problem("error", "", f"there is no variant {shown(wanted)}.", fix)])
