"""What the tests of the terminal UI share: an engine with plain figures, the text on screen, key presses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.pilot import Pilot

from planner.catalog import Catalog
from planner.engine.found import Effect, Ranked, Region, SearchResult
from planner.engine.result import Estimate, Outcome
from planner.engine.search_space import Constraints
from planner.engine.size import Size, SizeResult, Tried
from planner.exchange.questions import Answer
from planner.exchange.sizing import clusters
from planner.spec.base import PlanError, Problem
from planner.spec.plan import SEARCHED, Plan, Resolved
from planner.spec.question import Question
from planner.spec.rules import check
from planner.tui.app import PlannerApp
from planner.tui.thinking import Tools
from planner.tui.widgets.field_panel import FieldPanel
from planner.tui.widgets.table import Table

SIZES = {"60x20": (60, 20), "80x24": (80, 24), "120x40": (120, 40)}
CATALOG = Catalog.default()


def plain_engine(resolved: Resolved) -> Outcome:
    """An engine with figures one can compute by hand, so that pictures do not change with the calibration.

    One step takes 2,048 x 20 s / cards; with full recomputation 18 s, so that there is something better. Each stage
    needs 40 GB and 30 GB more for each micro batch.
    """
    problems = check(resolved)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise PlanError(errors)
    plan, strategy = resolved.plan, resolved.strategy
    step = 2048 * (18.0 if strategy.recompute == "full" else 20.0) / plan.cluster.cards
    days = plan.workload.tokens / (plan.workload.global_batch * plan.workload.sequence_length) * step / 86_400
    hours = days * 24 * plan.cluster.cards
    cost = hours * resolved.usd_per_card_hour
    stages = tuple(
        {"weights": 12.0, "gradients": 8.0, "optimizer": 18.0 - stage / strategy.pipeline,
         "activations": 30.0 * strategy.micro_batch, "other": 2.0} for stage in range(strategy.pipeline)
    )  # fmt: skip
    totals = tuple(sum(stage.values()) for stage in stages)
    compute = {"gemm": 0.4, "attention": 0.2, "memory_bound": 0.1, "logits": 0.02, "recompute": 0.0, "host": 0.03}
    rest = {"tensor": 0.0, "context": 0.0, "expert": 0.1, "pipeline_bubble": 0.06, "pipeline_transfer": 0.02,
            "data": 0.04, "optimizer": 0.02, "other": 0.01}  # fmt: skip
    fits = max(totals) <= resolved.card.memory_gb
    if not fits:
        words = f"does not fit: stage 0 needs {max(totals):.0f} GB, the card has {resolved.card.memory_gb:.0f} GB."
        fix = "Use micro_batch = 1."
        problem = Problem("error", "strategy.micro_batch", words, fix, (("strategy.micro_batch", 1),))
        problems = (problem, *problems)
    estimate = Estimate(
        step_time_s=step, tokens_per_s=1e6, tokens_per_s_per_card=1500.0, model_tflops_per_card=400.0, mfu=0.4, hfu=0.4,
        mfu_6nd=0.35, training_days=days, card_hours=hours, goodput=0.97, h100_equivalents=plan.cluster.cards * 1.0,
        cost_usd=cost, usd_per_million_tokens=0.3, energy_mwh=hours * 1e-3, power_mw=plan.cluster.cards * 1.4e-3,
        co2_kg=1e6, memory_gb=max(totals), memory_capacity_gb=resolved.card.memory_gb, memory_gb_by_stage=totals,
        memory_breakdown_gb=stages[0],
        memory_by_stage_gb=stages, step_breakdown_s={"compute": 0.75 * step, **{k: v * step for k, v in rest.items()}},
        compute_breakdown_s={name: share * step for name, share in compute.items()},
        interval_80={"step_time_s": (step * 0.9, step * 1.1), "mfu": (0.36, 0.44),
                     "training_days": (days * 0.9, days * 1.1), "cost_usd": (cost * 0.9, cost * 1.1)},
        runs_behind=12, steps=days * 86_400 / step, interruptions=48.0, checkpoint_gb=9_000.0, checkpoint_every_s=900.0,
        spare_cards=16.0, it_peak_mw=plan.cluster.cards * 1.2e-3, usd_per_card_hour=resolved.usd_per_card_hour,
    )  # fmt: skip
    return Outcome(resolved, fits, problems, estimate)


PLAIN_LAYOUTS: tuple[dict[str, object], ...] = (
    {"micro_batch": 1, "recompute": "full", "recompute_modules": ()},
    {"micro_batch": 1, "recompute": "none", "recompute_modules": ()},
)  # fmt: skip


def plain_search(
    resolved: Resolved, top: int, _check: object = None, constraints: Constraints | None = None
) -> SearchResult:
    """Twelve strategies, each 0.1 s slower than the one before: the plan's own with full recomputation, or without."""
    step = 2048 * 18.0 / resolved.plan.cluster.cards
    ranked = [
        Ranked(resolved.strategy.model_copy(update=PLAIN_LAYOUTS[n % 2]), step + n / 10,
               80.0 - 2 * n) for n in range(12)
    ]  # fmt: skip
    if constraints is not None:
        ranked = [one for one in ranked if all(constraints.allow(key, getattr(one.strategy, key)) for key in SEARCHED)]
    regions = (Region(1, 0, 0, 300, 300, 412.0, 0), Region(2, 1, 0, 700, 600, -3.5, 1))
    return SearchResult(
        1000, 100, 900, 100, 0, exhaustive=False, seconds=0.25, ranked=tuple(ranked[:top]), front=tuple(ranked[:10]),
        regions=regions, capacity_bytes=80e9,
    )  # fmt: skip


