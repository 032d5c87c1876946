"""Which figures a report shows, under which names: shared by the text and the Markdown report."""

from __future__ import annotations

from dataclasses import dataclass

from planner.engine.result import Estimate, Outcome
from planner.exchange.format import between, days, gigabytes, megawatts, money, percent, seconds, short, significant
from planner.spec.plan import Resolved

STEP_NAMES = {
    "gemm": "matrix products",
    "attention": "attention",
    "memory_bound": "memory-bound",
    "logits": "logits and loss",
    "recompute": "recompute",
    "host": "host",
    "tensor": "tensor parallel",
    "context": "context parallel",
    "expert": "expert exchange",
    "pipeline_bubble": "pipeline bubble",
    "pipeline_transfer": "pipeline transfer",
    "data": "data parallel",
    "optimizer": "optimizer",
    "other": "other",
}
"""Parts of a step as people call them: those of its compute, then the others."""

LEAST_SHARE = 0.0005
"""Parts of less than this share of a step are not worth a line."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One headline figure."""

    name: str
    value: str
    range_80: str = ""
    """The 80 % range, where there is one."""
    note: str = ""


def plan_line(r: Resolved) -> str:
    """The cluster and the workload in one line."""
    c, w = r.plan.cluster, r.plan.workload
    sites = f" at {c.sites:,} sites" if c.sites > 1 else ""
    return (
        f"{c.cards:,} x {r.card.name}{sites} · {r.model.name} · {short(w.tokens)} tokens in sequences of "
        f"{w.sequence_length:,}, {w.global_batch:,} a step · {w.precision}"
    )


def layout_line(r: Resolved) -> str:
    """The strategy in one line; degrees of 1 that nobody set are left out."""
    s = r.strategy
    degrees = {"tensor": s.tensor, "context": s.context, "pipeline": s.pipeline, "virtual stages": s.virtual_stages}
    degrees |= {"expert": s.expert, "expert tensor": s.expert_tensor}
    words = [f"{name} {degree:,}" for name, degree in degrees.items() if degree > 1]
    words += [f"data {r.data_parallel:,}", f"micro batch {s.micro_batch:,}"]
    if s.pipeline > 1:
        words.append(str(s.schedule))
    words += [s.sharding, f"recompute {s.recompute}", r.stack.name or r.stack.id]
    return " · ".join(words)


def headline(outcome: Outcome) -> list[Figure]:
    """The figures a planner looks at first."""
    e, capacity = outcome.estimate, outcome.resolved.card.memory_gb
    ranges = e.interval_80
    fullest = max(range(len(e.memory_gb_by_stage)), key=e.memory_gb_by_stage.__getitem__, default=0)
    stage = f", stage {fullest} of {len(e.memory_gb_by_stage)}" if len(e.memory_gb_by_stage) > 1 else ""
    return [
        Figure("MFU", percent(e.mfu), between(*ranges["mfu"], percent), "causal attention, of the dense BF16 peak"),
        Figure("Training time", " ".join(days(e.training_days)), between(*ranges["training_days"], _days)),
        Figure("Cost", *_cost(e)),
        Figure("Memory", gigabytes(e.memory_gb), "", f"of {gigabytes(capacity)}{stage}"),
        Figure("Step time", seconds(e.step_time_s), between(*ranges["step_time_s"], seconds)),
        Figure("Throughput", f"{short(e.tokens_per_s)}/s", "", f"{short(e.tokens_per_s_per_card)} tokens/s a card"),
        Figure("Model FLOP/s", f"{significant(e.model_tflops_per_card)} TF", "", _other_mfu(e)),
        Figure("Card-hours", short(e.card_hours), "", f"{short(e.h100_equivalents)} H100-equivalents"),
        Figure("Goodput", percent(e.goodput), "", "of the time makes progress"),
        Figure("Power", megawatts(e.power_mw), "", f"{short(e.energy_mwh)} MWh, {short(e.co2_kg / 1000)} t of CO2"),
    ]


def step_parts(e: Estimate) -> list[tuple[str, float]]:
    """Name and seconds of every part of a step that is worth a line; the parts of compute stand for compute."""
    times = {**e.compute_breakdown_s, **e.step_breakdown_s}
    least = LEAST_SHARE * e.step_time_s
    return [(name, times[part]) for part, name in STEP_NAMES.items() if times[part] > least]


def _days(value: float) -> str:
    return " ".join(days(value))


def _cost(e: Estimate) -> tuple[str, str, str]:
    if not e.cost_usd:
        return "unknown", "", "no price is known for this card: set cost.usd_per_card_hour"
    return (
        money(e.cost_usd),
        between(*e.interval_80["cost_usd"], money),
        f"{money(e.usd_per_million_tokens)} a million tokens",
    )


def _other_mfu(e: Estimate) -> str:
    return f"a card; HFU {percent(e.hfu)}, MFU by 6ND {percent(e.mfu_6nd)}"
