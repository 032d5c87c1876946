"""Importing a headless part never pulls in an interface; each check runs in an interpreter of its own."""

import subprocess
import sys

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
