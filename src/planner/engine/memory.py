"""Bytes a card holds, by kind and by pipeline stage.

Sources: Korthikanti 2022 (arXiv 2205.05198) for activations, Rajbhandari 2019 (ZeRO, arXiv 1910.02054) for sharded
state, Megatron-LM `theoretical_memory_usage.py`; MLA and MoE terms by counting what the layers save.
"""

from __future__ import annotations

from dataclasses import dataclass

from planner.engine.constants import Constants
from planner.engine.inputs import ATTENTION_KERNELS, DUALPIPE, FUSIONS, Inputs
from planner.engine.layout import Groups
from planner.engine.num import Num, ceil, maximum, minimum, where
from planner.engine.schedule import in_flight, split

BUCKETS = 2.0 * 5e8 * 4.0
"""Flat buffers to reduce gradients and gather weights in, bytes: DeepSpeed's defaults, 5e8 elements each, in FP32."""


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


def stage_layers(stage: Num, x: Inputs) -> tuple[Num, Num]:
    """Layers, and MoE layers among them, of a stage; leading dense layers stand on the first stages."""
    s, parts, p = x.shape, split(x), x.layout.pipeline
    count = where(stage == 0, parts.first, where(stage == p - 1.0, parts.last, parts.full))
    count = where(p == 1.0, s.layers + s.mtp, count)
    before = where(stage > 0, parts.first + (stage - 1.0) * parts.full, 0.0)
    leading = minimum(maximum(s.first_dense - before, 0.0), count)
    rest = maximum(s.layers + s.mtp - s.first_dense, 1.0)
    share = where(s.moe_layers > 0, (s.moe_layers + s.mtp) / rest, 0.0)
    return count, minimum((count - leading) * share, s.moe_layers + s.mtp)


def parameters(stage: Num, x: Inputs) -> Parameters:
    """Parameters a card of the stage holds (before sharding over data parallel ranks)."""
    s, y = x.shape, x.layout
    count, moe = stage_layers(stage, x)
    blocks = s.layers + s.mtp
    attention = (s.attention_layers + s.mtp) / blocks * s.attention_params + s.mamba_layers / blocks * s.mamba_params
    dense_ffn = where(s.moe_layers > 0, count - moe, count) * where(
        s.moe_layers > 0, minimum(s.dense_layers, 1.0), s.dense_layers / s.layers
    )
    per_layer = count * attention + dense_ffn * s.matrices * s.hidden * s.ffn
    always = moe * s.hidden * (s.matrices * s.shared_ffn + s.experts)
    one = y.pipeline == 1.0
    table = s.vocab * s.hidden
    ends = where(stage == 0, table, 0.0) + where(stage == y.pipeline - 1.0, table, 0.0)
    ends = where(one, table * (2.0 - s.tied), ends)
    routed = moe * s.matrices * s.hidden * s.expert_ffn * s.experts / (y.expert * y.expert_tensor)
    return Parameters((per_layer + always + ends) / y.tensor + 2.0 * count * s.hidden, routed)


def state(held: Parameters, x: Inputs, g: Groups) -> tuple[Num, Num, Num]:
    """Weights, gradients and optimizer state of held parameters, bytes.

    Mixed precision with FP32 master weights and Adam: 2 + gradient + 12 bytes a parameter; ZeRO-1 shards the 12,
    ZeRO-2 the gradients too, ZeRO-3 (FSDP) everything, with FP32 shards of 16 bytes altogether.
    """
    y = x.layout
    copies = where(y.schedule == DUALPIPE, 2.0, 1.0)
    bytes_grad = x.software.gradient_held
    weights = gradients = optimizer = 0.0
    for count, ranks in ((held.dense * copies, g.shard.size), (held.expert * copies, g.expert_gradient.size)):
        ranks_expert = minimum(ranks, g.shard.size)
        weights = weights + count * where(y.zero >= 3.0, 0.0, 2.0)  # noqa: PLR2004
        gradients = gradients + count * where(y.zero >= 2.0, bytes_grad / ranks_expert, bytes_grad)  # noqa: PLR2004
        master = where(y.zero >= 3.0, where(bytes_grad > 2.0, 12.0, 14.0), 12.0)  # noqa: PLR2004
        optimizer = optimizer + count / copies * master / where(y.zero >= 1.0, ranks_expert, 1.0)
    return weights, gradients, where(y.offload_optimizer, 0.0, optimizer)


