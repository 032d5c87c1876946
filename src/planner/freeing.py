"""Memory that is no longer used, given back to the system."""

from __future__ import annotations

import contextlib


def give_back() -> None:
    """Let the system have what was freed, where the C library can do that: glibc keeps it otherwise."""
    import ctypes  # a good part of what it takes to get to the workbench

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
