"""What the plan comes to: headline figures, where a step goes, memory by stage, problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from textual import events

from planner.engine.result import MEMORY_PARTS, Outcome
from planner.exchange.bars import (
    FILLS,
    memory_bars,
    memory_title,
    step_bars,
    step_parts,
    step_title,
)
from planner.spec.base import Problem
from planner.tui.actions import first_key
from planner.tui.figures import Figure, facts, headline, standing
from planner.tui.large_figures import big
from planner.tui.state import Session
from planner.tui.text import fit, wrap
from planner.tui.widgets.lines import Line, Lines, on_ground, padded, span, spread
from planner.tui.widgets.panel import Panel, ScrollPanel

TILES: Final = (15, 15, 16, 16, 0)
"""Widths of the headline tiles where figures are large; the last takes the rest."""
LARGE_HEIGHT: Final = 6
LARGE_WIDTH: Final = 74
LEGEND_ROOM: Final = 10
"""Cells the remark on hidden stages takes, to the right of the legend."""
STALE: Final = "of the last valid plan: this edit has no figures"
"""What the figures above it are."""
SIGNS: Final = {"error": "✖", "warning": "▲", "info": "·"}
INKS: Final = {"error": "error", "warning": "warn", "info": "quiet"}


class Results:
    """What the widgets of results have in common: the session they read."""

    session: Session

    @property
    def outcome(self) -> Outcome | None:
        """The last good outcome."""
        return self.session.outcome

    def nothing(self, width: int) -> list[Line]:
        """What stands where the headline figures would."""
        words = "No figures yet: " + (self.session.stale or "nothing has been computed.")
        return [padded([("  ", "text"), (line, "quiet")], width) for line in wrap(words, width - 3)]


def tile(figure: Figure, *, stale: bool) -> str:
    """The ink of a figure."""
    return "error" if figure.alarm else "quiet" if stale else "strong"


class Chooser(Results, ScrollPanel):
    """A panel with figures of which one is chosen, to be explained; none is before the first arrow key."""

    ALONG: ClassVar[Mapping[str, int]] = {"left": -1, "right": 1}
    """The keys that choose, and in which direction."""
    WHOLE: ClassVar[str]
    """Id of the figure that is explained while none is chosen."""
    chosen: str | None = None

    def choices(self) -> list[str]:
        """Ids of the figures, in order."""
        raise NotImplementedError

    def marked(self) -> str | None:
        """The figure to mark: the one chosen, while the panel has the focus."""
        return self.chosen if self.has_focus and self.chosen in self.choices() else None

    def chosen_key(self) -> str:
        """The figure a key explains."""
        return self.marked() or self.WHOLE

    def place(self) -> tuple[int, int]:
        """First line and number of lines of what is chosen."""
        return 0, 1

    def on_key(self, event: events.Key) -> None:
        """Choose with the arrows."""
        by, ids = self.ALONG.get(event.key), self.choices()
        if by is None or not ids:
            return
        event.stop()
        event.prevent_default()
        here = self.marked()
        self.chosen = ids[0 if here is None else max(min(ids.index(here) + by, len(ids) - 1), 0)]
        self.reveal(*self.place())
        self.repaint()


class OutcomePanel(Chooser):
    """The headline figures, large, each with its range below."""

    WHOLE = "mfu"

    def __init__(self, session: Session, *, id: str) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(4, "Outcome", id=id)
        self.session = session

    def choices(self) -> list[str]:
        """The headline figures and the facts in view."""
        if self.outcome is None:
            return []
        return [figure.key for figure in headline(self.outcome)] + [*self._facts(self.size.width - 1)]

    def _facts(self, width: int) -> dict[str, str]:
        """The further facts there is room for."""
        words = facts(self.outcome) if self.outcome else {}
        while len(words) > 1 and span([("  ·  ".join(words.values()), "")]) > width - 2:
            words.popitem()
        return words

    def title_text(self) -> str:
        """The title says what the ranges are."""
        return f"Outcome, with {standing(self.outcome)}" if self.outcome and not self.stale else self.heading

    def body(self, width: int, height: int) -> list[Line]:
        """Names, figures, ranges, and a line of further facts."""
        if self.outcome is None:
            return self.nothing(width)
        figures = headline(self.outcome)
        large = height >= LARGE_HEIGHT and width >= LARGE_WIDTH and not self.app.has_class("-ascii")
        lines = self._large(figures, width) if large else small(figures, width, self.marked(), stale=self.stale)
        line: list[tuple[str, str]] = [(" ", "text")]
        for key, words in self._facts(width).items():
            here = key == self.marked()
            line += [("▌" if here else " ", "key"), (words, "strong" if here else "quiet"), ("  · ", "quiet")]
        return [*lines, padded(line[:-1], width)]

    def _large(self, figures: list[Figure], width: int) -> list[Line]:
        rows: list[list[tuple[str, str]]] = [[(" ", "text")] for _ in range(5)]
        for figure, size in zip(figures, (*TILES[:-1], max(width - 1 - sum(TILES), 0)), strict=True):
            ink, here = tile(figure, stale=self.stale), figure.key == self.marked()
            cells: list[Line] = [
                [(figure.name, "strong" if here else "text"), (f"  {figure.unit}", "quiet")],
                *([(row, ink)] for row in big(figure.number)),
                [(figure.below, "error" if figure.alarm else "quiet")],
            ]
            for row, cell in zip(rows, cells, strict=True):
                row.extend(padded([("▌" if here else " ", "key"), *cell], size))
        return [padded(row, width) for row in rows]


def small(figures: list[Figure], width: int, marked: str | None = None, *, stale: bool) -> list[Line]:
    """The headline figures in three lines, one of them marked."""
    size = (width - 2) // len(figures)
    sizes = (size - 1, size + 1, size + 2, size, max(width - 4 - 4 * size, 0))
    rows: list[list[tuple[str, str]]] = [[(" ", "text")] for _ in range(3)]
    for figure, room in zip(figures, sizes, strict=True):
        cells = (
            (figure.name, "quiet"),
            (figure.amount, tile(figure, stale=stale)),
            (figure.below.replace(" – ", "–"), "error" if figure.alarm else "quiet"),
        )
        for row, (text, ink) in zip(rows, cells, strict=True):
            row.extend(padded([("▌" if figure.key == marked else " ", "key"), (fit(text, room - 1), ink)], room))
    return [padded(row, width) for row in rows]


class Strip(Results, Lines):
    """The headline figures in three lines, for terminals too small for two columns."""

    def __init__(self, session: Session, *, id: str) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self.session = session
        self.stale = False

    def build(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - always three lines
        """Names, figures, ranges; where the edit is invalid, what the figures are of."""
        if self.outcome is None:
            return self.nothing(width)
        names, figures, ranges = small(headline(self.outcome), width, stale=self.stale)
        return [names, figures, padded([("  ▲ ", "warn"), (STALE, "warn")], width) if self.stale else ranges]


class StepPanel(Chooser):
    """Where the time of a step goes."""

    ALONG = {"up": -1, "down": 1}
    WHOLE = "step_time_s"

    def __init__(self, session: Session, *, id: str) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(5, "Where a step goes", id=id)
        self.session = session

    def title_text(self) -> str:
        """The title says how long the step is."""
        return step_title(self.outcome.estimate) if self.outcome else self.heading

    def body(self, width: int, height: int) -> list[Line]:
        """A bar a part, the smallest together where there is no room for them."""
        if self.outcome is None:
            return []
        most = 0 if self.has_focus else max(height, 2)
        lines: list[Line] = []
        for one in step_bars(self.outcome.estimate, width, most):
            here = bool(one.key) and one.key == self.marked()
            lead = [("▌ " if here else "  ", "key"), (one.name, "strong" if here else "quiet"), (one.bar, "bar")]
            line = padded([*lead, (one.numbers[0], "text"), (one.numbers[1], "quiet")], width)
            lines.append(on_ground(line, "focus") if here else line)
        return lines

    def choices(self) -> list[str]:
        """The parts."""
        return [*step_parts(self.outcome.estimate)] if self.outcome else []

    def place(self) -> tuple[int, int]:
        """The line of the part."""
        return self.choices().index(str(self.chosen)), 1


class MemoryPanel(Chooser):
    """Memory of the cards, stage by stage, against what a card has."""

    WHOLE = "memory_gb"

    def __init__(self, session: Session, *, id: str) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(6, "Memory by stage", id=id)
        self.session = session

    def title_text(self) -> str:
        """The title says what a card has."""
        return memory_title(self.outcome.estimate) if self.outcome else self.heading

    def body(self, width: int, height: int) -> list[Line]:
        """A legend, then a stacked bar a stage: all of them with the focus, else the ones that matter."""
        if self.outcome is None:
            return []
        legend: list[tuple[str, str]] = [(" ", "text")]
        for kind in MEMORY_PARTS:
            mark, ink = ("▌", "strong") if f"memory.{kind}" == self.marked() else (" ", "quiet")
            legend += [(mark, "key"), (FILLS[kind], "bar"), (f" {kind} ", ink)]
        rows = 0 if self.has_focus else max(height - 1, 1)
        shown = [*memory_bars(self.outcome.estimate, width, rows)]
        lines: list[Line] = [padded(legend, width)]
        for one in shown:
            ink = "error" if one.over else "text"
            line = [("  ", "text"), (one.name, "quiet"), (one.inside, "bar"), (one.beyond, "error"), (one.amount, ink)]
            lines.append(padded([*line, (" ✖" if one.over else "", "error")], width))
        hidden = len(self.outcome.estimate.memory_gb_by_stage) - len(shown)
        if hidden > 0 and span(legend) + LEGEND_ROOM <= width:
            lines[0] = spread(legend, [(f"{hidden} more ▾ ", "quiet")], width)
        return lines

    def choices(self) -> list[str]:
        """The kinds of memory."""
        return [f"memory.{kind}" for kind in MEMORY_PARTS] if self.outcome else []


class ProblemsPanel(Results, Panel):
    """What is wrong with the plan or worth knowing, and what to change; one is chosen, and a key applies its fix.

    Args:
        session: the plan being worked on.
        go_to: goes to the field of a key.
        id: the widget's id.
    """

    def __init__(self, session: Session, go_to: Callable[[str], None], *, id: str) -> None:  # noqa: A002
        super().__init__(7, "Problems", id=id)
        self.session, self._go_to = session, go_to
        self.chosen = 0
        self.typing = False
        """A number is being typed: letters go into it, not to actions."""
        self._field = ""

    def at_field(self, key: str) -> None:
        """The cursor is on the field of a key, or, where it is empty, on none."""
        before, self._field = self.fixable, key
        if self.fixable is not before:
            self.repaint()

    def title_text(self) -> str:
        """The title counts them."""
        count = len(self.session.problems)
        return f"Problems and notes · {count}" if count else "Problems"

    @property
    def fixable(self) -> Problem | None:
        """What a key applies the fix of: the problem chosen, else the first that is no mere note, else the field's."""
        problems = self.session.problems
        self.chosen = max(min(self.chosen, len(problems) - 1), 0)
        if self.has_focus and problems and problems[self.chosen].change:
            return problems[self.chosen]
        have = [problem for problem in problems if problem.change]
        of_field = next((problem for problem in have if problem.key == self._field), None)
        return next((problem for problem in have if problem.severity != "info"), of_field)

    @property
    def no_fix(self) -> str:
        """Why a key applies none."""
        if any(problem.change for problem in self.session.problems):
            return f"nothing has to be mended; a note chosen in panel {self.number} can be applied"
        return "no problem has a fix to apply; Enter on one goes to its field"

    def body(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - it scrolls
        """Sign, key, words and remedy of each."""
        problems = self.session.problems
        if not problems:
            return [padded([("  ✓ ", "ok"), ("Nothing stands in the way of this plan.", "quiet")], width)]
        fixable = self.fixable
        lines: list[Line] = []
        for index, problem in enumerate(problems):
            here = self.has_focus and index == self.chosen
            rows = self._rows(problem, width, fix=problem is fixable and not self.typing)
            if here:
                rows = [on_ground(row, "focus") for row in rows]
                self._here = (len(lines), len(rows))
            lines += rows
        return lines

    @staticmethod
    def _rows(problem: Problem, width: int, *, fix: bool) -> list[Line]:
        rows: list[Line] = []
        lead: Line = [("  ", "text"), (SIGNS[problem.severity], INKS[problem.severity]), (" ", "text")]
        nameless = problem.message.startswith(("unknown", "this "))
        message = f"{problem.key}: {problem.message}" if nameless and problem.key else problem.message
        for words in wrap(message, width - 5):
            rows.append(padded([*lead, (words, "text")], width))
            lead = [("    ", "text")]
        if problem.fix:
            lead = [("    → ", "key")]
            how = f"  ({first_key('apply-fix')} applies it)" if fix and problem.change else ""
            for words in wrap(problem.fix + how, width - 7):
                rows.append(padded([*lead, (words, "quiet")], width))
                lead = [("      ", "text")]
        return rows

    def on_key(self, event: events.Key) -> None:
        """Arrows choose a problem; Enter goes to the field it is about."""
        if event.key == "enter" and self.session.problems:
            event.stop()
            event.prevent_default()
            self._go_to(self.session.problems[self.chosen].key)
            return
        by = {"up": -1, "down": 1}.get(event.key)
        if by is None:
            return
        event.stop()
        event.prevent_default()
        self.chosen = max(min(self.chosen + by, len(self.session.problems) - 1), 0)
        self.body(max(self.size.width - 1, 1), 0)
        self.reveal(*getattr(self, "_here", (0, 1)))
        self.repaint()


class TopLine(Results, Lines):
    """Name of the plan, and at a glance whether it fits, what is wrong, whether it stands in a file."""

    def __init__(self, session: Session, *, id: str) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self.session = session

    def build(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - always one line
        """The name to the left, the state to the right."""
        session = self.session
        plan = session.plan
        name = plan.name or session.source or "unnamed plan"
        state: list[tuple[str, str]] = []
        if session.stale:
            state.append(("✖ invalid edit" if session.outcome else "✖ no figures", "error"))
        elif session.outcome is not None:
            capacity = f"{session.outcome.estimate.memory_capacity_gb:.3g} GB"
            fits = session.outcome.fits
            state.append((f"✓ fits in {capacity}", "ok") if fits else (f"✖ does not fit in {capacity}", "error"))
        warnings = sum(problem.severity == "warning" for problem in session.problems)
        if warnings:
            state += [(" · ", "quiet"), (f"▲ {warnings} warning{'s' if warnings > 1 else ''}", "warn")]
        state += [(" · ", "quiet"), ("exported" if session.is_exported else "not exported yet", "quiet"), (" ", "text")]
        if span(state) > width - 8:
            state = state[:1]
        return [spread([(" ", "text"), (name, "strong")], [("  ", "text"), *state], width)]
