"""`planner search`: every strategy that fits, the best first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from planner.cli.completing import plans
from planner.cli.numbers import FiniteRange

if TYPE_CHECKING:
    from planner.catalog import Catalog
    from planner.engine.found import SearchResult
    from planner.engine.result import Outcome
    from planner.engine.search_reasons import NothingFits
    from planner.engine.search_rules import Forbidden
    from planner.engine.search_space import Constraints
    from planner.exchange.report import Line
    from planner.spec.base import PlanError
    from planner.spec.plan import Plan, Resolved

MOST_REASONS = 5
MOST_DIFFERENCES = 4
WIDEST_PICTURE, PICTURE_ROWS = 90, 15


@click.command("search")
@click.argument("file", shell_complete=plans)
@click.option(
    "--objective", type=click.Choice(["days", "cost", "energy"]), default="days", show_default=True,
    help="What the best strategy has least of. On one cluster all three grow with the step time, so they agree.",
)  # fmt: skip
@click.option("--top", type=click.IntRange(1, 10_000), default=10, show_default=True, help="Strategies to show.")
@click.option("--json", "as_json", is_flag=True, help="Print strategies and estimates as JSON.")
@click.option("--max-tensor", type=click.IntRange(min=1), metavar="N", help="No tensor degree above this.")
@click.option("--schedule", "schedules", multiple=True, metavar="NAME", help="Only this schedule; may be repeated.")
@click.option("--sharding", "shardings", multiple=True, metavar="NAME", help="Only this sharding; may be repeated.")
@click.option(
    "--headroom", type=FiniteRange(min=0.0, max=0.9), default=0.0, metavar="SHARE",
    help="Leave this share of the usable memory free, e.g. 0.1.",
)  # fmt: skip
@click.option("--keep", multiple=True, metavar="KEY=VALUE", help="Hold a key of the strategy; may be repeated.")
@click.option("--scale", is_flag=True, help="The best strategy on an eighth to eight times the cards instead, drawn.")
@click.option("--card", "cards", multiple=True, metavar="ID", help="With --scale: draw this card too; may be repeated.")
@click.option("--exhaustive", is_flag=True, help="Evaluate every strategy, to count exactly how many fit; may be slow.")
@click.pass_context
def command(
    context: click.Context, file: str, *, objective: str, top: int, as_json: bool, max_tensor: int | None,
    schedules: tuple[str, ...], shardings: tuple[str, ...], headroom: float, keep: tuple[str, ...], exhaustive: bool,
    scale: bool, cards: tuple[str, ...],
) -> None:  # fmt: skip
    """Rank every strategy that fits a plan's cluster.

    FILE is a plan file, a preset's id, or - for standard input. Tokens and global batch stay as they are. The exit
    status is 1 where no strategy fits.
    """
    import dataclasses

    from planner.catalog import Catalog
    from planner.cli.output import put_json, put_lines
    from planner.cli.plans import find_plan
    from planner.engine.estimate import evaluate
    from planner.engine.search import search
    from planner.engine.search_reasons import nothing_fits
    from planner.engine.search_rules import forbidden
    from planner.engine.search_space import Constraints
    from planner.exchange.search_json import search_dict
    from planner.exchange.strategies import RANKED

    _agree(context, scale=scale, cards=cards)
    catalog = Catalog.default()
    plan = find_plan(file, catalog)
    resolved, has_own = _resolved(plan, catalog, file)
    kept = _kept(keep, plan, catalog)
    names = _known("schedule", schedules), _known("sharding", shardings)
    constraints = Constraints(max_tensor or 0, *names, (), headroom, kept)
    if scale:
        put_lines(_scale(plan, resolved, cards, constraints, catalog))
        return
    most = max(top, RANKED)
    result = _all(resolved, most, constraints) if exhaustive else search(resolved, most, constraints)
    outcomes = [evaluate(dataclasses.replace(resolved, strategy=one.strategy)) for one in result.ranked[:top]]
    nothing = None if outcomes else nothing_fits(resolved, constraints)
    own = _own(resolved) if has_own else None
    rules = forbidden(resolved, constraints)
    if as_json:
        put_json(search_dict(result, rules, outcomes, objective, own, nothing))
    else:
        put_lines(_lines(result, rules, outcomes, resolved, own, nothing, constraints))
    if not outcomes:
        context.exit(1)


def _agree(context: click.Context, *, scale: bool, cards: tuple[str, ...]) -> None:
    """Refuse options that would have no effect.

    Raises:
        click.UsageError: there is one.
    """
    from click.core import ParameterSource

    if cards and not scale:
        raise click.UsageError("--card goes with --scale.")
    others = {"as_json": "--json", "exhaustive": "--exhaustive", "top": "--top"}
    given = [flag for name, flag in others.items() if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if scale and given:
        raise click.UsageError(f"{given[0]} does not go with --scale.")


def _all(resolved: Resolved, top: int, constraints: Constraints) -> SearchResult:
    """Every strategy evaluated, with a bar on a terminal: it can take minutes."""
    import sys

    from planner.engine.search import Search
    from planner.engine.search_space import Space

    space = Space(resolved, constraints)
    hidden = not sys.stderr.isatty()
    with click.progressbar(length=space.count, label="strategies", file=sys.stderr, hidden=hidden) as bar:
        run = Search(space, top, exhaustive=True, between=lambda: bar.update(run.evaluated - bar.pos))
        return run.run()


def _resolved(plan: Plan, catalog: Catalog, source: str) -> tuple[Resolved, bool]:
    """The plan with its names looked up, and whether it has a strategy of its own."""
    from planner.exchange.files import spoken
    from planner.spec.base import PlanError

    try:
        return catalog.resolve(plan.searchable), plan.strategy is not None
    except PlanError as error:
        raise PlanError(error.problems, spoken(source)) from None


def _scale(
    plan: Plan, resolved: Resolved, cards: tuple[str, ...], constraints: Constraints, catalog: Catalog
) -> Iterator[Line]:
    """The plan on more and fewer cards, each with its best strategy, as the terminal UI draws it."""
    from functools import partial

    from planner.cli.output import folding, width
    from planner.engine.estimate import evaluate
    from planner.engine.search import search
    from planner.exchange.scale import lines, name_of, points

    def best(r: Resolved) -> Outcome | None:
        ranked = search(r, 1, constraints).ranked
        return evaluate(r.with_strategy(ranked[0].strategy)) if ranked else None

    every = [point for card in ("", *cards) for point in points(plan.searchable, card, catalog, best)]
    order = {card: place for place, card in enumerate(("", *cards))}
    every.sort(key=lambda point: (order[point.card], point.cards))
    names = partial(name_of, resolved=resolved, catalog=catalog)
    yield from lines(every, names, width(), fold=folding())


def _known(key: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of an option, checked."""
    from typing import get_args

    from planner.spec.plan import Schedule, Sharding

    allowed = get_args(Schedule if key == "schedule" else Sharding)
    for name in names:
        if name not in allowed:
            raise click.BadParameter(f"{name!r} is not one of {', '.join(allowed)}.", param_hint=f"--{key}")
    return names


