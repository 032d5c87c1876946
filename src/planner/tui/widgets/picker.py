"""A list to pick from while typing narrows it down; drawn over the screen, so that only its own cells are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from textual import events

from planner.tui.text import clean, first_lines, fit
from planner.tui.widgets.line_edit import LineEdit
from planner.tui.widgets.lines import Line, Lines, on_ground, padded, span, spread

WIDEST: Final = 92
NARROWEST: Final = 64
TALLEST: Final = 26
LONGEST_NAME: Final = 36
DETAIL_LINES: Final = 2
"""Lines below the list, about the entry with the cursor."""
FRAME: Final = 2


@dataclass(frozen=True, slots=True)
class Option:
    """One entry.

    Attributes:
        value: what picking it gives.
        name: what it is called.
        facts: key facts, to the right of the name.
        detail: about the entry, shown below the list while the cursor is on it.
        ok: it can be picked; if not, `detail` says why.
        current: it is what the plan has now.
        types: picking it types this in place of what is typed, and the list goes on.
    """

    value: object
    name: str
    facts: str = ""
    detail: str = ""
    ok: bool = True
    current: bool = False
    types: str = ""

    def misses(self, words: Sequence[str], *, detail: bool = False) -> int | None:
        """How many words are not the beginning of one of its own; None where one does not occur at all."""
        text = f" {self.value} {self.name} {self.facts} {self.detail if detail else ''}".casefold()
        if not all(word in text for word in words):
            return None
        return sum(f" {word}" not in text for word in words)


class Picker(Lines, can_focus=True):
    """The list.

    Args:
        title: what is picked.
        options: the entries, in order.
        done: called with the value picked, or None where nothing was.
        moved: called with the entry that has the cursor now.
        floating: it lies over the screen and goes away by itself; else it is a part of a screen.
        slash: letters narrow it down only after `/`, so that they keep their meaning on the screen.
        dropped: Del takes the entry with the cursor away, and this is called with it.
        typed: the entries that a typed text itself stands for; they come before those it narrows down to.
        asks: what is to be typed.
        id: the widget's id.
    """

    def __init__(
        self,
        title: str,
        options: Sequence[Option],
        done: Callable[[object | None], None],
        moved: Callable[[Option | None], None] | None = None,
        *,
        floating: bool = True,
        slash: bool = False,
        dropped: Callable[[object], None] | None = None,
        typed: Callable[[str], Iterable[Option]] = lambda _: (),
        asks: str = "to narrow down",
        id: str | None = None,  # noqa: A002 - Textual's name for it
    ) -> None:
        super().__init__(id=id, classes="-floating" if floating else "")
        self._title, self._options = title, list(options)
        self._done, self._moved, self._floating = done, moved, floating
        self._slash, self._dropped = slash, dropped
        self._typed, self._asks = typed, asks
        self._typing = not slash
        self.filter = LineEdit()
        self.shown: list[Option] = list(options)
        self._made: list[Option] = []
        """The entries that what is typed stands for."""
        self.cursor = next((i for i, option in enumerate(self.shown) if option.current), 0)
        self._offset = 0
        self._closed = False

    def on_mount(self) -> None:
        """Take a place in the middle."""
        self.place()

    def place(self) -> None:
        """Size and place for the present screen."""
        if not self._floating:
            return
        wide, high = self.screen.size
        longest = max((span([(option.facts, "")]) for option in self._options), default=0)
        names = max((span([(option.name, "")]) for option in self._options), default=0)
        width = min(max(min(names, LONGEST_NAME) + longest + 12, NARROWEST), WIDEST, wide - 4)
        height = min(len(self._options) + FRAME + 1 + DETAIL_LINES, TALLEST, high - 2)
        self.styles.width, self.styles.height = width, max(height, 7)
        self.styles.offset = ((wide - width) // 2, max((high - height) // 3, 0))

    @property
    def highlighted(self) -> Option | None:
        """The entry with the cursor."""
        return self.shown[self.cursor] if self.shown else None

    # ------------------------------------------------------------------------------------------------- showing

    def build(self, width: int, height: int) -> list[Line]:
        """Title, what is typed, the entries, and the detail of one, in a frame."""
        inner = max(width - 2, 1)
        rows = max(height - FRAME - 1 - DETAIL_LINES, 1)
        self._offset = max(min(self._offset, self.cursor), self.cursor - rows + 1, 0)
        names = min(
            max((span([(option.name, "")]) for option in self._options), default=0) + 2, LONGEST_NAME, inner * 3 // 5
        )
        narrowed = self.filter.text and not self._made
        count = f"{len(self.shown)} of {len(self._options)}" if narrowed else f"{len(self.shown)}"
        room = max(inner - 14, 1)
        words: Line = self.filter.pieces(room, "strong") if self._typing else [(fit(self.filter.text, room), "strong")]
        prompt: Line = [(" / ", "key"), *words]
        if not self.filter.text:
            prompt = [(" / ", "key"), (" narrows down", "faint")]
            if self._typing:
                prompt = [*prompt[:1], *words, (f" type {self._asks}", "faint")]
        body: list[Line] = [spread(prompt, [(f"{count} ", "quiet")], inner)]
        view = range(self._offset, self._offset + rows)
        body += [self._entry(index, names, inner) if index < len(self.shown) else padded((), inner) for index in view]
        if not self.shown:
            body[1] = padded(
                [("  nothing matches; ", "quiet"), ("Backspace", "key"), (" takes letters back", "quiet")], inner
            )
        body += self._detail(inner)
        title = fit(f" {self._title} ", min(span([(self._title, "")]) + 2, inner))
        top: Line = [
            ("╭", "rule-focus"),
            (title, "title-focus"),
            ("─" * (inner - span([(title, "")])) + "╮", "rule-focus"),
        ]
        drops = " · Del drops" if self._dropped else ""
        keys = "╯" if self._slash else f" Enter picks{drops} · Esc leaves ─╯"
        bottom: Line = [("╰" + "─" * max(inner + 1 - len(keys), 0) + keys, "rule-focus")]
        edge = ("│", "rule-focus")
        return [padded(top, width), *([edge, *padded(line, inner), edge] for line in body), padded(bottom, width)]

    def _entry(self, index: int, names: int, width: int) -> Line:
        option, here = self.shown[index], index == self.cursor
        mark = "✓" if option.current else " " if option.ok else "✗"
        ink = "faint" if not option.ok else "strong" if here else "text"
        line = padded(
            [("▌" if here else " ", "key"), (f"{mark} ", "key" if option.ok else "warn"),
             (fit(option.name, names - 1) + " ", ink), (option.facts, "quiet" if option.ok else "faint")], width,
        )  # fmt: skip
        return on_ground(line, "focus") if here else line

    def _detail(self, width: int) -> list[Line]:
        option = self.highlighted
        words = first_lines(option.detail, width - 3, DETAIL_LINES) if option and option.detail else []
        ink = "quiet" if option is None or option.ok else "warn"
        lines: list[Line] = [padded([("  ", "text"), (line, ink)], width) for line in words]
        return lines + [padded((), width)] * (DETAIL_LINES - len(lines))

    # ------------------------------------------------------------------------------------------------- keys

    def on_key(self, event: events.Key) -> None:
        """Move, narrow down, pick, leave."""
        page = max(self.size.height - FRAME - 1 - DETAIL_LINES, 1)
        moves = {"up": -1, "down": 1, "pageup": -page, "pagedown": page, "ctrl+home": -len(self.shown),
                 "shift+tab": -1, "tab": 1, "ctrl+end": len(self.shown)}  # fmt: skip
        if not self.filter.text:  # else they move in the filter
            moves |= {"home": -len(self.shown), "end": len(self.shown)}
        if event.key in moves:
            self.move(moves[event.key])
        elif event.key == "enter":
            self._typing = self._typing and not self._slash
            self._pick()
        elif event.key == "escape":
            self._escape()
        elif event.key == "delete" and self._dropped:
            self._drop()
        elif not self._typing:
            if event.key != "slash":
                return
            self._typing = True
            self.repaint()
        elif self.filter.key(event.key, event.character):
            self._narrow()
        else:
            return
        event.stop()
        event.prevent_default()

    def _escape(self) -> None:
        """Out of the filter, where `/` led into it, then out of the list."""
        if self._slash and (self._typing or self.filter.text):
            self._typing, self.filter = False, LineEdit()
            self._narrow()
        else:
            self.close(None)

    def on_paste(self, event: events.Paste) -> None:
        """Pasted text is typed text."""
        event.stop()
        self._typing = True
        self.filter.insert(event.text)
        self._narrow()

    def type(self, text: str) -> None:
        """Type into the filter."""
        self.filter.insert(text)
        self._narrow()

    def _narrow(self) -> None:
        kept = self.highlighted
        words = clean(self.filter.text).casefold().split()
        self._made = list(self._typed(self.filter.text.strip())) if words else []
        known = {option.value for option in self._made}
        self.shown = [*self._made, *(o for o in self._matching(words) if o.value not in known)]
        self.shown = self.shown or self._matching(words, detail=True)
        self.cursor = self.shown.index(kept) if kept in self.shown and not words else 0
        self._after_move()

    def _matching(self, words: Sequence[str], *, detail: bool = False) -> list[Option]:
        """Best first; by what is told below the list too, if asked for: the cursor shows where the word stands."""
        ranked = [(misses, o) for o in self._options if (misses := o.misses(words, detail=detail)) is not None]
        return [option for _, option in sorted(ranked, key=lambda entry: entry[0])]

    def move(self, by: int) -> None:
        """Move the cursor."""
        self.cursor = max(min(self.cursor + by, len(self.shown) - 1), 0)
        self._after_move()

    def _after_move(self) -> None:
        self.repaint()
        if self._moved:
            self._moved(self.highlighted)

    def _drop(self) -> None:
        """Take the entry with the cursor away; the list leaves with the last."""
        option = self.highlighted
        if option is None or self._dropped is None:
            return
        self._options.remove(option)
        self._dropped(option.value)
        if self._options:
            self._narrow()
        else:
            self.close(None)

    def _pick(self) -> None:
        option = self.highlighted
        if option is not None and option.types:
            self.filter = LineEdit(option.types)
            self._narrow()
        elif option is not None and option.ok:
            self.close(option.value)

    def close(self, value: object | None) -> None:
        """Go away with what was picked."""
        if self._closed:
            return
        if self._floating:
            self._closed = True
            self.remove()
        self._done(value)

    # ------------------------------------------------------------------------------------------------- jump mode

    def targets(self) -> Iterable[int]:
        """The entries in view, below frame and prompt."""
        rows = max(self.size.height - FRAME - 1 - DETAIL_LINES, 1)
        return range(FRAME, FRAME + min(len(self.shown) - self._offset, rows))

    def jump(self, row: int) -> None:
        """Put the cursor on an entry."""
        self.focus()
        self.move(self._offset + row - FRAME - self.cursor)

    # ------------------------------------------------------------------------------------------------- mouse

    def on_click(self, event: events.Click) -> None:
        """A click picks an entry."""
        index = self._offset + event.y - 2
        if 0 <= index < len(self.shown) and 2 <= event.y < self.size.height - 1 - DETAIL_LINES:  # noqa: PLR2004
            self.cursor = index
            self._after_move()
            self._pick()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves the cursor."""
        event.stop()
        self.move(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel moves the cursor."""
        event.stop()
        self.move(-1)

    def on_blur(self, _event: events.Blur) -> None:
        """A click elsewhere leaves."""
        if self._floating:
            self.close(None)
