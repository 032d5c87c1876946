"""What `planner config` prints for shells and for `man`."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.helpers import planner, process, refused

from planner.cli import COMMANDS


def offered(line: str) -> list[str]:
    """What Bash is told to offer for the last word of a line."""
    place = str(line.count(" "))
    return process(_PLANNER_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=place).stdout.split()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("planner estim", ["file,estim", "plain,estimate"]),
        ("planner palm-5", ["file,palm-5", "plain,palm-540b"]),
        ("planner estimate palm-5", ["file,palm-5", "plain,palm-540b"]),
        ("planner compare gpt-oss-20b palm-5", ["file,palm-5", "plain,palm-540b"]),
        ("planner export --to m", ["plain,markdown", "plain,megatron"]),
        ("planner config completions z", ["plain,zsh"]),
        ("planner search --exh", ["plain,--exhaustive"]),
    ],
)
def test_a_shell_is_offered(line: str, found: list[str]) -> None:
    assert offered(line) == found


def test_own_plans_are_offered(own_folders: Path) -> None:
    folder = own_folders / "config" / "catalogue" / "plans"
    folder.mkdir(parents=True)
    (folder / "zebra.toml").write_text(planner("export", "deepseek-v3", "--to", "toml").stdout, "utf-8")
    assert offered("planner zeb") == ["file,zeb", "plain,zebra"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_the_shell_can_read(shell: str) -> None:
    text = planner("config", "completions", shell).stdout
    assert f"_PLANNER_COMPLETE={shell}_complete" in text
    if shutil.which(shell):
        assert subprocess.run([shell, "-n"], input=text, text=True, check=False).returncode == 0


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with the program and each shell's script, as a user installs them."""
    runner = tmp_path / "planner"
    runner.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m planner "$@"\n', "utf-8")
    runner.chmod(0o755)
    for shell, name in {"bash": "script", "zsh": "_planner", "fish": "planner.fish"}.items():
        (tmp_path / name).write_text(planner("config", "completions", shell).stdout, "utf-8")
    return tmp_path


def asked(shell: str, words: str, folder: Path) -> str:
    """What a shell answers, the folder being its own and on its path."""
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(folder), "TERM": "xterm"}
    return subprocess.run(
        [shell, "-c", words], cwd=folder, env=env, capture_output=True, text=True, check=True, timeout=60
    ).stdout


def test_bash_completes_a_preset(installed: Path) -> None:
    words = (
        "set -e; complete() { :; }; compopt() { :; }; source ./script; COMP_WORDS=(planner estimate palm-5);"
        " COMP_CWORD=2; _planner_completion planner; echo ${COMPREPLY[*]}"
    )
    assert asked("bash", words, installed).split() == ["palm-540b"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("planner estimate palm-5", "palm-540b"),
        ("planner expo", "export"),
        ("planner config completions z", "zsh"),
        ("planner search --exh", "--exhaustive"),
    ],
)
def test_fish_completes(line: str, found: str, installed: Path) -> None:
    offers = asked("fish", f"source planner.fish; complete -C '{line}'", installed)
    assert [offer.partition("\t")[0] for offer in offers.splitlines()] == [found]


ZSH = """
zmodload zsh/zpty
zpty z zsh -f -i
answer() {{ local got=; for n in {{1..200}}; do
  while zpty -r -t z chunk; do got+=$chunk; done; [[ $got == *$1* ]] && return; sleep 0.1
done; print -r -- $got; exit 1 }}
zpty -w z 'fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D; print GO${{:-ING}}'
answer GOING
zpty -w -n z $'{line}\\t'
answer {found}
print found
"""
"""An interactive shell is typed to, since zsh completes nowhere else; `answer` waits until it shows a word."""


@pytest.mark.parametrize(
    ("line", "found"), [("planner estimate palm-5", "palm-540b"), ("planner search --exh", "--exhaustive")]
)
def test_zsh_completes(line: str, found: str, installed: Path) -> None:
    assert asked("zsh", ZSH.format(line=line, found=found), installed).split() == ["found"]


def test_another_shell_is_refused_by_name() -> None:
    assert "'bash', 'zsh', 'fish'" in refused(planner("config", "completions", "csh"))


def test_the_manual_has_every_command_and_option() -> None:
    text = planner("config", "man").stdout.replace(r"\-", "-")
    headed = re.findall(r"^\.SS planner ([a-z-]+)$", text, re.MULTILINE)
    assert headed == list(COMMANDS)
    for name in COMMANDS:
        part = text.partition(f"\n.SS planner {name}\n")[2].partition("\n.SS planner ")[0]
        for option in re.findall(r"^  (?:-\w, )?(--[a-z-]+)", planner(name, "--help").stdout, re.MULTILINE):
            assert option in part, (name, option)
    assert "planner open" not in text


def test_man_shows_the_page(tmp_path: Path) -> None:
    if not shutil.which("man"):
        pytest.skip("no man here")
    (tmp_path / "planner.1").write_text(planner("config", "man").stdout, "utf-8")
    env = {**os.environ, "MANWIDTH": "80", "MANPAGER": "cat", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["man", "-l", "planner.1"], cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    shown = re.sub(r"\x1b\[[\d;]*m|.\x08", "", done.stdout)
    assert shown.splitlines()[0].startswith("PLANNER(1)")
    assert "planner search" in shown


def test_man_has_nothing_to_say_against_the_page() -> None:
    if not shutil.which("groff"):
        pytest.skip("no groff here")
    page = planner("config", "man").stdout.encode()
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-k"], input=page, capture_output=True, check=True)
    assert done.stderr == b""
    shown = re.sub(r"\x1b\[[\d;]*m|.\x08", "", done.stdout.decode())
    assert "planner config completions [OPTIONS] bash|zsh|fish" in shown.replace("‐", "-")
    assert "~/.config/fish/completions/planner.fish" in shown.replace("‐", "-")


def test_config_alone_shows_its_commands() -> None:
    done = planner("config")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "validate" in done.stdout
    assert "completions" in done.stdout
    assert "..." not in done.stdout.partition("Commands:")[2]  # each has room for what it does
