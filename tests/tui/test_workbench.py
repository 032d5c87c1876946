"""The main path, driven by keys: figures are asserted, not only pictures."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from tests.tui.helpers import CATALOG, app_on, field, go_to, press, screen_lines, screen_text

from planner.engine.estimate import evaluate
from planner.exchange import plan_toml
from planner.exchange.export import FORMATS
from planner.tui import session_file
from planner.tui.app import PlannerApp
from planner.tui.figures import headline
from planner.tui.screens.export import ExportScreen
from planner.tui.screens.help import HelpScreen
from planner.tui.screens.open import OpenScreen
from planner.tui.widgets.field_panel import FieldPanel
from planner.tui.widgets.panel import Panel

WIDE = (120, 40)


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


def test_a_run_of_thousands_of_years_keeps_its_thousands_and_the_unit_of_its_range() -> None:
    done = evaluate(CATALOG.resolve(CATALOG.plan("llama-3.1-8b")))
    days = 4321.0 * 365.25
    low, high = 90.0 * 365.25, 4500.0 * 365.25
    estimate = dataclasses.replace(done.estimate, training_days=days, interval_80={"training_days": (low, high)})
    figure = headline(dataclasses.replace(done, estimate=estimate))[1]
    assert (figure.name, figure.number, figure.unit) == ("Years", "4.32", "k")
    assert figure.below == "90.0 – 4.50 k"


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


@pytest.mark.parametrize(
    ("steps", "name"),
    [(1, "json"), (2, "csv"), (3, "md"), (4, "html"), (5, "svg"), (6, "sh"), (7, "torchtitan.toml"), (8, "py"),
     (9, "ds_config.json")],
)  # fmt: skip
async def test_exports_other_formats(steps: int, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, ["w", "tab", *["right"] * steps, "enter"])
        assert (tmp_path / f"deepseek-v3.{name}").read_text(encoding="utf-8")
        assert not app.session.is_exported


async def test_every_format_is_in_view_on_a_narrow_terminal_with_what_it_cannot_say() -> None:
    app = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "w")
        assert all(f" {name} " in screen_text(app) for name in FORMATS)
        await press(pilot, "tab left")
        assert "ds_config.json of DeepSpeed" in screen_text(app)
        assert "strategy.schedule = dualpipe: DeepSpeed runs 1F1B." in screen_text(app)


async def test_a_report_of_an_edited_preset_leaves_its_claim_out_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "text:4096 enter w")
        assert "[claim] is left out" not in screen_text(app)
        await press(pilot, "tab right right right")
        assert "[claim] is left out: it is of deepseek-v3, whose cluster.cards is 2,048." in screen_text(app)
        await press(pilot, "enter")
        assert "Claimed" not in (tmp_path / "deepseek-v3.md").read_text(encoding="utf-8")


async def test_export_says_why_it_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deepseek-v3.toml").mkdir()
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "w enter enter")
        assert "cannot be written" in screen_text(app)


async def test_an_export_without_figures_says_why_there_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "text:2047 enter w tab right enter")
        reason = app.session.stale
        assert reason
        assert screen_text(app).count(reason[:60]) == 2  # below the form, and what Enter came to
        assert "not possible: " in screen_text(app)
        await press(pilot, "left enter")
        assert plan_toml.read("deepseek-v3.toml").cluster.cards == 2047
    assert not (tmp_path / "deepseek-v3.json").exists()


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
