"""The registry of actions: whole, without clashes, on keys that arrive."""

from __future__ import annotations

import importlib
from collections import Counter

import pytest

from planner.tui.actions import ACTIONS, MODES, Action
from planner.tui.app import PlannerApp
from planner.tui.screens import SCREENS
from planner.tui.screens.help import PLACES
from planner.tui.screens.workbench import WorkbenchScreen

SWALLOWED = {"ctrl+a", "ctrl+b", "ctrl+j", "ctrl+o", "ctrl+s", "ctrl+m", "ctrl+i", "ctrl+h", "ctrl+enter"}
"""Keys that tmux, screen or the terminal takes."""


def test_ids_are_unique() -> None:
    assert not [name for name, count in Counter(action.id for action in ACTIONS).items() if count > 1]


def test_help_has_every_place_of_the_registry() -> None:
    assert {action.where for action in ACTIONS} <= set(PLACES)


def test_no_two_actions_share_a_key_in_one_place() -> None:
    for mode in MODES:
        keys = Counter(
            key for action in ACTIONS if action.where in {"everywhere", "modes", "panels", mode} for key in action.keys
        )
        assert not [key for key, count in keys.items() if count > 1], mode


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_an_action_can_be_reached_and_run(action: Action) -> None:
    assert set(action.keys) - SWALLOWED
    if action.call:
        name = action.call.partition("(")[0]
        owner: object = PlannerApp if name.startswith("app.") else WorkbenchScreen
        if action.where in SCREENS:
            module, _, cls = SCREENS[action.where].partition(":")
            owner = getattr(importlib.import_module(module), cls)
        assert hasattr(owner, f"action_{name.removeprefix('app.')}")