def plain_explain(resolved: Resolved, _check: object = None, _best: object = None) -> tuple[Effect, ...]:
    """FLOP/s matter most, the network less; memory not at all; a price moves the cost alone."""
    days = plain_engine(resolved).estimate.training_days
    return (
        Effect("price", "card price", 0.0, 5e5, 0.0, 0.1),
        Effect("flops", "card FLOP/s", -0.06 * days, -3e5, -0.06, -0.06),
        Effect("scale_out", "scale-out bandwidth", -0.01 * days, -5e4, -0.01, -0.01),
        Effect("memory", "memory size", 0.0, 0.0, 0.0, 0.0, "The plain engine says what memory is measured by."),
    )


def plain_answer(question: Question, _catalog: Catalog) -> Answer:
    """The same to every question."""
    return Answer(question.ask, f"The plain engine answers a question of kind {question.kind}.", question.notes)


def plain_claims(_catalog: Catalog) -> list[str]:
    """A plausible claim, a slower one, and one that states too little."""
    return ["deepseek-v3", "llama-3.1-405b", "kimi-k2"]


def plain_size(plan: Plan, cards: Sequence[str], within_days: float, _check: object = None) -> SizeResult:
    """On each card 1,024, 2,048 and 4,096 with full recomputation, and 1,000, which no layout shares out."""
    make = clusters(plan, CATALOG)
    tried = []
    for card in cards:
        tried.append(Tried(card, 1_000, None, "no layout is valid"))
        for count in (1_024, 2_048, 4_096):
            r = make(card, count)
            best = r.strategy.model_copy(update=PLAIN_LAYOUTS[0])
            e = plain_engine(r.with_strategy(best)).estimate
            one = Size(card, count, e.training_days, e.cost_usd, e.power_mw, best, r.priced)
            tried.append(Tried(card, count, one))
    met = sorted((one.size for one in tried if one.size and one.size.training_days <= within_days),
                 key=lambda one: (one.cards, one.cost_usd))  # fmt: skip
    return SizeResult(tuple(met), 100, tuple(tried), {}, {}, 0.1)


PLAIN = Tools(plain_search, plain_explain, plain_claims, plain_answer, plain_size, beside=False)


def app_on(plan: Plan | str = "deepseek-v3", theme: str = "dark") -> PlannerApp:
    """The application on a plan, with the plain engine."""
    found = CATALOG.plan(plan) if isinstance(plan, str) else plan
    app = PlannerApp(found, plan if isinstance(plan, str) else "deepseek-v3", catalog=CATALOG, engine=plain_engine,
                     tools=PLAIN)  # fmt: skip
    app.theme = theme
    return app


def screen_lines(app: PlannerApp) -> list[str]:
    """What is on screen, as text."""
    app.screen._compositor  # noqa: B018 - fails loudly when Textual moves it
    return [strip.text for strip in app.screen._compositor.render_strips()]


def screen_text(app: PlannerApp) -> str:
    """What is on screen, as one text."""
    return "\n".join(screen_lines(app))


def table(app: PlannerApp) -> Table:
    """The table of the screen in front."""
    return app.screen.query_one(Table)


async def press(pilot: Pilot[None], keys: str | Iterable[str]) -> None:
    """Press keys one after the other; `text:4096` types."""
    for key in keys.split() if isinstance(keys, str) else keys:
        if key.startswith("text:"):
            await pilot.press(*({".": "full_stop", " ": "space"}.get(char, char) for char in key.removeprefix("text:")))
        else:
            await pilot.press(key)
    await pilot.pause()


def field(app: PlannerApp) -> str:
    """Key of the field with the cursor."""
    panel = app.workbench.focused
    assert isinstance(panel, FieldPanel)
    return panel.current.key


async def go_to(app: PlannerApp, key: str) -> None:
    """Put the cursor on a field."""
    for panel in app.workbench.query(FieldPanel):
        if panel.go_to(key):
            app.workbench.set_focus(panel)
            return
    raise AssertionError(key)
