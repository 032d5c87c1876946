"""Network shapes against published counts, and what must hold of any shape."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.engine import topology
from planner.engine.topology import hops, network_shape, top_tier_share
from planner.spec.fabric import Topology

NAMES: tuple[Topology, ...] = ("fat-tree", "rail-optimized", "multi-plane", "dragonfly")

# Insights into DeepSeek-V3 (arXiv 2505.09343), table 3: 64-port 400G switches. Counts of DF from its text.
ISCA = (
    ("fat-tree", 2_048, 96, 2_048),
    ("multi-plane", 16_384, 768, 16_384),
    ("fat-tree", 65_536, 5_120, 131_072),
    ("dragonfly", 261_632, 16_352, 384_272),
)


@pytest.mark.parametrize(("name", "endpoints", "switches", "links"), ISCA)
def test_counts_of_the_deepseek_table_are_exact(name: Topology, endpoints: int, switches: int, links: int) -> None:
    shape = network_shape(name, float(endpoints), 64.0)
    assert shape.switches == switches
    assert shape.inter_switch_links == links


@pytest.mark.parametrize(
    ("nodes", "switches"),
    [(64, 8), (128, 48), (256, 96), (512, 192), (1024, 384), (2048, 768), (4096, 2560), (8192, 5120)],
)
def test_switches_of_the_2024_h100_network_sheet_are_exact(nodes: int, switches: int) -> None:
    # docs.google.com/spreadsheets/d/1Ft3RbeZ-w43kYSiLfYc1vxO41mK5lmJpcPC9GOYHAWc: eight rails of 64-port switches.
    assert network_shape("multi-plane", nodes * 8.0, 64.0).switches == switches


def test_largest_row_of_the_2024_sheet() -> None:
    # 104,858 cards with 8,192 switches: the sheet multiplies 5/64 by the ports; whole switches a plane make 8,208.
    shape = network_shape("multi-plane", 13_107 * 8.0, 64.0)
    assert shape.switches == pytest.approx(8192, rel=0.003)


@pytest.mark.parametrize(
    ("radix", "two", "three"), [(64.0, 2_048, 65_536), (40.0, 800, 16_000), (144.0, 10_368, 746_496)]
)
def test_capacity_of_two_and_three_tiers(radix: float, two: int, three: int) -> None:
    # r^2 / 2 and r^3 / 4; Q3400 (radix 144): 10,368 endpoints in two tiers; QM8700 (radix 40): the 800 of Fire-Flyer 2.
    sizes = np.array([radix, radix + 1, two, two + 1, three, three + 1])
    assert list(network_shape("fat-tree", sizes, radix).tiers) == [1, 2, 2, 3, 3, 4]


def test_fire_flyer_zone() -> None:
    # arXiv 2408.14158: a zone is an 800-port two-tier tree of 40 leaf and 20 spine switches of 40 ports.
    shape = network_shape("fat-tree", 800.0, 40.0)
    assert (shape.leaf_switches, shape.top_switches) == (40, 20)


def test_superpod_scalable_unit() -> None:
    # NVIDIA DGX SuperPOD (H100): 4 units of 32 nodes have 32 leaf and 16 spine switches; a rail's leaf joins 32 nodes.
    shape = network_shape("rail-optimized", 128 * 8.0, 64.0)
    assert (shape.leaf_switches, shape.top_switches, shape.leaf_nodes) == (32, 16, 32)
    assert network_shape("fat-tree", 128 * 8.0, 64.0).leaf_nodes == 4


def test_oversubscription_needs_fewer_switches_and_larger_blocks() -> None:
    full, thin = (network_shape("fat-tree", 24_576.0, 64.0, o) for o in (1.0, 7.0))
    assert thin.switches < full.switches
    assert thin.block_nodes > full.block_nodes
    assert thin.top_switches * 64 >= 24_576 / 7


def test_hops() -> None:
    # Latency rows of arXiv 2505.09343: same leaf one switch, cross leaf three; three tiers five.
    shape = network_shape("fat-tree", 65_536.0, 64.0)
    assert [hops(shape, n) for n in (1.0, 4.0, 5.0, 128.0, 129.0)] == [1, 1, 3, 3, 5]
    rail = network_shape("rail-optimized", 2_048.0, 64.0)
    assert [hops(rail, n) for n in (32.0, 33.0)] == [1, 3]
    assert topology.extra_latency_s(3.0, 0.45e-6) == pytest.approx((3.7 - 2.8) * 1e-6)


def test_oversubscription_by_pattern() -> None:
    # Meta's 24,576-card RoCE cluster: 1:7 above pods. All-to-all over 8 pods gets 1 / (7 x 7/8) of its NICs.
    shape = dataclasses.replace(network_shape("fat-tree", 24_576.0, 64.0, 7.0), block_nodes=384.0)
    assert top_tier_share(shape, 384.0, 7.0) == 1.0
    assert top_tier_share(shape, 3072.0, 7.0, pattern="all-to-all") == pytest.approx(1 / (7 * 7 / 8))
    assert top_tier_share(shape, 3072.0, 7.0) == 1.0
    assert top_tier_share(shape, 3072.0, 7.0, members=8.0) == pytest.approx(1 / 7)
    assert top_tier_share(shape, 3072.0, 7.0, members=16.0) == pytest.approx(2 / 7)


@given(name=st.sampled_from(NAMES), endpoints=st.integers(1, 200_000), more=st.integers(1, 50_000))
def test_more_endpoints_need_no_fewer_switches(name: Topology, endpoints: int, more: int) -> None:
    small, large = network_shape(name, float(endpoints), 64.0), network_shape(name, float(endpoints + more), 64.0)
    assert large.switches >= small.switches
    assert large.max_hops >= small.max_hops


@given(
    name=st.sampled_from(NAMES),
    endpoints=st.integers(1, 200_000),
    radix=st.sampled_from((40.0, 64.0, 128.0)),
    o=st.floats(1, 16),
)
def test_switches_have_the_ports_for_their_links(name: Topology, endpoints: int, radix: float, o: float) -> None:
    shape = network_shape(name, float(endpoints), radix, o)
    assert endpoints + 2 * shape.inter_switch_links <= shape.switches * radix + 2 * radix * shape.tiers * 8


@given(o=st.floats(1, 64), more=st.floats(1, 8), span=st.floats(1, 1e4), members=st.floats(1, 1e4))
def test_thinner_top_tier_is_never_faster(o: float, more: float, span: float, members: float) -> None:
    shape = network_shape("fat-tree", 65_536.0, 64.0)
    first, second = (top_tier_share(shape, span, v, members=min(members, span)) for v in (o, o * more))
    assert 0 < second <= first <= 1


@pytest.mark.parametrize("name", [*NAMES, "torus", "single-switch"])
def test_arrays_give_what_floats_give(name: Topology) -> None:
    sizes = np.array([8.0, 64.0, 65.0, 2048.0, 30_000.0, 70_000.0])
    both = network_shape(name, sizes, 64.0, 3.0)
    for index, size in enumerate(sizes):
        one = network_shape(name, float(size), 64.0, 3.0)
        for field in dataclasses.fields(one):
            got = np.broadcast_to(getattr(both, field.name), sizes.shape)[index]
            assert got == getattr(one, field.name), (field.name, size)


def test_torus_has_no_switches() -> None:
    # TPU v4 pod (16 x 16 x 16): 8 hops at most along each axis.
    shape = network_shape("torus", 4096.0, 64.0)
    assert (shape.switches, shape.inter_switch_links, shape.max_hops) == (0, 3 * 4096, 24)