def layer_activations(x: Inputs) -> tuple[Num, Num, Num]:
    """Bytes saved a token by one attention block, one dense FFN block and one MoE block, without recomputation.

    Flash attention, no dropout; FP8 keeps GEMM inputs at one byte. Where everything but the linears is recomputed,
    and where XLA chooses what to keep, only the products' outputs stay. torch.compile computes what norms and gates
    give again instead of keeping it (min-cut partition of forward and backward).
    """
    s, y = x.shape, x.layout
    sp, t = x.sequence_shards, y.tensor
    gemm_input = where(y.eight_bit, 1.0, 2.0)
    q, kv = s.heads * s.qk_dim, s.kv_heads * (s.qk_dim + s.v_dim)
    gated = s.matrices - 2.0
    eager = where(x.software.fusion == FUSIONS.index("eager"), 1.0, 0.0)
    again = where(x.software.fusion == FUSIONS.index("compiled"), 1.0, 0.0)
    pointwise = gemm_input * (1.0 - again)
    ends = (2.0 + pointwise + 4.0 * eager) * s.hidden / sp
    core = (2.0 * (q + kv) + 2.0 * s.heads * s.v_dim + 4.0 * s.heads) / t
    latent = s.q_lora + s.kv_lora
    up = 2.0 * (q + s.heads * (s.qk_nope + s.qk_rope) + s.heads * s.v_dim) / t
    core_mla = 2.0 * (latent + s.qk_rope) + up + 2.0 * s.heads * s.v_dim / t + 2.0 * latent
    keep = 1.0 - y.core_attention
    unfused = x.software.attention_kernel >= ATTENTION_KERNELS.index("fused-softmax")
    scores = where(unfused, 5.0 * s.heads * y.sequence / t, 0.0) * keep
    rope = 4.0 * eager * (q + s.kv_heads * s.qk_dim) / t
    mla = core_mla - up * y.mla_up
    ends = ends - pointwise * s.hidden / sp * y.norm
    attention = ends + where(s.mla, mla, core) + scores + rope
    inner = (2.0 + 2.0 * gated + pointwise + 2.0 * eager) / t
    ffn = ends + inner * s.ffn * (1.0 - y.mlp)
    slots = s.topk / t * y.expert_tensor
    width = s.expert_ffn / y.expert_tensor
    saved = 2.0 + 2.0 * gated
    kept = where(y.moe_activation > 0, saved * 0.5 * gemm_input, saved + pointwise)
    moe = ends + inner * s.shared_ffn + slots * (gemm_input * s.hidden + kept * width + 8.0)
    outputs = (
        2.0 * s.hidden / sp + (2.0 * (q + kv) + 2.0 * s.heads * s.v_dim) / t,
        2.0 * s.hidden / sp + 2.0 * (s.matrices - 1.0) * s.ffn * (1.0 - y.mlp) / t,
        2.0 * s.hidden / sp
        + 2.0 * (s.matrices - 1.0) * s.shared_ffn / t
        + slots * 2.0 * ((s.matrices - 1.0) * width + s.hidden),
    )
    lean = maximum(y.all_but_linears, where(x.software.xla, y.core_attention, 0.0)) > 0
    return tuple(where(lean, few, all_) for few, all_ in zip(outputs, (attention, ffn, moe), strict=True))


def activations(stage: Num, x: Inputs) -> Num:
    """Activation bytes one micro-batch leaves on a stage."""
    s, y = x.shape, x.layout
    count, moe = stage_layers(stage, x)
    attention, ffn, expert = layer_activations(x)
    share = (s.attention_layers + s.mtp) / (s.layers + s.mtp)
    dense = where(s.moe_layers > 0, count - moe, count * s.dense_layers / s.layers)
    mamba = 2.0 * (2.0 * s.hidden + 4.0 * s.mamba_inner + 2.0 * s.mamba_groups) / y.tensor
    blocks = count * s.mamba_layers / (s.layers + s.mtp)
    whole = count * share * attention + dense * ffn + moe * expert + blocks * mamba
    whole = whole * (1.0 - 0.45 * y.half_linears)
    kept = 2.0 * count * s.hidden / x.sequence_shards
    return x.tokens * (whole * (1.0 - y.full_recompute) + kept * y.full_recompute)


