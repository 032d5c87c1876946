"""Bytes on a card: state by ZeRO stage, activations by Korthikanti's count, and which stage is the fullest."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.floors import C, numbers, preset, with_layout, with_machine, with_shape, with_software
from tests.plans import BUILT_IN, EXPERTS, HYBRID, LATENT
from tests.plans import DENSE as DENSE_MODEL

from planner.engine import memory
from planner.engine.estimate import evaluate
from planner.engine.inputs import DUALPIPE, FUSIONS, Inputs
from planner.engine.layout import groups
from planner.engine.memory import Parameters, fullest, layer_activations, most_bytes, stage_memory, state
from planner.engine.reading import inputs_of
from planner.engine.result import MEMORY_PARTS

DENSE = numbers()


def state_of(held: Parameters, x: Inputs) -> tuple[float, float, float]:
    weights, gradients, optimizer = state(held, x, groups(x))
    return float(weights), float(gradients), float(optimizer)


def held_by_all(x: Inputs) -> float:
    """Parameters over all ranks of one copy of the model."""
    y = x.layout
    one = memory.parameters(memory.stage_at(np.arange(y.pipeline), x), x)
    return float(np.sum(one.dense) * y.tensor + np.sum(one.expert) * y.expert * y.expert_tensor)


def activations_of(stage: float, x: Inputs) -> float:
    return float(memory.activations(memory.stage_at(stage, x), x, memory.layer_bytes(x)))


def working_of(stage: float, x: Inputs) -> float:
    return float(memory.working(memory.stage_at(stage, x), x, memory.layer_bytes(x)))


# state


@pytest.mark.parametrize(
    ("sharding", "bytes_each"),
    [("none", 2 + 4 + 12), ("zero1", 2 + 4 + 12 / 16), ("zero2", 2 + 4 / 16 + 12 / 16), ("zero3", 16 / 16)],
)
def test_bytes_a_parameter_by_zero_stage(sharding: str, bytes_each: float) -> None:
    # Rajbhandari 2019 (arXiv 1910.02054), figure 1, with FP32 gradients; 64 cards, tensor 2, pipeline 2: 16 ranks.
    x = numbers(strategy__sharding=sharding)
    assert sum(state_of(Parameters(1e9, 0.0), x)) == pytest.approx(bytes_each * 1e9)


def test_bf16_gradients_save_two_bytes() -> None:
    four, two = (state_of(Parameters(1e9, 0.0), numbers(strategy__gradient_bytes=n)) for n in (4, 2))
    assert (four[1], two[1]) == (4e9, 2e9)


def test_fp16_software_keeps_gradients_in_fp16_unless_told() -> None:
    def gradients(**told: int) -> float:
        x = numbers(workload__precision="fp16", strategy__stack="in-house", **told)
        return state_of(Parameters(1e9, 0.0), x)[1]

    assert gradients() == gradients(strategy__gradient_bytes=2) == 2e9
    assert gradients(strategy__gradient_bytes=4) == 6e9  # each micro-batch's own beside the FP32 sum


def test_fp32_training_has_one_copy_of_the_weights() -> None:
    x = numbers(workload__precision="tf32", strategy__sharding="none")
    assert state_of(Parameters(1e9, 0.0), x) == (4e9, 4e9, 8e9)


def test_experts_are_sharded_over_the_ranks_that_hold_them() -> None:
    x = numbers(workload__model=EXPERTS, strategy__expert=8)  # 64 / (2 x 8) cards hold the same experts
    assert state_of(Parameters(0.0, 1e9), x)[2] == pytest.approx(12e9 / 4)


def test_a_sharded_layer_is_whole_while_it_is_used() -> None:
    x = numbers(strategy__sharding="zero3")
    few, many = state_of(Parameters(8e9, 0.0, layers=8.0), x), state_of(Parameters(8e9, 0.0), x)
    assert few[0] - many[0] == pytest.approx(2 * 2e9)  # two of eight layers' weights in BF16
    assert few[1] - many[1] == pytest.approx(4e9)  # one layer's gradients in FP32


def test_hybrid_sharding_holds_a_copy_a_group() -> None:
    x = numbers(strategy__sharding="zero3", strategy__shard_group=8)
    assert sum(state_of(Parameters(1e9, 0.0), x)) == pytest.approx(16e9 / 8)


def test_offloading_the_optimizer_leaves_weights_and_gradients() -> None:
    x = numbers(strategy__offload="optimizer")
    assert state_of(Parameters(1e9, 0.0), x) == (2e9, 4e9, 0)


def test_each_site_holds_a_copy_of_what_is_sharded() -> None:
    one = state_of(Parameters(1e9, 0.0), numbers())
    two = state_of(Parameters(1e9, 0.0), numbers(cluster__sites=2, cluster__wan_gb_per_s=100.0))
    assert two[2] == 2 * one[2]


# parameters


@pytest.mark.parametrize("name", BUILT_IN.ids("models"))
def test_parameters_over_all_ranks_are_the_models(name: str) -> None:
    model = BUILT_IN.model(name, "model")
    if model.unmodelled:
        pytest.skip(model.unmodelled)
    x = numbers(workload__model=name, strategy__tensor=1, strategy__pipeline=1, cluster__cards=1)
    assert held_by_all(x) == pytest.approx(model.total_params + model.mtp_depth * last_layer(x), rel=0.002)


def last_layer(x: Inputs) -> float:
    """Parameters of a layer of the model's last kind."""
    s = x.shape
    ffn = s.matrices * s.hidden * (s.experts * s.expert_ffn + s.shared_ffn) + s.hidden * s.experts
    dense = s.matrices * s.hidden * s.ffn
    return float(s.attention_params + (ffn if s.moe_layers else dense))


