"""The base of every widget here: lines of styled text, of which only those that changed are drawn again.

A widget says what its lines are (`build`); after a change it calls `repaint`, which builds them again, compares them
with what is on screen and marks the differing lines alone. Nothing is parsed for markup: names from files are text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from planner.tui.text import clean, fit

Line = Sequence[tuple[str, str]]
"""Pieces of text, each with the name of its style; `a+b` is style `a` on the background of style `b`."""


@dataclass(frozen=True, slots=True)
class Ink:
    """A style of text, in the colours of the theme.

    Attributes:
        colour: the theme's variable for the letters.
        ground: the variable for what is behind them; empty: the widget's own.
        bold: written bold.
        bare: attribute of Rich that tells it apart where colours do not; empty: none.
    """

    colour: str = "foreground"
    ground: str = ""
    bold: bool = False
    bare: str = ""


INKS: Final = {
    "text": Ink(),
    "strong": Ink("text-strong", bold=True),
    "quiet": Ink("text-quiet"),
    "faint": Ink("text-faint"),
    "rule": Ink("text-rule"),
    "title": Ink(bold=True),
    "title-focus": Ink("primary", bold=True, bare="underline"),
    "rule-focus": Ink("primary"),
    "bar": Ink("secondary"),
    "ok": Ink("success"),
    "warn": Ink("warning"),
    "error": Ink("error"),
    "key": Ink("primary"),
    "focus": Ink(ground="panel"),
    "cursor": Ink("surface", "primary", bare="reverse"),
    "chosen": Ink("text-strong", "panel", bare="reverse"),
}
"""Styles by name. Not component classes of the style sheet: Textual would match each of them, in each widget, at each
pass over the styles, which was a third of the time to the first screen."""


class Lines(Widget):
    """A widget made of lines."""

    ALLOW_SELECT = False

    labels: Mapping[int, str] = {}
    """Letters of jump mode, by row."""
    _shown: list[Line]
    _shown_size: Size | None = None

    def __init__(self, *, id: str | None, classes: str = "") -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id, classes=classes)
        self._inks: dict[str, Style] = {}

    def build(self, width: int, height: int) -> list[Line]:
        """The lines for a size; missing ones are blank, surplus ones are not shown."""
        raise NotImplementedError

    def targets(self) -> Iterable[int]:
        """Rows that jump mode can go to."""
        return ()

    def jump(self, row: int) -> None:
        """Go to one of them."""

    def _built(self) -> list[Line]:
        lines = self.build(*self.size)
        for row, label in self.labels.items():
            lines[row] = overlaid(lines[row], label, "cursor")
        return lines

    def repaint(self) -> None:
        """Build again and send what changed."""
        if self._shown_size is None or self._shown_size != self.size:
            self.refresh()
            return
        width = self.size.width
        old, self._shown = self._shown, self._built()
        blank: Line = ()
        for y in range(self.size.height):
            before = old[y] if y < len(old) else blank
            after = self._shown[y] if y < len(self._shown) else blank
            if before != after:
                self.refresh(Region(0, y, width, 1))

    def render_line(self, y: int) -> Strip:
        """One line as Textual wants it."""
        size = self.size
        if self._shown_size != size:
            self._shown, self._shown_size = self._built(), size
        line = self._shown[y] if y < len(self._shown) else ()
        segments = [Segment(text, self.style_named(name)) for text, name in padded(line, size.width)]
        return Strip(segments, size.width)

    def style_named(self, name: str) -> Style:
        """A style by its name, in the colours of the theme."""
        if name not in self._inks:
            text, _, ground = name.partition("+")
            self._inks[name] = self._in_theme(INKS[text or "text"], INKS[ground] if ground else None)
        return self._inks[name]

    def _in_theme(self, ink: Ink, ground: Ink | None) -> Style:
        theme = self.app.theme_variables
        own = self.background_colors[1]
        behind = own + Color.parse(theme[ink.ground]) if ink.ground else own
        style = Style.from_color((behind + Color.parse(theme[ink.colour])).rich_color, behind.rich_color)
        if ink.bold:
            style += Style(bold=True)
        if ink.bare and (self.app.no_color or (ink.ground and behind == own)):
            style += Style.parse(ink.bare)
        return style + Style(bgcolor=self._in_theme(ground, None).bgcolor) if ground else style

    def notify_style_update(self) -> None:
        """Other colours: make the styles again."""
        self._inks.clear()
        super().notify_style_update()

    def forget(self) -> None:
        """Build again at the next paint, as after a change of size."""
        self._shown_size = None
        self.refresh(layout=True)


def span(line: Line) -> int:
    """Cells a line takes."""
    return sum(cell_len(text) for text, _ in line)


def padded(line: Line, width: int, style: str = "text") -> list[tuple[str, str]]:
    """A line of exactly so many cells, cut or filled up."""
    out: list[tuple[str, str]] = []
    left = width
    for text, name in line:
        text = clean(text)  # noqa: PLW2901 - from here on as it is shown
        if left <= 0:
            return out
        if (size := cell_len(text)) > left:
            text, size = fit(text, left), left  # noqa: PLW2901
        out.append((text, name))
        left -= size
    if left > 0:
        out.append((" " * left, style))
    return out


def overlaid(line: Line, words: str, ink: str) -> list[tuple[str, str]]:
    """A line with words written over its beginning, which is of characters one cell wide."""
    rest, left = [], len(words)
    for text, name in line:
        rest.append((text[left:], name))
        left = max(left - len(text), 0)
    return [(words, ink), *rest]


def spread(left: Line, right: Line, width: int, style: str = "text") -> list[tuple[str, str]]:
    """One line with text at both ends; the left end is cut where they meet."""
    room = max(width - span(right), 0)
    return padded([*padded(left, room, style), *right], width, style)


def rule(title: str, width: int, ink: str = "title-focus", line: str = "rule-focus") -> list[tuple[str, str]]:
    """A horizontal line with a title in it."""
    words = f" {title} "
    return padded([("─", line), (words, ink), ("─" * max(width - 1 - span([(words, "")]), 0), line)], width)


def on_ground(line: Line, ground: str) -> list[tuple[str, str]]:
    """The same line on the background of another style; a cursor keeps its own."""
    return [(text, name if name == "cursor" else f"{name}+{ground}") for text, name in line]
