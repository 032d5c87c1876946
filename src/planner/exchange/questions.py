"""Answers to the audit's page of questions: numbers from the engine, then one plain sentence each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from planner.engine.audit import best_of, hours_range, judge_hours
from planner.engine.estimate import evaluate
from planner.engine.result import Outcome
from planner.exchange.audit import VERDICT_WORDS, judged_dict
from planner.exchange.edits import changed
from planner.exchange.figures import layout_facts
from planner.exchange.format import between, days, money, percent, short
from planner.exchange.report import wrapped
from planner.spec.words import escaped

if TYPE_CHECKING:
    from planner.catalog import Catalog
    from planner.exchange.report import Line
    from planner.spec.plan import Plan
    from planner.spec.question import Question


NO_DIFFERENCE = 0.001
"""Relative difference too small to speak of."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A question, its answer in words, and the figures behind it."""

    ask: str
    text: str
    notes: str
    figures: dict[str, Any] = field(default_factory=dict)


def answer(question: Question, catalog: Catalog) -> Answer:
    """The answer to one question.

    Raises:
        PlanError: its plan or its change is not valid, or nothing fits.
    """
    text, figures = ANSWERS[question.kind](question, catalog)
    return Answer(question.ask, text, question.notes, figures)


def answer_lines(given: Answer, width: int) -> Iterator[Line]:
    """A question and its answer as text."""
    yield from wrapped(escaped(given.ask), width, "heading")
    yield from wrapped(escaped(f"  {given.text}"), width, "text", 2)
    if given.notes:
        yield from wrapped(escaped(f"  {given.notes}"), width, "quiet", 2)


def answer_dict(given: Answer) -> dict[str, Any]:
    """A question and its answer for programs."""
    return {"ask": given.ask, "answer": given.text, "notes": given.notes, **given.figures}


def run_dict(outcome: Outcome) -> dict[str, Any]:
    """The figures of a run that answers quote."""
    e = outcome.estimate
    return {
        "card_hours": e.card_hours,
        "training_days": e.training_days,
        "cost_usd": e.cost_usd,
        "mfu": e.mfu,
        "goodput": e.goodput,
        "step_time_s": e.step_time_s,
        "interval_80": {name: list(ends) for name, ends in e.interval_80.items()},
        "strategy": outcome.resolved.strategy.model_dump(mode="json", exclude_none=True),
    }


def searched(plan: Plan, catalog: Catalog) -> Outcome | None:
    """A plan with the best strategy for its cluster; None: nothing fits.

    The software, and the overlap the plan states, stay.
    """
    return best_of(catalog.resolve(plan.searchable))


def _possible(question: Question, catalog: Catalog) -> tuple[str, dict[str, Any]]:
    outcome = evaluate(catalog.resolve(catalog.plan(question.plans[0])))
    judged = judge_hours([outcome], question.card_hours)
    best = best_of(outcome.resolved)
    e = outcome.estimate
    said = f"{short(question.card_hours)} card-hours are {VERDICT_WORDS[judged.verdict]}"
    text = (
        f"{_yes(judged.verdict != 'faster-than-range')}. The layout as run takes {short(e.card_hours)} card-hours "
        f"({between(judged.low, judged.high, short)}), {days(e.training_days)}, {money(e.cost_usd)}; {said}."
    )
    figures = {"judged": judged_dict(judged), "estimate": run_dict(outcome)}
    if best is not None:
        text += f" The best strategy found takes {short(best.estimate.card_hours)}."
        figures["best_found"] = run_dict(best)
    return text, figures


def _takes(question: Question, catalog: Catalog) -> tuple[str, dict[str, Any]]:
    plan = changed(catalog.plan(question.plans[0]), question.set, catalog)
    best = searched(plan, catalog)
    if best is None:
        return "No strategy fits those cards.", {}
    e = best.estimate
    low, high = e.interval_80["training_days"]
    text = (
        f"{days(e.training_days)} ({between(low, high, days)}), {_hours(best)}, "
        f"at an MFU of {percent(e.mfu)} and a goodput of {percent(e.goodput)}, "
        f"with the best strategy found: {', '.join(layout_facts(best.resolved)[:-1])}."
    )
    return text, {"estimate": run_dict(best), "card_hours_80": list(hours_range(best))}


def _difference(question: Question, catalog: Catalog) -> tuple[str, dict[str, Any]]:
    plan = catalog.plan(question.plans[0])
    other = changed(plan, question.set, catalog)
    before, after = (evaluate(catalog.resolve(each)) for each in (plan, other))
    names = before.resolved.card.name, after.resolved.card.name
    as_run = _against(before, after)
    text = f"In the layout as it is, {names[0]} takes {_hours(before)} and {names[1]} {_hours(after)}: {as_run}."
    figures: dict[str, Any] = {"plans": [run_dict(before), run_dict(after)]}
    best = [searched(each, catalog) for each in (plan, other)]
    if best[0] is not None and best[1] is not None:
        hours = f"{_hours(best[0])} and {_hours(best[1])}"
        text += f" With the best strategy found for each, {hours}: {_against(best[0], best[1])}."
        figures["best_found"] = [run_dict(each) for each in best if each]
    return text, figures


def _sum(question: Question, catalog: Catalog) -> tuple[str, dict[str, Any]]:
    outcomes = [evaluate(catalog.resolve(catalog.plan(name))) for name in question.plans]
    judged = judge_hours(outcomes, question.card_hours)
    total = sum(outcome.estimate.card_hours for outcome in outcomes)
    parts = " + ".join(short(outcome.estimate.card_hours) for outcome in outcomes)
    text = (
        f"The engine gives {parts} = {short(total)} ({between(judged.low, judged.high, short)}); "
        f"{short(question.card_hours)} are {VERDICT_WORDS[judged.verdict]}."
    )
    return text, {"judged": judged_dict(judged), "card_hours": total}


ANSWERS: dict[str, Callable[[Question, Catalog], tuple[str, dict[str, Any]]]] = {
    "possible": _possible,
    "takes": _takes,
    "difference": _difference,
    "sum": _sum,
}
"""What answers each kind of question."""


def _yes(so: object) -> str:
    return "Yes" if so else "Not by the engine"


def _hours(outcome: Outcome) -> str:
    return f"{short(outcome.estimate.card_hours, 4)} card-hours ({money(outcome.estimate.cost_usd)})"


def _against(first: Outcome, second: Outcome) -> str:
    """Which of two takes longer, and by how much."""
    slower, faster = sorted((first, second), key=lambda outcome: -outcome.estimate.card_hours)
    longer = slower.estimate.card_hours / faster.estimate.card_hours - 1.0
    if longer < NO_DIFFERENCE:
        return "no difference to speak of"
    return f"{slower.resolved.card.name} takes {percent(longer)} longer"