MODELS = [numbers(workload__model=model) for model in (DENSE_MODEL, EXPERTS, LATENT, HYBRID)]


@settings(max_examples=60)
@given(
    st.sampled_from(MODELS),
    st.sampled_from([1, 2, 4, 8]),
    st.sampled_from([1, 2, 3, 4, 5, 8]),
)
def test_splitting_a_model_loses_no_parameters(x: Inputs, tensor: int, pipeline: int) -> None:
    whole = held_by_all(with_layout(x, tensor=1.0, pipeline=1.0, expert=1.0))
    expert = 4.0 if x.shape.moe_layers else 1.0
    split = held_by_all(with_layout(x, tensor=float(tensor), pipeline=float(pipeline), expert=expert))
    assert split >= whole * (1 - 1e-12)
    # Norms, routers, latent projections and surplus key-value heads are held by every tensor rank.
    assert split <= whole * 1.15


def test_dualpipe_holds_the_stage_of_the_other_end_too() -> None:
    x = with_layout(numbers(strategy__pipeline=4, strategy__tensor=1), schedule=DUALPIPE)
    plain = with_layout(x, schedule=1)
    both = memory.parameters(memory.stage_at(0.0, x), x)
    ends = [memory.parameters(memory.stage_at(stage, plain), plain).dense for stage in (0.0, 3.0)]
    assert both.dense == pytest.approx(sum(ends))
    one, two = state_of(Parameters(1e9, 0.0), plain), state_of(Parameters(2e9, 0.0), x)
    assert two == pytest.approx((2 * one[0], 2 * one[1], one[2]))  # twice the ranks share the optimizer


# activations


def gpt(x: Inputs) -> Inputs:
    """A GPT layer: plain FFN of four hidden widths, one key-value head a query head."""
    h = x.shape.hidden
    return with_shape(x, matrices=2.0, ffn=4 * h, kv_heads=x.shape.heads)


