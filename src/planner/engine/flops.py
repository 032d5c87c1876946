"""Floating-point operations of a model, per token. Recompute is counted only where a function's name says so."""

from __future__ import annotations

from dataclasses import dataclass, replace

from planner.engine.num import Num, maximum, minimum
from planner.spec.model import Model
from planner.spec.plan import RecomputeModule, Strategy

BACKWARD = 2.0
"""FLOPs of a backward pass over those of its forward pass: gradients of inputs and of weights."""


@dataclass(frozen=True, slots=True)
class FlopParts:
    """FLOPs of one token's forward pass through the whole model, by kind."""

    linears: float
    """Attention projections and dense FFNs."""
    attention: Num
    """The attention core: scores, and scores times values."""
    logits: float
    """The output head, once more for each multi-token-prediction layer."""
    moe: float
    """Routed and shared experts, and the router."""
    mamba: float
    """Mamba-2 layers: projections and scan."""

    @property
    def total(self) -> Num:
        """All parts together."""
        return self.linears + self.attention + self.logits + self.moe + self.mamba


def projection_flops(model: Model) -> float:
    """FLOPs per token of one layer's attention projections, forward: two a parameter."""
    return 2.0 * model.attention_params


def ffn_flops(model: Model, width: float) -> float:
    """FLOPs per token of one FFN of a width, forward: 2 (2 + gated) h f."""
    return 2.0 * model.ffn_matrices * model.hidden * width


def moe_layer_flops(model: Model) -> float:
    """FLOPs per token of one MoE layer's experts, shared experts and router, forward.

    2 [(2 + gated) h (k fe + fs) + h E]; Megatron-LM `num_floating_point_operations` without the router's h E.
    """
    if model.moe is None:
        return 0.0
    width = model.moe.topk * model.moe.expert_ffn + model.moe.shared_width
    return ffn_flops(model, width) + 2.0 * model.hidden * model.moe.experts


def mamba_layer_flops(model: Model) -> float:
    """FLOPs per token of one Mamba-2 layer, forward.

    2 h (2 d + 2 G N + heads) [in] + 7 d N [scan] + 2 d h [out], with d = heads x head width, G groups, N state.
    Source: Megatron-LM `mamba_layer_flops`; Dao & Gu 2024 (arXiv 2405.21060).
    """
    if model.hybrid is None:
        return 0.0
    y = model.hybrid
    inner = y.mamba_heads * y.mamba_head_dim
    into = 2.0 * model.hidden * (2 * inner + 2 * y.mamba_groups * y.mamba_state + y.mamba_heads)
    return into + scan_flops(model) + 2.0 * inner * model.hidden


def scan_flops(model: Model) -> float:
    """FLOPs per token of one Mamba-2 layer's scan, forward: 7 d N, as `mamba_layer_flops` counts it."""
    return (
        7.0 * model.hybrid.mamba_heads * model.hybrid.mamba_head_dim * model.hybrid.mamba_state if model.hybrid else 0.0
    )


def visible_tokens(model: Model, sequence_length: Num, *, full_square: bool = False) -> Num:
    """Mean number of tokens an attention layer's query looks at.

    Causal: (1 - fw) s/2 + fw (w - w^2 / (2 s)), fw = share of windowed layers, w = min(s, window). Full square: no mask
    is deducted, (1 - fw) s + fw w.
    """
    share = model.windowed_share
    if full_square:
        return (1.0 - share) * sequence_length + share * minimum(sequence_length, float(model.window))
    return (1.0 - share) * 0.5 * sequence_length + share * windowed_tokens(sequence_length, float(model.window))


def windowed_tokens(sequence_length: Num, window: Num) -> Num:
    """Mean of min(i, window) over the positions i of a sequence: w - w^2 / (2 s), w = min(s, window)."""
    seen = minimum(sequence_length, window)
    return seen - seen * seen / (2.0 * maximum(sequence_length, 1.0))


def core_flops(model: Model, sequence_length: Num, *, full_square: bool = False) -> Num:
    """FLOPs per token of one layer's attention core, forward: 2 a (dh + dv) times the tokens seen."""
    visible = visible_tokens(model, sequence_length, full_square=full_square)
    return 2.0 * model.heads * (model.qk_dim + model.v_dim) * visible


