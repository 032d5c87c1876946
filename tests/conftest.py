"""What every test stands on: nothing of this machine, this user or this moment reaches a test."""

import os
import sys
from pathlib import Path

# Before Textual is imported by a test, and for the programs that tests start.
os.environ["TEXTUAL_ANIMATIONS"] = "none"
os.environ["TERM"] = "xterm-256color"
os.environ["COLORTERM"] = "truecolor"
os.environ["TZ"] = "UTC"
os.environ["LC_ALL"] = "C.UTF-8"
for name in (
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "TTY_COMPATIBLE",
    "TTY_INTERACTIVE",
    "COLUMNS",
    "LINES",
    "TEXTUAL",
    "TEXTUAL_COLOR_SYSTEM",
    "TEXTUAL_DEBUG",
    "TEXTUAL_DIM_FACTOR",
    "TEXTUAL_FILTERS",
    "TEXTUAL_FPS",
    "TEXTUAL_PRESS",
    "TEXTUAL_SCREENSHOT",
    "TEXTUAL_SMOOTH_SCROLL",
    "TEXTUAL_THEME",
    "PLANNER_ASCII",
    "PLANNER_CONFIG_DIR",
    "PLANNER_DATA_DIR",
    "PLANNER_GLYPHS",
    "PLANNER_STATE_DIR",
    "PYTHONPATH",
):
    os.environ.pop(name, None)

import pytest  # noqa: E402  # after the environment above
from hypothesis import settings  # noqa: E402

# pytest-textual-snapshot is a plugin, so Textual was imported before this file and has read the old environment.
if "textual.constants" in sys.modules:
    import textual.constants

    textual.constants.TEXTUAL_ANIMATIONS = "none"  # type: ignore[misc]  # Final, but read by each new App

# The same examples on every run and every machine: a red check is about the change, never about luck.
# HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test an empty home: no settings, no own presets, no saved session of the person who runs it.

    Returns:
        The home folder; ``config``, ``data`` and ``state`` inside it are the planner's.
    """
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for variable, folder in {
        "PLANNER_CONFIG_DIR": "config",
        "PLANNER_DATA_DIR": "data",
        "PLANNER_STATE_DIR": "state",
        "XDG_CACHE_HOME": "xdg/cache",
        "XDG_CONFIG_HOME": "xdg/config",
        "XDG_DATA_HOME": "xdg/data",
        "XDG_STATE_HOME": "xdg/state",
    }.items():
        monkeypatch.setenv(variable, str(home / folder))
    return home


@pytest.fixture(autouse=True)
def still_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the text cursor's blink, which follows the clock on the wall and would change pictures at random."""
    if "textual" not in sys.modules:
        return
    from textual.widgets import Input, TextArea

    monkeypatch.setattr(Input, "_toggle_cursor", lambda self: None)
    monkeypatch.setattr(TextArea, "_toggle_cursor_blink_visible", lambda self: None)
