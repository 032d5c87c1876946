"""What stands behind the days and the cost of a plan, item by item: parts, power, money, failures, network."""

from __future__ import annotations

from dataclasses import dataclass

from planner.engine import money, run
from planner.engine.built import built
from planner.engine.inputs import Inputs
from planner.engine.layout import Group, groups
from planner.engine.parts import Materials, materials
from planner.engine.power import PowerDraw
from planner.engine.reading import inputs_of, network_of
from planner.engine.result import Outcome
from planner.engine.run import RunLength
from planner.engine.step import between_sites
from planner.engine.topology import NetworkShape
from planner.spec.plan import Resolved


def built_of(r: Resolved) -> tuple[Materials, PowerDraw]:
    """The bill of materials of a plan's cluster, and its power."""
    cluster = r.plan.cluster

    def bill(host_w: float) -> Materials:
        return materials(
            cards=float(cluster.cards),
            cards_per_node=float(r.cards_per_node),
            nics_per_node=float(r.nics_per_node),
            topology=cluster.topology,
            parts=r.network,
            card_name=r.card.name,
            card_usd=r.card_price_usd,
            card_w=r.card.tdp_w,
            host_w_per_card=host_w,
            oversubscription=cluster.oversubscription,
            server_usd_per_card=r.plan.cost.server_usd_per_card,
            scale_up_domain=float(r.scale_up_domain),
            sites=float(cluster.sites),
        )

    return built(r.card, float(cluster.cards), r.plan.power.pue, bill)


def run_length_of(r: Resolved, step_time_s: float) -> RunLength:
    """How long a plan's run takes with its failures and checkpoints.

    Args:
        r: the plan.
        step_time_s: time of one step, s.
    """
    work, reliability = r.plan.workload, r.plan.reliability
    return run.run_length(
        work.tokens,
        float(work.global_batch),
        float(work.sequence_length),
        step_time_s,
        float(r.plan.cluster.cards),
        total_params=float(r.model.total_params),
        mtbf_card_hours=reliability.mtbf_card_hours,
        restart_s=reliability.restart_s,
        checkpoint_gb_per_s=reliability.checkpoint_gb_per_s,
        checkpoint_every_s=reliability.checkpoint_every_s,
        bytes_per_param=float(run.checkpoint_bytes_per_param(work.precision in {"fp32", "tf32"})),
        cards_per_node=float(r.cards_per_node),
    )


def own_cost_of(r: Resolved, bill: Materials, draw: PowerDraw) -> money.OwnCost:
    """What owning one card of a plan's cluster costs a year.

    Args:
        r: the plan.
        bill: its bill of materials.
        draw: its power.
    """
    cost, cards = r.plan.cost, r.plan.cluster.cards
    return money.own_usd_per_card_year(
        card_usd=r.card_price_usd,
        server_usd=cost.server_usd_per_card or bill.server_usd / cards,
        network_usd=cost.network_usd_per_card or float(bill.network_usd) / cards,
        years=cost.years,
        cost_of_capital=cost.cost_of_capital,
        kw_per_card=draw.it_peak_w / cards / 1000.0,
        colocation_usd_per_kw_month=cost.colocation_usd_per_kw_month,
        usd_per_kwh=cost.usd_per_kwh,
        pue=r.plan.power.pue,
        staff_usd_per_card_year=cost.staff_usd_per_card_year,
        load=draw.it_average_w / draw.it_peak_w,
        building_usd_per_kw=cost.building_usd_per_kw,
    )


def usd_per_card_hour_of(r: Resolved, bill: Materials, draw: PowerDraw) -> float:
    """Price of a card-hour on the basis the plan names; the arguments are those of `own_cost_of`."""
    if r.plan.cost.basis == "rent":
        return r.usd_per_card_hour
    return float(money.usd_per_used_hour(own_cost_of(r, bill, draw).total, r.plan.cost.utilization))


@dataclass(frozen=True, slots=True)
class Price:
    """One way to pay for the cards, four ways to say it. USD."""

    per_card_hour: float
    per_million_tokens: float
    per_run: float
    per_year: float
    """Of the whole cluster, whatever runs on it."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What the network leaves of a NIC to one kind of communication group, and how far its messages go."""

    group: str
    cards: int
    in_domain: int
    """Of them, those that share a scale-up domain."""
    nic_share: float
    """Of the NICs' bandwidth, what the top tier of switches leaves; 1 where nothing leaves the domain."""
    extra_latency_s: float
    """Time a message loses above that between two nodes of one leaf switch, or between neighbours of a torus."""


