"""`planner export`: what is written is whole, comes back the same, and replaces a file in one step."""

import csv
import io
import json
import os
import subprocess
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from tests.cli.helpers import planner, process, refused
from tests.plans import plan, preset

from planner.cli import main
from planner.exchange import plan_toml
from planner.exchange.as_csv import dumps as csv_dumps
from planner.exchange.as_json import dumps, outcome_dict
from planner.exchange.export import FORMATS, Format, exported
from planner.exchange.markdown import markdown


@pytest.mark.parametrize("name", ["deepseek-v3", "llama-3.1-405b", "gpt-3-175b"])
def test_an_exported_preset_is_estimated_as_the_preset_is(name: str, tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    first = process("export", name, "--to", "toml", "-o", str(file))
    assert (first.stdout, first.returncode in {0, 1}) == ("", True)
    assert json.loads(planner("estimate", str(file), "--json").stdout) == json.loads(
        planner("estimate", name, "--json").stdout
    )
    assert file.read_text(encoding="utf-8") == plan_toml.write(
        plan_toml.read(file), preset(name).estimate
    )  # exporting the export changes nothing


def test_every_format_on_standard_output() -> None:
    done = preset("llama-3.1-8b")
    for kind, text in {
        "toml": plan_toml.write(done.resolved.plan, done.estimate),
        "json": dumps(outcome_dict(done)),
        "csv": csv_dumps([done]),
        "markdown": markdown(done),
    }.items():
        assert planner("export", "llama-3.1-8b", "--to", kind).stdout == text
    assert len(list(csv.DictReader(io.StringIO(planner("export", "llama-3.1-8b", "--to", "csv").stdout)))) == 1


@pytest.mark.parametrize("kind", FORMATS)
def test_what_the_command_writes_is_what_the_library_makes(kind: Format) -> None:
    done = preset("llama-3.1-8b")
    made = planner("export", "llama-3.1-8b", "--to", kind)
    written = exported(done.resolved.plan, done, kind)
    assert (made.exit_code, made.stdout) == (0, written.text)
    assert made.stderr.splitlines() == [f"llama-3.1-8b: {words}" for words in written.unsaid]
    assert bool(made.stderr) == (kind == "deepspeed")


def test_the_formats_are_completed() -> None:
    shell = ShellComplete(main, {}, "planner", "_PLANNER_COMPLETE")
    assert [item.value for item in shell.get_completions(["export", "x", "--to"], "m")] == ["markdown", "megatron"]


def test_a_format_is_needed() -> None:
    assert "Missing option '--to'" in refused(planner("export", "deepseek-v3"))


def test_standard_input_to_a_file(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    done = planner("export", "-", "--to", "json", "-o", str(out), stdin=plan_toml.write(plan()))
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
    assert json.loads(out.read_text(encoding="utf-8"))["plan"]["cluster"]["cards"] == 64


def test_a_plan_that_does_not_fit_is_written_all_the_same(tmp_path: Path) -> None:
    small = plan(cluster__cards=8, workload__global_batch=64, strategy__tensor=1, strategy__pipeline=1,
                 strategy__sharding="none")  # fmt: skip
    out = tmp_path / "out.toml"
    done = planner("export", "-", "--to", "toml", "-o", str(out), stdin=plan_toml.write(small))
    assert done.exit_code == 1
    assert done.stderr == "standard input: the plan does not fit; it was written all the same.\n"
    assert plan_toml.read(out) == small


def test_a_bad_plan_leaves_the_old_file(tmp_path: Path) -> None:
    out = tmp_path / "out.toml"
    out.write_text("old", encoding="utf-8")
    refused(planner("export", "-", "--to", "toml", "-o", str(out), stdin="schema = 9"))
    assert out.read_text(encoding="utf-8") == "old"


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    out = tmp_path / "no" / "folder.toml"
    message = refused(planner("export", "llama-3.1-8b", "--to", "toml", "-o", str(out)))
    assert message == f"{out}: cannot be written: no such file or directory."
    message = refused(planner("export", "llama-3.1-8b", "--to", "toml", "-o", str(tmp_path)))
    assert message == f"{tmp_path}: cannot be written: is a directory."


def test_a_sweep_does_not_write_over_its_plan(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(plan_toml.write(plan()), encoding="utf-8")
    done = planner("sweep", str(file), "--vary", "cluster.cards=64", "-o", str(tmp_path / "." / "p.toml"))
    assert "is the plan itself; name another file" in refused(done)
    assert file.read_text(encoding="utf-8") == plan_toml.write(plan())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a" * 300, ": cannot be written: "),
        ("", ".: cannot be written: is a directory."),
        ("/dev/full", "/dev/full: cannot be written: no space left on device."),
    ],
)
def test_a_sweep_to_where_no_file_can_be_is_refused_in_words(name: str, words: str) -> None:
    assert words in refused(planner("sweep", "llama-3.1-8b", "--vary", "cluster.cards=64", "-o", name))


def test_a_sweep_into_a_pipe_is_what_it_prints(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    sweep = ("sweep", "llama-3.1-8b", "--vary", "cluster.cards=256,512")
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE, text=True) as reader:
        assert planner(*sweep, "-o", str(pipe)).exit_code == 0
        assert reader.communicate()[0] == planner(*sweep).stdout
    assert list(tmp_path.glob("pipe*")) == [pipe]


def test_an_empty_name_is_no_file(tmp_path: Path) -> None:
    assert refused(planner("export", "llama-3.1-8b", "--to", "toml", "-o", "")).startswith(".: cannot be written: ")
    assert refused(planner("import", "")) == ".: cannot be read: is a directory."
