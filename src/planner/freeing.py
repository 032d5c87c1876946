"""Memory that is no longer used, given back to the system."""

from __future__ import annotations

import contextlib
import ctypes


def give_back() -> None:
    """Let the system have what was freed, where the C library can do that: glibc keeps it otherwise."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
