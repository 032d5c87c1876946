"""The plan beside up to three others: itself on another card or fabric, variants, presets or files."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from textual.app import ComposeResult

from planner.engine.result import Outcome
from planner.exchange import compare, plan_toml, sessions
from planner.exchange.compare import Compared
from planner.exchange.edits import changed
from planner.exchange.why import Book
from planner.spec.base import PlanError
from planner.spec.plan import Plan
from planner.tui.actions import bindings, first_key
from planner.tui.explaining import NOTHING, own_book, row_book
from planner.tui.fields import CLUSTER
from planner.tui.picking import options
from planner.tui.plan_files import at_path, plans_here
from planner.tui.screens.parts import PartsScreen, trouble
from planner.tui.state import Session
from planner.tui.thinking import Check
from planner.tui.widgets.lines import Line
from planner.tui.widgets.page import Page, paragraph, report
from planner.tui.widgets.picker import Option, Picker

MOST: Final = 4
"""Plans side by side."""
TWINS: Final = {
    "cluster.card": "card", "cluster.scale_up": "scale-up", "cluster.scale_out": "scale-out",
    "cluster.topology": "topology",
}  # fmt: skip
"""Keys a what-if twin changes, and what they are called in the list."""
PRESET: Final = "preset"
FILE: Final = "file"
VARIANT: Final = "variant"


def introduction() -> str:
    """What the screen is for, before anything is compared."""
    return (
        f"What would this plan be on another card, fabric or topology? {first_key('compare-add')} picks one, or a "
        "preset, or a plan file; up to four plans are shown as they are and with the best strategy "
        "found for each."
    )


class Comparison(Page):
    """The comparison as the command line prints it."""

    def __init__(self) -> None:
        super().__init__("Compare", id="comparison")
        self.plans: list[Compared] = []
        self.words = ""
        """What is going on, or wrong."""

    def body(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - it scrolls
        """Headline, differences, figures."""
        lines: list[Line] = [(), *paragraph(self.words, width, "quiet"), ()] if self.words else [()]
        if len(self.plans) > 1:
            lines += report(compare.lines(self.plans, width - 3, fold=width - 3), width)
        return [*lines, ()]


class CompareScreen(PartsScreen):
    """One page."""

    MODE = "compare"
    PARTS = ("comparison",)
    BINDINGS = [*bindings("compare")]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._of: Plan | None = None
        self._others: list[str] = []
        """KEY=VALUE, `preset=ID`, `file=PATH` or `variant=NAME`."""
        self._kept: set[str] = set()
        """Variants that have been put beside the plan, or taken away again."""

    def body(self) -> ComposeResult:
        """The page."""
        yield Comparison()

    def arrive(self) -> None:
        """Compare again where the plan is another, or a variant was kept; each new one comes along by itself."""
        new = [f"{VARIANT}={name}" for name in self.session.variants if name not in self._kept]
        self._kept = set(self.session.variants)
        named = {other: other.removeprefix(f"{VARIANT}=") for other in self._others if other.startswith(VARIANT)}
        gone = [other for other, name in named.items() if name not in self._kept]
        self._others = [other for other in self._others if other not in gone]
        self._others += new[: MOST - 1 - len(self._others)]
        if new or gone or self.session.plan is not self._of:
            self._of = self.session.plan
            self._compute()

    def _compute(self) -> None:
        page = self.query_one(Comparison)
        page.plans, page.words = [], introduction() if not self._others else "Searching each for its best strategy …"
        page.to_top()
        if not self._others:
            self.rest()
            return
        plan, others = self.session.plan, list(self._others)

        def work(check: Check, tell: Callable[[list[Compared] | str], None]) -> None:
            try:
                found = [self._compared(plan, plan.name or self.session.source, check)]
                for other in others:
                    changed_plan, name = self._plan(plan, other)
                    found.append(self._compared(changed_plan, name, check))
            except PlanError as error:
                tell(trouble(error))
            else:
                tell(found)

        self.think(work, self._show)

    def _plan(self, plan: Plan, other: str) -> tuple[Plan, str]:
        """A plan of the comparison, and its name."""
        key, _, name = other.partition("=")
        if key == VARIANT:
            return self.session.variants[name], name
        if key == PRESET:
            preset = self.session.catalog.plan(name)
            return preset, preset.name or name
        if key == FILE:
            read = plan_toml.read(Path(name))
            return read, read.name or name
        return changed(plan, [other], self.session.catalog), f"with {TWINS[key]} {name}"

    def _compared(self, plan: Plan, name: str, check: Check) -> Compared:
        """A plan as it is, where that is possible, and with its best strategy.

        Raises:
            PlanError: it cannot be used, or nothing fits.
        """
        check()
        session = self.session
        filled = plan if plan.strategy is not None else session.filled(plan)
        resolved = session.catalog.resolve(filled)
        ranked = session.tools.search(resolved, 1, check).ranked
        best = session.evaluate(resolved.with_strategy(ranked[0].strategy)) if ranked else None
        try:
            own: Outcome = session.evaluate(resolved)
        except PlanError:
            if best is None:
                raise
            return Compared(f"{name} (its own strategy is impossible there: the best one found)", best, best)
        return Compared(name, own, best)

    def _show(self, found: list[Compared] | str) -> None:
        page = self.query_one(Comparison)
        if isinstance(found, str):
            page.words = f"{found} {first_key('compare-drop')} takes the last plan away."
        else:
            page.plans, page.words = found, ""
        page.to_top()
        self.guide()

    # ------------------------------------------------------------------------------------------------- others

    def action_add(self) -> None:
        """Pick what to compare with."""
        if len(self._others) >= MOST - 1:
            self.say(f"{MOST} plans at most; {first_key('compare-drop')} takes the last away")
            return

        def done(value: object | None) -> None:
            self.show(self._here)
            if value is not None:
                self._others.append(str(value))
                self._compute()
                self.guide()

        new = [option for option in self._entries() if option.value not in self._others]
        picker = Picker("Compare with", new, done, typed=_at_path, asks="to narrow down, or a path")
        self.mount(picker)
        self.set_focus(picker)

    def _entries(self) -> Iterator[Option]:
        """Kept variants, cards and fabrics for a twin of the plan, then presets."""
        for name in self.session.variants:
            yield Option(f"{VARIANT}={name}", f"variant {name}")
        for key, words in TWINS.items():
            item = next(item for item in CLUSTER if item.key == key)
            for option in options(item, self.session):
                if option.ok and not option.current:
                    yield Option(f"{key}={option.value}", f"{words} {option.name}", option.facts, option.detail)
        for name in self.session.catalog.ids("plans"):
            yield Option(f"{PRESET}={name}", f"preset {name}")
        for path in plans_here():
            yield Option(f"{FILE}={path}", f"file {path}")

    def action_drop(self) -> None:
        """Take the last plan away."""
        if self._others:
            self._others.pop()
            self._compute()
            self.guide()

    def action_why(self) -> None:
        """Choose a plan of the comparison, then explain its figures."""
        plans = self.query_one(Comparison).plans
        if not plans:
            super().action_why()
            return
        found: list[tuple[str, Outcome, str]] = []
        for number, one in enumerate(plans, 1):
            found.append((f"[{number}]", one.outcome, one.name))
            if one.best is not None:
                found.append((f"[{number}], best strategy", one.best, one.name))

        def done(value: object | None) -> None:
            self.show(self._here)
            if isinstance(value, int):
                title, outcome, _ = found[value]
                self.app.push_screen(WhyScreen(row_book(self.session, outcome, title), "training_days"))

        from planner.tui.screens.why import WhyScreen

        picker = Picker("Why: which plan", [Option(n, title, name) for n, (title, _, name) in enumerate(found)], done)
        self.mount(picker)
        self.set_focus(picker)

    def explained(self) -> tuple[Book, str] | str:
        """The plan, while there is nothing to compare it with."""
        outcome = self.session.outcome
        return (own_book(self.session, outcome), "training_days") if outcome else NOTHING

    def hints(self) -> list[tuple[str, str]]:
        """Its own keys first."""
        keys = [(first_key("compare-add"), "compare with")]
        return (
            [*keys, (first_key("compare-drop"), "drop the last"), (first_key("why"), "why"), ("↑↓", "scroll")]
            if self._others
            else keys
        )

    def about(self) -> str:
        """The twin."""
        pairs = [other.partition("=") for other in self._others]
        kept = [*self.session.variants]
        files = [f"{sessions.VARIANT}{kept.index(name) + 1}" if key == VARIANT else name
                 for key, _, name in pairs if key in {PRESET, FILE, VARIANT}]  # fmt: skip
        sets = [] if files else [f"--set {key}={name}" for key, _, name in pairs[:1]] or ["FILE"]
        return " ".join((f"planner compare {sessions.SESSION}", *files, *sets))


def _at_path(text: str) -> Iterator[Option]:
    """Plan files a typed path leads to."""
    return (dataclasses.replace(option, value=f"{FILE}={option.value}") for option in at_path(text))
