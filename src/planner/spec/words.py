"""Single words of messages: text made harmless, a value as it is written, the name that was meant.

No pydantic here: what stands on screen before the engine is there uses them too.
"""

from __future__ import annotations

import difflib
import json
import unicodedata
from collections.abc import Iterable, Sequence

LONGEST_SHOWN = 60
MANY = 12
"""Longer lists are cut short in a message."""
MEANT = 3
"""Names proposed for one that is none."""
SHORTEST_PREFIX = 3
"""A beginning of fewer letters does not tell which name was meant."""


def escaped(text: str, keep: str = "") -> str:
    r"""Make text harmless to a terminal: control, format and surrogate characters become visible escapes.

    Args:
        text: any text.
        keep: characters to leave as they are.

    >>> escaped("red\x1b[31m")
    'red\\x1b[31m'
    """
    if text.isprintable():
        return text
    return "".join(c if c in keep or not _harmful(c) else c.encode("unicode_escape").decode("ascii") for c in text)


def _harmful(char: str) -> bool:
    """Control, format (bidirectional overrides), surrogate and line or paragraph separator characters."""
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and char not in "\u200d\u200c\u00ad"


def shown(value: object) -> str:
    """A value as a TOML file has it, shortened, with nothing a terminal would act on."""
    if isinstance(value, str):
        text = f'"{escaped(value)}"'
    elif isinstance(value, dict):
        return "a table"
    elif isinstance(value, list | tuple):
        text = "[" + ", ".join(shown(item) for item in value[:MANY]) + "]"
    elif isinstance(value, bool):
        text = json.dumps(value)
    else:
        text = escaped(str(value))
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."


def alike(word: str, names: Iterable[str]) -> list[str]:
    """Some names a word is the beginning of, else the one most like it; empty when none is like it."""
    folded = {name.lower().replace("-", "_"): name for name in names}
    word = word.lower().replace("-", "_")
    longer = [name for name in folded if len(word) >= SHORTEST_PREFIX and name.startswith(word)]
    return [folded[name] for name in longer[:MEANT] or difflib.get_close_matches(word, folded, n=1)]


def nearest(word: str, names: Iterable[str]) -> str:
    """The name most like a word, or an empty string when none is like it."""
    return next(iter(alike(word, names)), "")


def did_you_mean(names: Sequence[str]) -> str:
    """The question, with a blank behind it; empty where there is no name.

    >>> did_you_mean(["h100-sxm"]), did_you_mean(["a", "b"]), did_you_mean([])
    ('Did you mean "h100-sxm"? ', 'Did you mean "a" or "b"? ', '')
    """
    return f"Did you mean {' or '.join(map(shown, names))}? " if names else ""
