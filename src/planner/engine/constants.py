"""The calibration constants as attributes. Values, priors and where each comes from stand in `calibration.toml`."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.engine.inputs import ARCHITECTURES

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Table = NDArray[float64] | tuple[float, ...]
    """One value a card architecture, indexed by its place in ARCHITECTURES."""


@dataclass(frozen=True, slots=True)
class Constants:
    """Every constant of the engine. Efficiencies and shares are ratios; times are seconds."""

    # One value a card architecture.
    ceiling16: Table
    """Matrix-product ceiling in BF16 over peak, where the card's own was not measured."""
    ceiling8: Table
    """The same in FP8."""
    gemm16: Table
    """Sustained BF16 GEMM rate in training over the measured ceiling: clocks under load."""
    gemm8: Table
    """The same in FP8, over that in BF16: the clocks are the same."""
    attention: Table
    """Fused attention forward over BF16 peak, long sequence, current kernels."""
    attention_flash2: Table
    """FlashAttention-2 relative to current kernels."""
    attention_older: Table
    """The best kernels of an architecture's first years relative to those of today."""
    attention_early: Table
    """Triton and first-generation flash kernels, forward over BF16 peak."""
    older_ramp: Table
    """Ramp of those older kernels over that of today's."""
    attention_ramp: Table
    """Sequence length, or window, at which attention reaches half of its long-sequence rate."""
    narrow_head: Table
    """Rate at head widths of 64 and less, over wider ones."""
    reference_w: Table
    """Board power the architecture's ceiling was measured at, W; 0: boards do not differ."""

    # Matrix products.
    power_exponent: float
    """How the sustained rate follows board power within an architecture."""
    microscaled: float
    """MXFP8 rate over tensor-wise FP8."""
    four_bit: float
    """NVFP4 rate over FP8, beyond what their peaks differ."""
    epilogue: float
    """Part of a GEMM's memory time that the matrix units do not hide."""
    wave: float
    """Loss in the last wave of tiles."""
    grouped: float
    """Grouped (expert) GEMM rate over dense."""
    grouped_rows: float
    """Rows an expert at which a grouped GEMM reaches half of its rate."""

    # Attention.
    attention_backward: float
    """Backward attention rate over forward."""
    early_backward: float
    """The same for early kernels."""
    attention_fixed: float
    """Fixed time of one attention kernel."""
    score_traffic: float
    """Multiplier on the counted traffic of unfused attention scores."""

    # Memory-bound work.
    hbm: float
    """Streaming bandwidth over the data sheet's."""
    fused: float
    """Multiplier on counted traffic with fused kernels."""
    compiled: float
    """The same with compiled kernels (torch.compile, XLA)."""
    eager: float
    """The same with eager kernels and fused norms."""
    cast: float
    """Multiplier on counted traffic of quantisation casts."""
    permute: float
    """Multiplier on counted traffic of token permutation."""
    fused_experts: float
    """What fused grouped-MLP stacks leave of permutation and cast traffic."""
    optimizer: float
    """Multiplier on counted optimizer traffic."""

    # Collectives.
    up: float
    """Bus bandwidth of a ring inside the scale-up domain over the data sheet's."""
    in_switch: float
    """All-reduce with in-switch reduction: bus bandwidth over the data sheet's."""
    out: float
    """Bus bandwidth between nodes over the NICs'."""
    exchange_up: float
    """All-to-all inside the domain, plain dispatcher."""
    exchange_out: float
    """All-to-all between domains, plain dispatcher."""
    dispatch_up: float
    """The same with a dispatcher that sends one copy a node."""
    dispatch_out: float
    """The same between domains."""
    latency: float
    """Unit of collective latency, s."""
    ring_hop: float
    """One hop of a ring between domains, s."""
    hop_inside: float
    """One inside a domain over that."""
    unbucketed: float
    """Efficiency of data-parallel traffic that is not overlapped, over `out`."""
    parameterwise: float
    """Efficiency of weights gathered parameter by parameter without prefetch, over `out`."""

    # What overlap leaves exposed.
    exposed_pipeline: float
    exposed_expert: float
    exposed_dualpipe: float
    """Expert exchange under DualPipe."""
    contention: float
    """Computation slowed by overlapped traffic, a share of that traffic's time."""

    # Host and fixed costs.
    host_layer: float
    """Host time of one layer and direction, s."""
    host_moe: float
    """The same of an MoE layer, s."""
    host_expert: float
    """The same of one local expert, s."""
    host_skew: float
    """Time a recomputed layer waits for the slowest host, for each doubling of its tensor group, s."""
    host_skew_queued: float
    """Share of it that a layer waits where launches are queued ahead."""
    graphs_partial: float
    """Host time left with partial CUDA graphs."""
    graphs_full: float
    """The same with full-iteration graphs."""
    step_fixed: float
    """Fixed time of one optimizer step, s."""
    straggler: float
    """Slow-down for each doubling of the cards above eight."""
    untuned: float
    """In-house software that does not overlap its gradient exchange, relative to tuned software."""

    # Memory.
    context_bytes: float
    """CUDA context, libraries and workspaces, bytes."""
    communicator_bytes: float
    """Buffers of one communicator, bytes."""
    fragmentation: float
    """Reserved over allocated memory of what comes and goes: activations, logits, what is made again."""
    usable: float
    """Share of a card's memory a run can fill before it runs out."""

    # Ranges.
    interval_scale: float
    """Multiplier that makes the 80 % ranges hold 80 % of held-out runs."""


def from_values(values: dict[str, float]) -> Constants:
    """Constants from flat names; `name.architecture` overrides `name.default` for that architecture.

    Args:
        values: constant name -> value.
    """
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(Constants):
        if field.name in values:
            fields[field.name] = values[field.name]
        else:
            default = values[f"{field.name}.default"]
            fields[field.name] = tuple(values.get(f"{field.name}.{a}", default) for a in ARCHITECTURES)
    return Constants(**fields)


@cache
def table() -> dict[str, dict[str, Any]]:
    """`calibration.toml`: constant name -> value, prior, sigma, kind, unit, source, fitted_on."""
    text = Path(__file__).with_name("calibration.toml").read_text(encoding="utf-8")
    return dict(tomllib.loads(text)["constants"])


@cache
def calibrated() -> Constants:
    """The constants in force."""
    return from_values({name: float(row["value"]) for name, row in table().items()})


def scaled(c: Constants, name: str, factor: float) -> Constants:
    """The constants with one of them times a factor, for every architecture where it has one value for each."""
    value: Table | float = getattr(c, name)
    changed: Any = value * factor if isinstance(value, float) else tuple(float(each) * factor for each in value)
    return dataclasses.replace(c, **{name: changed})
