"""Power against published sites."""

import numpy as np
import pytest

from planner.catalog.network import parts_at
from planner.engine import money, parts, power

YEAR_S = 8760 * 3600.0


def h100_site(cards: float, pue: float = 1.25, load: float = power.TRAINING_LOAD) -> power.PowerDraw:
    host = power.host_w_per_card(8.0, 700.0, 10.2)
    bill = parts.materials(
        cards=cards, cards_per_node=8.0, nics_per_node=8.0, topology="multi-plane", parts=parts_at(50.0),
        card_name="H100", card_usd=0.0, card_w=700.0, host_w_per_card=host,
    )  # fmt: skip
    return power.power(
        cards=cards, card_w=700.0, host_w_per_card=host, network_w=1000.0 * bill.network_kw, pue=pue, load=load
    )


def test_superpod_needs_1389_w_a_card() -> None:
    # SemiAnalysis, AI Datacenter Energy Dilemma (2024-03): 11,112 W a server with storage, network and management.
    assert h100_site(1024.0).it_peak_w / 1024 == pytest.approx(1389, rel=0.001)


def test_20480_card_site_uses_249185_mwh_a_year() -> None:
    # The same source: 28.4 MW x 0.8 x PUE 1.25 x 8,760 h, from 1,389 W a card.
    draw = power.power(cards=20_480.0, card_w=700.0, host_w_per_card=575.0, network_w=20_480 * 69.0, pue=1.25)
    assert draw.it_peak_w == pytest.approx(28.4e6, rel=0.002)
    assert money.energy_mwh(draw.facility_average_w, YEAR_S) == pytest.approx(249_185, rel=0.0005)
    # From the parts: its third tier costs 36 W a card more than the two-tier SuperPOD the 1,389 W are of.
    from_parts = money.energy_mwh(h100_site(20_480.0).facility_average_w, YEAR_S)
    assert from_parts == pytest.approx(249_185, rel=0.035)


def test_100000_h100_use_1_59_twh_a_year() -> None:
    # SemiAnalysis, 100,000 H100 Clusters (2024-06): more than 150 MW critical, 1.59 TWh, 123.9 M$ at 0.078 $/kWh.
    # The source states neither PUE nor load; PUE 1.25 at full load comes within 2 % (1.29 meets it).
    draw = h100_site(100_000.0, load=1.0)
    assert draw.it_peak_w == pytest.approx(150e6, rel=0.06)
    energy = money.energy_mwh(draw.facility_average_w, YEAR_S)
    assert energy / 1e6 == pytest.approx(1.59, rel=0.02)
    assert energy * 78.0 / 1e6 == pytest.approx(123.9, rel=0.02)
    # 181 MW at the meter, which Epoch gives Colossus 1 at 100,000 cards (xai_datacenter_timelines.csv).
    assert draw.facility_average_w == pytest.approx(181e6, rel=0.02)


def test_deepseek_v3_run_drew_2_84_mw() -> None:
    # DeepSeek Debates: 2,048 H800 at 1,389 W; 2.788 M card-hours: 3.9 GWh. With load 0.8 and PUE 1.25 (product 1)
    # the meter shows what the IT is rated at; 0.39 M$ takes rated IT power times PUE.
    draw = h100_site(2048.0)
    assert draw.it_peak_w == pytest.approx(2.84e6, rel=0.005)
    assert draw.facility_average_w == pytest.approx(2.84e6, rel=0.005)
    seconds = 2.788e6 / 2048 * 3600
    assert money.energy_mwh(draw.it_peak_w, seconds) == pytest.approx(3900, rel=0.01)
    assert money.energy_mwh(draw.facility_peak_w, seconds) * 80 == pytest.approx(0.39e6, rel=0.01)


@pytest.mark.parametrize(
    ("card_w", "node_kw", "watts"),
    [(700.0, 10.2, 575.0), (1000.0, 14.3, 787.5), (400.0, 6.5, 412.5), (700.0, 0.0, 575.0)],
)
def test_server_beside_the_card(card_w: float, node_kw: float, watts: float) -> None:
    # presets/cards, host.max_kw: DGX H100, DGX B200, DGX A100; and a card whose server is not stated.
    assert power.host_w_per_card(8.0, card_w, node_kw) == pytest.approx(watts)


def test_all_in_power_leaves_the_server() -> None:
    # GB200: 2.1 kW all in (SemiAnalysis, InferenceX constants).
    host = power.host_w_per_card(4.0, 1200.0, 0.0, 2.1, 69.0)
    draw = power.power(cards=72.0, card_w=1200.0, host_w_per_card=host, network_w=72 * 69.0, pue=1.0)
    assert draw.it_peak_w == pytest.approx(72 * 2100.0)


def test_measured_nodes_set_the_load() -> None:
    # Fire-Flyer (arXiv 2408.14158): DGX A100 4.2 kW measured, 6.5 rated.
    assert power.training_load(6.5, 4.2) == pytest.approx(0.646, abs=0.001)
    assert power.training_load(6.5, 0.0) == power.training_load(0.0, 2.5) == 0.8
    np.testing.assert_allclose(power.training_load(np.array([6.5, 0.0]), np.array([4.2, 4.2])), [4.2 / 6.5, 0.8])


def test_parts_add_up() -> None:
    draw = h100_site(1024.0)
    assert draw.cards_w + draw.hosts_w + draw.network_w + draw.storage_w == pytest.approx(draw.it_peak_w)
    assert draw.it_average_w <= draw.it_peak_w <= draw.facility_peak_w
