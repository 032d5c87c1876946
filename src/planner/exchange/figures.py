"""Which figures a report shows, under which names: shared by the text, the Markdown and the HTML report."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from planner.engine.result import MEMORY_PARTS, Estimate, Outcome
from planner.exchange.format import (
    amount,
    between,
    days,
    gigabytes,
    megawatts,
    money,
    percent,
    seconds,
    short,
    significant,
)
from planner.spec.base import Problem
from planner.spec.plan import Resolved, Strategy

COMPUTE_NAMES = {
    "gemm": "matrix products",
    "attention": "attention",
    "memory_bound": "memory-bound",
    "logits": "logits and loss",
    "recompute": "recompute",
    "host": "host",
}
"""Parts of a step's compute as people call them."""

STEP_NAMES = {
    "compute": "compute",
    "tensor": "tensor parallel",
    "context": "context parallel",
    "expert": "expert exchange",
    "pipeline_bubble": "pipeline bubble",
    "pipeline_transfer": "pipeline transfer",
    "data": "data parallel",
    "optimizer": "optimizer",
    "other": "other",
}
"""Parts of a step as people call them."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One headline figure."""

    name: str
    value: str
    range_80: str = ""
    """The 80 % range, where there is one."""
    note: str = ""


def ranges_from(e: Estimate) -> str:
    """What the 80 % ranges of an estimate stand on, to follow a comma or a colon."""
    return (
        f"from {e.runs_behind:,} measured runs like it" if e.runs_behind else "no measured run is known to be like it"
    )


def plan_facts(r: Resolved) -> list[str]:
    """The cluster and the workload, fact by fact."""
    c, w = r.plan.cluster, r.plan.workload
    sites = f" at {c.sites:,} sites" if c.sites > 1 else ""
    return [
        f"{c.cards:,} x {r.card.name}{sites}",
        r.model.name,
        f"{short(w.tokens)} tokens",
        f"sequences of {w.sequence_length:,}",
        f"{w.global_batch:,} a step",
        w.precision,
    ]


def layout_facts(r: Resolved) -> list[str]:
    """The strategy, fact by fact; degrees of 1 are left out."""
    s = r.strategy
    degrees = {"tensor": s.tensor, "context": s.context, "pipeline": s.pipeline, "virtual stages": s.virtual_stages}
    degrees |= {"expert": s.expert, "expert tensor": s.expert_tensor}
    words = [f"{name} {degree:,}" for name, degree in degrees.items() if degree > 1]
    words += [f"data {r.data_parallel:,}", f"micro batch {s.micro_batch:,}"]
    if s.pipeline > 1:
        words.append(str(s.schedule))
    return [*words, s.sharding, f"recompute {recomputed(s)}", r.stack.name or r.stack.id]


def recomputed(y: Strategy) -> str:
    """What is computed again: modules, layers, or none."""
    if y.recompute == "selective":
        return " + ".join(y.recompute_modules or ("core_attention",))
    return f"{y.recompute_layers or 'all'} layers" if y.recompute == "full" else y.recompute