@dataclass(frozen=True, slots=True)
class Account:
    """A plan item by item. All that is in `Estimate` is made of it."""

    materials: Materials
    draw: PowerDraw
    length: RunLength
    own: money.OwnCost
    """Of one card, a year."""
    rented: Price | None
    """None: no rent is known."""
    owned: Price
    network: NetworkShape
    reach: tuple[Reach, ...]
    joules_per_token: float
    """Energy at the meter."""
    electricity_usd: float
    """Of the run, at the plan's price of a kWh; a colocation or rent holds it already."""
    lost_usd: float
    """What the hours cost that checkpoints and interruptions take."""
    spares_usd: float
    """What the spare cards cost while the run lasts; not in the cost of the run."""
    between_sites_s: float
    """Of a step: how long it waits for the gradients of other sites, s."""

    @property
    def mean_time_s(self) -> float:
        """Mean time between interruptions, s."""
        return float(self.length.wall_seconds / self.length.interruptions)

    @property
    def checkpoint_lost_s(self) -> float:
        """Time of the run spent standing still for checkpoints, s."""
        count = self.length.train_seconds / self.length.checkpoint_every_s
        return float(count * self.length.checkpoint_stall_s)

    @property
    def interruption_lost_s(self) -> float:
        """Time of the run lost to interruptions: work done again, restarts, reading checkpoints, s."""
        return float(self.length.interruptions * self.length.lost_s_per_failure)


def account(outcome: Outcome) -> Account:
    """Everything behind an outcome's days and cost."""
    r, e = outcome.resolved, outcome.estimate
    x = inputs_of(r)
    bill, draw = built_of(r)
    own = own_cost_of(r, bill, draw)
    hour = float(money.usd_per_used_hour(own.total, r.plan.cost.utilization))
    rent = r.usd_per_card_hour
    length = run_length_of(r, e.step_time_s)
    return Account(
        materials=bill,
        draw=draw,
        length=length,
        own=own,
        rented=price_at(outcome, rent) if rent else None,
        owned=price_at(outcome, hour, float(own.total)),
        network=network_of(r),
        joules_per_token=3.6e9 * e.energy_mwh / r.plan.workload.tokens,
        electricity_usd=1000.0 * e.energy_mwh * r.plan.cost.usd_per_kwh,
        lost_usd=e.cost_usd * (1.0 - e.goodput),
        spares_usd=e.cost_usd * float(length.spares) / r.plan.cluster.cards,
        reach=_reach(x),
        between_sites_s=float(between_sites(x)),
    )


def price_at(outcome: Outcome, usd_per_card_hour: float, usd_per_card_year: float | None = None) -> Price:
    """A price of a card-hour, said in four ways.

    Args:
        outcome: whose run it is.
        usd_per_card_hour: what a used hour costs.
        usd_per_card_year: what a card costs a year; None: every hour of the year is paid for.
    """
    e, plan = outcome.estimate, outcome.resolved.plan
    run_usd = usd_per_card_hour * e.card_hours
    year = usd_per_card_hour * money.HOURS_PER_YEAR if usd_per_card_year is None else usd_per_card_year
    return Price(
        per_card_hour=usd_per_card_hour,
        per_million_tokens=float(money.usd_per_million_tokens(run_usd, plan.workload.tokens)),
        per_run=run_usd,
        per_year=year * plan.cluster.cards,
    )


def _reach(x: Inputs) -> tuple[Reach, ...]:
    """The groups of the layout that have more than one card."""
    found = groups(x)
    kinds: dict[str, Group] = {
        "tensor": found.tensor,
        "context": found.context,
        "expert": found.expert,
        "gradients": found.gradient,
        "expert gradients": found.expert_gradient,
        "next stage": found.stage,
    }
    idle = set() if float(x.layout.expert) > 1 else {"expert", "expert gradients"}
    if float(x.layout.pipeline) == 1:
        idle.add("next stage")
    return tuple(
        Reach(
            group=name,
            cards=round(float(one.size)),
            in_domain=round(float(min(one.local, one.size))),
            nic_share=float(one.nic / x.machine.nic) if one.size > one.local else 1.0,
            extra_latency_s=float(one.wait),
        )
        for name, one in kinds.items()
        if float(one.size) > 1 and name not in idle
    )
