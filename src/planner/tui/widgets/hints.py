"""One line of keys at the bottom, and one of modes at the top."""

from __future__ import annotations

from textual import events

from planner.tui.actions import key_name, keys, modes, written
from planner.tui.widgets.lines import Line, Lines, padded, span, spread

Hint = tuple[str, str]
"""Keys, and what they do."""

IN_A_LIST: list[Hint] = [("↑↓", "choose"), ("type", "to narrow down"), ("Enter", "pick"), ("Esc", "back")]
"""What helps in a list put over the screen."""


class HintBar(Lines):
    """One line of keys that work now."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._hints: list[Hint] = []
        self._about = ""
        self._first = False

    def show(self, hints: list[Hint], about: str = "", *, first: bool = False) -> None:
        """Say other keys; nothing is sent when they are the same.

        Args:
            hints: key and what it does; whole hints are left out from the end where there is no room, but the last.
            about: a remark at the right, where there is room.
            first: the remark is worth more than the hints.
        """
        if (hints, about) != (self._hints, self._about):
            self._hints, self._about, self._first = hints, about, first
            self.repaint()

    def build(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - always one line
        """Keys, then what they do."""
        hints = [(written(key), words) for key, words in self._hints]
        room = width - (span([(self._about, "")]) + 2 if self._first else 0)
        while len(hints) > 1 and sum(span([(key, ""), (words, "")]) + 3 for key, words in hints) >= room:
            del hints[-2]
        line: list[tuple[str, str]] = [(" ", "text")]
        for key, words in hints:
            line += [(key, "key"), (f" {words}  ", "quiet")]
        if span(line) + span([(self._about, "")]) + 2 <= width:
            return [spread(line, [(self._about, "strong" if self._first else "faint"), (" ", "text")], width)]
        if self._first:
            line = [(" ", "text"), (self._about, "strong")]
        return [padded(line, width)]


class ModeBar(Lines):
    """The modes with their keys; the one on screen stands out.

    Args:
        mode: the one on screen.
    """

    def __init__(self, mode: str) -> None:
        super().__init__(id="modes")
        self._mode = mode
        self._ends: list[tuple[int, str]] = []

    def build(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - always one line
        """Key and title of each; keys alone for those there is no room for."""
        entries = [(key_name(keys(action)[0]), action.title, action.id) for action in modes()]
        room = width - sum(span([(key, ""), (title, "")]) + 3 for key, title, _ in entries)
        roomy, gap = room >= 0, " " if not 0 <= room < len(entries) else ""
        line: list[tuple[str, str]] = []
        self._ends = []
        for key, title, name in entries:
            here = name == self._mode
            words = title if roomy or here else ""
            ink = "chosen" if here else "quiet"
            line += [(" ", ink), (key, f"key+{ink}" if here else "key"), (f" {words}" if words else "", ink),
                     (" ", ink), (gap, "text")]  # fmt: skip
            self._ends.append((span(line), name))
        return [padded(line, width)]

    async def on_click(self, event: events.Click) -> None:
        """A click goes to a mode."""
        name = next((name for end, name in self._ends if event.x < end), None)
        if name is not None:
            await self.run_action(f"app.mode('{name}')")
