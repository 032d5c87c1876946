"""What is sent to the terminal: few bytes, and exactly the screen Textual means."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable
from typing import Any

import pytest
from rich.cells import get_character_cell_size
from rich.color import ColorSystem
from rich.style import Style
from tests.tui.helpers import CATALOG, PLAIN, plain_engine, press
from tests.tui.terminal import Terminal
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.screen import Screen

from planner.engine.estimate import evaluate
from planner.engine.result import Outcome
from planner.exchange.format import in_ascii
from planner.spec.plan import Resolved
from planner.tui.app import PlannerApp
from planner.tui.wire import _codes

KEYS = (
    "tab tab shift+tab text:4096 enter right u up enter down down text:b20 escape alt+5 t alt+6 z z question_mark "
    "down escape o down text:xai escape m m w tab right escape ctrl+p escape"
)


class Recorder(PlannerApp):
    """The application, writing into a list as well."""

    def __init__(self, engine: Callable[[Resolved], Outcome] = plain_engine, name: str = "") -> None:
        plan = CATALOG.plan("deepseek-v3")
        plan = plan.model_copy(update={"name": name or plan.name})
        super().__init__(plan, "deepseek-v3", catalog=CATALOG, engine=engine, tools=PLAIN)
        self.sent: list[str] = []

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        if isinstance(renderable, ChopsUpdate | LayoutUpdate):
            self.sent.append(self._wire.encode(renderable, self.console, self.size.width))
        super()._display(screen, renderable)

    def take(self) -> int:
        """Bytes since the last time."""
        size = sum(len(text.encode()) for text in self.sent)
        self.sent.clear()
        return size


def _meant(app: PlannerApp) -> list[list[tuple[str, frozenset[str]]]]:
    system = ColorSystem[app.console._color_system.name]  # type: ignore[union-attr]
    rows = []
    for strip in app.screen._compositor.render_strips():
        row = []
        for text, style, _ in strip:
            attributes, fore, back = _codes(style or Style.null(), system)
            row += [(char, frozenset(attributes | {fore, back})) for char in text]
        rows.append(row)
    return rows


def _ground(kinds: frozenset[str]) -> frozenset[str]:
    return frozenset(code for code in kinds if code[:1] == "4")


async def test_the_terminal_shows_what_textual_means() -> None:
    app = Recorder()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        terminal = Terminal(120, 40)
        for key in ["", *KEYS.split()]:
            await press(pilot, key)
            for text in app.sent:
                terminal.feed(text)
            app.sent.clear()
            for y, (shown, meant) in enumerate(zip(terminal.cells, _meant(app), strict=True)):
                assert "".join(c for c, _ in shown) == "".join(c for c, _ in meant), (key, y)
                for (char, kinds), (_, wanted) in zip(shown, meant, strict=True):
                    assert _ground(kinds) == _ground(wanted), (key, y)
                    assert char == " " or kinds == wanted, (key, y)


@pytest.fixture(params=["truecolor", ""])
def colours(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With and without COLORTERM: an SSH session has 256 colours."""
    monkeypatch.setenv("COLORTERM", request.param)
    return str(request.param)


async def test_byte_budgets(colours: str) -> None:
    app = Recorder(evaluate)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert app.take() <= 20_000
        fields = []
        for key in ["tab"] * 30 + ["shift+tab"] * 30:
            await press(pilot, key)
            fields.append(app.take())
        assert max(fields) <= 1_000, fields
        assert statistics.median(fields) <= 500, fields
        assert statistics.median(fields[:12]) <= 500, fields
        digits = []
        for place in ("alt+1 down", "alt+2 down"):
            for number in ("4096", "20000"):
                await press(pilot, [*place.split(), "enter"])
                app.take()
                for digit in number:
                    await press(pilot, digit)
                    digits.append(app.take())
                await press(pilot, "enter")
        assert 1_500 < max(digits) < 3_000, digits
        app.take()
        await pilot.pause(0.05)
        assert app.take() == 0


def test_a_colour_of_the_256_is_written_by_its_number() -> None:
    style = Style.parse("#5fafd7 on #1c1c1c")
    assert _codes(style, ColorSystem.TRUECOLOR) == (frozenset(), "38;5;74", "48;5;234")
    assert _codes(style, ColorSystem.TRUECOLOR) == _codes(style, ColorSystem.EIGHT_BIT)
    assert _codes(Style.parse("#d6af5f"), ColorSystem.TRUECOLOR) == (frozenset(), "38;5;179", "")  # of #d7af5f
    assert _codes(Style.parse("#5fafda"), ColorSystem.TRUECOLOR) == (frozenset(), "38;2;95;175;218", "")


async def test_forgetting_writes_everything_again() -> None:
    app = Recorder()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        app.take()
        app.screen.refresh()
        await pilot.pause()
        assert app.take() == 0
        await press(pilot, "ctrl+l")
        assert app.take() > 5_000


async def test_ascii_alone_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANNER_ASCII", "1")
    app = Recorder(name="東京 Ko\u0308ln")
    async with app.run_test(size=(120, 40)) as pilot:
        terminal = Terminal(120, 40)
        for key in ("", "down", "text:[", "alt+6", "z", "question_mark", "escape", "o", "escape", "z"):
            await press(pilot, key)
            for text in app.sent:
                assert text.isascii()
                terminal.feed(text)
            app.sent.clear()
            for y, (shown, meant) in enumerate(zip(terminal.cells, _meant(app), strict=True)):
                plain = "".join(in_ascii(char) * get_character_cell_size(char) for char, _ in meant)
                assert "".join(char for char, _ in shown) == plain, (key, y)
        seen = "\n".join("".join(char for char, _ in row) for row in terminal.cells)
        assert " ???? Koln " in seen
        assert "###" in seen
        assert re.search(r" 40\.0 % +\d+\.\d +\$", seen)  # not the large figures, whose lines ASCII does not have


async def test_no_colours_where_nobody_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Recorder()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "text:40 escape w right question_mark escape")
        codes = {code for found in re.findall(r"\x1b\[([\d;]*)m", "".join(app.sent)) for code in found.split(";")}
        assert codes <= {"0", "1", "2", "4", "7"}
        assert "7" in codes


async def test_sixteen_colours_where_the_terminal_has_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLORTERM", "")
    app = Recorder()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "tab text:4096 escape")
        codes = {code for found in re.findall(r"\x1b\[([\d;]*)m", "".join(app.sent)) for code in found.split(";")}
        assert not codes & {"38", "48"}
        assert codes & {str(number) for number in (*range(30, 38), *range(90, 98))}


async def test_a_held_key_stays_below_a_slow_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """128 kbit/s carry 16 KB a second: three seconds of a key held at ten a second leave less than one behind."""
    monkeypatch.setenv("COLORTERM", "")
    app = Recorder()
    async with app.run_test(size=(120, 40)) as pilot:
        for key in ("tab", "down", "right"):
            await press(pilot, "alt+1 down")
            app.take()
            await press(pilot, [key] * 30)
            assert app.take() <= 3 * 16_000 + 16_000, key
