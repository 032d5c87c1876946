"""What goes to the terminal: only cells that differ from what it shows, and only the colours that change between them.

Textual sends whole strips, each piece with all its colours. Over a slow link most of that is known at the other end, so
`Wire` keeps what the terminal shows, cell by cell, and writes the difference. It leans on two internals of Textual 8.2
(the compositor's updates, and `App._display`); tests/tui/test_wire.py compares its screens with Textual's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Final

from rich.cells import get_character_cell_size
from rich.color import Color, ColorSystem
from rich.color_triplet import ColorTriplet
from rich.console import Console
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from planner.exchange.format import in_ascii

Cell = tuple[str, Style | None]
"""A character with its style; the right half of a wide character is empty."""
Row = list[Cell | None]
"""Cells of a line; None: unknown."""

RESET: Final = "\x1b[0m"
_GAP: Final = 8
"""Unchanged cells written again rather than jumped over: a jump costs about as many bytes."""
_SHOWS_ON_BLANKS: Final = frozenset({"4", "7", "9", "21", "53"})
"""Attributes one sees on a blank: underline, reverse, strike, double underline, overline."""


class Tight(CompositorUpdate):
    """An update of Textual's, written by a `Wire`."""

    def __init__(self, update: ChopsUpdate | LayoutUpdate, wire: Wire, width: int) -> None:
        self._update, self._wire, self._width = update, wire, width

    def render_segments(self, console: Console) -> str:
        """What to write."""
        return self._wire.encode(self._update, console, self._width)


class Wire:
    """What the terminal shows.

    Args:
        ascii_only: write ASCII alone, for terminals and fonts without line and block characters.
        colour: write colours; without, bold, underline and reverse alone (no-color.org).
    """

    def __init__(self, *, ascii_only: bool = False, colour: bool = True) -> None:
        self._ascii_only = ascii_only
        self._colour = colour
        self._rows: dict[int, Row] = {}
        self._width = 0

    def forget(self) -> None:
        """The terminal may show anything: write every cell again when its turn comes."""
        self._rows.clear()

    def encode(self, update: ChopsUpdate | LayoutUpdate, console: Console, width: int) -> str:
        """The bytes that bring a terminal of so many columns to what an update shows."""
        if width != self._width:
            self._width = width
            self.forget()
        system = ColorSystem[console._color_system.name] if console._color_system else None  # noqa: SLF001 - as Rich's own
        changed: dict[int, tuple[Row, Row]] = {}
        for y, x, cells in _pieces(update):
            if y not in changed:
                old = self._rows.get(y) or [None] * self._width
                changed[y] = old, old.copy()
            new = changed[y][1]
            if self._ascii_only:
                cells = [_in_ascii(cell) for cell in cells]  # noqa: PLW2901 - the same, as written
            end = min(x + len(cells), self._width)
            new[x:end] = cells[: end - x]
        out: list[str] = []
        ink = _Ink(system, colour=self._colour)
        for y in sorted(changed):
            old, new = changed[y]
            self._rows[y] = new
            for start, end in _runs(old, new):
                out.append(f"\x1b[{y + 1};{start + 1}H")
                out.extend(ink.write(cell) for cell in new[start:end] if cell is not None)
        return "".join((*out, ink.reset()))


class _Ink:
    """The colours in force while writing; says only what changes."""

    def __init__(self, system: ColorSystem | None, *, colour: bool) -> None:
        self._system = system
        self._colour = colour
        self._attributes: frozenset[str] = frozenset()
        self._fore = self._back = ""
        self._style: Style | None = None
        """The style that is in force as a whole; None: a mixture."""

    def write(self, cell: Cell) -> str:
        """A cell, behind the codes it needs."""
        text, style = cell
        if not text or (style is self._style and style is not None):
            return text
        attributes, fore, back = _codes(style, self._system)
        if not self._colour:
            fore = back = ""
        self._style = style
        if text == " " and not attributes & _SHOWS_ON_BLANKS and not self._attributes & _SHOWS_ON_BLANKS:
            attributes, fore, self._style = self._attributes, self._fore, None
        codes: list[str] = []
        if (self._attributes - attributes) or (self._fore and not fore) or (self._back and not back):
            codes.append("0")
            self._attributes, self._fore, self._back = frozenset(), "", ""
        codes += sorted(attributes - self._attributes)
        codes += [new for new, old in ((fore, self._fore), (back, self._back)) if new != old]
        self._attributes, self._fore, self._back = attributes, fore, back
        return f"\x1b[{';'.join(codes)}m{text}" if codes else text

    def reset(self) -> str:
        """Back to the terminal's own colours."""
        return RESET if self._attributes or self._fore or self._back else ""