def test_activations_of_korthikanti_without_dropout() -> None:
    # 34 s b h bytes a layer over t with sequence parallelism (arXiv 2205.05198, equation 4), of which two are dropout
    # masks here left out; flash attention keeps four bytes of statistics a head.
    x = gpt(DENSE)
    attention, ffn, _ = layer_activations(x)
    assert attention + ffn == pytest.approx((32 * 4096 + 4 * 32) / 2)


def test_score_matrices_of_korthikanti() -> None:
    # 5 a s^2 b over t more where softmax is not fused with the products; selective recomputation drops them.
    unfused = with_software(gpt(DENSE), attention_kernel=5)
    scores = layer_activations(unfused)[0] - layer_activations(gpt(DENSE))[0]
    assert scores == pytest.approx(5 * 32 * 8192 / 2)
    again = with_layout(unfused, core_attention=1.0)
    assert layer_activations(again)[0] <= layer_activations(gpt(DENSE))[0]


def test_without_sequence_parallelism_norm_inputs_stay_whole() -> None:
    # (10 + 24 / t) s b h in Korthikanti's count, 8 + 24 / t without the dropout mask's two.
    x = with_layout(gpt(DENSE), sequence_parallel=0.0)
    attention, ffn, _ = layer_activations(x)
    assert attention + ffn == pytest.approx((8 + 24 / 2) * 4096 + 4 * 32 / 2)


def test_full_recomputation_keeps_a_layers_input() -> None:
    # 2 s b h (Korthikanti 2022, section 5), over the sequence shards here; 16 layers a stage.
    x = with_layout(DENSE, full_recompute=1.0)
    assert activations_of(0.0, x) == pytest.approx(8192 * 16 * 2 * 4096 / 2)


def test_gpt_3_on_1024_a100_fits_as_it_ran() -> None:
    x = inputs_of(preset("gpt-3-175b"))
    assert fullest(x, groups(x), C).total < C.usable * x.machine.memory_bytes


def test_fp8_keeps_gemm_inputs_at_one_byte() -> None:
    eight = layer_activations(numbers(workload__precision="fp8"))
    saved = [one - two for one, two in zip(layer_activations(DENSE), eight, strict=True)]
    assert saved[:2] == pytest.approx([4096 / 2, (4096 + 14336) / 2])


def test_experts_keep_their_slots() -> None:
    # 6 slots a token over tensor 2: the input (2 h), gate and up and product (2 + 2 + 2 widths), 8 bytes of routing.
    x = numbers(workload__model=EXPERTS)
    _, _, moe = layer_activations(x)
    slots = 6 / 2 * (2 * 4096 + 6 * 1408 + 8)
    shared = 6 * 2816 / 2
    assert moe == pytest.approx(4 * 4096 / 2 + shared + slots)


def test_32_bit_states_take_twice_the_room() -> None:
    wide = layer_activations(numbers(workload__precision="tf32"))
    assert wide[1] == pytest.approx(2 * layer_activations(DENSE)[1])


@pytest.mark.parametrize(
    "module",
    ["core_attention", "mla_up", "moe_activation", "norm", "mlp", "attention", "half_linears", "all_but_linears"],
)
def test_every_recomputed_module_saves_something(module: str) -> None:
    model: dict[str, Any] = {**EXPERTS, "attention": "mla", "kv_heads": 32, "mla": LATENT["mla"]}
    x = numbers(workload__model=model, strategy__pipeline=1, strategy__attention_kernel="unfused")
    some = with_layout(x, **{module: 1.0})
    assert activations_of(0.0, some) < activations_of(0.0, x)


def test_blocks_in_parallel_share_input_and_norm() -> None:
    beside, after = (numbers(workload__model={**DENSE_MODEL, "parallel_block": both}) for both in (True, False))
    assert layer_activations(after)[1] - layer_activations(beside)[1] == pytest.approx(4 * 4096 / 2)
    assert layer_activations(after)[0] == layer_activations(beside)[0]


