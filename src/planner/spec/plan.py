"""A plan: everything needed to compute an estimate, as the user wrote it, and the same with every reference resolved.

`Plan` holds ids, inline tables and unset keys as the file has them; `Resolved` holds the objects and the defaults.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from planner.spec.base import Count, NotNegative, Positive, Share, Spec, Strings
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
Inline = dict[str, Any]
"""A table given in the plan instead of a catalogue id."""


class Cluster(Spec):
    """The machines. Keys left out follow the card's host."""

    card: str | Inline
    cards: Count
    cards_per_node: Count | None = None
    scale_up: str | Inline | None = None
    scale_up_domain: Count | None = None
    scale_out: str | Inline | None = None
    nics_per_node: Count | None = None
    topology: Topology = "fat-tree"
    oversubscription: Annotated[float, Field(ge=1)] = 1.0
    """At the top tier; 7.0 means 1:7."""
    sites: Count = 1
    wan_gb_per_s: NotNegative = 0.0
    """Between sites, per site and direction."""


class Workload(Spec):
    """What is trained."""

    model: str | Inline
    tokens: Positive
    sequence_length: Count = 4096
    global_batch: Count = 1024
    """Sequences in one optimizer step."""
    precision: Precision = "bf16"


class OverlapOverride(Spec):
    """Overlaps a plan turns on or off; what it leaves out is the stack's."""

    data: bool | None = None
    tensor: bool | None = None
    fsdp: bool | None = None
    expert: bool | None = None
    pipeline: bool | None = None


class Strategy(Spec):
    """How the run is spread over the cards. `None`: the stack's profile decides."""

    tensor: Count = 1
    sequence: bool | None = None
    """Megatron sequence parallelism over the tensor group; unset: the stack's habit where tensor > 1."""
    context: Count = 1
    pipeline: Count = 1
    virtual_stages: Count = 1
    expert: Count = 1
    expert_tensor: Count = 1
    micro_batch: Count = 1
    schedule: Schedule | None = None
    """Unset: interleaved where virtual_stages > 1, else 1f1b."""
    sharding: Sharding = "zero1"
    shard_group: Annotated[int, Field(ge=0)] = 0
    recompute: Recompute = "none"
    recompute_modules: Annotated[tuple[RecomputeModule, ...], Field(strict=False)] = ()
    recompute_layers: Annotated[int, Field(ge=0)] = 0
    offload: Offload = "none"
    overlap: OverlapOverride = OverlapOverride()
    p2p: PointToPoint | None = None
    gradient_bytes: GradientBytes | None = None
    loss: Loss | None = None
    cuda_graphs: CudaGraphs | None = None
    dispatcher: Dispatcher | None = None
    kernel_fusion: KernelFusion | None = None
    attention_kernel: AttentionKernel | None = None
    stack: str | Inline = "megatron"


class Reliability(Spec):
    """Failures and checkpoints."""

    mtbf_card_hours: Positive = 50_600.0
    """Card-hours per interruption (Llama 3: 419 in 54 days on 16,384 cards)."""
    restart_s: NotNegative = 600.0
    checkpoint_gb_per_s: Positive = 200.0
    """Write bandwidth of the whole cluster."""
    checkpoint_every_s: NotNegative = 0.0
    """0: the optimum (Young/Daly)."""


class Cost(Spec):
    """Rent by the hour, or own."""

    basis: Literal["rent", "own"] = "rent"
    usd_per_card_hour: NotNegative | None = None
    """Rent; unset: the catalogue's typical price of the card."""
    card_usd: NotNegative = 0.0
    """Own: 0 = the catalogue's price."""
    server_usd_per_card: NotNegative = 0.0
    network_usd_per_card: NotNegative = 0.0
    """0 = from the bill of materials."""
    years: Positive = 4.0
    cost_of_capital: NotNegative = 0.13
    colocation_usd_per_kw_month: NotNegative = 183.0
    """Includes power; 0: pay `usd_per_kwh` with the plan's PUE instead."""
    usd_per_kwh: NotNegative = 0.08
    staff_usd_per_card_year: NotNegative = 0.0
    utilization: Annotated[float, Field(gt=0, le=1)] = 1.0


class Power(Spec):
    """The facility."""

    pue: Annotated[float, Field(ge=1)] = 1.25
    kg_co2_per_kwh: NotNegative = 0.4


class Claim(Spec):
    """What the source says happened; 0: not stated."""

    card_hours: NotNegative = 0.0
    days: NotNegative = 0.0
    cost_usd: NotNegative = 0.0
    mfu: Share = 0.0
    tokens_per_s_per_card: NotNegative = 0.0
    source: str = ""


class Plan(Spec):
    """A plan file, `schema = 1`."""

    schema_: Annotated[int, Field(alias="schema")] = SCHEMA
    name: str = ""
    notes: str = ""
    sources: Strings = ()
    cluster: Cluster
    workload: Workload
    strategy: Strategy | None = None
    reliability: Reliability = Reliability()
    cost: Cost = Cost()
    power: Power = Power()
    claim: Claim | None = None
    estimate: Inline | None = None
    """Written by export, never read as input."""


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
    defaults: frozenset[str]
    """Dotted keys the plan left out and a default, the stack or the card's host filled."""

    @property
    def data_parallel(self) -> int:
        """Data-parallel degree: cards / (tensor x context x pipeline)."""
        s = self.strategy
        return self.plan.cluster.cards // (s.tensor * s.context * s.pipeline)

    @property
    def micro_batches(self) -> int:
        """Micro-batches each pipeline runs in one step."""
        return self.plan.workload.global_batch // (self.data_parallel * self.strategy.micro_batch)