def forward_flops_parts(model: Model, sequence_length: Num, *, full_square: bool = False) -> FlopParts:
    """FLOPs of one token's forward pass, by kind.

    Linears, experts and logits cost two FLOPs a parameter. A multi-token-prediction layer is one more layer of the
    model's last kind and one more pass through the output head. Causal attention is counted once (half of the full
    square) unless `full_square`. Source: Megatron-LM `num_floating_point_operations` (causal since core 0.13).

    Args:
        model: the shape.
        sequence_length: tokens; a number or an array.
        full_square: count the attention core as if there were no mask.
    """
    extra = model.mtp_depth
    attention_layers = model.attention_layers + extra
    dense = model.dense_layers + (0 if model.moe else extra)
    sparse = model.moe_layers + (extra if model.moe else 0)
    return FlopParts(
        linears=attention_layers * projection_flops(model) + dense * ffn_flops(model, model.ffn_hidden),
        attention=attention_layers * core_flops(model, sequence_length, full_square=full_square),
        logits=2.0 * model.vocab * model.hidden * (1 + extra),
        moe=sparse * moe_layer_flops(model),
        mamba=model.mamba_layers * mamba_layer_flops(model),
    )


def model_flops_per_token(model: Model, sequence_length: Num, *, full_square: bool = False) -> Num:
    """FLOPs per token of forward and backward pass, logits included, recompute not: the numerator of MFU.

    Three times the forward pass:
    6 [(L + mtp) p_att + Ld p_mlp + (Lm + mtp) ((2 + g) h (k fe + fs) + h E) + V h (1 + mtp)]
    + 6 (L + mtp) a (dh + dv) s_avg, plus Mamba layers. Arguments as `forward_flops_parts`.
    """
    return (1.0 + BACKWARD) * forward_flops_parts(model, sequence_length, full_square=full_square).total


def flops_6nd_per_token(model: Model) -> float:
    """6 N: six FLOPs per active parameter, without the input embedding and the attention core.

    N = active parameters in matrix products, output head included, multi-token prediction left out.
    Source: Kaplan et al. 2020 (arXiv 2001.08361), section 2.1.
    """
    parts = replace(forward_flops_parts(model.model_copy(update={"mtp_depth": 0}), 0.0), mamba=0.0)
    return 3.0 * float(parts.total) + 6.0 * model.mamba_layers * model.mamba_params


def recomputed_share(recompute_layers: int, layers: int, pipeline: int) -> float:
    """Share of a stage's layers that full recomputation covers; 0 layers mean all."""
    return min(1.0, recompute_layers / -(-layers // pipeline)) if recompute_layers else 1.0


def recomputed_flops_per_token(
    model: Model, sequence_length: Num, strategy: Strategy, *, full_square: bool = False
) -> Num:
    """FLOPs per token a recompute setting adds: the forward FLOPs done a second time in the backward pass.

    Full recompute repeats every layer, or `recompute_layers` of each stage; the output head is never repeated
    (Narayanan et al. 2021, arXiv 2104.04473, appendix). Selective recompute repeats the named modules, by default
    the attention core (Korthikanti et al. 2022, arXiv 2205.05198, section 5).
    """
    parts = forward_flops_parts(model, sequence_length, full_square=full_square)
    if strategy.recompute == "none":
        return 0.0
    if strategy.recompute == "full":
        share = recomputed_share(strategy.recompute_layers, model.layers, strategy.pipeline)
        return share * (parts.total - parts.logits)
    return _selective_flops(model, parts, frozenset(strategy.recompute_modules or ("core_attention",)))


def _selective_flops(model: Model, parts: FlopParts, named: frozenset[RecomputeModule]) -> Num:
    """Forward FLOPs per token of the named modules in all layers; elementwise modules have none.

    Block by block as `planner.engine.blocks` counts their time, so that what two of them share counts once.
    """
    half = 0.5 if "half_linears" in named else 0.0
    projections = (model.attention_layers + model.mtp_depth) * projection_flops(model)
    dense = parts.linears - projections
    scans = model.mamba_layers * scan_flops(model)
    attention = projections + parts.attention
    if "attention" not in named:
        core = parts.attention if named & {"core_attention", "all_but_linears"} else 0.0
        attention = half * projections + (_mla_up_flops(model) if "mla_up" in named else 0.0) + core
    shared = _shared_expert_flops(model) if "mlp" in named else 0.0
    return (
        attention
        + (dense if "mlp" in named else half * dense)
        + max(half * parts.moe, shared)
        + half * (parts.mamba - scans)
        + (scans if "all_but_linears" in named else 0.0)
    )


def _mla_up_flops(model: Model) -> float:
    """Forward FLOPs per token of latent attention's up-projections in all layers.

    A query that is not compressed comes from the hidden state.
    """
    latent = model.mla
    if latent is None:
        return 0.0
    keys = latent.kv_lora * model.heads * (latent.qk_nope + latent.v_head)
    query = (latent.q_lora or model.hidden) * model.heads * model.qk_dim
    return 2.0 * (model.attention_layers + model.mtp_depth) * (keys + query)


def _shared_expert_flops(model: Model) -> float:
    """Forward FLOPs per token of the shared experts in all layers."""
    if model.moe is None:
        return 0.0
    return (model.moe_layers + model.mtp_depth) * ffn_flops(model, model.moe.shared_width)
