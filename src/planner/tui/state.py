"""What the screens show: a history of immutable plans, the last good outcome, and why it may be stale. No Textual.

Every accepted edit makes a new plan and a new outcome. A plan that cannot be computed stays the current plan, so that a
second edit can mend it, while the last good outcome stays in view with the reason it is stale.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any, Final

from planner.catalog import Catalog
from planner.engine.result import Outcome
from planner.exchange import plan_toml
from planner.exchange.edits import set_keys, stated
from planner.exchange.sessions import Step
from planner.spec.base import PlanError, Problem, Setting
from planner.spec.plan import Plan, Resolved
from planner.tui.thinking import REAL, Tools

Value = Setting | list[str]
"""What one key of a plan may be set to."""
Changes = Iterable[tuple[str, Value | None]]
"""Dotted keys with their new values; None takes the key out, so that its default applies."""
LONGEST_HISTORY: Final = 200
MOST_RECENT: Final = 10


@dataclass(frozen=True, slots=True)
class Draft:
    """Text typed into a field that is no value of it."""

    text: str
    reason: str


class Session:
    """The plan being worked on.

    Args:
        catalog: finds what a plan names.
        evaluate: the engine.
        plan: the plan to start from.
        source: the file or preset it came from.
        tools: what works beside the keys.
    """

    def __init__(
        self,
        catalog: Catalog,
        evaluate: Callable[[Resolved], Outcome],
        plan: Plan,
        source: str = "",
        tools: Tools = REAL,
    ) -> None:
        self.catalog = catalog
        self.evaluate = evaluate
        self.tools = tools
        self.outcome: Outcome | None = None
        """The last good outcome."""
        self._before: Outcome | None = None
        """That of before the present step: what stands on screen while the step, digit by digit, comes to no plan."""
        self.variants: dict[str, Plan] = {}
        """Plans kept beside the one being worked on, by name; they stay when another plan is opened."""
        self.recent: list[str] = []
        """Files opened or written, the last one first."""
        self.trouble = ""
        """What was wrong with the saved session."""
        self.resolved: Resolved | None = None
        """The current plan resolved, or the last that could be."""
        self.open(plan, source)

    @property
    def plan(self) -> Plan:
        """The plan as edited."""
        return self.history[self.index].plan

    def open(self, plan: Plan, source: str = "", *, exported: bool = False) -> None:
        """Start over on another plan.

        Args:
            plan: the plan.
            source: the file or preset it came from.
            exported: it stands in a file as it is.
        """
        if plan.strategy is None:
            plan = self.filled(plan)
        self.history: list[Step] = [Step("opened", plan)]
        self.index = 0
        self.source = source
        self.exported: Plan | None = plan if exported else None
        self.drafts: dict[str, Draft] = {}
        self.blocking: tuple[Problem, ...] = ()
        """Why the current plan has no outcome; empty when it has one."""
        self._token: object = None
        self.outcome = self._before = None
        self._compute()

    def restore(self, steps: list[Step], index: int, source: str, exported: Plan | None) -> None:
        """Take up a saved session where it stopped."""
        before = self.plan
        self.history, self.index, self.source, self.exported = steps, index, source, exported
        self.drafts, self._token = {}, None
        if self.plan is not before:
            self.outcome = self._before = None
            self._compute()
        if self.outcome is None:
            self.outcome = self._before = self._last_good()
            self.resolved = self.resolved or (self.outcome.resolved if self.outcome else None)

    # ------------------------------------------------------------------------------------------------- reading

    @property
    def stale(self) -> str:
        """Why the outcome on screen is not of what the fields show; empty when it is."""
        if self.drafts:
            return next(iter(self.drafts.values())).reason
        return sentence(self.blocking[0]) if self.blocking else ""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the plan: what blocks it, else what the outcome says."""
        drafts = tuple(Problem("error", key, draft.reason) for key, draft in self.drafts.items())
        rest = self.blocking or (self.outcome.problems if self.outcome else ())
        return drafts + rest

    @property
    def is_exported(self) -> bool:
        """The plan stands in a file as it is."""
        return self.exported is not None and plan_toml.as_dict(self.exported) == plan_toml.as_dict(self.plan)

    @property
    def can_undo(self) -> bool:
        """There is something to undo."""
        return self.index > 0 or bool(self.drafts)

    @property
    def can_redo(self) -> bool:
        """There is something to redo."""
        return self.index + 1 < len(self.history)

    def stated(self, key: str) -> Any:  # noqa: ANN401 - any value a plan may hold
        """What the plan itself says of a key; None where it leaves it to a default."""
        return stated(self.plan, key)

    def error(self, key: str) -> str:
        """What is wrong with a key, or an empty string."""
        if key in self.drafts:
            return self.drafts[key].reason
        return next((sentence(p) for p in self.problems if p.key == key and p.severity == "error"), "")

    def modified(self, key: str) -> bool:
        """The key differs from the plan that was opened."""
        return bool(self.index) and self.stated(key) != stated(self.history[0].plan, key)

    # ------------------------------------------------------------------------------------------------- editing

    def edit(self, key: str, value: Value | None, label: str, token: object = None) -> bool:
        """Set one key; see `apply`. Text that is no value of it is kept as a draft with the reason."""
        try:
            self.apply([(key, value)], label, token)
        except PlanError as error:
            self.draft(key, str(value), sentence(error.problems[0]), token)
            return False
        return True

    def apply(self, changes: Changes, label: str, token: object = None) -> None:
        """Make a new plan of the present one.

        Args:
            changes: what to set; a changed card takes along what only repeated the old card's host.
            label: names the step in undo and redo.
            token: steps made with the same token are one step, as the digits of one number are.

        Raises:
            PlanError: the changed plan is no plan; nothing has changed.
        """
        changes = list(changes)
        plan = set_keys(self.plan, changes, self.catalog)
        for key, _ in changes:
            self.drafts.pop(key, None)
        if plan_toml.as_dict(plan) != plan_toml.as_dict(self.plan):
            if token is not None and token == self._token:
                self.history[self.index :] = [Step(label, plan)]
            else:
                self._push(plan, label)
            self._token = token
        self._compute()

    def replace(self, plan: Plan, label: str) -> bool:
        """Make another whole plan the current one, as a step that can be undone; False where it is the same."""
        self.drafts.clear()
        if plan_toml.as_dict(plan) == plan_toml.as_dict(self.plan):
            return False
        self._push(plan, label)
        self._token = None
        self._compute()
        return True

    def _push(self, plan: Plan, label: str) -> None:
        self._before = self.outcome
        self.history[self.index + 1 :] = [Step(label, plan)]
        del self.history[1 : max(len(self.history) - LONGEST_HISTORY, 1)]
        self.index = len(self.history) - 1

    def draft(self, key: str, text: str, reason: str, token: object = None) -> None:
        """Keep text that is no value of a key, with the reason; a step of the same token is taken back."""
        if token is not None and token == self._token and self.index:
            del self.history[self.index :]
            self.index -= 1
            self._token = None
            self._compute()
        self.drafts[key] = Draft(text, reason)

    def drop_draft(self, key: str) -> bool:
        """Forget the text of a key, so that the plan's own value shows again."""
        return self.drafts.pop(key, None) is not None

    def undo(self) -> str | None:
        """Go one step back; the label of what was undone, None when there is nothing."""
        self._token = None
        if self.drafts:
            self.drafts.clear()
            return "what was typed"
        if self.index == 0:
            return None
        label = self.history[self.index].label
        self.index -= 1
        self._before = self.outcome
        self._compute()
        return label

    def redo(self) -> str | None:
        """Go one step forward again; the label of what was redone, None when there is nothing."""
        self._token = None
        if not self.can_redo:
            return None
        self.drafts.clear()
        self.index += 1
        self._before = self.outcome
        self._compute()
        return self.history[self.index].label

    def mark_exported(self, source: str) -> None:
        """Note that the plan as it is stands in a file."""
        self.exported, self.source = self.plan, source
        self.used(source)

    def used(self, path: str) -> None:
        """A file was opened or written."""
        path = str(Path(path).absolute())
        self.recent = [path, *(other for other in self.recent if other != path)][:MOST_RECENT]

    def keep(self, step: Step | None = None) -> str:
        """Keep a plan as a variant, once; its name, that of its step.

        Args:
            step: another session's last step; None: the plan as it is.
        """
        step = step or (self.history[self.index] if self.index else Step("as opened", self.plan))
        now = plan_toml.as_dict(step.plan)
        for name, plan in self.variants.items():
            if plan_toml.as_dict(plan) == now:
                return name
        label = step.label
        turns = (f"{label} ({turn})" for turn in count(2))
        name = next(name for name in (label, *islice(turns, len(self.variants))) if name not in self.variants)
        self.variants[name] = step.plan
        return name

    def keep_unexported(self) -> str:
        """Keep what would be lost where another plan is opened; the variant's name, empty where nothing would be."""
        return self.keep() if unexported(self.history, self.index, self.exported) else ""

    def drop_variant(self, name: str) -> None:
        """Keep a variant no longer."""
        self.variants.pop(name, None)

    def preview(self, plan: Plan) -> Outcome:
        """The outcome of another plan, without opening it.

        Raises:
            PlanError: it has none.
        """
        return self.evaluate(self.catalog.resolve(self.filled(plan) if plan.strategy is None else plan))

    def filled(self, plan: Plan) -> Plan:
        """The plan with the best strategy; as it is where there is none."""
        from planner.choose import best_for

        try:
            return best_for(plan, self.catalog)
        except PlanError:
            return plan

    def _compute(self) -> None:
        try:
            self.resolved = self.catalog.resolve(self.plan)
            self.outcome = self.evaluate(self.resolved)
            self.blocking = ()
        except PlanError as error:
            self.blocking = error.problems
            self.outcome = self._before or self.outcome

    def _last_good(self) -> Outcome | None:
        """The outcome of the last step before the present one that has any."""
        for step in reversed(self.history[: self.index]):
            with contextlib.suppress(PlanError):
                return self.evaluate(self.catalog.resolve(step.plan))
        return None


def unexported(steps: Sequence[Step], index: int, exported: Plan | None) -> bool:
    """The plan of a session was edited and stands in no file."""
    now = plan_toml.as_dict(steps[index].plan)
    return now not in [plan_toml.as_dict(plan) for plan in (steps[0].plan, exported) if plan]


def sentence(problem: Problem) -> str:
    """A problem and its remedy in one line."""
    return f"{problem.message} {problem.fix}".strip()
