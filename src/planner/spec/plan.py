"""A plan: everything needed to compute an estimate, as the user wrote it, and the same with every reference resolved.

`Plan` holds ids, inline tables and unset keys as the file has them; `Resolved` holds the objects and the defaults.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field

from planner.spec.base import Count, Form, NotNegative, Positive, Share, Spec, Strings
from planner.spec.card import Card, Precision
from planner.spec.fabric import ScaleOut, ScaleUp, Topology
from planner.spec.model import Model
from planner.spec.network import NetworkParts
from planner.spec.stack import (
    AttentionKernel,
    CudaGraphs,
    Dispatcher,
    GradientBytes,
    KernelFusion,
    Loss,
    PointToPoint,
    Stack,
)

SCHEMA = 1

Schedule = Literal["gpipe", "1f1b", "interleaved", "zero-bubble", "dualpipe"]
Sharding = Literal["none", "zero1", "zero2", "zero3"]
Recompute = Literal["none", "selective", "full"]
RecomputeModule = Literal[
    "core_attention", "mla_up", "moe_activation", "norm", "mlp", "attention", "half_linears", "all_but_linears"
]
Offload = Literal["none", "optimizer", "activations"]
RentLevel = Literal["low", "typical", "high"]
Inline = dict[str, Any]
"""A table given in the plan instead of a catalogue id."""


class Cluster(Spec):
    """The machines. Keys left out follow the card's host."""

    card: str | Inline
    """Catalogue id of the card, or a table with a `base` and the keys that differ."""
    cards: Count
    """Cards of the whole cluster."""
    cards_per_node: Count | None = None
    """Cards in one server; unset: the card's host."""
    scale_up: str | Inline | None = None
    """Fabric cards of one domain share: a catalogue id or a table; unset: the card's."""
    scale_up_domain: Count | None = None
    """Cards that share the scale-up fabric; unset: as the fabric is sold."""
    scale_out: str | Inline | None = None
    """Fabric between nodes: a catalogue id, or a table {name, gb_per_s} per NIC and direction; unset: the card's."""
    nics_per_node: Count | None = None
    """Scale-out ports of one node, shared by its cards; unset: the fabric's or the card's host."""
    topology: Topology = "fat-tree"
    """How the scale-out switches are joined."""
    oversubscription: Annotated[float, Field(ge=1)] = 1.0
    """At the top tier; 7.0 means 1:7."""
    sites: Count = 1
    """Places the cluster stands at; only data parallelism crosses between them."""
    wan_gb_per_s: NotNegative = 0.0
    """Between sites, per site and direction, GB/s; needed when sites > 1."""


class Workload(Spec):
    """What is trained."""

    model: str | Inline
    """Catalogue id of the model, or a table: a `base` and the keys that differ, or all keys of a model."""
    tokens: Positive
    """Tokens of the whole run."""
    sequence_length: Count = 4096
    """Tokens in one sequence."""
    global_batch: Count = 1024
    """Sequences in one optimizer step."""
    precision: Precision = "bf16"
    """What the matrix products compute in."""


class OverlapOverride(Spec):
    """Overlaps a plan turns on or off; what it leaves out is the stack's."""

    data: bool | None = None
    """Gradient reduction and weight gathering of data parallelism, beside the backward and forward pass."""
    tensor: bool | None = None
    """Tensor-parallel collectives, beside the matrix products they belong to."""
    fsdp: bool | None = None
    """Gathers and scatters of fully sharded weights, beside the layers before and after."""
    expert: bool | None = None
    """The exchange of tokens between experts, beside computation."""
    pipeline: bool | None = None
    """Transfers between pipeline stages, beside computation."""


