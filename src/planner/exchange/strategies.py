"""Strategies in words, ranked, and what would help: the same text in the terminal UI and on the command line."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from planner.exchange.figures import COMPUTE_NAMES, STEP_NAMES, recomputed
from planner.exchange.format import day_count, days, gigabytes, money, percent, seconds
from planner.exchange.plots import Axis, Series, chart, two_sided
from planner.exchange.report import Line, wrapped

if TYPE_CHECKING:
    from planner.engine.found import Effect, SearchResult
    from planner.engine.result import Outcome
    from planner.engine.search_rules import Forbidden
    from planner.spec.plan import Resolved, Strategy

VISIBLE = 5e-4
"""Relative effect below which it shows as none."""
RANKED = 100
"""Strategies ranked for a picture: the front holds what was evaluated, which is more where more are ranked."""
NAME = 24
FIGURES = 26


def describe(y: Strategy, data: int) -> str:
    """A strategy in a line; degrees of 1 are left out."""
    names = {"tensor": y.tensor, "context": y.context, "pipeline": y.pipeline, "virtual": y.virtual_stages}
    names |= {"expert": y.expert, "expert tensor": y.expert_tensor}
    words = [f"{name} {degree:,}" for name, degree in names.items() if degree > 1]
    words += [f"data {data:,}", f"micro {y.micro_batch:,}"]
    words += [str(y.schedule)] if y.pipeline > 1 or y.schedule == "gpipe" else []
    words += [y.sharding + (f"/{y.shard_group:,}" if y.shard_group else "")]
    words += ["no sequence"] if y.tensor > 1 and not y.sequence else []
    words += [f"recompute {recomputed(y)}"] if y.recompute != "none" else []
    return " · ".join(words)


def counts(result: SearchResult) -> str:
    """How many strategies were searched, and what became of them."""
    words = f"{result.searched:,} strategies in {result.seconds:.2f} s"
    if result.searched == result.too_large:
        return f"{words}, and none fits." if result.searched else "There is no strategy to search."
    words += f": {result.too_large:,} do not fit"
    if result.exhaustive:
        return f"{words}, {result.feasible:,} fit."
    slower = f"{result.slower:,} cannot be among the best whether they fit or not"
    return f"{words}, {slower}, {result.feasible:,} that fit were compared."


def outcomes(
    resolved: Resolved, result: SearchResult, evaluate: Callable[[Resolved], Outcome], check: Callable[[], None]
) -> Iterator[Outcome]:
    """What the engine says of each strategy ranked, the best first.

    Args:
        resolved: the plan that was searched.
        result: of its search.
        evaluate: the engine.
        check: called before each; what it raises ends it.
    """
    for one in result.ranked:
        check()
        yield evaluate(dataclasses.replace(resolved, strategy=one.strategy))


def pareto(result: SearchResult, best: Outcome, own: tuple[float, float] | None, width: int, height: int) -> list[str]:
    """Days against memory of the strategies that none beats in both, with the plan's own beside them.

    On one cluster days grow with the step time alone, and cost with days, so one picture shows all three.

    Args:
        result: of a search.
        best: its fastest, for the days a second of step takes.
        own: memory in GB and days of the plan's own strategy.
        width: cells.
        height: rows.
    """
    per_second = best.estimate.training_days / best.estimate.step_time_s
    front = sorted((one.memory_gb, one.step_time_s * per_second) for one in result.front)
    series = [Series("Pareto front", front)]
    if own is not None:
        series.append(Series("this plan", [own], mark="◆"))
    show = Axis("days", day_count, log=True)
    return chart(series, Axis("memory", gigabytes), show, width, height)


def against(own: Outcome, best: Outcome, most: int, name: str = "the best") -> Iterator[Line]:
    """What the plan's own strategy loses against another, and in which parts of the step.

    Args:
        own: the plan as it is.
        best: with the best strategy, or another one.
        most: parts named at most.
        name: what the other is called.
    """
    from planner.engine.search_reasons import differences

    slower = own.estimate.step_time_s / best.estimate.step_time_s - 1.0
    if own.resolved.strategy == best.resolved.strategy or (own.fits and abs(slower) < VISIBLE):
        yield Line(f"The plan's own strategy is as fast as {name}.")
        return
    fits = "" if own.fits else " and does not fit"
    taken = f"{percent(abs(slower))} {'more' if slower >= 0 else 'less'}"
    yield Line(f"The plan's own strategy takes {taken} time{fits}. Its step against {name}:")
    names = {**STEP_NAMES, **COMPUTE_NAMES}
    for one in differences(own.estimate, best.estimate)[:most]:
        sign = "+" if one.gain_s > 0 else "-"
        times = f"{seconds(one.own_s):>8} against {seconds(one.best_s):>8}  {sign}{seconds(abs(one.gain_s))}"
        yield Line(f"  {names[one.part]:<20} {times}")


def ruled_out(result: SearchResult, rules: Sequence[Forbidden], most: int) -> Iterator[Line]:
    """What memory and what the rules of a layout take out, the largest regions first.

    Args:
        result: of a search.
        rules: what rules take out of it.
        most: regions named at most, of each kind.
    """
    from planner.engine.search_reasons import rejected

    reasons = rejected(result)
    if reasons:
        yield Line("Weights, gradients, optimizer and layer inputs alone do not fit in:", "quiet")
    for one in reasons[:most]:
        where = one.where
        out = "" if where.too_large == where.count else f" of {where.count:,}"
        yield Line(f"  {one.region}: {where.too_large:,}{out}; {one.why}", "quiet")
    yield from _more(len(reasons) - most)
    if reasons and rules:
        yield Line("")
    if rules:
        total = result.searched + sum(one.strategies for one in rules)
        yield Line(f"Of {total:,} ways to divide cards, batch and model, these cannot be:", "quiet")
    for rule in rules[:most]:
        yield Line(f"  {rule.region}: {rule.strategies:,}; {rule.why}", "quiet")
    yield from _more(len(rules) - most)


def _more(count: int) -> Iterator[Line]:
    if count > 0:
        yield Line(f"  and {count:,} more {'region' if count == 1 else 'regions'}.", "quiet")


def tornado(effects: Sequence[Effect], width: int) -> Iterator[Line]:
    """What ten per cent more of each thing does to days (and cost, where that differs), the largest effect first.

    Args:
        effects: from `engine.explain`.
        width: columns to fill.
    """
    seen = [e for e in effects if max(abs(e.days_share), abs(e.cost_share)) >= VISIBLE]
    if not seen:
        yield Line("  Nothing here changes days or cost by as much as it could show.", "quiet")
        yield from _notes(effects, width)
        return
    reach = max(abs(e.days_share or e.cost_share) for e in seen)
    room = max(width - NAME - FIGURES - 2, 10)
    for e in seen:
        share = e.days_share if abs(e.days_share) >= VISIBLE else e.cost_share
        picture = two_sided(share, reach, room)
        yield Line(f"  {e.name:<{NAME - 2}}{picture}  {effect_words(e)}".rstrip())
    rest = [e.name for e in effects if e not in seen]
    if rest:
        yield from wrapped(f"  No effect to speak of: {', '.join(rest)}.", width, "quiet", 2)
    yield from _notes(effects, width)


def _notes(effects: Sequence[Effect], width: int) -> Iterator[Line]:
    """What an effect is of, where it is not of the plan as it is."""
    return (line for e in effects if e.note for line in wrapped(f"  {e.note}", width, "quiet", 2))


def effect_words(e: Effect) -> str:
    """The change of days, and of the cost where it is another.

    >>> from planner.engine.found import Effect
    >>> effect_words(Effect("flops", "card FLOP/s", -3.08, -303218.0, -0.061, -0.061))
    '-3.08 days (-6.1 %)'
    """
    if abs(e.days_share) >= VISIBLE:
        words = f"{_sign(e.days)}{days(abs(e.days))} ({100 * e.days_share:+.1f} %)"
        same = abs(e.cost_share - e.days_share) < VISIBLE or not e.cost_share
        return words if same else f"{words}, {_sign(e.cost_usd)}{money(abs(e.cost_usd))}"
    return f"{_sign(e.cost_usd)}{money(abs(e.cost_usd))} ({100 * e.cost_share:+.1f} %)"


def _sign(value: float) -> str:
    return "-" if value < 0 else "+"
