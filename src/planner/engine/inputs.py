"""What every floor of the engine computes on: a plan as numbers (`planner.engine.reading` makes them).

Each field is a float (one plan) or a NumPy array (a grid of strategies, or many runs at once); arrays broadcast.
SI units throughout: FLOP/s, bytes, bytes/s, seconds. Ratios are 0..1. Flags are bool or arrays of bool.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TypeVar, get_args

from planner.engine.num import Num
from planner.spec.card import Architecture
from planner.spec.plan import Schedule, Sharding
from planner.spec.stack import AttentionKernel, CudaGraphs, KernelFusion

ARCHITECTURES: tuple[str, ...] = get_args(Architecture)
SCHEDULES: tuple[str, ...] = get_args(Schedule)
SHARDINGS: tuple[str, ...] = get_args(Sharding)
ATTENTION_KERNELS: tuple[str, ...] = get_args(AttentionKernel)
FUSIONS: tuple[str, ...] = get_args(KernelFusion)
GRAPHS: tuple[str, ...] = get_args(CudaGraphs)

HALF = 2.0
"""Bytes of a 16-bit number."""
GPIPE, ONE_F_ONE_B, INTERLEAVED, ZERO_BUBBLE, DUALPIPE = range(5)


@dataclass(frozen=True, slots=True)
class Shape:
    """The model. Widths count elements, and are 1 where no layer has them; layer counts leave MTP layers out."""

    layers: Num
    attention_layers: Num
    dense_layers: Num
    moe_layers: Num
    mamba_layers: Num
    first_dense: Num
    mtp: Num
    hidden: Num
    heads: Num
    kv_heads: Num
    qk_dim: Num
    v_dim: Num
    ffn: Num
    matrices: Num
    """Matrices of an FFN: 3 gated, 2 plain."""
    vocab: Num
    tied: Num
    parallel_block: Num
    window: Num
    windowed_share: Num
    mla: Num
    q_lora: Num
    kv_lora: Num
    qk_rope: Num
    qk_nope: Num
    experts: Num
    topk: Num
    expert_ffn: Num
    shared_ffn: Num
    mamba_inner: Num
    mamba_groups: Num
    """Groups x state: width of one of the B and C projections."""
    mamba_heads: Num
    mamba_state: Num
    attention_params: Num
    mamba_params: Num
    total_params: Num
    flops_per_token: Num
    """Model FLOPs of one token, forward and backward, causal attention counted once."""
    active_params: Num


@dataclass(frozen=True, slots=True)
class Machine:
    """One card with its share of the fabrics."""

    architecture: Num
    """Index into ARCHITECTURES."""
    peak16: Num
    peak8: Num
    peak4: Num
    peak32: Num
    """Peak of the plan's precision where it is FP32 or TF32."""
    ceiling16: Num
    """Measured matrix-product ceiling in BF16; 0: not measured."""
    ceiling8: Num
    under_load16: Num
    """A user's own sustained GEMM rate; 0: none."""
    memory_bytes: Num
    memory_bandwidth: Num
    units: Num
    """Streaming multiprocessors, compute units or cores."""
    tdp_w: Num
    measured_w: Num
    """Board power its ceilings were measured at."""
    tensor_share: Num
    """Share of its architecture's tensor cores that the card's units have."""
    matrix_unit: Num
    """Side of its systolic arrays; 0: it has none."""
    scale_up: Num
    """Bytes/s of one card and direction inside the scale-up domain."""
    scale_up_link: Num
    """Bytes/s a pair of cards gets in a mesh; equal to `scale_up` behind a switch."""
    switched: Num
    torus_axes: Num
    in_switch: Num
    domain: Num
    nic: Num
    """Bytes/s of scale-out one card gets: the node's NICs over its cards."""
    host_link: Num
    """Bytes/s between one card and the host's memory, one direction."""
    cards: Num
    cards_per_node: Num
    leaf_nodes: Num
    """Nodes that reach each other through one switch."""
    block_nodes: Num
    """Nodes that reach each other without the top tier."""
    max_hops: Num
    """Most switches a message passes."""
    hop_s: Num
    """Time through one switch, s."""
    oversubscription: Num
    """At the top tier; 7: 1:7."""
    sites: Num
    wan: Num
    """Bytes/s between sites, per site and direction."""


