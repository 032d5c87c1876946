"""The command line as a whole: what it offers, how it ends, and that each failure is one message."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.helpers import planner, process, refused
from tests.plans import plan

import planner.cli
from planner import __version__
from planner.exchange import plan_toml
from planner.exchange.report import text
from planner.spec.base import PlanError, Problem


def test_help_lists_every_command_that_is_there_and_no_other() -> None:
    done = planner_help()
    listed = re.findall(r"^  ([a-z-]+)  ", done[done.index("Commands:") :], re.MULTILINE)
    there = [name for name, (module, _) in planner.cli.COMMANDS.items() if importlib.util.find_spec(module)]
    assert listed == there
    assert {"estimate", "export", "catalog", "schema", "validate"} <= set(listed)
    for name in listed:
        assert planner.cli.COMMANDS[name][1] in done


def planner_help() -> str:
    done = planner_run("--help")
    assert done.exit_code == 0
    return done.stdout


planner_run = planner


def test_help_imports_no_command() -> None:
    code = (
        "import sys\nfrom planner.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(*[m for m in sys.modules if m.startswith('planner.cli.') or m in ('rich', 'pydantic', 'numpy', 'textual')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.splitlines()[-1].split()) == {"planner.cli.group", "planner.cli.output"}
