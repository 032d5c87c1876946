"""Every rule about a whole plan: when it speaks, what it says to change to what, and that doing so helps."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.plans import BUILT_IN, DENSE, EXPERTS, HYBRID, LATENT, PRESETS, data, resolved

from planner.exchange.runs import read_all, shipped_runs
from planner.spec.base import Problem
from planner.spec.parse import parse_plan
from planner.spec.plan import Resolved
from planner.spec.rules import check, errors
from planner.spec.rules.check import ALWAYS, IF_BATCH_DIVIDES, IF_CARDS_DIVIDE

ONE_STAGE = {"strategy__pipeline": 1}

CASES: dict[str, list[tuple[dict[str, Any], str, str, str, str]]] = {
    # rule -> cases: changes of the base plan, severity, key, words of the message, the fix
    "model_is_modelled": [
        ({"workload__model": {**DENSE, "unmodelled": "routed depth"}}, "error", "workload.model",
         "dense cannot be estimated: the engine has no equations for routed depth.", ""),
    ],
    "software_is_described": [
        ({"strategy__stack": "in-house"}, "info", "strategy.stack",
         "In-house stack is no software in particular: the ranges are those of software nobody described.",
         "State strategy.attention_kernel, kernel_fusion and overlap, or measure: `planner calibrate-to`."),
    ],
    "precision_of_card": [
        ({"cluster__card": "a100-sxm-80", "workload__precision": "fp8"}, "error", "workload.precision",
         "A100 SXM4 80 GB does not compute in fp8; it has fp32, tf32, fp16, bf16.", 'Use precision = "bf16".'),
        ({"workload__precision": "mxfp8"}, "error", "workload.precision", "it has", 'Use precision = "fp8".'),
        ({"workload__precision": "nvfp4"}, "error", "workload.precision", "it has", 'Use precision = "fp8".'),
    ],
    "sites": [
        ({"cluster__sites": 3, "cluster__wan_gb_per_s": 100.0}, "error", "cluster.cards",
         "64 cards do not divide over 3 sites.", "Use cards = 63 or 66."),
        ({"cluster__sites": 2}, "error", "cluster.wan_gb_per_s", "2 sites need wan_gb_per_s",
         "For example wan_gb_per_s = 100 (an 800 Gbit/s link)."),
        ({"cluster__wan_gb_per_s": 10.0}, "info", "cluster.wan_gb_per_s", "wan_gb_per_s = 10 joins sites", ""),
    ],
    "sites_hold_whole_copies": [
        ({"cluster__sites": 32, "cluster__wan_gb_per_s": 9.0}, "error", "cluster.sites",
         "data = 16 groups do not divide over 32 sites, and a copy of the model cannot span two.", "Use sites = 16."),
    ],
    "topology_holds": [
        ({"cluster__topology": "single-switch", "cluster__cards": 128}, "error", "cluster.topology",
         "single-switch joins up to 64 NICs with switches of 64 ports; a site here has 128.",
         'Use topology = "fat-tree".'),
        ({"cluster__topology": "dragonfly", "cluster__cards": 262_720, "workload__global_batch": 65_680}, "error",
         "cluster.topology", "dragonfly joins up to 262,656 NICs with switches of 64 ports; a site here has 262,720.",
         'Use topology = "fat-tree".'),
    ],
    "building": [
        ({"cost__basis": "own", "cost__building_usd_per_kw": 10_500.0}, "warning", "cost.colocation_usd_per_kw_month",
         "a building is paid for twice: building_usd_per_kw, and colocation at 183 $ a kW and month.",
         "Use colocation_usd_per_kw_month = 0."),
    ],
    "electricity": [
        ({"cost__basis": "own", "cost__usd_per_kwh": 0.2}, "info", "cost.usd_per_kwh",
         "usd_per_kwh counts for nothing: colocation at 183 $ a kW and month has the electricity in it.",
         "Use colocation_usd_per_kw_month = 0."),
        ({"cost__usd_per_kwh": 0.2}, "info", "cost.usd_per_kwh",
         "usd_per_kwh = 0.2 does not change the cost: a rent has the electricity in it.", ""),
    ],
    "whole_nodes": [
        ({"cluster__cards": 60}, "warning", "cluster.cards", "60 cards fill 7 nodes of 8 and leave one with 4.",
         "Use cards = 64 or 32."),
    ],
    "domain": [
        ({"cluster__scale_up_domain": 12}, "warning", "cluster.scale_up_domain",
         "a scale-up domain of 12 cards and nodes of 8 do not divide each other.", "Use scale_up_domain = 8 or 16."),
        ({"cluster__scale_up_domain": 16}, "warning", "cluster.scale_up_domain",
         "NVLink 4 (H100/H200) joins up to 8 cards; this plan assumes 16.", "Use scale_up_domain = 8."),
    ],
    "sequence_of_model": [
        ({"workload__sequence_length": 262_144}, "info", "workload.sequence_length",
         "dense was made for sequences of up to 131,072 tokens; the plan trains on 262,144.", ""),
    ],
    "tokens_of_a_step": [
        ({"workload__tokens": 15.0}, "warning", "workload.tokens", "15 tokens are less than one step of 4,194,304",
         "Were billions meant? 15 T is written 15e12."),
    ],
    "cards_divide": [
        ({"cluster__cards": 2047, "strategy__tensor": 8, **ONE_STAGE}, "error", "cluster.cards",
         "2,047 cards do not divide into copies of tensor 8 x context 1 x pipeline 1 = 8 cards.",
         "Use cards = 2048 or 1024."),
        ({"cluster__cards": 8, "strategy__tensor": 8, "strategy__pipeline": 4}, "error", "cluster.cards",
         "one copy of the model takes more than cluster.cards = 8", "Use cards = 32."),
    ],
    "batch_divides": [
        ({"workload__global_batch": 500}, "error", "workload.global_batch",
         "500 sequences do not divide over data 16 x micro_batch 1 = 16.", "Use global_batch = 496 or 512."),
        ({"workload__global_batch": 48, "strategy__micro_batch": 2}, "error", "strategy.micro_batch",
         "48 sequences do not divide over data 16 x micro_batch 2 = 32.", "Use micro_batch = 1."),
    ],
    "heads_divide": [
        ({"strategy__tensor": 3, **ONE_STAGE, "cluster__cards": 48}, "error", "strategy.tensor",
         "tensor = 3 does not divide the model's 32 attention heads.", "Use tensor = 2 or 4."),
        ({"workload__model": HYBRID, "strategy__tensor": 32}, "error", "strategy.tensor",
         "tensor = 32 does not divide the model's 48 Mamba heads.", "Use tensor = 16."),
    ],
    "widths_divide": [
        ({"workload__model": {**DENSE, "ffn_hidden": 14_332}, "strategy__tensor": 8}, "error", "strategy.tensor",
         "tensor = 8 does not divide the FFN's width of 14,332.", "Use tensor = 4."),
        ({"workload__model": {**EXPERTS, "moe": {"experts": 8, "topk": 2, "expert_ffn": 64, "shared_ffn": 100}},
          "strategy__tensor": 8}, "error", "strategy.tensor",
         "tensor = 8 does not divide the shared experts' width of 100.", "Use tensor = 4."),
        ({"workload__model": {**DENSE, "vocab": 128_255}}, "info", "strategy.tensor",
         "the vocabulary of 128,255 is padded so that tensor = 2 divides it: 128,256.", ""),
    ],
    "key_value_heads": [
        ({"strategy__tensor": 16}, "info", "strategy.tensor",
         "8 key-value heads over tensor = 16: each is held 2 times.", ""),
        ({"workload__model": {**DENSE, "heads": 48, "kv_heads": 12}, "strategy__tensor": 8}, "error", "strategy.tensor",
         "tensor = 8 and the model's 12 key-value heads do not divide each other.", "Use tensor = 4."),
    ],
    "tensor_in_domain": [
        ({"strategy__tensor": 16}, "warning", "strategy.tensor",
         "tensor = 16 is larger than the scale-up domain of 8 cards: every layer crosses nodes.", "Use tensor = 8."),
        ({"cluster__scale_up_domain": 6, "strategy__tensor": 4}, "warning", "strategy.tensor",
         "tensor = 4 does not divide the scale-up domain of 6 cards: some groups cross nodes.", "Use tensor = 2."),
    ],
    "sequence_parallel": [
        ({"strategy__tensor": 1, "strategy__sequence": True}, "warning", "strategy.sequence",
         "which has one card: it has no effect.", "Set sequence = false, or raise tensor."),
        ({"workload__sequence_length": 1001, "strategy__sequence": True}, "error", "workload.sequence_length",
         "1,001 tokens do not divide over context 1 x tensor 2 (sequence = true).",
         "Use sequence_length = 1000 or 1002."),
    ],
    "context_divides": [
        ({"strategy__context": 16, "workload__sequence_length": 1000, "strategy__sequence": False}, "error",
         "strategy.context", "a sequence of 1,000 tokens does not divide into 2 x context 16 pieces.",
         "Use context = 4."),
    ],
    "experts": [
        ({"strategy__expert": 2}, "error", "strategy.expert", "expert = 2, but dense has no experts.",
         "Use expert = 1."),
        ({"workload__model": EXPERTS, "strategy__expert": 12}, "error", "strategy.expert",
         "expert = 12 does not divide the model's 64 experts.", "Use expert = 8 or 16."),
    ],
    "expert_tensor": [
        ({"strategy__expert_tensor": 2}, "error", "strategy.expert_tensor",
         "expert_tensor = 2, but dense has no experts.", "Use expert_tensor = 1."),
        ({"workload__model": EXPERTS, "strategy__expert_tensor": 3}, "error", "strategy.expert_tensor",
         "expert_tensor = 3 does not divide the experts' width of 1,408.", "Use expert_tensor = 2 or 4."),
    ],
    "expert_groups": [
        ({"workload__model": EXPERTS, "strategy__expert": 64}, "error", "strategy.expert",
         "the 32 cards of a pipeline stage do not divide into groups of expert 64 x expert_tensor 1 = 64.",
         "Use expert = 32."),
        ({"workload__model": EXPERTS, "strategy__expert_tensor": 11}, "error", "strategy.expert_tensor",
         "do not divide into groups of expert 1 x expert_tensor 11 = 11.", "Use expert_tensor = 8 or 16."),
    ],
    "stages_have_layers": [
        ({**ONE_STAGE, "strategy__virtual_stages": 2}, "error", "strategy.virtual_stages",
         "virtual_stages = 2 splits pipeline stages, but pipeline = 1.", "Use virtual_stages = 1."),
        ({"strategy__tensor": 1, "strategy__pipeline": 64}, "error", "strategy.pipeline",
         "pipeline = 64 has more stages than the model's 32 layers can fill.", "Use pipeline = 32."),
        ({"strategy__pipeline": 8, "strategy__virtual_stages": 5}, "error", "strategy.virtual_stages",
         "pipeline 8 x virtual_stages 5 = 40 chunks are more than the model's 32 layers can fill.",
         "Use virtual_stages = 4."),
    ],
    "schedule_has_its_chunks": [
        ({**ONE_STAGE, "strategy__schedule": "dualpipe"}, "error", "strategy.schedule",
         "schedule = dualpipe needs pipeline stages, but pipeline = 1.", 'Use schedule = "1f1b".'),
        ({"strategy__schedule": "interleaved"}, "error", "strategy.schedule",
         "needs several chunks a stage, but virtual_stages = 1.", 'Use virtual_stages = 2. Or: Use schedule = "1f1b".'),
        ({"strategy__schedule": "1f1b", "strategy__virtual_stages": 2}, "error", "strategy.schedule",
         "schedule = 1f1b runs one chunk a stage, but virtual_stages = 2.", 'Use schedule = "interleaved".'),
        ({"strategy__schedule": "gpipe", "strategy__virtual_stages": 2}, "error", "strategy.virtual_stages",
         "schedule = gpipe does not split stages further, but virtual_stages = 2.", "Use virtual_stages = 1."),
        ({"strategy__schedule": "zero-bubble", "strategy__virtual_stages": 3}, "error", "strategy.virtual_stages",
         "schedule = zero-bubble runs one or two chunks a stage, but virtual_stages = 3.", "Use virtual_stages = 2."),
        ({"cluster__cards": 48, "strategy__pipeline": 3, "strategy__schedule": "dualpipe"}, "error",
         "strategy.pipeline", "needs an even number of stages, not 3.", "Use pipeline = 2 or 4."),
    ],
    "even_layers": [
        ({"strategy__pipeline": 8, "workload__model": {**DENSE, "layers": 30}}, "info", "strategy.pipeline",
         "30 layers over 8 chunks: some hold 3, some 4.", ""),
    ],
    "dualpipe": [
        ({"workload__global_batch": 48, "strategy__schedule": "dualpipe"}, "error", "workload.global_batch",
         "at least 2 x pipeline = 4; a step has 3.", "Use global_batch = 64."),
        ({"strategy__micro_batch": 32, "strategy__schedule": "dualpipe"}, "error", "strategy.micro_batch",
         "at least 2 x pipeline = 4; a step has 1.", "Use micro_batch = 8."),
        ({"workload__global_batch": 16, "strategy__schedule": "dualpipe"}, "error", "strategy.schedule",
         "at least 2 x pipeline = 4; a step has 1.", 'Use schedule = "1f1b".'),
    ],
    "interleaved_groups": [
        ({"cluster__cards": 60, "workload__global_batch": 105, "strategy__virtual_stages": 2}, "warning",
         "workload.global_batch", "7 micro-batches are no multiple of pipeline 2", "Use global_batch = 90 or 120."),
    ],
    "pipeline_fills": [
        ({"workload__global_batch": 16}, "warning", "strategy.pipeline",
         "1 micro-batches a step cannot fill 2 pipeline stages", "Raise global_batch to 32 or lower pipeline."),
        ({"workload__global_batch": 32, "strategy__micro_batch": 2}, "warning", "strategy.micro_batch",
         "cards idle most of the time.", "Use micro_batch = 1."),
    ],
    "shard_group": [
        ({"strategy__shard_group": 3}, "error", "strategy.shard_group",
         "shard_group = 3 does not divide data x context = 16 ranks.", "Use shard_group = 2 or 4."),
        ({"strategy__shard_group": 2, "strategy__sharding": "none"}, "warning", "strategy.shard_group",
         "sharding = none keeps a copy on every card: it has no effect.", "Use shard_group = 0."),
    ],
    "sharding_in_pipeline": [
        ({"strategy__sharding": "zero3"}, "info", "strategy.sharding", "zero3 with a pipeline gathers every stage's",
         'Use sharding = "zero1".'),
        ({"strategy__sharding": "zero2"}, "info", "strategy.sharding", "zero2 with a pipeline may reduce gradients",
         'Use sharding = "zero1".'),
    ],
    "recompute": [
        ({"strategy__recompute_modules": ["norm"]}, "error", "strategy.recompute_modules",
         "recompute_modules goes with recompute = selective, but recompute = none.",
         'Use recompute = "selective". Or leave recompute_modules out.'),
        ({"strategy__recompute_layers": 2}, "error", "strategy.recompute_layers",
         "recompute_layers = 2 goes with recompute = full, but recompute = none.", "Use recompute_layers = 0."),
        ({"strategy__recompute": "full", "strategy__recompute_layers": 17}, "error", "strategy.recompute_layers",
         "recompute_layers = 17, but a stage holds at most 16 layers.", "Use recompute_layers = 16."),
    ],
    "recompute_modules": [
        ({"strategy__recompute": "selective", "strategy__recompute_modules": ["mla_up"]}, "error",
         "strategy.recompute_modules", "mla_up is a part of latent attention, but dense has GQA.", "Remove mla_up."),
        ({"strategy__recompute": "selective", "strategy__recompute_modules": ["moe_activation"]}, "error",
         "strategy.recompute_modules", "moe_activation is a part of experts, but dense has none.", "Remove it."),
    ],
}  # fmt: skip

RULES = {rule.__name__: rule for rule in (*ALWAYS, *IF_CARDS_DIVIDE, *IF_BATCH_DIVIDES)}

NO_ONE_REMEDY = {"model_is_modelled"}
"""Rules about what no key of the plan can mend."""


def changed(plan: dict[str, Any], problem: Problem) -> Resolved:
    """The plan with a problem's own fix applied."""
    plan = copy.deepcopy(plan)
    for key, value in problem.change:
        table, _, name = key.partition(".")
        plan[table][name] = value
    return BUILT_IN.resolve(parse_plan(plan, ""))


