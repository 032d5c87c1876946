"""Cost of one layer's blocks for one micro-batch on one card: attention, FFN, experts, Mamba.

A block's cost is split by what it waits for; forward, backward and recomputation are kept apart because
pipeline schedules and overlap need them so. Byte counts are per card, from counting the passes of the kernels.
"""

from __future__ import annotations

import dataclasses

from planner.engine import collectives
from planner.engine.constants import Constants
from planner.engine.cost import Block, Cost
from planner.engine.inputs import DUALPIPE, FUSIONS, GRAPHS, Inputs
from planner.engine.kernels import (
    attention,
    cast,
    fusion,
    grouped,
    linear,
    move,
    scan_bytes,
    scan_products,
    summed,
    wide_bytes,
    wide_rate,
)
from planner.engine.layout import Groups
from planner.engine.num import Num, any_of, log2, logical_and, logical_not, maximum, minimum, where

AMAX_CAST = 1.5
"""Cast traffic of experts' tokens in FP8 with one scale a tensor over that with one scale a block: a pass of its own
reads their largest value, which elsewhere norms and activations find as they write; counted (Transformer Engine)."""
BLOCK_SCALED_LAUNCHES, TENSOR_SCALED_LAUNCHES = 2.0, 4.0
"""Kernels for a product of an expert over BF16's one: MXFP8 casts first; a scale a tensor (FP8, NVFP4) takes the
largest value, the scale and the cast; counted (Transformer Engine's quantizers)."""
EAGER_LAUNCHES = 3.0
"""Kernels a layer launches in eager code over fused code; counted."""
EAGER_LAUNCHES_FUSED_NORMS = 2.0
"""The same where norms are fused; counted."""


def host_factor(x: Inputs, c: Constants, partial: Num) -> Num:
    """Host work over that of fused kernels: eager code launches more of them, CUDA graphs or XLA leave a share.

    Of experts, which partial graphs do not capture, these leave all: `partial` is 1.
    """
    code = x.software.fusion
    kernels = where(code == FUSIONS.index("eager-fused-norms"), EAGER_LAUNCHES_FUSED_NORMS, 1.0)
    kernels = where(code == FUSIONS.index("eager"), EAGER_LAUNCHES, kernels)
    graphs = where(x.software.graphs == GRAPHS.index("partial"), partial, 1.0)
    graphs = where(x.software.graphs == GRAPHS.index("full"), c.graphs_full, graphs)
    return where(x.software.xla, 0.0, kernels * graphs)


def host_work(x: Inputs, c: Constants) -> tuple[Num, Num]:
    """Host seconds of half a layer in one pass: forward or backward, and recomputed.

    Every collective of a tensor group waits for the rank whose host is late; an order statistic, so it grows with the
    doublings of the group. Launches queued ahead hide most of it, but forward work inside the backward pass has no such
    queue. Tuned software and XLA hide it all.
    """
    launches = 0.5 * c.host_layer * host_factor(x, c, c.graphs_partial)
    waits = where(x.software.xla, 0.0, where(x.software.tuned, 0.0, 1.0))
    late = 0.5 * waits * c.host_skew * log2(maximum(x.layout.tensor, 1.0))
    return launches + c.host_skew_queued * late, launches + late


def _again_memory(x: Inputs) -> Num:
    """Share of a block's forward memory-bound work that selective recomputation repeats; norms are half of it."""
    y = x.layout
    return maximum(0.7 * y.half_linears, maximum(y.all_but_linears, 0.5 * y.norm))


def tensor_pair(x: Inputs, g: Groups, c: Constants) -> Num:
    """Seconds to gather a micro-batch's hidden states over the tensor group and to reduce them, before any overlap.

    An all-gather and a reduce-scatter; without sequence parallelism an all-reduce, the same bytes (Korthikanti 2022).
    """
    if not any_of(x.layout.tensor > 1.0):
        return 0.0
    size = x.tokens * x.shape.hidden * wide_bytes(x.layout)
    pair = 2.0 * collectives.gather(size, g.tensor, x.machine, c)
    reduce = collectives.all_reduce(size, g.tensor, x.machine, c)
    return where(x.layout.tensor > 1.0, where(x.layout.sequence_parallel > 0, pair, reduce), 0.0)


