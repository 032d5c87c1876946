"""Where keys lead, what hints and notes say, and what 0 stands for: what a newcomer goes by."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tui.helpers import SIZES, app_on, field, go_to, press, screen_lines, screen_text

from planner.tui.widgets.panel import Panel
from planner.tui.widgets.picker import Picker

WIDE, SMALL = SIZES["120x40"], SIZES["80x24"]


@pytest.mark.parametrize("panel", [4, 5, 6, 7])
async def test_a_variant_is_kept_from_a_panel_of_results_too(panel: int) -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, ["text:1024", "enter", f"alt+{panel}", "k"])
        assert [*app.session.variants] == ["Cards 1024"]


async def test_a_fix_of_a_note_is_applied_from_its_own_field() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        app.session.apply([("cost.basis", "own"), ("cost.usd_per_kwh", 0.15)], "own")
        app.workbench.changed()
        await press(pilot, "f")
        assert "a note chosen in panel 7 can be applied" in screen_lines(app)[-1]
        assert app.session.plan.cost.colocation_usd_per_kw_month == 183.0, "a note elsewhere is left alone"
        await press(pilot, "m")
        await go_to(app, "cost.usd_per_kwh")
        await pilot.pause()
        assert "(f applies it)" in screen_text(app)
        await press(pilot, "f")
        assert app.session.plan.cost.colocation_usd_per_kw_month == 0.0


async def test_a_smaller_terminal_keeps_the_side_the_focus_was_on() -> None:
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "v")  # the results
        await pilot.resize_terminal(*WIDE)
        await go_to(app, "workload.tokens")
        await pilot.resize_terminal(*SMALL)
        await pilot.pause()
        assert field(app) == "workload.tokens"
        assert "Tokens" in screen_text(app)
        await pilot.resize_terminal(*WIDE)
        await press(pilot, "alt+6")
        await pilot.resize_terminal(*SMALL)
        await pilot.pause()
        focused = app.workbench.focused
        assert isinstance(focused, Panel)
        assert focused.number == 6
        assert "Memory by stage" in screen_text(app)


@pytest.mark.parametrize(("keys", "hint"), [
    ("s n", "type to narrow down"), ("l n", "type to narrow down"), ("c n", "type to narrow down"),
    ("d ctrl+p", "type to narrow down"), ("s slash", "Enter apply  Esc end the filter"),
    ("e slash", "Enter read  Esc end the filter"),
])  # fmt: skip
async def test_the_hints_are_those_of_what_takes_the_letters(keys: str, hint: str) -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        screen, more = keys.split()
        await press(pilot, screen)
        before = screen_lines(app)[-1]
        await press(pilot, more)
        assert hint in screen_lines(app)[-1]
        await press(pilot, "escape")
        assert screen_lines(app)[-1] == before


async def test_a_step_from_the_best_interval_begins_there() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "m")
        await go_to(app, "reliability.checkpoint_every_s")
        await press(pilot, "right")
        assert app.session.plan.reliability.checkpoint_every_s == 910.0, "the plain engine's best is 900 s"
        await press(pilot, "u left")
        assert app.session.plan.reliability.checkpoint_every_s == 890.0


@pytest.mark.parametrize(("schedule", "most"), [("dualpipe", 6_144), ("1f1b", 16 * 15_360)])
async def test_a_key_held_down_goes_through_what_is_possible_and_stops_there(schedule: str, most: int) -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        app.session.edit("strategy.schedule", schedule, "schedule")
        seen = [app.session.plan.cluster.cards]
        for _ in range(24):
            await press(pilot, "right")
            assert not app.session.stale
            seen.append(app.session.plan.cluster.cards)
        assert seen == sorted(seen)
        assert seen[-1] == most, "two micro-batches a stage, or a sequence for each copy of 16 cards"
        assert "no larger number is possible here" in screen_lines(app)[-1]


async def test_what_0_stands_for_is_told_where_cards_are_owned() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        app.session.edit("cost.basis", "own", "own")
        app.workbench.changed()
        await press(pilot, "m")
        await go_to(app, "cost.network_usd_per_card")
        await pilot.pause()
        text = screen_text(app)
        assert "by its parts" in text
        assert "$0.00" not in text.split("Network")[0].split("Server")[1]


async def test_a_setting_is_found_among_the_commands() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, ["ctrl+p", "text:interruption", "enter"])
        assert field(app) == "reliability.mtbf_card_hours"
        await press(pilot, ["ctrl+p", "text:electricity"])
        entry = app.screen.query_one(Picker).highlighted
        assert entry is not None
        assert (entry.name, entry.ok) == ("Energy", False)
        assert "which rents" in entry.detail
        await press(pilot, ["enter", "escape"])
        app.session.edit("cost.basis", "own", "own")
        app.workbench.changed()
        await press(pilot, ["ctrl+p", "text:electricity", "enter"])
        assert field(app) == "cost.usd_per_kwh"


async def test_a_digit_that_might_have_meant_a_panel_says_where_it_went() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "4")
        assert "typing into Cards: Esc takes it back, Alt+4 leads to panel 4" in screen_lines(app)[-1]
        await press(pilot, "escape alt+4 5")
        focused = app.workbench.focused
        assert isinstance(focused, Panel)
        assert focused.number == 5


async def test_a_variant_says_which_plan_it_is_of() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "k K")
        assert "DeepSeek-V3 pre-training on 2,048 x H800 SXM5 80 GB." in screen_text(app)


async def test_notes_cut_in_the_preview_show_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "o")
        lines = screen_lines(app)
        start = next(n for n, line in enumerate(lines) if "Notes" in line)
        assert lines[start + 6].rstrip().endswith("…")
        assert not lines[start + 6].rstrip().endswith(" …")
