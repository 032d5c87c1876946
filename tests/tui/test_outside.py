"""The clipboard and the editor: nothing is promised that did not happen, nothing typed is lost."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.tui.helpers import CATALOG, app_on, press, screen_text

from planner.exchange import plan_toml
from planner.tui import outside
from planner.tui.app import PlannerApp


def _editor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, old: str, new: str) -> None:
    """Let the editor be a program that puts one text in place of another."""
    script = tmp_path / "editor.py"
    change = f"p.write_text(p.read_text().replace({old!r}, {new!r}))"
    script.write_text(f"import sys\nfrom pathlib import Path\np = Path(sys.argv[-1])\n{change}\n")
    monkeypatch.setenv("VISUAL", f"{sys.executable} {script}")

    @contextlib.contextmanager
    def suspend(_: PlannerApp) -> Iterator[None]:
        yield

    monkeypatch.setattr(PlannerApp, "suspend", suspend)


async def test_the_plan_comes_back_from_the_editor_as_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _editor(monkeypatch, tmp_path, "cards = 2048", "cards = 4096")
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "ctrl+e")
        assert app.session.plan.cluster.cards == 4096
        assert "edited as text" in screen_text(app)
        await press(pilot, "u")
        assert app.session.plan == CATALOG.plan("deepseek-v3")


async def test_text_that_is_no_plan_is_kept_and_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _editor(monkeypatch, tmp_path, "cards = 2048", "cards = 'many'")
    app = app_on()
    async with app.run_test(size=(200, 40)) as pilot:
        await press(pilot, "ctrl+e")
        assert app.session.plan.cluster.cards == 2048
        assert "not taken" in screen_text(app)
        _editor(monkeypatch, tmp_path, "cards = 'many'", "cards = 4096")
        await press(pilot, "ctrl+e")
        assert app.session.plan.cluster.cards == 4096
        _editor(monkeypatch, tmp_path, "nothing", "nothing")
        await press(pilot, "ctrl+e")
        assert "nothing was changed" in screen_text(app)


async def test_an_editor_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _editor(monkeypatch, tmp_path, "", "")
    monkeypatch.setenv("VISUAL", "/no/such/editor")
    app = app_on()
    async with app.run_test(size=(200, 40)) as pilot:
        await press(pilot, "ctrl+e")
        assert "cannot be started" in screen_text(app)


async def test_copy_sends_and_keeps_a_file(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(PlannerApp, "copy_to_clipboard", lambda _, text: sent.append(text))
    app = app_on()
    file = own_folders / "state" / "copied.txt"
    async with app.run_test(size=(200, 40)) as pilot:
        await press(pilot, "y")
        assert plan_toml.loads(sent[-1]) == app.session.plan
        assert file.read_text(encoding="utf-8") == sent[-1]
        assert "if it takes OSC 52" in screen_text(app)
        await press(pilot, "alt+5 y")
        assert "matrix products" in sent[-1]
        await press(pilot, "question_mark y")
        assert "Five steps" in sent[-1]


def test_what_is_too_long_for_a_clipboard_is_in_the_file_alone(own_folders: Path) -> None:
    words = outside.copy(app_on(), "all", "x" * 100_000)
    assert "too long" in words
    assert (own_folders / "state" / "copied.txt").stat().st_size == 100_000