def test_compiled_code_keeps_less_and_eager_code_more() -> None:
    classes = [with_software(DENSE, fusion=FUSIONS.index(name)) for name in ("compiled", "fused", "eager")]
    sizes = [sum(layer_activations(x)) for x in classes]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[1] < sizes[2]


def test_activations_in_flight_fall_from_stage_to_stage() -> None:
    x = numbers(strategy__pipeline=8, strategy__tensor=1)
    stored = [float(stage_memory(float(stage), x, groups(x), C).activations) for stage in range(7)]
    assert stored == sorted(stored, reverse=True)


def test_logits_lie_on_the_last_stage() -> None:
    # 8192 tokens x 128,256 / 2 x 10 bytes, and the head's weight gradient in BF16.
    x = numbers(strategy__loss="vocab-parallel")
    assert working_of(1.0, x) - working_of(0.0, x) >= 8192 * 128_256 / 2 * 10
    gathered = numbers(strategy__loss="gathered")
    assert working_of(1.0, gathered) > 3.9 * working_of(1.0, x) - 3e9


def test_offloaded_activations_leave_a_layer_on_the_card() -> None:
    x = numbers(strategy__offload="activations", strategy__pipeline=1)
    attention, ffn, _ = layer_activations(x)
    left = stage_memory(0.0, x, groups(x), C).activations
    assert left >= x.tokens * (attention + ffn)
    assert left < 0.5 * stage_memory(0.0, numbers(strategy__pipeline=1), groups(DENSE), C).activations


# whole cards


@pytest.mark.parametrize("name", ["llama-3.1-405b", "llama-3.1-405b-8k-gpus", "llama-3.1-405b-131k"])
def test_llama_405b_fits_as_meta_ran_it(name: str) -> None:
    # Llama 3 (arXiv 2407.21783, table 4): TP8 PP16 on 80 GB, no activation checkpointing (section 3.3.2).
    outcome = evaluate(preset(name))
    assert outcome.resolved.strategy.recompute == "none"
    assert outcome.fits


def test_deepseek_v3_fits_as_published() -> None:
    assert evaluate(preset("deepseek-v3")).fits


def test_a_70b_model_does_not_fit_eight_cards_unsharded() -> None:
    # 18 bytes a parameter of 70.6 G over tensor 8: 159 GB a card.
    plan = preset("llama-3.1-70b", cluster={"cards": 8}, workload={"global_batch": 8}, tensor=8, pipeline=1, context=1,
                  virtual_stages=1, sharding="none", shard_group=0)  # fmt: skip
    result = evaluate(plan)
    assert not result.fits
    assert result.estimate.memory_gb > 18 * 70.6 / 8


def test_parts_of_a_stage_add_up() -> None:
    one = stage_memory(0.0, DENSE, groups(DENSE), C)
    assert one.total == pytest.approx(sum(getattr(one, part) for part in MEMORY_PARTS))


@pytest.mark.parametrize("name", ["deepseek-v3", "llama-3.1-405b", "kimi-k2", "palm-540b", "qwen3-235b"])
def test_the_fullest_stage_is_among_the_candidates(name: str) -> None:
    x = inputs_of(preset(name))
    g = groups(x)
    every = np.broadcast_to(stage_memory(np.arange(x.layout.pipeline), x, g, C).total, (int(x.layout.pipeline),))
    assert fullest(x, g, C).total == pytest.approx(every.max(), rel=1e-12)
    assert most_bytes(x, g, C) == pytest.approx(every.max(), rel=1e-12)


def test_more_memory_bandwidth_changes_no_bytes() -> None:
    x = with_machine(DENSE, memory_bandwidth=1e13)
    assert fullest(x, groups(x), C) == fullest(DENSE, groups(DENSE), C)


def test_unknown_layers_leave_nothing_whole() -> None:
    assert math.isinf(Parameters(1.0, 1.0).layers)
