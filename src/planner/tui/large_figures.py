"""Large figures as rows of text. No Textual here."""

from __future__ import annotations

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
