"""A panel of editable lines: the cursor walks them, keys change them, and each change is computed at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from textual import events

from planner.tui.actions import ALT_DIGITS, first_key
from planner.tui.fields import Field, View, to_type, type_into, view_of
from planner.tui.state import Session, sentence
from planner.tui.stepping import stepped
from planner.tui.text import first_lines, fit
from planner.tui.widgets.line_edit import LineEdit
from planner.tui.widgets.lines import Line, on_ground, padded, span, spread
from planner.tui.widgets.panel import Panel

LABEL: Final = 15
LONGEST_REASON: Final = 6
"""Lines a reason takes below its field; a longer one is cut, and shows it."""
_STARTS_NUMBER: Final = "0123456789.$"
_LEADS_TO_PANEL: Final = frozenset("1234567")
"""Digits that lead to a panel from elsewhere than a number."""
_IN_NUMBER: Final = _STARTS_NUMBER + ",_' +-ekmbgtpEKMBGTP"
"""Other letters typed into a number are not taken."""


class Desk(Protocol):
    """What a panel of fields asks of the screen it is on."""

    session: Session

    @property
    def problems_hidden(self) -> bool:
        """No panel on screen says what is wrong with the plan."""

    def changed(self) -> None:
        """The session has changed: show it."""

    def pick(self, item: Field) -> None:
        """Let the user pick a value from a list."""

    def leave(self, direction: int) -> None:
        """Move the focus to the next or previous panel."""

    def say(self, words: str) -> None:
        """Tell something in passing."""

    def guide(self) -> None:
        """The focused field, or what it does, has changed: show its keys."""


class FieldPanel(Panel):
    """Fields of one part of the plan.

    Args:
        number: the digit that jumps here.
        title: what it shows.
        fields: its lines; those without meaning in the present plan are left out.
        desk: the screen.
        id: the widget's id.
    """

    def __init__(
        self,
        number: int,
        title: str,
        fields: Sequence[Field],
        desk: Desk,
        *,
        id: str,  # noqa: A002 - Textual's name for it
        more: Sequence[Field] = (),
    ) -> None:
        super().__init__(number, title, id=id)
        self._desk = desk
        self._fields, self._more = tuple(fields), tuple(more)
        self.expanded = False
        self._row = 0
        self.typing: LineEdit | None = None
        """The number being typed."""
        self._token: object = None
        self._undo_to = 0

    # ------------------------------------------------------------------------------------------------- showing

    @property
    def fields(self) -> list[Field]:
        """The lines in view in this plan."""
        resolved = self._desk.session.resolved
        fields = self._fields + (self._more if self.expanded else ())
        return [item for item in fields if resolved is None or item.shown(resolved)]

    @property
    def current(self) -> Field:
        """The field with the cursor."""
        fields = self.fields
        self._row = min(self._row, len(fields) - 1)
        return fields[self._row]

    @property
    def rows(self) -> int:
        """Lines it wants, title included."""
        return 1 + len(self.fields) + (1 if self._more else 0)

    @property
    def row(self) -> int:
        """The line with the cursor, title included."""
        return 1 + self._row

    def body(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - the column it stands in scrolls
        """One line a field, and the reason below a focused field that has an error."""
        session = self._desk.session
        current = self.current
        lines: list[Line] = []
        for item in self.fields:
            here = self.has_focus and item is current
            lines.append(self._line(item, view_of(item, session), width, here=here))
        if self._more:
            words = (
                f"▴ {first_key('more')} fewer settings"
                if self.expanded
                else f"▾ {first_key('more')} {len(self._more)} more settings"
            )
            lines.append(padded([("  " + words, "quiet")], width))
        if self.has_focus and (wrong := self._wrong(current)):
            self._explain(lines, wrong, width)
        return lines

    def _wrong(self, item: Field) -> str:
        """What is wrong with a field, else with another where no panel says it; and the key that mends it."""
        session = self._desk.session
        wrong, first = session.error(item.key), next(iter(session.problems), None)
        if first and not wrong and session.stale and self._desk.problems_hidden:
            wrong = f"{first.key.rpartition('.')[2]}: {sentence(first)}"
        mends = first and first.change and self.typing is None and wrong.endswith(sentence(first))
        return f"{wrong} {first_key('apply-fix')} applies it." if mends else wrong

    def _line(self, item: Field, view: View, width: int, *, here: bool) -> Line:
        mark, ink = ("!", "error") if view.error else ("•" if view.modified else " ", "key")
        line: list[tuple[str, str]] = [("▌" if here else " ", "key"), (mark, ink), (fit(item.label, LABEL), "quiet")]
        tail = "▾ " if item.kind in {"catalogue", "choice", "several"} else "  "
        room = max(width - LABEL - 2 - len(tail), 0)
        if here and self.typing is not None:
            value: Line = self.typing.pieces(room, "strong" if not view.error else "error")
        else:
            value = [(fit(view.text, min(room, span([(view.text, "")]))), self._ink(item, view))]
            left = room - span(value) - 2
            if view.note and left >= span([(view.note, "")]):
                value = [*value, ("  " + view.note, "faint")]
        line = spread([*line, *value], [(tail, "key" if here else "rule")], width)
        return on_ground(line, "focus") if here else line

    @staticmethod
    def _ink(item: Field, view: View) -> str:
        if view.error:
            return "error"
        return "faint" if view.default or item.kind == "derived" else "strong"

    def _explain(self, lines: list[Line], reason: str, width: int) -> None:
        """Write the reason over the lines below the field, or above it near the end; nothing moves."""
        words = first_lines(reason, width - 4, LONGEST_REASON)
        rows: list[Line] = [on_ground(padded([("  ", "text"), (w, "error")], width), "focus") for w in words]
        start = self._row + 1
        if start + len(rows) > len(lines):
            start = max(self._row - len(rows), 0)
        lines[start : start + len(rows)] = rows

    def targets(self) -> Iterable[int]:
        """Its fields."""
        return range(1, 1 + len(self.fields))

    def jump(self, row: int) -> None:
        """Go to a field."""
        self.focus()
        self.go(row - 1)

    def refit(self) -> None:
        """Repaint, taking more or less room when lines came or went."""
        if self.styles.height is None or self.styles.height.cells != self.rows:
            self.styles.height = self.rows
            self.forget()
        else:
            self.repaint()

    def toggle_more(self) -> None:
        """Show or hide the rarely changed settings."""
        self.expanded = not self.expanded
        self._row = min(self._row, len(self.fields) - 1)
        self.refit()

    # ------------------------------------------------------------------------------------------------- moving

    def go(self, row: int) -> None:
        """Put the cursor on a line; -1 is the last."""
        self.stop_typing()
        count = len(self.fields)
        self._row = count - 1 if row < 0 else min(row, count - 1)
        self.repaint()
        self._desk.guide()

    def go_to(self, key: str) -> bool:
        """Put the cursor on the field of a key; False where it is not here."""
        keys = [item.key for item in self.fields]
        if key in keys:
            self.go(keys.index(key))
        return key in keys

    def _walk(self, direction: int) -> None:
        if 0 <= self._row + direction < len(self.fields):
            self.go(self._row + direction)
        else:
            self.stop_typing()
            self._desk.leave(direction)

    def on_blur(self, _event: events.Blur) -> None:
        """Typing ends where the focus goes away."""
        self.stop_typing()

    def on_click(self, event: events.Click) -> None:
        """A click goes to a line; on the line with the cursor it opens it."""
        row = event.y - 1
        if row == len(self.fields) and self._more:
            self.toggle_more()
        elif 0 <= row < len(self.fields):
            again = row == self._row and self.has_focus and self.typing is None
            self.go(row)
            if again or self.current.kind in {"catalogue", "several"}:
                self._enter()

    # ------------------------------------------------------------------------------------------------- editing

    def on_key(self, event: events.Key) -> None:
        """Keys of the field with the cursor; with Alt held they are the screen's."""
        if event.key.startswith("alt+") or (event.character and event.character in ALT_DIGITS):
            return
        done = self._key_typing(event) if self.typing is not None else self._key_resting(event)
        if done:
            event.stop()
            event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """Pasted text is typed text."""
        event.stop()
        if self.current.kind != "number":
            return
        if self.typing is None:
            self._start_typing(LineEdit())
        if self.typing is not None:
            self.typing.insert(event.text)
            self._typed()

    def _key_resting(self, event: events.Key) -> bool:
        keys: dict[str, Callable[[], None]] = {
            "up": lambda: self._walk(-1), "shift+tab": lambda: self._walk(-1),
            "down": lambda: self._walk(1), "tab": lambda: self._walk(1),
            "left": lambda: self.step(-1), "right": lambda: self.step(1), "minus": lambda: self.step(-1),
            "plus": lambda: self.step(1), "enter": self._enter, "space": self._enter,
            "delete": self.to_default, "home": lambda: self.go(0), "end": lambda: self.go(-1),
        }  # fmt: skip
        if event.key in keys:
            keys[event.key]()
            return True
        if self.current.kind != "number":
            return False
        if event.character and event.character in _STARTS_NUMBER:
            self._start_typing(LineEdit(event.character))
            self._typed()
            if event.character in _LEADS_TO_PANEL:
                to = f"Alt+{event.character} leads to panel {event.character}"
                self._desk.say(f"typing into {self.current.label}: Esc takes it back, {to}")
            return True
        if event.key == "backspace":
            edit = LineEdit(to_type(self.current, self._desk.session))
            edit.key("backspace", None)
            self._start_typing(edit)
            self._typed()
            return True
        return False

    def _key_typing(self, event: events.Key) -> bool:
        if event.key in {"enter", "tab", "down", "up", "shift+tab"}:
            if event.key in {"up", "down"} and self.current.kind == "number":
                self.step(1 if event.key == "up" else -1)
                return True
            self.stop_typing()
            if event.key != "enter":
                self._walk(-1 if event.key == "shift+tab" else 1)
            return True
        if event.key == "escape":
            self._cancel()
            return True
        if event.is_printable and (event.character or "") not in _IN_NUMBER:
            self._desk.say(f"“{event.character}” is no part of a number; k, M, B and T may follow it")
            return True
        if self.typing is not None and self.typing.key(event.key, event.character):
            self._typed()
            return True
        return False

    def _start_typing(self, edit: LineEdit) -> None:
        self.typing, self._token, self._undo_to = edit, object(), self._desk.session.index
        self.repaint()
        self._desk.guide()

    def stop_typing(self) -> None:
        """What was typed stands; the line shows the value again."""
        if self.typing is not None:
            self.typing = None
            self.repaint()
            self._desk.guide()

    def _cancel(self) -> None:
        session = self._desk.session
        session.drop_draft(self.current.key)
        if session.index > self._undo_to:
            session.undo()
        self.stop_typing()
        self._desk.changed()

    def _typed(self) -> None:
        """Compute what has been typed so far."""
        if self.typing is None:
            return
        type_into(self.current, self._desk.session, self.typing.text, self._token)
        self._desk.changed()

    def step(self, direction: int) -> None:
        """Go to the next smaller or larger value that is possible."""
        item, session = self.current, self._desk.session
        if item.kind in {"catalogue", "several"}:
            if direction > 0:
                self._desk.pick(item)
            return
        value = stepped(item, session, direction)
        if value is None:
            if item.kind == "number":
                self._desk.say(f"no {'larger' if direction > 0 else 'smaller'} number is possible here")
            return
        session.edit(item.key, value, f"{item.label} {value}", ("step", item.key))
        if self.typing is not None:
            self.typing = LineEdit(to_type(item, session))
        self._desk.changed()

    def to_default(self) -> None:
        """Take the key out of the plan, so that its default applies."""
        item, session = self.current, self._desk.session
        session.drop_draft(item.key)
        if item.kind != "derived" and session.stated(item.key) is not None:
            session.edit(item.key, None, f"{item.label} to its default")
        self._desk.changed()

    def _enter(self) -> None:
        item = self.current
        if item.kind == "toggle":
            self.step(1)
        elif item.kind == "number":
            self._start_typing(LineEdit(to_type(item, self._desk.session), fresh=True))
        elif item.kind != "derived":
            self._desk.pick(item)
