"""The base of every screen: changing the focus repaints only what shows it."""

from __future__ import annotations

from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget


class LeanScreen(Screen[None]):
    """A screen whose `focused` does not repaint it.

    Textual's own repaints the whole screen on each change of focus, some 37 KB; our widgets repaint what shows the
    focus themselves. This leans on how Textual 8.2 declares the attribute; tests/tui/test_bytes.py would notice.
    """

    focused: Reactive[Widget | None] = Reactive(None, compute=False, repaint=False)
    AUTO_FOCUS = None
