"""From ids and inline tables to objects, with defaults filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from planner.catalog import Catalog
from planner.catalog.inline import merged
from planner.spec.base import PlanError, Problem
from planner.spec.parse import parse_plan
from planner.spec.plan import Resolved

CATALOG = Catalog.default()


def resolved(over: Mapping[str, Any] | None = None) -> Resolved:
    plan = {
        "schema": 1,
        "cluster": {"card": "h100-sxm", "cards": 64},
        "workload": {"model": "llama3-8b", "tokens": 1e12},
        "strategy": {},
    }
    return CATALOG.resolve(parse_plan(merged(plan, over or {}), ""))


def problems(over: Mapping[str, Any]) -> dict[str, Problem]:
    with pytest.raises(PlanError) as caught:
        resolved(over)
    return {problem.key: problem for problem in caught.value.problems}


def test_the_card_decides_what_the_plan_leaves_out() -> None:
    r = resolved()
    assert (r.card.id, r.scale_up.id, r.scale_out.id) == ("h100-sxm", "nvlink4", "ib-ndr")
    assert (r.cards_per_node, r.nics_per_node, r.scale_up_domain) == (8, 8, 8)
    assert r.stack.id == "megatron"
    assert (r.strategy.schedule, r.strategy.sequence) == ("1f1b", False)


def test_the_plan_comes_first() -> None:
    r = resolved(
        {"cluster": {"scale_up": "nvlink5-nvl72", "scale_up_domain": 64, "nics_per_node": 2, "scale_out": "efa-v2"}}
    )
    assert (r.scale_up.id, r.scale_up_domain, r.nics_per_node, r.scale_out.gb_per_s) == ("nvlink5-nvl72", 64, 2, 12.5)


def test_nics_are_those_of_the_product_else_of_the_host_in_proportion() -> None:
    assert resolved({"cluster": {"scale_out": "efa-v2"}}).nics_per_node == 32
    assert resolved({"cluster": {"cards_per_node": 4}}).nics_per_node == 4
    assert resolved({"cluster": {"card": "gb200-nvl72", "cards_per_node": 72, "cards": 72}}).nics_per_node == 72
    assert resolved({"cluster": {"card": "tpu-v5e"}}).nics_per_node == 1


def test_a_card_without_fabric_uses_its_hosts_nics() -> None:
    r = resolved({"cluster": {"card": "mi300x"}})
    assert r.scale_out.name == "8 x 50 GB/s (card's host)"
    assert r.scale_out.gb_per_s == 50
    bare = problems({"cluster": {"card": {"base": "mi300x", "host": {"nics": 0}}}})
    assert list(bare) == ["cluster.scale_out"]


def test_rent_and_price() -> None:
    r = resolved()
    assert (r.usd_per_card_hour, r.card_price_usd) == (2.95, 23_500)
    r = resolved({"cost": {"usd_per_card_hour": 0.0, "card_usd": 1000}})
    assert (r.usd_per_card_hour, r.card_price_usd) == (0.0, 1000)
    assert resolved({"cluster": {"card": "trainium3"}}).usd_per_card_hour == 0


@pytest.mark.parametrize(
    ("strategy", "sequence", "schedule"),
    [
        ({"tensor": 2}, True, "1f1b"),
        ({"tensor": 2, "sequence": False}, False, "1f1b"),
        ({"tensor": 2, "stack": "in-house"}, False, "1f1b"),
        ({"pipeline": 2, "virtual_stages": 2}, False, "interleaved"),
        ({"pipeline": 2, "virtual_stages": 2, "schedule": "zero-bubble"}, False, "zero-bubble"),
    ],
)
def test_sequence_and_schedule_are_decided(strategy: dict[str, Any], sequence: bool, schedule: str) -> None:
    r = resolved({"strategy": strategy})
    assert (r.strategy.sequence, r.strategy.schedule) == (sequence, schedule)


def test_the_strategy_overrides_its_stack() -> None:
    facts = {
        "attention_kernel": "flash2", "kernel_fusion": "eager", "p2p": "redundant", "gradient_bytes": 2,
        "loss": "chunked", "cuda_graphs": "full", "dispatcher": "deepep",
    }  # fmt: skip
    r = resolved({"strategy": {**facts, "overlap": {"expert": True, "data": False}}})
    assert {key: getattr(r.stack, key) for key in facts} == facts
    usual = CATALOG.stack("megatron").overlap
    assert r.stack.overlap == usual.model_copy(update={"expert": True, "data": False})
    assert CATALOG.stack("megatron").p2p == "scatter-gather"


def test_software_may_have_another_kernel_for_an_architecture() -> None:
    def kernel(card: str, **strategy: Any) -> str:
        r = resolved({"cluster": {"card": card}, "strategy": {"stack": "torchtitan", **strategy}})
        return r.stack.attention_kernel

    assert (kernel("h100-sxm"), kernel("b200-sxm"), kernel("gb300-nvl72")) == ("flash2", "flash", "flash")
    assert kernel("b200-sxm", attention_kernel="flash2") == "flash2"
    assert kernel("b200-sxm", stack={"base": "torchtitan", "attention_kernel": "triton"}) == "triton"
    assert kernel("b200-sxm", stack={"base": "torchtitan", "loss": "gathered"}) == "flash"


def test_inline_tables() -> None:
    r = resolved(
        {
            "cluster": {
                "card": {"base": "h100-sxm", "memory_gb": 96, "measured": {"gemm_under_load_tflops": 700}},
                "scale_up": {"name": "mine", "gb_per_s": 300, "domain": 16},
                "scale_out": {"name": "ours", "gb_per_s": 25},
            },
            "workload": {
                "model": {"layers": 2, "hidden": 64, "ffn_hidden": 256, "heads": 4, "kv_heads": 4, "vocab": 1000}
            },
            "strategy": {"stack": {"base": "fsdp", "name": "ours", "overlap": {"fsdp": False}}},
        }
    )
    assert (r.card.memory_gb, r.card.tdp_w, r.card.id) == (96, 700, "h100-sxm")
    assert r.card.name == "H100 SXM5 80 GB (changed)"
    assert (r.card.measured.bf16_tflops, r.card.measured.gemm_under_load_tflops) == (794.5, 700)
    assert "memory_gb" not in r.card.provenance
    assert "tdp_w" in r.card.provenance
    assert (r.scale_up.gb_per_s, r.scale_up_domain) == (300, 16)
    assert (r.scale_out.name, r.nics_per_node) == ("ours", 8)
    assert r.model.name == "custom model"
    assert (r.stack.name, r.stack.overlap.fsdp, r.stack.overlap.data) == ("ours", False, True)


def test_a_power_limit_leaves_the_rest_of_the_node_its_power() -> None:
    whole, capped = (
        resolved({"cluster": {"card": {"base": "h100-sxm", "tdp_w": watts}}}).card.host for watts in (700, 500)
    )
    assert whole.max_kw - capped.max_kw == pytest.approx(8 * 0.2)
    assert capped.measured_kw / capped.max_kw == pytest.approx(whole.measured_kw / whole.max_kw)
    all_in, less = (
        resolved({"cluster": {"card": {"base": "gb200-nvl72", "tdp_w": watts}}}).card.host for watts in (1200, 1000)
    )
    assert all_in.all_in_kw_per_card - less.all_in_kw_per_card == pytest.approx(0.2)
    own = {"base": "h100-sxm", "tdp_w": 500, "host": {"max_kw": 9.0}}
    assert resolved({"cluster": {"card": own}}).card.host.max_kw == 9


def test_a_model_may_have_a_base_too() -> None:
    model = resolved({"workload": {"model": {"base": "deepseek-v3", "layers": 16, "moe": {"experts": 64}}}}).model
    assert model.moe is not None
    assert (model.layers, model.moe.experts, model.moe.topk) == (16, 64, 8)


def test_every_problem_is_told_at_once() -> None:
    found = problems(
        {
            "cluster": {"card": "h100-smx", "scale_out": "ib-ndrr"},
            "workload": {"model": {"layers": 0}},
            "strategy": {"stack": {"base": 7}},
        }
    )
    assert {"cluster.card", "cluster.scale_out", "workload.model.layers", "strategy.stack.base"} <= set(found)
    assert found["cluster.card"].change == (("cluster.card", "h100-sxm"),)
    assert "workload.model.hidden" in found


def test_a_fabric_of_the_wrong_role() -> None:
    found = problems({"cluster": {"scale_out": "nvlink4"}})["cluster.scale_out"]
    assert found.message == '"nvlink4" is not a scale-out fabric.'
    found = problems({"cluster": {"scale_up": "ib-ndr"}})["cluster.scale_up"]
    assert "planner catalog fabrics" in found.fix


def test_an_inline_table_with_an_unknown_base_or_key() -> None:
    assert "cluster.card.base" in problems({"cluster": {"card": {"base": "h1000"}}})
    found = problems({"cluster": {"card": {"base": "h100-sxm", "memory_bg": 1}}})["cluster.card.memory_bg"]
    assert "memory_gb" in found.fix


def test_a_plan_without_strategy_is_refused_for_now() -> None:
    plan = parse_plan(
        {"schema": 1, "cluster": {"card": "h20", "cards": 8}, "workload": {"model": "dbrx", "tokens": 1e9}}, ""
    )
    with pytest.raises(PlanError, match=r"the plan has no \[strategy\]"):
        CATALOG.resolve(plan)


def test_what_was_left_out_is_known() -> None:
    r = resolved({"strategy": {"tensor": 2, "overlap": {"data": True}}, "power": {"pue": 1.1}})
    assert {"cluster.topology", "strategy.pipeline", "cost.usd_per_card_hour", "power.kg_co2_per_kwh"} <= r.defaults
    assert {"strategy.overlap.tensor", "workload.global_batch", "reliability.restart_s"} <= r.defaults
    given = {
        "cluster.card",
        "cluster.cards",
        "workload.tokens",
        "strategy.tensor",
        "strategy.overlap.data",
        "power.pue",
    }
    assert not given & r.defaults
    assert not any(key.startswith(("claim", "name", "notes", "schema")) for key in r.defaults)
