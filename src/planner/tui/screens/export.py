"""Save the plan as TOML, or write out what it comes to."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from textual import events
from textual.app import ComposeResult

from planner.exchange.claims import own
from planner.exchange.export import FORMATS, TELL_OF_CLAIMS, Exported, Format, exported
from planner.exchange.files import write_atomic
from planner.spec.base import PlanError
from planner.tui.screens.base import LeanScreen
from planner.tui.state import Session
from planner.tui.text import wrap
from planner.tui.widgets.hints import HintBar
from planner.tui.widgets.line_edit import LineEdit
from planner.tui.widgets.lines import Line, Lines, on_ground, padded, rule

ENDINGS: Final[dict[Format, str]] = {
    "toml": ".toml", "json": ".json", "csv": ".csv", "markdown": ".md", "html": ".html", "svg": ".svg",
    "megatron": ".sh", "torchtitan": ".torchtitan.toml", "nemo": ".py", "deepspeed": ".ds_config.json",
}  # fmt: skip
ABOUT: Final[dict[Format, str]] = {
    "toml": "the plan itself, to open, compare and review again",
    "json": "plan and estimate, for programs",
    "csv": "the estimate as a table",
    "markdown": "a report to read",
    "html": "the report as one page, with pictures",
    "svg": "the picture: where a step goes, memory by stage",
    "megatron": "arguments of Megatron-LM, for a shell script",
    "torchtitan": "a job file of torchtitan",
    "nemo": "overrides of a NeMo (Megatron Bridge) recipe",
    "deepspeed": "ds_config.json of DeepSpeed",
}


def _written(session: Session, to: Format) -> Exported:
    """The text of the file, and what the plan states and the file does not.

    Raises:
        PlanError: a format that needs figures, of a plan that has none.
    """
    figures, claim = None if session.stale else session.outcome, ""
    if figures and to in TELL_OF_CLAIMS:
        figures, claim = own(figures, session.catalog)
    made = exported(session.plan, figures or session.stale or "nothing has been computed yet", to)
    return replace(made, unsaid=(*made.unsaid, claim)) if claim else made


def _renamed(session: Session) -> str:
    """A file's name for a plan that got another name; empty where it kept its own."""
    name = session.plan.name
    return "-".join(re.findall(r"[a-z0-9.]+", name.lower())) if name != session.history[0].plan.name else ""


class ExportForm(Lines, can_focus=True):
    """Where to and as what: two lines, and what will be written below them."""

    def __init__(self, session: Session, done: Callable[[str | None], None], *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._session, self._done = session, done
        source = Path(session.source)
        name = source.name if source.suffix == ".toml" else f"{_renamed(session) or source.name or 'plan'}.toml"
        self.path = LineEdit(str(source.with_name(name)) if session.source else name)
        self.format: Format = "toml"
        self._on_format = False
        self._asked = False
        self._trouble = ""

    def build(self, width: int, height: int) -> list[Line]:
        """Path, format, question or trouble, preview."""
        room = max(width - 16, 4)
        path: Line = self.path.pieces(room, "strong") if not self._on_format else [(self.path.text, "strong")]
        first, *more = self._formats(room)
        rows = [self._row("Write to", path, width, here=not self._on_format),
                self._row("As", first, width, here=self._on_format),
                *(self._row("", line, width, here=self._on_format, marked=False) for line in more),
                self._row("", [(ABOUT[self.format], "quiet")], width, here=False), []]  # fmt: skip
        lines: list[Line] = [rule("Save or export", width), [], *rows]
        if self._trouble:
            lines += [padded([("  ", "text"), (words, "error")], width) for words in wrap(self._trouble, width - 4)]
        if self._asked:
            question = [("  ▲ The file is there already. ", "warn")]
            keys = [("Enter", "key"), (" replaces it, ", "text"), ("Esc", "key"), (" keeps it.", "text")]
            lines.append(padded([*question, *keys], width))
        try:
            made = _written(self._session, self.format)
        except PlanError as error:
            return [*lines, padded([("  ", "text"), (f"not possible: {error.lines()[0]}", "error")], width)]
        for words in made.unsaid:
            lines += [padded([("  ", "text"), (line, "warn")], width) for line in wrap(words, width - 4)]
        left = max(height - len(lines) - 1, 0)
        shown = made.text.splitlines()[:left]
        return [*lines, [], *(padded([("  ", "text"), (line, "faint")], width) for line in shown)]

    def _formats(self, room: int) -> list[list[tuple[str, str]]]:
        """The names of the formats, as many on a line as there is room for."""
        lines: list[list[tuple[str, str]]] = [[]]
        used = 0
        for name in FORMATS:
            if used and used + len(name) + 2 > room:
                lines.append([])
                used = 0
            lines[-1] += [(f" {name} ", "chosen" if name == self.format else "quiet"), (" ", "text")]
            used += len(name) + 3
        return lines

    @staticmethod
    def _row(label: str, value: Line, width: int, *, here: bool, marked: bool = True) -> Line:
        line = padded([("▌ " if here and marked else "  ", "key"), (label.ljust(12), "quiet"), *value], width)
        return on_ground(line, "focus") if here else line

    def on_key(self, event: events.Key) -> None:
        """Type the path, step through formats, write, leave."""
        key = event.key
        if key == "escape":
            if self._asked:
                self._asked = False
                self.repaint()
            else:
                self._done(None)
        elif key == "enter":
            self._write()
        elif key in {"tab", "shift+tab", "up", "down"}:
            self._on_format = not self._on_format
            self.repaint()
        elif self._on_format and key in {"left", "right", "space"}:
            self._next_format(-1 if key == "left" else 1)
        elif not self._on_format and self.path.key(key, event.character):
            self._asked, self._trouble = False, ""
            self.repaint()
        else:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """Pasted text is typed text."""
        event.stop()
        self.path.insert(event.text)
        self.repaint()

    def _next_format(self, direction: int) -> None:
        old = ENDINGS[self.format]
        self.format = FORMATS[(FORMATS.index(self.format) + direction) % len(FORMATS)]
        if self.path.text.endswith(old):
            self.path = LineEdit(self.path.text.removesuffix(old) + ENDINGS[self.format])
        self._asked, self._trouble = False, ""
        self.repaint()

    def _write(self) -> None:
        path = Path(self.path.text.strip()).expanduser()
        if not self.path.text.strip():
            self._trouble = "Type the name of a file."
        elif path.exists() and not self._asked:
            self._asked = True
        else:
            try:
                write_atomic(path, _written(self._session, self.format).text)
            except PlanError as error:
                self._trouble, self._asked = " ".join(error.lines()), False
            else:
                if self.format == "toml":
                    self._session.mark_exported(str(path))
                self._done(str(path))
                return
        self.repaint()


class ExportScreen(LeanScreen):
    """Save or export.

    Args:
        session: what is written.
        exported: called with the path when it is.
    """

    def __init__(self, session: Session, exported: Callable[[str], None]) -> None:
        super().__init__()
        self._session, self._exported = session, exported

    def compose(self) -> ComposeResult:
        """The form, and its keys."""
        yield ExportForm(self._session, self._done, id="export")
        yield HintBar(id="hints")

    def on_mount(self) -> None:
        """Type at once."""
        self.set_focus(self.query_one(ExportForm))
        self.query_one(HintBar).show([("Enter", "write"), ("Tab", "path or format"), ("←→", "format"), ("Esc", "back")])

    def _done(self, path: str | None) -> None:
        self.dismiss()
        if path is not None:
            self._exported(path)