@dataclass(frozen=True, slots=True)
class Software:
    """The training software's facts."""

    attention_kernel: Num
    """Index into ATTENTION_KERNELS."""
    fusion: Num
    """Index into FUSIONS."""
    older_kernels: Num
    """Its best attention kernel is from before the card's architecture had that of today."""
    overlap_data: Num
    overlap_tensor: Num
    overlap_fsdp: Num
    overlap_expert: Num
    overlap_pipeline: Num
    redundant_p2p: Num
    gradient_bytes: Num
    """Bytes a gradient is reduced at."""
    gradient_held: Num
    """Bytes a gradient is kept at: also the micro-batch's own where it is added in a pass of its own."""
    gather_bytes: Num
    loss_bytes: Num
    """Bytes a logit is held at, over forward and backward."""
    entropy_bytes: Num
    """Bytes the cross entropy moves a logit, forward and backward."""
    loss_split: Num
    """The loss keeps logits split over the tensor group."""
    graphs: Num
    """Index into GRAPHS."""
    deduplicates: Num
    """The expert dispatcher sends one copy of a token to a node (DeepEP, HybridEP)."""
    fused_accumulation: Num
    gathers_in_place: Num
    xla: Num
    mature: Num
    tuned: Num
    factor: Num
    """A user's own measured factor on the step time."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Workload and strategy."""

    sequence: Num
    global_batch: Num
    eight_bit: Num
    """Linears run in FP8 (any recipe) or narrower."""
    microscaled: Num
    four_bit: Num
    full_precision: Num
    """FP32 or TF32 linears."""
    tensor: Num
    sequence_parallel: Num
    context: Num
    pipeline: Num
    chunks: Num
    """Virtual stages a pipeline rank holds."""
    expert: Num
    expert_tensor: Num
    micro_batch: Num
    schedule: Num
    """Index into SCHEDULES."""
    zero: Num
    """ZeRO stage, 0 to 3."""
    shard_group: Num
    """Cards that share one copy of sharded state."""
    full_recompute: Num
    """Share of the layers that are recomputed as a whole."""
    core_attention: Num
    mla_up: Num
    moe_activation: Num
    norm: Num
    mlp: Num
    attention: Num
    half_linears: Num
    all_but_linears: Num
    offload_optimizer: Num
    offload_activations: Num


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything one evaluation needs."""

    shape: Shape
    machine: Machine
    software: Software
    layout: Layout

    @property
    def data(self) -> Num:
        """Data-parallel degree."""
        y = self.layout
        return self.machine.cards / (y.tensor * y.context * y.pipeline)

    @property
    def micro_batches(self) -> Num:
        """Micro-batches a pipeline runs in one step."""
        return self.layout.global_batch / (self.data * self.layout.micro_batch)

    @property
    def tokens(self) -> Num:
        """Tokens of one micro-batch on one card, attention layout."""
        return self.layout.micro_batch * self.layout.sequence / self.layout.context

    @property
    def sequence_shards(self) -> Num:
        """Cards hidden states are spread over: the tensor degree with sequence parallelism, else 1."""
        return 1.0 + (self.layout.tensor - 1.0) * self.layout.sequence_parallel


Room = TypeVar("Room", Shape, Machine, Software, Layout)


def batch(rows: list[Inputs]) -> Inputs:
    """Many evaluations as one: every field an array over the rows."""
    import numpy as np  # one plan needs none

    def column(parts: list[Room]) -> Room:
        cls = type(parts[0])
        return cls(**{f.name: np.array([getattr(p, f.name) for p in parts]) for f in dataclasses.fields(cls)})

    return Inputs(
        column([r.shape for r in rows]),
        column([r.machine for r in rows]),
        column([r.software for r in rows]),
        column([r.layout for r in rows]),
    )
