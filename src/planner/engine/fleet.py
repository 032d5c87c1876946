"""What a fleet is: cards, H100-equivalents, power, capital, operation, and the largest run one site can hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from planner.engine.built import built
from planner.engine.export import ExportClass, diffusion_cap, export_classes
from planner.engine.money import (
    BUILDING_YEARS,
    HOURS_PER_YEAR,
    EquivalentRule,
    annuity,
    co2_kg,
    h100_equivalents,
    hosting_usd_per_year,
)
from planner.engine.parts import Materials, materials
from planner.engine.power import PowerDraw
from planner.spec.fleet import FleetCluster, Holding, ResolvedFleet
from planner.spec.plan import Cluster, Cost, Plan

EQUIVALENT_RULES: dict[EquivalentRule, str] = {
    "8-bit": "dense 8-bit rate over the H100's 1,979 TOP/s (Epoch AI)",
    "bf16": "dense BF16 rate over the H100's 989 TFLOP/s",
}
"""The rules H100-equivalents can be counted by, in words."""
WIRING = ("topology", "oversubscription")
"""Keys of a plan's cluster that a fleet cannot state of a site."""


@dataclass(frozen=True, slots=True)
class CardCount:
    """Cards of one kind."""

    card: str
    cards: int
    sites: tuple[str, ...]
    """Sites that are stated, in the order of the file."""
    cards_without_site: int
    """Of the cards, those whose site is not stated."""


@dataclass(frozen=True, slots=True)
class SiteRun:
    """The cards of one kind at one site that one run could use; no cards where no site is stated."""

    site: str = ""
    card: str = ""
    cards: int = 0


@dataclass(frozen=True, slots=True)
class FleetTotals:
    """A fleet's totals. Names and units are those of the JSON contract, and some more."""

    cards: int
    by_card: tuple[CardCount, ...]
    h100_equivalents: float
    h100_equivalents_rule: str
    power_mw: float
    """Critical IT power: all that is plugged in, at its rating."""
    facility_mw: float
    """The same at the site's meter: times PUE."""
    energy_mwh_per_year: float
    """At the meter, at the load of training."""
    co2_kg_per_year: float
    """Of that energy, on the grid the fleet names."""
    capex_usd: float
    """Cards, servers, network of what is owned; without buildings and without the cards of `unpriced`."""
    buildings_usd: float
    """Own buildings, where a price a kW is given."""
    operating_usd_per_year: float
    """Rent of what is rented; of what is owned, hosting or electricity, and staff. No capital."""
    operating_usd_over_period: float
    """Over the depreciation period of each cluster."""
    period_years: float
    """That period: the mean by operating cost."""
    owning_usd_per_year: float
    """Capital spread evenly over the period (buildings over `BUILDING_YEARS`), and operation."""
    owning_with_interest_usd_per_year: float
    """Capital as an annuity at its cost, and operation."""
    usd_per_used_card_hour: float
    """That, over the hours the cards are used."""
    largest_single_site_run: SiteRun
    export_classes: tuple[ExportClass, ...]
    unpriced: tuple[str, ...]
    """Cards no price is known of: what they cost is left out of every sum."""


@dataclass(frozen=True, slots=True)
class _Sum:
    """One cluster's share of the totals."""

    name: str
    holding: Holding
    draw: PowerDraw
    equivalents: float
    capex_usd: float
    building_usd: float
    operating_usd: float
    """A year."""

    @property
    def spread_usd(self) -> float:
        """Capital of a year without interest."""
        return self.capex_usd / self.holding.cluster.years + self.building_usd / BUILDING_YEARS

    @property
    def annuity_usd(self) -> float:
        """Capital of a year with interest."""
        c = self.holding.cluster
        building = annuity(self.building_usd, c.cost_of_capital, BUILDING_YEARS)
        return float(annuity(self.capex_usd, c.cost_of_capital, c.years) + building)

    @property
    def unpriced(self) -> bool:
        """What its cards cost is not known."""
        h = self.holding
        return not (h.usd_per_card_hour if h.cluster.basis == "rent" else h.card_price_usd)


