"""The bases of the screens: changing the focus repaints only what shows it, and one key leads to each mode."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from planner.tui.actions import bindings, first_key, panel_bindings
from planner.tui.widgets.hints import IN_A_LIST, HintBar, ModeBar
from planner.tui.widgets.panel import Panel

if TYPE_CHECKING:
    from planner.exchange.why import Book
    from planner.tui.app import PlannerApp
    from planner.tui.state import Session

AROUND: Final = frozenset({"modes", "top", "strip", "best", "hints", "small"})
"""Lines above and below the panels, which a zoom leaves alone."""


class LeanScreen(Screen[None]):
    """A screen whose `focused` does not repaint it.

    Textual's own repaints the whole screen on each change of focus, some 37 KB; our widgets repaint what shows the
    focus themselves. This leans on how Textual 8.2 declares the attribute; tests/tui/test_wire.py would notice.
    """

    focused: Reactive[Widget | None] = Reactive(None, compute=False, repaint=False)
    AUTO_FOCUS = None
    BINDINGS = [*bindings("panels"), *panel_bindings()]
    said = ""
    """What stands in the hint bar until the next key."""

    def take_size(self) -> None:
        """Have the classes of the terminal's size before the first layout; Textual sets them after, and shows two."""
        width, height = self.app.size
        for room, breakpoints in ((width, self.HORIZONTAL_BREAKPOINTS), (height, self.VERTICAL_BREAKPOINTS)):
            fitting = [name for least, name in breakpoints or () if least <= room]
            self.add_class(*fitting[-1:], update=False)

    def say(self, words: str) -> None:
        """Say something in the hint bar, until the next key."""
        self.said = words
        self.guide()

    def guide(self) -> None:
        """Show the keys that work now."""

    # ------------------------------------------------------------------------------------------------- panels

    def panels(self) -> list[Widget]:
        """What digits lead to, in order."""
        return [panel for panel in self.query(Panel) if panel.display]

    def go_to(self, panel: Widget) -> None:
        """Give a panel the focus."""
        self.set_focus(panel)
        self.guide()

    def action_panel(self, number: int) -> None:
        """Go to a panel by its number."""
        if number <= len(self.panels()):
            self._arrive_at(self.panels()[number - 1])

    def action_next_panel(self, direction: int) -> None:
        """Go to the next or previous panel, round the end."""
        if panels := self.panels():
            here = next((place for place, panel in enumerate(panels) if panel is self.focused), 0)
            self._arrive_at(panels[(here + direction) % len(panels)])

    def _arrive_at(self, panel: Widget) -> None:
        self.go_to(panel)
        if self.has_class("-zoom"):
            self.zoom(self.focused)

    def action_zoom(self) -> None:
        """The panel with the focus fills the screen, and back."""
        self.zoom(None if self.has_class("-zoom") else self.focused)
        self.call_after_refresh(self.guide)

    def zoom(self, panel: Widget | None) -> None:
        """Let one panel fill the screen; None: all as they were."""
        for widget in self.query(".-zoomed, .-aside"):
            widget.remove_class("-zoomed", "-aside")
        self.set_class(panel is not None, "-zoom")
        here = panel
        while here is not None and here is not self:
            here.add_class("-zoomed")
            for other in here.siblings:
                other.set_class(other.id not in AROUND, "-aside")
            here = here.parent if isinstance(here.parent, Widget) else None

    def action_back(self) -> None:
        """Out of the zoom."""
        if self.has_class("-zoom"):
            self.action_zoom()

    def action_why(self) -> None:
        """Explain the figure that is chosen."""
        found = self.explained()
        if isinstance(found, str):
            self.say(found)
            return
        from planner.tui.screens.why import WhyScreen

        self.app.push_screen(WhyScreen(*found))

    def explained(self) -> tuple[Book, str] | str:
        """The figure that is chosen, and the book that explains it; or, in words, why there is none."""
        return "the text here says how its figures come about"

    def to_copy(self) -> tuple[str, str]:
        """What a copy takes, in words and as text: the whole of the text in front, else what is on screen."""
        panel = self.focused
        if isinstance(panel, Panel):
            lines = panel.body(max(panel.size.width - 1, 1), panel.size.height)
            text = "\n".join("".join(words for words, _ in line).rstrip() for line in lines)
            return panel.title_text(), f"{panel.title_text()}\n{text}\n"
        rows = (strip.text.rstrip() for strip in self._compositor.render_strips())
        return "the screen", "\n".join(rows) + "\n"


class ModeScreen(LeanScreen):
    """A screen that one key leads to from anywhere, and Esc back to the workbench. It is made once and kept.

    A subclass names its mode, yields its widgets from `body`, reads the session in `arrive`, and tells its keys in
    `hints`. Keys of its own are actions of the registry with its mode as place: `BINDINGS = [*bindings("strategies")]`.

    Args:
        session: the plan being worked on.
    """

    MODE: ClassVar[str]

    app: PlannerApp

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def compose(self) -> ComposeResult:
        """The modes, the screen's own widgets, the keys."""
        yield ModeBar(self.MODE)
        yield from self.body()
        yield HintBar(id="hints")

    def body(self) -> ComposeResult:
        """The widgets between the modes and the keys."""
        raise NotImplementedError

    def arrive(self) -> None:
        """The screen has come to the front: show the session as it is now."""

    def hints(self) -> list[tuple[str, str]]:
        """Keys that work now and what they do, without those that work everywhere."""
        return []

    def about(self) -> str:
        """A remark at the right of the hint bar."""
        return ""

    def on_screen_resume(self) -> None:
        """Show what has changed meanwhile."""
        self.arrive()
        self.guide()

    def action_back(self) -> None:
        """Out of the zoom, then to the workbench."""
        if self.has_class("-zoom"):
            self.action_zoom()
        else:
            self.app.action_mode("workbench")

    def on_descendant_focus(self) -> None:
        """The hints follow the focus into a list and out of it."""
        self.guide()

    def guide(self) -> None:
        """Show the keys that work now."""
        keys = [*self.hints(), (first_key("commands"), "commands")]
        if "Esc" not in dict(keys):
            keys.append(("Esc", "workbench"))
        if self.focused is not None and self.focused.has_class("-floating"):
            keys = IN_A_LIST
        for bar in self.query(HintBar):
            bar.show(keys, self.said or self.about(), first=bool(self.said))