def _kept(texts: tuple[str, ...], plan: Plan, catalog: Catalog) -> dict[str, object]:
    """Keys held at a value, checked as those of a plan file are."""
    from planner.exchange.edits import set_keys
    from planner.exchange.sweep import parse_vary
    from planner.spec.plan import SEARCHED

    kept: dict[str, object] = {}
    for text in texts:
        key, _, value = (part.strip() for part in text.removeprefix("strategy.").partition("="))
        if key not in SEARCHED or not value or set(value) & {",", ":"}:
            fix = f"write KEY=VALUE, for example tensor=8, with a key that is searched: {', '.join(SEARCHED)}."
            raise click.BadParameter(f"{text!r}: {fix}", param_hint="--keep")
        one = parse_vary(f"strategy.{key}={value}")
        wanted = value.split("+") if key == "recompute_modules" else one.values[0]
        kept[key] = getattr(set_keys(plan, [(one.key, wanted)], catalog, "--keep").strategy, key)
    return kept


def _lines(
    result: SearchResult,
    rules: tuple[Forbidden, ...],
    outcomes: list[Outcome],
    resolved: Resolved,
    own: Outcome | PlanError | None,
    nothing: NothingFits | None,
    constraints: Constraints,
) -> Iterator[Line]:
    from planner.cli.output import folding, width
    from planner.engine.search_reasons import no_layout
    from planner.exchange.figures import plan_facts, unpriced
    from planner.exchange.report import Line, problem_lines, wrapped
    from planner.exchange.strategies import counts, ruled_out

    columns = width()
    title = " · ".join(plan_facts(resolved))
    yield from wrapped(title, folding() or len(title), "title")
    yield from wrapped(counts(result), columns)
    if outcomes:
        yield Line("")
        yield from _table(outcomes)
        yield from (line for problem in unpriced(outcomes[0]) for line in problem_lines(problem, columns))
        if own is not None:
            yield Line("")
            yield from _against_own(own, outcomes[0])
        yield from _picture(result, outcomes[0], own)
    else:
        words = nothing.message if nothing else no_layout(resolved, constraints)
        yield from wrapped(words[:1].upper() + words[1:], columns, "error")
    out = [row for line in ruled_out(result, rules, MOST_REASONS) for row in wrapped(line.text, columns, "quiet", 4)]
    yield from ([Line(""), *out] if out else [])
    if outcomes:
        yield from _next(outcomes[0])


