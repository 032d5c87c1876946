"""Keys answered in the order they were typed.

Textual hands a key to the widget with the focus, and what the widget leaves alone climbs from parent to parent until
the application finds its binding. Of several keys that come in one packet of a slow line, those the widget takes would
overtake the others: `64`, Enter, `u`, `128` ended as 64. So a key waits here until the one before has come to rest.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Final

from textual import events
from textual.app import App

LONGEST_S: Final = 0.25
"""A key whose widget vanished while it climbed never arrives; after this the next one has its turn."""


class Keyboard(App[None]):
    """An application that takes keys, and pasted text, one at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.listening = True
        """False: what is typed is kept for later."""
        self._typed: deque[events.Event] = deque()
        self._under_way: events.Event | None = None
        self._since = 0.0

    async def on_event(self, event: events.Event) -> None:
        """Put what is typed at the end of the queue; notice when it has come back."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            self._typed.append(event)
            if len(self._typed) == 1:
                await self.answer_typed()
            return
        await super().on_event(event)
        if event is self._under_way:
            self._under_way = None

    async def answer_typed(self) -> None:
        """Answer what waits, as far as that can be done now."""
        while self.listening and self._typed and self._at_rest():
            event = self._typed.popleft()
            self._under_way, self._since = event, time.monotonic()
            await self.answer(event)
            if not event.is_forwarded:
                self._under_way = None
        if self.listening and self._typed:
            await asyncio.sleep(0)  # a pump with messages never pauses, and the key would not get on its way
            self.call_later(self.answer_typed)

    async def answer(self, event: events.Event) -> None:
        """Answer a key or a paste."""
        await super().on_event(event)

    def _at_rest(self) -> bool:
        """The last one has been taken by a widget, or has come up to here."""
        last = self._under_way
        return last is None or last._stop_propagation or time.monotonic() - self._since > LONGEST_S  # noqa: SLF001 - Textual asks it so
