"""Work beside the keys: what a thread computes while the screen stays awake. No Textual.

The search and its like are imported when first asked for: the workbench is on screen before.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from planner.spec.base import PlanError
from planner.tui.helper import Helper

if TYPE_CHECKING:
    from planner.catalog import Catalog
    from planner.engine.found import Effect, Ranked, SearchResult
    from planner.engine.result import Outcome
    from planner.engine.search_space import Constraints
    from planner.engine.size import SizeResult
    from planner.exchange.questions import Answer
    from planner.spec.plan import Plan, Resolved
    from planner.spec.question import Question
    from planner.tui.state import Session, Value

Check = Callable[[], None]
"""Called every few milliseconds; it raises `Stopped` where the work is no longer wanted."""

REST_S: Final = 0.001
"""How long a thread at work sleeps now and then, so that a key does not wait for it."""
ANSWER_S: Final = 0.06
"""Time after a key in which threads at work wait: the screen has the interpreter to itself."""
SAME: Final = 5e-4
"""Relative gain too small to show."""


class Stopped(Exception):  # noqa: N818 - no error: nobody waits for the result any more
    """The work is no longer wanted."""


class Searching(Protocol):
    """Ranks so many strategies of a plan."""

    def __call__(
        self, resolved: Resolved, top: int, check: Check, constraints: Constraints | None = None, /
    ) -> SearchResult:
        """Search."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """The slow parts of the engine.

    Attributes:
        search: ranks so many strategies of a plan.
        explain: what ten per cent more of each thing does; takes the best strategy, where it is known.
        claims: ids of the presets whose claims are judged.
        answer: answers a question of the audit.
        size: the clusters of some kinds of cards (ids; empty: the plan's own) that train a plan within so many days.
        beside: run in a thread of its own; else at once, as tests want it.
    """

    search: Searching
    explain: Callable[[Resolved, Check, Ranked | None], tuple[Effect, ...]]
    claims: Callable[[Catalog], Sequence[str]]
    answer: Callable[[Question, Catalog], Answer]
    size: Callable[[Plan, Sequence[str], float, Check], SizeResult]
    beside: bool = True


def ranked(resolved: Resolved, top: int, constraints: Constraints | None, between: Check) -> SearchResult:
    """So many of a plan's best strategies; done by the helper."""
    from planner.engine.search import search

    return search(resolved, top, constraints, between=between)


def limits(resolved: Resolved, best: Ranked | None, between: Check) -> tuple[Effect, ...]:
    """What ten per cent more of each thing does; done by the helper."""
    from planner.engine.explain import explain

    return explain(resolved, best=best, between=between)


def sized(plan: Plan, cards: Sequence[str], within_days: float, between: Check) -> SizeResult:
    """The clusters that meet a deadline; done by the helper, which looks names up in its own catalogue."""
    from planner.catalog import Catalog
    from planner.engine.size import size
    from planner.exchange.sizing import clusters

    return size(clusters(plan, Catalog.default()), cards, within_days, tried=lambda _card, _count: between())


def _search(resolved: Resolved, top: int, check: Check, constraints: Constraints | None = None) -> SearchResult:
    found: SearchResult = _HELPER.ask(ranked, (resolved, top, constraints), check)
    return found


def _explain(resolved: Resolved, check: Check, best: Ranked | None) -> tuple[Effect, ...]:
    found: tuple[Effect, ...] = _HELPER.ask(limits, (resolved, best), check)
    return found


def _claims(catalog: Catalog) -> Sequence[str]:
    from planner.exchange.claims import claimants

    return claimants(catalog)


def _answer(question: Question, catalog: Catalog) -> Answer:
    from planner.exchange.questions import answer

    return answer(question, catalog)


def _size(plan: Plan, cards: Sequence[str], within_days: float, check: Check) -> SizeResult:
    found: SizeResult = _HELPER.ask(sized, (plan, tuple(cards), within_days), check)
    return found


_HELPER: Final = Helper()

REAL: Final = Tools(_search, _explain, _claims, _answer, _size)


_answered = 0.0


def a_key() -> None:
    """A key is being answered: what works beside waits for a moment."""
    global _answered  # noqa: PLW0603 - one keyboard
    _answered = time.monotonic() + ANSWER_S


def checking(cancelled: Callable[[], bool]) -> Check:
    """A check that stops cancelled work and otherwise lets the keys have their turn."""

    def check() -> None:
        if cancelled():
            raise Stopped
        time.sleep(REST_S)
        while (left := _answered - time.monotonic()) > 0:
            time.sleep(left)
            if cancelled():
                raise Stopped

    return check


@dataclass(frozen=True, slots=True)
class Best:
    """What was found for a plan."""

    outcome: Outcome | None
    """With the best strategy; None: nothing fits."""
    searched: int
    effects: tuple[Effect, ...] = ()
    """What would help the plan as it is."""


def best(session: Session, resolved: Resolved, check: Check) -> Iterator[Best]:
    """The best strategy of a plan; then the same with what would help the plan as it is, which takes as long again.

    Raises:
        Stopped: it is no longer wanted.
        PlanError: no strategy can make it possible.
    """
    result = session.tools.search(resolved, 1, check)
    check()
    first = result.ranked[0] if result.ranked else None
    outcome = session.evaluate(resolved.with_strategy(first.strategy)) if first else None
    check()
    found = Best(outcome, result.searched)
    yield found
    with contextlib.suppress(PlanError):
        yield dataclasses.replace(found, effects=session.tools.explain(resolved, check, first))


def changes(plan: Plan) -> Iterator[tuple[str, Value | None]]:
    """Every key of a plan's strategy that a search decides, so that an edit can take them over."""
    from planner.exchange.plan_toml import as_dict
    from planner.spec.plan import SEARCHED

    stated = as_dict(plan).get("strategy", {})
    for key in SEARCHED:
        yield f"strategy.{key}", stated.get(key)


def apply(session: Session, plan: Plan, label: str) -> None:
    """Take over another plan's strategy, as one step.

    Raises:
        PlanError: it does not go with the plan.
    """
    session.apply(changes(plan), label)