def tensor_exchange(products: tuple[Num, Num], x: Inputs, g: Groups, c: Constants) -> tuple[Num, Num]:
    """Exposed tensor-parallel communication of one block, forward and backward, s.

    Software that overlaps it sends a rank's piece while it computes on the one before: the first or last piece shows,
    or what exceeds the products if that is more, and contention. It can do so only with sequence parallelism, since an
    all-reduce is not made of pieces (Megatron-LM `arguments.py`, tp_comm_overlap). Sequence parallelism gathers once
    more in the backward pass; such software hides that behind the input gradient (Korthikanti 2022).

    Args:
        products: seconds of the block's matrix products, forward and backward.
        x: the plan.
        g: its groups.
        c: constants.
    """
    if not any_of(x.layout.tensor > 1.0):
        return 0.0, 0.0
    once = tensor_pair(x, g, c)
    hidden = tuple(
        minimum(maximum(once / x.layout.tensor, once - window) + c.contention * once, once) for window in products
    )
    again = 0.5 * once * x.layout.sequence_parallel
    overlaps = logical_and(x.software.overlap_tensor, x.layout.sequence_parallel > 0)
    return where(overlaps, hidden[0], once), where(overlaps, hidden[1], once + again)


def context_exchange(attention_s: tuple[Num, Num], x: Inputs, g: Groups, c: Constants) -> tuple[Num, Num]:
    """Exposed context-parallel communication of one attention layer, forward and backward, s.

    Every card receives the keys and values of the others once forward, and twice that backward; ring and all-gather
    move the same bytes. In the ring of point-to-point transfers (Transformer Engine's default) every step waits for the
    one link that leaves the domain; XLA gathers, over all NICs of a domain. What does not fit behind the attention core
    is exposed, and the first piece, and contention.
    """
    y, s = x.layout, x.shape
    on = y.context > 1.0
    if not any_of(on):
        return 0.0, 0.0
    keys = where(s.mla, s.heads * (s.qk_dim + s.v_dim), s.kv_heads * (s.qk_dim + s.v_dim))
    width = keys * wide_bytes(y) / minimum(y.tensor, where(s.mla, s.heads, s.kv_heads))
    received = (y.context - 1.0) * x.tokens * width
    rate = collectives.bus_rate(g.context, x.machine, c)
    leaves = logical_and(logical_not(x.software.xla), g.context.size > g.context.local)
    rate = where(leaves, minimum(rate, c.out * g.context.nic), rate)
    once = received / rate + collectives.latency(g.context, c)
    exposed = tuple(
        times * minimum(maximum(once - 0.72 * window / times, 0.0) + (1.0 / y.context + c.contention) * once, once)
        for times, window in ((1.0, attention_s[0]), (2.0, attention_s[1]))
    )
    return where(on, exposed[0], 0.0), where(on, exposed[1], 0.0)


