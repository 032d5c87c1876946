"""Names from plan files are text: never markup, never control sequences, on any screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tui.helpers import CATALOG, app_on, press, screen_text

from planner.spec.parse import parse_plan
from planner.spec.plan import Plan

NAMES = ["H100 [80GB] x8 [tp=8]", "[/x] [/b]", "[b", "$x ${y}", "漢字 カード 한국어", "👩‍🔬🧪 e\u0301", "a" * 300, "]"]
TOUR = (
    "down tab text:1 escape alt+1 enter text:b escape alt+7 alt+4 z z m ctrl+p text:[ escape question_mark escape "
    "o down text:x escape w right tab right right escape t v v escape"
)


def _plan(name: str) -> Plan:
    data = {
        "schema": 1, "name": name, "notes": name, "sources": [name],
        "cluster": {"card": {"base": "h800-sxm", "name": name}, "cards": 2048},
        "workload": {"model": "deepseek-v3", "tokens": 14.8e12, "global_batch": 15_360, "precision": "fp8"},
        "strategy": {"pipeline": 16, "expert": 64, "schedule": "dualpipe", "sharding": "zero1"},
    }  # fmt: skip
    return parse_plan(data, name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_names_on_every_screen(
    name: str, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"{name[:40].replace('/', '_')}.toml").write_text(f'schema = 1\nname = "{name}"\n[cluster]\n', "utf-8")
    app = app_on(_plan(name))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert name[:12] in screen_text(app) or "e\u0301" in name
        for key in TOUR.split():
            await press(pilot, key)
            text = screen_text(app)
            assert "\x1b" not in text


async def test_control_characters_are_shown_not_obeyed() -> None:
    plan = CATALOG.plan("deepseek-v3").model_copy(update={"name": "red\x1b[31m\x07\u202eevil\nline"})
    app = app_on(plan)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "red·[31m··evil line" in screen_text(app)
