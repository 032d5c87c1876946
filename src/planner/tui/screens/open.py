"""Open a preset or a file: a list to the left, what the plan comes to on the right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal

from planner.exchange import plan_toml
from planner.spec.base import PlanError
from planner.spec.plan import Plan
from planner.tui.figures import facts, headline
from planner.tui.plan_files import MOST_FILES, at_path, looks_like_a_plan, plans_here
from planner.tui.screens.base import LeanScreen
from planner.tui.state import Session
from planner.tui.text import first_lines, wrap
from planner.tui.widgets.hints import HintBar
from planner.tui.widgets.lines import Line, Lines, padded
from planner.tui.widgets.picker import Option, Picker
from planner.tui.widgets.results import small

NOTES: Final = 6
"""Lines of a plan's notes in the preview."""


class Preview(Lines):
    """What a plan is and comes to, before it is opened."""

    def __init__(self, session: Session, *, id: str) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._session = session
        self._option: Option | None = None
        self._plans: dict[object, Plan | PlanError] = {}

    def look_at(self, option: Option | None) -> None:
        """Show another plan."""
        self._option = option
        self.repaint()

    def plan(self, choice: object) -> Plan | PlanError:
        """The plan of an entry, read once; or why there is none."""
        if choice not in self._plans:
            try:
                found = plan_toml.read(choice) if isinstance(choice, Path) else self._session.catalog.plan(str(choice))
            except PlanError as error:
                self._plans[choice] = error
            else:
                self._plans[choice] = found
        return self._plans[choice]

    def build(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - what is too much is cut
        """Name, cluster, figures, notes and sources."""
        if self._option is None or self._option.types or not self._option.ok:
            return []
        inner = max(width - 4, 10)
        plan = self.plan(self._option.value)
        if isinstance(plan, PlanError):
            rows = [(words, "error") for line in plan.lines() for words in wrap(line, inner)]
            return [(), *(padded([("  ", "text"), row], width) for row in rows)]
        lines: list[Line] = [(), *self._text(plan.name or str(self._option.value), "strong", inner, width), ()]
        try:
            outcome = self._session.preview(plan)
        except PlanError as error:
            lines += [line for words in error.lines() for line in self._text(words, "error", inner, width)]
        else:
            r = outcome.resolved
            words = f"{r.plan.cluster.cards:,} x {r.card.name}, {r.model.name}"
            lines += [*self._text(words, "text", inner, width), ()]
            lines += [*small(headline(outcome), width, stale=False), ()]
            lines += self._text(
                "  ·  ".join(fact.replace(" ", "\N{NO-BREAK SPACE}") for fact in facts(outcome).values()),
                "quiet",
                inner,
                width,
            )
            if not outcome.fits:
                lines += self._text("✖ does not fit", "error", inner, width)
        assumed = self._assumed()
        for heading, body in (
            ("Notes", plan.notes),
            ("Assumed, not published", assumed),
            ("Sources", "; ".join(plan.sources)),
        ):
            if body.strip():
                lines += [(), *self._text(heading, "title", inner, width)]
                few = first_lines(body, inner, NOTES)
                lines += [padded([("  ", "text"), (line, "quiet")], width) for line in few]
        return lines

    def _assumed(self) -> str:
        if self._option is None or isinstance(self._option.value, Path):
            return ""
        return ", ".join(self._session.catalog.preset_info(str(self._option.value)).assumed)

    @staticmethod
    def _text(text: str, ink: str, inner: int, width: int) -> list[Line]:
        return [padded([("  ", "text"), (words, ink)], width) for words in wrap(text, inner)]


class OpenScreen(LeanScreen):
    """Choose a plan.

    Args:
        session: opens it.
        opened: called when it has, with the variant that keeps what was not exported, or an empty string.
    """

    def __init__(self, session: Session, opened: Callable[[str], None]) -> None:
        super().__init__()
        self._session, self._opened = session, opened

    def compose(self) -> ComposeResult:
        """List, preview, keys."""
        preview = Preview(self._session, id="preview")
        with Horizontal(id="open"):
            yield Picker("Open a plan", list(self._options()), self._done, preview.look_at, floating=False,
                         typed=at_path, asks="to narrow down, or a path", id="plans")  # fmt: skip
            yield preview
        yield HintBar(id="hints")

    def on_mount(self) -> None:
        """Type at once."""
        picker = self.query_one(Picker)
        self.set_focus(picker)
        self.query_one(Preview).look_at(picker.highlighted)
        hints = [("↑↓", "choose"), ("Enter", "open"), ("Esc", "back")]
        self.query_one(HintBar).show(hints, "type / or ~ for files elsewhere")

    def on_resize(self, _event: events.Resize) -> None:
        """Without room for both, the list alone."""
        self.query_one(Preview).display = self.size.width >= 100  # noqa: PLR2004 - list and preview side by side

    def _options(self) -> list[Option]:
        catalog, source = self._session.catalog, self._session.source
        infos = {name: catalog.preset_info(name) for name in catalog.ids("plans")}
        owners: dict[str, int] = {}
        for info in sorted(infos.values(), key=lambda info: info.order or MOST_FILES):
            owners.setdefault(info.owner, len(owners))
        order = sorted(infos, key=lambda name: (owners[infos[name].owner], infos[name].order))
        presets = [
            Option(name, infos[name].title or name, infos[name].owner or "your own", name, current=name == source)
            for name in order
        ]
        here = Path().absolute()
        recent = [Path(path) for path in self._session.recent if looks_like_a_plan(Path(path))]
        files = [here / path for path in plans_here()]
        return [
            *(self._file(path, "recent file") for path in recent), *presets,
            *(self._file(path, "file here") for path in files if path not in recent),
        ]  # fmt: skip

    def _file(self, path: Path, what: str) -> Option:
        now = self._session.source and Path(self._session.source).absolute() == path
        return Option(path, path.name, what, str(path), current=bool(now))

    def _done(self, value: object | None) -> None:
        if value is None:
            self.dismiss()
            return
        plan = self.query_one(Preview).plan(value)
        if isinstance(plan, PlanError):
            self.query_one(HintBar).show([("Esc", "back")], plan.lines()[0], first=True)
            return
        kept = self._session.keep_unexported()
        self._session.open(plan, str(value), exported=isinstance(value, Path))
        if isinstance(value, Path):
            self._session.used(str(value))
        self.dismiss()
        self._opened(kept)
