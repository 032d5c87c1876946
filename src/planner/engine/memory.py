"""Bytes a card holds, by kind and by pipeline stage.

Sources: Korthikanti 2022 (arXiv 2205.05198) for activations, Rajbhandari 2019 (ZeRO, arXiv 1910.02054) for sharded
state, Megatron-LM `theoretical_memory_usage.py`; MLA and MoE terms by counting what the layers save.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TypeVar

from planner.engine.constants import Constants
from planner.engine.inputs import ATTENTION_KERNELS, DUALPIPE, FUSIONS, HALF, Inputs, Layout
from planner.engine.kernels import wide_bytes
from planner.engine.layout import Groups
from planner.engine.num import Num, any_of, ceil, logical_or, maximum, minimum, where
from planner.engine.schedule import in_flight, split

MODULES = (
    "core_attention", "mla_up", "moe_activation", "norm", "mlp", "attention", "half_linears", "all_but_linears",
)  # fmt: skip
"""Selective recomputation: fields of the layout that are shares of a module."""
BUCKETS = 2.0 * 5e8 * 4.0
"""Flat buffers to reduce gradients and gather weights in, bytes: DeepSpeed's defaults, 5e8 elements each, in FP32."""

LEFT = 0.1
"""Share of offloaded activations that is on the card at a time."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes on one card of a stage; each float or array over stages or strategies."""

    weights: Num
    gradients: Num
    optimizer: Num
    activations: Num
    other: Num

    @property
    def total(self) -> Num:
        """All kinds together, bytes."""
        return self.weights + self.gradients + self.optimizer + self.activations + self.other


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters on one card of a stage; floats or arrays."""

    dense: Num
    expert: Num
    layers: Num = math.inf
    """Layers they make up; what is whole for a moment is of one or two of them."""


PartsT = TypeVar("PartsT", Memory, Parameters)


@dataclass(frozen=True, slots=True)
class Stage:
    """What the card of a pipeline stage holds; floats or arrays.

    With DualPipe the card of a stage also holds the stage as far from the other end (DualPipe README).
    """

    layers: Num
    moe: Num
    """MoE layers among them."""
    first: Num
    """It holds the embedding."""
    last: Num
    """It holds the head."""


def stage_at(index: Num, x: Inputs) -> Stage:
    """The stage of this index, from 0."""
    p, dual = x.layout.pipeline, x.layout.schedule == DUALPIPE
    first, last = index == 0, index == p - 1.0
    layers, moe = stage_layers(index, x)
    if any_of(dual):
        far_layers, far_moe = stage_layers(p - 1.0 - index, x)
        layers, moe = layers + where(dual, far_layers, 0.0), moe + where(dual, far_moe, 0.0)
        first, last = where(dual, logical_or(first, last), first), where(dual, logical_or(first, last), last)
    return Stage(layers, moe, first, last)


def stage_layers(stage: Num, x: Inputs) -> tuple[Num, Num]:
    """Layers, and MoE layers among them, of a stage; leading dense layers stand on the first stages.

    Where some middle stages hold a layer more than others, they are the first of them.
    """
    s, parts, p = x.shape, split(x), x.layout.pipeline
    middle = where(stage <= parts.more, parts.full, parts.full - 1.0)
    count = where(stage == 0, parts.first, where(stage == p - 1.0, parts.last, middle))
    count = where(p == 1.0, s.layers + s.mtp, count)
    if not any_of(s.moe_layers > 0):
        return count, 0.0
    fuller = minimum(stage - 1.0, parts.more)
    before = where(stage > 0, parts.first + (stage - 1.0) * (parts.full - 1.0) + fuller, 0.0)
    leading = minimum(maximum(s.first_dense - before, 0.0), count)
    rest = maximum(s.layers + s.mtp - s.first_dense, 1.0)
    share = where(s.moe_layers > 0, (s.moe_layers + s.mtp) / rest, 0.0)
    return count, minimum((count - leading) * share, s.moe_layers + s.mtp)


def parameters(at: Stage, x: Inputs) -> Parameters:
    """Parameters a card of the stage holds (before sharding over data parallel ranks).

    Tensor parallelism splits all but norms, routers and latent projections.
    """
    s, y = x.shape, x.layout
    count, moe = at.layers, at.moe
    blocks = s.layers + s.mtp
    whole = where(s.mla, s.hidden * (s.q_lora + s.kv_lora + s.qk_rope), 0.0)
    # With more ranks than key-value heads each head is held several times.
    keys = where(s.mla, 0.0, s.hidden * s.kv_heads * (s.qk_dim + s.v_dim))
    copied = keys * (1.0 / minimum(y.tensor, s.kv_heads) - 1.0 / y.tensor)
    attention = (s.attention_params - whole) / y.tensor + whole + copied
    layer = (s.attention_layers + s.mtp) / blocks * attention + s.mamba_layers / blocks * s.mamba_params / y.tensor
    ffn = dense_blocks(count, moe, x) * s.matrices * s.hidden * s.ffn / y.tensor
    always = moe * s.hidden * (s.matrices * s.shared_ffn / y.tensor + s.experts)
    table = s.vocab * s.hidden
    ends = where(at.first, table, 0.0) + where(at.last, table, 0.0)
    ends = where(y.pipeline == 1.0, table * (2.0 - s.tied), ends) / y.tensor
    routed = moe * s.matrices * s.hidden * s.expert_ffn * s.experts / (y.expert * y.expert_tensor)
    return Parameters(count * layer + ffn + always + ends + 2.0 * count * s.hidden, routed, count)


def dense_blocks(count: Num, moe: Num, x: Inputs) -> Num:
    """Dense FFNs among a stage's layers; in hybrids those without experts may be attention or Mamba layers."""
    s = x.shape
    extra = where(s.moe_layers > 0, 0.0, s.mtp)  # MTP layers are of the model's last kind
    return (count - moe) * (s.dense_layers + extra) / maximum(s.layers + extra - s.moe_layers, 1.0)


