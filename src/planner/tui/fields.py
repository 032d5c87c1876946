"""The editable lines of the workbench, as data: key of the plan, label, kind, and how its value reads. No Textual."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from planner.engine.result import Estimate
from planner.exchange.format import short
from planner.exchange.typed import parse_number, whole
from planner.spec.card import Precision
from planner.spec.fabric import Topology
from planner.spec.plan import Offload, Recompute, RecomputeModule, RentLevel, Resolved, Schedule, Sharding
from planner.spec.stack import AttentionKernel, CudaGraphs, Dispatcher, KernelFusion, Loss, PointToPoint
from planner.tui.state import Session
from planner.tui.text import plain, typed

Catalogued = Literal["cards", "fabrics", "models", "stacks", "grids"]
Kind = Literal["number", "choice", "several", "toggle", "catalogue", "derived"]
Scalar = int | float | str | bool
Steps = Literal["one", "half", "double", "tenth", "layout"]
"""What one step does: +-1, +-0.5, x2, one in the second digit, or to the next value the layout allows."""

NAMES: Final[dict[str, str]] = {
    "fat-tree": "fat tree", "rail-optimized": "rail-optimized", "multi-plane": "multi-plane", "single-switch":
    "single switch", "1f1b": "1F1B", "gpipe": "GPipe", "zero-bubble": "zero bubble", "dualpipe": "DualPipe",
    "zero1": "ZeRO-1", "zero2": "ZeRO-2", "zero3": "ZeRO-3 / FSDP", "fp32": "FP32", "tf32": "TF32", "fp16": "FP16",
    "bf16": "BF16", "fp8": "FP8", "mxfp8": "MXFP8", "nvfp4": "NVFP4",
}  # fmt: skip
"""Values as people write them; others are shown as they are."""


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a panel.

    Attributes:
        key: dotted key of the plan.
        label: what it is called on screen.
        about: one sentence for the hint bar.
        kind: how it is edited.
        options: values of a choice; whole-number options too.
        catalogue: kind of entry a catalogue field names.
        role: for fabrics, which of the two.
        whole: a number without decimals.
        step: what a step does.
        least: smallest number a step goes to.
        unit: written behind the value.
        zero: what stands for 0, where that leaves the value to the planner.
        found: what the planner makes of 0, from which a step goes on; None: of no use to a step.
        effective: the value in force, from the resolved plan; None: the plan's own.
        note: a quiet remark behind the value.
        shown: whether the line has a meaning in this plan.
    """

    key: str
    label: str
    about: str
    kind: Kind = "number"
    options: tuple[Scalar, ...] = ()
    catalogue: Catalogued = "cards"
    role: str = ""
    whole: bool = True
    step: Steps = "one"
    least: float = 1.0
    unit: str = ""
    zero: str = ""
    found: Callable[[Estimate], float] | None = None
    effective: Callable[[Resolved], object] | None = None
    note: Callable[[Resolved], str] | None = None
    shown: Callable[[Resolved], bool] = field(default=lambda _: True)


@dataclass(frozen=True, slots=True)
class View:
    """A field as it reads now."""

    text: str
    note: str
    default: bool
    """A default, the card's host or the stack decides; the plan says nothing."""
    modified: bool
    error: str


def value_of(item: Field, session: Session) -> object:
    """The value in force: what the plan states, else the default."""
    resolved = session.resolved
    stated = session.stated(item.key)
    if item.kind == "catalogue" or stated is None:
        if resolved is None:
            return stated
        if item.effective:
            return item.effective(resolved)
        value: object = resolved.plan
        for part in item.key.split("."):
            value = getattr(resolved.strategy if value is None else value, part, None)
        return value
    return stated


def view_of(item: Field, session: Session) -> View:
    """How a field reads in the present plan."""
    draft = session.drafts.get(item.key)
    value = value_of(item, session)
    text = draft.text if draft else shown(item, value)
    note = item.note(session.resolved) if item.note and session.resolved and not draft else ""
    default = item.kind != "derived" and not draft and session.stated(item.key) is None
    return View(text, note, default, session.modified(item.key), session.error(item.key))


