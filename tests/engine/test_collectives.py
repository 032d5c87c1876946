"""Collectives against arithmetic by hand and against published measurements."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.floors import C, numbers, preset, ring, with_machine

from planner.engine.collectives import (
    all_reduce,
    all_reduce_latency,
    bus_rate,
    exchange,
    gather,
    latency,
    link_rate,
    scale_up_rate,
)
from planner.engine.layout import Group, group
from planner.engine.reading import inputs_of

H100 = numbers()
GIB = 2.0**30


def test_an_all_gather_by_hand() -> None:
    # n - 1 of n parts arrive over the ring: 1 GiB x 7/8 / (0.78 x 450 GB/s), and NCCL's latency of eight ranks.
    wait = 8.4e-6 + 7 * 3.4e-6
    moved = GIB * 7 / 8 / (C.up * 450e9)
    assert gather(GIB, ring(8, 8, H100), H100.machine, C) == pytest.approx(moved + wait)


def test_an_a100_ring_of_eight() -> None:
    # nccl-tests on a DGX A100, 8 cards: 230 to 235 GB/s of bus bandwidth, 0.78 of 300 (ml-engineering, network).
    x = numbers(cluster__card="a100-sxm-80")
    seconds = all_reduce(8 * GIB, ring(8, 8, x), x.machine, C)
    assert 2 * 8 * GIB * 7 / 8 / seconds == pytest.approx(232.5e9, rel=0.02)


def test_switches_that_add_halve_an_all_reduce() -> None:
    # NVLink SHARP on H100: about 480 GB/s of bus bandwidth for large messages (NCCL issue 212), a ring 360.
    seconds = all_reduce(8 * GIB, ring(8, 8, H100), H100.machine, C)
    assert 2 * 8 * GIB * 7 / 8 / seconds == pytest.approx(C.in_switch * 450e9, rel=0.01)
    plain = with_machine(H100, in_switch=False)
    assert all_reduce(8 * GIB, ring(8, 8, plain), plain.machine, C) > 1.2 * seconds


def test_switches_that_add_have_no_ring_to_go_round() -> None:
    x = numbers(cluster__card="gb200-nvl72", cluster__cards=72)
    assert all_reduce(0.0, ring(72, 72, x), x.machine, C) == pytest.approx(C.latency + 25e-6)
    wide, eight = (group(float(size), 1.0, x.machine) for size in (72, 8))
    assert latency(wide, C) == latency(eight, C)  # no ring of 72
    two = group(144.0, 1.0, numbers(cluster__card="gb200-nvl72", cluster__cards=144).machine)
    assert (two.hops, two.hops_inside) == (1, 14)


def test_two_cards_share_one_link_of_a_mesh_or_torus() -> None:
    assert link_rate(H100.machine) == 450e9
    mesh, torus = (numbers(cluster__card=card, cluster__cards=8) for card in ("mi300x", "tpu-v5p"))
    assert link_rate(mesh.machine) == 64e9  # seven links of 64 GB/s
    assert link_rate(torus.machine) == pytest.approx(torus.machine.scale_up / 6)  # of six links


def test_an_all_reduce_is_a_reduce_scatter_and_an_all_gather() -> None:
    two = ring(2, 2, H100)
    assert all_reduce(GIB, two, H100.machine, C) == pytest.approx(2 * gather(GIB, two, H100.machine, C))
    many = ring(64, 8, H100)
    bytes_only = all_reduce(GIB, many, H100.machine, C) - all_reduce(0.0, many, H100.machine, C)
    gathered = gather(GIB, many, H100.machine, C) - gather(0.0, many, H100.machine, C)
    assert bytes_only == pytest.approx(2 * gathered)


def test_an_all_reduce_over_many_nodes_goes_by_a_tree() -> None:
    # NCCL `src/graph/tuning.cc`: seven cards and ten doublings of nodes, there and back; a ring takes 8,191 hops twice.
    many = ring(8192, 8, H100)
    assert all_reduce_latency(many, C) == pytest.approx(C.latency + 2 * C.ring_hop * (10 + 7 * C.hop_inside))
    assert 2 * latency(many, C) > 100 * all_reduce_latency(many, C)
    eight = ring(8, 8, H100)
    assert all_reduce_latency(eight, C) == 2 * latency(eight, C)


@pytest.mark.parametrize("deduplicates", [False, True])
def test_experts_spread_over_more_nodes_do_not_exchange_faster(deduplicates: bool) -> None:
    def seconds(nodes: int) -> float:
        size, copies = 8 * nodes, 6.0
        far = nodes * (1 - (1 - 1 / nodes) ** copies) if deduplicates else copies
        remote = 4096 * far * (1 - 1 / nodes)
        x = numbers(cluster__card="h800-sxm")
        return float(exchange(4096 * copies, remote, 8192.0, ring(size, 8, x), deduplicates, x.machine, C))

    times = [seconds(nodes) for nodes in (1, 2, 4, 8)]
    assert times == sorted(times)


def test_four_nodes_of_eight_h200() -> None:
    # 4 GiB all-reduce over 32 H200 with 8 x 400 Gbit/s a node: 365 GB/s of bus bandwidth (ml-engineering, network).
    x = numbers(cluster__card="h200-sxm")
    assert bus_rate(ring(32, 8, x), x.machine, C) == pytest.approx(365e9, rel=0.05)


def test_a_lone_member_of_a_node_has_one_nic() -> None:
    assert bus_rate(ring(32, 1, H100), H100.machine, C) == pytest.approx(C.out * 50e9)


def test_the_scale_up_fabric_bounds_what_many_nics_bring() -> None:
    x = with_machine(H100, nic=200e9)
    assert bus_rate(ring(32, 8, x), x.machine, C) == pytest.approx(C.up * 450e9)


def test_nobody_waits_for_oneself() -> None:
    one = ring(1, 1, H100)
    assert latency(one, C) == 0
    assert gather(GIB, one, H100.machine, C) == 0
    assert all_reduce(GIB, one, H100.machine, C) == 0
    assert exchange(1e6, 0.0, 1e4, one, False, H100.machine, C) == 0


def test_switches_above_the_first_add_their_time() -> None:
    near = ring(64, 8, H100)
    far = replace(near, wait=2e-6)
    assert latency(far, C) - latency(near, C) == pytest.approx(2e-6)


def test_a_mesh_gives_a_pair_one_link_and_eight_cards_seven() -> None:
    # MI300X: 64 GB/s a pair and direction, 448 over all seven links (AMD CDNA3 white paper).
    x = numbers(cluster__card="mi300x")
    rates = [scale_up_rate(n, x.machine) / 1e9 for n in (2.0, 4.0, 8.0)]
    assert rates == [64, 192, 448]


def test_a_switch_gives_a_pair_the_whole_rate() -> None:
    assert scale_up_rate(2.0, H100.machine) == 450e9


@pytest.mark.parametrize(("local", "side", "middle"), [(16, 16, 2), (64, 8, 1), (256, 16, 2)])
def test_the_middle_of_a_torus_bounds_an_all_to_all(local: int, side: int, middle: int) -> None:
    # Half of what a row of `side` cards sends crosses its middle, half of that each way, over two links where the row
    # closes to a ring and one where it does not. Sixteen of 256 cards lie on one axis, more on both.
    x = numbers(cluster__card="tpu-v5e", cluster__cards=256)
    width = 1e9
    seconds = exchange(1.0, 0.0, width, ring(local, local, x), False, x.machine, C)
    sent = width * (local - 1) / local / C.exchange_up
    assert seconds == pytest.approx(side * sent / (4 * middle * link_rate(x.machine)), rel=0.02)


def test_a_row_that_does_not_close_has_half_the_links() -> None:
    # TPU v6e wraps on whole axes of 16: 64 cards are 8 x 8 without, 256 are 16 x 16 with (JAX scaling book).
    small, whole = (numbers(cluster__card="tpu-v6e", cluster__cards=cards).machine for cards in (64, 256))
    assert scale_up_rate(64.0, small) == pytest.approx(0.5 * whole.scale_up)
    assert scale_up_rate(256.0, whole) == whole.scale_up
    pod = numbers(cluster__card="tpu-v5p", cluster__cards=64).machine  # 4 x 4 x 4
    assert scale_up_rate(64.0, pod) == pod.scale_up
    assert group(8.0, 1.0, small).wait == pytest.approx(2 * 0.5 * 8e-6)


def test_a_torus_gives_each_axis_a_third() -> None:
    # TPU v4: six links of 45 GB/s, two an axis: a ring on one axis moves 90 GB/s (JAX scaling book, TPU chapter).
    x = inputs_of(preset("palm-540b"))
    whole = x.machine.domain
    assert [scale_up_rate(n, x.machine) / 1e9 for n in (8.0, whole ** (1 / 2), whole)] == [90, 180, 270]


def test_cards_on_pcie_share_what_pcie_gives() -> None:
    # PCIe 4.0 x16: 31 GB/s, of which cards that share switches get half.
    x = numbers(cluster__card="l40s")
    assert bus_rate(ring(8, 8, x), x.machine, C) == pytest.approx(C.up * 15.5e9)


def test_a_rack_is_one_domain() -> None:
    x = numbers(cluster__card="gb200-nvl72", cluster__cards=72, strategy__tensor=1, strategy__pipeline=1,
                workload__global_batch=72)  # fmt: skip
    assert x.machine.domain == 72
    assert bus_rate(ring(72, 72, x), x.machine, C) == pytest.approx(C.up * 900e9)


def test_expert_exchange_inside_a_node() -> None:
    # DeepEP's README: EP8 on H800 moves 153 to 158 GB/s of NVLink's 160 (of 200); 4,096 tokens of 7,168 BF16 values.
    x = numbers(cluster__card="h800-sxm")
    copies = 8 * (1 - (7 / 8) ** 8)  # distinct cards that eight experts of a token lie on
    sent = 4096 * copies * 2 * 7168
    seconds = exchange(4096 * copies, 0.0, 2.0 * 7168, ring(8, 8, x), True, x.machine, C)
    assert sent * 7 / 8 / seconds == pytest.approx(158e9, rel=0.08)


def test_expert_exchange_between_nodes_is_bound_by_the_nic() -> None:
    # DeepEP's README: 43 to 58 GB/s of RDMA over a 50 GB/s ConnectX-7 at EP16 to EP64.
    x = numbers(cluster__card="h800-sxm", cluster__scale_out="ib-ndr")
    remote = 4096 * 8 * (1 - (7 / 8) ** 8) * 7 / 8
    width = 2.0 * 7168
    seconds = exchange(4096 * 8.0, remote, width, ring(64, 8, x), True, x.machine, C)
    assert remote * width / seconds == pytest.approx(C.dispatch_out * 50e9, rel=0.1)


def test_a_plain_exchange_is_slower_than_one_that_sends_a_copy_a_node() -> None:
    group = ring(64, 8, H100)
    plain = exchange(4096 * 8.0, 4096 * 7.0, 8192.0, group, False, H100.machine, C)
    assert plain > exchange(4096 * 8.0, 4096 * 4.6, 8192.0, group, True, H100.machine, C)


sizes = st.floats(1e3, 1e10)
groups_of = st.sampled_from([(2, 2), (8, 8), (16, 8), (64, 1), (64, 8), (1024, 8), (2048, 1)])
fabrics = st.sampled_from(["h100-sxm", "mi300x", "l40s", "gb200-nvl72", "tpu-v5p", "a100-pcie-80", "gaudi3"])


@settings(max_examples=60)
@given(sizes, groups_of, fabrics, st.floats(1.0, 4.0), st.sampled_from(["scale_up", "nic"]))
def test_a_faster_fabric_is_never_slower(
    size: float, group: tuple[int, int], card: str, factor: float, better: str
) -> None:
    x = numbers(cluster__card=card, cluster__scale_out="ib-ndr")
    names = ["scale_up", "scale_up_link"] if better == "scale_up" else ["nic"]
    y = with_machine(x, **{name: getattr(x.machine, name) * factor for name in names})
    for each in (gather, all_reduce):
        slow = each(size, ring(*group, x), x.machine, C)
        assert each(size, ring(*group, y), y.machine, C) <= slow * (1 + 1e-12)


@settings(max_examples=60)
@given(sizes, groups_of, st.floats(1.0, 4.0))
def test_more_bytes_take_longer(size: float, group: tuple[int, int], factor: float) -> None:
    each = ring(*group, H100)
    assert gather(size * factor, each, H100.machine, C) >= gather(size, each, H100.machine, C)


def test_arrays_of_groups_equal_each() -> None:
    sizes_of, local = np.array([1.0, 8.0, 16.0, 512.0]), np.array([1.0, 8.0, 8.0, 1.0])
    domains = sizes_of / local
    many = Group(sizes_of, local, H100.machine.nic, hops=domains - 1, hops_inside=sizes_of - domains, wait=0.0)
    for each in (gather, all_reduce):
        together = np.asarray(each(GIB, many, H100.machine, C))
        alone = [each(GIB, ring(n, k, H100), H100.machine, C) for n, k in zip(sizes_of, local, strict=True)]
        assert together == pytest.approx(alone, rel=1e-12)
