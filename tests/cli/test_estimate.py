"""`planner estimate`: from a file, a preset or standard input to figures; what is wrong is one message and status 2."""

import json
from pathlib import Path

import pytest
from tests.cli.helpers import planner, process, refused
from tests.plans import PRESETS, plan, preset

from planner.exchange import plan_toml
from planner.exchange.as_json import dumps, outcome_dict
from planner.exchange.report import text
from planner.spec.parse import MAX_BYTES

TOML = plan_toml.write(plan(cluster__scale_out="ib-ndr"))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run in."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_estimated_by_their_id(name: str) -> None:
    done = planner("estimate", name, "--json")
    assert done.exit_code == (0 if preset(name).fits else 1)
    assert done.stderr == ""
    assert json.loads(done.stdout) == json.loads(dumps(outcome_dict(preset(name))))


def test_the_report_is_for_people() -> None:
    done = planner("estimate", "deepseek-v3")
    assert done.stdout.startswith("DeepSeek-V3 pre-training\n2,048 x H800 SXM5 80 GB · ")
    for words in ("MFU", "80 % range", "Where a step of", "Memory by stage", "Bill of materials", "Left to defaults"):
        assert words in done.stdout
    assert "Assumed, since no source states it\n  strategy.micro_batch, strategy.stack\n" in done.stdout
    assert "\x1b" not in done.stdout


def test_files_and_standard_input_are_read_alike(here: Path) -> None:
    (here / "plan.toml").write_text(TOML, encoding="utf-8")
    by_path = planner("estimate", "plan.toml", "--json")
    assert by_path.exit_code == 0
    assert planner("estimate", "-", "--json", stdin=TOML).stdout == by_path.stdout
    assert process("estimate", "-", "--json", stdin=TOML.encode()).stdout == by_path.stdout
    assert process("estimate", "./plan.toml", "--json", cwd=here).stdout == by_path.stdout


def test_a_file_wins_over_a_preset_and_a_folder_does_not(here: Path) -> None:
    (here / "deepseek-v3").write_text(TOML, encoding="utf-8")
    (here / "kimi-k2").mkdir()
    assert json.loads(planner("estimate", "deepseek-v3", "--json").stdout)["plan"]["cluster"]["cards"] == 64
    assert planner("estimate", "deepseek-v3").stdout.startswith("dense on H100")
    assert "Kimi K2" in planner("estimate", "kimi-k2").stdout


def test_a_plan_that_does_not_fit_is_reported_with_status_1(here: Path) -> None:
    small = plan(cluster__cards=8, cluster__scale_out="ib-ndr", workload__global_batch=64, strategy__tensor=1,
                 strategy__pipeline=1, strategy__sharding="none")  # fmt: skip
    (here / "plan.toml").write_text(plan_toml.write(small), encoding="utf-8")
    done = planner("estimate", "plan.toml")
    assert (done.exit_code, done.stderr) == (1, "")
    assert "IT DOES NOT FIT." in done.stdout
    as_json = planner("estimate", "plan.toml", "--json")
    assert as_json.exit_code == 1
    data = json.loads(as_json.stdout)
    assert data["fits"] is False
    assert data["problems"][0]["severity"] == "error"


WRONG: dict[str, tuple[bytes, str]] = {
    "unknown key": (b"crads = 64", "plan.toml: cluster.crads: unknown key. Did you mean cards?"),
    "wrong type": (
        b'cards = "64"',
        'plan.toml: cluster.cards: "64" is not allowed; it must be a whole number of at',
    ),
    "2,047 cards": (b"cards = 2047", "plan.toml: cluster.cards: 2,047 cards do not divide into copies of tensor 8"),
    "unknown card": (b'cards = 64\nscale_out = "ib-ndx"', 'plan.toml: cluster.scale_out: there is no fabric "ib-ndx"'),
    "newer": (
        b"schema = 2",
        "plan.toml: schema: this file is schema 2; this planner reads up to 1: update the",
    ),
    "garbage": (bytes(range(256)), "plan.toml: this is not a text file (it holds zero bytes)."),
    "image": (b"\x89PNG\r\n\x1a\n", "plan.toml: not a UTF-8 text file (byte 0x89 on line 1)."),
    "empty": (b"", "plan.toml: the file is empty."),
    "too large": (b"#" * (MAX_BYTES + 1), "plan.toml: the file is larger than 16 MB; this is no plan."),
    "no TOML": (b"schema: 1\n", "plan.toml: not valid TOML: Expected '=' after a key"),
    "escapes": (b'"\x1b[2J" = 1', "plan.toml: not valid TOML: Illegal character '\\x1b' (at line 1, column 2)."),
    "fleet": (b'schema = 1\nkind = "fleet"', 'this is not a plan (kind = "fleet"). It is a fleet file'),
}
BASE = (
    b'schema = 1\n[cluster]\ncard = "h100-sxm"\n%s\n[workload]\nmodel = "llama3.1-8b"\ntokens = 1e12\n'
    b"[strategy]\ntensor = 8\n"
)