def state(held: Parameters, x: Inputs, g: Groups) -> tuple[Num, Num, Num]:
    """Weights, gradients and optimizer state of held parameters, bytes.

    Mixed precision with FP32 master weights and Adam: 2 + gradient + 12 bytes a parameter; ZeRO-1 shards the 12,
    ZeRO-2 the gradients too, ZeRO-3 (FSDP) everything, its FP32 weights being the master. FP32 and TF32 have no second
    copy of the weights: 4 + gradient + 8. What is sharded is whole for a moment: one layer's gradients while they are
    reduced, two layers' weights while they are used (matrix by matrix under XLA).
    """
    y = x.layout
    bytes_grad = x.software.gradient_held
    two, three = y.zero >= 2.0, y.zero >= 3.0  # noqa: PLR2004
    working_copy = wide_bytes(y)
    kept = where(y.full_precision, 4.0, where(bytes_grad > HALF, 4.0, 2.0))  # a fully sharded weight, often the master
    kept = where(y.offload_optimizer, working_copy, kept)
    moments = where(y.full_precision, 8.0, where(three, where(bytes_grad > HALF, 8.0, 12.0), 12.0))
    layers = maximum(held.layers, 1.0)
    at_once = where(x.software.xla, 1.0, minimum(2.0, layers)) / layers
    weights = gradients = optimizer = 0.0
    for count, ranks in ((held.dense, g.shard.size), (held.expert, g.expert_shard.size)):
        own = count / ranks
        whole = where(x.software.xla, 0.0, minimum(count / layers, count - own))
        others = count - where(kept > working_copy, 0.0, own)
        weights = weights + where(three, kept * own + working_copy * at_once * others, working_copy * count)
        gradients = gradients + where(two, x.software.gradient_bytes * (own + whole), bytes_grad * count)
        optimizer = optimizer + moments * where(y.zero >= 1.0, own, count)
    return weights, gradients, where(y.offload_optimizer, 0.0, optimizer)


