"""One screen a file. Every screen but the workbench is imported when it is first opened."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from planner.tui.screens.base import ModeScreen
    from planner.tui.state import Session

SCREENS: Final = {
    "strategies": "planner.tui.screens.strategies:StrategiesScreen",
    "scale": "planner.tui.screens.scale:ScaleScreen",
    "costs": "planner.tui.screens.costs:CostsScreen",
    "compare": "planner.tui.screens.compare:CompareScreen",
    "audit": "planner.tui.screens.audit:AuditScreen",
    "fleet": "planner.tui.screens.fleet:FleetScreen",
    "pictures": "planner.tui.screens.pictures:PicturesScreen",
    "catalogue": "planner.tui.screens.catalogue:CatalogueScreen",
    "accuracy": "planner.tui.screens.accuracy:AccuracyScreen",
    "help": "planner.tui.screens.help:HelpScreen",
}
"""Mode -> where its screen is; its key and title are in `actions`."""


def make(name: str, session: Session) -> ModeScreen:
    """The screen of a mode, imported now."""
    module, _, cls = SCREENS[name].partition(":")
    screen: ModeScreen = getattr(importlib.import_module(module), cls)(session)
    return screen
