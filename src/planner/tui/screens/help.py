"""Help: five steps, what the marks mean, and every key; the keys are read from the registry."""

from __future__ import annotations

from typing import Final

from textual.app import ComposeResult

from planner.exchange.bars import FILLS
from planner.tui.actions import ACTIONS, PANELS, Where, first_key, keys_of
from planner.tui.screens.base import ModeScreen
from planner.tui.text import fit, wrap
from planner.tui.widgets.lines import Line, padded
from planner.tui.widgets.page import Page, heading, paragraph

TOUR: Final = (
    "You start on a real training run, DeepSeek-V3 on 2,048 cards. {open} opens others, and your files.",
    "Type a number into Cards: days, cost and memory follow each digit. Esc puts the old number back, {undo} undoes.",
    "Enter on Card, Scale-out or Model opens a list; type to narrow it down. Below it stands where figures come from.",
    (
        "Left and right step a value through what the layout allows. Where an edit is impossible the last good result "
        "stays, marked, and the reason stands below the field; {apply-fix} applies a fix. {why} explains any figure."
    ),
    (
        "{export} saves the plan as TOML, for review in git, or writes reports, tables and launch settings. The "
        "session itself is always saved."
    ),
)
"""Actions stand in braces for their keys."""
MARKS: Final = (
    ("bold", "strong", "the plan itself says so"),
    ("plain", "faint", "a default, the card's host or the software decides; Del takes a key out of the plan"),
    ("•", "key", "changed since the plan was opened"),
    ("!", "error", "not possible; go there for the reason"),
    ("✖ ▲ ·", "warn", "error, warning, note"),
    ("34.9 – 48.7", "quiet", "80 % range: in four of five cases the real run lies in it, judged by measured runs"),
    (" ".join(FILLS.values()), "bar", f"{', '.join(FILLS)} memory"),
)
PLACES: Final[dict[Where, str]] = {
    "everywhere": "Everywhere", "modes": "From screen to screen", "panels": "On every screen with panels",
    "workbench": "On the workbench",
    "field": "On a field",
    "typing": "While typing a number",
    "results": "On a panel of results", "strategies": "Strategies", "scale": "Scale", "costs": "Costs",
    "compare": "Compare", "audit": "Audit", "fleet": "Fleet", "pictures": "Pictures", "catalogue": "Catalogue",
    "accuracy": "Accuracy",
}  # fmt: skip


class HelpText(Page):
    """The text."""

    def body(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - it scrolls
        """Tour, marks, keys."""
        lines: list[Line] = [(), heading("Five steps", width)]
        in_force = {action.id: first_key(action.id) for action in ACTIONS}
        for number, words in enumerate(TOUR, 1):
            for row, text in enumerate(wrap(words.format_map(in_force), min(width - 8, 100))):
                lines.append(
                    padded([("  ", "text"), (f"{number} " if not row else "  ", "key"), (text, "text")], width)
                )
        lines += [(), heading("Marks", width)]
        for mark, ink, words in MARKS:
            lines += self._rows(mark, ink, words, width)
        for where, title in PLACES.items():
            actions = [action for action in ACTIONS if action.where == where]
            if not actions:
                continue
            lines += [(), heading(title, width)]
            for action in actions:
                lines += self._rows(keys_of(action), "key", f"{action.title}. {action.help}".strip(), width)
            if where == "panels":
                words = "Jump to a panel; with Alt held also where a number field has the focus."
                lines += self._rows(f"1–{PANELS}", "key", words, width)
        over_ssh = "Over a slow link, ssh -C makes the screen some twenty times cheaper to send."
        return [*lines, (), *paragraph(over_ssh, width, "quiet")]

    @staticmethod
    def _rows(left: str, ink: str, words: str, width: int) -> list[Line]:
        return [
            padded([("  ", "text"), (fit(left if not row else "", 18), ink), (text, "text")], width)
            for row, text in enumerate(wrap(words, width - 22))
        ]


class HelpScreen(ModeScreen):
    """Help, on a screen of its own."""

    MODE = "help"

    def body(self) -> ComposeResult:
        """The text."""
        yield HelpText("Help", id="help-text")

    def on_mount(self) -> None:
        """Scroll at once."""
        self.set_focus(self.query_one(HelpText))

    def hints(self) -> list[tuple[str, str]]:
        """It scrolls."""
        return [("↑↓", "scroll")]
