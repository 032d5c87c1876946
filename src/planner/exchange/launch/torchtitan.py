"""A job of torchtitan, as its TOML.

Source: torchtitan 0.2.2 (`torchtitan/config/job_config.py`, `torchtitan/models`), the last release that reads TOML:
from 0.3 on a job is a Python function.
"""

from __future__ import annotations

from typing import Any

import tomli_w

from planner.exchange.launch.plan import Left, chunk_layers, comment, shard_group, stage_layers, steps
from planner.spec.plan import Resolved
from planner.spec.words import escaped

TOOL = "torchtitan 0.2.2"
MODELS = {
    "llama3-8b": ("llama3", "8B"), "llama3-70b": ("llama3", "70B"), "llama3.1-8b": ("llama3", "8B"),
    "llama3.1-70b": ("llama3", "70B"), "llama3.1-405b": ("llama3", "405B"), "deepseek-v2-lite": ("deepseek_v3", "16B"),
    "deepseek-v2": ("deepseek_v3", "236B"), "deepseek-v3": ("deepseek_v3", "671B"), "qwen3-0.6b": ("qwen3", "0.6B"),
    "qwen3-1.7b": ("qwen3", "1.7B"), "qwen3-4b": ("qwen3", "4B"), "qwen3-8b": ("qwen3", "8B"),
    "qwen3-14b": ("qwen3", "14B"), "qwen3-32b": ("qwen3", "32B"), "qwen3-30b-a3b": ("qwen3", "30B-A3B"),
    "qwen3-235b-a22b": ("qwen3", "235B-A22B"), "gpt-oss-20b": ("gpt_oss", "20b"), "gpt-oss-120b": ("gpt_oss", "120b"),
    "llama4-scout": ("llama4", "17bx16e"), "llama4-maverick": ("llama4", "17bx128e"),
}  # fmt: skip
"""Models of the catalogue -> `model.name` and `model.flavor`."""
SCHEDULES = {"gpipe": "GPipe", "1f1b": "1F1B", "interleaved": "Interleaved1F1B"}
ZBV = 2
"""Chunks a stage of the V schedule."""
CONVERTERS = {"fp8": "float8", "mxfp8": "mx"}


def torchtitan(r: Resolved) -> str:
    """A plan as torchtitan's job file.

    Args:
        r: the plan.
    """
    left = Left()
    job = {
        "job": {"description": escaped(r.title)},
        "model": _model(r, left),
        "training": _training(r, left),
        "parallelism": _parallelism(r, left) | _pipeline(r, left) | _experts(r, left),
        "activation_checkpoint": _recompute(r, left),
        "compile": {"enable": r.stack.kernel_fusion == "compiled"},
    } | _quantize(r)
    _software(r, left)
    return f"{comment(r, TOOL, left)}\n{tomli_w.dumps(job)}"


def _model(r: Resolved, left: Left) -> dict[str, Any]:
    name, flavor = MODELS.get(r.model.id, ("", ""))
    if not name:
        name = flavor = escaped(r.model.id or r.model.name)
        left.said.append("workload.model: torchtitan has no such model; register a TrainSpec under the name below.")
    if r.model.mtp_depth:
        left.said.append("workload.model: multi-token prediction; torchtitan has none.")
    return {"name": name, "flavor": flavor} | ({"converters": _converters(r)} if _converters(r) else {})


def _converters(r: Resolved) -> list[str]:
    kind = CONVERTERS.get(r.plan.workload.precision)
    parts = ["linear", "grouped_mm"] if r.model.moe else ["linear"]
    return [f"quantize.{part}.{kind}" for part in parts] if kind else []


def _quantize(r: Resolved) -> dict[str, Any]:
    kind = CONVERTERS.get(r.plan.workload.precision)
    if not kind or not r.model.moe:
        return {}
    return {"quantize": {"grouped_mm": {kind: {"fqns": ["experts"]}}}}


def _training(r: Resolved, left: Left) -> dict[str, Any]:
    s, w = r.strategy, r.plan.workload
    if w.precision in {"fp16", "nvfp4", "tf32"}:
        instead = "float32" if w.precision == "tf32" else "bfloat16"
        left.said.append(f"workload.precision = {w.precision}: torchtitan has no setting for it; {instead} is set.")
    if r.stack.gradient_bytes == 2:  # noqa: PLR2004 - bytes of BF16
        left.out("gradient_bytes", 2, "torchtitan reduces gradients in float32.")
    if s.offload == "optimizer":
        left.out("offload", s.offload, "enable_cpu_offload moves weights and gradients to the host as well.")
    elif s.offload == "activations":
        left.out("offload", s.offload, "torchtitan has no setting for it.")
    return {
        "local_batch_size": s.micro_batch * (r.micro_batches if s.pipeline > 1 else 1),
        "global_batch_size": w.global_batch,
        "seq_len": w.sequence_length,
        "steps": steps(r),
        "mixed_precision_param": "float32" if w.precision in {"fp32", "tf32"} else "bfloat16",
        "mixed_precision_reduce": "float32",
        "enable_cpu_offload": s.offload == "optimizer",
    }


