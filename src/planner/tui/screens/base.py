"""The bases of the screens: changing the focus repaints only what shows it, and one key leads to each mode."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from planner.tui.widgets.hints import HintBar, ModeBar
from planner.tui.widgets.panel import Panel

if TYPE_CHECKING:
    from planner.tui.app import PlannerApp
    from planner.tui.state import Session


class LeanScreen(Screen[None]):
    """A screen whose `focused` does not repaint it.

    Textual's own repaints the whole screen on each change of focus, some 37 KB; our widgets repaint what shows the
    focus themselves. This leans on how Textual 8.2 declares the attribute; tests/tui/test_wire.py would notice.
    """

    focused: Reactive[Widget | None] = Reactive(None, compute=False, repaint=False)
    AUTO_FOCUS = None
    said = ""
    """What stands in the hint bar until the next key."""

    def say(self, words: str) -> None:
        """Say something in the hint bar, until the next key."""
        self.said = words
        self.guide()

    def guide(self) -> None:
        """Show the keys that work now."""

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
    BINDINGS = [Binding("escape", "app.mode('workbench')", show=False)]

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

    def guide(self) -> None:
        """Show the keys that work now."""
        keys = [*self.hints(), ("^p", "commands")]
        if "Esc" not in dict(keys):
            keys.append(("Esc", "workbench"))
        for bar in self.query(HintBar):
            bar.show(keys, self.said or self.about(), first=bool(self.said))
