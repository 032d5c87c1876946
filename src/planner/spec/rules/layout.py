"""Rules of the tensor, sequence, context, data and expert groups."""

from __future__ import annotations

from collections.abc import Iterator

from planner.spec.base import Problem
from planner.spec.plan import Resolved
from planner.spec.rules.numbers import (
    Change,
    around,
    card_counts,
    dividing,
    divisors,
    group_size,
    multiples_around,
    use,
)


def cards_divide(r: Resolved) -> Iterator[Problem]:
    """Cards = tensor x context x pipeline x data, with a whole number of data-parallel groups."""
    s, cards, group = r.strategy, r.plan.cluster.cards, group_size(r)
    if cards % group == 0:
        return
    product = f"tensor {s.tensor:,} x context {s.context:,} x pipeline {s.pipeline:,} = {group:,} cards"
    if cards < group:
        message = f"one copy of the model takes more than cluster.cards = {cards:,}: {product}."
    else:
        message = f"{cards:,} cards do not divide into copies of {product}."
    yield Problem("error", "cluster.cards", message, *use("cluster.cards", card_counts(r, group)))


def batch_divides(r: Resolved) -> Iterator[Problem]:
    """Every data-parallel group gets the same whole number of micro-batches."""
    batch, data, micro = r.plan.workload.global_batch, r.data_parallel, r.strategy.micro_batch
    if batch % (data * micro) == 0:
        return
    message = f"{batch:,} sequences do not divide over data {data:,} x micro_batch {micro:,} = {data * micro:,}."
    if batch % data == 0:
        slots, times = batch // data, 2 if r.strategy.schedule == "dualpipe" else 1
        counts = [(n, slots // n) for n in divisors(slots)]
        fits = [n for n, m in counts if m >= times * r.strategy.pipeline and m % times == 0] or divisors(slots)
        fix, change = use("strategy.micro_batch", around(fits, micro))
        yield Problem("error", "strategy.micro_batch", message, fix, change)
        return
    fix, change = use("workload.global_batch", multiples_around(batch, data * micro))
    yield Problem("error", "workload.global_batch", message, fix, change)


def heads_divide(r: Resolved) -> Iterator[Problem]:
    """Tensor parallelism splits attention (and Mamba) heads."""
    m, tensor = r.model, r.strategy.tensor
    if m.heads % tensor:
        yield _tensor_error(r, f"tensor = {tensor} does not divide the model's {m.heads:,} attention heads.")
    if m.hybrid and m.hybrid.mamba_heads % tensor:
        yield _tensor_error(r, f"tensor = {tensor} does not divide the model's {m.hybrid.mamba_heads:,} Mamba heads.")


def widths_divide(r: Resolved) -> Iterator[Problem]:
    """Tensor parallelism splits the FFN's width and the vocabulary."""
    m, tensor = r.model, r.strategy.tensor
    if m.dense_layers and m.ffn_hidden % tensor:
        yield _tensor_error(r, f"tensor = {tensor} does not divide the FFN's width of {m.ffn_hidden:,}.")
    if m.moe and m.moe.shared_width % tensor:
        yield _tensor_error(
            r, f"tensor = {tensor} does not divide the shared experts' width of {m.moe.shared_width:,}."
        )
    if m.vocab % tensor:
        padded = -(-m.vocab // tensor) * tensor
        message = f"the vocabulary of {m.vocab:,} is padded so that tensor = {tensor} divides it: {padded:,}."
        yield Problem("info", "strategy.tensor", message)


def key_value_heads(r: Resolved) -> Iterator[Problem]:
    """With more tensor ranks than key-value heads, the heads are copied; anything else must divide."""
    heads, tensor = r.model.kv_heads, r.strategy.tensor
    if r.model.attention == "mla" or heads % tensor == 0:
        return
    if tensor % heads == 0:
        copies = tensor // heads
        plural = "s" if heads > 1 else ""
        message = f"{heads:,} key-value head{plural} over tensor = {tensor:,}: each is held {copies:,} times."
        yield Problem("info", "strategy.tensor", message)
        return
    yield _tensor_error(r, f"tensor = {tensor} and the model's {heads:,} key-value heads do not divide each other.")


def tensor_in_domain(r: Resolved) -> Iterator[Problem]:
    """A tensor group that leaves the scale-up domain pays the slow fabric in every layer."""
    tensor, domain = r.strategy.tensor, r.scale_up_domain
    inside = [n for n in _valid_tensors(r) if domain % n == 0]
    if tensor > domain:
        message = (
            f"tensor = {tensor} is larger than the scale-up domain of {domain:,} cards: every layer crosses nodes."
        )
        yield Problem("warning", "strategy.tensor", message, *use("strategy.tensor", around(inside, tensor)))
    elif domain % tensor:
        message = f"tensor = {tensor} does not divide the scale-up domain of {domain:,} cards: some groups cross nodes."
        yield Problem("warning", "strategy.tensor", message, *use("strategy.tensor", around(inside, tensor)))


def sequence_parallel(r: Resolved) -> Iterator[Problem]:
    """Sequence parallelism splits each card's part of the sequence over the tensor group."""
    s, length = r.strategy, r.plan.workload.sequence_length
    if not s.sequence:
        return
    if s.tensor == 1:
        message = "sequence parallelism splits over the tensor group, which has one card: it has no effect."
        change: Change = (("strategy.sequence", False),)
        yield Problem("warning", "strategy.sequence", message, "Set sequence = false, or raise tensor.", change)
    elif length % (s.context * s.tensor):
        message = f"{length:,} tokens do not divide over context {s.context:,} x tensor {s.tensor:,} (sequence = true)."
        fix, change = use("workload.sequence_length", multiples_around(length, s.context * s.tensor))
        yield Problem("error", "workload.sequence_length", message, fix, change)


def context_divides(r: Resolved) -> Iterator[Problem]:
    """Context parallelism deals two pieces of the sequence to each rank, for equal causal work.

    Source: Megatron-Core (`seq_length % (2 * context_parallel_size)`), Llama 3 (arXiv 2407.21783, 3.3.2).
    """
    context, length = r.strategy.context, r.plan.workload.sequence_length
    if context == 1 or length % (2 * context) == 0:
        return
    message = f"a sequence of {length:,} tokens does not divide into 2 x context {context:,} pieces."
    valid = dividing(r, "context", {1, *(n for n in divisors(length) if length % (2 * n) == 0)})
    yield Problem("error", "strategy.context", message, *use("strategy.context", around(valid, context)))


def experts(r: Resolved) -> Iterator[Problem]:
    """Expert parallelism deals whole experts."""
    expert, moe = r.strategy.expert, r.model.moe
    if moe is None:
        if expert > 1:
            message = f"expert = {expert}, but {r.model.name} has no experts."
            yield Problem("error", "strategy.expert", message, *use("strategy.expert", (1,)))
    elif moe.experts % expert:
        message = f"expert = {expert} does not divide the model's {moe.experts:,} experts."
        yield Problem("error", "strategy.expert", message, *use("strategy.expert", around(_valid_experts(r), expert)))


def expert_tensor(r: Resolved) -> Iterator[Problem]:
    """Expert tensor parallelism splits the width of each expert."""
    split, moe = r.strategy.expert_tensor, r.model.moe
    key = "strategy.expert_tensor"
    if split == 1:
        return
    if moe is None:
        yield Problem("error", key, f"expert_tensor = {split}, but {r.model.name} has no experts.", *use(key, (1,)))
    elif moe.expert_ffn % split:
        message = f"expert_tensor = {split} does not divide the experts' width of {moe.expert_ffn:,}."
        yield Problem("error", key, message, *use(key, around(divisors(moe.expert_ffn), split)))


def expert_groups(r: Resolved) -> Iterator[Problem]:
    """Cards of one pipeline stage = expert x expert_tensor x copies of the experts."""
    s, moe, key = r.strategy, r.model.moe, "strategy.expert_tensor"
    stage = r.plan.cluster.cards // s.pipeline
    if moe is None or stage % (s.expert * s.expert_tensor) == 0:
        return
    message = (
        f"the {stage:,} cards of a pipeline stage do not divide into groups of "
        f"expert {s.expert:,} x expert_tensor {s.expert_tensor:,} = {s.expert * s.expert_tensor:,}."
    )
    if stage % s.expert_tensor:
        fits = [n for n in divisors(moe.expert_ffn) if stage % n == 0]
        yield Problem("error", key, message, *use(key, around(fits, s.expert_tensor)))
    else:
        yield Problem("error", "strategy.expert", message, *use("strategy.expert", around(_valid_experts(r), s.expert)))


def _valid_experts(r: Resolved) -> list[int]:
    """Expert degrees that divide the experts, and a stage's cards where any of them does."""
    s, moe = r.strategy, r.model.moe
    if moe is None:
        return [1]
    stage = r.plan.cluster.cards // s.pipeline
    fits = divisors(moe.experts)
    return [n for n in fits if stage % (n * s.expert_tensor) == 0] or list(fits)


def _valid_tensors(r: Resolved) -> list[int]:
    """Tensor degrees that divide all that tensor parallelism splits, and the cards where any of them does."""
    m = r.model
    split = [m.heads, m.ffn_hidden if m.dense_layers else 0, m.moe.shared_width if m.moe else 0]
    split.append(m.hybrid.mamba_heads if m.hybrid else 0)
    fits = [n for n in divisors(m.heads) if not any(width % n for width in split)]
    if m.attention != "mla":
        fits = [n for n in fits if m.kv_heads % n == 0 or n % m.kv_heads == 0]
    return dividing(r, "tensor", fits)


def _tensor_error(r: Resolved, message: str) -> Problem:
    fix, change = use("strategy.tensor", around(_valid_tensors(r), r.strategy.tensor))
    return Problem("error", "strategy.tensor", message, fix, change)
