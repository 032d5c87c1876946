"""What data parallelism exchanges in a step, by hand: gradients, sharded weights, and between sites."""

from dataclasses import replace

import numpy as np
import pytest
from tests.engine.floors import C, numbers, with_layout, with_shape, with_software
from tests.plans import EXPERTS

from planner.engine import collectives
from planner.engine.kernels import stream
from planner.engine.layout import groups
from planner.engine.memory import Parameters
from planner.engine.step import (
    accumulation,
    between_sites,
    buffer_copies,
    data_parallel,
    fully_sharded,
    gradient_exchange,
    step,
)

DENSE = numbers()
HELD = Parameters(2e9, 0.0, layers=16.0)


def test_gradients_are_scattered_and_weights_gathered() -> None:
    g = groups(DENSE)
    reduce, gather = gradient_exchange(HELD, DENSE, g, C)
    assert reduce == pytest.approx(collectives.gather(8e9, g.gradient, DENSE.machine, C), rel=0.02)  # FP32
    assert gather == pytest.approx(collectives.gather(4e9, g.gradient, DENSE.machine, C), rel=0.02)  # BF16


def test_experts_are_reduced_over_the_cards_that_hold_them() -> None:
    x = numbers(workload__model=EXPERTS, strategy__expert=8)
    g = groups(x)
    reduce, _ = gradient_exchange(Parameters(0.0, 2e9), x, g, C)
    assert g.expert_gradient.size == 4
    assert reduce == pytest.approx(collectives.gather(8e9, g.expert_gradient, x.machine, C), rel=0.01)


def test_one_replica_exchanges_no_gradients() -> None:
    x = numbers(cluster__cards=4)
    assert max(gradient_exchange(HELD, x, groups(x), C)) < 1e-4


def test_gradient_traffic_hides_in_the_backward_pass() -> None:
    g = groups(DENSE)
    total = sum(gradient_exchange(HELD, DENSE, g, C))
    hidden = data_parallel(HELD, (10.0, 20.0), DENSE, g, C)
    assert hidden == pytest.approx((1 / 16 + C.contention) * total)  # the last of 16 layers, and the first
    assert data_parallel(HELD, (0.0, 0.0), DENSE, g, C) >= total


def test_software_without_overlap_pays_for_every_message() -> None:
    x = with_software(DENSE, overlap_data=False)
    g = groups(x)
    whole, weights = (
        call(size, g.gradient, x.machine, C)
        for call, size in ((collectives.all_reduce, 8e9), (collectives.gather, 4e9))
    )
    waits = 4 * 16 - 1  # four matrices of 16 layers; one is counted with the bytes
    wait = waits * collectives.all_reduce_latency(g.gradient, C)
    assert gradient_exchange(HELD, x, g, C) == pytest.approx((whole + wait, weights))


def test_a_cluster_of_thousands_is_not_drowned_by_latency_where_nothing_overlaps() -> None:
    def share(cards: int) -> float:
        plan = {"cluster__cards": cards, "workload__global_batch": 4 * cards, "strategy__tensor": 1}
        x = numbers(**plan, strategy__pipeline=1, strategy__overlap={"data": False})
        one = step(x, C)
        return float(one.data / one.total)

    assert share(8192) < 1.5 * share(64)


def test_all_reduced_gradients_pass_twice_and_no_weights_follow() -> None:
    x = with_layout(with_software(DENSE, overlap_data=False), zero=0.0)
    g = groups(x)
    reduce, gather = gradient_exchange(HELD, x, g, C)
    assert gather == 0
    assert reduce == gradient_exchange(HELD, with_layout(x, zero=1.0), g, C)[0]


def test_a_tied_tables_gradients_are_added_up_by_both_ends() -> None:
    x = with_shape(DENSE, tied=True)
    table = 128_256 * 4096 / 2 * 4  # FP32, over a tensor group of two
    both = gradient_exchange(HELD, x, groups(x), C)[0] - gradient_exchange(HELD, DENSE, groups(DENSE), C)[0]
    assert both == pytest.approx(collectives.all_reduce(table, groups(x).stage, x.machine, C))


def test_sharded_experts_are_gathered_by_the_cards_that_hold_them() -> None:
    keys = {"strategy__sharding": "zero3", "strategy__tensor": 1, "strategy__pipeline": 1}
    x = numbers(workload__model=EXPERTS, strategy__expert=8, **keys)
    g = groups(x)
    assert (g.expert_shard.size, g.expert_shard.local) == (8, 1)
    held = Parameters(0.0, 2e9, layers=32.0)
    once = 2e9 * 7 / 8 / (C.out * 50e9)  # each of a node's cards holds other experts, and has one NIC
    assert fully_sharded(held, (0.0, 0.0), x, g, C) > x.micro_batches * (2 * 2 * once + 4 * once)
    alone = numbers(workload__model=EXPERTS, strategy__expert=64, **keys)
    assert fully_sharded(held, (0.0, 0.0), alone, groups(alone), C) == 0  # one copy of each expert


