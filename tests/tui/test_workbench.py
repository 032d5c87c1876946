"""The main path, driven by keys: figures are asserted, not only pictures."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from tests.tui.helpers import CATALOG, SIZES, app_on, press, screen_lines, screen_text

from planner.engine.estimate import evaluate
from planner.exchange import plan_toml
from planner.tui import session_file
from planner.tui.app import PlannerApp
from planner.tui.figures import headline
from planner.tui.screens.export import ExportScreen
from planner.tui.screens.help import HelpScreen
from planner.tui.screens.open import OpenScreen
from planner.tui.widgets.field_panel import FieldPanel
from planner.tui.widgets.panel import Panel
from planner.tui.widgets.picker import Picker

WIDE = (120, 40)


def field(app: PlannerApp) -> str:
    """Key of the field with the cursor."""
    panel = app.workbench.focused
    assert isinstance(panel, FieldPanel)
    return panel.current.key


async def go_to(app: PlannerApp, key: str) -> None:
    for panel in app.workbench.query(FieldPanel):
        if panel.go_to(key):
            app.workbench.set_focus(panel)
            return
    raise AssertionError(key)


async def test_opens_on_a_preset_with_its_figures() -> None:
    app = PlannerApp()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        outcome = evaluate(CATALOG.resolve(CATALOG.plan("deepseek-v3")))
        assert app.session.outcome is not None
        assert app.session.outcome.estimate.training_days == pytest.approx(outcome.estimate.training_days)
        text = screen_text(app)
        assert "DeepSeek-V3 pre-training" in text
        assert headline(outcome)[0].below in text
        assert "not exported yet" in text
        assert field(app) == "cluster.cards"


async def test_typing_cards_changes_days_and_cost_on_the_same_frame() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "text:4096")
        # 14.8e12 / (15,360 x 4,096) steps of 10 s are 27.2 days; 4,096 cards x 24 x 2 USD x 27.2 are 5.35 M USD.
        days, cost = headline(app.session.outcome)[1:3]  # type: ignore[arg-type]
        assert (days.number, cost.number, cost.unit) == ("27.2", "5.35", "$ M")
        assert days.below in screen_text(app)
        assert "512 nodes" not in screen_text(app)  # the line shows what is typed
        await press(pilot, "enter")
        assert "4,096  512 nodes" in screen_text(app)


def test_a_run_of_thousands_of_years_keeps_its_thousands_and_the_unit_of_its_range() -> None:
    done = evaluate(CATALOG.resolve(CATALOG.plan("llama-3.1-8b")))
    days = 4321.0 * 365.25
    low, high = 90.0 * 365.25, 4500.0 * 365.25
    estimate = dataclasses.replace(done.estimate, training_days=days, interval_80={"training_days": (low, high)})
    figure = headline(dataclasses.replace(done, estimate=estimate))[1]
    assert (figure.name, figure.number, figure.unit) == ("Years", "4.32", "k")
    assert figure.below == "90.0 – 4.50 k"


async def test_digits_of_one_number_are_one_step_of_undo() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "text:4096 enter")
        assert [step.label for step in app.session.history] == ["opened", "Cards 4096"]
        await press(pilot, "u")
        assert app.session.plan.cluster.cards == 2048
        assert "undone: Cards 4096" in screen_lines(app)[-1]
        await press(pilot, "r")
        assert app.session.plan.cluster.cards == 4096


async def test_escape_puts_the_old_number_back_and_redo_the_typed_one() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "text:4096 escape")
        assert app.session.plan.cluster.cards == 2048
        await press(pilot, "r")
        assert app.session.plan.cluster.cards == 4096


async def test_an_impossible_number_keeps_the_last_good_result_with_the_reason() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        before = app.session.outcome
        await press(pilot, "text:4095")
        assert app.session.outcome is before
        text = screen_text(app)
        assert "before the invalid edit" in text
        assert "✖ invalid edit" in text
        lines = screen_lines(app)
        below = lines[next(y for y, line in enumerate(lines) if "!Cards" in line) + 1][:42]
        assert "4,095 cards" in below
        await press(pilot, "backspace text:6 enter")
        assert "invalid" not in screen_text(app)


async def test_what_is_no_number_is_refused_with_how_to_write_one() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "text:4.5")
        assert "only a whole number" in screen_text(app)
        await press(pilot, "text:xyz")
        assert app.session.drafts["cluster.cards"].text == "4.5"
        await press(pilot, "tab")
        assert app.session.drafts
        assert "✖ invalid edit" in screen_text(app)
        await press(pilot, "u")
        assert not app.session.drafts
        assert app.session.plan.cluster.cards == 2048


@pytest.mark.parametrize(("typed", "tokens"), [("14.8T", 14.8e12), ("2,000B", 2e12), ("1e12", 1e12)])
async def test_numbers_as_people_write_them(typed: str, tokens: float) -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await go_to(app, "workload.tokens")
        await press(pilot, f"text:{typed}")
        assert app.session.plan.workload.tokens == tokens


async def test_a_fix_is_applied_by_a_key() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await go_to(app, "strategy.micro_batch")
        await press(pilot, "text:2 enter")
        assert "does not fit" in screen_lines(app)[1]
        assert "✖ does not fit: stage 0 needs 100 GB" in screen_text(app)
        await press(pilot, "f")
        assert app.session.plan.strategy is not None
        assert app.session.plan.strategy.micro_batch == 1
        assert "✓ fits in 80 GB" in screen_lines(app)[1]


async def test_left_and_right_step_through_what_is_possible() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "right")
        more = app.session.plan.cluster.cards
        assert more > 2048
        assert not app.session.stale
        await press(pilot, "left")
        assert app.session.plan.cluster.cards == 2048
        await go_to(app, "strategy.tensor")
        await press(pilot, "right")
        assert app.session.resolved is not None
        assert app.session.resolved.strategy.tensor > 1
        assert not app.session.stale


async def test_a_list_says_why_a_value_is_not_possible() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await go_to(app, "workload.precision")
        await press(pilot, "enter text:nvfp4 enter")
        picker = app.screen.query_one(Picker)
        assert picker.highlighted is not None
        assert not picker.highlighted.ok
        assert picker.highlighted.detail
        await press(pilot, "escape")
        assert app.session.plan.workload.precision == "fp8"
        assert field(app) == "workload.precision"


async def test_a_card_is_found_by_typing_and_its_host_follows() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "up enter text:h200")
        text = screen_text(app)
        assert "141 GB" in text
        assert "Sources: Machine Learning Engineering Open Book" in text
        assert " more, in the" in text, "the catalogue, which has them all"
        await press(pilot, "enter")
        assert app.session.plan.cluster.card == "h200-sxm"
        assert app.session.resolved is not None
        assert app.session.resolved.scale_up.id == "nvlink4"
        assert "of 141 GB" in screen_text(app)


async def test_delete_takes_a_key_out_of_the_plan() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await go_to(app, "cluster.topology")
        assert app.session.stated("cluster.topology")
        await press(pilot, "delete")
        assert app.session.stated("cluster.topology") is None
        assert "fat tree" in screen_text(app)


async def test_every_field_and_panel_is_reached_with_tab() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        seen: list[str] = []
        for _ in range(80):
            focused = app.workbench.focused
            seen.append(focused.current.key if isinstance(focused, FieldPanel) else str(focused and focused.id))
            await pilot.press("tab")
        fields = {item.key for panel in app.workbench.query(FieldPanel) for item in panel.fields}
        assert fields | {"outcome", "step", "memory", "problems"} <= set(seen)


@pytest.mark.parametrize("number", range(1, 8))
async def test_digits_jump_to_panels_even_from_a_number_with_alt(number: int) -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, f"alt+{number}")
        panel = app.workbench.focused
        assert isinstance(panel, Panel)
        assert panel.number == number


async def test_a_small_terminal_reaches_everything() -> None:
    app = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        assert "20.0" not in screen_text(app)
        assert "54.5" in screen_text(app)  # the figures stay in view
        assert "matrix products" not in screen_text(app)
        await press(pilot, "v")
        assert "matrix products" in screen_text(app)
        assert "54.5" in screen_text(app)
        await press(pilot, "escape")
        assert "Cluster" in screen_text(app)
        await press(pilot, "alt+3 end")
        assert "Offload" in screen_text(app)


@pytest.mark.parametrize("size", [(59, 40), (120, 17), (20, 5)])
async def test_too_small_says_what_it_needs(size: tuple[int, int]) -> None:
    app = app_on()
    async with app.run_test(size=size) as pilot:
        assert "60 x 18" in " ".join(screen_text(app).split())
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert "Cluster" in screen_text(app)


async def test_zoom_shows_all_stages_and_goes_back() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        assert "stage 12" not in screen_text(app)
        await press(pilot, "alt+6 z")
        assert "stage 12" in screen_text(app)
        assert "Cluster" not in screen_text(app)
        await press(pilot, "escape")
        assert "Cluster" in screen_text(app)


async def test_more_settings() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "m")
        assert field(app) == "strategy.recompute_modules"
        await press(pilot, "enter text:mlp enter")
        assert app.session.stated("strategy.recompute_modules")
        await go_to(app, "cost.basis")
        await press(pilot, "right")
        assert app.session.plan.cost.basis == "own"
        await go_to(app, "cost.card_usd")
        assert field(app) == "cost.card_usd"


async def test_opens_a_preset() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "o")
        assert isinstance(app.screen, OpenScreen)
        await press(pilot, "text:8,192")
        assert "8,192 x H100" in screen_text(app)
        await press(pilot, "enter")
        assert app.session.source == "llama-3.1-405b-8k-gpus"
        assert app.session.plan.cluster.cards == 8192
        assert "opened llama-3.1-405b-8k-gpus" in screen_text(app)


async def test_exports_a_file_that_equals_the_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "text:4096 enter w")
        assert isinstance(app.screen, ExportScreen)
        assert "cards = 4096" in screen_text(app)
        await press(pilot, "enter")
        assert plan_toml.read("deepseek-v3.toml") == app.session.plan
        assert "· exported" in screen_lines(app)[1]
        await press(pilot, "text:2048 enter")
        assert "not exported yet" in screen_lines(app)[1]
        await press(pilot, "w enter")
        assert "already" in screen_text(app)
        await press(pilot, "escape")
        assert plan_toml.read("deepseek-v3.toml").cluster.cards == 4096
        await press(pilot, "enter enter")
        assert plan_toml.read("deepseek-v3.toml").cluster.cards == 2048


@pytest.mark.parametrize(("steps", "name"), [(1, "json"), (2, "csv"), (3, "md")])
async def test_exports_other_formats(steps: int, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, ["w", "tab", *["right"] * steps, "enter"])
        assert (tmp_path / f"deepseek-v3.{name}").read_text(encoding="utf-8")
        assert not app.session.is_exported


async def test_export_says_why_it_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deepseek-v3.toml").mkdir()
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "w enter enter")
        assert "cannot be written" in screen_text(app)


async def test_commands_are_found_and_run_by_name() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "ctrl+p text:zoom")
        assert "z" in screen_text(app)
        await press(pilot, "enter")
        assert app.workbench.has_class("-zoom")


async def test_help_lists_every_key() -> None:
    app = app_on()
    async with app.run_test(size=(120, 80)) as pilot:
        await press(pilot, "question_mark")
        assert isinstance(app.screen, HelpScreen)
        text = screen_text(app)
        for words in ("^p", "Undo", "Five steps", "80 % range", "1–7"):
            assert words in text
        await press(pilot, "escape")
        assert not isinstance(app.screen, HelpScreen)


async def test_help_is_not_cut_on_a_small_terminal() -> None:
    app = app_on()
    async with app.run_test(size=(80, 140)) as pilot:
        await press(pilot, "question_mark")
        assert "…" not in screen_text(app)
        assert "takes a key out of the plan" in screen_text(app)


async def test_the_session_is_saved_and_taken_up_again() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "text:4096 enter q")
    assert session_file.session_path().is_file()
    again = PlannerApp(engine=evaluate)
    assert again.session.plan.cluster.cards == 4096
    assert again.session.undo() == "Cards 4096"
    assert again.session.plan.cluster.cards == 2048


async def test_the_next_theme() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "alt+5 t")
        assert app.theme == "light"


async def test_a_long_paste_is_cut() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        panel = app.workbench.query_one("#cluster", FieldPanel)
        from textual.events import Paste

        panel.post_message(Paste("9" * 100_000))
        await pilot.pause()
        assert panel.typing is not None
        assert len(panel.typing.text) <= 200


async def test_where_no_panel_says_what_is_wrong_the_fields_do() -> None:
    app = app_on()
    async with app.run_test(size=SIZES["80x24"]) as pilot:
        await pilot.pause()
        app.session.apply([("strategy.expert", 7)], "expert 7")
        app.workbench.changed()
        await pilot.pause()
        assert app.session.stale
        assert "expert: " in screen_text(app)  # the cursor is on another field
        assert "f applies it." in screen_text(app)
        await press(pilot, "f")
        assert not app.session.stale


async def test_a_problem_is_mended_by_a_key_or_leads_to_its_field() -> None:
    app = app_on()
    async with app.run_test(size=SIZES["80x24"]) as pilot:
        await press(pilot, "text:4095")
        assert "▲ of the last valid plan" in screen_text(app)
        await press(pilot, "enter")
        assert "f applies it." in screen_text(app)
        await press(pilot, "f")
        assert app.session.plan.cluster.cards == 4096
        assert "of the last valid plan" not in screen_text(app)
        await press(pilot, "u u alt+3")
        assert isinstance(app.focused, FieldPanel)
        app.focused.go_to("strategy.micro_batch")
        await press(pilot, "text:2 enter alt+1 alt+7 enter")
        assert isinstance(app.focused, FieldPanel)
        assert app.focused.current.key == "strategy.micro_batch"
        await press(pilot, "f")
        assert app.session.plan.strategy is not None
        assert app.session.plan.strategy.micro_batch == 1
