"""The command line as a whole: what it offers, how it ends, and that each failure is one message."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from tests.cli.helpers import planner, process, refused
from tests.plans import plan

from planner import __version__
from planner.cli import COMMANDS, main
from planner.exchange import plan_toml
from planner.spec.base import PlanError, Problem


def test_help_lists_every_command_and_no_other() -> None:
    text = planner("--help").stdout
    assert re.findall(r"^  ([a-z-]+)  ", text[text.index("Commands:") :], re.MULTILINE) == list(COMMANDS)
    for _, words in COMMANDS.values():
        assert words in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_helps(name: str) -> None:
    done = planner(name, "--help")
    assert done.exit_code == 0
    assert done.stdout.startswith(f"Usage: planner {name} ")
    again = process(name, "-h")  # not in this process, where click remembers the help option of another test
    assert again.returncode == 0
    assert again.stdout.startswith(f"Usage: planner {name} ")


LIGHT = (
    "import sys; from planner.cli import main\n"
    "try: main({arguments})\n"
    "except SystemExit as end: code = end.code\n"
    "print(code, *(m for m in sys.modules if m in {names} or m.startswith('planner.')), file=sys.stderr)"
)


def modules(arguments: list[str]) -> set[str]:
    """What is imported by a command line that runs well."""
    code = LIGHT.format(arguments=arguments, names={"rich", "textual", "pydantic", "numpy"})
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    status, *names = done.stderr.split()
    assert status == "0", done.stderr
    return set(names)


def test_help_imports_no_command() -> None:
    assert modules(["--help"]) == {"planner.cli", "planner.cli.completing", "planner.cli.group", "planner.cli.output"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["estimate", "llama-3.1-8b"],
        ["estimate", "llama-3.1-8b", "--json"],
        ["export", "llama-3.1-8b", "--to", "markdown"],
        ["catalog", "cards"],
        ["schema", "plan"],
    ],
)
def test_headless_commands_import_no_interface(arguments: list[str]) -> None:
    names = modules(arguments)
    assert not names & {"rich", "textual"}
    assert not any(name.startswith("planner.tui") for name in names)


def test_version() -> None:
    assert planner("--version").stdout == f"planner {__version__}\n"
    assert process("--version").stdout == f"planner {__version__}\n"


WRONG = {
    "no command": (["estimat"], 'there is no command, preset or file "estimat". Did you mean estimate'),
    "no preset": (["deepsek-v3"], "Did you mean deepseek-v3"),
    "nothing like it": (["qqqqqq"], 'there is no command, preset or file "qqqqqq". `planner catalog presets` lists'),
    "no file": (["plans/mine.toml"], 'there is no file "plans/mine.toml".'),
    "no command, with arguments": (["estimat", "x", "--json"], "Did you mean estimate"),
    "too many": (
        ["deepseek-v3", "other"],
        "planner: the terminal UI opens one plan, and takes nothing behind it: other",
    ),
    "no option of the UI": (["deepseek-v3", "--json"], "takes nothing behind it: --json."),
    "no option": (["estimate", "x", "--jsn"], "planner estimate: No such option '--jsn'. Did you mean '--json'?"),
    "no argument": (["estimate"], "planner estimate: Missing argument 'FILE'. `planner estimate --help` says more."),
    "looks of the UI": (
        ["--theme", "light", "estimate", "x"],
        "planner: --theme is of the terminal UI, which estimate",
    ),
    "clicks of the UI": (
        ["--no-mouse", "catalog"],
        "planner: --mouse is of the terminal UI, which catalog does not open",
    ),
    "no option of all": (["--jsn"], "planner: No such option '--jsn'"),
    "no argument of an option": (["estimate", "x", "--why"], "planner estimate: Option '--why' requires an argument."),
    "two views": (
        ["estimate", "x", "--pictures", "--json"],
        "planner estimate: --pictures and --json do not go together",
    ),
    "a fleet": (
        ["estimate", "xai-goal"],
        'no preset or file "xai-goal". It is one of the fleets: `planner fleet xai-goal`.',
    ),
    "a card": (["search", "h100-sxm"], "It is one of the cards: `planner catalog cards h100-sxm`."),
    "a plan": (
        ["fleet", "deepseek-v3"],
        "deepseek-v3 is no fleet but a plan. `planner estimate deepseek-v3` reads it.",
    ),
    "two views of a fleet": (["fleet", "deepseek", "--why", "cards", "--plan", "x"], "give one of them"),
    "one input for two": (["compare", "-", "-"], "planner compare: standard input (-) can be one file alone."),
    "one input for fleet and plan": (["fleet", "-", "--plan", "-"], "standard input (-) can be one file alone."),
    "a file without its claim": (["audit", "deepseek-v3", "--no-claims"], "leaves the questions, which are of no FILE"),
    "nothing to audit": (["audit", "--no-claims", "--no-questions"], "leaves the questions"),
    "no number": (["size", "x", "--within-days", "abc"], "'--within-days': 'abc' is no number."),
    "no limit": (["validate", "--max-median", "nan"], "'--max-median': nan is not a finite number."),
    "no folder": (
        ["sweep", "deepseek-v3", "--vary", "cluster.cards=8", "-o", "/no/such/x.csv"],
        "/no/such/x.csv: cannot be written: no such file or directory.",
    ),
    "no format": (["export", "x", "--to", "pdf"], "'pdf' is not one of 'toml', 'json', 'csv', 'markdown'"),
    "escapes": (["\x1b[2Jx"], 'there is no command, preset or file "\\x1b[2Jx"'),
    "empty": ([""], 'there is no command, preset or file ""'),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_was_typed_wrong_is_told_in_one_message(name: str) -> None:
    arguments, words = WRONG[name]
    assert words in refused(planner(*arguments))


def test_help_behind_a_plan_is_the_help_of_all() -> None:
    assert planner("deepseek-v3", "--help").stdout == planner("--help").stdout


def test_the_terminal_ui_needs_a_terminal() -> None:
    for arguments in ([], ["deepseek-v3"]):
        done = process(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("the terminal UI needs a terminal")
        assert "`planner estimate deepseek-v3` says the same" in done.stderr


def test_a_plan_for_the_ui_is_checked_before_it_opens(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text("schema = 7\n", encoding="utf-8")
    assert "this file is schema 7" in refused(planner(str(file)))
    assert "standard input: the file is empty" in refused(planner("-", stdin=""))


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Make `planner estimate` a command that raises."""

    def install(error: BaseException) -> None:
        @click.command("estimate")
        def command() -> None:
            click.echo("begun")
            raise error

        module = types.ModuleType("planner.cli.failing")
        module.command = command  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "planner.cli.estimate", module)

    return install


