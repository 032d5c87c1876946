"""Running the command line, in this process and in one of its own."""

import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from planner.cli import main


def planner(*arguments: str, stdin: str | bytes | None = None) -> Result:
    """Run a command line in this process."""
    done = CliRunner().invoke(main, arguments, input=stdin)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def process(
    *arguments: str, cwd: Path | None = None, stdin: bytes = b"", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command line as a shell does."""
    done = subprocess.run(
        [sys.executable, "-m", "planner", *arguments],
        cwd=cwd, input=stdin, capture_output=True, check=False, env={**os.environ, **environment},
    )  # fmt: skip
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def refused(done: Result) -> str:
    """The one message of a command line that was refused as bad input."""
    assert done.exit_code == 2
    assert done.stdout == ""
    (message,) = done.stderr.splitlines()
    return message
