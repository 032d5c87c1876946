"""Cost of a layer's blocks: what is counted, what is exposed, what is computed again."""

import pytest
from tests.engine.floors import C, numbers, preset, with_layout, with_machine, with_shape, with_software
from tests.plans import EXPERTS, HYBRID, LATENT

from planner.engine import collectives
from planner.engine.blocks import (
    attention_block,
    context_exchange,
    expert_exchange,
    ffn_block,
    host_factor,
    mamba_block,
    moe_block,
    tensor_exchange,
    tensor_pair,
)
from planner.engine.cost import Block, Cost
from planner.engine.inputs import ARCHITECTURES, DUALPIPE, FUSIONS, Inputs
from planner.engine.kernels import attention, linear, linear_rate, stream, wide_rate
from planner.engine.layers import embedding, head, layers
from planner.engine.layout import groups
from planner.engine.reading import inputs_of

DENSE = numbers()
SPARSE = numbers(workload__model=EXPERTS, strategy__expert=8)
MAMBA = numbers(workload__model=HYBRID)


def attention_of(x: Inputs) -> Block:
    return attention_block(x, groups(x), C)


def ffn_of(x: Inputs) -> Block:
    return ffn_block(x, groups(x), C)


def moe_of(x: Inputs) -> Block:
    return moe_block(x, groups(x), C)


def test_costs_add_part_by_part() -> None:
    one = Cost(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0)
    assert one.total == 28
    assert (one + one * 2.0).total == 84
    assert one * 2.0 == one + one


def test_backward_gemms_are_twice_the_forward_ones() -> None:
    for block in (attention_of(DENSE), ffn_of(DENSE)):
        assert 1.9 < block.backward.gemm / block.forward.gemm < 2.4
        assert 0.45 < block.weight / block.backward.gemm < 0.6


def test_gemm_time_of_a_layer_is_near_its_flops_over_the_rate() -> None:
    # 8192 tokens x 2 x (QKV 4096 x 6144 + output 4096 x 4096 + three of 4096 x 14336) / tensor 2, forward.
    flops = 2 * 8192 * (4096 * 6144 + 4096**2 + 3 * 4096 * 14336) / 2
    rate = linear_rate(DENSE.machine, DENSE.layout, C)
    both = attention_of(DENSE).forward.gemm + ffn_of(DENSE).forward.gemm
    assert 1.0 < both * rate / flops < 1.25


def test_plain_ffns_have_two_matrices() -> None:
    plain = ffn_of(with_shape(DENSE, matrices=2.0))
    assert 0.6 < plain.forward.gemm / ffn_of(DENSE).forward.gemm < 0.7


def test_few_key_value_heads_are_held_by_several_ranks() -> None:
    x = numbers(strategy__tensor=16, strategy__pipeline=1)
    width = 32 * 128 / 16 + 8 * 256 / 8  # eight key-value heads over sixteen ranks: each rank holds one whole head
    out = linear(x.tokens, 4096.0, 32 * 128 / 16, x, C).forward
    assert attention_of(x).forward.gemm == pytest.approx(linear(x.tokens, width, 4096.0, x, C).forward + out)


def test_latent_attention_projects_down_on_every_rank() -> None:
    # The down projections (512 + 64 wide) are not split over the tensor group (Megatron-Core, `MLASelfAttention`).
    one = numbers(workload__model=LATENT, strategy__tensor=1, strategy__pipeline=1)
    eight = numbers(workload__model=LATENT, strategy__tensor=8, strategy__pipeline=1)
    down = linear(eight.tokens, 576.0, 4096.0, eight, C).forward
    assert attention_of(eight).forward.gemm > attention_of(one).forward.gemm / 8 + 0.8 * down


def test_memory_traffic_of_a_layer_by_hand() -> None:
    # Forward, a token: 20 h over the sequence shards for norms and residuals, 4 (q + k) for rope, 6 f for the gate.
    h, f = 4096, 14336
    moved = 8192 * (20 * h / 2 + 4 * (4096 + 1024) / 2 + 6 * f / 2)
    both = attention_of(DENSE).forward.memory + ffn_of(DENSE).forward.memory
    assert both == pytest.approx(C.fused * moved / (C.hbm * 3.35e12))


