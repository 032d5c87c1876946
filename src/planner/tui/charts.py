"""Pictures as rows of text: a pure function each, from figures and a width to lines. No Textual here.

Every function has an ASCII form, for terminals and fonts without block characters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

FILLS = {"weights": "█", "gradients": "▓", "optimizer": "▒", "activations": "░", "other": "▪"}
"""The mark of each kind of memory: told apart without colour."""
ASCII_FILLS = {"weights": "W", "gradients": "G", "optimizer": "O", "activations": "A", "other": "x"}

_GLYPHS = {
    "0": ("┏━┓", "┃ ┃", "┗━┛"),
    "1": (" ╻ ", " ┃ ", " ╹ "),
    "2": ("╺━┓", "┏━┛", "┗━╸"),
    "3": ("╺━┓", " ━┫", "╺━┛"),
    "4": ("╻ ╻", "┗━┫", "  ╹"),
    "5": ("┏━╸", "┗━┓", "╺━┛"),
    "6": ("┏━╸", "┣━┓", "┗━┛"),
    "7": ("╺━┓", "  ┃", "  ╹"),
    "8": ("┏━┓", "┣━┫", "┗━┛"),
    "9": ("┏━┓", "┗━┫", "╺━┛"),
    "$": ("┏╋╸", "┗╋┓", "╺╋┛"),
    "-": ("   ", "╺━╸", "   "),
    "–": ("   ", "╺━╸", "   "),
    ".": (" ", " ", "."),
    ",": (" ", " ", ","),
    " ": (" ", " ", " "),
}


def bar(value: float, scale: float, width: int, *, ascii_only: bool = False) -> str:
    """A horizontal bar of exactly `width` cells, to half a cell; thin, so that bars below each other stay apart.

    >>> bar(1.0, 2.0, 4), bar(0.7, 2.0, 4), bar(1.0, 2.0, 4, ascii_only=True)
    ('━━  ', '━╸  ', '##  ')
    """
    if width <= 0:
        return ""
    share = min(max(value / scale, 0.0), 1.0) if scale > 0 else 0.0
    if ascii_only:
        return ("#" * round(share * width)).ljust(width)
    full, half = divmod(max(round(share * width * 2), 1 if share > 0 else 0), 2)
    return ("━" * full + "╸" * half).ljust(width)


def stacked(parts: Mapping[str, float], scale: float, width: int, *, ascii_only: bool = False) -> str:
    """Parts end to end, each in its own mark, padded to `width`; rounding keeps the whole length right.

    >>> stacked({"weights": 2.0, "activations": 1.0}, 4.0, 8)
    '████░░  '
    """
    fills = ASCII_FILLS if ascii_only else FILLS
    text, total = "", 0.0
    for kind, value in parts.items():
        total += max(value, 0.0)
        end = min(round(width * total / scale), width) if scale > 0 else 0
        text += fills.get(kind, fills["other"]) * (end - len(text))
    return text.ljust(width)[: max(width, 0)]


def big(text: str) -> tuple[str, str, str]:
    """Large figures, three rows high; characters without a large form stand on the last row.

    >>> for row in big("1.5"):
    ...     print(row.rstrip())
     ╻  ┏━╸
     ┃  ┗━┓
     ╹ .╺━┛
    """
    rows = ["", "", ""]
    for char in text:
        glyph = _GLYPHS.get(char, (" ", " ", char))
        for row in range(3):
            rows[row] += glyph[row]
    return rows[0], rows[1], rows[2]


def pick_stages(gb_by_stage: Sequence[float], rows: int) -> list[int]:
    """Which pipeline stages to show in so many rows: the first, the fullest, the last, then evenly between.

    >>> pick_stages([5, 9, 4, 4, 4, 4, 4, 6], 3)
    [0, 1, 7]
    """
    count = len(gb_by_stage)
    if count <= rows:
        return list(range(count))
    fullest = max(range(count), key=gb_by_stage.__getitem__)
    chosen = dict.fromkeys([fullest, 0, count - 1])
    step = (count - 1) / max(rows - 1, 1)
    for stage in [*(round(step * i) for i in range(rows)), *range(count)]:
        if len(chosen) >= rows:
            break
        chosen[stage] = None
    return sorted(list(chosen)[:rows])
