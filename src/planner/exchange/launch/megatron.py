"""Command-line arguments of Megatron-LM's `pretrain_gpt.py`.

Source: NVIDIA/Megatron-LM, `megatron/training/arguments.py` (its commit 000c4ac of late 2025), and the configuration
classes of Megatron-Core 0.16, whose fields Megatron-LM offers under the same names with dashes.
"""

from __future__ import annotations

import shlex

from planner.exchange.launch.core import Core, Value, core_settings
from planner.exchange.launch.plan import Left, comment, nodes, runs
from planner.spec.plan import Resolved

TOOL = "Megatron-LM of Megatron-Core 0.16"
NAMES = {
    "num_moe_experts": "num-experts",
    "virtual_pipeline_model_parallel_size": "num-virtual-stages-per-pipeline-rank",
}
"""Fields whose argument is not their name with dashes."""
ON = {"gated_linear_unit": "swiglu", "grad_reduce_in_fp32": "accumulate-allreduce-grads-in-fp32"}
"""Flags of fields that are on, where the flag is not their name with dashes."""
OFF = {
    "share_embeddings_and_output_weights": ("untie-embeddings-and-output-weights",),
    "grad_reduce_in_fp32": ("grad-reduce-in-bf16",),
    "overlap_p2p_comm": ("no-overlap-p2p-communication",),
    "scatter_gather_tensors_in_pipeline": ("no-scatter-gather-tensors-in-pipeline",),
    "masked_softmax_fusion": ("no-masked-softmax-fusion",),
    "bias_activation_fusion": ("no-bias-gelu-fusion", "no-bias-swiglu-fusion"),
    "bias_dropout_fusion": ("no-bias-dropout-fusion",),
    "apply_rope_fusion": ("no-rope-fusion",),
    "persist_layer_norm": ("no-persist-layer-norm",),
    "gradient_accumulation_fusion": ("no-gradient-accumulation-fusion",),
}
"""Flags of fields that are off; of all others, off is what goes without a flag."""
DEFAULT_ON = {"share_embeddings_and_output_weights", *(name for name in OFF if name != "grad_reduce_in_fp32")}
"""Fields that are on without a flag."""
PRECISIONS = {
    "fp32": (), "tf32": (), "fp16": ("fp16",), "bf16": ("bf16",),
    "fp8": ("bf16", "fp8-format hybrid", "fp8-recipe tensorwise"),
    "mxfp8": ("bf16", "fp8-format e4m3", "fp8-recipe mxfp8"),
    "nvfp4": ("bf16", "fp4-format e2m1", "fp4-recipe nvfp4"),
}  # fmt: skip


def megatron(r: Resolved) -> str:
    """A plan as a fragment of a shell script: two arrays, of `torchrun` and of Megatron-LM, an argument a line.

    Args:
        r: the plan.
    """
    core = core_settings(r)
    _precision(r, core.left)
    lines = _arguments(r, core)
    program = "pretrain_mamba.py" if r.model.hybrid else "pretrain_gpt.py"
    launcher = [f"--nnodes {nodes(r)}", f"--nproc-per-node {min(r.cards_per_node, r.plan.cluster.cards)}"]
    queues = "CUDA_DEVICE_MAX_CONNECTIONS=1 " if _one_queue(r, core) else ""
    run = f'# {queues}torchrun "${{TORCHRUN_ARGS[@]}}" {program} "${{MEGATRON_ARGS[@]}}"'
    return f"{comment(r, TOOL, core.left)}{_array('TORCHRUN_ARGS', launcher)}{_array('MEGATRON_ARGS', lines)}{run}\n"


def _one_queue(r: Resolved, core: Core) -> bool:
    """Megatron-LM refuses tensor and context parallelism before Blackwell without this variable, and FSDP with it."""
    return r.strategy.tensor * r.strategy.context > 1 and not core.ddp.get("use_megatron_fsdp")


def _array(name: str, lines: list[str]) -> str:
    return f"{name}=(\n" + "".join(f"    {line}\n" for line in lines) + ")\n"


def _precision(r: Resolved, left: Left) -> None:
    precision = r.plan.workload.precision
    if precision == "fp8":
        left.said.append(
            "workload.precision = fp8: how tensors are scaled; tensorwise is set, blockwise is DeepSeek-V3's."
        )
    elif precision == "tf32":
        left.said.append("workload.precision = tf32: no argument; NVIDIA_TF32_OVERRIDE=1 in the environment.")


def _arguments(r: Resolved, core: Core) -> list[str]:
    lines = [f"--{words}" for words in PRECISIONS[r.plan.workload.precision]]
    model = dict(core.model)
    if "pipeline_model_parallel_layout" in model:  # it says how many chunks there are; both together are refused
        model.pop("virtual_pipeline_model_parallel_size", None)
    for settings in (core.train, model, core.ddp, core.optimizer):
        for name, value in settings.items():
            lines += _argument(name, value)
    # Megatron-LM refuses fewer position embeddings than tokens of a sequence.
    lines.append(f"--max-position-embeddings {max(r.model.max_sequence, r.plan.workload.sequence_length)}")
    if r.model.attention != "mla" and r.model.kv_heads < r.model.heads:
        lines.append("--group-query-attention")
    if r.model.hybrid:
        lines.append("--is-hybrid-model")
    if core.ddp.get("use_megatron_fsdp"):
        lines.append("--ckpt-format fsdp_dtensor")
    if core.model.get("cuda_graph_impl"):
        lines.append("--te-rng-tracker")
    if core.model.get("cuda_graph_scope") == ["full_iteration"]:
        lines.append("--no-check-for-nan-in-loss-and-grad")
    return [line for line in lines if line != "--grad-reduce-in-bf16" or r.plan.workload.precision != "fp16"]


def _argument(name: str, value: Value) -> list[str]:
    """The lines of one setting: a flag, or an argument with its values."""
    plain = name.replace("_", "-")
    if value is True:
        return [] if name in DEFAULT_ON else [f"--{ON.get(name, plain)}"]
    if value is False:
        return [f"--{flag}" for flag in OFF.get(name, ())]
    if isinstance(value, list):
        numbers = [item for item in value if isinstance(item, int)]
        words = [runs(numbers)] if numbers else [str(item) for item in value]
    elif isinstance(value, tuple):
        words = [",".join(map(str, value))]
    else:
        words = [str(value)]
    return [" ".join([f"--{NAMES.get(name, plain)}", *map(shlex.quote, words)])]
