"""The workbench: the plan to the left, what it comes to on the right; here is what its keys do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.exchange.defaults import as_text
from planner.spec.base import PlanError
from planner.tui.actions import bindings, first_key
from planner.tui.screens.workbench_panels import WorkbenchPanels
from planner.tui.state import sentence
from planner.tui.widgets.best import BestLine
from planner.tui.widgets.field_panel import FieldPanel
from planner.tui.widgets.panel import Panel
from planner.tui.widgets.results import MemoryPanel, OutcomePanel, ProblemsPanel, StepPanel

if TYPE_CHECKING:
    from planner.exchange.why import Book


class WorkbenchScreen(WorkbenchPanels):
    """One plan, being worked on."""

    BINDINGS = [*bindings("workbench")]

    # ------------------------------------------------------------------------------------------------- editing

    def action_undo(self) -> None:
        """One step back."""
        label = self.session.undo()
        self.changed()
        self.say(f"undone: {label}" if label else "nothing to undo")

    def action_redo(self) -> None:
        """One step forward again."""
        label = self.session.redo()
        self.changed()
        self.say(f"done again: {label}" if label else "nothing to redo")

    def action_keep(self) -> None:
        """Keep the plan as it is beside the one being worked on."""
        name = self.session.keep()
        self.app.autosave()
        self.say(f"kept as “{name}”; {first_key('variants')} lists what is kept, {first_key('compare')} compares")

    def action_variants(self) -> None:
        """Go back to a kept plan, as a step that can be undone."""
        from planner.tui.picking import variants
        from planner.tui.widgets.picker import Picker

        if not self.session.variants:
            self.say(f"no variant is kept yet; {first_key('keep')} keeps the plan as it is")
            return
        back = self.focused

        def done(value: object | None) -> None:
            self.set_focus(back)
            if value is not None:
                self.session.replace(self.session.variants[str(value)], f"variant {value}")
                self.changed()

        def dropped(name: object) -> None:
            self.session.drop_variant(str(name))
            self.app.autosave()
            self.say(f"dropped “{name}”")

        self.show_over(Picker("Variants", variants(self.session), done, dropped=dropped))

    def action_apply_fix(self) -> None:
        """Do what a problem proposes."""
        problems = self.query_one("#problems", ProblemsPanel)
        problem = problems.fixable
        if problem is None:
            self.say(problems.no_fix)
            return
        label = ", ".join(f"{key.rpartition('.')[2]} {as_text(value)}" for key, value in problem.change)
        try:
            self.session.apply(problem.change, label)
        except PlanError as error:
            self.say(sentence(error.problems[0]))
            return
        self.changed()
        self.say(f"changed: {label}")

    def action_best(self) -> None:
        """Take over the best strategy found, as one step."""
        from planner.tui.thinking import apply

        better = self.query_one("#best", BestLine).better
        if better is None:
            self.say("there is no better strategy to apply")
            return
        try:
            apply(self.session, better.resolved.plan, "best strategy")
        except PlanError as error:
            self.say(sentence(error.problems[0]))
            return
        self.changed()
        self.say(f"applied: best strategy; {first_key('undo')} takes it back")

    def action_limits(self) -> None:
        """What would help, and by how much."""
        from planner.tui.screens.limits import LimitsScreen

        if self.session.outcome is None or self.session.stale:
            self.say("there are no figures of this plan to explain")
            return
        self.app.push_screen(LimitsScreen(self.session, self.session.outcome))

    # ------------------------------------------------------------------------------------------------- screens

    def action_open(self) -> None:
        """Open a preset or a file."""
        from planner.tui.screens.open import OpenScreen

        self.app.push_screen(OpenScreen(self.session, self._opened))

    def _opened(self, kept: str) -> None:
        self.zoom(None)
        self.remove_class("-results")
        self.changed()
        self._start()
        also = f"; what was not exported is the variant “{kept}” ({first_key('variants')})" if kept else ""
        self.say(f"opened {self.session.source}{also}")

    def explained(self) -> tuple[Book, str] | str:
        """The figure that is chosen, or the field that has the cursor."""
        from planner.tui.explaining import NOTHING, own_book

        outcome, focused = self.session.outcome, self.focused
        if outcome is None or self.session.resolved is not outcome.resolved:
            return NOTHING
        key = "mfu"
        if isinstance(focused, FieldPanel):
            key = focused.current.key
        elif isinstance(focused, OutcomePanel | StepPanel | MemoryPanel):
            key = focused.chosen_key()
        return own_book(self.session, outcome), key

    def action_editor(self) -> None:
        """Edit the plan as text."""
        from planner.tui.outside import edit

        words = edit(self.app, self.session)
        self.changed()
        self.say(words)

    def to_copy(self) -> tuple[str, str]:
        """The plan's TOML from a field, else the panel of results."""
        if isinstance(self.focused, Panel) and not isinstance(self.focused, FieldPanel):
            return super().to_copy()
        from planner.exchange import plan_toml

        return "the plan as TOML", plan_toml.write(self.session.plan)

    def action_export(self) -> None:
        """Save the plan, or export what it comes to."""
        from planner.tui.screens.export import ExportScreen

        self.app.push_screen(ExportScreen(self.session, self._exported))

    def _exported(self, path: str) -> None:
        self.changed()
        self.say(f"wrote {path}")
