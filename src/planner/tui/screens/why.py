"""Why a figure is what it is: all figures to the left, the explanation of one on the right; the CLI says the same."""

from __future__ import annotations

from collections.abc import Iterator

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal

from planner.exchange import why
from planner.tui.screens.base import LeanScreen
from planner.tui.text import fit, wrap
from planner.tui.widgets.hints import HintBar
from planner.tui.widgets.lines import Line, padded
from planner.tui.widgets.page import Page, heading, paragraph
from planner.tui.widgets.picker import Option, Picker

BOTH: int = 100
"""Columns from which list and explanation stand side by side."""
NAME, VALUE = 26, 14
WIDE: int = 64
"""Columns from which an input's origin stands beside it, not below."""


class Explanation(Page):
    """One figure, explained."""

    def __init__(self, book: why.Book) -> None:
        super().__init__("Why", id="explanation")
        self._book = book
        self._key = ""
        self._why: why.Why | None = None

    def explain(self, key: str) -> None:
        """Explain another figure."""
        if key != self._key:
            self._key, self._why = key, self._book.explain(key)
            self.to_top()

    def title_text(self) -> str:
        """Which figure."""
        return f"Why {self._why.name} is {self._why.value}" if self._why else "Why"

    def body(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - it scrolls
        """Formula, inputs, constants, sources, what it feeds."""
        if self._why is None:
            return []
        lines: list[Line] = [()]
        if self._why.note:
            lines += [*paragraph(self._why.note, width, "quiet"), ()]
        lines += paragraph(self._why.words, width)
        for title, items in (("Made of", self._why.inputs), ("Constants", self._why.constants)):
            if items:
                lines += [(), heading(title, width)]
                lines += [line for item in items for line in _input(item, width)]
        if self._why.cites:
            lines += [(), heading("Sources", width)]
            lines += [line for cite in self._why.cites for line in paragraph(cite, width, "quiet")]
        if self._why.feeds:
            lines += [(), heading("Feeds", width), *paragraph(", ".join(name for _, name in self._why.feeds), width)]
        return [*lines, ()]


def _input(item: why.Input, width: int) -> Iterator[Line]:
    """Name and value, then where it came from: beside it, or below where there is little room."""
    ink = "key" if item.origin.startswith("yours") else "faint" if item.origin.startswith("default") else "quiet"
    long = len(item.value) >= VALUE
    value = item.value if long else fit(item.value, VALUE)
    lead: list[tuple[str, str]] = [("  ", "text"), (fit(item.name, NAME) + " ", "text"), (value, "strong")]
    beside = width >= WIDE and not long
    room = width - NAME - VALUE - 6 if beside else width - 8
    for row in wrap(item.origin, room):
        if beside:
            yield padded([*lead, (" ", "text"), (row, ink)], width)
            lead = [(" " * (NAME + VALUE + 3), "text")]
        else:
            if lead:
                yield padded(lead, width)
            lead = []
            yield padded([("      ", "text"), (row, ink)], width)


class WhyScreen(LeanScreen):
    """Every figure, and why it is what it is.

    Args:
        book: explains the figures.
        key: the figure, or key of the plan, to start with.
    """

    def __init__(self, book: why.Book, key: str) -> None:
        super().__init__()
        self._book, self._key = book, key

    def compose(self) -> ComposeResult:
        """Figures, explanation, keys."""
        title = f"Why: {self._book.title}" if self._book.title else "Why this number"
        with Horizontal(id="why"):
            yield Picker(title, list(self._options()), self._done, self._moved, floating=False, id="figures")
            yield Explanation(self._book)
        yield HintBar(id="hints")

    def _options(self) -> Iterator[Option]:
        found = self._book.figures()
        for key, name, value in found:
            yield Option(key, name, value, "", current=key == self._key)
        if self._key not in {key for key, _, _ in found}:
            yield Option(self._key, self._key, self._book.explain(self._key).value, "", current=True)

    def on_mount(self) -> None:
        """Start with the figure that was asked for."""
        self.query_one(Explanation).explain(self._key)
        self.set_focus(self.query_one(Picker))
        self.guide()

    def guide(self) -> None:
        """The keys of the part that has the focus."""
        inside = isinstance(self.focused, Explanation)
        keys = (
            [("↑↓", "scroll"), ("Esc", "figures")] if inside else [("↑↓", "choose"), ("Enter", "read"), ("Esc", "back")]
        )
        self.query_one(HintBar).show(keys, self.said or self._book.twin(self._key), first=bool(self.said))

    def _moved(self, option: Option | None) -> None:
        if option is not None:
            self._key = str(option.value)
            self.query_one(Explanation).explain(self._key)
            self.guide()

    def _done(self, value: object | None) -> None:
        if self.has_class("-zoom"):
            self.action_zoom()
        elif value is None:
            self.dismiss()
        else:
            self._go_in(reading=True)

    def _go_in(self, *, reading: bool) -> None:
        """From the list to the text, or back."""
        self.set_class(reading, "-reading")
        self.set_focus(self.query_one(Explanation) if reading else self.query_one(Picker))
        self.guide()

    def on_key(self, event: events.Key) -> None:
        """Esc, Tab and the left arrow lead from the text back to the list; Esc there is the list's own."""
        if self.has_class("-zoom") and event.key == "escape":
            return
        if isinstance(self.focused, Explanation) and event.key in {"escape", "tab", "shift+tab", "left"}:
            event.stop()
            event.prevent_default()
            self._go_in(reading=False)

    def on_resize(self, _event: events.Resize) -> None:
        """Without room for both, one of them."""
        self.set_class(self.size.width < BOTH, "-one")
