"""Money, energy and carbon of a cluster and of a run.

Everything takes floats or NumPy arrays that broadcast against each other, and returns the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from planner.engine.num import Num, expm1, log1p, maximum, where

HOURS_PER_MONTH = 730.5
"""Hours of an average month. Source: SemiAnalysis, GPU Cloud Economics Explained, 2023-12."""

HOURS_PER_YEAR = 12.0 * HOURS_PER_MONTH

PAYMENTS_PER_YEAR = 12.0
"""Capital is paid back monthly. Source: SemiAnalysis, GPU Cloud Economics Explained (2023-12):
7,025 $ a month on 261.9 k$ at 13 % over four years."""

NO_INTEREST = 1e-9
"""A smaller rate is rounding error in the annuity, whose limit there is plain division."""

BUILDING_YEARS = 15.0
"""Years a building is paid back over. An assumption; no source read states one."""

H100_8BIT_TOPS = 1979.0
"""Dense 8-bit rate of an H100 SXM, TOP/s. Source: NVIDIA H100 data sheet (3,958 with sparsity)."""

H100_BF16_TFLOPS = 989.0
"""Dense BF16 rate of an H100 SXM, TFLOP/s. Source: NVIDIA H100 data sheet."""

EquivalentRule = Literal["8-bit", "bf16"]
"""How cards are counted as H100s: by dense 8-bit rate (Epoch AI) or by dense BF16 rate."""


def annuity(capital: Num, rate: Num, years: Num) -> Num:
    """Constant yearly payment that pays capital back with interest, USD a year.

    Formula: with i = rate / k and n = years x k for k = `PAYMENTS_PER_YEAR`, k x capital x i / (1 - (1 + i)^-n); at
    rate zero capital / years.

    Source: standard; SemiAnalysis, GPU Cloud Economics Explained (2023-12) uses it with monthly payments.

    Args:
        capital: what is paid back, USD (float or array).
        rate: cost of capital a year, 0 or more (float or array).
        years: depreciation period (float or array).

    >>> round(annuity(261_900.0, 0.13, 4.0) / 12)
    7026
    >>> annuity(100.0, 0.0, 4.0)
    25.0
    """
    interest = maximum(rate, NO_INTEREST) / PAYMENTS_PER_YEAR
    factor = -interest / expm1(-years * PAYMENTS_PER_YEAR * log1p(interest))  # 1 - (1 + i)^-n of tiny i and n is 0
    return where(rate > NO_INTEREST, capital * factor * PAYMENTS_PER_YEAR, capital / years)


def hosting_usd_per_year(
    kw: Num, colocation_usd_per_kw_month: Num, usd_per_kwh: Num = 0.0, pue: Num = 1.0, load: Num = 1.0
) -> Num:
    """Space, cooling and electricity, USD a year.

    Formula: 12 x colocation x kw where a colocation price is given (it includes power), else kw x load x PUE x hours x
    price of a kWh.

    Source: SemiAnalysis, GPU Cloud Economics Explained (2023-12).

    Args:
        kw: critical IT power, kW (float or array).
        colocation_usd_per_kw_month: per kW of critical IT power, with power; 0: electricity is paid (float or array).
        usd_per_kwh: price of electricity (float or array).
        pue: facility power over IT power (float or array).
        load: average over critical power (float or array).
    """
    bought = kw * load * pue * HOURS_PER_YEAR * usd_per_kwh
    return where(colocation_usd_per_kw_month > 0, 12.0 * colocation_usd_per_kw_month * kw, bought)


@dataclass(frozen=True, slots=True)
class OwnCost:
    """What owning one card costs a year, USD, by what it is paid for. Floats, or arrays of one shape."""

    card: Num
    """Annuity of the card."""
    server: Num
    """Annuity of the server and rack around it."""
    network: Num
    """Annuity of its share of NICs, switches and cables."""
    building: Num
    """Annuity of an own building, over `BUILDING_YEARS`."""
    hosting: Num
    """Colocation, or electricity."""
    staff: Num
    """People, maintenance, remote hands."""

    @property
    def total(self) -> Num:
        """All of it."""
        return self.card + self.server + self.network + self.building + self.hosting + self.staff


def own_usd_per_card_year(
    *,
    card_usd: Num,
    server_usd: Num,
    network_usd: Num,
    years: Num,
    cost_of_capital: Num,
    kw_per_card: Num,
    colocation_usd_per_kw_month: Num = 0.0,
    usd_per_kwh: Num = 0.0,
    pue: Num = 1.0,
    staff_usd_per_card_year: Num = 0.0,
    load: Num = 1.0,
    building_usd_per_kw: Num = 0.0,
) -> OwnCost:
    """What owning one card costs a year, used or not, USD.

    Formula: annuity(card + server + network) + annuity(building) + hosting + staff.
    Source: SemiAnalysis, GPU Cloud Economics Explained (2023-12).

    Args:
        card_usd: card, USD (float or array).
        server_usd: server and rack around one card, USD (float or array).
        network_usd: network and storage share of one card, USD (float or array).
        years: depreciation period (float or array).
        cost_of_capital: interest a year (float or array).
        kw_per_card: critical IT power of one card with its shares, kW (float or array).
        colocation_usd_per_kw_month: hosting with power, per kW; 0: electricity is paid instead (float or array).
        usd_per_kwh: price of electricity (float or array).
        pue: facility power over IT power (float or array).
        staff_usd_per_card_year: people, maintenance, remote hands (float or array).
        load: average over critical power, for electricity (float or array).
        building_usd_per_kw: own building, per kW of critical power; 0: hosted (float or array).
    """
    return OwnCost(
        card=annuity(card_usd, cost_of_capital, years),
        server=annuity(server_usd, cost_of_capital, years),
        network=annuity(network_usd, cost_of_capital, years),
        building=annuity(building_usd_per_kw * kw_per_card, cost_of_capital, BUILDING_YEARS),
        hosting=hosting_usd_per_year(kw_per_card, colocation_usd_per_kw_month, usd_per_kwh, pue, load),
        staff=staff_usd_per_card_year,
    )


def usd_per_used_hour(usd_per_card_year: Num, utilization: Num = 1.0) -> Num:
    """What one used hour of an owned card costs, USD: a year's cost over the hours it is used.

    Source: SemiAnalysis, GPU Cloud Economics Explained (2023-12): an H100 server at 13 % over four years and 183 $ a kW
    and month comes to 1.52 $ a card-hour.

    Args:
        usd_per_card_year: `OwnCost.total` (float or array).
        utilization: share of the hours somebody uses the card, above 0 (float or array).

    >>> usd_per_used_hour(8766.0, 0.5)
    2.0
    """
    return usd_per_card_year / (HOURS_PER_YEAR * utilization)


def energy_mwh(power_w: Num, seconds: Num) -> Num:
    """Energy, MWh: power x time.

    Args:
        power_w: average power, W (float or array).
        seconds: how long (float or array).

    >>> energy_mwh(1e6, 3600.0)
    1.0
    """
    return power_w * seconds / 3.6e9


def co2_kg(energy_mwh: Num, kg_per_kwh: Num) -> Num:
    """Carbon dioxide, kg: energy at the meter x carbon of the grid.

    Source: Lacoste et al. 2019 (arXiv 1910.09700); Meta's model cards count the cards' thermal design power alone.

    Args:
        energy_mwh: energy at the facility's meter, MWh (float or array).
        kg_per_kwh: carbon intensity of the grid (float or array).

    >>> co2_kg(2.0, 0.4)
    800.0
    """
    return 1000.0 * energy_mwh * kg_per_kwh


def usd_per_million_tokens(cost_usd: Num, tokens: Num) -> Num:
    """Cost of a million tokens, USD.

    Args:
        cost_usd: cost of the run, USD (float or array).
        tokens: tokens trained on (float or array).

    >>> usd_per_million_tokens(30e6, 15e12)
    2.0
    """
    return 1e6 * cost_usd / tokens


def h100_equivalents(
    cards: Num, bf16_tflops: Num, fp8_tflops: Num = 0.0, int8_tops: Num = 0.0, rule: EquivalentRule = "8-bit"
) -> Num:
    """How many H100s do as many operations a second.

    Formula: "8-bit": cards x the card's dense 8-bit rate / 1,979, a card without 8-bit units counting at its BF16 rate
    (TPU v4: 0.139); "bf16": cards x dense BF16 rate / 989.

    Source: Epoch AI, AI chip counts (github.com/epoch-research/ai-chip-counts), for the 8-bit rule.

    Args:
        cards: how many (float or array).
        bf16_tflops: dense BF16 peak of one card, TFLOP/s (float or array).
        fp8_tflops: dense FP8 peak; 0: none (float or array).
        int8_tops: dense INT8 peak; 0: none (float or array).
        rule: which rate counts.
    """
    if rule == "bf16":
        return cards * bf16_tflops / H100_BF16_TFLOPS
    return cards * maximum(maximum(fp8_tflops, int8_tops), bf16_tflops) / H100_8BIT_TOPS