def attention_block(x: Inputs, g: Groups, c: Constants) -> Block:
    """Norm, projections, attention core, residual."""
    y, s = x.layout, x.shape
    t, n = y.tensor, x.tokens
    q, kv = s.heads * s.qk_dim, s.kv_heads * (s.qk_dim + s.v_dim)
    out = linear(n, s.hidden, s.heads * s.v_dim / t, x, c)
    plain = up = ups = (0.0, 0.0, 0.0)
    if any_of(logical_not(s.mla)):
        held = q / t + kv / minimum(t, s.kv_heads)  # with more ranks than key-value heads each is held several times
        plain = summed((linear(n, held, s.hidden, x, c), out))
    if any_of(s.mla):
        down = linear(n, s.q_lora + s.kv_lora + s.qk_rope, s.hidden, x, c)
        query = linear(n, q / t, maximum(where(s.q_lora > 0, s.q_lora, s.hidden), 1.0), x, c)
        keys = linear(n, s.heads * (s.qk_nope + s.v_dim) / t, maximum(s.kv_lora, 1.0), x, c)
        up, ups = summed((query, keys)), summed((down, query, keys, out))
    forward, backward, weight = (where(s.mla, a, b) for a, b in zip(ups, plain, strict=True))
    core = attention(x, c)
    traffic = fusion(x, c)
    rope = 4.0 * (q + s.kv_heads * s.qk_dim) / t
    eager = where(x.software.fusion == FUSIONS.index("eager"), 1.0, 0.0)
    memory = (
        move(n * (traffic * (10.0 * s.hidden / x.sequence_shards + rope)), x, c)
        + move(n * eager * (30.0 * s.hidden / x.sequence_shards + 3.5 * rope), x, c)
        + cast(s.hidden / x.sequence_shards + s.heads * s.v_dim / t, x, c),
        move(n * (traffic * (13.0 * s.hidden / x.sequence_shards + rope)), x, c)
        + move(n * eager * (40.0 * s.hidden / x.sequence_shards + 3.5 * rope), x, c)
        + cast(s.hidden / x.sequence_shards + (q + kv) / t, x, c),
    )
    tensor = tensor_exchange((forward, backward), x, g, c)
    context = context_exchange(core, x, g, c)
    host, late = host_work(x, c)
    first = Cost(forward, core[0], memory[0], tensor[0], context[0], 0.0, host)
    again = Cost(
        gemm=y.mla_up * up[0] + y.half_linears * 0.5 * forward,
        attention=maximum(y.core_attention, y.all_but_linears) * core[0],
        memory=_again_memory(x) * memory[0],
    )
    whole = maximum(y.full_recompute, y.attention)
    second = Cost(backward, core[1], memory[1], tensor[1], context[1], 0.0, host)
    remade = dataclasses.replace(first, host=late)
    return Block(first, second, again * (1.0 - whole) + remade * whole, weight)


def ffn_block(x: Inputs, g: Groups, c: Constants) -> Block:
    """Norm, dense FFN, residual."""
    y, s = x.layout, x.shape
    wide = s.ffn / y.tensor
    up = linear(x.tokens, (s.matrices - 1.0) * wide, s.hidden, x, c)
    down = linear(x.tokens, s.hidden, wide, x, c)
    forward, backward, weight = summed((up, down))
    hidden = where(s.parallel_block, 0.0, s.hidden / x.sequence_shards)
    gated = s.matrices - 2.0
    traffic = fusion(x, c)
    eager = where(x.software.fusion == FUSIONS.index("eager"), 1.0, 0.0)
    memory = (
        move(x.tokens * traffic * (10.0 * hidden + (4.0 + 2.0 * gated) * wide), x, c)
        + move(x.tokens * eager * 30.0 * hidden, x, c)
        + cast(hidden + wide, x, c),
        move(x.tokens * traffic * (13.0 * hidden + (6.0 + 4.0 * gated) * wide), x, c)
        + move(x.tokens * eager * 40.0 * hidden, x, c)
        + cast(hidden + (s.matrices - 1.0) * wide, x, c),
    )
    tensor = tuple(where(s.parallel_block, 0.0, part) for part in tensor_exchange((forward, backward), x, g, c))
    host, late = host_work(x, c)
    first = Cost(forward, 0.0, memory[0], tensor[0], 0.0, 0.0, host)
    again = Cost(gemm=y.half_linears * 0.5 * forward, memory=_again_memory(x) * memory[0])
    second = Cost(backward, 0.0, memory[1], tensor[1], 0.0, 0.0, host)
    whole = maximum(y.full_recompute, y.mlp)
    # XLA drops the down projection and its reduce-scatter from recomputation: no gradient needs what they give.
    drops = x.software.xla
    needed = forward - where(drops, down.forward, 0.0)
    remade = dataclasses.replace(first, gemm=needed, tensor=where(drops, 0.5, 1.0) * tensor[0], host=late)
    return Block(first, second, again * (1.0 - whole) + remade * whole, weight)


