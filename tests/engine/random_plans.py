"""Valid plans picked at random over all cards, models, stacks and strategies, to try the engine's properties on."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.plans import BUILT_IN

from planner.engine.constants import calibrated
from planner.engine.inputs import Inputs, batch
from planner.engine.layout import groups
from planner.engine.memory import fullest
from planner.engine.reading import inputs_of
from planner.engine.step import Step, step
from planner.spec.base import PlanError
from planner.spec.parse import parse_plan
from planner.spec.plan import Resolved
from planner.spec.rules import errors

Floats = NDArray[np.float64]

C = calibrated()
COUNT = 500
MODULES = (
    "core_attention", "mla_up", "moe_activation", "norm", "mlp", "attention", "half_linears", "all_but_linears",
)  # fmt: skip
OVERLAPS = ("data", "tensor", "fsdp", "expert", "pipeline")
FACTS: dict[str, tuple[object, ...]] = {
    "loss": ("vocab-parallel", "gathered", "chunked"),
    "cuda_graphs": ("none", "partial", "full"),
    "dispatcher": ("alltoall", "deepep"),
    "kernel_fusion": ("fused", "compiled", "eager-fused-norms", "eager"),
    "attention_kernel": ("flash", "flash1", "flash2", "triton", "fused-softmax", "unfused"),
    "p2p": ("scatter-gather", "redundant"),
    "gradient_bytes": (2, 4),
    "sequence": (True, False),
    "schedule": ("gpipe", "1f1b", "zero-bubble", "dualpipe"),
}


def _strategy(rng: random.Random, tensor: int, pipeline: int, context: int) -> dict[str, Any]:
    recompute = rng.choice(("none", "none", "selective", "full"))
    strategy = {
        "tensor": tensor, "pipeline": pipeline, "context": context, "virtual_stages": rng.choice((1, 1, 2, 4)),
        "expert": rng.choice((1, 1, 2, 4, 8, 16, 64)), "expert_tensor": rng.choice((1, 1, 1, 2)),
        "micro_batch": rng.choice((1, 1, 2, 4)), "sharding": rng.choice(("none", "zero1", "zero1", "zero2", "zero3")),
        "shard_group": rng.choice((0, 0, 0, 4, 8)), "recompute": recompute,
        "recompute_modules": rng.sample(MODULES, rng.randint(0, 2)) if recompute == "selective" else [],
        "recompute_layers": rng.choice((0, 0, 2)) if recompute == "full" else 0,
        "offload": rng.choice(("none", "none", "none", "optimizer", "activations")),
        "stack": rng.choice(BUILT_IN.ids("stacks")),
        "overlap": {kind: rng.random() < 0.5 for kind in OVERLAPS if rng.random() < 0.5},
    }  # fmt: skip
    return strategy | {key: rng.choice(values) for key, values in FACTS.items() if rng.random() < 0.4}


def _plan(rng: random.Random) -> dict[str, Any]:
    tensor, context = rng.choice((1, 2, 4, 8, 16)), rng.choice((1, 1, 1, 2, 4))
    pipeline, data = rng.choice((1, 1, 2, 3, 4, 5, 8, 16)), 2 ** rng.randint(0, 6)
    strategy = _strategy(rng, tensor, pipeline, context)
    cluster = {
        "card": rng.choice(BUILT_IN.ids("cards")), "cards": tensor * pipeline * context * data,
        "topology": rng.choice(("fat-tree", "rail-optimized", "multi-plane", "dragonfly", "torus", "single-switch")),
        "oversubscription": rng.choice((1.0, 1.0, 3.0, 7.0)),
    }  # fmt: skip
    if rng.random() < 0.15:
        cluster |= {"sites": 2, "wan_gb_per_s": 50.0}
    if rng.random() < 0.3:
        cluster["scale_out"] = rng.choice(("ib-ndr", "roce-200", "jupiter", "ib-xdr", "efa-v3"))
    workload = {
        "model": rng.choice(BUILT_IN.ids("models")), "tokens": 1e12,
        "sequence_length": rng.choice((1024, 4096, 8192, 32_768, 131_072)),
        "global_batch": data * strategy["micro_batch"] * rng.choice((1, 2, 4, 8, 16, 32, 33, 64)),
        "precision": rng.choice(("bf16", "bf16", "fp16", "fp8", "mxfp8", "nvfp4", "tf32", "fp32")),
    }  # fmt: skip
    return {"schema": 1, "cluster": cluster, "workload": workload, "strategy": strategy}


def _valid(rng: random.Random) -> Resolved:
    while True:
        try:
            resolved = BUILT_IN.resolve(parse_plan(_plan(rng), "random.toml"))
        except PlanError:
            continue
        if not errors(resolved):
            return resolved


@cache
def random_plans(count: int = COUNT, seed: int = 0) -> tuple[Resolved, ...]:
    """The same plans on every machine and run."""
    rng = random.Random(seed)
    return tuple(_valid(rng) for _ in range(count))


@cache
def random_inputs(count: int = COUNT, seed: int = 0) -> Inputs:
    """The same, as one batch of arrays."""
    return batch([inputs_of(resolved) for resolved in random_plans(count, seed)])


def column(value: Any, count: int = COUNT) -> Floats:
    """A field of a result as one number a plan."""
    return np.broadcast_to(np.asarray(value, dtype=float), (count,))


def steps(x: Inputs) -> Step:
    return step(x, C)


def seconds(x: Inputs) -> Floats:
    return column(step(x, C).total, len(x.layout.tensor))


def peak_bytes(x: Inputs) -> Floats:
    return column(fullest(x, groups(x), C).total, len(x.layout.tensor))


def machine(x: Inputs, **factors: float) -> Inputs:
    """The same plans on machines some of whose figures are multiplied."""
    return replace(x, machine=replace(x.machine, **{k: getattr(x.machine, k) * f for k, f in factors.items()}))


def layout(x: Inputs, **values: Any) -> Inputs:
    """The same plans with fields of the layout set."""
    return replace(x, layout=replace(x.layout, **{k: column(v, len(x.layout.tensor)) for k, v in values.items()}))


def software(x: Inputs, **values: bool) -> Inputs:
    """The same plans with flags of the software set."""
    count = len(x.layout.tensor)
    return replace(x, software=replace(x.software, **{k: np.full(count, v) for k, v in values.items()}))


def described(where: NDArray[np.bool_], plans: tuple[Resolved, ...]) -> list[dict[str, Any]]:
    """Plans a property fails for, as one would write them; empty where it holds."""
    picked = [plans[i] for i in np.flatnonzero(where)[:3]]
    return [r.plan.model_dump(include={"cluster", "workload", "strategy"}, exclude_unset=True) for r in picked]
