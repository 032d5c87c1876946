"""The workbench as a place: its panels, what is in view of them, and how the cursor gets around.

What its keys do to the plan is in `workbench`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.geometry import Region
from textual.widget import Widget

from planner.tui.fields import CLUSTER, MORE, STRATEGY, WORKLOAD, Field
from planner.tui.guiding import hints
from planner.tui.screens.base import LeanScreen
from planner.tui.state import Session
from planner.tui.widgets.best import BestLine
from planner.tui.widgets.field_panel import FieldPanel
from planner.tui.widgets.hints import IN_A_LIST, HintBar, ModeBar
from planner.tui.widgets.panel import Panel
from planner.tui.widgets.results import MemoryPanel, OutcomePanel, ProblemsPanel, StepPanel, Strip, TopLine
from planner.tui.widgets.too_small import LEAST_HEIGHT, LEAST_WIDTH, TooSmall

if TYPE_CHECKING:
    from planner.tui.app import PlannerApp


class WorkbenchPanels(LeanScreen):
    """Fields to the left, results on the right, one line of keys below.

    Args:
        session: the plan and its history.
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (LEAST_WIDTH, "-narrow"), (80, "-normal"), (120, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (LEAST_HEIGHT, "-short"), (30, "-tall")]

    app: PlannerApp

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._last: Panel | None = None
        """The panel that has the focus, or had it before a list."""

    def compose(self) -> ComposeResult:
        """Top line, fields, results, hints."""
        self.take_size()
        session = self.session
        yield ModeBar("workbench")
        yield TopLine(session, id="top")
        yield Strip(session, id="strip")
        with Horizontal(id="main"):
            with VerticalScroll(id="form", can_focus=False):
                with Vertical(id="machines"):
                    yield FieldPanel(1, "Cluster", CLUSTER, self, id="cluster")
                    yield FieldPanel(2, "Workload", WORKLOAD, self, id="workload")
                with Vertical(id="layout"):
                    yield FieldPanel(3, "Strategy", STRATEGY, self, id="strategy", more=MORE)
            with Vertical(id="results"):
                yield OutcomePanel(session, id="outcome")
                yield StepPanel(session, id="step")
                yield MemoryPanel(session, id="memory")
                yield ProblemsPanel(session, self.action_field, id="problems")
        yield BestLine(session, id="best")
        yield HintBar(id="hints")
        yield TooSmall(id="small")

    def on_mount(self) -> None:
        """Show the plan; a program told to end meanwhile leaves the containers empty."""
        if self.query(FieldPanel):
            self.changed()
            self._start()

    def _start(self) -> None:
        """Put the cursor on the number of cards: the first thing people change."""
        cluster = self.query_one("#cluster", FieldPanel)
        self.set_focus(cluster)
        cluster.go_to("cluster.cards")

    # ------------------------------------------------------------------------------------------------- showing

    def changed(self) -> None:
        """Show the session as it is now."""
        stale = bool(self.session.stale) and self.session.outcome is not None
        for panel in self.query(Panel):
            panel.stale = stale and not isinstance(panel, FieldPanel | ProblemsPanel)
            panel.refit()
        strip = self.query_one("#strip", Strip)
        strip.stale = stale
        strip.repaint()
        self.query_one("#top", TopLine).repaint()
        self.query_one("#best", BestLine).changed()
        self.app.autosave()
        self.guide()

    @property
    def problems_hidden(self) -> bool:
        """The fields take the whole screen."""
        return not self.has_class("-wide") and not self.has_class("-results")

    def guide(self) -> None:
        """Show the keys of what has the focus, and bring it into view."""
        focused = self.focused
        about, said = self.said, bool(self.said)
        bar = self.query_one("#hints", HintBar)
        if not isinstance(focused, Panel):
            bar.show(IN_A_LIST, about, first=said)
            return
        typing = isinstance(focused, FieldPanel) and focused.typing is not None
        problems, best = self.query_one("#problems", ProblemsPanel), self.query_one("#best", BestLine)
        for panel in (problems, best):
            if panel.typing != typing:
                panel.typing = typing
                panel.repaint()
        problems.at_field(focused.current.key if isinstance(focused, FieldPanel) else "")
        if isinstance(focused, FieldPanel):
            about = about or f"{focused.current.label}: {focused.current.about}"
            self._bring_into_view(focused)
        fixable = problems.fixable is not None
        narrow = not self.has_class("-wide")
        keys_now = hints(focused, undo=self.session.can_undo, narrow=narrow, fixable=fixable)
        bar.show(keys_now, about, first=said)

    def _bring_into_view(self, panel: FieldPanel) -> None:
        form = self.query_one("#form", VerticalScroll)
        if form.max_scroll_y <= 0:
            return
        y = panel.region.y - form.region.y + int(form.scroll_offset.y)
        top = y + (0 if panel.row == 1 else panel.row)
        form.scroll_to_region(Region(0, top, 1, y + panel.row - top + 1), animate=False, immediate=True)

    def on_descendant_focus(self) -> None:
        """The hints follow the focus."""
        if isinstance(self.focused, Panel):
            self._last = self.focused
        self.guide()

    def on_resize(self, _event: events.Resize) -> None:
        """Hints depend on the width; an open list finds its new place."""
        from planner.tui.widgets.picker import Picker

        for picker in self.query(Picker):
            picker.place()
        self.call_after_refresh(self._settle)

    def _settle(self) -> None:
        """Where the panel with the focus is out of view now, show the side it is on."""
        if self.has_class("-wide"):
            self.remove_class("-results")
        last = self._last
        if last and (self.focused is None or not _visible(self.focused)):
            self.set_class(not isinstance(last, FieldPanel), "-results")
            self.set_focus(self.query_one("#step", Panel) if last.id == "outcome" else last)
        self.guide()

    # ------------------------------------------------------------------------------------------------- moving

    def _panels(self) -> list[Panel]:
        """Panels in view, in order."""
        return [panel for panel in self.query(Panel) if _visible(panel)]

    def leave(self, direction: int) -> None:
        """Go to the next or previous panel, round the end."""
        panels = self._panels()
        here = next((i for i, panel in enumerate(panels) if panel is self.focused), 0)
        self._focus_panel(panels[(here + direction) % len(panels)], last=direction < 0)

    def action_next_panel(self, direction: int) -> None:
        """Go to the next or previous panel, on its first line."""
        self.leave(direction)
        if isinstance(self.focused, FieldPanel):
            self.focused.go(0)

    def _focus_panel(self, panel: Panel, *, last: bool = False) -> None:
        if isinstance(panel, FieldPanel):
            panel.go(-1 if last else 0)
        self.set_focus(panel)
        if isinstance(panel, FieldPanel):
            self._bring_into_view(panel)

    def on_key(self, event: events.Key) -> None:
        """Tab goes on from a panel of results."""
        if event.key in {"tab", "shift+tab"}:
            event.stop()
            event.prevent_default()
            self.leave(1 if event.key == "tab" else -1)

    def action_panel(self, number: int) -> None:
        """Jump to a panel, showing the side it is on."""
        panel = next(panel for panel in self.query(Panel) if panel.number == number)
        self.zoom(None)
        if not self.has_class("-wide"):
            if number == 4:  # noqa: PLR2004 - the headline, always in view there
                number, panel = 5, self.query_one("#step", Panel)
            self.set_class(not isinstance(panel, FieldPanel), "-results")
        self._focus_panel(panel)
        self.call_after_refresh(self.guide)

    def action_field(self, key: str) -> None:
        """Go to the field of a key, or of the first key of its table, showing rare settings where it is one."""
        strategy = self.query_one("#strategy", FieldPanel)
        if not strategy.expanded and any(item.key == key for item in MORE):
            strategy.toggle_more()
        for panel in self.query(FieldPanel):
            found = next((item.key for item in panel.fields if f"{item.key}.".startswith(f"{key}.")), None)
            if found is not None:
                self.action_panel(panel.number)
                panel.go_to(found)
                return

    def action_results(self) -> None:
        """In a terminal too small for both, show the results or the fields."""
        if not self.has_class("-wide"):
            self.action_panel(1 if self.has_class("-results") else 5)

    def action_back(self) -> None:
        """Out of the zoom, or out of the results of a small terminal."""
        if self.has_class("-zoom"):
            self.action_zoom()
        elif self.has_class("-results"):
            self.action_panel(1)

    def action_more(self) -> None:
        """Show or hide the rarely changed settings."""
        strategy = self.query_one("#strategy", FieldPanel)
        strategy.toggle_more()
        if strategy.expanded:
            self._focus_panel(strategy)
            strategy.go(len(STRATEGY))
        self.call_after_refresh(self.guide)

    # ------------------------------------------------------------------------------------------------- lists

    def pick(self, item: Field) -> None:
        """Let the user pick a value of a field from a list."""
        from planner.tui.picking import options, picked
        from planner.tui.widgets.picker import Picker

        back = self.focused

        def done(value: object | None) -> None:
            self.set_focus(back)
            if value is not None:
                words = picked(item, value, self.session)
                self.changed()
                self.say(words)

        picker = Picker(item.label, options(item, self.session), done)
        self.show_over(picker)

    def show_over(self, picker: Widget) -> None:
        """Put a list over the screen and give it the focus."""
        self.mount(picker)
        self.set_focus(picker)


def _visible(widget: Widget) -> bool:
    """It and everything it stands in is displayed."""
    return widget.display and all(parent.display for parent in _parents(widget))


def _parents(widget: Widget) -> Iterable[Widget]:
    return (parent for parent in widget.ancestors if isinstance(parent, Widget))