def _next(best: Outcome) -> Iterator[Line]:
    """The best strategy as a plan file has it."""
    import tomli_w

    from planner.exchange.report import Line
    from planner.exchange.search_json import strategy_dict

    yield Line("")
    yield Line("To plan with the first: b in the terminal UI, or in the plan file")
    table = tomli_w.dumps({"strategy": strategy_dict(best.resolved.strategy)})
    yield from (Line(f"  {row}".rstrip()) for row in table.splitlines())


def _table(outcomes: list[Outcome]) -> Iterator[Line]:
    from planner.cli.output import folding
    from planner.exchange.format import day_count, gigabytes, money, percent
    from planner.exchange.strategies import describe
    from planner.exchange.tables import table

    head = ("", "days", "cost", "MFU", "memory", "strategy")
    rows = [
        (
            str(number),
            day_count(o.estimate.training_days),
            money(o.estimate.cost_usd) if o.resolved.priced else "–",
            percent(o.estimate.mfu),
            gigabytes(o.estimate.memory_gb),
            describe(o.resolved.strategy, o.resolved.data_parallel),
        )
        for number, o in enumerate(outcomes, 1)
    ]
    yield from table(rows, head, range(len(head) - 1), fold=folding())


def _own(resolved: Resolved) -> Outcome | PlanError:
    """The plan with its own strategy, or why that is impossible."""
    from planner.engine.estimate import evaluate
    from planner.spec.base import PlanError

    try:
        return evaluate(resolved)
    except PlanError as error:
        return error


def _against_own(own: Outcome | PlanError, best: Outcome) -> Iterator[Line]:
    """What the plan's own strategy loses, and where."""
    from planner.cli.output import width
    from planner.exchange.report import wrapped
    from planner.exchange.strategies import against
    from planner.spec.base import PlanError

    if isinstance(own, PlanError):
        words = f"The plan's own strategy is impossible: {own.problems[0].message}"
        yield from wrapped(words, width(), "warning")
    else:
        for line in against(own, best, MOST_DIFFERENCES):
            yield from wrapped(line.text, width(), line.style)


def _picture(result: SearchResult, best: Outcome, own: Outcome | PlanError | None) -> Iterator[Line]:
    """Days against memory, where there is more than one way."""
    from planner.cli.output import width
    from planner.engine.result import Outcome
    from planner.exchange.report import Line
    from planner.exchange.strategies import pareto

    if len(result.front) <= 1:
        return
    point = (own.estimate.memory_gb, own.estimate.training_days) if isinstance(own, Outcome) else None
    yield Line("")
    wide = min(width(), WIDEST_PICTURE)
    rows = pareto(result, best, point, wide, PICTURE_ROWS)
    yield from (Line(row.rstrip()) for row in rows)
