"""A table with a cursor: filtered after `/`, sorted by any column; only rows that change are sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from textual import events

from planner.tui.text import clean, fit
from planner.tui.widgets.line_edit import LineEdit
from planner.tui.widgets.lines import Line, on_ground, padded, span
from planner.tui.widgets.panel import Panel

SCROLL: Final = 3
"""Rows the wheel moves."""
LEAST: Final = 6
"""Cells of a column that takes what is left, at the least."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: its heading.
        width: cells; 0: what is left.
        right: set to the right.
        falls: largest first when sorted by it.
        wanted: terminals narrower than this do without it, unless the table is sorted by it.
    """

    name: str
    width: int
    right: bool = True
    falls: bool = False
    wanted: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        value: what picking it gives.
        cells: text of each column.
        keys: what each column is sorted by.
        ink: style of its text.
    """

    value: object
    cells: Sequence[str]
    keys: Sequence[float | str]
    ink: str = "text"


class Table(Panel):
    """The table.

    Args:
        title: what the rule says.
        columns: from left to right; those without a name are not sorted by.
        picked: called with the row under Enter.
        moved: called with the row that has the cursor now.
        order: the order of the rows as given, in words.
        id: the widget's id.
    """

    def __init__(
        self,
        title: str,
        columns: Sequence[Column],
        picked: Callable[[Row], None],
        moved: Callable[[Row | None], None] | None = None,
        *,
        order: str = "",
        id: str,  # noqa: A002 - Textual's name for it
    ) -> None:
        super().__init__(0, title, id=id)
        self._columns, self._picked, self._moved, self._order = columns, picked, moved, order
        self._rows: list[Row] = []
        self.shown: list[Row] = []
        self.cursor = 0
        self.empty = ""
        """What stands where there are no rows."""
        self._by: int | None = None
        self._reverse = False
        self.typing = False
        """Letters go into the filter."""
        self.typed: Callable[[], None] = lambda: None
        """Called when that begins or ends."""
        self.filter = LineEdit()

    # ------------------------------------------------------------------------------------------------- rows

    def fill(self, rows: Sequence[Row], empty: str = "") -> None:
        """Other rows; the cursor stays on the same value where it is still there."""
        here = self.highlighted
        self._rows, self.empty = list(rows), empty
        self._arrange(here)

    @property
    def by(self) -> str:
        """Heading of the column it is sorted by; empty: the order as given."""
        return "" if self._by is None else self._columns[self._by].name

    @property
    def highlighted(self) -> Row | None:
        """The row with the cursor."""
        return self.shown[self.cursor] if self.cursor < len(self.shown) else None

    def _arrange(self, here: Row | None) -> None:
        texts = [" ".join(row.cells).casefold() for row in self._rows]
        wanted = _wanted(clean(self.filter.text).casefold().split(), texts)
        rows = [row for row, text in zip(self._rows, texts, strict=True) if all(part in text for part in wanted)]
        if self._by is not None:
            by = self._by
            rows.sort(key=lambda row: row.keys[by], reverse=self._columns[by].falls != self._reverse)
        self.shown = rows
        values = [row.value for row in rows]
        self.cursor = values.index(here.value) if here is not None and here.value in values else 0
        self._after()

    def _after(self) -> None:
        self.repaint()
        if self._moved:
            self._moved(self.highlighted)

    def move(self, by: int) -> None:
        """Move the cursor."""
        self.cursor = max(min(self.cursor + by, len(self.shown) - 1), 0)
        self._after()

    def sort(self, step: int) -> None:
        """By the next or previous column, and round to the order as given."""
        places = [None, *(n for n, column in enumerate(self._columns) if column.name)]
        self._by = places[(places.index(self._by) + step) % len(places)]
        self._reverse = False
        self._arrange(self.highlighted)

    # ------------------------------------------------------------------------------------------------- showing

    def title_text(self) -> str:
        """What it shows, and in which order."""
        turned = ", the other way round" if self._reverse else ""
        order = f"by {self.by}{turned}" if self._by is not None else self._order
        return f"{self.heading}, {order}" if order else self.heading

    def build(self, width: int, height: int) -> list[Line]:
        """Rule, filter if any, heading, the rows in view."""
        room = max(height - self._above, 1)
        self._offset = max(min(self._offset, self.cursor, len(self.shown) - room), self.cursor - room + 1, 0)
        count = f"{len(self.shown)} of {len(self._rows)}" if self.filter.text else f"{len(self._rows)}"
        columns = self._in_view(width)
        rest = LEAST + max(width - self._least(columns), 0)
        sizes = {n: self._columns[n].width or rest for n in columns}
        lines = [self._rule(width, count if self._rows else "")]
        if self._filtering:
            words: Line = self.filter.pieces(width - 6) if self.typing else [(self.filter.text, "strong")]
            lines.append(padded([(" / ", "key"), *words], width))
        lines.append(self._head(columns, sizes, width))
        view = range(self._offset, min(self._offset + room, len(self.shown)))
        lines += [self._line(index, columns, sizes, width) for index in view]
        if not self.shown:
            nothing = "Nothing matches; Esc ends the filter." if self.filter.text else self.empty
            lines.append(padded([("  ", "text"), (nothing, "quiet")], width))
        return lines

    def _in_view(self, width: int) -> list[int]:
        """The columns there is room for; that it is sorted by is one of them, in place of those wanted least."""
        columns = [n for n, column in enumerate(self._columns) if width >= column.wanted]
        if self._by is None or self._by in columns:
            return columns
        columns = sorted([*columns, self._by])
        while self._least(columns) > width:
            out = max((n for n in columns if n != self._by), key=lambda n: self._columns[n].wanted)
            if not self._columns[out].wanted:
                break
            columns.remove(out)
        return columns

    def _least(self, columns: Sequence[int]) -> int:
        """Cells that columns take at the least, with what stands between them."""
        return 2 + sum((self._columns[n].width or LEAST) + 2 for n in columns)

    @property
    def _filtering(self) -> bool:
        return self.typing or bool(self.filter.text)

    @property
    def _above(self) -> int:
        """Lines above the first row: rule, heading, and the filter where there is one."""
        return 3 if self._filtering else 2

    def targets(self) -> Iterable[int]:
        """The rows in view, below rule and heading."""
        top = self._above
        return range(top, top + min(len(self.shown) - self._offset, max(self.size.height - top, 0)))

    def jump(self, row: int) -> None:
        """Put the cursor on a row."""
        self.focus()
        self.move(self._offset + row - self._above - self.cursor)

    def body(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - build does it all
        """Not used: a table scrolls by its cursor."""
        return []

    def _head(self, columns: list[int], sizes: dict[int, int], width: int) -> Line:
        line: list[tuple[str, str]] = [("  ", "text")]
        for n in columns:
            column, here = self._columns[n], n == self._by
            arrow = ("▾" if column.falls != self._reverse else "▴") if here else ""
            line += [(_set(column.name + arrow, sizes[n], column), "key" if here else "quiet"), ("  ", "text")]
        return padded(line, width)

    def _line(self, index: int, columns: list[int], sizes: dict[int, int], width: int) -> Line:
        row, here = self.shown[index], index == self.cursor
        line: list[tuple[str, str]] = [("▌ " if here else "  ", "key")]
        for n in columns:
            ink = "strong" if here and row.ink == "text" else row.ink
            line += [(_set(clean(row.cells[n]), sizes[n], self._columns[n]), ink), ("  ", "text")]
        full = padded(line, width)
        return on_ground(full, "focus") if here and self.has_focus else full

    # ------------------------------------------------------------------------------------------------- keys

    def on_key(self, event: events.Key) -> None:
        """Move, sort, filter, pick."""
        page = max(self.size.height - self._above, 1)
        moves = {"up": -1, "down": 1, "pageup": -page, "pagedown": page}
        if not self.typing:
            moves |= {"home": -len(self.shown), "end": len(self.shown), "k": -1, "j": 1}
        if event.key in moves:
            self.move(moves[event.key])
        elif event.key == "enter":
            self._type(on=False)
            if self.highlighted is not None:
                self._picked(self.highlighted)
        elif event.key == "escape" and (self.typing or self.filter.text):
            self.filter = LineEdit()
            self._type(on=False)
            self._arrange(self.highlighted)
        elif self.typing:
            if event.key in {"tab", "shift+tab"} or not self.filter.key(event.key, event.character):
                return
            self._arrange(self.highlighted)
        elif event.key in {"left", "right"}:
            self.sort(1 if event.key == "right" else -1)
        elif event.key == "minus":
            self._reverse = not self._reverse
            self._arrange(self.highlighted)
        elif event.key == "slash":
            self._type(on=True)
        else:
            return
        event.stop()
        event.prevent_default()

    def _type(self, *, on: bool) -> None:
        self.typing = on
        self.typed()
        self.repaint()

    def on_paste(self, event: events.Paste) -> None:
        """Pasted text filters."""
        event.stop()
        self._type(on=True)
        self.filter.insert(event.text)
        self._arrange(self.highlighted)

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor there; a click on it picks."""
        index = self._offset + event.y - self._above
        if event.y >= self._above and index < len(self.shown):
            if index == self.cursor:
                self._picked(self.shown[index])
            else:
                self.move(index - self.cursor)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves the cursor."""
        event.stop()
        self.move(SCROLL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel moves the cursor."""
        event.stop()
        self.move(-SCROLL)


def _set(text: str, width: int, column: Column) -> str:
    """Text in a column."""
    if span([(text, "")]) >= width:
        return fit(text, width)
    return " " * (width - span([(text, "")])) + text if column.right else fit(text, width)


def _wanted(words: list[str], texts: list[str]) -> list[str]:
    """What a row must hold: words, but a name with its number where the rows give it one, as `tensor 4`."""
    wanted: list[str] = []
    for word in words:
        name = re.compile(rf"{re.escape(wanted[-1])} \d") if wanted and word[0].isdecimal() else None
        if name and any(name.search(text) for text in texts):
            wanted[-1] += f" {word}"
        else:
            wanted.append(word)
    return wanted