def expert_exchange(x: Inputs, g: Groups, c: Constants) -> Num:
    """Exposed seconds of one dispatch and one combine.

    A plain all-to-all sends every copy; DeepEP and HybridEP send one a node and fan out inside it, so the expected
    number of distinct targets counts: n (1 - (1 - 1/n)^k).
    """
    y, s = x.layout, x.shape
    k, size, local = s.topk, g.expert.size, g.expert.local
    nodes = size / local
    tokens = x.tokens / y.tensor
    one = x.software.deduplicates
    spread = size * (1.0 - (1.0 - 1.0 / size) ** k)
    copies = where(one, minimum(k, spread), k)
    away = nodes * (1.0 - (1.0 - 1.0 / nodes) ** k) * (1.0 - 1.0 / nodes)
    remote = where(one, away, k * (1.0 - local / size))
    once = collectives.exchange(tokens * copies, tokens * remote, wide_bytes(y) * s.hidden, g.expert, one, x.machine, c)
    hidden = where(y.schedule == DUALPIPE, c.exposed_dualpipe, c.exposed_expert)
    return 2.0 * once * where(x.software.overlap_expert, hidden, 1.0)


def moe_products(
    slots: Num, width: Num, shared_width: Num, x: Inputs, c: Constants
) -> tuple[tuple[Num, Num, Num], tuple[Num, Num, Num]]:
    """Seconds of a layer's routed and shared experts and router, and of the shared experts alone.

    Each forward, backward and, as a part of backward, weight gradients.

    Args:
        slots: token copies on this card.
        width: FFN width of one expert on this card.
        shared_width: FFN width of the shared experts on this card, at least 1.
        x: the plan.
        c: constants.
    """
    s = x.shape
    local, up = s.experts / x.layout.expert, s.matrices - 1.0
    routed = summed((grouped(slots, local, up * width, s.hidden, x, c), grouped(slots, local, s.hidden, width, x, c)))
    shared = summed(
        (
            linear(x.tokens, up * shared_width, s.hidden, x, c),
            linear(x.tokens, s.hidden, shared_width, x, c),
        )
    )
    half_rate = 0.5 * wide_rate(x.machine, x.layout, c)
    router = summed((linear(x.tokens / x.layout.tensor, s.experts, s.hidden, x, c, rate=half_rate),))
    has_shared = s.shared_ffn > 0
    forward, backward, weight = (
        a + where(has_shared, b, 0.0) + r for a, b, r in zip(routed, shared, router, strict=True)
    )
    return (forward, backward, weight), shared


def moe_memory(slots: Num, width: Num, shared_width: Num, x: Inputs, c: Constants) -> tuple[Num, Num, Num]:
    """Seconds of a layer's memory-bound work: forward, backward, and what selective recomputation repeats of forward.

    The arguments are those of `moe_products`.
    """
    y, s = x.layout, x.shape
    traffic, gated, hidden = fusion(x, c), s.matrices - 2.0, s.hidden / x.sequence_shards
    common = x.tokens * where(s.shared_ffn > 0, shared_width, 0.0)
    gate_bytes = traffic * (4.0 + 2.0 * gated)
    activation = move(gate_bytes * (slots * width + common), x, c)
    normed = move(x.tokens * traffic * 10.0 * hidden, x, c)
    # Stacks that capture the whole iteration also fuse permutation and casts into the grouped GEMMs.
    fused = where(x.software.graphs == GRAPHS.index("full"), c.fused_experts, 1.0)
    permute = fused * move(c.permute * slots * s.hidden, x, c)
    amax = where(maximum(y.microscaled, y.four_bit), 1.0, AMAX_CAST)
    per_token = amax * fused * slots / x.tokens
    forward = normed + activation + 10.0 * permute + cast(per_token * (s.hidden + width) + hidden, x, c)
    backward = (
        move(x.tokens * traffic * 13.0 * hidden, x, c)
        + move(traffic * (6.0 + 4.0 * gated) * (slots * width + common), x, c)
        + 12.0 * permute
        + cast(per_token * (s.hidden + (s.matrices - 1.0) * width) + hidden, x, c)
    )
    gates = maximum(y.moe_activation * activation, y.mlp * move(gate_bytes * common, x, c))
    share = maximum(0.7 * y.half_linears, y.all_but_linears)
    return forward, backward, maximum(share * forward, gates + 0.5 * y.norm * normed)


