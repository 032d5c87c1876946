"""`planner search`: every strategy that fits, the best first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from planner.engine.result import Outcome
    from planner.engine.search import SearchResult
    from planner.engine.search_space import Constraints
    from planner.exchange.report import Line
    from planner.spec.plan import Resolved, Strategy

MOST_REASONS = 5
MOST_DIFFERENCES = 4


@click.command("search")
@click.argument("file")
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
    "--headroom", type=click.FloatRange(min=0.0, max=0.9), default=0.0, metavar="SHARE",
    help="Leave this share of the usable memory free, e.g. 0.1.",
)  # fmt: skip
@click.option("--keep", multiple=True, metavar="KEY=VALUE", help="Hold a key of the strategy; may be repeated.")
@click.option("--exhaustive", is_flag=True, help="Evaluate every strategy, to count exactly how many fit; may be slow.")
@click.pass_context
def command(
    context: click.Context, file: str, *, objective: str, top: int, as_json: bool, max_tensor: int | None,
    schedules: tuple[str, ...], shardings: tuple[str, ...], headroom: float, keep: tuple[str, ...], exhaustive: bool,
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
    from planner.engine.search_space import Constraints

    catalog = Catalog.default()
    resolved, own = _resolved(find_plan(file, catalog), catalog, file)
    constraints = Constraints(
        max_tensor or 0, _known("schedule", schedules), _known("sharding", shardings), (), headroom, _kept(keep)
    )
    result = search(resolved, top, constraints, exhaustive=exhaustive)
    outcomes = [evaluate(dataclasses.replace(resolved, strategy=one.strategy)) for one in result.ranked]
    if as_json:
        put_json(_json(result, outcomes, objective))
    else:
        put_lines(_lines(result, outcomes, resolved, constraints, own=own))
    if not outcomes:
        context.exit(1)


def _resolved(plan: Any, catalog: Any, source: str) -> tuple[Resolved, bool]:  # noqa: ANN401 - imported when called
    """The plan with its names looked up, and whether it has a strategy of its own."""
    from planner.spec.base import PlanError
    from planner.spec.plan import Strategy

    own = plan.strategy is not None
    try:
        return catalog.resolve(plan if own else plan.model_copy(update={"strategy": Strategy()})), own
    except PlanError as error:
        raise PlanError(error.problems, "standard input" if source == "-" else source) from None


def _known(key: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of an option, checked."""
    from typing import get_args

    from planner.spec.plan import Schedule, Sharding

    allowed = get_args(Schedule if key == "schedule" else Sharding)
    for name in names:
        if name not in allowed:
            raise click.BadParameter(f"{name!r} is not one of {', '.join(allowed)}.", param_hint=f"--{key}")
    return names


def _kept(texts: tuple[str, ...]) -> dict[str, object]:
    from planner.choose import SEARCHED
    from planner.exchange.sweep import parse_vary

    kept: dict[str, object] = {}
    for text in texts:
        one = parse_vary(f"strategy.{text.removeprefix('strategy.')}")
        key = one.key.removeprefix("strategy.")
        if key not in SEARCHED or len(one.values) != 1:
            raise click.BadParameter(f"{text!r}: write KEY=VALUE with a key of the strategy.", param_hint="--keep")
        value = one.values[0]
        kept[key] = tuple(str(value).split("+")) if key == "recompute_modules" else value
    return kept


def strategy_dict(strategy: Strategy) -> dict[str, Any]:
    """A strategy as a plan file would set it."""
    from planner.choose import with_strategy
    from planner.exchange.plan_toml import as_dict
    from planner.spec.plan import Cluster, Plan, Workload

    plan = Plan(cluster=Cluster(card="-", cards=1), workload=Workload(model="-", tokens=1.0))
    table: dict[str, Any] = as_dict(with_strategy(plan.model_copy(update={"strategy": strategy}), strategy))["strategy"]
    return table


def _json(result: SearchResult, outcomes: list[Outcome], objective: str) -> dict[str, Any]:
    from planner.exchange.as_json import estimate_dict

    return {
        "searched": result.searched,
        "feasible": result.feasible,
        "seconds": result.seconds,
        "objective": objective,
        "exhaustive": result.exhaustive,
        "too_large": result.too_large,
        "slower": result.slower,
        "results": [
            {"strategy": strategy_dict(o.resolved.strategy), "estimate": estimate_dict(o.estimate)} for o in outcomes
        ],
    }