def test_eager_code_moves_more_and_fp8_pays_for_casts() -> None:
    eager = with_software(DENSE, fusion=FUSIONS.index("eager"))
    fused_norms = with_software(DENSE, fusion=FUSIONS.index("eager-fused-norms"))
    costs = [attention_of(x).forward.memory for x in (DENSE, fused_norms, eager)]
    assert costs == sorted(costs)
    assert costs[2] > 2 * costs[0]
    fp8 = numbers(workload__precision="fp8")
    assert ffn_of(fp8).forward.memory > ffn_of(DENSE).forward.memory
    assert ffn_of(fp8).forward.gemm < 0.7 * ffn_of(DENSE).forward.gemm


def test_parallel_blocks_share_norm_and_collectives() -> None:
    block = ffn_of(with_shape(DENSE, parallel_block=True))
    assert block.forward.tensor == 0
    assert block.forward.memory < ffn_of(DENSE).forward.memory


def test_tensor_parallel_traffic_by_hand() -> None:
    # Sequence parallel: an all-gather and a reduce-scatter of T x h x 2 bytes forward, one gather more backward.
    x = with_software(DENSE, overlap_tensor=False)
    g = groups(x)
    once = collectives.gather(8192 * 4096 * 2.0, g.tensor, x.machine, C)
    assert tensor_exchange((1.0, 1.0), x, g, C) == pytest.approx((2 * once, 3 * once))
    shown = 2 * (1 / 2 + C.contention) * once  # of two ranks' pieces the first, or the last
    assert tensor_exchange((1.0, 1.0), DENSE, g, C) == pytest.approx((shown, shown))
    assert tensor_exchange((0.0, 1.9 * once), DENSE, g, C) == pytest.approx((2 * once, shown))  # nothing to hide behind
    eight = numbers(strategy__tensor=8)
    pair = tensor_pair(eight, groups(eight), C)
    longer = tensor_exchange((0.4 * pair, pair), eight, groups(eight), C)
    assert longer == pytest.approx(((0.6 + C.contention) * pair, (1 / 8 + C.contention) * pair))


def test_without_sequence_parallelism_the_switches_can_add() -> None:
    x = with_layout(with_software(DENSE, overlap_tensor=False), sequence_parallel=0.0, tensor=8.0)
    g = groups(x)
    assert tensor_exchange((1.0, 1.0), x, g, C)[0] == collectives.all_reduce(8192 * 4096 * 2.0, g.tensor, x.machine, C)


def test_one_card_exchanges_nothing() -> None:
    x = numbers(strategy__tensor=1)
    g = groups(x)
    assert tensor_exchange((1.0, 1.0), x, g, C) == (0, 0)
    assert context_exchange(attention(x, C), x, g, C) == (0, 0)
    dense_experts = numbers(workload__model=EXPERTS)
    assert expert_exchange(dense_experts, groups(dense_experts), C) == 0


def test_context_parallel_traffic_by_hand() -> None:
    # Keys and values of the other three ranks, 2 x 8 heads x 128 in BF16 over tensor 2; nothing to hide behind here.
    x = numbers(strategy__context=4, strategy__pipeline=1)
    g = groups(x)
    moved = 3 * 2048 * 2048 * 2 / 2 / collectives.bus_rate(g.context, x.machine, C)
    forward, backward = context_exchange((0.0, 0.0), x, g, C)
    once = moved + collectives.latency(g.context, C)
    assert (forward, backward) == pytest.approx((once, 2 * once))  # never more than the wire


def test_a_ring_of_contexts_waits_for_the_link_that_leaves_the_node() -> None:
    x = numbers(strategy__context=16, strategy__pipeline=1, strategy__tensor=1, workload__sequence_length=131_072)
    g = groups(x)
    assert (g.context.size, g.context.local) == (16, 8)
    received = 15 * 8192 * 2048 * 2  # bytes of the others' keys and values
    once = received / (C.out * 50e9) + collectives.latency(g.context, C)  # one NIC of 400 Gbit/s
    assert context_exchange((0.0, 0.0), x, g, C)[0] == pytest.approx(once)


def test_context_traffic_hides_behind_attention() -> None:
    x = numbers(strategy__context=4, strategy__pipeline=1)
    g = groups(x)
    hidden = context_exchange((1.0, 1.0), x, g, C)
    shown = context_exchange((0.0, 0.0), x, g, C)
    assert hidden == pytest.approx([(1 / 4 + C.contention) * part for part in shown])


