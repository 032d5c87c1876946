"""Rules of pipeline stages, their chunks and their schedules."""

from __future__ import annotations

from collections.abc import Iterator

from planner.spec.base import Problem
from planner.spec.plan import Resolved
from planner.spec.rules.numbers import NEAR, around, dividing, divisors, multiples_around, use

ENDS = 2
"""The embedding and the output head may each take the place of a layer, as a chunk of their own."""

ZERO_BUBBLE_CHUNKS = 2
"""ZB-V, the zero-bubble schedule with more than one chunk a stage, has two (arXiv 2401.10241)."""


def stages_have_layers(r: Resolved) -> Iterator[Problem]:
    """Every chunk of every stage holds at least a layer, or the embedding or head in its place."""
    s, most = r.strategy, most_chunks(r)
    if s.virtual_stages > 1 and s.pipeline == 1:
        message = f"virtual_stages = {s.virtual_stages} splits pipeline stages, but pipeline = 1."
        yield Problem("error", "strategy.virtual_stages", message, *use("strategy.virtual_stages", (1,)))
    elif s.pipeline > most:
        fits = dividing(r, "pipeline", (n for n in divisors(r.plan.cluster.cards) if n <= most))
        message = f"pipeline = {s.pipeline} has more stages than the model's {r.model.layers:,} layers can fill."
        yield Problem("error", "strategy.pipeline", message, *use("strategy.pipeline", around(fits, s.pipeline)))
    elif s.pipeline * s.virtual_stages > most:
        chunks = s.pipeline * s.virtual_stages
        message = (
            f"pipeline {s.pipeline:,} x virtual_stages {s.virtual_stages:,} = {chunks:,} chunks are more than "
            f"the model's {r.model.layers:,} layers can fill."
        )
        yield Problem(
            "error", "strategy.virtual_stages", message, *use("strategy.virtual_stages", (most // s.pipeline,))
        )


def even_layers(r: Resolved) -> Iterator[Problem]:
    """Layers that do not divide over the chunks make the fullest stage set the pace."""
    layers, chunks = r.model.layers + r.model.mtp_depth, r.strategy.pipeline * r.strategy.virtual_stages
    if layers % chunks and chunks <= most_chunks(r):
        message = (
            f"{layers:,} layers over {chunks:,} chunks: some hold {layers // chunks:,}, some {-(-layers // chunks):,}."
        )
        yield Problem("info", "strategy.pipeline", message)


def schedule_has_its_chunks(r: Resolved) -> Iterator[Problem]:
    """Each schedule has its number of chunks a stage, and DualPipe an even number of stages."""
    s, key = r.strategy, "strategy.virtual_stages"
    if s.pipeline == 1:
        if s.schedule in {"zero-bubble", "dualpipe"}:
            message = f"schedule = {s.schedule} needs pipeline stages, but pipeline = 1."
            yield Problem("error", "strategy.schedule", message, *use("strategy.schedule", ("1f1b",)))
        return
    if s.schedule == "interleaved" and s.virtual_stages == 1:
        message = "schedule = interleaved needs several chunks a stage, but virtual_stages = 1."
        fix, change = use("strategy.schedule", ("1f1b",))
        if 2 * s.pipeline <= most_chunks(r):
            fix, change = f"{use(key, (2,))[0]} Or: {fix}", ((key, 2),)
        yield Problem("error", "strategy.schedule", message, fix, change)
    if s.schedule == "1f1b" and s.virtual_stages > 1:
        message = f"schedule = 1f1b runs one chunk a stage, but virtual_stages = {s.virtual_stages}."
        yield Problem("error", "strategy.schedule", message, *use("strategy.schedule", ("interleaved",)))
    if s.schedule in {"gpipe", "dualpipe"} and s.virtual_stages > 1:
        message = f"schedule = {s.schedule} does not split stages further, but virtual_stages = {s.virtual_stages}."
        yield Problem("error", key, message, *use(key, (1,)))
    if s.schedule == "zero-bubble" and s.virtual_stages > ZERO_BUBBLE_CHUNKS:
        message = f"schedule = zero-bubble runs one or two chunks a stage, but virtual_stages = {s.virtual_stages}."
        yield Problem("error", key, message, *use(key, (2,)))
    if s.schedule == "dualpipe" and s.pipeline % 2:
        even = (n for n in divisors(r.plan.cluster.cards) if n % 2 == 0 and n <= most_chunks(r))
        fits = dividing(r, "pipeline", even)
        message = f"schedule = dualpipe feeds from both ends and needs an even number of stages, not {s.pipeline:,}."
        yield Problem("error", "strategy.pipeline", message, *use("strategy.pipeline", around(fits, s.pipeline)))


def dualpipe(r: Resolved) -> Iterator[Problem]:
    """DualPipe needs an even number of micro-batches, at least two for each stage.

    Source: github.com/deepseek-ai/DualPipe, dualpipe.py `step` (num_chunks % 2 == 0 and num_chunks >= num_ranks * 2).
    """
    s, count = r.strategy, r.micro_batches
    if s.schedule != "dualpipe" or s.pipeline == 1:
        return
    wanted = max(2 * s.pipeline, count + count % 2)
    if count == wanted:
        return
    message = (
        f"schedule = dualpipe needs an even number of micro-batches, at least 2 x pipeline = {2 * s.pipeline:,}; "
        f"a step has {count:,}."
    )
    per_group, batch = count * s.micro_batch, wanted * r.data_parallel * s.micro_batch
    counts = ((n, per_group // n) for n in divisors(per_group))
    smaller = [n for n, many in counts if many % 2 == 0 and many >= 2 * s.pipeline]
    if smaller:
        key, options = "strategy.micro_batch", smaller[-1:]
    elif batch <= NEAR * r.plan.workload.global_batch:
        key, options = "workload.global_batch", [batch]
    else:
        yield Problem("error", "strategy.schedule", message, *use("strategy.schedule", ("1f1b",)))
        return
    yield Problem("error", key, message, *use(key, options))


def interleaved_groups(r: Resolved) -> Iterator[Problem]:
    """Megatron's interleaved schedule takes micro-batches in groups of `pipeline`.

    Source: Narayanan et al. 2021 (arXiv 2104.04473, 2.2); newer Megatron-Core runs a smaller last group.
    """
    s, count = r.strategy, r.micro_batches
    if s.schedule != "interleaved" or s.pipeline == 1 or count % s.pipeline == 0 or count < s.pipeline:
        return
    message = (
        f"{count:,} micro-batches are no multiple of pipeline {s.pipeline:,}; older interleaved schedules need that."
    )
    batches = [n * r.data_parallel * s.micro_batch for n in multiples_around(count, s.pipeline)]
    yield Problem("warning", "workload.global_batch", message, *use("workload.global_batch", batches))


def pipeline_fills(r: Resolved) -> Iterator[Problem]:
    """Fewer micro-batches than stages leave most of the pipeline idle."""
    s, count = r.strategy, r.micro_batches
    if s.pipeline == 1 or count >= s.pipeline or s.schedule == "dualpipe":
        return
    message = f"{count:,} micro-batches a step cannot fill {s.pipeline:,} pipeline stages: cards idle most of the time."
    per_group = count * s.micro_batch
    smaller = [n for n in divisors(per_group) if per_group // n >= s.pipeline]
    if smaller:
        yield Problem("warning", "strategy.micro_batch", message, *use("strategy.micro_batch", smaller[-1:]))
    else:
        batch = s.pipeline * r.data_parallel * s.micro_batch
        fix = f"Raise global_batch to {batch:,} or lower pipeline."
        yield Problem("warning", "strategy.pipeline", message, fix, (("workload.global_batch", batch),))


def most_chunks(r: Resolved) -> int:
    """Most chunks the layers can fill, with embedding and head in the place of one each."""
    return r.model.layers + r.model.mtp_depth + ENDS