@pytest.mark.parametrize("name", WRONG)
def test_each_mistake_is_one_message(name: str, here: Path) -> None:
    raw, words = WRONG[name]
    is_key = raw.startswith((b"crads", b"cards"))
    (here / "plan.toml").write_bytes(BASE % raw if is_key else raw)
    assert words in refused(planner("estimate", "plan.toml"))
    assert words in refused(planner("estimate", "plan.toml", "--json"))


def test_each_mistake_is_one_message_in_a_shell(here: Path) -> None:
    """The same through a real process: no traceback, whatever the file holds."""
    for name, (raw, words) in WRONG.items():
        is_key = raw.startswith((b"crads", b"cards"))
        (here / "plan.toml").write_bytes(BASE % raw if is_key else raw)
        done = process("estimate", "plan.toml", cwd=here)
        assert (name, done.returncode, done.stdout) == (name, 2, "")
        assert words in done.stderr
        assert done.stderr.count("\n") == 1


def test_files_that_cannot_be_read_are_one_message(here: Path) -> None:
    (here / "folder").mkdir()
    assert refused(planner("estimate", "folder")) == "folder: cannot be read: is a directory."
    assert refused(planner("estimate", "gone.toml")) == 'there is no file "gone.toml".'
    assert refused(planner("estimate", "no/such")) == 'there is no file "no/such".'
    assert 'no preset or file "deepseek". Did you mean deepseek-' in refused(planner("estimate", "deepseek"))
    assert "no preset or file" in refused(planner("estimate", "x" * 5000))
    assert refused(planner("estimate", "-", stdin="")).startswith("standard input: the file is empty.")


def test_two_mistakes_are_two_lines(here: Path) -> None:
    (here / "plan.toml").write_bytes(BASE % b"cards = 0\nsites = 0")
    done = planner("estimate", "plan.toml")
    assert done.exit_code == 2
    assert [line.split(": ")[1] for line in done.stderr.splitlines()] == ["cluster.cards", "cluster.sites"]


def test_names_and_file_names_never_act(here: Path) -> None:
    odd = "\x1b[31m[bold]x.toml"
    (here / odd).write_bytes(b"")
    message = refused(planner("estimate", odd))
    assert message.startswith("\\x1b[31m[bold]x.toml: the file is empty.")
    marked = plan(name="[bold red]x[/] `y` <b>", cluster__scale_out="ib-ndr")
    (here / "plan.toml").write_text(plan_toml.write(marked), encoding="utf-8")
    assert planner("estimate", "plan.toml").stdout.startswith("[bold red]x[/] `y` <b>\n")
    (here / "plan.toml").write_text(TOML.replace("schema = 1", 'schema = 1\nname = "\\u001b[2J"'), encoding="utf-8")
    assert "control characters" in refused(planner("estimate", "plan.toml"))


def test_all_shows_more(here: Path) -> None:
    (here / "plan.toml").write_text(plan_toml.write(plan(strategy__tensor=4)), encoding="utf-8")
    assert "usd_per_kwh" not in planner("estimate", "plan.toml").stdout
    assert "usd_per_kwh" in planner("estimate", "plan.toml", "--all").stdout


def test_what_is_wrong_with_own_files_is_said_and_ends_nothing(own_folders: Path) -> None:
    cards = own_folders / "config" / "catalogue" / "cards"
    cards.mkdir(parents=True)
    (cards / "mine.toml").write_text("nonsense", encoding="utf-8")
    done = planner("estimate", "llama-3.1-8b")
    assert done.exit_code == 0
    assert done.stderr.startswith("warning: ")
    assert "mine.toml: not valid TOML" in done.stderr
    assert done.stdout == text_of_preset("llama-3.1-8b")


def text_of_preset(name: str) -> str:
    own = planner("estimate", name)
    assert text(preset(name), 100).splitlines()[:5] == own.stdout.splitlines()[:5]
    return own.stdout


def test_all_names_a_word_begins_are_proposed(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(plan_toml.write(plan()).replace("h100-sxm", "H100"), encoding="utf-8")
    message = refused(planner("estimate", str(file)))
    assert 'Did you mean "h100-nvl" or "h100-pcie" or "h100-sxm"? ' in message
