"""Plans the tests stand on, made of few keys; nothing of the user's own catalogue."""

from functools import cache
from typing import Any

from planner.catalog import Catalog
from planner.data_files import data_root
from planner.engine.estimate import evaluate
from planner.engine.result import Outcome
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