def test_the_base_plan_has_no_problem() -> None:
    assert check(resolved()) == ()
    for model in (EXPERTS, LATENT, HYBRID):
        assert check(resolved(workload__model=model)) == ()


def test_every_rule_has_a_case() -> None:
    assert set(CASES) == set(RULES)


@pytest.mark.parametrize(("rule", "case"), [(rule, case) for rule, cases in CASES.items() for case in cases])
def test_each_rule_says_what_to_change_to_what(rule: str, case: tuple[dict[str, Any], str, str, str, str]) -> None:
    changes, severity, key, message, fix = case
    found = [p for p in check(resolved(**changes)) if p.key == key and message in p.message]
    assert [(p.severity, p.fix) for p in found] == [(severity, fix)]
    assert found[0] in list(RULES[rule](resolved(**changes)))


def test_errors_come_first() -> None:
    severities = [
        p.severity for p in check(resolved(strategy__sharding="zero3", strategy__expert=2, cluster__cards=60))
    ]
    assert severities == sorted(severities, key=["error", "warning", "info"].index)
    assert {"error", "info"} <= set(severities)


DEGREES = st.sampled_from([1, 2, 3, 4, 5, 6, 8, 12, 16, 32, 64])


@settings(max_examples=300)
@given(
    st.fixed_dictionaries(
        {
            "cluster__cards": st.sampled_from([8, 16, 60, 64, 100, 512, 1000, 2048]),
            "workload__model": st.sampled_from([DENSE, EXPERTS, LATENT, HYBRID]),
            "workload__global_batch": st.sampled_from([64, 100, 512, 1000, 1024]),
            "workload__sequence_length": st.sampled_from([1000, 4096, 8192]),
            "strategy__tensor": DEGREES,
            "strategy__pipeline": DEGREES,
        },
        optional={
            "cluster__sites": st.sampled_from([2, 3, 4]),
            "cluster__scale_up_domain": st.sampled_from([1, 4, 6, 16]),
            "workload__precision": st.sampled_from(["fp16", "fp8", "mxfp8", "nvfp4"]),
            "strategy__context": DEGREES,
            "strategy__sequence": st.booleans(),
            "strategy__virtual_stages": st.integers(1, 5),
            "strategy__expert": DEGREES,
            "strategy__expert_tensor": st.integers(1, 4),
            "strategy__micro_batch": st.integers(1, 4),
            "strategy__schedule": st.sampled_from(["gpipe", "1f1b", "interleaved", "zero-bubble", "dualpipe"]),
            "strategy__sharding": st.sampled_from(["none", "zero1", "zero2", "zero3"]),
            "strategy__shard_group": st.sampled_from([2, 7]),
            "strategy__recompute": st.sampled_from(["selective", "full"]),
            "strategy__recompute_layers": st.sampled_from([1, 40]),
            "strategy__recompute_modules": st.sampled_from([["mla_up"], ["moe_activation"], ["norm"]]),
        },
    )
)
def test_whatever_is_wrong_has_a_fix_and_the_fix_mends_it(changes: dict[str, Any]) -> None:
    plan = data(**changes)
    r = BUILT_IN.resolve(parse_plan(plan, ""))
    for name, rule in RULES.items():
        asked = rule in ALWAYS or not any(p.key == "cluster.cards" for p in RULES["cards_divide"](r))
        if rule in IF_BATCH_DIVIDES:
            asked = asked and not list(RULES["batch_divides"](r))
        for problem in rule(r) if asked else ():
            assert problem.fix or problem.severity == "info" or name in NO_ONE_REMEDY
            if problem.change:
                after = changed(plan, problem)
                if rule in ALWAYS or not list(RULES["cards_divide"](after)):
                    still = [(p.severity, p.key) for p in rule(after)]
                    assert (problem.severity, problem.key) not in still, (name, problem)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_break_no_rule(name: str) -> None:
    found = check(BUILT_IN.resolve(BUILT_IN.plan(name)))
    assert [p for p in found if p.severity != "info"] == []


def test_published_runs_break_no_rule() -> None:
    """Somebody ran them. Rows that are skipped name a rule only where what the source prints contradicts itself."""
    runs = read_all(shipped_runs(), BUILT_IN)
    assert [(run.id, found) for run in runs.runs if (found := errors(run.resolved))] == []
    contradicting = {
        "dgxc-25.05.04-llama4-maverick-h100-sxm-bf16-512gpu",
        "dgxc-25.05.04-llama4-maverick-h100-sxm-fp8-512gpu",
        "bridge-25.09-deepseek-v3-gb200-fp8-mx-tokendrop-alt",
        "gpt-neox-20b",
    }
    assert {row.id for row in runs.skipped if not row.why.startswith("workload.precision")} == contradicting