def shown(item: Field, value: object) -> str:
    """A value of a field as it stands on screen."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "on" if value else "off"
    if item.zero and value == 0:
        return item.zero
    if isinstance(value, int | float):
        return f"${value:,.2f}" if item.unit == "$" else plain(float(value))
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value) or "none"
    return NAMES.get(str(value), str(value))


def to_type(item: Field, session: Session) -> str:
    """The text an edit of a number starts with."""
    if draft := session.drafts.get(item.key):
        return draft.text
    value = value_of(item, session)
    return typed(float(value)) if isinstance(value, int | float) else ""


def type_into(item: Field, session: Session, text: str, token: object) -> None:
    """Take what has been typed into a number's line so far for its value; what is none stays as a draft, with why.

    Args:
        item: the line.
        session: what it stands in.
        text: what is typed.
        token: that of the edit, whose letters are one step.
    """
    try:
        value = parse_number(text)
        if item.whole and not value.is_integer():
            raise ValueError("only a whole number makes sense here")  # noqa: TRY301 - one place words it
    except ValueError as error:
        session.draft(item.key, text, str(error), token)
    else:
        session.edit(item.key, whole(value) if item.whole else value, f"{item.label} {text}", token)


def _nodes(r: Resolved) -> str:
    nodes, rest = divmod(r.plan.cluster.cards, r.cards_per_node)
    return "not whole nodes" if rest else f"{nodes:,} {'node' if nodes == 1 else 'nodes'}"


def _batch_tokens(r: Resolved) -> str:
    return f"{short(r.plan.workload.global_batch * r.plan.workload.sequence_length)} tokens"


def _micro_batches(r: Resolved) -> str:
    return f"{r.micro_batches:,} micro batches" if r.data_parallel else "too few cards"


def _has_experts(r: Resolved) -> bool:
    return r.model.moe is not None


def owned(r: Resolved) -> bool:
    """The plan owns its cards."""
    return r.plan.cost.basis == "own"


def _from_catalogue(r: Resolved) -> bool:
    return not owned(r) and "cost.usd_per_card_hour" in r.defaults


RENT_YEARS: Final = ("2023", "2024", "2025", "2026")
"""Years the catalogue has rents of."""

CLUSTER: Final = (
    Field("cluster.card", "Card", "The accelerator as bought.", "catalogue", catalogue="cards",
          effective=lambda r: r.card.name),
    Field("cluster.cards", "Cards", "Accelerators in the whole cluster.", step="layout", note=_nodes),
    Field("cluster.cards_per_node", "Per node", "Cards in one server.", effective=lambda r: r.cards_per_node),
    Field("cluster.scale_up", "Scale-up", "The fabric inside a domain of cards.", "catalogue", catalogue="fabrics",
          role="scale-up", effective=lambda r: r.scale_up.name, note=lambda r: f"{plain(r.scale_up.gb_per_s)} GB/s"),
    Field("cluster.scale_up_domain", "Domain", "Cards that share one scale-up fabric.", step="double",
          effective=lambda r: r.scale_up_domain, note=lambda _: "cards"),
    Field("cluster.scale_out", "Scale-out", "The fabric between nodes.", "catalogue", catalogue="fabrics",
          role="scale-out", effective=lambda r: r.scale_out.name,
          note=lambda r: f"{plain(r.scale_out.gb_per_s)} GB/s"),
    Field("cluster.nics_per_node", "NICs", "Scale-out ports of one node, shared by its cards.",
          effective=lambda r: r.nics_per_node, note=lambda _: "per node"),
    Field("cluster.topology", "Topology", "How the scale-out switches are wired.", "choice",
          options=get_args(Topology)),
    Field("cluster.oversubscription", "Oversubscribed", "At the top tier of switches; 7 means 1:7.", whole=False,
          step="half", note=lambda _: "to 1"),
    Field("cluster.sites", "Sites", "Places the run is spread over."),
    Field("cluster.wan_gb_per_s", "Between sites", "GB/s per site and direction.", whole=False, step="tenth", least=0,
          note=lambda _: "GB/s", shown=lambda r: r.plan.cluster.sites > 1),
    Field("cost.usd_per_card_hour", "Rent", "Price of one card for an hour.", whole=False, step="tenth", least=0,
          unit="$", effective=lambda r: r.usd_per_card_hour, note=lambda _: "per card-hour",
          shown=lambda r: not owned(r)),
    Field("cost.card_usd", "Card price", "0: the catalogue's.", whole=False, step="tenth", least=0, unit="$",
          effective=lambda r: r.card_price_usd, shown=owned),
    Field("power.pue", "PUE", "Facility power over power of the machines.", whole=False, step="tenth"),
)  # fmt: skip

WORKLOAD: Final = (
    Field("workload.model", "Model", "What is trained.", "catalogue", catalogue="models",
          effective=lambda r: r.model.name),
    Field("workload.tokens", "Tokens", "Training tokens of the whole run.", whole=False, step="tenth"),
    Field("workload.sequence_length", "Sequence", "Tokens in one sequence.", step="double", note=lambda _: "tokens"),
    Field("workload.global_batch", "Batch", "Sequences in one optimizer step.", step="layout", note=_batch_tokens),
    Field("workload.precision", "Precision", "Of the matrix products.", "choice", options=get_args(Precision)),
)  # fmt: skip

STRATEGY: Final = (
    Field("strategy.stack", "Software", "The training software whose habits apply.", "catalogue", catalogue="stacks",
          effective=lambda r: r.stack.name),
    Field("strategy.tensor", "Tensor", "Cards that share each matrix.", step="layout",
          effective=lambda r: r.strategy.tensor),
    Field("strategy.sequence", "Sequence split", "Megatron sequence parallelism over the tensor group.", "toggle",
          effective=lambda r: r.strategy.sequence),
    Field("strategy.context", "Context", "Cards that share one sequence.", step="layout"),
    Field("strategy.pipeline", "Pipeline", "Stages the layers are cut into.", step="layout"),
    Field("strategy.virtual_stages", "Chunks", "Model chunks on each pipeline stage.", step="layout",
          note=lambda _: "per stage"),
    Field("strategy.data", "Data", "Copies of the model: cards / (tensor x context x pipeline).", "derived",
          effective=lambda r: r.data_parallel, note=_micro_batches, zero="–"),
    Field("strategy.expert", "Expert", "Cards the experts are spread over.", step="layout", shown=_has_experts),
    Field("strategy.expert_tensor", "Expert tensor", "Cards that share the matrices of one expert.", step="layout",
          shown=_has_experts),
    Field("strategy.micro_batch", "Micro batch", "Sequences in one micro batch.", step="layout",
          note=lambda _: "sequences"),
    Field("strategy.schedule", "Schedule", "Order of the pipeline's work.", "choice", options=get_args(Schedule),
          effective=lambda r: r.strategy.schedule),
    Field("strategy.sharding", "Sharding", "What the data-parallel copies share out.", "choice",
          options=get_args(Sharding)),
    Field("strategy.recompute", "Recompute", "Activations computed again instead of kept.", "choice",
          options=get_args(Recompute)),
    Field("strategy.offload", "Offload", "What is kept in the host's memory.", "choice", options=get_args(Offload)),
)  # fmt: skip

OVERLAPS: Final = {"pipeline": "stages"}
"""Shorter names, where a label has no room for the key's own."""

