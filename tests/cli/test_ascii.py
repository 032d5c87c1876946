"""`PLANNER_ASCII` and `--glyphs ascii`: what is to be read holds ASCII alone, what is data stays as it is."""

import re
from pathlib import Path

import pytest
from tests.cli.helpers import planner, process
from tests.plans import PRESETS, plan

from planner.exchange import plan_toml
from planner.exchange.format import in_ascii

TEXTS = (
    ("audit", "deepseek-v3"), ("catalog",), ("catalog", "cards"), ("catalog", "cards", "h100-sxm"),
    ("catalog", "presets"), ("compare", "deepseek-v3", "llama-3.1-405b"), ("config", "man"),
    ("estimate", "deepseek-v3", "--pictures"), ("estimate", "llama-3.1-8b", "--pictures"),
    ("estimate", "deepseek-v3", "--why", "mfu"), ("fleet", "meta-2024"),
    ("search", "llama-3.1-8b", "--scale"), ("validate", "--held-out"),
)  # fmt: skip


@pytest.fixture
def ascii_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a user asks for it."""
    monkeypatch.setenv("PLANNER_ASCII", "1")


@pytest.mark.usefixtures("ascii_alone")
@pytest.mark.parametrize("name", PRESETS)
def test_no_preset_brings_another_character(name: str) -> None:
    shown = planner("estimate", name, "--all").stdout
    assert shown.isascii()
    assert "?" not in shown  # each of our own characters has a stand-in


@pytest.mark.parametrize("arguments", TEXTS, ids=" ".join)
def test_it_is_the_same_text(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    usual = planner(*arguments).stdout
    monkeypatch.setenv("PLANNER_ASCII", "1")
    plain = planner(*arguments).stdout
    assert plain.isascii()
    assert plain == in_ascii(usual)
    assert plain.count("?") == usual.count("?")


@pytest.mark.usefixtures("ascii_alone")
def test_names_of_users_stay_in_data(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(plan_toml.write(plan(name="Köln 東京")), encoding="utf-8")
    assert planner("estimate", str(file)).stdout.startswith("K?ln ??\n")
    assert 'name = "Köln 東京"' in planner("export", str(file), "--to", "toml").stdout
    assert "Köln 東京" in planner("export", str(file), "--to", "csv").stdout
    assert r'"name": "K\u00f6ln \u6771\u4eac"' in planner("estimate", str(file), "--json").stdout


@pytest.mark.parametrize("arguments", [("estimate", "deepseek-v3"), ("catalog", "cards")], ids=" ".join)
def test_the_option_stands_over_the_variable(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    usual = planner(*arguments).stdout
    assert not usual.isascii()
    assert planner("--glyphs", "ascii", *arguments).stdout == in_ascii(usual)
    monkeypatch.setenv("PLANNER_ASCII", "1")
    assert planner("--glyphs", "unicode", *arguments).stdout == usual


def test_the_option_holds_for_messages_and_the_list_of_settings() -> None:
    assert '"??"' in planner("--glyphs", "ascii", "estimate", "東京").stderr
    assert '"東京"' in planner("estimate", "東京").stderr  # and for one command line alone
    shown = planner("--glyphs", "ascii", "config", "show").stdout
    assert re.search(r"^glyphs +ascii +command line$", shown, re.MULTILINE)


@pytest.mark.usefixtures("ascii_alone")
def test_messages_too() -> None:
    message = planner("estimate", "東京").stderr
    assert message.isascii()
    assert "??" in message


def test_a_terminal_of_few_letters_changes_nothing_by_itself() -> None:
    """Our texts are UTF-8 whatever the terminal says; only the terminal UI keeps to its letters unasked."""
    usual = process("estimate", "llama-3.1-8b").stdout
    assert process("estimate", "llama-3.1-8b", LC_ALL="C", LANG="C", PYTHONIOENCODING="ascii").stdout == usual
    assert not usual.isascii()
