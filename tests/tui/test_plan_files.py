"""Plan files anywhere: a path typed under open or compare leads to them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tui.helpers import CATALOG, SIZES, app_on, press, screen_text

from planner.exchange import plan_toml
from planner.tui.plan_files import at_path


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder with a plan, another TOML file, a note and a hidden folder."""
    folder = tmp_path / "mine" / "elsewhere"
    (folder / ".git").mkdir(parents=True)
    (folder / "mine.toml").write_text(plan_toml.write(CATALOG.plan("llama-3.1-8b")))
    (folder / "other.toml").write_text("x = 1\n")
    (folder / "note.txt").write_text("no plan\n")
    return folder


def names(text: str) -> list[str]:
    return [option.name for option in at_path(text)]


def test_a_typed_path_finds_folders_and_plans(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(elsewhere.parent))
    monkeypatch.chdir(elsewhere.parent)
    assert names(f"{elsewhere.parent}/else") == ["elsewhere/"]
    assert names(f"{elsewhere}/") == names("~/elsewhere/") == names("./elsewhere/") == ["mine.toml"]
    assert names("~") == ["elsewhere/"]
    assert names(f"{elsewhere}/.") == [".git/"]
    assert names(f"{elsewhere}/note.txt") == ["note.txt"]
    assert names("elsewhere") == names("") == []


@pytest.mark.parametrize("text", ["/there is no such folder/", "~nobody-of-that-name/", "/a\0b/"])
def test_what_cannot_be_read_is_said_and_cannot_be_picked(text: str) -> None:
    (option,) = at_path(text)
    assert not option.ok
    assert option.detail.startswith("cannot be read: ")


def test_names_cannot_steer_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[31mb").mkdir()
    (option,) = at_path(f"{tmp_path}/a")
    assert (option.name, option.types, option.ok) == ("a·[31mb/", "", False)


async def test_a_file_elsewhere_is_opened_folder_by_folder(elsewhere: Path) -> None:
    app = app_on()
    async with app.run_test(size=SIZES["120x40"]) as pilot:
        await press(pilot, ["o", f"text:{elsewhere.parent}/el", "enter"])
        assert f"/ {elsewhere}/"[-20:] in screen_text(app)
        assert "mine.toml" in screen_text(app)
        await press(pilot, "enter")
        assert app.session.source == str(elsewhere / "mine.toml")
        assert app.session.plan.name == "Llama 3.1 8B pre-training"
        assert app.session.recent == [str(elsewhere / "mine.toml")]


async def test_a_file_that_is_no_plan_says_so(elsewhere: Path) -> None:
    app = app_on()
    async with app.run_test(size=SIZES["120x40"]) as pilot:
        await press(pilot, ["o", f"text:{elsewhere}/note.txt", "enter"])
        assert str(elsewhere)[:40] in screen_text(app).splitlines()[-1]
        assert app.session.source == "deepseek-v3"


async def test_a_file_elsewhere_is_compared(elsewhere: Path) -> None:
    app = app_on()
    async with app.run_test(size=SIZES["120x40"]) as pilot:
        await press(pilot, ["c", "n", f"text:{elsewhere}/mi", "enter"])
        assert "[2]: Llama 3.1 8B pre-training" in screen_text(app)