MORE: Final = (
    Field("strategy.recompute_modules", "· modules", "What selective recomputation does again.", "several",
          options=get_args(RecomputeModule)),
    Field("strategy.recompute_layers", "· layers", "Layers a stage that full recomputation does; 0: all.", least=0,
          zero="all"),
    Field("strategy.shard_group", "Shard group", "Cards that share one copy; 0: the whole data-parallel group.",
          step="double", least=0, zero="all copies"),
    *(
        Field(f"strategy.overlap.{name}", f"Overlap {OVERLAPS.get(name, name)}",
              f"Whether {what} runs beside computation.", "toggle",
              effective=lambda r, name=name: getattr(r.stack.overlap, name))  # type: ignore[misc]
        for name, what in {
            "data": "the data-parallel exchange", "tensor": "the tensor-parallel exchange", "fsdp":
            "the gathering of sharded weights", "expert": "the expert exchange", "pipeline": "the pipeline transfer",
        }.items()
    ),
    Field("strategy.p2p", "Stage transfer", "What is sent between stages.", "choice", options=get_args(PointToPoint),
          effective=lambda r: r.stack.p2p),
    Field("strategy.gradient_bytes", "Gradient bytes", "As reduced and kept.", "choice", options=(2, 4),
          effective=lambda r: r.stack.gradient_bytes),
    Field("strategy.loss", "Loss", "How the output head is computed.", "choice", options=get_args(Loss),
          effective=lambda r: r.stack.loss),
    Field("strategy.cuda_graphs", "CUDA graphs", "Launches recorded once.", "choice", options=get_args(CudaGraphs),
          effective=lambda r: r.stack.cuda_graphs),
    Field("strategy.dispatcher", "Dispatcher", "Software of the expert all-to-all.", "choice",
          options=get_args(Dispatcher), effective=lambda r: r.stack.dispatcher),
    Field("strategy.kernel_fusion", "Fusion", "How far small kernels are fused.", "choice",
          options=get_args(KernelFusion), effective=lambda r: r.stack.kernel_fusion),
    Field("strategy.attention_kernel", "Attention", "The attention kernel.", "choice",
          options=get_args(AttentionKernel), effective=lambda r: r.stack.attention_kernel),
    Field("reliability.mtbf_card_hours", "Interruption", "Card-hours between two interruptions.", whole=False,
          step="tenth", note=lambda _: "card-hours"),
    Field("reliability.restart_s", "Restart", "Time lost at an interruption.", whole=False, step="tenth", least=0,
          note=lambda _: "s"),
    Field("reliability.checkpoint_gb_per_s", "Checkpoint", "Write bandwidth of the whole cluster.", whole=False,
          step="tenth", note=lambda _: "GB/s"),
    Field("reliability.checkpoint_every_s", "· every", "Time between two checkpoints; 0: the best.", whole=False,
          step="tenth", least=0, zero="the best", found=lambda e: e.checkpoint_every_s,
          note=lambda r: "s" if r.plan.reliability.checkpoint_every_s else ""),
    Field("cost.basis", "Cost basis", "Rent by the hour, or own.", "choice", options=("rent", "own")),
    Field("cost.rent_level", "Rent level", "Which of the catalogue's rents, where none is stated.", "choice",
          options=get_args(RentLevel), shown=_from_catalogue),
    Field("cost.rent_date", "Rents of", "The year whose rents count; Del: the newest.", "choice", options=RENT_YEARS,
          effective=lambda r: r.plan.cost.rent_date or "newest", shown=_from_catalogue),
    *(
        Field(f"cost.{name}", label, about, whole=False, step="tenth", least=0, unit=unit, zero=zero, shown=owned)
        for name, label, about, unit, zero in (
            ("server_usd_per_card", "Server", "Share of the server, per card; 0: the catalogue's.", "$",
             "the catalogue's"),
            ("network_usd_per_card", "Network", "Per card; 0: from the bill of materials.", "$", "by its parts"),
            ("years", "Years", "Over which it is written off.", "", ""),
            ("cost_of_capital", "Capital cost", "A year, as a ratio.", "", ""),
            ("colocation_usd_per_kw_month", "Colocation", "Per kW and month; 0: pay for energy instead.", "$",
             "none"),
            ("usd_per_kwh", "Energy", "Electricity, per kWh, with the PUE; where colocation is 0.", "$", ""),
            ("building_usd_per_kw", "Building", "Of one's own, per kW of critical power; 0: none.", "$", "none"),
            ("staff_usd_per_card_year", "Staff", "And maintenance, per card and year.", "$", ""),
            ("utilization", "Utilization", "Share of the time it earns its cost.", "", ""),
        )
    ),
    Field("power.grid", "Grid", "Where it stands; its carbon counts.", "catalogue", catalogue="grids",
          effective=lambda r: r.plan.power.grid or "not stated"),
    Field("power.kg_co2_per_kwh", "Carbon", "Of one kWh, where the grid's is not meant.", whole=False, step="tenth",
          least=0, effective=lambda r: r.kg_co2_per_kwh, note=lambda _: "kg CO2 per kWh"),
)  # fmt: skip
"""Rarely changed keys, shown on demand."""
