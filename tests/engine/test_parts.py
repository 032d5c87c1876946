"""Bills of materials against published network costs."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.catalog.network import parts_at
from planner.engine import parts
from planner.engine.num import Num
from planner.spec.fabric import Topology
from planner.spec.network import NetworkParts

NDR = parts_at(50.0)


def cluster(
    nodes: float, topology: Topology = "multi-plane", using: NetworkParts = NDR, **more: Num
) -> parts.Materials:
    values: dict[str, Num] = {"cards_per_node": 8.0, "nics_per_node": 8.0, "card_usd": 0.0, "card_w": 700.0}
    return parts.materials(
        cards=nodes * 8.0, topology=topology, parts=using, card_name="card", host_w_per_card=575.0, **(values | more)
    )


def network_usd(bill: parts.Materials) -> float:
    """Switches, transceivers and cables, as the published tables count; no NICs."""
    return float(sum(part.usd for part in bill.network))


# Network of 2024 H100 clusters, USD: switches, then cables and optics, then all in (the 2024 network sheet,
# network_cost_h100_2024; docs.google.com/spreadsheets/d/1Ft3RbeZ-w43kYSiLfYc1vxO41mK5lmJpcPC9GOYHAWc).
# Ours prices every 400G link at 1,280 $. The sheet takes 1,320 in one tier and 1,267 in three: hence -3.0 and +1.1 %.
SHEET = (
    (64, 288_000, 675_840, 19_840_000, 46_883),
    (128, 1_728_000, 2_621_440, 39_680_000, 49_248),
    (256, 3_456_000, 5_242_880, 79_360_000, 49_248),
    (512, 6_912_000, 10_485_760, 153_600_000, 47_998),
    (1024, 13_824_000, 20_971_520, 307_200_000, 47_998),
    (2048, 27_648_000, 41_943_040, 634_880_000, 49_248),
    (4096, 92_160_000, 124_518_400, 1_269_760_000, 51_613),
    (8192, 184_320_000, 249_036_800, 2_539_520_000, 51_613),
    (13_107, 294_912_000, 398_458_880, 4_063_232_000, 51_613),
)


@pytest.mark.parametrize(("nodes", "switches_usd", "optics_usd", "nodes_usd", "card_usd"), SHEET)
def test_2024_h100_network_sheet(
    nodes: int, switches_usd: float, optics_usd: float, nodes_usd: float, card_usd: float
) -> None:
    bill = cluster(float(nodes))
    switches = sum(part.usd for part in bill.network if "switch," in part.part)
    assert switches == pytest.approx(switches_usd, rel=0.003)
    assert network_usd(bill) - switches == pytest.approx(optics_usd, rel=0.031)
    facility = 50_000.0 * nodes  # the sheet adds facility and operation over the lifetime
    whole = nodes_usd + facility + network_usd(bill)
    assert whole / (nodes * 8) == pytest.approx(card_usd, rel=0.002)


# Insights into DeepSeek-V3 (arXiv 2505.09343), table 3: million USD, thousand USD an endpoint.
ISCA: tuple[tuple[Topology, int, float, float], ...] = (
    ("fat-tree", 2_048, 9, 4.39),
    ("multi-plane", 16_384, 72, 4.39),
    ("fat-tree", 65_536, 491, 7.5),
    ("dragonfly", 261_632, 1_522, 5.8),
)


# The table's own prices are not published. One set reproduces all of it: the sheet's 36 k$ switch, 725 $ for a link
# to a server and 1,975 $ between switches, whose ratio 2.7 is that of single mode to multimode optics (2.5, sa_100k).
AS_ISCA = dataclasses.replace(
    NDR, switch_usd=36_000.0, transceiver_usd=725.0 / 2, trunk_transceiver_usd=1_975.0 / 2, cable_usd=0.0
)


@pytest.mark.parametrize(("topology", "endpoints", "musd", "kusd"), ISCA)
def test_deepseek_topology_costs(topology: Topology, endpoints: int, musd: float, kusd: float) -> None:
    usd = network_usd(cluster(endpoints / 8, topology, AS_ISCA))
    assert usd / 1e6 == pytest.approx(musd, rel=0.012)
    assert usd / endpoints / 1e3 == pytest.approx(kusd, rel=0.015)


@pytest.mark.parametrize(("row", "off"), zip(ISCA, (-0.032, -0.032, -0.113, -0.067), strict=True))
def test_deepseek_topology_costs_at_catalogue_prices(row: tuple[Topology, int, float, float], off: float) -> None:
    # At the prices of the 2024 sheet, which knows one link price, the table is missed by as much as its single-mode
    # links between switches are dearer: the more of them an endpoint has (1, 1, 2, 1.5), the more.
    topology, endpoints, _, kusd = row
    usd = network_usd(cluster(endpoints / 8, topology))
    assert usd / endpoints / 1e3 / kusd - 1 == pytest.approx(off, abs=0.002)


def test_transceivers_of_a_three_tier_cluster() -> None:
    # SemiAnalysis, 100,000 H100 Clusters: 98,304 cards need one transceiver each on the NIC side.
    bill = cluster(98_304 / 8, "fat-tree")
    near = next(part for part in bill.network if part.part.startswith("transceiver to servers"))
    assert near.count == 2 * 98_304


def test_network_share_of_server_power() -> None:
    # SemiAnalysis, 100,000 H100 Clusters: about 9 % of server power (1,275 W a card) in three tiers.
    bill = cluster(12_500.0)
    assert bill.network_kw / 100_000 / 1.275 == pytest.approx(0.09, abs=0.005)
    # Two tiers: 69 W a card, which `power.STORAGE_W_PER_CARD` was split by.
    assert cluster(256.0, "fat-tree").network_kw * 1000 / 2048 == pytest.approx(69, abs=0.5)


def test_single_node_has_no_switches() -> None:
    assert cluster(1.0).network == ()


def test_the_bill_holds_every_part_once() -> None:
    bill = cluster(256.0, "fat-tree", card_usd=25_000.0)
    assert [part.part.split(",")[0] for part in bill.bill] == [
        "card", "server", "NIC", "leaf switch", "top switch", "transceiver to servers",
        "transceiver between switches", "Fibre cable", "Rack",
    ]  # fmt: skip
    assert sum(p.usd for p in bill.bill) == pytest.approx(bill.card.usd + bill.server_usd + bill.network_usd)
    assert bill.server.kw + bill.nic.kw == pytest.approx(2048 * 0.575)


def test_two_sites_have_two_networks() -> None:
    one, two = cluster(1024.0, "fat-tree"), cluster(1024.0, "fat-tree", sites=2.0)
    half = cluster(512.0, "fat-tree")
    assert two.network_usd == pytest.approx(2 * half.network_usd)
    assert two.network_usd <= one.network_usd


def test_racks() -> None:
    # Four 10.2 kW servers to a 42 kW rack; NVL72: 72 cards a rack (18 trays of 4).
    assert parts.racks(256.0, 8.0, 10_200.0, 8.0, 42_000.0) == 64
    assert parts.racks(1152.0, 4.0, 7_500.0, 72.0, 42_000.0) == 64
    # A TPU pod's domain spans racks.
    assert parts.racks(1024.0, 4.0, 1_400.0, 4096.0, 42_000.0) == 35


def test_torus_is_three_quarters_copper() -> None:
    bill = cluster(512.0, "torus")
    counts = {part.part: part.count for part in bill.network}
    assert counts[NDR.copper_cable] == 3 * counts[NDR.cable]
    assert counts[NDR.copper_cable] + counts[NDR.cable] == 3 * 4096


@given(nodes=st.integers(2, 20_000), more=st.integers(1, 2_000))
def test_more_nodes_cost_no_less(nodes: int, more: int) -> None:
    small, large = cluster(float(nodes), "fat-tree"), cluster(float(nodes + more), "fat-tree")
    assert large.network_usd >= small.network_usd
    assert large.network_kw >= small.network_kw


def test_arrays_give_what_floats_give() -> None:
    nodes = np.array([2.0, 8.0, 300.0, 9000.0])
    both = cluster(nodes, "fat-tree")  # type: ignore[arg-type]
    for index, count in enumerate(nodes):
        one = cluster(float(count), "fat-tree")
        assert both.network_usd[index] == pytest.approx(one.network_usd)
        assert both.network_kw[index] == pytest.approx(one.network_kw)
