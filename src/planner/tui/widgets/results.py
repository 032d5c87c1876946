"""What the plan comes to: headline figures, where a step goes, memory by stage, problems."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from textual import events

from planner.engine.result import MEMORY_PARTS, Outcome
from planner.exchange.format import gigabytes, seconds
from planner.spec.base import Problem
from planner.tui.charts import ASCII_FILLS, FILLS, bar, big, pick_stages, stacked
from planner.tui.figures import Figure, facts, headline, rough_percent, standing, step_parts
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

    ascii_only: ClassVar[bool] = False
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


class OutcomePanel(Results, ScrollPanel):
    """The headline figures, large, each with its range below."""

    def __init__(self, session: Session, *, id: str) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(4, "Outcome", id=id)
        self.session = session

    def title_text(self) -> str:
        """The title says what the ranges are."""
        return f"Outcome, with {standing(self.outcome)}" if self.outcome and not self.stale else self.heading

    def body(self, width: int, height: int) -> list[Line]:
        """Names, figures, ranges, and a line of further facts."""
        if self.outcome is None:
            return self.nothing(width)
        figures = headline(self.outcome)
        large = height >= LARGE_HEIGHT and width >= LARGE_WIDTH and not self.ascii_only
        lines = self._large(figures, width) if large else small(figures, width, stale=self.stale)
        words = facts(self.outcome)
        while len(words) > 1 and span([("  ·  ".join(words), "")]) > width - 2:
            words.pop()
        return [*lines, padded([("  ", "text"), ("  ·  ".join(words), "quiet")], width)]

    def _large(self, figures: list[Figure], width: int) -> list[Line]:
        rows: list[list[tuple[str, str]]] = [[("  ", "text")] for _ in range(5)]
        for figure, size in zip(figures, (*TILES[:-1], max(width - 2 - sum(TILES), 0)), strict=True):
            ink = tile(figure, stale=self.stale)
            top, middle, bottom = big(figure.number)
            cells: list[Line] = [
                [(figure.name, "text"), (f"  {figure.unit}", "quiet")],
                [(top, ink)],
                [(middle, ink)],
                [(bottom, ink)],
                [(figure.below, "error" if figure.alarm else "quiet")],
            ]
            for row, cell in zip(rows, cells, strict=True):
                row.extend(padded(cell, size))
        return [padded(row, width) for row in rows]


def small(figures: list[Figure], width: int, *, stale: bool) -> list[Line]:
    """The headline figures in three lines."""
    size = (width - 2) // len(figures)
    sizes = (size - 1, size + 1, size + 2, size, max(width - 4 - 4 * size, 0))
    rows: list[list[tuple[str, str]]] = [[("  ", "text")] for _ in range(3)]
    for figure, room in zip(figures, sizes, strict=True):
        money, _, unit = figure.unit.partition(" ") if figure.unit.startswith("$") else ("", "", figure.unit)
        cells = (
            (figure.name, "quiet"),
            (f"{money}{figure.number} {unit}".strip(), tile(figure, stale=stale)),
            (figure.below.replace(" – ", "–"), "error" if figure.alarm else "quiet"),
        )
        for row, (text, ink) in zip(rows, cells, strict=True):
            row.extend(padded([(fit(text, room - 1), ink)], room))
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


class StepPanel(Results, ScrollPanel):
    """Where the time of a step goes."""

    def __init__(self, session: Session, *, id: str) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(5, "Where a step goes", id=id)
        self.session = session

    def title_text(self) -> str:
        """The title says how long the step is."""
        return f"Where a step of {seconds(self.outcome.estimate.step_time_s)} goes" if self.outcome else self.heading

    def body(self, width: int, height: int) -> list[Line]:
        """A bar a part, the smallest together where there is no room for them."""
        if self.outcome is None:
            return []
        parts = step_parts(self.outcome)
        if len(parts) > height > 1 and not self.has_focus:
            kept = {name for name, _ in sorted(parts, key=lambda part: -part[1])[: height - 1]}
            rest = [value for name, value in parts if name not in kept]
            parts = [part for part in parts if part[0] in kept] + [(f"{len(rest)} smaller parts", sum(rest))]
        total = self.outcome.estimate.step_time_s
        scale = max(value for _, value in parts) if parts else 1.0
        room = max(width - 20 - 18, 4)
        lines: list[Line] = []
        for name, value in parts:
            chart = bar(value, scale, room, ascii_only=self.ascii_only)
            lead = [("  ", "text"), (fit(name, 18), "quiet"), (chart, "bar")]
            tail = [(f"{seconds(value):>9}", "text"), (f"{rough_percent(value / total):>7}", "quiet")]
            lines.append(padded([*lead, *tail], width))
        return lines


class MemoryPanel(Results, ScrollPanel):
    """Memory of the cards, stage by stage, against what a card has."""

    def __init__(self, session: Session, *, id: str) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(6, "Memory by stage", id=id)
        self.session = session

    def title_text(self) -> str:
        """The title says what a card has."""
        if self.outcome is None:
            return self.heading
        return f"Memory by stage, of {gigabytes(self.outcome.estimate.memory_capacity_gb)} a run can use"

    def body(self, width: int, height: int) -> list[Line]:
        """A legend, then a stacked bar a stage: all of them with the focus, else the ones that matter."""
        if self.outcome is None:
            return []
        estimate, capacity = self.outcome.estimate, self.outcome.estimate.memory_capacity_gb
        fills = ASCII_FILLS if self.ascii_only else FILLS
        legend: list[tuple[str, str]] = [("  ", "text")]
        for kind in MEMORY_PARTS:
            legend += [(fills[kind], "bar"), (f" {kind}  ", "quiet")]
        stages = estimate.memory_by_stage_gb
        totals = estimate.memory_gb_by_stage
        rows = len(stages) if self.has_focus else max(height - 1, 1)
        shown = pick_stages(totals, rows)
        scale = max(capacity, *totals)
        room = max(width - 12 - 13, 4)
        lines: list[Line] = [padded(legend, width)]
        for stage in shown:
            over = totals[stage] > capacity
            limit = round(room * capacity / scale)
            name = f"stage {stage}" if len(stages) > 1 else "all cards"
            chart = stacked(stages[stage], scale, room, ascii_only=self.ascii_only)
            lines.append(
                padded([("  ", "text"), (fit(name, 10), "quiet"), (chart[:limit], "bar"), (chart[limit:], "error"),
                        (f"{gigabytes(totals[stage]):>10}", "error" if over else "text"),
                        (" ✖" if over else "", "error")], width)
            )  # fmt: skip
        hidden = len(stages) - len(shown)
        if hidden > 0 and span(legend) + LEGEND_ROOM <= width:
            lines[0] = spread(legend, [(f"{hidden} more ▾ ", "quiet")], width)
        return lines


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

    def title_text(self) -> str:
        """The title counts them."""
        count = len(self.session.problems)
        return f"Problems and notes · {count}" if count else "Problems"

    @property
    def fixable(self) -> Problem | None:
        """The problem whose fix a key applies: the chosen one, else the first that has one."""
        problems = self.session.problems
        self.chosen = max(min(self.chosen, len(problems) - 1), 0)
        first = next((problem for problem in problems if problem.change), None)
        return problems[self.chosen] if self.has_focus and problems and problems[self.chosen].change else first

    def body(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - it scrolls
        """Sign, key, words and remedy of each."""
        problems = self.session.problems
        if not problems:
            return [padded([("  ✓ ", "ok"), ("Nothing stands in the way of this plan.", "quiet")], width)]
        fixable = self.fixable
        lines: list[Line] = []
        for index, problem in enumerate(problems):
            here = self.has_focus and index == self.chosen
            rows = self._rows(problem, width, fix=problem is fixable)
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
            for words in wrap(problem.fix + ("  (f applies it)" if fix and problem.change else ""), width - 7):
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
        by = {"up": -1, "down": 1, "k": -1, "j": 1}.get(event.key)
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