def test_a_shard_group_of_neighbours_holds_fewer_of_the_same_experts() -> None:
    keys = {"strategy__sharding": "zero3", "strategy__tensor": 1, "strategy__pipeline": 1}
    g = groups(numbers(workload__model=EXPERTS, strategy__expert=8, strategy__shard_group=16, **keys))
    assert (g.expert_shard.size, g.expert_replica.size) == (2, 4)  # 64 cards, 8 of them with the same experts
    whole = groups(numbers(workload__model=EXPERTS, strategy__expert=8, **keys))
    assert (whole.expert_shard.size, whole.expert_replica.size) == (8, 1)


def test_separate_accumulation_of_sharded_experts_passes_over_what_a_card_holds() -> None:
    keys = {"strategy__sharding": "zero3", "strategy__tensor": 1, "strategy__pipeline": 1}
    held = Parameters(0.0, 8e9, layers=32.0)
    seconds = []
    for degree in (1, 8):
        x = with_software(numbers(workload__model=EXPERTS, strategy__expert=degree, **keys), fused_accumulation=False)
        seconds.append(accumulation(replace(held, expert=8e9 / degree), x, groups(x), C))
    assert seconds[0] == pytest.approx(seconds[1])  # an eighth of the experts, shared by an eighth of the cards


def test_a_stage_without_layers_has_nothing_to_gather_in_vain() -> None:
    x = with_shape(numbers(strategy__sharding="zero3", strategy__tensor=1), layers=1.0)
    assert np.isfinite(step(x, C).total)


def test_prefetch_is_never_slower_than_none() -> None:
    x = numbers(strategy__sharding="zero3", strategy__pipeline=1, strategy__tensor=1)
    held = Parameters(1e9, 0.0, layers=1.0)
    late = fully_sharded(held, (0.0, 0.0), with_software(x, overlap_fsdp=False), groups(x), C)
    assert fully_sharded(held, (0.0, 0.0), x, groups(x), C) <= late


def test_weights_gathered_in_time_show_their_ends_contention_and_copies() -> None:
    x = numbers(strategy__sharding="zero3", strategy__pipeline=1, strategy__tensor=1)
    g = groups(x)
    held = Parameters(1e9, 0.0, layers=32.0)
    wait = 31 * collectives.latency(g.shard, C)
    forward = collectives.gather(2e9, g.shard, x.machine, C) + wait
    reduce = collectives.gather(4e9, g.shard, x.machine, C) + wait
    copied = stream(1e9 * (2 + 4), x, C)  # of a gradient; weights are used where they come
    shown = (forward + reduce) / 32 + C.contention * (2 * forward + reduce) + copied
    assert fully_sharded(held, (10.0, 20.0), x, g, C) == pytest.approx(x.micro_batches * shown)
    assert fully_sharded(held, (0.0, 0.0), x, g, C) > x.micro_batches * (2 * forward + reduce)


def test_weights_are_copied_out_of_buffers_but_for_software_that_uses_them_there() -> None:
    x = numbers(strategy__sharding="zero3")
    apart = with_software(x, gathers_in_place=False)
    both = buffer_copies(1e9, apart, C) - buffer_copies(1e9, x, C)
    assert both == pytest.approx(stream(1e9 * 2 * (2 + 2), x, C))  # read and written, forward and backward
    assert buffer_copies(1e9, with_software(apart, xla=True), C) < buffer_copies(1e9, apart, C)


def test_xla_joins_the_copies_of_a_model_after_its_backward_pass() -> None:
    # Two slices of TPU v5e: their gradients cross the data centre's network in the open, however long the pass takes.
    x = numbers(
        cluster__card="tpu-v5e", cluster__cards=512, strategy__stack="maxtext", strategy__sharding="zero3",
        strategy__shard_group=256, strategy__tensor=1, strategy__pipeline=1,
    )  # fmt: skip
    g = groups(x)
    across = collectives.all_reduce(8e9 * x.software.gradient_bytes / 256, g.replica, x.machine, C)
    held = Parameters(8e9, 0.0, layers=32.0)
    scanned, eager = (
        fully_sharded(held, (1e3, 1e3), one, g, C) - buffer_copies(8e9, one, C)
        for one in (x, with_software(x, xla=False))
    )
    assert scanned - eager == pytest.approx(across)


def test_sites_exchange_the_models_gradients_over_the_wide_area() -> None:
    # 8.03 G parameters in FP32, half to the other site and half back, over 50 GB/s.
    x = numbers(cluster__sites=2, cluster__wan_gb_per_s=50.0)
    assert between_sites(x) == pytest.approx(2 * 4 * 8.03e9 / 2 / 50e9, rel=0.3)
    assert between_sites(DENSE) == 0
    assert step(x, C).data > step(DENSE, C).data


def test_an_optimizer_that_is_not_sharded_waits_for_whole_gradients() -> None:
    # Half of an all-reduce fits behind a backward pass and the other half would behind the next forward pass, but the
    # optimizer comes between.
    plain = with_layout(DENSE, zero=0.0)
    g = groups(plain)
    total = sum(gradient_exchange(HELD, plain, g, C))
    backward, forward = 0.5 * total / 0.9, 10.0
    ends = (1 / 16 + C.contention) * total
    assert data_parallel(HELD, (forward, backward), plain, g, C) == pytest.approx(0.5 * total + ends)
    assert data_parallel(HELD, (forward, 2 * backward), plain, g, C) == pytest.approx(ends)