def moe_block(x: Inputs, g: Groups, c: Constants) -> Block:
    """Norm, router, token exchange, routed and shared experts, residual."""
    y, s = x.layout, x.shape
    slots = x.tokens * s.topk / y.tensor * y.expert_tensor
    width, shared_width = s.expert_ffn / y.expert_tensor, maximum(s.shared_ffn / y.tensor, 1.0)
    (forward, backward, weight), shared = moe_products(slots, width, shared_width, x, c)
    memory = moe_memory(slots, width, shared_width, x, c)
    tensor = tensor_exchange(shared[:2], x, g, c)
    split = 2.0 * collectives.gather(slots * s.hidden * wide_bytes(y), g.expert_tensor, x.machine, c)
    split = where(y.expert_tensor > 1.0, split, 0.0)
    # Routed tokens are already spread over the tensor group; only shared experts need its collectives.
    needs = where(s.shared_ffn > 0, 1.0, 0.0)
    exchange = expert_exchange(x, g, c)
    scaled = where(y.microscaled, BLOCK_SCALED_LAUNCHES, TENSOR_SCALED_LAUNCHES)
    each = c.host_expert * (s.experts / y.expert) * where(y.eight_bit, scaled, 1.0)
    launches = c.host_moe * host_factor(x, c, c.graphs_partial) + each * host_factor(x, c, 1.0)
    host, late = (launches + half for half in host_work(x, c))
    first = Cost(forward, 0.0, memory[0], needs * tensor[0] + split, 0.0, exchange, host)
    second = Cost(backward, 0.0, memory[1], needs * tensor[1] + split, 0.0, exchange, host)
    again = Cost(
        gemm=maximum(y.half_linears * 0.5 * forward, y.mlp * where(s.shared_ffn > 0, shared[0], 0.0)),
        memory=memory[2],
    )
    remade = dataclasses.replace(first, host=late)
    return Block(first, second, again * (1.0 - y.full_recompute) + remade * y.full_recompute, weight)


def mamba_block(x: Inputs, g: Groups, c: Constants) -> Block:
    """A Mamba-2 layer: projections are GEMMs; the scan is counted kernel by kernel (Dao & Gu 2024, arXiv 2405.21060).

    Source of the counts: `ssd_combined.py` of state-spaces/mamba, as Megatron-LM's `MambaMixer` calls it, with the
    convolution before the scan and the gated norm after it, in chunks of 128 tokens.
    """
    y, s, t = x.layout, x.shape, x.layout.tensor
    inner = maximum(s.mamba_inner, 1.0)
    enter = linear(x.tokens, (2.0 * inner + 2.0 * s.mamba_groups + s.mamba_heads) / t, s.hidden, x, c)
    forward, backward, weight = summed((enter, linear(x.tokens, s.hidden, inner / t, x, c)))
    traffic = fusion(x, c)
    moved, scan = scan_bytes(s), scan_products(x, c)
    norms = s.hidden / x.sequence_shards
    memory = (
        move(x.tokens * (moved[0] / t + traffic * 10.0 * norms), x, c) + cast(norms + inner / t, x, c),
        move(x.tokens * (moved[1] / t + traffic * 13.0 * norms), x, c) + cast(norms + 2.0 * inner / t, x, c),
    )
    tensor = tensor_exchange((forward, backward), x, g, c)
    host, late = (2.0 * half for half in host_work(x, c))
    first = Cost(forward, scan[0], memory[0], tensor[0], 0.0, 0.0, host)
    second = Cost(backward, scan[1], memory[1], tensor[1], 0.0, 0.0, host)
    again = Cost(y.half_linears * 0.5 * forward, y.all_but_linears * scan[0], _again_memory(x) * memory[0])
    remade = dataclasses.replace(first, host=late)
    return Block(first, second, again * (1.0 - y.full_recompute) + remade * y.full_recompute, weight)
