"""One line of text being typed: text, cursor and the keys that change them. No widget, no Textual import."""

from __future__ import annotations

from dataclasses import dataclass, field

from planner.tui.text import clean

LONGEST = 200
"""Longer pastes are cut."""


@dataclass
class LineEdit:
    """What is typed and where the cursor stands."""

    text: str = ""
    cursor: int = field(default=-1)
    fresh: bool = False
    """The first key typed replaces the text, as where a field was just entered."""

    def __post_init__(self) -> None:
        """A new edit starts at the end of its text."""
        if self.cursor < 0:
            self.cursor = len(self.text)

    def insert(self, text: str) -> None:
        """Put text in at the cursor; line ends and control characters do not come along."""
        text = clean(text[: LONGEST * 2].strip("\r\n").split("\n")[0]).replace("·", "") if len(text) > 1 else text
        if self.fresh:
            self.text, self.cursor, self.fresh = "", 0, False
        text = text[: LONGEST - len(self.text)]
        self.text = self.text[: self.cursor] + text + self.text[self.cursor :]
        self.cursor += len(text)

    def key(self, key: str, character: str | None) -> bool:
        """Do what a key does in a line of text; False where it means nothing there."""
        moves = {"left": self.cursor - 1, "right": self.cursor + 1, "home": 0, "end": len(self.text)}
        if key in moves:
            self.cursor = min(max(moves[key], 0), len(self.text))
        elif key == "backspace":
            if self.cursor:
                self.text = self.text[: self.cursor - 1] + self.text[self.cursor :]
                self.cursor -= 1
        elif key == "delete":
            self.text = self.text[: self.cursor] + self.text[self.cursor + 1 :]
        elif key in {"ctrl+u", "ctrl+w"}:
            self.text, self.cursor = self.text[self.cursor :], 0
        elif character and character.isprintable() and not key.startswith(("alt+", "ctrl+")):
            self.insert(character)
            return True
        else:
            return False
        self.fresh = False
        return True

    def pieces(self, width: int, style: str = "text", cursor: str = "cursor") -> list[tuple[str, str]]:
        """The text with the cursor in it, scrolled so that the cursor is in view, at most `width` cells."""
        start = max(0, self.cursor - width + 1)
        window = self.text[start : start + width] + " "
        at = self.cursor - start
        return [
            (text, name)
            for text, name in ((window[:at], style), (window[at : at + 1], cursor), (window[at + 1 : width], style))
            if text
        ]