ENDS: dict[str, tuple[BaseException, int, str]] = {
    "a plan": (PlanError([Problem("error", "a.b", "no.", "Yes.")], "x.toml"), 2, "x.toml: a.b: no. Yes.\n"),
    "usage": (click.UsageError("so not"), 2, "planner estimate: so not. `planner estimate --help` says more.\n"),
    "a fault": (KeyError("x\x1b[2J"), 70, "internal error: KeyError: 'x\\x1b[2J' (PLANNER_DEBUG=1 shows where)\n"),
    "lines": (ValueError("a\nb"), 70, "internal error: ValueError: a\\nb (PLANNER_DEBUG=1 shows where)\n"),
    "an interrupt": (KeyboardInterrupt(), 130, ""),
    "a click exit": (click.exceptions.Exit(1), 1, ""),
    "an exit": (SystemExit(1), 1, ""),
    "a full disk": (OSError(28, "no room"), 2, "standard output cannot be written: no space left on device.\n"),
}


@pytest.mark.parametrize("name", ENDS)
def test_every_end_has_its_status_and_at_most_one_message(name: str, failing: Callable[[BaseException], None]) -> None:
    error, status, message = ENDS[name]
    failing(error)
    done = planner("estimate")
    assert (done.exit_code, done.stderr) == (status, message)
    assert done.stdout == "begun\n"


def test_a_fault_shows_its_place_when_asked(
    failing: Callable[[BaseException], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANNER_DEBUG", "1")
    failing(KeyError("x"))
    with pytest.raises(KeyError):
        main(["estimate"])


def test_a_reader_that_goes_away_is_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "planner", "catalog", "cards"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 141


@pytest.mark.parametrize("arguments", [["--version"], ["estimate", "llama-3.1-8b"], ["schema", "plan"]])
def test_an_output_that_takes_nothing_is_told(arguments: list[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "planner", *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (2, "standard output cannot be written: no space left on device.\n")


@pytest.mark.parametrize("arguments", ["estimate llama-3.1-8b", "sweep llama-3.1-8b --vary cluster.cards=512"])
def test_an_output_that_was_closed_is_told(arguments: str) -> None:
    command = f"{sys.executable} -m planner {arguments} >&-"
    done = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "standard output cannot be written: bad file descriptor.\n")


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """What a command writes on a terminal."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(environment)
        os.execv(sys.executable, [sys.executable, "-m", "planner", *arguments])
    written = b""
    try:
        while part := os.read(terminal, 65536):
            written += part
    except OSError:  # what Linux says of a terminal whose other end is closed
        pass
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) in {0, 1}
    return written.decode().replace("\r\n", "\n")


def test_colour_is_for_terminals_and_only_where_wanted() -> None:
    coloured = on_a_terminal("estimate", "llama-3.1-8b")
    assert "\x1b[1m" in coloured
    plain = on_a_terminal("estimate", "llama-3.1-8b", NO_COLOR="1")
    assert "\x1b" not in plain
    assert "\x1b" not in on_a_terminal("estimate", "llama-3.1-8b", TERM="dumb")
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
    assert "\x1b" not in process("estimate", "llama-3.1-8b", FORCE_COLOR="1").stdout


def test_a_pipe_has_one_width() -> None:
    usual = process("estimate", "llama-3.1-8b").stdout
    assert process("estimate", "llama-3.1-8b", COLUMNS="40").stdout == usual
    assert max(map(len, usual.splitlines())) <= 100


def test_letters_the_terminal_does_not_have_end_nothing(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(plan_toml.write(plan(name="東京")), encoding="utf-8")
    done = process("estimate", str(file), PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0
    assert done.stdout.startswith("東京\n")  # UTF-8 always, as our files are


def test_ctrl_c_ends_quietly() -> None:
    """Once the program waits for its plan."""
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    try:
        running = subprocess.Popen(
            [sys.executable, "-X", "importtime", "-m", "planner", "estimate", "-"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    finally:
        signal.signal(signal.SIGINT, inherited)
    with running:
        assert running.stderr is not None
        for line in running.stderr:
            if line.endswith(" planner.cli.plans\n"):  # the last import before it reads
                break
        time.sleep(0.5)
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=60) == 130
        assert not [line for line in running.stderr if "import time:" not in line]
