"""Which keys the line at the foot of the workbench names, by what has the focus."""

from __future__ import annotations

from textual.widget import Widget

from planner.tui.actions import BY_ID, key_name, keys
from planner.tui.widgets.field_panel import FieldPanel
from planner.tui.widgets.hints import Hint

BY_KIND = {"number": ["enter", "step"], "derived": [], "catalogue": ["enter"], "several": ["enter"]}
"""Kind of a field -> the actions that change it; of any other kind, stepping comes first."""


def hints(panel: Widget, *, undo: bool, narrow: bool, fixable: bool) -> list[Hint]:
    """The keys worth knowing now, the most useful first.

    Args:
        panel: has the focus.
        undo: there is something to take back.
        narrow: fields and results do not fit side by side.
        fixable: a problem has a fix to apply.
    """
    typing = isinstance(panel, FieldPanel) and panel.typing is not None
    if typing:
        ids = ["accept", "step-typed", "cancel"]
    elif isinstance(panel, FieldPanel):
        ids = [
            *BY_KIND.get(panel.current.kind, ["step", "enter"]),
            "next-field",
            *(["undo"] if undo else []),
            *(["results"] if narrow else []),
            *("open", "export", "why"),
        ]
    else:
        ids = [*(["results"] if narrow else []), "choose", "why", "zoom"]
    if fixable and not typing:
        ids.append("apply-fix")
    return [_hint(name, panel) for name in (*ids, "commands", "help")]


def _hint(action_id: str, panel: Widget) -> Hint:
    action = BY_ID[action_id]
    words = action.hint
    if action_id == "results" and not isinstance(panel, FieldPanel):
        words = "fields"
    if action_id == "enter" and isinstance(panel, FieldPanel):
        words = {"number": "type", "toggle": "switch"}.get(panel.current.kind, "pick")
    count = {"step": 2, "step-typed": 2}.get(action_id, 1)
    text = "".join(key_name(key) for key in keys(action)[:count])
    if action_id == "choose":
        text = "←→" if panel.id in {"outcome", "memory"} else "↑↓"
    return ("↑↓", "move") if action_id == "next-field" else (text, words)
