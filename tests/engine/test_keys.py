"""No key of a plan is accepted and ignored: each changes what the estimate says of a plan it matters to."""

from dataclasses import fields
from typing import Any

import pytest
from tests.plans import EXPERTS, LATENT, outcome

from planner.engine.result import Estimate
from planner.spec.base import Spec
from planner.spec.plan import Cluster, Cost, OverlapOverride, Power, Reliability, Strategy, Workload

MOE: dict[str, Any] = {"workload__model": EXPERTS, "strategy__expert": 8}
OWN: dict[str, Any] = {"cost__basis": "own"}
SITES: dict[str, Any] = {"cluster__sites": 2, "cluster__wan_gb_per_s": 100.0}
SHARDED: dict[str, Any] = {"strategy__sharding": "zero3", "strategy__pipeline": 1, "strategy__tensor": 1}
WIDE: dict[str, Any] = {
    "cluster__cards": 16_384, "workload__global_batch": 4096, "strategy__tensor": 8, "strategy__pipeline": 4,
}  # fmt: skip
"""Stages 4,096 cards apart: beyond the top tier of the network."""

CHANGES: dict[str, tuple[dict[str, Any], Any]] = {
    "cluster.card": ({}, "h200-sxm"),
    "cluster.cards": ({}, 128),
    "cluster.cards_per_node": ({"strategy__tensor": 1}, 4),
    "cluster.scale_up": ({}, "pcie5"),
    "cluster.scale_up_domain": ({"strategy__tensor": 8}, 4),
    "cluster.scale_out": ({}, "roce-200"),
    "cluster.nics_per_node": ({}, 4),
    "cluster.topology": (WIDE, "torus"),
    "cluster.oversubscription": (WIDE, 7.0),
    "cluster.sites": ({"cluster__wan_gb_per_s": 100.0}, 2),
    "cluster.wan_gb_per_s": (SITES, 10.0),
    "workload.model": ({}, LATENT),
    "workload.tokens": ({}, 2e12),
    "workload.sequence_length": ({}, 4096),
    "workload.global_batch": ({}, 1024),
    "workload.precision": ({}, "fp8"),
    "strategy.tensor": ({}, 4),
    "strategy.sequence": ({}, False),
    "strategy.context": ({}, 2),
    "strategy.pipeline": ({}, 4),
    "strategy.virtual_stages": ({}, 2),
    "strategy.expert": (MOE, 16),
    "strategy.expert_tensor": (MOE, 2),
    "strategy.micro_batch": ({}, 2),
    "strategy.schedule": ({}, "zero-bubble"),
    "strategy.sharding": ({}, "none"),
    "strategy.shard_group": ({}, 4),
    "strategy.recompute": ({}, "full"),
    "strategy.recompute_modules": ({"strategy__recompute": "selective"}, ["mlp"]),
    "strategy.recompute_layers": ({"strategy__recompute": "full"}, 4),
    "strategy.offload": ({}, "optimizer"),
    "strategy.p2p": ({}, "redundant"),
    "strategy.gradient_bytes": ({}, 2),
    "strategy.loss": ({}, "gathered"),
    "strategy.cuda_graphs": ({}, "partial"),
    "strategy.dispatcher": (MOE, "deepep"),
    "strategy.kernel_fusion": ({}, "eager"),
    "strategy.attention_kernel": ({}, "flash2"),
    "strategy.stack": ({}, "in-house"),
    "strategy.overlap.data": ({}, False),
    "strategy.overlap.tensor": ({}, False),
    "strategy.overlap.fsdp": (SHARDED, False),
    "strategy.overlap.expert": (MOE, True),
    "strategy.overlap.pipeline": ({"strategy__virtual_stages": 2}, False),
    "reliability.mtbf_card_hours": ({}, 5_000.0),
    "reliability.restart_s": ({}, 60.0),
    "reliability.checkpoint_gb_per_s": ({}, 2.0),
    "reliability.checkpoint_every_s": ({}, 3600.0),
    "cost.basis": ({}, "own"),
    "cost.usd_per_card_hour": ({}, 9.0),
    "cost.rent_level": ({}, "high"),
    "cost.rent_date": ({}, "2023"),
    "cost.card_usd": (OWN, 1e5),
    "cost.server_usd_per_card": (OWN, 9e4),
    "cost.network_usd_per_card": (OWN, 5e4),
    "cost.years": (OWN, 3.0),
    "cost.cost_of_capital": (OWN, 0.05),
    "cost.colocation_usd_per_kw_month": (OWN, 100.0),
    "cost.usd_per_kwh": ({**OWN, "cost__colocation_usd_per_kw_month": 0.0}, 0.3),
    "cost.building_usd_per_kw": (OWN, 10_000.0),
    "cost.staff_usd_per_card_year": (OWN, 500.0),
    "cost.utilization": (OWN, 0.8),
    "power.pue": ({}, 1.1),
    "power.grid": ({}, "fr"),
    "power.kg_co2_per_kwh": ({}, 0.1),
}
"""Key -> a plan it matters to, and another value for it."""

TABLES: dict[str, type[Spec]] = {
    "cluster": Cluster, "workload": Workload, "strategy": Strategy, "strategy.overlap": OverlapOverride,
    "reliability": Reliability, "cost": Cost, "power": Power,
}  # fmt: skip


def test_every_key_of_a_plan_is_in_the_table() -> None:
    keys = {f"{table}.{key}" for table, kind in TABLES.items() for key in kind.model_fields}
    assert keys - {"strategy.overlap"} == set(CHANGES)


@pytest.mark.parametrize("key", CHANGES)
def test_a_key_changes_the_estimate(key: str) -> None:
    base, value = CHANGES[key]
    before, after = outcome(**base).estimate, outcome(**{**base, key.replace(".", "__"): value}).estimate
    assert [f.name for f in fields(Estimate) if getattr(before, f.name) != getattr(after, f.name)]


SPEED = [key for key in CHANGES if key.startswith(("cluster.", "strategy."))]
NOT_SPEED = {"cluster.cards_per_node"}
"""Nodes of four have half the NICs and, unless the plan says otherwise, the same scale-up domain."""


@pytest.mark.parametrize("key", [key for key in SPEED if key not in NOT_SPEED])
def test_a_key_of_cluster_or_strategy_changes_the_step(key: str) -> None:
    base, value = CHANGES[key]
    before, after = outcome(**base).estimate, outcome(**{**base, key.replace(".", "__"): value}).estimate
    assert before.step_time_s != after.step_time_s
