"""Importing a headless part never pulls in an interface; each check runs in an interpreter of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# module imported -> top-level packages that must not come with it
RULES = {
    "planner": {"textual", "rich", "click", "numpy", "pydantic"},
    "planner.spec.plan": {"textual", "rich", "click", "numpy"},
    "planner.engine": {"textual", "rich", "click"},
    "planner.engine.estimate": {"textual", "rich", "click", "numpy"},
    "planner.choose": {"textual", "rich", "click", "numpy"},
    "planner.engine.found": {"numpy"},  # what the helper sends must not bring it into the terminal UI
    "planner.catalog": {"textual", "rich", "click"},
    "planner.exchange": {"textual"},
    "planner.exchange.report": {"textual", "rich", "click"},
    "planner.exchange.listing": {"textual", "rich", "click"},
    "planner.cli": {"textual", "rich", "numpy", "pydantic"},
    "planner.cli.plans": {"textual", "rich"},
    "planner.tui.app": {"numpy", "pydantic"},  # the first picture waits for neither
    "planner.tui.screens.workbench": {"numpy"},
}


@pytest.mark.parametrize("module", RULES)
def test_import_brings_no_interface(module: str) -> None:
    code = f"import sys; import {module}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) & RULES[module] == set()


def test_no_package_installed_beside_it_gets_into_a_command(tmp_path: Path) -> None:
    """What looks for Pydantic's plugins reads every package there is, and imports those that have one."""
    about = tmp_path / "beside-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: beside\nVersion: 1\n", encoding="utf-8")
    (about / "entry_points.txt").write_text("[pydantic]\nbeside = beside:plugin\n", encoding="utf-8")
    (tmp_path / "beside.py").write_text("print('imported')\nplugin = None\n", encoding="utf-8")
    there = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    command = [sys.executable, "-c", "from planner.cli import main; main()", "estimate", "deepseek-v3"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=there)
    assert "imported" not in done.stdout
    assert "MFU" in done.stdout