def _lines(
    result: SearchResult,
    outcomes: list[Outcome],
    resolved: Resolved,
    constraints: Constraints,
    *,
    own: bool,
) -> Iterator[Line]:
    from planner.exchange.figures import plan_facts
    from planner.exchange.report import Line

    yield Line(" · ".join(plan_facts(resolved)), "title")
    yield Line(_counts(result))
    if outcomes:
        yield Line("")
        yield from _table(outcomes)
        if own:
            yield from _against_own(resolved, outcomes[0])
    yield from _why(result)
    if not outcomes:
        from planner.engine.search_reasons import nothing_fits

        nothing = nothing_fits(resolved, constraints)
        yield Line(nothing.message if nothing else "no layout divides these cards and this batch.", "error")


def _counts(result: SearchResult) -> str:
    words = f"{result.searched:,} strategies in {result.seconds:.2f} s: {result.too_large:,} do not fit"
    if result.exhaustive:
        return f"{words}, {result.feasible:,} fit."
    slower = f"{result.slower:,} cannot be among the best whether they fit or not"
    return f"{words}, {slower}, {result.feasible:,} that fit were compared."


def _table(outcomes: list[Outcome]) -> Iterator[Line]:
    from planner.exchange.format import days, gigabytes, money, percent
    from planner.exchange.report import Line

    head = ("", "days", "cost", "MFU", "memory", "strategy")
    rows = [
        (
            str(number),
            " ".join(days(o.estimate.training_days)).removesuffix(" days"),
            money(o.estimate.cost_usd) if o.estimate.cost_usd else "–",
            percent(o.estimate.mfu),
            gigabytes(o.estimate.memory_gb),
            describe(o.resolved.strategy, o.resolved.data_parallel),
        )
        for number, o in enumerate(outcomes, 1)
    ]
    widths = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head) - 1)]
    for row in (head, *rows):
        cells = "  ".join(f"{cell:>{wide}}" for cell, wide in zip(row, widths, strict=False))
        yield Line(f"{cells}  {row[-1]}", "heading" if row is head else "text")


def describe(y: Strategy, data: int) -> str:
    """A strategy in a line; degrees of 1 are left out."""
    names = {"tensor": y.tensor, "context": y.context, "pipeline": y.pipeline, "virtual": y.virtual_stages}
    names |= {"expert": y.expert, "expert tensor": y.expert_tensor}
    words = [f"{name} {degree:,}" for name, degree in names.items() if degree > 1]
    words += [f"data {data:,}", f"micro {y.micro_batch:,}"]
    words += [str(y.schedule)] if y.pipeline > 1 else []
    words += [y.sharding + (f"/{y.shard_group:,}" if y.shard_group else "")]
    words += ["no sequence"] if y.tensor > 1 and not y.sequence else []
    if y.recompute == "selective":
        words.append(f"recompute {' + '.join(y.recompute_modules or ('core_attention',))}")
    elif y.recompute == "full":
        words.append(f"recompute {y.recompute_layers or 'all'} layers")
    return " · ".join(words)


def _against_own(resolved: Resolved, best: Outcome) -> Iterator[Line]:
    """What the plan's own strategy loses, and where."""
    from planner.engine.estimate import evaluate
    from planner.engine.search_reasons import differences
    from planner.exchange.figures import COMPUTE_NAMES, STEP_NAMES
    from planner.exchange.format import percent, seconds
    from planner.exchange.report import Line
    from planner.spec.base import PlanError

    yield Line("")
    try:
        own = evaluate(resolved)
    except PlanError as error:
        yield Line(f"The plan's own strategy is impossible: {error.problems[0].message}", "warning")
        return
    slower = own.estimate.step_time_s / best.estimate.step_time_s - 1.0
    fits = "" if own.fits else " and does not fit"
    taken = f"{percent(abs(slower))} {'more' if slower >= 0 else 'less'}"
    yield Line(f"The plan's own strategy takes {taken} time{fits}. Its step against the best:")
    names = {**STEP_NAMES, **COMPUTE_NAMES}
    for one in differences(own.estimate, best.estimate)[:MOST_DIFFERENCES]:
        sign = "+" if one.gain_s > 0 else "-"
        times = f"{seconds(one.own_s):>8} against {seconds(one.best_s):>8}  {sign}{seconds(abs(one.gain_s))}"
        yield Line(f"  {names[one.part]:<20} {times}")


def _why(result: SearchResult) -> Iterator[Line]:
    from planner.engine.search_reasons import rejected
    from planner.exchange.report import Line

    reasons = rejected(result)
    if reasons:
        yield Line("")
        yield Line("What memory rules out, the largest regions first:", "quiet")
    for one in reasons[:MOST_REASONS]:
        yield Line(f"  {one.region}: {one.count:,} of {one.of:,}: {one.why}", "quiet")