def fleet_totals(resolved: ResolvedFleet, rule: EquivalentRule = "8-bit") -> FleetTotals:
    """Everything the engine says about a fleet.

    A cluster's network, where its cost is not given, is priced as multi-plane trees over all its cards.

    Source: arithmetic on SemiAnalysis, DeepSeek Debates: its fleet is 1,628 M$ of capital (NVIDIA price
    and server) and 944 M$ of operation over four years.

    Args:
        resolved: the fleet.
        rule: how H100-equivalents are counted.
    """
    pue = resolved.fleet.power.pue
    sums = [_sum_of(holding, pue, rule) for holding in resolved.holdings]
    costs = [s.holding.cluster for s in sums]
    peak = sum(s.draw.it_peak_w for s in sums)
    average = sum(s.draw.facility_average_w for s in sums)
    operating = sum(s.operating_usd for s in sums)
    over_period = sum(s.operating_usd * c.years for s, c in zip(sums, costs, strict=True))
    with_interest = operating + sum(s.annuity_usd for s in sums)
    energy = average * HOURS_PER_YEAR / 1e6
    return FleetTotals(
        cards=sum(c.cards for c in costs),
        by_card=tuple(_by_card(sums)),
        h100_equivalents=sum(s.equivalents for s in sums),
        h100_equivalents_rule=EQUIVALENT_RULES[rule],
        power_mw=peak / 1e6,
        facility_mw=pue * peak / 1e6,
        energy_mwh_per_year=energy,
        co2_kg_per_year=float(co2_kg(energy, resolved.kg_co2_per_kwh)),
        capex_usd=sum(s.capex_usd for s in sums),
        buildings_usd=sum(s.building_usd for s in sums),
        operating_usd_per_year=operating,
        operating_usd_over_period=over_period,
        period_years=over_period / operating if operating else costs[0].years,
        owning_usd_per_year=sum(s.spread_usd for s in sums) + operating,
        owning_with_interest_usd_per_year=with_interest,
        usd_per_used_card_hour=with_interest / sum(c.cards * c.utilization * HOURS_PER_YEAR for c in costs),
        largest_single_site_run=_site_run(largest_run(resolved, rule)),
        export_classes=tuple(_export(sums)),
        unpriced=tuple(dict.fromkeys(s.name for s in sums if s.unpriced)),
    )


def largest_run(resolved: ResolvedFleet, rule: EquivalentRule = "8-bit") -> tuple[Holding, ...]:
    """The holdings one run could use: of the sites that are stated, the cards of one kind that do the most together.

    Cards are of one kind where the fleet describes them in the same words. Empty: no site is stated.

    Args:
        resolved: the fleet.
        rule: how H100-equivalents, which operations are compared by, are counted.
    """
    kinds = list[list[Holding]]()
    for holding in resolved.holdings:
        c = holding.cluster
        if not c.site:
            continue
        same = (k for k in kinds if (k[0].cluster.site, k[0].cluster.card) == (c.site, c.card))
        if (kind := next(same, None)) is None:
            kinds.append(kind := [])
        kind.append(holding)
    return tuple(max(kinds, key=lambda kind: sum(_equivalents(h, rule) for h in kind), default=()))


def plan_on_site(plan: Plan, holdings: Sequence[Holding], cards: int = 0) -> Plan:
    """A plan on the cards of a site's largest run: its workload and its software there, at the site's costs.

    A fleet states no wiring: the network is wired as that of a plan that does not say. The parallel degrees stay as
    they are; they are the plan's own cluster's, so a search is to follow.

    Args:
        plan: what is trained.
        holdings: where, as `largest_run` has them; at least one.
        cards: how many of their cards; 0: all.
    """
    run = _site_run(holdings)
    cards = cards or run.cards
    hardware = {
        "card": holdings[0].cluster.card,
        "cards": cards,
        "cards_per_node": None,
        "scale_up": None,
        "scale_up_domain": None,
        "scale_out": None,
        "nics_per_node": None,
        "sites": 1,
        "wan_gb_per_s": 0.0,
        **{key: Cluster.model_fields[key].default for key in WIRING},
    }
    cluster = plan.cluster.model_copy(update=hardware)
    cost = Cost(**{key: getattr(holdings[0].cluster, key) for key in Cost.model_fields})
    model = plan.workload.model
    what = plan.name or (model if isinstance(model, str) else str(model.get("name") or "the plan"))
    name = f"{what} on {cards:,} {run.card}, {run.site}"
    return plan.model_copy(update={"name": name, "cluster": cluster, "cost": cost, "claim": None})


