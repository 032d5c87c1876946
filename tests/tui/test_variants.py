"""Variants of a plan kept side by side, and recent files."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tui.helpers import CATALOG, app_on, press, screen_text

from planner.cli.plans import find_plan
from planner.exchange import plan_toml
from planner.spec.base import PlanError
from planner.tui.app import PlannerApp
from planner.tui.screens.compare import CompareScreen


async def test_variants_are_kept_listed_compared_and_gone_back_to() -> None:
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "K")
        assert "no variant is kept yet; k keeps" in screen_text(app)
        await press(pilot, "k text:4096 enter k k")
        assert [plan.cluster.cards for plan in app.session.variants.values()] == [2048, 4096]
        await press(pilot, "c")
        text = screen_text(app)
        assert "as opened" in text
        assert "Cards 4096" in text
        await press(pilot, "n text:variant")
        assert "nothing matches" in screen_text(app), "what is shown is not offered again"
        await press(pilot, "escape delete n text:variant")
        assert "variant Cards 4096" in screen_text(app)
        assert "variant as opened" not in screen_text(app)
        await press(pilot, "escape escape K text:opened enter")
        assert app.session.plan.cluster.cards == 2048
        await press(pilot, "u")
        assert app.session.plan.cluster.cards == 4096


async def test_variants_and_recent_files_come_back_with_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "text:4096 enter k")
        path = tmp_path / "mine.toml"
        path.write_text(plan_toml.write(app.session.plan), encoding="utf-8")
        app.session.mark_exported("mine.toml")
        app.save_session()
    for again in (PlannerApp(), app_on("llama-3.1-405b")):
        assert [plan.cluster.cards for plan in again.session.variants.values()] == [4096]
        assert again.session.recent == [str(path)]
    async with again.run_test(size=(120, 40)) as pilot:
        await press(pilot, "o text:recent")
        assert "mine.toml" in screen_text(again)
        await press(pilot, "enter")
        assert again.session.plan.cluster.cards == 4096
        assert again.session.is_exported


async def test_one_name_for_each_variant() -> None:
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        for keys in ("text:4096 enter k", "u right u text:4096 enter down text:4 enter up u", "text:4096 enter k"):
            await press(pilot, keys)
        assert len({id(plan) for plan in app.session.variants.values()}) == len(app.session.variants)


async def test_a_variant_is_dropped_by_a_key_and_leaves_compare() -> None:
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "k text:4096 enter k c")
        assert isinstance(app.screen, CompareScreen)
        assert app.screen.about() == "planner compare session variant:1 variant:2"
        await press(pilot, "escape K")
        assert "Enter picks · Del drops · Esc leaves" in screen_text(app)
        await press(pilot, "text:opened delete")
        assert [*app.session.variants] == ["Cards 4096"]
        await press(pilot, "backspace escape c")
        assert isinstance(app.screen, CompareScreen)
        assert app.screen.about() == "planner compare session variant:1"
        await press(pilot, "escape K delete")
        assert not app.session.variants
        assert "dropped “Cards 4096”" in screen_text(app)
        assert app.session.plan.cluster.cards == 4096, "the plan itself stays"


async def test_the_command_line_finds_what_the_session_keeps() -> None:
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "k text:4096 enter k text:1024 enter")
        app.save_session()
    for word, cards in {"session": 1024, "variant:1": 2048, "variant:2": 4096, "variant:cards 4096": 4096}.items():
        assert find_plan(word, CATALOG).cluster.cards == cards
    with pytest.raises(PlanError, match=r'there is no variant "3". Kept are: 1 "as opened", 2 "Cards 4096".'):
        find_plan("variant:3", CATALOG)


def test_without_a_session_the_command_line_says_how_to_keep_one() -> None:
    with pytest.raises(PlanError, match=r"there is no saved session. `planner` starts one; k keeps"):
        find_plan("variant:1", CATALOG)