@lru_cache(maxsize=4096)
def _codes(style: Style | None, system: ColorSystem | None) -> tuple[frozenset[str], str, str]:
    """Attributes, ink and ground of a style as numbers for the terminal."""
    if style is None or system is None:
        return frozenset(), "", ""
    bare = Style(**{
        name: getattr(style, name)
        for name in ("bold", "dim", "italic", "underline", "blink", "blink2", "reverse", "conceal", "strike",
                     "underline2", "frame", "encircle", "overline")
    })  # fmt: skip
    attributes = bare._make_ansi_codes(system)  # noqa: SLF001 - Rich has no public way to the numbers
    fore = ";".join(_written(style.color, system).get_ansi_codes()) if style.color else ""
    back = ";".join(_written(style.bgcolor, system).get_ansi_codes(foreground=False)) if style.bgcolor else ""
    return frozenset(attributes.split(";")) - {""}, fore, back


def _written(colour: Color, system: ColorSystem) -> Color:
    """A colour as it is written: one of the 256 by its number, which takes half the bytes of its 24 bits.

    One step of a channel, which nobody sees, is what Textual's own sums make of a theme's colour.
    """
    wanted, known = colour.triplet, _palette()
    if wanted is None or system not in {ColorSystem.EIGHT_BIT, ColorSystem.TRUECOLOR}:
        return colour.downgrade(system)
    near = (
        number for other, number in known.items() if all(abs(a - b) <= 1 for a, b in zip(wanted, other, strict=True))
    )
    number = known.get(wanted) or next(near, None)
    return colour.downgrade(system) if number is None else Color.from_ansi(number)


@cache
def _palette() -> dict[ColorTriplet, int]:
    """Numbers of the cube and the greys of the 256 colours, the same in all terminals; the first 16 are the user's."""
    return {Color.from_ansi(number).get_truecolor(): number for number in range(255, 15, -1)}


def _in_ascii(cell: Cell) -> Cell:
    """One character a cell: marks on a letter are left out, and either half of a wide character becomes one."""
    text, style = cell
    return cell if text and text.isascii() else (in_ascii(text[:1] or "?"), style)


def _pieces(update: ChopsUpdate | LayoutUpdate) -> Iterator[tuple[int, int, list[Cell]]]:
    """Line, column and cells of everything an update shows."""
    if isinstance(update, LayoutUpdate):
        for y, strips in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in strips:
                cells = _cells(strip)
                yield y, x, cells
                x += len(cells)
        return
    for y, x1, x2 in update.spans:
        for end, (x, chop) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if chop is not None and x < x2 and end > x1:
                first = max(x1 - x, 0)
                yield y, x + first, _cells(chop)[first : max(min(x2, end) - x, 0)]


def _cells(strip: Strip) -> list[Cell]:
    cells: list[Cell] = []
    for text, style, control in strip:
        if control:
            continue
        if text.isascii():
            cells += [(char, style) for char in text]
            continue
        for char in text:
            size = get_character_cell_size(char)
            if size:
                cells.append((char, style))
                cells += [("", style)] * (size - 1)
            elif cells:
                last, ink = cells[-1]
                cells[-1] = (last + char, ink)
    return cells


def _runs(old: Row, new: Row) -> Iterator[tuple[int, int]]:
    """Where a line differs, near places as one, none starting or ending inside a wide character."""
    differing = [x for x, (before, after) in enumerate(zip(old, new, strict=True)) if not _same(before, after)]
    if not differing:
        return
    runs = [[differing[0], differing[0] + 1]]
    for x in differing[1:]:
        if x - runs[-1][1] <= _GAP and None not in new[runs[-1][1] : x]:
            runs[-1][1] = x + 1
        else:
            runs.append([x, x + 1])
    width = len(new)
    for start, end in runs:
        while start > 0 and _half(new[start]):
            start -= 1  # noqa: PLW2901 - widened
        while end < width and (_half(new[end]) or _half(old[end])):
            end += 1  # noqa: PLW2901 - widened
        yield start, end


def _half(cell: Cell | None) -> bool:
    return cell is not None and not cell[0]


def _same(before: Cell | None, after: Cell | None) -> bool:
    if before is None or after is None:
        return before is after
    if before == after:
        return True
    if not before[0] == after[0] == " ":
        return False
    return _blank(before[1]) == _blank(after[1])


@lru_cache(maxsize=4096)
def _blank(style: Style | None) -> object:
    """What one sees of a style on a blank: the ground, unless an attribute shows."""
    if style is None:
        return None
    if style.underline or style.reverse or style.strike or style.underline2 or style.overline:
        return style
    return style.bgcolor
