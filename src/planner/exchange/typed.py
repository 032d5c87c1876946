"""Numbers as people type them, in a field or on the command line."""

from __future__ import annotations

import math
import re

from planner.spec.base import MAX_WHOLE_NUMBER
from planner.spec.words import escaped

MULTIPLES = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12, "p": 1e15}
"""What a letter behind a typed number multiplies it by."""

_WHOLE = r"(?:\d{1,3}(?:[,_' ]\d{3})+|\d+)"
_NUMBER = re.compile(rf"\$?([+-]?(?:{_WHOLE}(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?) ?([kmbgtp]?)", re.IGNORECASE)
_HOW = "write a number such as 2,048, 14.8T or 1e12"


def parse_number(text: str) -> float:
    """A number as people type it: `2,048`, `14.8T`, `1e12`, `$2.50`, `64k`; separators stand between three digits.

    >>> parse_number("14.8T"), parse_number("2,048"), parse_number("14.8 T")
    (14800000000000.0, 2048.0, 14800000000000.0)

    Raises:
        ValueError: with what may be typed, when it is not a number.
    """
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"“{escaped(text)}” is not a number: {_HOW}" if text.strip() else _HOW)
    value = float(re.sub(r"[,_' ]", "", match[1])) * MULTIPLES[match[2].lower()]
    if not math.isfinite(value):
        raise ValueError(f"“{text.strip()}” is too large: {_HOW}")
    # 14.8 x 1e12 is not the float nearest to 14.8e12: say it as decimal digits do.
    return float(f"{value:.12g}")


def number_or_word(text: str) -> int | float | str:
    """A number, whole where it is, or the text as it stands.

    >>> number_or_word("1k"), number_or_word("1.5T"), number_or_word("0.5"), number_or_word("h20")
    (1000, 1500000000000, 0.5, 'h20')
    """
    try:
        value = parse_number(text)
    except ValueError:
        return text
    return whole(value)


def whole(value: float) -> int | float:
    """A number as a whole one, where it is."""
    return int(value) if value.is_integer() and abs(value) <= MAX_WHOLE_NUMBER else value
