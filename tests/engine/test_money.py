"""Money, energy and carbon against published figures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.catalog.network import grids
from planner.engine import money


def test_2023_h100_server_costs_1_52_a_card_hour() -> None:
    # SemiAnalysis, GPU Cloud Economics Explained (2023-12): 7,025 $ a month of capital at 13 % over four years and
    # 1,871 $ of hosting (183 $ a kW and month, 10.2 kW): 80 and 20 %. SemiAnalysis (2023-12): the capital is 261.9 k$.
    assert money.annuity(261_900.0, 0.13, 4.0) / 12 == pytest.approx(7025, rel=0.0005)
    assert money.hosting_usd_per_year(10.2, 183.0) / 12 == pytest.approx(1871, rel=0.003)
    year = money.own_usd_per_card_year(
        card_usd=200_000.0 / 8,
        server_usd=50_000.0 / 8,
        network_usd=11_900.0 / 8,
        years=4.0,
        cost_of_capital=0.13,
        kw_per_card=10.2 / 8,
        colocation_usd_per_kw_month=183.0,
    )
    assert money.usd_per_used_hour(year.total) == pytest.approx(1.52, abs=0.005)
    assert (year.total - year.hosting) / year.total == pytest.approx(
        0.8, abs=0.02
    )  # capital is 80 % (AI Datacenter Energy Dilemma)


@pytest.mark.parametrize(("rate", "years", "usd"), [(0.13, 4.0, 1.15), (0.10, 5.0, 0.91), (0.08, 6.0, 0.75)])
def test_capital_of_a_31250_dollar_card(rate: float, years: float, usd: float) -> None:
    # SemiAnalysis, GPU Cloud Economics Explained, 2023-12.
    assert money.annuity(31_250.0, rate, years) / money.HOURS_PER_YEAR == pytest.approx(usd, abs=0.006)


def test_electricity_of_the_20480_card_site() -> None:
    # SemiAnalysis, AI Datacenter Energy Dilemma: 20.7 M$ a year at 0.083 $/kWh; its year has 8,760 hours, ours 8,766.
    usd = money.hosting_usd_per_year(20_480 * 1.389, 0.0, 0.083, 1.25, 0.8)
    assert usd == pytest.approx(20.7e6, rel=0.002)


def test_llama_3_405b_tokens() -> None:
    # SemiAnalysis, H100 vs GB200 (2025-08): 1.95 $ a million tokens is 29.1 M$ for 15 T.
    assert money.usd_per_million_tokens(29.1e6, 15e12) == pytest.approx(1.95, abs=0.011)


@pytest.mark.parametrize(
    ("bf16", "fp8", "int8", "equivalents"),
    [
        (312.0, 0.0, 624.0, 0.315),  # A100
        (148.0, 296.0, 296.0, 0.15),  # H20
        (989.0, 1979.0, 1979.0, 1.0),  # H100, H800
        (2250.0, 4500.0, 4500.0, 2.27),  # B200
        (2500.0, 5000.0, 5000.0, 2.53),  # GB200
        (275.0, 0.0, 0.0, 0.139),  # TPU v4
        (197.0, 0.0, 394.0, 0.20),  # TPU v5e
        (2307.0, 4614.0, 0.0, 2.33),  # TPU v7
    ],
)
def test_h100_equivalents_by_epochs_rule(bf16: float, fp8: float, int8: float, equivalents: float) -> None:
    # Epoch AI, ai-chip-counts (Epoch AI, ai-chip-counts).
    assert money.h100_equivalents(1.0, bf16, fp8, int8) == pytest.approx(equivalents, rel=0.01)


def test_h100_equivalents_by_bf16() -> None:
    # Epoch AI, ai-chip-counts: TPU v4 0.28, Trainium2 0.67.
    assert money.h100_equivalents(1000.0, 275.0, rule="bf16") == pytest.approx(280, rel=0.01)
    assert money.h100_equivalents(1000.0, 667.0, 1299.0, rule="bf16") == pytest.approx(670, rel=0.01)


def test_carbon_of_llama_3_1() -> None:
    # Meta's model card: 8,930 t for 30.84 M hours of 700 W; that is 0.41 kg a kWh of card power alone.
    energy = money.energy_mwh(700.0, 30.84e6 * 3600)
    assert money.co2_kg(energy, 0.41) / 1000 == pytest.approx(8930, rel=0.01)


@given(rate=st.floats(1e-7, 1), years=st.floats(0.5, 40))
def test_annuity_repays_the_capital(rate: float, years: float) -> None:
    yearly = money.annuity(1e6, rate, years)
    months = np.arange(1, round(years * 12) + 1)
    if len(months) == pytest.approx(years * 12):
        worth = np.sum(yearly / 12 / (1 + rate / 12) ** months)
        assert worth == pytest.approx(1e6, rel=1e-6)
    assert yearly >= 1e6 / years * (1 - 1e-6)


def test_annuity_without_interest() -> None:
    assert money.annuity(1e6, 0.0, 4.0) == 250_000.0
    assert money.annuity(1e6, 1e-8, 4.0) == pytest.approx(250_000.0, rel=1e-6)


def test_annuity_over_arrays() -> None:
    rates = np.array([0.0, 0.05, 0.13])
    assert list(money.annuity(1e6, rates, 4.0)) == pytest.approx([money.annuity(1e6, float(r), 4.0) for r in rates])


def test_owning_has_every_part() -> None:
    values = {
        "card_usd": 25_000.0,
        "server_usd": 5_000.0,
        "network_usd": 4_000.0,
        "years": 4.0,
        "cost_of_capital": 0.1,
        "kw_per_card": 1.4,
        "usd_per_kwh": 0.08,
        "pue": 1.25,
        "staff_usd_per_card_year": 500.0,
        "load": 0.8,
    }
    year = money.own_usd_per_card_year(**values).total
    for key, value in values.items():
        changed = money.own_usd_per_card_year(**(values | {key: value * 1.1})).total
        assert changed < year if key == "years" else changed > year, key
    assert money.usd_per_used_hour(year, 0.5) == pytest.approx(2 * money.usd_per_used_hour(year))
    built = money.own_usd_per_card_year(**values, building_usd_per_kw=10_000.0)
    assert built.building == pytest.approx(money.annuity(14_000.0, 0.1, 15.0))
    assert built.total - year == pytest.approx(built.building)


def test_grids_of_the_catalogue() -> None:
    # CodeCarbon, g a kWh (CodeCarbon).
    assert grids()["us"].kg_co2_per_kwh == 0.369
    assert grids()["fr"].kg_co2_per_kwh == 0.056
    assert len(grids()) == 25
