"""The engine's floors one by one, against numbers worked out by hand and against published figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.catalog import Catalog
from planner.engine import collectives, memory, schedule
from planner.engine.constants import calibrated
from planner.engine.inputs import GPIPE, INTERLEAVED, ONE_F_ONE_B, ZERO_BUBBLE, Inputs, inputs_of
from planner.engine.kernels import attention, gemm, grouped, linear, rate16
from planner.engine.layout import Group, groups
from planner.engine.step import step
from planner.spec.plan import Resolved

C = calibrated()


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.default()


def resolved(catalog: Catalog, preset: str = "llama-3.1-405b", **strategy: object) -> Resolved:
    plan = catalog.plan(preset)
    assert plan.strategy is not None
    changed = plan.strategy.model_copy(update=strategy)
    return catalog.resolve(plan.model_copy(update={"strategy": changed}))


def numbers(catalog: Catalog, preset: str = "llama-3.1-405b", **strategy: object) -> Inputs:
    return inputs_of(resolved(catalog, preset, **strategy))


# layout


def test_groups_of_llama_405b_on_nodes_of_eight(catalog: Catalog) -> None:
    g = groups(numbers(catalog))  # TP8 CP1 PP16 DP128 on 8-card nodes
    assert (g.tensor.size, g.tensor.local) == (8.0, 8.0)
    assert (g.gradient.size, g.gradient.local) == (128.0, 1.0)  # one member a node: tensor fills the node
    assert g.stage.local == 1.0  # the next stage is in another node


def test_expert_group_of_deepseek_v3_spans_eight_nodes(catalog: Catalog) -> None:
    g = groups(numbers(catalog, "deepseek-v3"))
    assert (g.expert.size, g.expert.local) == (64.0, 8.0)
    assert g.expert_gradient.size == 2 * 2048 / (16 * 64)  # DualPipe: two cards of a pipeline hold each stage


def test_an_oversubscribed_top_tier_takes_bandwidth_from_wide_exchanges(catalog: Catalog) -> None:
    plain = resolved(catalog, "deepseek-v3")
    cluster = plain.plan.cluster.model_copy(update={"topology": "fat-tree", "oversubscription": 7.0, "cards": 2048})
    tight = inputs_of(replace(plain, plan=plain.plan.model_copy(update={"cluster": cluster})))
    assert groups(tight).expert.nic <= groups(inputs_of(plain)).expert.nic


# kernels


def test_a_large_gemm_runs_near_the_sustained_rate(catalog: Catalog) -> None:
    x = numbers(catalog)
    rate = rate16(x.machine, C)
    seconds = gemm(8192.0, 8192.0, 8192.0, rate, 2.0, 2.0, x.machine, C)
    reached = 2 * 8192.0**3 / seconds
    assert 0.85 * rate < reached < rate
    assert 550e12 < reached < 794.5e12  # H100: below its measured ceiling (ml-engineering MAMF 794.5)


def test_a_skinny_gemm_is_bound_by_memory(catalog: Catalog) -> None:
    x = numbers(catalog)
    seconds = gemm(16.0, 8192.0, 8192.0, rate16(x.machine, C), 2.0, 2.0, x.machine, C)
    moved = 2.0 * (16 * 8192 + 8192 * 8192 + 16 * 8192)
    assert seconds >= moved / (0.9 * x.machine.memory_bandwidth)


def test_a_linear_layer_has_three_gemms_of_equal_flops(catalog: Catalog) -> None:
    x = numbers(catalog)
    one = linear(8192.0, 8192.0, 8192.0, x, C)
    assert one.forward == pytest.approx(one.input_gradient)
    assert one.forward < one.weight_gradient < 1.3 * one.forward  # FP32 accumulation moves more


def test_grouped_gemm_loses_rate_with_few_rows_an_expert(catalog: Catalog) -> None:
    x = numbers(catalog, "deepseek-v3")
    many = grouped(32768.0, 4.0, 4096.0, 7168.0, x, C).forward / 32768
    few = grouped(512.0, 4.0, 4096.0, 7168.0, x, C).forward / 512
    assert few > 1.2 * many


def test_attention_is_counted_once_and_grows_with_the_square(catalog: Catalog) -> None:
    x = numbers(catalog)
    longer = replace(x, layout=replace(x.layout, sequence=x.layout.sequence * 4))
    forward, backward = attention(x, C)
    assert 2.0 * forward < backward < 5.0 * forward
    assert 12 < attention(longer, C)[0] / forward < 17  # 4x tokens a micro-batch, 4x span, a little more efficient


# collectives


def test_all_gather_of_a_gibibyte_on_eight_h100(catalog: Catalog) -> None:
    x = numbers(catalog)
    group = Group(size=8.0, local=8.0, nic=x.machine.nic, hops=8.0 - 1.0, wait=0.0)
    seconds = collectives.gather(2.0**30, group, x.machine, C)
    busbw = 2.0**30 * 7 / 8 / seconds / 1e9
    assert 300 < busbw < 400  # nccl-tests on H100: about 360 GB/s


def test_members_of_a_node_bring_their_nics(catalog: Catalog) -> None:
    """4 nodes x 8 H200 reach 365 GB/s bus bandwidth over 8 NICs of 50 GB/s (ml-engineering)."""
    x = numbers(catalog)
    wide = collectives.bus_rate(Group(size=32.0, local=8.0, nic=50e9, hops=32.0 - 1.0, wait=0.0), x.machine, C)
    alone = collectives.bus_rate(Group(size=32.0, local=1.0, nic=50e9, hops=32.0 - 1.0, wait=0.0), x.machine, C)
    assert wide == pytest.approx(min(8 * alone, C.up * x.machine.scale_up))


def test_a_group_of_one_costs_nothing(catalog: Catalog) -> None:
    x = numbers(catalog)
    assert collectives.gather(1e9, Group(size=1.0, local=1.0, nic=50e9, hops=1.0 - 1.0, wait=0.0), x.machine, C) == 0.0


def test_a_mesh_pair_has_one_link(catalog: Catalog) -> None:
    plan = catalog.plan("llama-3.1-8b")
    cluster = plan.cluster.model_copy(update={"card": "mi300x", "scale_out": None, "cards": 64})
    x = inputs_of(catalog.resolve(plan.model_copy(update={"cluster": cluster})))
    assert collectives.scale_up_rate(2.0, x.machine) == pytest.approx(64e9)
    assert collectives.scale_up_rate(8.0, x.machine) == pytest.approx(448e9)


def test_a_torus_group_uses_the_axes_it_spans(catalog: Catalog) -> None:
    plan = catalog.plan("palm-540b")
    x = inputs_of(catalog.resolve(plan))
    whole = collectives.scale_up_rate(x.machine.domain, x.machine)
    assert whole == pytest.approx(x.machine.scale_up)
    assert collectives.scale_up_rate(8.0, x.machine) == pytest.approx(whole / x.machine.torus_axes)


# schedules


@pytest.mark.parametrize(("chunks", "kind"), [(1, ONE_F_ONE_B), (1, GPIPE), (4, INTERLEAVED)])
def test_classic_bubble_is_p_minus_one_stages_over_chunks(catalog: Catalog, chunks: int, kind: int) -> None:
    x = numbers(catalog)
    x = replace(x, layout=replace(x.layout, chunks=float(chunks), schedule=kind))
    p, forward, backward = 16, 1.0, 2.0
    idle = schedule.bubble(p * (forward + backward), forward + backward, forward, backward, 0.9, x)
    assert idle == pytest.approx((p - 1) * (forward + backward) / chunks)  # Narayanan 2021


def test_zero_bubble_keeps_only_what_weight_gradients_cannot_fill(catalog: Catalog) -> None:
    x = numbers(catalog)
    x = replace(x, layout=replace(x.layout, chunks=1.0, schedule=ZERO_BUBBLE))
    # F = B_input = W = 1: ZB-H1 leaves (p - 1)(F + B - 2 W) = p - 1 of 1F1B's 3 (p - 1): a third (Qi 2023)
    assert schedule.bubble(16 * 3.0, 3.0, 1.0, 2.0, 1.0, x) == pytest.approx(15.0)


def test_micro_batches_in_flight(catalog: Catalog) -> None:
    x = numbers(catalog)
    plain = replace(x, layout=replace(x.layout, chunks=1.0, schedule=ONE_F_ONE_B, global_batch=128.0 * 64))
    assert schedule.in_flight(0.0, plain) == 16
    assert schedule.in_flight(15.0, plain) == 1
    woven = replace(plain, layout=replace(plain.layout, chunks=8.0, schedule=INTERLEAVED))
    assert schedule.in_flight(0.0, woven) == pytest.approx(16 * (1 + 15 / (16 * 8)))  # Narayanan 2021
    everything = replace(plain, layout=replace(plain.layout, schedule=GPIPE))
    assert schedule.in_flight(0.0, everything) == 64


def test_126_layers_on_16_stages_leave_one_fewer_at_each_end(catalog: Catalog) -> None:
    """Llama 3 (arXiv 2407.21783, section 3.3.2): one layer fewer on the first and on the last stage."""
    parts = schedule.split(numbers(catalog, virtual_stages=8))
    assert (parts.first, parts.full, parts.last) == (7.0, 8.0, 7.0)


# memory


def test_zero_stages_hold_18_to_16_over_n_bytes_a_parameter(catalog: Catalog) -> None:
    """Rajbhandari 2019 with FP32 gradients: 2 + 4 + 12; optimizer, then gradients, then weights sharded."""
    held, n = memory.Parameters(1e9, 0.0), 128.0
    for sharding, expected in (("none", 18.0), ("zero1", 6 + 12 / n), ("zero2", 2 + 16 / n), ("zero3", 16 / n)):
        x = numbers(catalog, "nemotron-4-340b", sharding=sharding, pipeline=6)
        assert sum(memory.state(held, x, groups(x))) == pytest.approx(expected * 1e9)


def test_activations_of_a_gpt_layer_match_korthikanti(catalog: Catalog) -> None:
    """34 s b h bytes a layer with tensor and sequence parallelism, over t (arXiv 2205.05198, equation 4).

    Of the 34, dropout masks are 3 (no dropout here) and the attention core is flash (no score matrix): 31 stay, and
    softmax statistics of 4 bytes a head are new.
    """
    x = numbers(catalog, "gpt-3-175b", attention_kernel="flash", recompute="none", tensor=8, sequence=True)
    attention_bytes, ffn, _ = memory.layer_activations(x)
    s = x.shape
    assert attention_bytes + ffn == pytest.approx((31 * s.hidden + 4 * s.heads) / 8, rel=0.04)


def test_full_recompute_keeps_two_bytes_of_hidden_state_a_layer(catalog: Catalog) -> None:
    x = numbers(catalog, recompute="full")
    kept = memory.activations(1.0, x) / x.tokens
    assert kept == pytest.approx(2 * 8 * 16384 / 8)  # 8 layers a stage, sharded over tensor 8


def test_parameters_over_all_ranks_are_the_models(catalog: Catalog) -> None:
    for preset in ("llama-3.1-405b", "deepseek-v3", "qwen3-235b"):
        x = numbers(catalog, preset)
        y = x.layout
        held = memory.stage_parameters(np.arange(y.pipeline), x)
        total = np.sum(held.dense) * y.tensor + np.sum(held.expert) * y.expert * y.expert_tensor
        mtp = x.shape.mtp * (x.shape.total_params / x.shape.layers)
        assert total == pytest.approx(x.shape.total_params + mtp, rel=0.06)


# the step


def test_published_step_of_deepseek_v3(catalog: Catalog) -> None:
    """19.926 s a step on 2,048 H800 (arXiv 2505.09343, table 4); no run of theirs is fitted."""
    assert step(numbers(catalog, "deepseek-v3"), C).total == pytest.approx(19.926, rel=0.15)


@pytest.mark.parametrize(
    ("preset", "published"),
    [("llama-3.1-405b", 0.41), ("llama-3.1-405b-8k-gpus", 0.43), ("llama-3.1-405b-131k", 0.38)],
)
def test_published_mfu_of_llama_405b(catalog: Catalog, preset: str, published: float) -> None:
    """Llama 3 (arXiv 2407.21783), table 4; TP8 PP16, no recomputation."""
    r = resolved(catalog, preset)
    x = inputs_of(r)
    tokens = x.layout.global_batch * x.layout.sequence
    mfu = x.shape.flops_per_token * tokens / step(x, C).total / x.machine.cards / x.machine.peak16
    assert mfu == pytest.approx(published, rel=0.10)
