"""The user's settings: what the program was told, on the command line, in the environment, in a file, or not at all.

`settings.toml` stands in the configuration folder (PLANNER_CONFIG_DIR, else the system's place for it).
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from planner.data_files import config_folder
from planner.spec.words import escaped, nearest

YES, NO = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Setting:
    """Something a user can set.

    Attributes:
        key: its name in the file.
        default: its value where nothing is said; a switch where that is true or false.
        about: what it does.
        choices: the values it may have; empty: any text.
    """

    key: str
    default: str | bool
    about: str
    choices: tuple[str, ...] = ()

    @property
    def variable(self) -> str:
        """The environment variable that stands over the file."""
        return f"PLANNER_{self.key.upper()}"


SETTINGS: Final = (
    Setting("theme", "dark", "Colours: one of those there are, your own among them."),
    Setting("mouse", True, "Whether clicks reach the program; off, the terminal selects text as usual."),
    Setting("density", "comfortable", "compact leaves out the row of screens.", ("comfortable", "compact")),
    Setting("glyphs", "unicode", "ascii writes no lines, blocks or arrows.", ("unicode", "ascii")),
    Setting("autosave", True, "Whether the session is saved after every change, or only at the end."),
)  # fmt: skip
BY_KEY: Final = {setting.key: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True)
class Value:
    """A setting in force."""

    value: str | bool
    origin: str
    """Where it came from: the command line, a variable, a file, or the default."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, and what is wrong with what was said."""

    values: dict[str, Value]
    problems: tuple[str, ...]

    def text(self, key: str) -> str:
        """The value of a setting that is a text."""
        return str(self.values[key].value)

    def on(self, key: str) -> bool:
        """The value of a switch."""
        return bool(self.values[key].value)


def settings_path() -> Path:
    """The settings file."""
    return config_folder() / "settings.toml"


def load(flags: Mapping[str, str | bool | None] | None = None) -> Settings:
    """The settings in force; what cannot be used is left out, and said.

    Args:
        flags: what the command line says; None where it says nothing.
    """
    problems: list[str] = []
    values = {setting.key: Value(setting.default, "default") for setting in SETTINGS}
    path = settings_path()
    layers: list[tuple[str, Mapping[str, object]]] = [(str(path), _read(path, problems))]
    said = {s.key: os.environ[s.variable] for s in SETTINGS if os.environ.get(s.variable)}
    if os.environ.get("PLANNER_ASCII"):
        said.setdefault("glyphs", "ascii")
    layers += [("environment", said)]
    layers += [("command line", {key: value for key, value in (flags or {}).items() if value is not None})]
    for origin, layer in layers:
        for key, raw in layer.items():
            try:
                value = _checked(key, raw)
            except ValueError as error:
                problems.append(f"{origin}: {error}")
            else:
                where = f"{BY_KEY[key].variable} in the environment" if origin == "environment" else origin
                values[key] = Value(value, where)
    return Settings(values, tuple(problems))


def _read(path: Path, problems: list[str]) -> Mapping[str, object]:
    """The file's keys; nothing where there is none or it is no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        problems.append(f"{path}: cannot be read: {escaped(str(error))}")
        return {}


def _checked(key: str, raw: object) -> str | bool:
    """A value of a setting, as it is kept.

    Raises:
        ValueError: there is no such setting, or it cannot have this value; says what it can have.
    """
    if key not in BY_KEY:
        near = nearest(key, BY_KEY)
        fix = f"did you mean {near}?" if near else f"settings are {', '.join(BY_KEY)}."
        raise ValueError(f"unknown setting {escaped(key)}; {fix}")
    setting = BY_KEY[key]
    word = str(raw).strip().lower()
    if isinstance(setting.default, bool):
        if word not in YES | NO:
            raise ValueError(f"{key} = {escaped(str(raw))} is neither true nor false.")
        return word in YES
    if not isinstance(raw, str) or (setting.choices and raw not in setting.choices):
        allowed = " or ".join(setting.choices) or "a text"
        raise ValueError(f"{key} = {escaped(str(raw))} is not possible; write {allowed}.")
    return raw
