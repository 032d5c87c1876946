"""The base of screens of several parts: all of them where there is room, else one at a time; Tab goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeVar

from textual import events
from textual.widget import Widget
from textual.worker import get_current_worker

from planner.freeing import give_back
from planner.spec.base import PlanError
from planner.tui import thinking
from planner.tui.screens.base import ModeScreen
from planner.tui.state import Session, sentence
from planner.tui.thinking import Check, Stopped
from planner.tui.widgets.panel import Panel
from planner.tui.widgets.table import Table

ResultT = TypeVar("ResultT")


class PartsScreen(ModeScreen):
    """Parts with ids; the style sheet lays them out, and hides all but the one with `-here` in small terminals.

    Args:
        session: the plan being worked on.
    """

    PARTS: ClassVar[tuple[str, ...]]
    """Ids, in the order Tab goes through them."""
    ROOMY: ClassVar[tuple[int, int]] = (110, 30)
    """Columns and rows from which all parts are in view."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._here = self.PARTS[0]

    # ------------------------------------------------------------------------------------------------- parts

    def part(self, name: str) -> Widget:
        """A part by its id."""
        return self.query_one(f"#{name}")

    def panels(self) -> list[Widget]:
        """The parts."""
        return [self.part(name) for name in self.PARTS]

    def go_to(self, panel: Widget) -> None:
        """Show a part."""
        self.show(str(panel.id))

    def show(self, name: str) -> None:
        """Give a part the focus, and the screen where there is room for one alone, or the part before it had it."""
        self._here = name
        if self.has_class("-zoom"):
            self.zoom(self.part(name))
        for one in self.PARTS:
            self.part(one).set_class(one == name, "-here")
        for holder in self.query(".holder"):
            holder.set_class(self.part(name) in holder.children, "-here")
        self.set_focus(self.part(name))
        self.guide()

    def on_mount(self) -> None:
        """Start with the first; what holds parts is hidden with them."""
        for number, one in enumerate(self.PARTS, 1):
            panel = self.part(one)
            if isinstance(panel, Panel) and len(self.PARTS) > 1:
                panel.number = number
            if isinstance(panel, Table):
                panel.typed = self.guide
            panel.add_class("part")
            parent = panel.parent
            if isinstance(parent, Widget) and parent is not self:
                parent.add_class("part", "holder")
        self.show(self._here)

    def on_resize(self, _event: events.Resize) -> None:
        """All parts, or one."""
        self.set_class(self.size.width < self.ROOMY[0] or self.size.height < self.ROOMY[1], "-one")
        self.guide()

    def on_key(self, event: events.Key) -> None:
        """Tab goes on; Esc goes back to the first part before it leaves."""
        place = self.PARTS.index(self._here)
        step = {"tab": 1, "shift+tab": -1}.get(event.key)
        if step is not None:
            self.show(self.PARTS[(place + step) % len(self.PARTS)])
        elif event.key == "escape" and place and not self.has_class("-zoom"):
            self.show(self.PARTS[0])
        else:
            return
        event.stop()
        event.prevent_default()

    def hints(self) -> list[tuple[str, str]]:
        """The keys of a table, or of a text that scrolls."""
        inside = self._here != self.PARTS[0] or self.has_class("-zoom")
        out = [("Esc", "back")] if inside else []
        if isinstance(self.focused, Table) and self.focused.typing:
            return [("↑↓", "choose"), ("type", "to filter"), *self.picks()[:1], ("Esc", "end the filter")]
        if isinstance(self.focused, Table):
            return [("↑↓", "choose"), *self.picks(), ("Tab", "next part"), *out, ("/", "filter"), ("←→", "sort by"),
                    ("-", "reverse")]  # fmt: skip
        return [("↑↓", "scroll"), *self.picks(), ("Tab", "next part"), *out]

    def picks(self) -> list[tuple[str, str]]:
        """Keys of the screen itself."""
        return []

    # ------------------------------------------------------------------------------------------------- work

    def think(self, work: Callable[[Check, Callable[[ResultT], None]], None], done: Callable[[ResultT], None]) -> None:
        """Compute beside the keys, stopping what was computed before.

        Args:
            work: called with a check and with what to call with each result, any number of times.
            done: shows a result, on the screen's own thread.
        """
        if not self.session.tools.beside:
            work(lambda: None, done)
            return

        def beside() -> None:
            worker = get_current_worker()

            def tell(result: ResultT) -> None:
                if worker.is_cancelled:
                    raise Stopped
                self.app.call_from_thread(done, result)

            try:
                work(thinking.checking(lambda: worker.is_cancelled), tell)
            except Stopped:
                return
            finally:
                give_back()

        self.run_worker(beside, thread=True, group="think", exclusive=True, exit_on_error=False)

    def rest(self) -> None:
        """Nobody waits for what is being computed."""
        self.workers.cancel_group(self, "think")


def trouble(error: PlanError) -> str:
    """What is wrong, in a line."""
    return sentence(error.problems[0])