def test_expert_exchange_by_hand() -> None:
    # Eight experts of six chosen over eight cards of a node; a plain all-to-all sends every one of the six copies.
    g = groups(SPARSE)
    tokens = 8192 / 2
    once = collectives.exchange(tokens * 6, 0.0, 2.0 * 4096, g.expert, False, SPARSE.machine, C)
    assert expert_exchange(SPARSE, g, C) == pytest.approx(2 * once)


def test_dispatchers_that_deduplicate_send_less_the_wider_the_group() -> None:
    for size in (8.0, 64.0):
        x = with_layout(SPARSE, expert=size, tensor=1.0)
        one = with_software(x, deduplicates=True)
        assert expert_exchange(one, groups(one), C) < expert_exchange(x, groups(x), C)


def test_dualpipe_hides_the_expert_exchange() -> None:
    x = with_software(SPARSE, overlap_expert=True)
    dual = with_layout(x, schedule=DUALPIPE)
    shown = expert_exchange(dual, groups(dual), C) / expert_exchange(SPARSE, groups(SPARSE), C)
    assert shown == pytest.approx(C.exposed_dualpipe)


def test_the_node_limit_of_deepseek_v3() -> None:
    # 8 of 256 experts over 8 nodes: 8 (1 - (7/8)^8) = 5.3 nodes on average without a limit (the report limits to 4).
    x = inputs_of(preset("deepseek-v3"))
    g = groups(x)
    nodes = 8 * (1 - (7 / 8) ** 8)
    assert nodes == pytest.approx(5.25, abs=0.01)
    alone = collectives.exchange(4096 * 7.53, 4096 * nodes * 7 / 8, 2 * 7168.0, g.expert, True, x.machine, C)
    assert expert_exchange(x, g, C) == pytest.approx(2 * alone * C.exposed_dualpipe, rel=0.01)


@pytest.mark.parametrize(("fusion", "times"), [("fused", 1), ("compiled", 1), ("eager-fused-norms", 2), ("eager", 3)])
def test_eager_code_launches_more_kernels(fusion: str, times: int) -> None:
    assert host_factor(numbers(strategy__kernel_fusion=fusion), C, 1.0) == times


def test_layers_of_untuned_software_wait_for_the_slowest_host_most_where_recomputed() -> None:
    tuned = numbers(strategy__tensor=8, strategy__recompute="full")
    late = with_software(tuned, tuned=False)
    waits = 0.5 * 3 * C.host_skew  # log2 of 8
    assert ffn_of(late).again.host == pytest.approx(ffn_of(tuned).again.host + waits)
    for late_pass, tuned_pass in (
        (ffn_of(late).forward, ffn_of(tuned).forward),
        (ffn_of(late).backward, ffn_of(tuned).backward),
    ):
        assert late_pass.host == pytest.approx(tuned_pass.host + C.host_skew_queued * waits)
    single = with_software(numbers(strategy__tensor=1, strategy__recompute="full"), tuned=False)
    assert attention_of(single).again.host == attention_of(single).forward.host
    kept = with_software(numbers(strategy__tensor=8), tuned=False)
    assert attention_of(kept).again.host == 0


def test_host_time_counts_local_experts_and_graphs() -> None:
    one = moe_of(SPARSE).forward.host
    assert one == pytest.approx(0.5 * C.host_layer + C.host_moe + 8 * C.host_expert)  # 64 experts over 8 cards
    full = numbers(workload__model=EXPERTS, strategy__expert=8, strategy__cuda_graphs="full")
    assert moe_of(full).forward.host == pytest.approx(one * C.graphs_full)
    assert host_factor(numbers(strategy__stack="maxtext"), C, 1.0) == 0


def test_partial_graphs_leave_the_launches_of_experts() -> None:
    partial = numbers(workload__model=EXPERTS, strategy__expert=8, strategy__cuda_graphs="partial")
    captured = C.graphs_partial * (0.5 * C.host_layer + C.host_moe)
    assert moe_of(partial).forward.host == pytest.approx(captured + 8 * C.host_expert)


