"""A model's shapes as settings of Megatron-Core 0.16."""

from __future__ import annotations

from planner.exchange.launch.plan import Left, moe_pattern, window_pattern
from planner.spec.plan import Resolved

Value = int | bool | str | list[int] | list[str] | tuple[int, int]


def model_settings(r: Resolved, left: Left) -> dict[str, Value]:
    """Shapes under the names of `TransformerConfig`, `MLATransformerConfig` and Megatron's model providers."""
    m = r.model
    width = m.ffn_hidden or (m.moe.expert_ffn if m.moe else m.hidden)
    out: dict[str, Value] = {
        "num_layers": m.layers,
        "hidden_size": m.hidden,
        "ffn_hidden_size": width,
        "num_attention_heads": m.heads,
        "seq_length": r.plan.workload.sequence_length,
        "vocab_size": m.vocab,
        "share_embeddings_and_output_weights": m.tied,
        "gated_linear_unit": m.gated,
    }
    if m.mla:
        out |= {"multi_latent_attention": True, "kv_lora_rank": m.mla.kv_lora, "qk_head_dim": m.mla.qk_nope}
        out |= {"q_lora_rank": m.mla.q_lora} if m.mla.q_lora else {}
        out |= {"qk_pos_emb_head_dim": m.mla.qk_rope, "v_head_dim": m.mla.v_head}
    else:
        out |= {"num_query_groups": m.kv_heads, "kv_channels": m.qk_dim}
    if m.window:
        out |= {"window_size": (m.window - 1, 0)}
        out |= {"window_attn_skip_freq": window_pattern(r)} if 0 in window_pattern(r) else {}
    if m.mtp_depth:
        out["mtp_num_layers"] = m.mtp_depth
    if m.moe:
        out |= {
            "num_moe_experts": m.moe.experts,
            "moe_router_topk": m.moe.topk,
        }
        out["moe_grouped_gemm"] = r.plan.workload.precision not in {"fp32", "tf32", "fp16"}  # of BF16 alone
        out |= {"moe_ffn_hidden_size": m.moe.expert_ffn}
        out |= {"moe_shared_expert_intermediate_size": m.moe.shared_width} if m.moe.shared_width else {}
        if not m.hybrid:
            out["moe_layer_freq"] = moe_pattern(r)
    if m.hybrid:
        out |= {"hybrid_override_pattern": m.hybrid.pattern, "mamba_num_heads": m.hybrid.mamba_heads}
        out |= {"mamba_head_dim": m.hybrid.mamba_head_dim, "mamba_state_dim": m.hybrid.mamba_state}
        out |= {"mamba_num_groups": m.hybrid.mamba_groups}
    if m.parallel_block:
        left.said.append("workload.model: attention and FFN in parallel; Megatron-Core runs them one after the other.")
    return out
