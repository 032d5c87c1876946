"""Reads the questions of the audit, `presets/questions.toml`, when asked for."""

from __future__ import annotations

from functools import cache

from planner.data_files import data_root
from planner.spec.parse import build, load_toml
from planner.spec.question import Questions


@cache
def questions() -> Questions:
    """The questions, in their order."""
    file = data_root() / "presets" / "questions.toml"
    return build(Questions, load_toml(file.read_bytes(), str(file)), str(file))
