"""A numbered part of the workbench: a rule with its title, and lines below it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual import events

from planner.tui.text import fit
from planner.tui.widgets.lines import Line, Lines, padded, span


class Panel(Lines, can_focus=True):
    """A rule with number and title, then the body; the body scrolls when it has more lines than room.

    Args:
        number: the digit that jumps here; 0: none does, and none is shown.
        title: what it shows.
        id: the widget's id.
    """

    def __init__(self, number: int, title: str, *, id: str) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self.number = number
        self.heading = title
        self.stale = False
        self._offset = 0
        self._body_lines = 0

    def body(self, width: int, height: int) -> list[Line]:
        """The lines below the title, all of them; `height` is the room there is."""
        raise NotImplementedError

    def title_text(self) -> str:
        """What the rule says; may change with the plan."""
        return self.heading

    def build(self, width: int, height: int) -> list[Line]:
        """The rule and the part of the body that is in view."""
        room = max(height - 1, 0)
        lines = self.body(max(width - 1, 1), room)
        self._body_lines = len(lines)
        self._offset = min(self._offset, max(len(lines) - room, 0))
        below = len(lines) - self._offset - room
        more = f"↓ {below} more" if below > 0 else f"↑ {self._offset} more" if self._offset else ""
        return [self._rule(width, more), *lines[self._offset : self._offset + room]]

    def reveal(self, row: int, rows: int = 1) -> None:
        """Scroll the body so that some of its rows are in view."""
        room = max(self.size.height - 1, 1)
        self._offset = max(min(self._offset, row), row + rows - room)

    def targets(self) -> Iterable[int]:
        """Its title."""
        return (0,)

    def jump(self, row: int) -> None:  # noqa: ARG002 - a panel is one place
        """Take the focus."""
        self.focus()

    def refit(self) -> None:
        """Show other lines, of which there may be more or fewer."""
        self.repaint()

    def _rule(self, width: int, more: str) -> Line:
        ink = ("title-focus", "rule-focus") if self.has_focus else ("title", "rule")
        words = f" {self.number} {self.title_text()} " if self.number else f" {self.title_text()} "
        title = fit(words, min(width - 4, span([(words, "")])))
        line: list[tuple[str, str]] = [("─", ink[1]), (title, ink[0])]
        if self.stale:
            line.append(("· before the invalid edit ", "warn"))
        tail = f" {more} " if more else ""
        line.append(("─" * max(width - span(line) - len(tail) - (1 if tail else 0), 0), ink[1]))
        if tail:
            line += [(tail, "quiet"), ("─", ink[1])]
        return padded(line, width)

    def on_focus(self, event: events.Focus) -> None:
        """Show that the focus is here; Textual's own handler would repaint every line."""
        event.prevent_default()
        self.has_focus = True
        self.post_message(events.DescendantFocus(self))
        self.repaint()

    def on_blur(self, event: events.Blur) -> None:
        """Show that the focus is elsewhere."""
        event.prevent_default()
        self.has_focus = False
        self.post_message(events.DescendantBlur(self))
        self.repaint()


class ScrollPanel(Panel):
    """A panel of results: arrows scroll it."""

    BY_LINE: ClassVar[Mapping[str, int]] = {"up": -1, "down": 1}
    """The keys that go on by a line, and in which direction."""

    def on_key(self, event: events.Key) -> None:
        """Scroll with the arrows and page keys."""
        room = max(self.size.height - 1, 1)
        pages = {"pageup": -room, "pagedown": room, "home": -self._body_lines, "end": self._body_lines}
        by = (pages | dict(self.BY_LINE)).get(event.key)
        if by is None:
            return
        event.stop()
        event.prevent_default()
        self.move(by)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll with the wheel."""
        event.stop()
        self.move(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll with the wheel."""
        event.stop()
        self.move(-1)

    def move(self, by: int) -> None:
        """Go so many lines down."""
        self._offset = max(min(self._offset + by, self._body_lines - max(self.size.height - 1, 1)), 0)
        self.repaint()
