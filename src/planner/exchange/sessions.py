"""What the terminal UI left on disk: the history of plans, the variants kept beside it, recent files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from planner.data_files import state_folder
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
    return Saved(steps, index, source, exported, variants, recent) if 0 <= index < len(steps) else None


def is_kept(word: str) -> bool:
    """A word means a plan of the session."""
    return word == SESSION or word.startswith(VARIANT)


def find(word: str) -> Plan:
    """The plan of the session that a word means: `session`, or `variant:` with a number or a name.

    Raises:
        PlanError: there is no session, or no such variant; it names those there are.
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