def test_experts_in_eight_bit_launch_their_casts_too() -> None:
    def launches(precision: str) -> float:
        plan = {"cluster__card": "b200-sxm", "workload__model": EXPERTS, "workload__precision": precision}
        x = numbers(**plan, strategy__expert=8)
        return float(moe_of(x).forward.host - 0.5 * C.host_layer - C.host_moe) / (8 * C.host_expert)

    # A product; with MXFP8 a cast before it; with a scale a tensor also its largest value and the scale.
    assert [launches(p) for p in ("bf16", "mxfp8", "fp8", "nvfp4")] == pytest.approx([1, 2, 4, 4])


def test_splitting_experts_halves_their_width_and_doubles_the_tokens() -> None:
    split = with_layout(SPARSE, expert_tensor=2.0)
    assert moe_of(split).forward.tensor > moe_of(SPARSE).forward.tensor
    assert moe_of(split).forward.gemm == pytest.approx(moe_of(SPARSE).forward.gemm, rel=0.3)


def test_full_recomputation_repeats_the_forward_pass() -> None:
    x = with_layout(DENSE, full_recompute=1.0)
    for block in (attention_of(x), ffn_of(x)):
        assert block.again == block.forward
    half = with_layout(SPARSE, full_recompute=0.5)
    assert moe_of(half).again.total == pytest.approx(0.5 * moe_of(half).forward.total)


def test_compilers_drop_the_last_product_from_recomputation() -> None:
    x = with_layout(with_software(DENSE, xla=True), full_recompute=1.0)
    down = linear(x.tokens, 4096.0, 14336 / 2, x, C).forward
    assert ffn_of(x).again.gemm == pytest.approx(ffn_of(x).forward.gemm - down)


@pytest.mark.parametrize(
    ("module", "part"),
    [("core_attention", "attention"), ("attention", "attention"), ("mlp", "gemm"), ("norm", "memory"),
     ("half_linears", "gemm"), ("all_but_linears", "memory")],
)  # fmt: skip
def test_recomputing_a_module_repeats_its_part(module: str, part: str) -> None:
    again = (attention_of(with_layout(DENSE, **{module: 1.0})) + ffn_of(with_layout(DENSE, **{module: 1.0}))).again
    assert getattr(again, part) > 0


def test_modules_inside_one_another_are_recomputed_once() -> None:
    whole = with_layout(DENSE, attention=1.0)
    both = with_layout(DENSE, attention=1.0, core_attention=1.0, norm=1.0)
    assert attention_of(both).again == attention_of(whole).again == attention_of(whole).forward


def test_mla_up_projections_are_recomputed_alone() -> None:
    x = numbers(workload__model=LATENT)
    again = attention_of(with_layout(x, mla_up=1.0)).again
    assert 0 < again.gemm < attention_of(x).forward.gemm
    assert again.gemm == again.total


def test_recomputing_mlp_reaches_shared_experts() -> None:
    assert moe_of(with_layout(SPARSE, mlp=1.0)).again.gemm > 0
    bare = with_shape(SPARSE, shared_ffn=0.0)
    assert moe_of(with_layout(bare, mlp=1.0)).again.total == 0  # routed experts are not part of it


def test_a_mamba_layer_by_hand() -> None:
    # Mamba-2 (arXiv 2405.21060): 48 heads of 64 = 3,072 wide, 8 groups x 128; in 2 x 3072 + 2 x 1024 + 48, out 3,072.
    x = MAMBA
    block = mamba_block(x, groups(x), C)
    enter = linear(x.tokens, (2 * 3072 + 2 * 1024 + 48) / 2, 4096.0, x, C).forward
    leave = linear(x.tokens, 4096.0, 3072 / 2, x, C).forward
    assert block.forward.gemm == pytest.approx(enter + leave)
    # A token: 8 times x and 3 times B and C in BF16, and the states of chunks of 128 in FP32 and BF16, both ways.
    scan = 8192 * (16 * 3072 + 6 * 2 * 1024 + 12 * 3072 * 128 / 128) / 2
    norms = C.fused * 8192 * 10 * 4096 / 2
    assert block.forward.memory == pytest.approx((scan + norms) / (C.hbm * 3.35e12))
    # Products a token: C B^T for each group, its product with x, the states, and what they add.
    flops = 8192 * (2 * 128 * 1024 + 2 * 128 * 3072 + 2 * 2 * 128 * 3072) / 2
    rate = C.attention_early[ARCHITECTURES.index("hopper")] * x.machine.peak16
    assert block.forward.attention == pytest.approx(flops / rate)
    assert block.backward.attention > 2 * block.forward.attention
    again = mamba_block(with_layout(x, all_but_linears=1.0), groups(x), C).again
    assert (again.attention, again.memory) == (block.forward.attention, block.forward.memory)