def layer_activations(x: Inputs) -> tuple[Num, Num, Num]:
    """Bytes one attention block, one dense FFN block and one MoE block keep a token, but for full recomputation.

    Flash attention, no dropout; FP8 keeps GEMM inputs at one byte. Where everything but the linears is recomputed,
    and where XLA chooses what to keep, only the products' outputs stay. torch.compile computes what norms and gates
    give again instead of keeping it (min-cut partition of forward and backward). Eager and in-house code rotates
    queries and keys outside of fused kernels, which keeps them twice.
    """
    s, y = x.shape, x.layout
    sp, t = x.sequence_shards, y.tensor
    gemm_input = where(y.eight_bit, 1.0, 2.0)
    q, kv = s.heads * s.qk_dim, s.kv_heads * (s.qk_dim + s.v_dim)
    gated = s.matrices - 2.0
    eager = where(x.software.fusion == FUSIONS.index("eager"), 1.0, 0.0)
    again = where(x.software.fusion == FUSIONS.index("compiled"), 1.0, 0.0)
    rotated = where(x.software.mature, eager, 1.0)
    pointwise = gemm_input * (1.0 - again)
    ends = (2.0 + pointwise + 4.0 * eager) * s.hidden / sp
    keep = 1.0 - y.core_attention
    core = (2.0 * q + 2.0 * s.heads * s.v_dim + 4.0 * s.heads * keep) / t + 2.0 * kv / minimum(t, s.kv_heads)
    latent = s.q_lora + s.kv_lora
    up = 2.0 * (q + s.heads * (s.qk_nope + s.qk_rope) + s.heads * s.v_dim) / t
    core_mla = 2.0 * (latent + s.qk_rope) + up + 2.0 * s.heads * s.v_dim / t + 2.0 * latent
    unfused = x.software.attention_kernel >= ATTENTION_KERNELS.index("fused-softmax")
    scores = where(unfused, 5.0 * s.heads * y.sequence / t, 0.0) * keep
    rope = 4.0 * rotated * where(s.mla, (s.heads + 1.0) * s.qk_rope, q + s.kv_heads * s.qk_dim) / t
    mla = core_mla - up * y.mla_up
    ends = ends - pointwise * s.hidden / sp * y.norm
    attention = where(y.attention > 0, 2.0 * s.hidden / sp, ends + where(s.mla, mla, core) + scores + rope)
    inner = (2.0 + 2.0 * gated + pointwise + 2.0 * eager) / t
    # The two blocks of a parallel layer share input and norm.
    ffn = ends * (1.0 - s.parallel_block) + inner * s.ffn * (1.0 - y.mlp)
    slots = s.topk / t * y.expert_tensor
    width = s.expert_ffn / y.expert_tensor
    saved = 2.0 + 2.0 * gated
    kept = where(y.moe_activation > 0, saved * 0.5 * gemm_input, saved + pointwise)
    moe = ends + inner * s.shared_ffn * (1.0 - y.mlp) + slots * (gemm_input * s.hidden + kept * width + 8.0)
    outputs = (
        2.0 * s.hidden / sp + (2.0 * (q + kv) + 2.0 * s.heads * s.v_dim) / t,
        2.0 * s.hidden / sp + 2.0 * (s.matrices - 1.0) * s.ffn * (1.0 - y.mlp) / t,
        2.0 * s.hidden / sp
        + 2.0 * (s.matrices - 1.0) * s.shared_ffn / t
        + slots * 2.0 * ((s.matrices - 1.0) * width + s.hidden),
    )
    lean = maximum(y.all_but_linears, where(x.software.xla, y.core_attention, 0.0)) > 0
    scale = wide_bytes(y) / HALF
    both = zip(outputs, (attention, ffn, moe), strict=True)
    scale = scale * (1.0 - 0.45 * y.half_linears)
    return tuple(scale * where(lean, minimum(few, every), every) for few, every in both)


@dataclass(frozen=True, slots=True)
class LayerBytes:
    """Bytes a token of one layer's activations; floats or arrays. The same on all stages, so computed once."""

    attention: Num
    ffn: Num
    expert: Num
    hidden: Num
    """The layer's input."""
    again: tuple[Num, Num, Num]
    """Of the three blocks, what is there for a moment: computed again, or back from the host."""


def layer_bytes(x: Inputs) -> LayerBytes:
    """What layers keep and what they need for a moment when it is computed again."""
    y = x.layout
    kept = layer_activations(x)
    hidden = wide_bytes(y) * x.shape.hidden / x.sequence_shards
    if not any_of(recomputes(y)) and not any_of(y.offload_activations):
        return LayerBytes(*kept, hidden, (0.0, 0.0, 0.0))
    plain = dataclasses.replace(y, **dict.fromkeys(MODULES, 0.0))
    whole = layer_activations(dataclasses.replace(x, layout=plain))
    # A layer recomputed as a whole keeps its input, which is the first block's.
    least = (where(y.full_recompute > 0, hidden, kept[0]), *(where(y.full_recompute > 0, 0.0, k) for k in kept[1:]))
    attention, ffn, expert = (w - where(y.offload_activations, 0.0, one) for w, one in zip(whole, least, strict=True))
    return LayerBytes(*kept, hidden, (attention, ffn, expert))


def recomputes(y: Layout) -> Num:
    """Anything is recomputed."""
    return sum(getattr(y, name) for name in MODULES) + y.full_recompute > 0


def activations(at: Stage, x: Inputs, layer: LayerBytes) -> Num:
    """Activation bytes one micro-batch leaves in the layers of a stage; with DualPipe the mean of a card's two.

    A pipeline that sends whole hidden states also keeps what it sent until the backward pass (DeepSpeed
    `PipelineEngine`); Megatron-LM frees it (`deallocate_output_tensor`).
    """
    s, y = x.shape, x.layout
    count, moe = at.layers, at.moe
    blocks = s.layers + s.mtp
    inner = (1.0 - 0.45 * y.half_linears) * wide_bytes(y) * (4.0 * s.mamba_inner + 2.0 * s.mamba_groups) / y.tensor
    whole = count * (s.attention_layers + s.mtp) / blocks * layer.attention + dense_blocks(count, moe, x) * layer.ffn
    whole = whole + moe * layer.expert + count * s.mamba_layers / blocks * (2.0 * layer.hidden + inner)
    kept = x.tokens * (whole * (1.0 - y.full_recompute) + layer.hidden * count * y.full_recompute)
    sent = where(x.software.redundant_p2p, where(at.last, 0.0, y.chunks * x.tokens * s.hidden * wide_bytes(y)), 0.0)
    kept = kept + where(y.pipeline > 1.0, sent, 0.0)
    return kept * where(y.schedule == DUALPIPE, 0.5, 1.0)