class Strategy(Spec):
    """How the run is spread over the cards. `None`: the stack's profile decides."""

    tensor: Count = 1
    """Tensor-parallel degree: cards that split every layer."""
    sequence: bool | None = None
    """Megatron sequence parallelism over the tensor group; unset: the stack's habit where tensor > 1."""
    context: Count = 1
    """Context-parallel degree: cards that split every sequence."""
    pipeline: Count = 1
    """Pipeline-parallel degree: stages of layers."""
    virtual_stages: Count = 1
    """Model chunks in each pipeline stage."""
    expert: Count = 1
    """Expert-parallel degree: cards the experts of a layer are dealt to."""
    expert_tensor: Count = 1
    """Cards that split each expert."""
    micro_batch: Count = 1
    """Sequences of one forward and backward pass on one data-parallel rank."""
    schedule: Schedule | None = None
    """Unset: interleaved where virtual_stages > 1, else 1f1b."""
    sharding: Sharding = "zero1"
    """What data-parallel ranks share out: optimizer (zero1), gradients too (zero2), weights too (zero3, FSDP)."""
    shard_group: Annotated[int, Field(ge=0)] = 0
    """Hybrid sharding: ranks that share one copy; 0: the whole data-parallel group."""
    recompute: Recompute = "none"
    """Activations computed again in the backward pass instead of kept."""
    recompute_modules: Annotated[tuple[RecomputeModule, ...], Field(strict=False)] = ()
    """With recompute = "selective": which; empty: core_attention."""
    recompute_layers: Annotated[int, Field(ge=0)] = 0
    """With recompute = "full": how many layers of each stage; 0: all."""
    offload: Offload = "none"
    """What is kept in the host's memory."""
    overlap: OverlapOverride = OverlapOverride()
    """Which communication runs beside computation; unset ones: the stack's."""
    p2p: PointToPoint | None = None
    """Between stages: each tensor rank sends its share (scatter-gather), or all of it (redundant)."""
    gradient_bytes: GradientBytes | None = None
    """Bytes of a gradient, as reduced and kept."""
    loss: Loss | None = None
    """How logits and loss are computed over the tensor group."""
    cuda_graphs: CudaGraphs | None = None
    """Launches recorded once and replayed: less host work."""
    dispatcher: Dispatcher | None = None
    """What carries tokens to experts and back."""
    kernel_fusion: KernelFusion | None = None
    """How memory-bound operations are fused."""
    attention_kernel: AttentionKernel | None = None
    """Kernel of the attention core; flash is the current best for the card."""
    stack: str | Inline = "megatron"
    """The software that runs it: a catalogue id, or a table; a plan's own keys override its facts."""


class Reliability(Spec):
    """Failures and checkpoints."""

    mtbf_card_hours: Positive = 50_600.0
    """Card-hours per interruption (Llama 3: 419 in 54 days on 16,384 cards)."""
    restart_s: NotNegative = 600.0
    """From an interruption to training again, s."""
    checkpoint_gb_per_s: Positive = 200.0
    """Write bandwidth of the whole cluster, GB/s."""
    checkpoint_every_s: NotNegative = 0.0
    """0: the optimum (Young/Daly)."""


class Cost(Spec):
    """Rent by the hour, or own."""

    basis: Literal["rent", "own"] = "rent"
    """Pay by the hour, or buy and run."""
    usd_per_card_hour: NotNegative | None = None
    """Rent; unset: the catalogue's price of the card, by `rent_level` and `rent_date`."""
    rent_level: RentLevel = "typical"
    """Which of the catalogue's rents of that time: the lowest, the median, or the highest."""
    rent_date: Annotated[
        str, Field(pattern=r"^(\d{4}(-(0[1-9]|1[0-2]))?)?$"), Form('a year ("2024"), a month ("2024-06") or empty')
    ] = ""
    """Year (2024) or month (2024-06) whose rents count; empty: the newest."""
    card_usd: NotNegative = 0.0
    """Own: 0 = the catalogue's price."""
    server_usd_per_card: NotNegative = 0.0
    """Own: server around the cards; 0 = the catalogue's."""
    network_usd_per_card: NotNegative = 0.0
    """Own: NICs, switches, transceivers and cables; 0 = from the bill of materials."""
    years: Positive = 4.0
    """Depreciation period."""
    cost_of_capital: NotNegative = 0.13
    """A year, as a ratio."""
    colocation_usd_per_kw_month: NotNegative = 183.0
    """Includes power; 0: pay `usd_per_kwh` with the plan's PUE instead."""
    usd_per_kwh: NotNegative = 0.08
    """Own: electricity, where it is not in the colocation."""
    building_usd_per_kw: NotNegative = 0.0
    """Own: a building of one's own, per kW of critical power, paid back over 15 years; 0 = none (colocation)."""
    staff_usd_per_card_year: NotNegative = 0.0
    """Own: staff and maintenance, a card and year."""
    utilization: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of its life a card is in use."""


class Power(Spec):
    """The facility."""

    pue: Annotated[float, Field(ge=1)] = 1.25
    """Power usage effectiveness: power of the facility over that of its computers."""
    grid: str = ""
    """Where it stands: a region of `planner catalog grids`, whose carbon counts; empty: not stated."""
    kg_co2_per_kwh: NotNegative | None = None
    """Carbon dioxide of one kWh, kg; unset: the grid's, or 0.4 where none is named."""


class Claim(Spec):
    """What the source says happened; 0: not stated."""

    card_hours: NotNegative = 0.0
    """Card-hours of the run."""
    days: NotNegative = 0.0
    """Length of the run."""
    cost_usd: NotNegative = 0.0
    """Cost of the run."""
    mfu: Share = 0.0
    """Model FLOP/s over the peak, as the source counts it; a ratio."""
    tokens_per_s_per_card: NotNegative = 0.0
    """Throughput of one card."""
    source: str = ""
    """Where it says so."""