def _sum_of(holding: Holding, pue: float, rule: EquivalentRule) -> _Sum:
    cluster = holding.cluster
    bill, draw = _built(holding, pue)
    owned = cluster.basis == "own"
    network = cluster.network_usd_per_card * cluster.cards or float(bill.network_usd)
    server = cluster.server_usd_per_card * cluster.cards or float(bill.server_usd)
    hosting = hosting_usd_per_year(
        draw.it_peak_w / 1000.0,
        cluster.colocation_usd_per_kw_month,
        cluster.usd_per_kwh,
        pue,
        draw.it_average_w / draw.it_peak_w,
    )
    running = float(hosting) + cluster.cards * cluster.staff_usd_per_card_year
    return _Sum(
        name=_name(holding),
        holding=holding,
        draw=draw,
        equivalents=_equivalents(holding, rule),
        capex_usd=cluster.cards * holding.card_price_usd + server + network if owned else 0.0,
        building_usd=cluster.building_usd_per_kw * draw.it_peak_w / 1000.0 if owned else 0.0,
        operating_usd=running if owned else cluster.cards * holding.usd_per_card_hour * HOURS_PER_YEAR,
    )


def _name(holding: Holding) -> str:
    return holding.card_id or holding.card.name


def _equivalents(holding: Holding, rule: EquivalentRule) -> float:
    peaks = holding.card.peak_tflops
    return float(h100_equivalents(holding.cluster.cards, peaks.bf16, peaks.fp8, peaks.int8, rule))


def _built(holding: Holding, pue: float) -> tuple[Materials, PowerDraw]:
    """What a cluster is built from, and its power."""
    card, cards = holding.card, float(holding.cluster.cards)

    def bill(host_w: float) -> Materials:
        return materials(
            cards=cards,
            cards_per_node=float(card.host.cards),
            nics_per_node=float(holding.nics_per_node),
            topology="multi-plane",
            parts=holding.network,
            card_name=card.name,
            card_usd=holding.card_price_usd,
            card_w=card.tdp_w,
            host_w_per_card=host_w,
            scale_up_domain=float(holding.scale_up.domain),
        )

    return built(card, cards, pue, bill)


def _by_card(sums: Iterable[_Sum]) -> Iterable[CardCount]:
    groups: dict[str, list[FleetCluster]] = {}
    for s in sums:
        groups.setdefault(s.name, []).append(s.holding.cluster)
    for name, clusters in groups.items():
        sites = tuple(dict.fromkeys(c.site for c in clusters if c.site))
        homeless = sum(c.cards for c in clusters if not c.site)
        yield CardCount(name, sum(c.cards for c in clusters), sites, homeless)


def _site_run(holdings: Sequence[Holding]) -> SiteRun:
    """What a fleet's totals say of the holdings of its largest run."""
    if not holdings:
        return SiteRun()
    first = holdings[0]
    return SiteRun(first.cluster.site, _name(first), sum(h.cluster.cards for h in holdings))


def _export(sums: list[_Sum]) -> Iterable[ExportClass]:
    for name, s in {s.name: s for s in sums}.items():
        yield from export_classes(s.holding.card, name, 2.0 * s.holding.scale_up.gb_per_s)
    yield diffusion_cap(sum(s.holding.cluster.cards * s.holding.card.export_control.tpp for s in sums))
