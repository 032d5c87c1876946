"""Plans the tests stand on, made of few keys; nothing of the user's own catalogue."""

from dataclasses import replace
from functools import cache
from typing import Any

from planner.catalog import Catalog
from planner.data_files import data_root
from planner.engine.estimate import evaluate
from planner.engine.result import Estimate, Outcome, Part
from planner.spec.parse import parse_plan
from planner.spec.plan import Plan, Resolved

BUILT_IN = Catalog(data_root() / "presets")

DENSE = {
    "name": "dense", "layers": 32, "hidden": 4096, "ffn_hidden": 14336, "heads": 32, "kv_heads": 8, "vocab": 128_256,
    "max_sequence": 131_072,
}  # fmt: skip
"""A dense model of 8 billion parameters."""

EXPERTS = {
    **DENSE, "name": "experts", "moe": {"experts": 64, "topk": 6, "shared": 2, "expert_ffn": 1408, "first_k_dense": 1},
}  # fmt: skip
"""The same with experts in all layers but the first."""

LATENT = {
    **DENSE, "name": "latent", "attention": "mla", "kv_heads": 32,
    "mla": {"q_lora": 0, "kv_lora": 512, "qk_nope": 128, "qk_rope": 64, "v_head": 128},
}  # fmt: skip
"""The same with latent attention."""

HYBRID = {
    **DENSE, "name": "hybrid", "layers": 8, "hybrid": {
        "pattern": "M-M-*-M-", "mamba_heads": 48, "mamba_head_dim": 64, "mamba_state": 128, "mamba_groups": 8,
    },
}  # fmt: skip
"""Layers of Mamba-2, attention and FFN."""

BASE: dict[str, dict[str, Any]] = {
    "cluster": {"card": "h100-sxm", "cards": 64},
    "workload": {"model": DENSE, "tokens": 1e12, "sequence_length": 8192, "global_batch": 512},
    "strategy": {"tensor": 2, "pipeline": 2},
}


def data(**changes: Any) -> dict[str, Any]:
    """A plan as a file has it: the base with keys changed; dotted keys are written with two underscores.

    A key set to None is left out.
    """
    out: dict[str, Any] = {"schema": 1, **{table: dict(keys) for table, keys in BASE.items()}}
    for path, value in changes.items():
        *tables, name = path.split("__")
        place = out
        for table in tables:
            place = place.setdefault(table, {})
        if value is None:
            place.pop(name, None)
        else:
            place[name] = value
    return out


def plan(**changes: Any) -> Plan:
    return parse_plan(data(**changes), "plan.toml")


def resolved(**changes: Any) -> Resolved:
    return BUILT_IN.resolve(plan(**changes))


def outcome(**changes: Any) -> Outcome:
    return evaluate(resolved(**changes))


@cache
def preset(name: str) -> Outcome:
    """What the engine says about a plan that comes with the program; computed once."""
    return evaluate(BUILT_IN.resolve(BUILT_IN.plan(name)))


PRESETS = BUILT_IN.ids("plans")


def told(**changes: Any) -> Outcome:
    """An outcome of round figures that no engine computed: what reports print of it never changes.

    Args:
        changes: fields of its estimate.
    """
    r = resolved(
        name="A plan", workload__model=DENSE, cluster__scale_out="ib-ndr", cost__usd_per_card_hour=2.0, claim__mfu=0.4,
        claim__card_hours=1_500.0, claim__source="a [paper]",
    )  # fmt: skip
    stages = tuple(
        {"weights": 4.0, "gradients": 8.0, "optimizer": 2.0, "activations": a, "other": 4.0} for a in (40.0, 30.0)
    )
    estimate = Estimate(
        step_time_s=8.0, tokens_per_s=524_288.0, tokens_per_s_per_card=8_192.0, model_tflops_per_card=400.0, mfu=0.4045,
        hfu=0.45, mfu_6nd=0.38, training_days=22.0, card_hours=33_792.0, goodput=0.98, h100_equivalents=64.0,
        cost_usd=67_584.0, usd_per_million_tokens=0.0676, energy_mwh=50.0, power_mw=0.095, co2_kg=20_000.0,
        memory_gb=58.0, memory_capacity_gb=80.0, memory_gb_by_stage=(58.0, 48.0), memory_breakdown_gb=stages[0],
        memory_by_stage_gb=stages,
        step_breakdown_s={
            "compute": 6.0, "tensor": 1.0, "context": 0.0, "expert": 0.0, "pipeline_bubble": 0.5,
            "pipeline_transfer": 0.001, "data": 0.25, "optimizer": 0.049, "other": 0.2,
        },
        compute_breakdown_s={
            "gemm": 4.0, "attention": 1.0, "memory_bound": 0.6, "logits": 0.4, "recompute": 0.0, "host": 0.0,
        },
        interval_80={
            "step_time_s": (7.0, 9.0), "mfu": (0.36, 0.46), "training_days": (19.0, 25.0), "cost_usd": (59e3, 76e3),
        },
        runs_behind=12,
        bill_of_materials=(Part("H100 SXM5 80 GB", 64.0, 1.5e6, 44.8), Part("cable", 128.0, 0.0, 0.0)),
        steps=238_419.0, interruptions=0.7, checkpoint_gb=112.0, checkpoint_every_s=3_600.0, spare_cards=0.0,
        it_peak_mw=0.09, usd_per_card_hour=2.0,
    )  # fmt: skip
    made = replace(estimate, **changes)
    return Outcome(r, made.memory_gb <= made.memory_capacity_gb, (), made)