def _parallelism(r: Resolved, left: Left) -> dict[str, Any]:
    s, overlap = r.strategy, r.stack.overlap
    if s.tensor > 1 and not s.sequence:
        left.out("sequence", False, "torchtitan's tensor parallelism always has sequence parallelism.")
    group, rest = divmod(shard_group(r), s.context)
    if s.sharding == "none":
        group = 1
    elif rest or r.data_parallel % group:
        left.out("shard_group", s.shard_group, "it is no whole number of context groups; all ranks share one copy.")
        group = r.data_parallel
    if s.sharding == "zero1":
        left.out("sharding", s.sharding, "FSDP shards gradients as well; weights stay gathered after the forward pass.")
    if s.sharding != "none" and not (overlap.data and overlap.fsdp):
        off = "overlap.data" if not overlap.data else "overlap.fsdp"
        left.out(off, False, "FSDP always gathers and reduces beside computation.")
    compiled = r.stack.kernel_fusion == "compiled"
    if s.tensor > 1 and overlap.tensor and not compiled:
        left.out("overlap.tensor", True, "asynchronous tensor parallelism needs compiled code (kernel_fusion).")
    return {
        "data_parallel_replicate_degree": r.data_parallel // group,
        "data_parallel_shard_degree": group,
        "fsdp_reshard_after_forward": "always" if s.sharding == "zero3" else "never",
        "tensor_parallel_degree": s.tensor,
        "disable_loss_parallel": r.stack.loss == "gathered",
        "enable_async_tensor_parallel": s.tensor > 1 and overlap.tensor and compiled,
        "context_parallel_degree": s.context,
        "pipeline_parallel_degree": s.pipeline,
    }


def _pipeline(r: Resolved, left: Left) -> dict[str, Any]:
    s = r.strategy
    if s.pipeline == 1:
        return {}
    schedule = SCHEDULES.get(str(s.schedule), "")
    if s.schedule == "zero-bubble" and s.virtual_stages == ZBV:
        schedule = "ZBVZeroBubble"
    if not schedule:
        schedule = "Interleaved1F1B" if s.virtual_stages > 1 else "1F1B"
        nearest = (
            "DualPipeV, of two chunks a stage, is near" if s.schedule == "dualpipe" else "ZBVZeroBubble has two chunks"
        )
        left.out("schedule", s.schedule, f"torchtitan runs {schedule} here; {nearest}.")
    if s.tensor > 1 and r.stack.p2p == "redundant":
        left.out("p2p", "redundant", "each tensor rank sends its share of the sequence.")
    if not r.stack.overlap.pipeline:
        left.out("overlap.pipeline", False, "PyTorch's schedules send beside computation.")
    return {
        "pipeline_parallel_schedule": schedule,
        "pipeline_parallel_microbatch_size": s.micro_batch,
        "module_fqns_per_model_part": _parts(r),
    }


def _parts(r: Resolved) -> list[list[str]]:
    """Modules of each model chunk: the engine's split, under the names all of torchtitan's language models have."""
    parts: list[list[str]] = []
    first = 0
    for count in chunk_layers(r):
        last = min(first + count, r.model.layers)
        parts.append([f"layers.{n}" for n in range(first, last)])
        first = last
    parts[0].insert(0, "tok_embeddings")
    parts[-1] += ["norm", "output"]
    return parts


def _experts(r: Resolved, left: Left) -> dict[str, Any]:
    s = r.strategy
    if not r.model.moe:
        return {}
    if s.expert_tensor not in {1, s.tensor}:
        left.out("expert_tensor", s.expert_tensor, "torchtitan has 1 or the tensor degree.")
    if r.stack.overlap.expert:
        left.out("overlap.expert", True, "torchtitan overlaps it with the schedule DualPipeV alone.")
    if r.stack.dispatcher == "hybridep":
        left.out("dispatcher", "hybridep", "torchtitan 0.2.2 has DeepEP and plain all-to-alls.")
    return {
        "expert_parallel_degree": s.expert,
        "expert_tensor_parallel_degree": s.expert_tensor,
        "expert_parallel_comm_backend": "deepep" if r.stack.dispatcher == "deepep" and s.expert > 1 else "standard",
    }


def _recompute(r: Resolved, left: Left) -> dict[str, Any]:
    s = r.strategy
    if s.recompute == "full":
        held = max(stage_layers(r))
        if not s.recompute_layers or s.recompute_layers >= held:
            return {"mode": "full"}
        if held % s.recompute_layers == 0:
            return {"mode": "selective", "selective_ac_option": str(held // s.recompute_layers)}
        left.out(
            "recompute_layers", s.recompute_layers, f"torchtitan has every n-th of {held} layers; all are recomputed."
        )
        return {"mode": "full"}
    if s.recompute == "selective":
        if s.recompute_modules == ("half_linears",):
            return {"mode": "selective", "selective_ac_option": "op"}
        modules = s.recompute_modules or ("core_attention",)
        left.out("recompute_modules", modules, "torchtitan recomputes by operation or by layer; nothing is recomputed.")
    return {"mode": "none"}


def _software(r: Resolved, left: Left) -> None:
    stack = r.stack
    if stack.attention_kernel != "flash":
        left.out("attention_kernel", stack.attention_kernel, "PyTorch chooses the kernel of the attention core.")
    if stack.kernel_fusion in {"fused", "eager-fused-norms"}:
        left.out("kernel_fusion", stack.kernel_fusion, "torchtitan compiles or runs eagerly; here eagerly.")
    if stack.loss == "chunked":
        left.out("loss", "chunked", "torchtitan 0.2.2 computes it in one piece.")
    if stack.cuda_graphs != "none":
        left.out("cuda_graphs", stack.cuda_graphs, "torchtitan has no setting for it.")
