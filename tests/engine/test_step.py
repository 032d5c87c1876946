"""One optimizer step: its parts by hand, published step times, and what must hold for any plan."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from tests.engine.floors import C, numbers, preset, with_layout, with_machine, with_software

from planner.engine import offload
from planner.engine.inputs import DUALPIPE, Inputs
from planner.engine.layers import layers
from planner.engine.layout import groups
from planner.engine.memory import Parameters, most_parameters, parameters, stage_at
from planner.engine.reading import inputs_of
from planner.engine.schedule import split
from planner.engine.step import (
    Pace,
    Step,
    optimizer_step,
    pace,
    step,
    transfer,
    transfers,
)

DENSE = numbers()
HELD = Parameters(2e9, 0.0, layers=16.0)


def run(x: Inputs) -> Step:
    return step(x, C)


def parts_of(one: Step) -> list[float]:
    return [float(getattr(one, part.name)) for part in fields(one)]


# parts by hand


def test_compute_of_one_card_is_all_layers_head_and_embedding() -> None:
    x = numbers(strategy__tensor=1, strategy__pipeline=1)
    every = layers(x, groups(x), C)
    micro = 512 / 64
    assert run(x).compute == pytest.approx(micro * (every.block.total + every.head.total + every.embedding.total))


def test_the_slowest_stage_sets_the_pace() -> None:
    # Two stages of 16 layers; the last carries the head as well.
    every = layers(DENSE, groups(DENSE), C)
    slow = pace(every, split(DENSE), DENSE)
    assert slow.seconds == pytest.approx(every.block.total / 2 + every.head.total)
    assert (slow.layers, slow.head) == (16, 1)


def test_many_layers_a_stage_outweigh_the_head() -> None:
    x = inputs_of(preset("llama-3.1-405b"))  # 7 layers and the head against 8 layers
    every = layers(x, groups(x), C)
    slow = pace(every, split(x), x)
    assert slow.seconds == pytest.approx(8 * every.block.total / 126)
    assert slow.head == 0


def test_dualpipe_pairs_first_and_last_stage() -> None:
    x = inputs_of(preset("deepseek-v3"))
    every = layers(x, groups(x), C)
    pair = 3 * every.block.total / 62 + 0.5 * (every.head.total + every.embedding.total)
    assert pace(every, split(x), x).seconds == pytest.approx(max(pair, 4 * every.block.total / 62))


def test_a_transfer_between_stages_by_hand() -> None:
    # T x h x 2 bytes over the tensor group, to another node over one NIC.
    sent = 8192 * 4096 * 2 / 2
    once = sent / (C.out * 50e9) + C.latency
    assert transfer(DENSE, groups(DENSE), C) == pytest.approx(once, rel=0.1)
    redundant = numbers(strategy__p2p="redundant")
    assert transfer(redundant, groups(redundant), C) == pytest.approx(2 * sent / (C.out * 50e9) + C.latency, rel=0.1)
    single = numbers(strategy__pipeline=1)
    assert transfer(single, groups(single), C) == 0


@pytest.mark.parametrize(("chunks", "head", "waits"), [(1, 0.0, 2), (1, 1.0, 1), (4, 0.0, 8), (4, 1.0, 7)])
def test_a_stage_waits_for_its_neighbours_and_the_last_has_one(chunks: int, head: float, waits: int) -> None:
    x = numbers(strategy__pipeline=4, strategy__virtual_stages=chunks, strategy__overlap={"pipeline": False})
    slowest = Pace(layers=8.0, head=head, embedding=0.0, seconds=1.0)
    assert transfers(slowest, 0.3, 0.2, x) == pytest.approx(x.micro_batches * waits * 0.2 + 2 * 3 * 0.3)


def test_stages_on_both_sides_of_a_nodes_edge_pay_the_mean_of_link_and_nic() -> None:
    def sent(cards: int) -> float:
        x = numbers(cluster__cards=cards, strategy__tensor=1, strategy__pipeline=4)
        return float(transfer(x, groups(x), C))

    assert sent(16) == pytest.approx((sent(8) + sent(32)) / 2)


def test_two_stages_are_both_ends() -> None:
    x = numbers(strategy__pipeline=2)
    first, last = (transfers(Pace(16.0, head, 0.0, 1.0), 0.3, 0.2, x) for head in (0.0, 1.0))
    assert first == last


def test_a_little_more_work_at_the_end_does_not_set_the_pace_where_it_waits_once_less() -> None:
    four, two = (numbers(strategy__pipeline=stages) for stages in (4, 2))
    every = layers(four, groups(four), C)
    more = every.head.total
    assert pace(every, split(four), four, wait=0.9 * more).head == 1
    assert pace(every, split(four), four, wait=1.1 * more).head == 0
    assert pace(every, split(two), two, wait=1.1 * more).head == 1  # both of two stages wait once less


def test_the_optimizer_moves_its_bytes() -> None:
    # Adam: 34 bytes a parameter of the shard (16 ranks), 10 of every one (norm and zeroing), over HBM.
    expected = C.optimizer * (34 * 2e9 / 16 + 10 * 2e9) / (C.hbm * 3.35e12)
    assert optimizer_step(HELD, DENSE, groups(DENSE), C) == pytest.approx(expected)


def test_the_stage_with_most_parameters_exchanges_them() -> None:
    # Three leading dense layers fill the first stages; the experts begin behind them.
    x = inputs_of(preset("deepseek-v3", pipeline=32, expert=8, tensor=1, schedule="1f1b"))
    assert most_parameters(x).expert == parameters(stage_at(2.0, x), x).expert > 2e9
    # A large table outweighs a few layers.
    x = numbers(strategy__pipeline=16)
    assert most_parameters(x).dense == parameters(stage_at(0.0, x), x).dense > parameters(stage_at(1.0, x), x).dense


@pytest.mark.parametrize("batch", [16, 32, 64])
def test_with_fewer_micro_batches_than_stages_more_of_them_take_longer(batch: int) -> None:
    changes = {"cluster__cards": 512, "strategy__tensor": 4, "strategy__pipeline": 8, "strategy__virtual_stages": 4,
               "workload__sequence_length": 2048, "strategy__sharding": "zero1"}  # fmt: skip
    once, twice = (
        run(numbers(workload__global_batch=size, strategy__schedule="interleaved", **changes)).total
        for size in (batch, 2 * batch)
    )
    assert once < twice


def test_separate_accumulation_passes_over_the_gradients() -> None:
    # 512 / 16 = 32 micro-batches, 31 of them added: read BF16, read and write FP32, over the parameters of a stage.
    apart = with_software(DENSE, fused_accumulation=False)
    seconds = run(apart).memory_bound - run(DENSE).memory_bound
    held = parameters(stage_at(1.0, DENSE), DENSE).dense
    assert held == pytest.approx(2e9, rel=0.1)
    assert seconds == pytest.approx(31 * held * (2 + 4 + 4) / (C.hbm * 3.35e12))


def test_stragglers_cost_a_share_a_doubling() -> None:
    few, many = run(numbers(cluster__cards=8, workload__global_batch=64)), run(DENSE)
    assert few.other == pytest.approx(C.step_fixed)
    before = many.total - many.other + C.step_fixed
    assert many.total == pytest.approx(before * (1 + C.straggler * 3))


def test_in_house_software_is_slower_where_it_does_not_overlap_its_gradient_exchange() -> None:
    plain, overlapping = (
        numbers(strategy__stack="in-house", strategy__overlap={"data": data}) for data in (False, True)
    )
    assert run(plain).gemm / run(overlapping).gemm == pytest.approx(C.untuned)
    public = numbers(strategy__stack="megatron-2022", strategy__overlap={"data": False})
    assert run(public).gemm == pytest.approx(run(overlapping).gemm)


@pytest.mark.parametrize("sharding", ["zero1", "zero3"])
def test_a_factor_of_ones_own_scales_the_whole_step(sharding: str) -> None:
    x = numbers(strategy__sharding=sharding)
    for plain, own in zip(parts_of(run(x)), parts_of(run(with_software(x, factor=1.2))), strict=True):
        assert own == pytest.approx(1.2 * plain)


def test_micro_batches_of_two_halve_their_number() -> None:
    two = numbers(strategy__micro_batch=2)
    assert two.micro_batches == DENSE.micro_batches / 2
    assert run(two).gemm == pytest.approx(run(DENSE).gemm, rel=0.05)
    assert run(two).pipeline_bubble > run(DENSE).pipeline_bubble


# published runs


def test_published_step_of_deepseek_v3() -> None:
    """19.926 s on 2,048 H800 (arXiv 2505.09343, table 4)."""
    assert run(inputs_of(preset("deepseek-v3"))).total == pytest.approx(19.926, rel=0.10)


@pytest.mark.parametrize(
    ("name", "published"),
    [("llama-3.1-405b-8k-gpus", 0.43), ("llama-3.1-405b", 0.41), ("llama-3.1-405b-131k", 0.38)],
)
def test_published_mfu_of_llama_405b(name: str, published: float) -> None:
    """Llama 3 (arXiv 2407.21783), table 4: 43, 41 and 38 % on 8,192, 16,384 and 16,384 H100."""
    x = inputs_of(preset(name))
    tokens = x.layout.global_batch * x.layout.sequence
    mfu = x.shape.flops_per_token * tokens / run(x).total / x.machine.cards / x.machine.peak16
    assert mfu == pytest.approx(published, rel=0.10)


@pytest.mark.parametrize(
    ("tensor", "pipeline", "chunks", "batch", "model", "seconds"),
    [
        (8, 1, 1, 4, "megatron-22b", 1.10), (8, 8, 3, 64, "megatron-175b", 13.75),
        (8, 35, 3, 280, "megatron-530b", 37.83), (8, 64, 1, 512, "megatron-1t", 71.49),
    ],
)  # fmt: skip
def test_published_steps_of_korthikanti(
    tensor: int, pipeline: int, chunks: int, batch: int, model: str, seconds: float
) -> None:
    """Korthikanti 2022 (arXiv 2205.05198), tables 3 and 5: iteration time with sequence parallelism and selective
    recomputation on A100, one replica of each model.
    """
    micro = {"megatron-22b": 4}.get(model, 1)
    x = inputs_of(
        preset(
            "gpt-3-175b",
            cluster={"cards": tensor * pipeline},
            workload={"model": model, "global_batch": batch},
            tensor=tensor,
            pipeline=pipeline,
            virtual_stages=chunks,
            micro_batch=micro,
        )
    )
    assert run(x).total == pytest.approx(seconds, rel=0.10)


# directions


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"strategy__pipeline": 4}, "pipeline_bubble"), ({"strategy__tensor": 8}, "tensor"),
        ({"strategy__context": 4}, "context"), ({"strategy__recompute": "full"}, "recompute"),
        ({"strategy__pipeline": 4}, "pipeline_transfer"),
    ],
)  # fmt: skip
def test_more_of_a_kind_of_parallelism_costs_more_of_its_part(changes: dict[str, Any], part: str) -> None:
    assert getattr(run(numbers(**changes)), part) > getattr(run(DENSE), part)


def test_a_slow_fabric_makes_large_tensor_groups_dear() -> None:
    x = numbers(strategy__tensor=16, strategy__pipeline=1)
    assert run(x).tensor > 2 * run(numbers(strategy__tensor=8, strategy__pipeline=1)).tensor


def test_pcie_instead_of_nvlink_slows_tensor_parallelism() -> None:
    assert run(numbers(cluster__scale_up="pcie5")).tensor > 4 * run(DENSE).tensor


def test_dualpipe_waits_less_than_1f1b() -> None:
    x = inputs_of(preset("deepseek-v3"))
    plain = with_layout(x, schedule=1)
    assert run(x).pipeline_bubble < 0.5 * run(plain).pipeline_bubble
    assert run(x).expert < run(plain).expert


def test_fully_sharded_weights_cost_more_traffic_than_sharded_optimizers() -> None:
    shape = {"strategy__tensor": 1, "strategy__pipeline": 1}
    one, three = run(numbers(**shape)), run(numbers(**shape, strategy__sharding="zero3"))
    assert three.data > one.data
    assert three.optimizer < one.optimizer


def test_hybrid_sharding_spares_the_slow_fabric() -> None:
    shape = {"cluster__cards": 512, "strategy__tensor": 1, "strategy__pipeline": 1, "strategy__sharding": "zero3"}
    whole, island = run(numbers(**shape)), run(numbers(**shape, strategy__shard_group=8))
    assert island.data < whole.data


def test_parts_of_the_step_are_never_negative() -> None:
    x = with_layout(with_machine(DENSE, nic=1e6), schedule=DUALPIPE)
    assert all(np.all(np.asarray(getattr(run(x), name)) >= 0) for name in Step.__slots__)


def test_parts_add_up_to_the_step() -> None:
    one = run(DENSE)
    parts = [getattr(one, name) for name in Step.__slots__]
    assert sum(parts) == pytest.approx(one.total, rel=1e-12)


def test_a_step_does_not_depend_on_the_memory_of_the_card() -> None:
    x = replace(DENSE, machine=replace(DENSE.machine, memory_bytes=1.0))
    assert run(x) == run(DENSE)


def test_an_optimizer_in_the_host_waits_for_link_and_host() -> None:
    x = numbers(strategy__tensor=1, strategy__pipeline=1)
    away = with_layout(x, offload_optimizer=True)
    # 8 billion parameters over 64 cards; gradients and weights cross PCIe 5, Adam moves 28 bytes beside it.
    own = parameters(stage_at(0.0, x), x).dense / 64
    moved = own * (4 + 28 + 2) / (0.85 * 63e9)
    lost = C.hbm * 3.35e12 / (C.optimizer * 34 * own)
    assert run(away).optimizer - run(x).optimizer == pytest.approx(moved - 1 / lost, rel=1e-3)
    assert run(away).total > run(x).total


def test_few_cards_of_a_host_share_its_memory() -> None:
    # The link's part is each card's own; Adam on one card of eight has all of the host's memory.
    def seconds(cards: int) -> float:
        x = numbers(cluster__cards=cards, strategy__tensor=1, strategy__pipeline=1)
        return float(offload.optimizer(1e9, with_layout(x, offload_optimizer=True)))

    link = 1e9 * (4 + 2) / (0.85 * 63e9)
    assert seconds(1) - link == pytest.approx((seconds(8) - link) / 8)
    assert seconds(64) == seconds(8)