SEARCHED = (
    "tensor", "sequence", "context", "pipeline", "virtual_stages", "expert", "expert_tensor", "micro_batch", "schedule",
    "sharding", "shard_group", "recompute", "recompute_modules", "recompute_layers",
)  # fmt: skip
"""Keys of a strategy that a search decides; the others stay the user's."""

ALWAYS = ("tensor", "pipeline", "micro_batch", "sharding", "recompute")
"""Keys written even where they are the default: they are what a reader of a plan looks for."""


class Plan(Spec):
    """A plan file, `schema = 1`."""

    schema_: Annotated[int, Field(alias="schema")] = SCHEMA
    """Version of the file's format."""
    name: str = ""
    """What the plan is called."""
    notes: str = ""
    """What a reader should know and no key says."""
    sources: Strings = ()
    """Where the plan was read."""
    cluster: Cluster
    workload: Workload
    strategy: Strategy | None = None
    """Left out: the planner picks the best that fits."""
    reliability: Reliability = Reliability()
    cost: Cost = Cost()
    power: Power = Power()
    claim: Claim | None = None
    estimate: Inline | None = None
    """Written by export, never read as input."""

    @property
    def searchable(self) -> Plan:
        """The plan as a search takes it: one that has no strategy gets the default one, which the search replaces."""
        return self if self.strategy is not None else self.model_copy(update={"strategy": Strategy()})

    def with_strategy(self, chosen: Strategy) -> Plan:
        """The plan with what a search decided, written as a person would: without the keys that are defaults."""
        before = self.strategy or Strategy()
        keys: dict[str, Any] = {k: getattr(before, k) for k in before.model_fields_set if k not in SEARCHED}
        plain = Strategy()
        for name in SEARCHED:
            value = getattr(chosen, name)
            if name in ALWAYS or value != getattr(plain, name):
                keys[name] = value
        if chosen.tensor == 1:
            keys.pop("sequence", None)
        if chosen.pipeline == 1 and chosen.schedule == "1f1b":
            keys.pop("schedule", None)
        ordered = {name: keys[name] for name in Strategy.model_fields if name in keys}
        return self.model_copy(update={"strategy": Strategy(**ordered)})


@dataclass(frozen=True)
class Resolved:
    """A plan whose references are objects and whose defaults are filled in. What the engine takes."""

    plan: Plan
    card: Card
    scale_up: ScaleUp
    scale_out: ScaleOut
    model: Model
    stack: Stack
    """The named profile with the plan's own overrides applied."""
    strategy: Strategy
    """The plan's strategy with `sequence` and `schedule` decided."""
    cards_per_node: int
    nics_per_node: int
    scale_up_domain: int
    network: NetworkParts
    """Switches, transceivers and the rest the scale-out fabric is built from."""
    usd_per_card_hour: float
    """Rent of one card, from the plan or the catalogue; 0: unknown."""
    card_price_usd: float
    """Price of one card, from the plan or the catalogue; 0: unknown."""
    kg_co2_per_kwh: float
    """Carbon dioxide of one kWh, from the plan or its grid, kg."""
    defaults: frozenset[str]
    """Dotted keys the plan left out and a default, the stack or the card's host filled."""
    usual_usd_per_card_hour: float = 0.0
    """What the card rents for elsewhere, where the plan states a rent of its own; 0: it does not, or unknown."""

    rent_years: tuple[str, ...] = ()
    """Years the catalogue has rents of the card of, where it has none of the plan's `rent_date`."""

    def with_strategy(self, chosen: Strategy) -> Resolved:
        """The plan with a strategy a search found on it, which keeps the software's facts."""
        return replace(self, plan=self.plan.with_strategy(chosen), strategy=chosen)

    @property
    def title(self) -> str:
        """What the plan is called: its name, or what it trains on what."""
        return self.plan.name or f"{self.model.name} on {self.card.name}"

    @property
    def priced(self) -> bool:
        """What a card-hour costs is known: stated, be it as 0, or in the catalogue; owning adds up what is known."""
        cost = self.plan.cost
        return cost.basis == "own" or cost.usd_per_card_hour is not None or self.usd_per_card_hour > 0

    @property
    def data_parallel(self) -> int:
        """Data-parallel degree: cards / (tensor x context x pipeline)."""
        s = self.strategy
        return self.plan.cluster.cards // (s.tensor * s.context * s.pipeline)

    @property
    def micro_batches(self) -> int:
        """Micro-batches each pipeline runs in one step."""
        return self.plan.workload.global_batch // (self.data_parallel * self.strategy.micro_batch)
