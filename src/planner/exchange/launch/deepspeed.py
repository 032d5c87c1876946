"""A configuration of DeepSpeed, `ds_config.json`.

Source: DeepSpeed 0.19 (`deepspeed/runtime/config.py`, `constants.py`, `zero/config.py`, `tensor_parallel/config.py`,
`pipe/engine.py`). The file holds no comments, since its tables refuse keys they do not know: what it cannot say is
returned beside it. Model, pipeline and experts are made by the training program, not by this file.
"""

from __future__ import annotations

import json
from typing import Any

from planner.exchange.launch.plan import NOT_SAID, Left
from planner.spec.plan import Resolved

STAGES = {"none": 0, "zero1": 1, "zero2": 2, "zero3": 3}
NARROW = frozenset({"fp8", "mxfp8", "nvfp4"})
"""Precisions of Transformer Engine, which the program wraps its layers with."""


def deepspeed(r: Resolved) -> tuple[str, tuple[str, ...]]:
    """A plan as DeepSpeed's configuration, and what it cannot say, as sentences.

    Args:
        r: the plan.
    """
    s, w, left = r.strategy, r.plan.workload, Left()
    config: dict[str, Any] = {
        "train_batch_size": w.global_batch,
        "train_micro_batch_size_per_gpu": s.micro_batch,
        "gradient_accumulation_steps": r.micro_batches,
        "zero_optimization": _zero(r, left),
        "bf16": {"enabled": w.precision == "bf16" or w.precision in NARROW},
        "fp16": {"enabled": w.precision == "fp16"},
    } | _gradients(r)
    if w.precision in NARROW or w.precision == "tf32":
        left.said.append(f"workload.precision = {w.precision}: the program turns it on.")
    config |= _layout(r, left)
    config |= _recompute(r, left)
    _program(r, left)
    return json.dumps(config, indent=2) + "\n", (*left.said, NOT_SAID)


def _gradients(r: Resolved) -> dict[str, Any]:
    if r.stack.gradient_bytes == 4:  # noqa: PLR2004 - bytes of FP32
        kind = "fp32"
    else:
        kind = {"fp16": "fp16", "fp32": "fp32", "tf32": "fp32"}.get(r.plan.workload.precision, "bf16")
    return {"communication_data_type": kind, "data_types": {"grad_accum_dtype": kind}}


def _zero(r: Resolved, left: Left) -> dict[str, Any]:
    s, overlap = r.strategy, r.stack.overlap
    zero: dict[str, Any] = {"stage": STAGES[s.sharding], "overlap_comm": overlap.data}
    if s.sharding == "zero3" and not overlap.fsdp:
        zero["stage3_prefetch_bucket_size"] = 0
    if s.sharding != "none" and s.shard_group:
        left.out("shard_group", s.shard_group, "DeepSpeed 0.19 shards over all data-parallel ranks.")
    if s.offload == "optimizer" and s.sharding != "none":
        zero["offload_optimizer"] = {"device": "cpu"}
    elif s.offload == "optimizer":
        left.out("offload", s.offload, "DeepSpeed moves the optimizer to the host with ZeRO alone.")
    if s.pipeline > 1 and s.sharding in {"zero2", "zero3"}:
        left.out("sharding", s.sharding, "DeepSpeed refuses it together with pipeline stages.")
    return zero


def _layout(r: Resolved, left: Left) -> dict[str, Any]:
    s = r.strategy
    out: dict[str, Any] = {}
    if s.tensor > 1:
        out["tensor_parallel"] = {"autotp_size": s.tensor, "tp_overlap_comm": r.stack.overlap.tensor}
        if s.sequence:
            left.out("sequence", True, "AutoTP has no sequence parallelism; a program with its own TP decides.")
    if s.context > 1:
        out["sequence_parallel_size"] = s.context
        left.out("context", s.context, "set as Ulysses, which exchanges heads; the program wraps the attention core.")
    if s.pipeline > 1:
        out |= _pipeline(r, left)
    if r.model.moe:
        _experts(r, left)
    return out


def _pipeline(r: Resolved, left: Left) -> dict[str, Any]:
    s = r.strategy
    left.out("pipeline", s.pipeline, f"the program makes the stages: PipelineModule(num_stages={s.pipeline}).")
    if s.schedule != "1f1b":
        left.out("schedule", s.schedule, "DeepSpeed runs 1F1B.")
    if s.virtual_stages > 1:
        left.out("virtual_stages", s.virtual_stages, "DeepSpeed has one chunk a stage.")
    if r.stack.overlap.pipeline:
        left.out("overlap.pipeline", True, "DeepSpeed sends between micro-batches.")
    if s.tensor == 1:
        return {}
    shares = r.stack.p2p == "scatter-gather"
    return {"pipeline": {"pipe_partitioned": shares, "grad_partitioned": shares}}


def _experts(r: Resolved, left: Left) -> None:
    s = r.strategy
    left.out("expert", s.expert, f"the program makes the experts: MoE(ep_size={s.expert}).")
    if s.expert_tensor > 1:
        left.out("expert_tensor", s.expert_tensor, "MoE(enable_expert_tensor_parallelism=True) in the program.")
    if r.stack.dispatcher != "alltoall":
        left.out("dispatcher", r.stack.dispatcher, "DeepSpeed has its own all-to-all.")
    if r.stack.overlap.expert:
        left.out("overlap.expert", True, "DeepSpeed does not overlap it.")


def _recompute(r: Resolved, left: Left) -> dict[str, Any]:
    s = r.strategy
    on_host = s.offload == "activations"
    if s.recompute == "none":
        if on_host:
            left.out("offload", s.offload, "DeepSpeed moves checkpoints of recomputation alone.")
        return {}
    what = ", ".join(s.recompute_modules) or "core_attention" if s.recompute == "selective" else "whole layers"
    many = f" ({s.recompute_layers} a stage)" if s.recompute_layers else ""
    left.out("recompute", s.recompute, f"the program wraps what is computed again: {what}{many}.")
    return {"activation_checkpointing": {"partition_activations": bool(s.sequence), "cpu_checkpointing": on_host}}


def _program(r: Resolved, left: Left) -> None:
    """What the model's own code decides."""
    where = "the model's code decides."
    left.out("attention_kernel", r.stack.attention_kernel, where)
    left.out("kernel_fusion", r.stack.kernel_fusion, where)
    left.out("loss", r.stack.loss, where)
    if r.stack.cuda_graphs != "none":
        left.out("cuda_graphs", r.stack.cuda_graphs, where)
    left.said.append(f"workload.sequence_length = {r.plan.workload.sequence_length}: the data loader decides.")