def working(at: Stage, x: Inputs, layer: LayerBytes) -> Num:
    """Bytes needed for a moment: logits or what is computed again of one layer, and weight-gradient staging."""
    s, y = x.shape, x.layout
    split_loss = where(x.software.loss_split, y.tensor, 1.0)
    logits = where(at.last, x.tokens * s.vocab / split_loss * x.software.loss_bytes, 0.0)
    largest = maximum((s.matrices - 1.0) * s.hidden * s.ffn, where(at.last, s.vocab * s.hidden, 0.0))
    first, dense, routed = layer.again
    second = maximum(where(dense_blocks(at.layers, at.moe, x) > 0, dense, 0.0), where(at.moe > 0, routed, 0.0))
    return maximum(logits, x.tokens * (first + second)) + wide_bytes(y) * largest / y.tensor


def stage_memory(stage: Num, x: Inputs, g: Groups, c: Constants, layer: LayerBytes | None = None) -> Memory:
    """Bytes on a card of one stage.

    Args:
        stage: index from 0; float or array.
        x: the plan.
        g: its groups.
        c: constants.
        layer: its layers' bytes, where they are known already.
    """
    layer = layer or layer_bytes(x)
    at = stage_at(stage, x)
    held = parameters(at, x)
    weights, gradients, optimizer = state(held, x, g)
    stored = activations(at, x, layer) * in_flight(stage, x)
    stored = where(x.layout.offload_activations, LEFT * stored, stored)
    moving = working(at, x, layer)
    links = 2.0 + where(x.layout.tensor > 1, 1.0, 0.0) + where(x.layout.expert > 1, 1.0, 0.0)
    reserve = c.context_bytes + c.communicator_bytes * (links + where(x.layout.pipeline > 1, 2.0, 0.0))
    reserve = reserve + where(x.software.overlap_data, 0.0, BUCKETS)
    return Memory(weights, gradients, optimizer, stored + moving, (c.fragmentation - 1.0) * (stored + moving) + reserve)


def candidate_stages(x: Inputs) -> tuple[Num, ...]:
    """Stages one of which is the fullest; of a batch of plans some may be the same.

    Activations in flight fall from stage to stage, so only the first stages (embedding, leading dense layers, first
    stage full of experts) and the last one (head and logits) can be the fullest; with DualPipe also the first whose
    counterpart at the other end is full too.
    """
    p = x.layout.pipeline
    parts = split(x)
    lead = where(x.shape.first_dense > 0, ceil(x.shape.first_dense / maximum(parts.full, 1.0)), 1.0)
    both = where(x.layout.schedule == DUALPIPE, p - 1.0 - parts.more, 1.0)
    stages = (0.0 * p, *(minimum(maximum(stage, 0.0), p - 1.0) for stage in (1.0, both, lead, lead + 1.0, p - 1.0)))
    return tuple(dict.fromkeys(stages)) if all(isinstance(stage, float) for stage in stages) else stages


def _larger(more: Num, one: PartsT, other: PartsT) -> PartsT:
    """One where it is more, else the other: a batch chooses plan by plan, all fields together."""
    return type(one)(*(where(more, getattr(one, name), getattr(other, name)) for name in one.__slots__))


def most_parameters(x: Inputs) -> Parameters:
    """Parameters a card holds of the stage that holds most of them."""
    first, *others = candidate_stages(x)
    most = parameters(stage_at(first, x), x)
    for stage in others:
        one = parameters(stage_at(stage, x), x)
        most = _larger(one.dense + one.expert > most.dense + most.expert, one, most)
    return most


def most_bytes(x: Inputs, g: Groups, c: Constants) -> Num:
    """Bytes on a card of the fullest stage: `fullest` without the kinds, for searches."""
    layer = layer_bytes(x)
    most: Num = 0.0
    for stage in candidate_stages(x):
        most = maximum(most, stage_memory(stage, x, g, c, layer).total)
    return most


def fullest(x: Inputs, g: Groups, c: Constants) -> Memory:
    """Memory of the fullest stage."""
    layer = layer_bytes(x)
    first, *others = candidate_stages(x)
    best = stage_memory(first, x, g, c, layer)
    for stage in others:
        one = stage_memory(stage, x, g, c, layer)
        best = _larger(one.total > best.total, one, best)
    return best