def working(stage: Num, x: Inputs, held: Parameters) -> Num:
    """Bytes needed for a moment: logits, one re-materialised layer, gathered weights, weight-gradient staging."""
    s, y = x.shape, x.layout
    attention, ffn, expert = layer_activations(x)
    widest = attention + maximum(where(s.dense_layers > 0, ffn, 0.0), where(s.moe_layers > 0, expert, 0.0))
    remade = x.tokens * widest * where(y.full_recompute > 0, 1.0, 0.0)
    last = stage == y.pipeline - 1.0
    split_loss = where(x.software.loss_split, y.tensor, 1.0)
    logits = where(last, x.tokens * s.vocab / split_loss * x.software.loss_bytes, 0.0)
    largest = maximum((s.matrices - 1.0) * s.hidden * s.ffn, where(last, s.vocab * s.hidden, 0.0))
    staging = 2.0 * largest / y.tensor
    count, _ = stage_layers(stage, x)
    layer = (held.dense + held.expert) / maximum(count, 1.0)
    # Two layers of weights in BF16 and one of FP32 gradients; XLA gathers matrix by matrix.
    gathered = layer * where(x.software.xla, 2.0, 8.0) * where(y.zero >= 3.0, 1.0, 0.0)  # noqa: PLR2004
    return maximum(logits, remade) + staging + gathered


def stage_memory(stage: Num, x: Inputs, g: Groups, c: Constants) -> Memory:
    """Bytes on a card of one stage.

    Args:
        stage: index from 0; float or array.
        x: the plan.
        g: its groups.
        c: constants.
    """
    held = parameters(stage, x)
    weights, gradients, optimizer = state(held, x, g)
    stored = activations(stage, x) * in_flight(stage, x)
    stored = where(x.layout.offload_activations, 0.1 * stored, stored)
    moving = working(stage, x, held)
    used = weights + gradients + optimizer + stored + moving
    links = 2.0 + where(x.layout.tensor > 1, 1.0, 0.0) + where(x.layout.expert > 1, 1.0, 0.0)
    reserve = c.context_bytes + c.communicator_bytes * (links + where(x.layout.pipeline > 1, 2.0, 0.0))
    reserve = reserve + where(x.software.overlap_data, 0.0, BUCKETS)
    return Memory(weights, gradients, optimizer, stored + moving, (c.fragmentation - 1.0) * used + reserve)


def candidate_stages(x: Inputs) -> tuple[Num, ...]:
    """Stages one of which is the fullest; some may be the same.

    Activations in flight fall from stage to stage, so only the first stages (embedding, leading dense layers, first
    stage full of experts) and the last one (head and logits) can be the fullest.
    """
    p = x.layout.pipeline
    lead = where(x.shape.first_dense > 0, ceil(x.shape.first_dense / maximum(split(x).full, 1.0)), 1.0)
    return (0.0 * p, *(minimum(maximum(stage, 0.0), p - 1.0) for stage in (1.0, lead, lead + 1.0, p - 1.0)))


def most_bytes(x: Inputs, g: Groups, c: Constants) -> Num:
    """Bytes on a card of the fullest stage: `fullest` without the kinds, for searches."""
    most: Num = 0.0
    done: list[Num] = []
    for stage in candidate_stages(x):
        if isinstance(stage, float) and stage in done:
            continue
        most = maximum(most, stage_memory(stage, x, g, c).total)
        done += [stage] if isinstance(stage, float) else []
    return most


def fullest(x: Inputs, g: Groups, c: Constants) -> Memory:
    """Memory of the fullest stage."""
    first, *others = candidate_stages(x)
    best = stage_memory(first, x, g, c)
    for stage in others:
        one = stage_memory(stage, x, g, c)
        fuller = one.total > best.total
        best = Memory(*(where(fuller, getattr(one, n), getattr(best, n)) for n in Memory.__slots__))
    return best