def test_the_head_is_three_bf16_gemms_and_a_loss() -> None:
    x = numbers(workload__precision="fp8", strategy__loss="vocab-parallel")
    rows = linear(8192.0, 128_256 / 2, 4096.0, x, C, rate=wide_rate(x.machine, x.layout, C))
    loss = stream(52.0 * 8192 * 128_256 / 2, x, C)
    one = head(x, groups(x), C)
    assert one.logits == pytest.approx(rows.forward + rows.input_gradient + rows.weight_gradient + loss)
    assert head(with_shape(x, mtp=1.0), groups(x), C).total == pytest.approx(2 * one.total)


def test_a_compiler_fuses_the_passes_of_a_loss() -> None:
    def loss_bytes(fusion: str, loss: str) -> float:
        return float(numbers(strategy__kernel_fusion=fusion, strategy__loss=loss).software.entropy_bytes)

    assert [loss_bytes("fused", loss) for loss in ("vocab-parallel", "gathered", "chunked")] == [52, 44, 8]
    assert [loss_bytes("compiled", loss) for loss in ("vocab-parallel", "gathered", "chunked")] == [22, 22, 8]


def test_losses_in_order() -> None:
    chunked, split, whole = (
        head(x, groups(x), C).total
        for x in (numbers(strategy__loss=loss) for loss in ("chunked", "vocab-parallel", "gathered"))
    )
    assert chunked < split < whole


def test_a_gathered_loss_does_not_split_over_the_tensor_group() -> None:
    x = numbers(strategy__loss="gathered", strategy__tensor=8)
    g = groups(x)
    assert head(x, g, C).logits > stream(44.0 * 8192 * 128_256, x, C)
    split = numbers(strategy__loss="vocab-parallel", strategy__tensor=8)
    gathered = collectives.gather(2.0 * 8192 * 128_256, g.tensor, x.machine, C)
    assert head(x, g, C).tensor == pytest.approx(head(split, g, C).tensor + gathered)


def test_the_ends_are_gathered_and_reduced_over_the_tensor_group() -> None:
    g = groups(DENSE)
    once = collectives.gather(8192 * 4096 * 2.0, g.tensor, DENSE.machine, C)
    assert head(DENSE, g, C).tensor == embedding(DENSE, g, C).tensor == pytest.approx(2 * once)
    single = numbers(strategy__tensor=1)
    assert head(single, groups(single), C).tensor == embedding(single, groups(single), C).tensor == 0


def test_the_embedding_moves_twelve_bytes_a_hidden_value() -> None:
    moved = embedding(DENSE, groups(DENSE), C).memory
    assert moved == pytest.approx(12 * 8192 * 4096 / 2 / (C.hbm * 3.35e12))


def test_layers_of_a_hybrid_are_those_of_its_pattern() -> None:
    x, g = MAMBA, groups(MAMBA)  # M-M-*-M-: three Mamba, one attention, four FFN
    blocks = mamba_block(x, g, C) * 3.0 + attention_block(x, g, C) + ffn_block(x, g, C) * 4.0
    assert layers(x, g, C).block.total == pytest.approx(blocks.total)


def test_layers_of_deepseek_v3() -> None:
    # 61 layers, the first three dense, and one layer of multi-token prediction, which is a MoE layer too.
    x = inputs_of(preset("deepseek-v3"))
    g = groups(x)
    blocks = attention_block(x, g, C) * 62.0 + ffn_block(x, g, C) * 3.0 + moe_block(x, g, C) * 59.0
    assert layers(x, g, C).block.total == pytest.approx(blocks.total)


def test_32_bit_states_move_twice_the_bytes() -> None:
    wide = numbers(workload__precision="tf32")
    assert attention_of(wide).forward.memory == pytest.approx(2 * attention_of(DENSE).forward.memory)
    slow = with_machine(wide, scale_up=1e9)
    narrow = with_machine(DENSE, scale_up=1e9)
    assert ffn_of(slow).forward.tensor == pytest.approx(2 * ffn_of(narrow).forward.tensor, rel=1e-3)
