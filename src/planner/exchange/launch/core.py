"""A plan as settings of Megatron-Core, under the names of its configuration classes.

Source: Megatron-Core 0.16 (`TransformerConfig`, `ModelParallelConfig`, `DistributedDataParallelConfig`,
`OptimizerConfig`), which both Megatron-LM and Megatron Bridge fill in.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from planner.exchange.launch.core_model import model_settings
from planner.exchange.launch.plan import Left, chunk_layers, shard_group, steps
from planner.spec.plan import Resolved

Value = int | bool | str | list[int] | list[str] | tuple[int, int]

MODULES = {
    "core_attention": "core_attn", "mla_up": "mla_up_proj", "moe_activation": "moe_act", "norm": "layernorm",
    "mlp": "mlp",
}  # fmt: skip
"""Modules that are recomputed, as Megatron-Core calls them."""
STRATEGIES = {"zero2": "optim_grads", "zero3": "optim_grads_params"}
"""`data_parallel_sharding_strategy` of Megatron FSDP."""
BYTES_OF_BF16 = 2.0


@dataclass
class Core:
    """Settings by configuration class, in the order they are written, and what none of them can say."""

    model: dict[str, Value] = field(default_factory=dict)
    train: dict[str, Value] = field(default_factory=dict)
    ddp: dict[str, Value] = field(default_factory=dict)
    optimizer: dict[str, Value] = field(default_factory=dict)
    left: Left = field(default_factory=Left)


def core_settings(r: Resolved) -> Core:
    """Everything Megatron-Core is told about a plan."""
    core, s, w = Core(), r.strategy, r.plan.workload
    core.model |= model_settings(r, core.left)
    core.model |= {
        "tensor_model_parallel_size": s.tensor,
        "sequence_parallel": bool(s.sequence) and s.tensor > 1,
        "context_parallel_size": s.context,
        "pipeline_model_parallel_size": s.pipeline,
    }
    core.train |= {"micro_batch_size": s.micro_batch, "global_batch_size": w.global_batch, "train_iters": steps(r)}
    _pipeline(r, core)
    if r.model.moe:
        _experts(r, core)
    _sharding(r, core)
    _recompute(r, core)
    _kernels(r, core)
    if s.offload == "optimizer":
        core.optimizer |= {"optimizer_cpu_offload": True, "use_precision_aware_optimizer": True}
    elif s.offload == "activations":
        core.left.out(
            "offload", s.offload, "which modules is a choice: fine_grained_activation_offloading, offload_modules."
        )
    return core


def _pipeline(r: Resolved, core: Core) -> None:
    s, overlap = r.strategy, r.stack.overlap
    chunks = s.pipeline * s.virtual_stages
    if s.virtual_stages > 1:
        core.model["virtual_pipeline_model_parallel_size"] = s.virtual_stages
    if s.pipeline == 1:
        return
    uneven = (r.model.layers % chunks) or r.model.mtp_depth
    if uneven and r.model.hybrid:
        core.left.out("pipeline", s.pipeline, "layers of a hybrid that do not divide have no layout; pad the pattern.")
    elif uneven:
        core.model["pipeline_model_parallel_layout"] = layout(chunk_layers(r), r.model.mtp_depth)
    if s.schedule not in {"1f1b", "interleaved"}:
        instead = "interleaved 1F1B" if s.virtual_stages > 1 else "1F1B"
        core.left.out("schedule", s.schedule, f"Megatron-Core has 1F1B and interleaved 1F1B; this runs {instead}.")
    if s.virtual_stages > 1:
        core.model["overlap_p2p_comm"] = overlap.pipeline
    elif overlap.pipeline:
        core.left.out("overlap.pipeline", True, "transfers overlap with several chunks a stage alone.")
    if s.tensor > 1 and r.stack.p2p == "redundant":
        core.model["scatter_gather_tensors_in_pipeline"] = False


def layout(chunks: list[int], mtp: int) -> str:
    """A `pipeline_model_parallel_layout`: E embedding, t layer, m multi-token prediction, L loss; | ends a chunk.

    >>> layout([2, 3, 3, 2], 1)
    'Ett|(ttt|)*2tmL'
    """
    words = ["t" * count for count in chunks]
    words[-1] = "t" * max(chunks[-1] - mtp, 0) + "m" * mtp + "L"
    words[0] = "E" + words[0]
    text, place = "", 0
    while place < len(words) - 1:
        count = next((n for n in range(1, len(words) - place) if words[place + n] != words[place]), 1)
        count = min(count, len(words) - 1 - place)
        text += f"({words[place]}|)*{count}" if count > 1 else f"{words[place]}|"
        place += count
    return text + words[-1]


def _experts(r: Resolved, core: Core) -> None:
    s, dispatcher = r.strategy, r.stack.dispatcher
    core.model |= {
        "expert_model_parallel_size": s.expert,
        "expert_tensor_parallel_size": s.expert_tensor,
        "moe_token_dispatcher_type": "alltoall" if dispatcher == "alltoall" else "flex",
    }
    if dispatcher != "alltoall":
        core.model["moe_flex_dispatcher_backend"] = dispatcher
    if not r.stack.overlap.expert:
        return
    if s.expert == 1 or s.recompute == "full" or (s.pipeline > 1 and s.virtual_stages == 1):
        why = "it needs experts on several cards, no full recomputation, and several chunks where there are stages."
        core.left.out("overlap.expert", True, why)
    else:
        core.model["overlap_moe_expert_parallel_comm"] = True


def _sharding(r: Resolved, core: Core) -> None:
    s, overlap = r.strategy, r.stack.overlap
    core.ddp["grad_reduce_in_fp32"] = r.stack.gradient_bytes == 4 or r.plan.workload.precision in {"fp32", "tf32"}  # noqa: PLR2004 - bytes of FP32
    core.ddp["use_distributed_optimizer"] = s.sharding != "none"
    if s.sharding in STRATEGIES:
        core.ddp |= {"use_megatron_fsdp": True, "data_parallel_sharding_strategy": STRATEGIES[s.sharding]}
    gathers = overlap.fsdp if s.sharding == "zero3" else overlap.data and s.sharding != "none"
    core.ddp |= {"overlap_grad_reduce": overlap.data, "overlap_param_gather": gathers and overlap.data}
    if gathers and not overlap.data:
        core.left.out("overlap.fsdp", True, "gathers overlap only where gradient reduction does (overlap.data).")
    group, copies = shard_group(r), r.data_parallel * s.context
    if s.sharding != "none" and group < copies:
        core.ddp["num_distributed_optimizer_instances"] = copies // group
    if r.plan.workload.precision in {"fp8", "mxfp8"}:
        narrow = r.stack.parameter_gather_bytes < BYTES_OF_BF16 and s.sharding != "none"
        core.ddp["fp8_param_gather"] = narrow
        if r.plan.workload.precision == "mxfp8":
            core.ddp["reuse_grad_buf_for_mxfp8_param_ag"] = narrow and gathers and overlap.data
    if s.tensor > 1 and overlap.tensor:
        if s.sequence:
            core.model["tp_comm_overlap"] = True
        else:
            core.left.out("overlap.tensor", True, "it needs sequence parallelism.")


def _recompute(r: Resolved, core: Core) -> None:
    s = r.strategy
    if s.recompute == "selective":
        modules = s.recompute_modules or ("core_attention",)
        named = [MODULES[module] for module in modules if module in MODULES]
        if "mlp" in modules and r.model.moe:
            named.append("moe")
            core.left.out("recompute_modules", "mlp", "of experts the whole MoE layer is recomputed, its exchange too.")
        if unnamed := tuple(module for module in modules if module not in MODULES):
            core.left.out("recompute_modules", unnamed, "Megatron-Core has no such module to recompute.")
        if named:
            core.model |= {"recompute_granularity": "selective", "recompute_modules": named}
    elif s.recompute == "full":
        each, rest = divmod(s.recompute_layers, s.virtual_stages)
        if rest:
            why = f"Megatron-Core counts them by chunk; {each + 1} in each of {s.virtual_stages} chunks is the next."
            core.left.out("recompute_layers", s.recompute_layers, why)
            each += 1
        core.model |= {
            "recompute_granularity": "full",
            "recompute_method": "block" if each else "uniform",
            "recompute_num_layers": each or 1,
        }


def _kernels(r: Resolved, core: Core) -> None:
    stack, kernel = r.stack, r.stack.attention_kernel
    backends = {"flash": "auto", "flash1": "flash", "flash2": "flash", "fused-softmax": "unfused", "unfused": "unfused"}
    core.model["attention_backend"] = backends.get(kernel, "auto")
    if kernel in {"flash1", "flash2"}:
        core.left.out("attention_kernel", kernel, "the FlashAttention that is installed runs, whichever it is.")
    elif kernel == "triton":
        core.left.out("attention_kernel", kernel, "Transformer Engine has no Triton kernel; it chooses.")
    if kernel == "unfused":
        core.model["masked_softmax_fusion"] = False
    if stack.kernel_fusion in {"eager", "eager-fused-norms"}:
        core.model |= {"bias_activation_fusion": False, "bias_dropout_fusion": False, "apply_rope_fusion": False}
        core.model["persist_layer_norm"] = stack.kernel_fusion == "eager-fused-norms"
    elif stack.kernel_fusion == "compiled":
        core.left.out("kernel_fusion", "compiled", "Megatron-Core has fused kernels of its own; they are left on.")
    if not stack.fused_accumulation:
        core.model["gradient_accumulation_fusion"] = False
    if stack.loss == "chunked":
        core.model |= {"cross_entropy_loss_fusion": True, "cross_entropy_fusion_impl": "te"}
    elif stack.loss == "gathered":
        core.left.out("loss", "gathered", "Megatron-Core computes it over the vocabulary's shards.")
    if stack.cuda_graphs == "partial":
        core.model |= {"cuda_graph_impl": "transformer_engine", "cuda_graph_scope": ["attn"]}
    elif stack.cuda_graphs == "full":
        core.model |= {"cuda_graph_impl": "local", "cuda_graph_scope": ["full_iteration"]}
