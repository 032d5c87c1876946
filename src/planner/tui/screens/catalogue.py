"""What is known of cards, fabrics, models, software and presets: every figure with its source, checked or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget

from planner.exchange import listing
from planner.exchange.why import Book
from planner.exchange.why_entries import EntryBook
from planner.spec.base import PlanError
from planner.tui.actions import bindings, first_key
from planner.tui.screens.base import ModeScreen
from planner.tui.state import Session
from planner.tui.text import fit, wrap
from planner.tui.widgets.lines import Line, padded
from planner.tui.widgets.page import Page, heading, paragraph
from planner.tui.widgets.picker import Option, Picker

TITLES: Final = {
    "cards": "Cards", "fabrics": "Fabrics", "models": "Models", "stacks": "Software", "presets": "Presets",
    "fleets": "Fleets", "parts": "Network parts", "grids": "Grids",
}  # fmt: skip
BOTH: Final = 100
"""Columns from which list and entry stand side by side."""
KEY, VALUE = 24, 14
CHECKED, UNCHECKED = "✓", "?"


class EntryPage(Page):
    """One entry: figures with a mark and their sources, notes, and where to read more."""

    def __init__(self, session: Session) -> None:
        super().__init__("", id="entry")
        self.number = 2
        self._session = session
        self._kind = ""
        self._entry_id = ""
        self._item: listing.Item | PlanError | None = None

    def look_at(self, kind: str, name: str) -> None:
        """Show another entry."""
        if (kind, name) == (self._kind, self._entry_id):
            return
        self._kind, self._entry_id = kind, name
        try:
            self._item = listing.find(self._session.catalog, kind, name) if name else None
        except PlanError as error:
            self._item = error
        self.to_top()

    def title_text(self) -> str:
        """Its id."""
        return self._entry_id or "Nothing matches"

    def body(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - it scrolls
        """Name, figures, notes, sources."""
        item = self._item
        if item is None:
            return []
        if isinstance(item, PlanError):
            return [(), *(line for words in item.lines() for line in paragraph(words, width, "error"))]
        catalog = self._session.catalog
        lines: list[Line] = [(), *paragraph(item.name or self._entry_id, width, "strong"), ()]
        rows = listing.rows(catalog, self._entry_id, item)
        for row in rows:
            lines += self._row(row, width)
        if any(row.mark for row in rows):
            words = "? not checked against a source that was read; ✓ checked. Assumed: no source states it."
            lines += [(), *paragraph(words, width, "quiet")]
        if item.notes.strip():
            lines += [(), heading("Notes", width)]
            lines += [line for words in item.notes.strip().splitlines() for line in paragraph(words, width, "quiet")]
        if sources := listing.sources_of(catalog, item):
            lines += [(), heading("Sources", width)]
            for key, source in sources.items():
                read = CHECKED if source.read else UNCHECKED
                lines += self._source(key, read, f"{source.title} {source.url}".strip(), width)
        return [*lines, ()]

    @staticmethod
    def _row(row: listing.Row, width: int) -> Iterator[Line]:
        """A figure, its mark, and the keys of its sources: beside it, or below where it is long."""
        mark, ink = (UNCHECKED, "warn") if row.mark == listing.UNVERIFIED else (CHECKED, "ok")
        if row.mark == listing.ASSUMED:
            mark, ink = "~", "warn"
        if not row.sources and not row.mark:
            mark = " "
        lead: list[tuple[str, str]] = [("  ", "text"), (fit(row.key, KEY), "text"), (f" {mark} ", ink)]
        where = f"[{', '.join(row.sources)}]" if row.sources else row.mark if row.mark == listing.ASSUMED else ""
        if len(row.value) < VALUE and width >= KEY + VALUE + 16:
            room = width - KEY - VALUE - 8
            for number, words in enumerate(wrap(where, room)):
                start = (
                    [*lead, (fit(row.value, VALUE), "strong")] if not number else [(" " * (KEY + VALUE + 5), "text")]
                )
                yield padded([*start, (words, "faint")], width)
            return
        for number, words in enumerate(wrap(row.value, width - KEY - 7)):
            yield padded([*(lead if not number else [(" " * (KEY + 5), "text")]), (words, "strong")], width)
        if where:
            yield from (padded([(" " * (KEY + 5), "text"), (w, "faint")], width) for w in wrap(where, width - KEY - 7))

    @staticmethod
    def _source(key: str, mark: str, words: str, width: int) -> Iterator[Line]:
        lead: list[tuple[str, str]] = [("  ", "text"), (f"{mark} ", "ok" if mark == CHECKED else "warn")]
        text = words if words.startswith(key) else f"{key}: {words}"
        for line in wrap(text, width - 6):
            yield padded([*lead, (line, "quiet")], width)
            lead = [("    ", "text")]


class CatalogueScreen(ModeScreen):
    """A list of one kind and the entry with the cursor."""

    MODE = "catalogue"
    BINDINGS = [*bindings("catalogue")]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._kind = "cards"
        self._back: str | None = None

    def body(self) -> ComposeResult:
        """List to the left, entry to the right."""
        with Horizontal(id="catalogue"):
            yield self._list()
            yield EntryPage(self.session)

    def _list(self) -> Picker:
        """The list of a kind."""
        names = self.session.catalog.ids(listing.KINDS[self._kind])
        return Picker(
            f"1 {TITLES[self._kind]}  ←→ other kinds", [self._option(name) for name in names], self._done, self._moved,
            floating=False, slash=True, id="entries",
        )  # fmt: skip

    def _option(self, name: str) -> Option:
        try:
            cells = listing.cells(self.session.catalog, name, listing.find(self.session.catalog, self._kind, name))
        except PlanError as error:
            return Option(name, name, "cannot be used", error.lines()[0])
        return Option(name, cells[1] or name, name)

    def on_mount(self) -> None:
        """Choose at once."""
        self._moved(self._picker.highlighted)
        self.set_focus(self._picker)

    @property
    def _picker(self) -> Picker:
        return self.query_one("#entries", Picker)

    def _moved(self, option: Option | None) -> None:
        self.query_one(EntryPage).look_at(self._kind, str(option.value) if option else "")

    def _done(self, value: object | None) -> None:
        """Enter reads the entry; Esc leaves."""
        if value is None:
            self.action_back()
        else:
            self._go_in(reading=True)

    def explained(self) -> tuple[Book, str] | str:
        """The figures of the entry: what each means, where it was read, what it feeds."""
        option = self._picker.highlighted
        try:
            book = EntryBook(self.session.catalog, self._kind, str(option.value)) if option else None
            found = book.figures() if book else []
        except PlanError as error:
            return error.lines()[0]
        return (book, found[0][0]) if book and found else "there are no figures here to explain"

    def panels(self) -> list[Widget]:
        """The list and the entry."""
        return [self._picker, self.query_one(EntryPage)]

    def go_to(self, panel: Widget) -> None:
        """Into the entry, or back to the list."""
        self._go_in(reading=isinstance(panel, EntryPage))

    def _go_in(self, *, reading: bool) -> None:
        self.set_class(reading, "-reading")
        self.set_focus(self.query_one(EntryPage) if reading else self._picker)
        self.guide()

    async def action_kind(self, step: int) -> None:
        """The next or previous kind."""
        kinds = list(TITLES)
        self._kind = kinds[(kinds.index(self._kind) + step) % len(kinds)]
        await self._picker.remove()
        await self.query_one("#catalogue").mount(self._list(), before=0)
        self._moved(self._picker.highlighted)
        self._go_in(reading=False)

    def on_key(self, event: events.Key) -> None:
        """Esc leads from the entry back to its list."""
        if self.has_class("-zoom") and event.key == "escape":
            return
        if isinstance(self.focused, EntryPage) and event.key in {"escape", "tab", "shift+tab"}:
            event.stop()
            event.prevent_default()
            self._go_in(reading=False)

    def on_resize(self, _event: events.Resize) -> None:
        """Without room for both, one of them."""
        self.set_class(self.size.width < BOTH, "-one")

    def hints(self) -> list[tuple[str, str]]:
        """The keys of the part that has the focus."""
        if isinstance(self.focused, EntryPage):
            return [("↑↓", "scroll"), ("Esc", "list")]
        return [("↑↓", "choose"), ("/", "filter"), ("Enter", "read"), (first_key("why"), "why"), ("←→", "kind")]

    def about(self) -> str:
        """The twin."""
        return f"planner catalog {self._kind}"
