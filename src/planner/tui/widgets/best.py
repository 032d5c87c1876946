"""The best strategy of the plan on screen, found anew beside the keys after each edit; and what would help.

A plan whose own layout an edit has made impossible has one as well: it is one key from figures again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from textual.timer import Timer
from textual.worker import get_current_worker

from planner.engine.result import Outcome
from planner.exchange.format import days, gigabytes
from planner.freeing import give_back
from planner.spec.base import PlanError
from planner.spec.plan import Resolved
from planner.tui import thinking
from planner.tui.actions import first_key
from planner.tui.state import Session, sentence
from planner.tui.thinking import Best, Stopped
from planner.tui.widgets.lines import Line, Lines, padded, span, spread

DELAY_S: Final = 0.2
"""Time after an edit until the search starts: a number is typed before it is searched for."""
HELPS: Final = 3
"""Things named that would help."""


class BestLine(Lines):
    """One line, and a second one where the style sheet gives it room.

    Args:
        session: the plan being worked on.
        id: the widget's id.
    """

    def __init__(self, session: Session, *, id: str) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._session = session
        self._of: Resolved | None = None
        self._timer: Timer | None = None
        self._trouble = ""
        self.found: Best | None = None
        """Of the plan on screen; None while it is looked for."""
        self.typing = False
        """A number is being typed: letters go into it, not to actions."""

    # ------------------------------------------------------------------------------------------------- looking

    def changed(self) -> None:
        """The plan may be another: look again where it is."""
        session, resolved = self._session, self._session.resolved
        if session.drafts or (resolved is not None and resolved.plan is not session.plan):
            resolved = None
        if resolved is self._of:
            self.repaint()
            return
        self.stop()
        self._of, self.found, self._trouble = resolved, None, ""
        if resolved is not None:
            if session.tools.beside:
                self._timer = self.set_timer(DELAY_S, self._start)
            else:
                self._look(resolved, lambda: None, self._show)
        self.repaint()

    def stop(self) -> None:
        """What is under way is no longer wanted."""
        if self._timer is not None:
            self._timer.stop()
        self.workers.cancel_group(self, "best")

    def _start(self) -> None:
        resolved = self._of
        if resolved is None:
            return

        def work() -> None:
            worker = get_current_worker()

            def done(found: Best | str) -> None:
                if not worker.is_cancelled:
                    self.app.call_from_thread(self._show_of, resolved, found)

            self._look(resolved, thinking.checking(lambda: worker.is_cancelled), done)
            give_back()

        self.run_worker(work, thread=True, group="best", exclusive=True, exit_on_error=False)

    def _look(self, resolved: Resolved, check: thinking.Check, done: Callable[[Best | str], None]) -> None:
        try:
            for found in thinking.best(self._session, resolved, check):
                done(found)
        except Stopped:
            return
        except PlanError as error:
            done(sentence(error.problems[0]))

    def _show_of(self, resolved: Resolved, found: Best | str) -> None:
        if resolved is self._of:
            self._show(found)

    def _show(self, found: Best | str) -> None:
        if isinstance(found, str):
            self._trouble = found
        else:
            self.found = found
        self.repaint()

    # ------------------------------------------------------------------------------------------------- showing

    @property
    def _own(self) -> Outcome | None:
        """The plan with its own strategy; None where that is impossible."""
        own = self._session.outcome
        return own if own is not None and own.resolved is self._of else None

    @property
    def better(self) -> Outcome | None:
        """What a key would apply: the best, where it is better than the plan's own, or that does not fit or work."""
        best, own = self.found.outcome if self.found else None, self._own
        if best is None or own is None:
            return best
        return best if not own.fits or self._gain(best, own) > thinking.SAME else None

    @staticmethod
    def _gain(best: Outcome, own: Outcome) -> float:
        return 1.0 - best.estimate.training_days / own.estimate.training_days

    def build(self, width: int, height: int) -> list[Line]:
        """What was found; below it what would help."""
        return [self._best(width), self._helps(width)][:height]

    def _best(self, width: int) -> Line:
        if self._of is None or (self._trouble and self._own is None):
            return padded((), width)
        if self.found is None:
            return padded([(" " + (self._trouble or "Looking for the best strategy …"), "faint")], width)
        best, better, own = self.found.outcome, self.better, self._own
        if best is None:
            searched = self.found.searched
            words = f" None of {searched:,} strategies fits" if searched else " No strategy is valid on"
            words += " these cards; "
            return padded([(words, "warn"), (first_key("strategies"), "key"), (" says why", "quiet")], width)
        if better is None:
            words = f"no other of {self.found.searched:,} strategies is faster"
            return padded([(" ✓ ", "ok"), (f"The best strategy: {words}", "quiet")], width)
        time = days(better.estimate.training_days)
        gain = " and valid" if own is None else " and fits"
        if own is not None and own.fits:
            gain = f" ({-100 * self._gain(better, own):+.1f} %)"
        lead: Line = [(" Best found: ", "quiet"), (f"{time}{gain}, {gigabytes(better.estimate.memory_gb)}", "strong")]
        tail = self._offer("best", "applies it")
        from planner.exchange.strategies import describe

        what = describe(better.resolved.strategy, better.resolved.data_parallel)
        if span([*lead, *tail]) + span([(what, "")]) + 3 > width:
            what = what.split(" · recompute")[0]
        return spread([*lead, (f" · {what}", "quiet")], tail, width)

    def _offer(self, action: str, words: str) -> Line:
        first = "  Enter, then " if self.typing else "  "
        return [(first, "quiet"), (first_key(action), "key"), (f" {words} ", "quiet")]

    def _helps(self, width: int) -> Line:
        if self.found is None:
            return padded((), width)
        from planner.exchange.strategies import VISIBLE

        effects = self.found.effects
        seen = sorted((e for e in effects if e.days_share < -VISIBLE), key=lambda e: e.days_share)[:HELPS]
        if not seen:
            return padded((), width)
        line: list[tuple[str, str]] = [(" 10 % more of: ", "quiet")]
        tail = self._offer("limits", "what would help")
        for number, e in enumerate(seen):
            more = [(" · " if number else "", "quiet"), (f"{e.name} ", "text"), (f"-{days(-e.days)}", "strong")]
            if number and span([*line, *more, *tail]) > width:
                break
            line += more
        return spread(line, tail, width)