def headline(outcome: Outcome) -> list[Figure]:
    """The figures a planner looks at first."""
    e, ranges = outcome.estimate, outcome.estimate.interval_80
    stages = len(e.memory_gb_by_stage)
    stage = f", stage {e.fullest_stage} of {stages}" if stages > 1 else ""
    rate = e.usd_per_card_hour
    basis = "rented" if outcome.resolved.plan.cost.basis == "rent" else "owned"
    asked = f" of {outcome.resolved.plan.cost.rent_date}" if outcome.resolved.rent_years else ""
    per_million = f"${significant(e.usd_per_million_tokens)} a million tokens"
    hours = f"{basis}, ${rate:,.2f} each" if outcome.resolved.priced else f"no price{asked} is known for this card"
    cost = Figure("Cost", money(e.cost_usd), between(*ranges["cost_usd"], money), per_million)
    return [
        Figure(
            "MFU",
            percent(e.mfu),
            between(*ranges["mfu"], percent),
            f"HFU {percent(e.hfu)}, by 6ND {percent(e.mfu_6nd)}",
        ),
        Figure("Training time", days(e.training_days), between(*ranges["training_days"], days), _interruptions(e)),
        cost if outcome.resolved.priced else Figure("Cost", "unknown"),
        Figure("Card-hours", amount(e.card_hours), "", hours),
        Figure(
            "Step time", seconds(e.step_time_s), between(*ranges["step_time_s"], seconds), f"{amount(e.steps)} steps"
        ),
        Figure("Memory", gigabytes(e.memory_gb), "", f"of {gigabytes(e.memory_capacity_gb)}{stage}"),
        Figure("Tokens a second", short(e.tokens_per_s), "", f"{amount(e.tokens_per_s_per_card)} a card"),
        Figure("FLOP/s a card", f"{significant(e.model_tflops_per_card)} TFLOP/s", "", "the model's own"),
        Figure("Power", megawatts(e.power_mw), "", f"{amount(e.energy_mwh)} MWh, {amount(e.co2_kg / 1000)} t of CO2"),
        Figure("H100-equivalents", amount(e.h100_equivalents)),
    ]


MFU_NOTE = "MFU: the model's own FLOPs, causal attention counted once, over the dense BF16 peak."
"""The convention, which goes with every MFU."""


def verdict(outcome: Outcome) -> str:
    """Whether the plan fits, as a sentence."""
    return "It fits." if outcome.fits else "It does not fit."


UNPRICED = frozenset({"cost.usd_per_card_hour", "cost.rent_date", "cost.card_usd"})
"""Keys a warning is of where a price is not known."""


def unpriced(outcome: Outcome) -> list[Problem]:
    """What is said of a cost that is 0, or leaves something out, for want of a price."""
    return [problem for problem in outcome.problems if problem.key in UNPRICED and problem.severity == "warning"]


def claimed(outcome: Outcome) -> str:
    """What the plan's source says happened, and which it is, as a sentence; empty where it gives no figure."""
    claim = outcome.resolved.plan.claim
    if claim is None:
        return ""
    shown = (
        (claim.mfu, f"MFU {percent(claim.mfu)}"),
        (claim.days, f"{significant(claim.days)} days"),
        (claim.card_hours, f"{amount(claim.card_hours)} card-hours"),
        (claim.cost_usd, money(claim.cost_usd)),
        (claim.tokens_per_s_per_card, f"{amount(claim.tokens_per_s_per_card)} tokens/s a card"),
    )
    said = ", ".join(words for value, words in shown if value)
    source = f" ({claim.source})" if claim.source else ""
    return f"Claimed: {said}{source}." if said else ""


def stage_rows(e: Estimate) -> list[tuple[str, ...]]:
    """Memory as a table, one row a stage; stages that read the same share one."""
    shown = [
        (*(gigabytes(stage[part]) for part in MEMORY_PARTS), gigabytes(sum(stage.values())))
        for stage in e.memory_by_stage_gb
    ]
    rows = []
    for cells, group in groupby(range(len(shown)), key=shown.__getitem__):
        first, *rest = group
        rows.append((f"{first} – {rest[-1]}" if rest else str(first), *cells))
    return rows


def part_rows(e: Estimate) -> list[tuple[str, str, str, str]]:
    """The bill of materials as a table: part, count, price, power."""
    return [
        (p.part, f"{p.count:,.0f}", money(p.usd) if p.usd else "no price", megawatts(p.kw / 1000) if p.kw else "")
        for p in e.bill_of_materials
    ]


def _interruptions(e: Estimate) -> str:
    failures = f", {e.interruptions:,.0f} failures" if e.interruptions >= 1 else ""
    return f"goodput {percent(e.goodput)}{failures}"
