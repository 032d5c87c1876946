"""What the terminal at the other end is, or that it is there no more. No Textual."""

from __future__ import annotations

import select
import sys


def writes_unicode() -> bool:
    """The terminal's encoding has more than ASCII."""
    encoding = (getattr(sys.__stdout__, "encoding", None) or "utf-8").lower().replace("-", "")
    return encoding.startswith("utf")


def terminal_is_gone() -> bool:
    """Nobody is at the other end of standard input any more."""
    poll = select.poll()
    try:
        poll.register(sys.__stdin__.fileno(), 0)  # type: ignore[union-attr]  # None where there is no terminal
        return any(event & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0))
    except (AttributeError, OSError, ValueError):
        return True
