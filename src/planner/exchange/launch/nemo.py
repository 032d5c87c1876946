"""Overrides of a NeMo (Megatron Bridge) pre-training recipe, as a Python function.

Python and not YAML: a recipe's `comm_overlap` and `mixed_precision` may be null, and YAML cannot make them anew.
Source: NVIDIA-NeMo/Megatron-Bridge 0.3 (`megatron.bridge.training.config.ConfigContainer`, `comm_overlap`,
`mixed_precision`), on Megatron-Core 0.16.
"""

from __future__ import annotations

from planner.exchange.launch.core import Core, Value, core_settings
from planner.exchange.launch.plan import comment, runs
from planner.spec.plan import Resolved

TOOL = "NeMo's Megatron Bridge 0.3"
PRECISIONS = {
    "fp16": "fp16_mixed", "bf16": "bf16_mixed", "fp8": "bf16_with_fp8_current_scaling_mixed",
    "mxfp8": "bf16_with_mxfp8_mixed", "nvfp4": "bf16_with_nvfp4_mixed",
}  # fmt: skip
"""Recipes of mixed precision; FP32 is none."""
NOT_THE_RECIPES = (
    "pipeline_model_parallel_layout", "virtual_pipeline_model_parallel_size", "recompute_granularity",
    "recompute_method", "recompute_num_layers", "recompute_modules", "window_size", "window_attn_skip_freq",
    "mtp_num_layers", "moe_shared_expert_intermediate_size",
)  # fmt: skip
"""Settings of a recipe that would stand beside the plan's where the plan has none."""
OVERLAPS = ("tp_comm_overlap", "overlap_p2p_comm", "overlap_moe_expert_parallel_comm")
DDP_OVERLAPS = ("overlap_grad_reduce", "overlap_param_gather")
OF_PRECISION = ("grad_reduce_in_fp32", "fp8_param_gather", "reuse_grad_buf_for_mxfp8_param_ag")
"""Settings of data parallelism that the recipe of mixed precision decides."""


def nemo(r: Resolved) -> str:
    """A plan as a Python module with `apply_plan(cfg)`, which sets what the plan states on a recipe's configuration.

    Args:
        r: the plan.
    """
    core = core_settings(r)
    recipe = PRECISIONS.get(r.plan.workload.precision, "")
    _left(r, core)
    imports = ["from megatron.bridge.training.comm_overlap import CommOverlapConfig"]
    imports += [f"from megatron.bridge.training.mixed_precision import {recipe}"] if recipe else []
    imports += ["from megatron.core.transformer.enums import AttnBackend"]
    body = [f"    cfg.{line}" for line in _lines(r, core, recipe)]
    use = "# cfg = some_recipe(); pretrain(apply_plan(cfg), forward_step)\n"
    function = ["", "", "def apply_plan(cfg):", *body, "    return cfg", ""]
    return comment(r, TOOL, core.left) + use + "\n".join([*imports, *function])


def _left(r: Resolved, core: Core) -> None:
    if r.plan.workload.precision == "fp8":
        core.left.said.append("workload.precision = fp8: how tensors are scaled; current scaling by tensor is set.")
    elif r.plan.workload.precision == "tf32":
        core.left.said.append("workload.precision = tf32: NVIDIA_TF32_OVERRIDE=1 in the environment.")
    if core.model.pop("scatter_gather_tensors_in_pipeline", None) is False:
        core.left.out("p2p", "redundant", "Megatron Bridge has no setting for it.")


def _lines(r: Resolved, core: Core, recipe: str) -> list[str]:
    model = dict(core.model)
    backend = model.pop("attention_backend")
    overlap = {name: model.pop(name, False) for name in OVERLAPS}
    overlap |= {name: core.ddp[name] for name in DDP_OVERLAPS}
    precise = {name: core.ddp[name] for name in OF_PRECISION if name in core.ddp}
    rest = {name: value for name, value in core.ddp.items() if name not in {*DDP_OVERLAPS, *OF_PRECISION}}
    model["use_te_rng_tracker"] = "cuda_graph_impl" in model
    lines = [f"model.{name} = {_python(value)}" for name, value in model.items()]
    lines += [f"model.{name} = None" for name in NOT_THE_RECIPES if name not in model]
    lines.append(f"model.attention_backend = AttnBackend.{backend}")
    lines += [f"train.{name} = {value!r}" for name, value in core.train.items()]
    lines.append(f"dataset.seq_length = {r.plan.workload.sequence_length}")
    lines += [f"ddp.{name} = {value!r}" for name, value in rest.items()]
    lines += [f"optimizer.{name} = {value!r}" for name, value in core.optimizer.items()]
    lines.append(f"optimizer.use_distributed_optimizer = {core.ddp['use_distributed_optimizer']!r}")
    if core.ddp.get("use_megatron_fsdp"):
        lines.append("checkpoint.ckpt_format = 'fsdp_dtensor'")
    lines.append(f"mixed_precision = {recipe}()" if recipe else "mixed_precision = None")
    if r.plan.workload.precision == "fp8":
        lines.append("mixed_precision.first_last_layers_bf16 = False")
    lines += [f"{'mixed_precision' if recipe else 'ddp'}.{name} = {value!r}" for name, value in precise.items()]
    words = ", ".join(f"{name}={value!r}" for name, value in overlap.items())
    return [*lines, f"comm_overlap = CommOverlapConfig({words})"]


def _python(value: Value) -> str:
    """A setting as Python writes it; a pattern of layers as the sum of its runs."""
    if isinstance(value, list) and (numbers := [item for item in value if isinstance(item, int)]):
        return runs(numbers).replace("*", " * ").replace("+", " + ")
    return repr(value)
