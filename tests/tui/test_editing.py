"""Editing a plan by keys: numbers, lists, undo, and what is wrong with them."""

from __future__ import annotations

import pytest
from tests.tui.helpers import CATALOG, SIZES, app_on, field, go_to, press, screen_lines, screen_text

from planner.exchange.edits import set_keys
from planner.tui.figures import headline
from planner.tui.widgets.field_panel import FieldPanel
from planner.tui.widgets.picker import Picker

WIDE = (120, 40)


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


async def test_a_long_paste_is_cut() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        panel = app.workbench.query_one("#cluster", FieldPanel)
        from textual.events import Paste

        panel.post_message(Paste("9" * 100_000))
        await pilot.pause()
        assert panel.typing is not None
        assert len(panel.typing.text) <= 200


async def test_a_reason_too_long_for_its_room_shows_that_it_is_cut() -> None:
    app = app_on()
    async with app.run_test(size=SIZES["80x24"]) as pilot:
        await pilot.pause()
        words = "word " * 200
        app.session.draft("cluster.cards", "1", words + "end")
        app.workbench.query_one("#cluster", FieldPanel).go(1)
        app.workbench.changed()
        await pilot.pause()
        told = [line for line in screen_lines(app) if "word word" in line]
        assert 0 < len(told) <= 6
        assert "…" in told[-1]
        assert not any("…" in line for line in told[:-1])


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


async def test_too_few_cards_for_the_layout_leave_no_copies() -> None:
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "text:8")
        row = next(line for line in screen_lines(app) if " Data " in line)
        assert row.split("too few cards")[0].split() == ["Data", "–"]


@pytest.mark.parametrize(
    ("card", "words"),
    [
        ("h20", "Rent stays $2.00, as the plan states; none is known for H20 96 GB"),
        ("h100-sxm", "Rent stays $2.00, as the plan states; that of H100 SXM5 80 GB is $2.95"),
    ],
)
async def test_a_rent_that_stays_with_another_card_is_told(card: str, words: str) -> None:
    app = app_on()
    async with app.run_test(size=SIZES["80x24"]) as pilot:
        await go_to(app, "cluster.card")
        await press(pilot, ["enter", f"text:{card}", "enter"])
        assert app.session.plan.cluster.card == card
        assert words in screen_text(app)
        await go_to(app, "cost.usd_per_card_hour")
        await press(pilot, "delete")
        await go_to(app, "cluster.card")
        await press(pilot, ["enter", "text:b200-sxm", "enter"])
        assert "Rent stays" not in screen_text(app)


async def test_a_card_price_that_stays_with_another_card_is_told() -> None:
    owned = set_keys(CATALOG.plan("deepseek-v3"), [("cost.basis", "own"), ("cost.card_usd", 25_000.0)], CATALOG)
    app = app_on(owned)
    async with app.run_test(size=SIZES["80x24"]) as pilot:
        await go_to(app, "cluster.card")
        await press(pilot, ["enter", "text:h20", "enter"])
        assert "Card price stays $25,000.00, as the plan states" in screen_text(app)
