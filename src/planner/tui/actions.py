"""Every action of the terminal UI, once: key bindings, the hint bar, help and the command list are made from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from textual.binding import Binding
from textual.keys import _character_to_key

from planner.tui.screens import SCREENS

Where = Literal[
    "everywhere", "modes", "panels", "workbench", "field", "typing", "results",
    "strategies", "scale", "costs", "compare", "audit", "fleet", "pictures", "catalogue", "accuracy",
]  # fmt: skip
"""Where the keys of an action work: everywhere, from mode to mode, on screens with panels, in one mode, or in a part
of the workbench."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something a user can do.

    Attributes:
        id: public name, for a keymap.
        title: what the command list and the help call it.
        keys: default keys; all of them survive tmux and screen.
        where: where the keys work.
        hint: short text for the hint bar; empty: never there.
        help: a sentence for the help screen.
        call: the method that does it, as a Textual action; empty: the focused widget handles its keys itself.
    """

    id: str
    title: str
    keys: tuple[str, ...]
    where: Where
    hint: str = ""
    help: str = ""
    call: str = ""


ACTIONS: Final = (
    Action("commands", "Commands", ("ctrl+p",), "everywhere", "commands", "Every action and setting by name.",
           "app.commands"),
    Action("quit", "Quit", ("q", "ctrl+q"), "everywhere", "quit", "Leaves; the session is saved.", "app.leave"),
    Action("theme", "Next theme", ("t",), "everywhere", "", "Dark, light and your own themes.", "app.next_theme"),
    Action("jump", "Jump to what is on screen", ("J", "apostrophe"), "everywhere", "",
           "Letters show where; type one to go there.", "app.jump"),
    Action("redraw", "Draw the screen again", ("ctrl+l",), "everywhere", "", "Where something else wrote on it.",
           "app.redraw"),
    Action("copy", "Copy", ("y",), "everywhere", "", "The plan, or the text in front, to your terminal's clipboard.",
           "app.copy"),
    Action("suspend", "Back to the shell for a while", ("Z",), "everywhere", "", "fg takes the session up again.",
           "app.suspend_process"),
    Action("deadline", "Cards for a deadline", ("D",), "everywhere", "deadline",
           "The fewest and the cheapest cards that train within so many days, on Scale.", "app.deadline"),
    Action("workbench", "Workbench", ("h",), "modes", "", "The plan and what it comes to; Esc leads here too.",
           "app.mode('workbench')"),
    Action("strategies", "Strategies", ("s", "f5"), "modes", "", "Every layout that fits this cluster, ranked.",
           "app.mode('strategies')"),
    Action("scale", "Scale", ("l", "f6"), "modes", "", "Days and cost against the number of cards.",
           "app.mode('scale')"),
    Action("costs", "Costs", ("C",), "modes", "", "Money, power and carbon, failures, network.",
           "app.mode('costs')"),
    Action("compare", "Compare", ("c", "f7"), "modes", "", "Plans side by side.", "app.mode('compare')"),
    Action("audit", "Audit", ("d", "f8"), "modes", "", "Published claims against the engine.", "app.mode('audit')"),
    Action("fleet", "Fleet", ("e", "f9"), "modes", "", "Totals of several clusters.", "app.mode('fleet')"),
    Action("pictures", "Pictures", ("p",), "modes", "", "What the pipeline does when, and which ranks share what.",
           "app.mode('pictures')"),
    Action("catalogue", "Catalogue", ("g", "f10"), "modes", "", "Every figure with its source.",
           "app.mode('catalogue')"),
    Action("accuracy", "Accuracy", ("a", "f12"), "modes", "", "How wrong the engine is, and on runs like this plan.",
           "app.mode('accuracy')"),
    Action("help", "Help", ("question_mark", "f1"), "modes", "help", "Keys, marks and a tour.", "app.mode('help')"),
    Action("why", "Why this number", ("i", "equals_sign"), "panels", "why",
           "Formula, inputs and where each came from, sources; on a field, what it feeds.", "why"),
    Action("zoom", "Zoom the panel", ("z",), "panels", "zoom", "The panel fills the screen, and back.", "zoom"),
    Action("next-panel", "Next panel", ("right_square_bracket", "ctrl+down"), "panels", "", "Round the end.",
           "next_panel(1)"),
    Action("previous-panel", "Previous panel", ("left_square_bracket", "ctrl+up"), "panels", "", "Round the start.",
           "next_panel(-1)"),
    Action("back", "Back", ("escape",), "panels", "", "Out of what is open; never loses anything.", "back"),
    Action("open", "Open a preset or file", ("o", "f3"), "workbench", "open", "Presets by owner, and files.", "open"),
    Action("export", "Save or export", ("w", "f2"), "workbench", "save", "Plan, report, launch settings.", "export"),
    Action("editor", "Edit the plan as text", ("ctrl+e",), "workbench", "",
           "Its TOML in $EDITOR, to rename it, say; checked on return.", "editor"),
    Action("best", "Apply the best strategy", ("b",), "workbench", "best", "Looked for after each edit.", "best"),
    Action("limits", "What would help", ("x",), "workbench", "limits",
           "Days and cost with 10 % more of each thing.", "limits"),
    Action("keep", "Keep a variant", ("k",), "workbench", "", "The plan as it is now, beside the one you go on with.",
           "keep"),
    Action("variants", "Variants", ("K",), "workbench", "", "Kept ones, side by side in Compare; Enter goes back to "
           "one, Del drops it.", "variants"),
    Action("undo", "Undo", ("u", "ctrl+z"), "workbench", "undo", "One step back, up to 200 times.", "undo"),
    Action("redo", "Redo", ("r", "ctrl+y"), "workbench", "redo", "The undone step again.", "redo"),
    Action("apply-fix", "Apply a fix", ("f",), "workbench", "fix", "Does what a problem proposes.", "apply_fix"),
    Action("results", "Fields or results", ("v", "f4"), "workbench", "results",
           "In a small terminal, shows the one or the other.", "results"),
    Action("more", "More settings", ("m",), "workbench", "more", "Rare settings of strategy, cost, failures.", "more"),
    Action("strategies-limit", "Limit the search", ("n",), "strategies", "limit",
           "No tensor degree above, one sharding or schedule alone, memory left free, a degree kept.", "limit"),
    Action("strategies-free", "No limits", ("delete",), "strategies", "no limits", "Searches all there is again.",
           "free"),
    Action("scale-add", "Another card", ("n",), "scale", "another card", "Drawn beside the plan's own.", "add"),
    Action("scale-drop", "Drop the last card", ("delete",), "scale", "drop", "Takes it out of the picture.", "drop"),
    Action("compare-add", "Another plan to compare", ("n",), "compare", "compare with",
           "The plan on another card or fabric, or another preset.", "add"),
    Action("compare-drop", "Drop the last plan", ("delete",), "compare", "drop", "Takes its column away.", "drop"),
    Action("audit-questions", "The questions of January 2025", ("n",), "audit", "January 2025",
           "Could 2,048 H800 have done it, what would 50,000 H100 have taken, what did the link cost.", "ask"),
    Action("fleet-rule", "H100-equivalents by the other rate", ("n",), "fleet", "other rate",
           "By dense 8-bit rate, or by BF16.", "rule"),
    Action("next-field", "Next field", ("down", "tab"), "field", "", "Also goes on into the next panel."),
    Action("previous-field", "Previous field", ("up", "shift+tab"), "field", "", "Also goes back a panel."),
    Action("step", "Step the value", ("left", "right"), "field", "change",
           "The next smaller or larger value that is possible."),
    Action("enter", "Edit, or pick from a list", ("enter",), "field", "edit", "Typing a number starts an edit too."),
    Action("default", "Back to the default", ("delete",), "field", "default", "Takes the key out of the plan."),
    Action("accept", "Accept", ("enter",), "typing", "accept", "The value was computed as you typed."),
    Action("cancel", "Put the old value back", ("escape",), "typing", "cancel", "Redo brings what was typed back."),
    Action("step-typed", "Step the number", ("up", "down"), "typing", "step", "While a number is being typed."),
    Action("next-kind", "Next kind", ("right",), "catalogue", "kind", "Cards, fabrics, models, software, presets.",
           "kind(1)"),
    Action("previous-kind", "Previous kind", ("left",), "catalogue", "", "The same backwards.", "kind(-1)"),
    Action("choose", "Choose a figure", ("left", "right", "up", "down"), "results", "choose",
           "A headline figure, a part of the step, a kind of memory, a problem."),
    Action("to-field", "To the field of a problem", ("enter",), "results", "", "On a problem."),
)  # fmt: skip

MODES: Final = ("workbench", *SCREENS)
"""The screens with a key each."""

PANELS: Final = 7
"""Panels a screen may have, each reached by its digit; with Alt held also while a number field has the focus."""
ALT_DIGITS: Final = "¡™£¢∞§¶"
"""What Textual makes of Alt with 1 to 7 in terminals that send Escape and the digit (it takes them for a Mac's)."""

BY_ID: Final = {action.id: action for action in ACTIONS}

_KEY_NAMES: Final = {
    "question_mark": "?", "equals_sign": "=", "apostrophe": "'",
    "left_square_bracket": "[", "right_square_bracket": "]", "escape": "Esc",
    "enter": "Enter", "delete": "Del", "tab": "Tab", "shift+tab": "Shift+Tab",
    "up": "↑", "down": "↓", "left": "←", "right": "→",
}  # fmt: skip


def key_name(key: str) -> str:
    """A key as people write it.

    >>> key_name("ctrl+p"), key_name("f1"), key_name("question_mark")
    ('^p', 'F1', '?')
    """
    if key in _KEY_NAMES:
        return _KEY_NAMES[key]
    if key.startswith("ctrl+"):
        name = key.removeprefix("ctrl+")
        return f"^{_KEY_NAMES.get(name, name)}"
    return key.upper() if len(key) > 1 and key[0] == "f" and key[1:].isdigit() else key


_CHOSEN: Final[dict[str, tuple[str, ...]]] = {}


def rebind(chosen: Mapping[str, tuple[str, ...]]) -> None:
    """Show the user's own keys in place of the default ones; Textual's keymap makes them work."""
    _CHOSEN.clear()
    _CHOSEN.update(chosen)


_IN_WORDS: Final[dict[int, str]] = {}
_ARROWS: Final = "↑↓←→"


def spell(*, arrows: bool) -> None:
    """Show arrow keys as arrows, or in words: in ASCII arrows would be ^ and v, which read as Ctrl-v."""
    _IN_WORDS.clear()
    if not arrows:
        _IN_WORDS.update(str.maketrans(dict(zip(_ARROWS, ("Up", "Down", "Left", "Right"), strict=True))))


def written(text: str) -> str:
    """Names of keys as the terminal can show them.

    >>> spell(arrows=False)
    >>> written("↑↓"), written("^↓"), written("F1")
    ('Up/Down', '^Down', 'F1')
    >>> spell(arrows=True)
    >>> written("↑↓")
    '↑↓'
    """
    return re.sub(f"(?<=[{_ARROWS}])(?=[{_ARROWS}])", "/", text).translate(_IN_WORDS) if _IN_WORDS else text


def keys(action: Action) -> tuple[str, ...]:
    """The keys of an action in force."""
    return _CHOSEN.get(action.id, action.keys)


def keys_of(action: Action) -> str:
    """All keys of an action, for help and the command list."""
    return written(" ".join(key_name(key) for key in keys(action)))


def first_key(name: str) -> str:
    """The first key of an action in force, as hints have it."""
    return written(key_name(keys(BY_ID[name])[0]))


def bindings(where: Where) -> list[Binding]:
    """Textual bindings of the actions that are called by name."""
    return [
        Binding(",".join(action.keys), action.call, action.title, id=action.id, show=False)
        for action in ACTIONS
        if action.where == where and action.call
    ]


def modes() -> list[Action]:
    """The modes, in order."""
    return [action for action in ACTIONS if action.where == "modes"]


def panel_bindings() -> list[Binding]:
    """Digits jump to panels."""
    return [
        Binding(
            f"{number},alt+{number},{_character_to_key(char)}", f"panel({number})", show=False, id=f"panel-{number}"
        )
        for number, char in enumerate(ALT_DIGITS, 1)
    ]
