"""Keys of the user's own: `keymap.toml` in the configuration folder, a key or a list of keys for the id of an action.

What cannot be used is said, and never fatal. `docs/commands.md` has an example.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from planner.data_files import config_folder
from planner.spec.words import escaped, nearest
from planner.tui.actions import ACTIONS, BY_ID, MODES, Action

Keys = tuple[str, ...]


def keymap_path() -> Path:
    """The file."""
    return config_folder() / "keymap.toml"


def load() -> tuple[dict[str, Keys], list[str]]:
    """Keys by action, and what is wrong with the file."""
    path = keymap_path()
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, []
    except (OSError, ValueError) as error:
        return {}, [f"{path}: cannot be read: {escaped(str(error))}"]
    table = data.get("keys", {})
    problems = [f"{path}: unknown key {escaped(key)}; there is only the table [keys]" for key in data if key != "keys"]
    if not isinstance(table, Mapping):
        return {}, [f"{path}: keys is no table"]
    chosen: dict[str, Keys] = {}
    for name, value in table.items():
        try:
            keys = _keys(name, value)
        except ValueError as error:
            problems.append(f"{path}: {error}")
        else:
            if clash := _clash(BY_ID[name], keys, chosen):
                problems.append(f"{path}: {name} = {', '.join(keys)} clashes with {clash}; it keeps its own keys")
            else:
                chosen[name] = keys
    return chosen, problems


def _keys(name: str, value: object) -> Keys:
    if name not in BY_ID:
        near = nearest(name, BY_ID)
        raise ValueError(f"unknown action {escaped(name)}" + (f"; did you mean {near}?" if near else ""))
    if not BY_ID[name].call:
        raise ValueError(f"the keys of {name} are part of what it works on and cannot be changed")
    keys = [value] if isinstance(value, str) else value
    if not isinstance(keys, list) or not keys or not all(isinstance(key, str) and key.strip() for key in keys):
        raise ValueError(f"{name}: write a key, or a list of keys")
    return tuple(str(key).strip() for key in keys)


def _clash(action: Action, keys: Keys, chosen: Mapping[str, Keys]) -> str:
    """The action that has one of the keys where this one works; empty: none."""
    for other in ACTIONS:
        if other.id != action.id and other.call and _meet(action, other):
            taken = set(chosen.get(other.id, other.keys)) & set(keys)
            if taken:
                return f"{other.id} ({', '.join(sorted(taken))})"
    return ""


def _meet(one: Action, other: Action) -> bool:
    """Both work on one screen."""
    anywhere = {"everywhere", "modes", "panels"}
    return one.where == other.where or bool({one.where, other.where} & anywhere and {one.where, other.where} <= (
        anywhere | set(MODES)))  # fmt: skip
