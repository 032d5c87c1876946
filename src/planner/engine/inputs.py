"""A resolved plan as numbers: what every floor of the engine computes on.

Each field is a float (one plan) or a NumPy array (a grid of strategies, or many runs at once); arrays broadcast.
SI units throughout: FLOP/s, bytes, bytes/s, seconds. Ratios are 0..1. Flags are bool or arrays of bool.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TypeVar, get_args

import numpy as np

from planner.engine.flops import model_flops_per_token
from planner.engine.num import Num
from planner.engine.topology import network_shape
from planner.spec.card import Architecture, Card
from planner.spec.model import Model
from planner.spec.plan import Resolved, Schedule, Sharding
from planner.spec.stack import AttentionKernel, CudaGraphs, KernelFusion

ARCHITECTURES: tuple[str, ...] = get_args(Architecture)
SCHEDULES: tuple[str, ...] = get_args(Schedule)
SHARDINGS: tuple[str, ...] = get_args(Sharding)
ATTENTION_KERNELS: tuple[str, ...] = get_args(AttentionKernel)
FUSIONS: tuple[str, ...] = get_args(KernelFusion)
GRAPHS: tuple[str, ...] = get_args(CudaGraphs)

GIBIBYTE = 2.0**30
"""Cards are marketed in binary gigabytes: an 80 GB card reports 81,559 to 81,920 MiB, a TPU v5p 95.74 GiB."""

HALF = 2.0
"""Bytes of a 16-bit number."""
LOGIT_BYTES = {"vocab-parallel": 10.0, "gathered": 20.0, "chunked": 3.0}
"""Bytes a logit is held at: BF16, FP32 and gradient (10); gathered in plain PyTorch also the gathered copy, softmax
and FP32 gradient (20); a fused loss works in place."""
ENTROPY_BYTES = {"vocab-parallel": 22.0, "gathered": 30.0, "chunked": 8.0}
"""Bytes moved a logit: BF16 and FP32 passes; a fused loss reads twice and writes the gradient once."""

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
    xla: Num
    mature: Num
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


def shape_of(model: Model, sequence: int) -> Shape:
    """The model as numbers."""
    mla, moe, hybrid = model.mla, model.moe, model.hybrid
    return Shape(
        layers=float(model.layers),
        attention_layers=float(model.attention_layers),
        dense_layers=float(model.dense_layers),
        moe_layers=float(model.moe_layers),
        mamba_layers=float(model.mamba_layers),
        first_dense=float(moe.first_k_dense if moe else 0),
        mtp=float(model.mtp_depth),
        hidden=float(model.hidden),
        heads=float(model.heads),
        kv_heads=float(model.kv_heads),
        qk_dim=float(model.qk_dim),
        v_dim=float(model.v_dim),
        ffn=float(model.ffn_hidden if model.dense_layers else 1),
        matrices=float(model.ffn_matrices),
        vocab=float(model.vocab),
        tied=float(model.tied),
        parallel_block=model.parallel_block,
        window=float(model.window),
        windowed_share=model.windowed_share,
        mla=mla is not None,
        q_lora=float(mla.q_lora if mla else 0),
        kv_lora=float(mla.kv_lora if mla else 0),
        qk_rope=float(mla.qk_rope if mla else 0),
        qk_nope=float(mla.qk_nope if mla else 0),
        experts=float(moe.experts if moe else 1),
        topk=float(moe.topk if moe else 1),
        expert_ffn=float(moe.expert_ffn if moe else 1),
        shared_ffn=float(moe.shared_width if moe else 0),
        mamba_inner=float(hybrid.mamba_heads * hybrid.mamba_head_dim if hybrid else 0),
        mamba_groups=float(hybrid.mamba_groups * hybrid.mamba_state if hybrid else 0),
        mamba_heads=float(hybrid.mamba_heads if hybrid else 0),
        mamba_state=float(hybrid.mamba_state if hybrid else 0),
        attention_params=float(model.attention_params),
        mamba_params=float(model.mamba_params),
        total_params=float(model.total_params),
        flops_per_token=model_flops_per_token(model, sequence),
        active_params=float(model.active_params),
    )


def machine_of(resolved: Resolved) -> Machine:
    """The cluster as numbers."""
    card: Card = resolved.card
    up = resolved.scale_up
    cluster = resolved.plan.cluster
    rate = up.gb_per_s * 1e9
    nodes = -(-cluster.cards // resolved.cards_per_node)
    network = network_shape(
        cluster.topology,
        float(cluster.cards if cluster.topology == "torus" else nodes * resolved.nics_per_node) / cluster.sites,
        resolved.network.switch_ports,
        cluster.oversubscription,
        float(resolved.nics_per_node),
    )
    return Machine(
        architecture=ARCHITECTURES.index(card.architecture),
        peak16=(card.peak_tflops.bf16 or card.peak_tflops.fp16) * 1e12,
        peak8=card.peak_tflops.fp8 * 1e12,
        peak4=card.peak_tflops.fp4 * 1e12,
        peak32=card.peak("tf32" if resolved.plan.workload.precision == "tf32" else "fp32") * 1e12,
        ceiling16=card.measured.bf16_tflops * 1e12,
        ceiling8=card.measured.fp8_tflops * 1e12,
        under_load16=card.measured.gemm_under_load_tflops * 1e12,
        memory_bytes=card.memory_gb * GIBIBYTE,
        memory_bandwidth=card.memory_tb_per_s * 1e12,
        units=float(card.sm_count or 100),
        tdp_w=card.tdp_w,
        scale_up=rate,
        scale_up_link=up.link_gb_per_s * 1e9 if up.kind == "mesh" and up.link_gb_per_s else rate,
        switched=up.kind == "switch",
        torus_axes=float(up.torus_axes if up.kind == "torus" else 0),
        in_switch=up.in_switch_reduction,
        domain=float(min(resolved.scale_up_domain, cluster.cards)),
        nic=max(resolved.nics_per_node * resolved.scale_out.gb_per_s / resolved.cards_per_node, 1e-3) * 1e9,
        cards=float(cluster.cards),
        cards_per_node=float(resolved.cards_per_node),
        leaf_nodes=float(network.leaf_nodes),
        block_nodes=float(network.block_nodes),
        max_hops=float(network.max_hops),
        hop_s=resolved.network.hop_s,
        oversubscription=cluster.oversubscription,
        sites=float(cluster.sites),
        wan=max(cluster.wan_gb_per_s, 1e-6) * 1e9,
    )


def software_of(resolved: Resolved) -> Software:
    """The stack as numbers."""
    stack = resolved.stack
    # FP16 needs loss scaling, and such software keeps gradients in FP16.
    fp16 = resolved.plan.workload.precision == "fp16" and not stack.fused_accumulation
    reduced = HALF if fp16 else float(stack.gradient_bytes)
    return Software(
        attention_kernel=ATTENTION_KERNELS.index(stack.attention_kernel),
        fusion=FUSIONS.index(stack.kernel_fusion),
        overlap_data=stack.overlap.data,
        overlap_tensor=stack.overlap.tensor,
        overlap_fsdp=stack.overlap.fsdp,
        overlap_expert=stack.overlap.expert,
        overlap_pipeline=stack.overlap.pipeline,
        redundant_p2p=stack.p2p == "redundant",
        gradient_bytes=reduced,
        gradient_held=reduced + (0.0 if stack.fused_accumulation or reduced == HALF else HALF),
        gather_bytes=stack.parameter_gather_bytes,
        loss_bytes=LOGIT_BYTES[stack.loss],
        entropy_bytes=ENTROPY_BYTES[stack.loss],
        loss_split=stack.loss != "gathered",
        graphs=GRAPHS.index(stack.cuda_graphs),
        deduplicates=stack.dispatcher != "alltoall",
        fused_accumulation=stack.fused_accumulation,
        xla=stack.xla,
        mature=stack.mature,
        factor=stack.factor.step_time,
    )


def recomputed_share(recompute_layers: int, layers: int, pipeline: int) -> float:
    """Share of a stage's layers that full recomputation covers; 0 layers mean all."""
    return min(1.0, recompute_layers / -(-layers // pipeline)) if recompute_layers else 1.0


def layout_of(resolved: Resolved) -> Layout:
    """Workload and strategy as numbers."""
    work, y = resolved.plan.workload, resolved.strategy
    replicas = resolved.plan.cluster.cards // (y.tensor * y.pipeline)
    modules = set(y.recompute_modules or ("core_attention",)) if y.recompute == "selective" else set()
    full = y.recompute == "full"
    return Layout(
        sequence=float(work.sequence_length),
        global_batch=float(work.global_batch),
        eight_bit=work.precision in ("fp8", "mxfp8", "nvfp4"),
        microscaled=work.precision == "mxfp8",
        four_bit=work.precision == "nvfp4",
        full_precision=work.precision in ("fp32", "tf32"),
        tensor=float(y.tensor),
        sequence_parallel=float(bool(y.sequence)),
        context=float(y.context),
        pipeline=float(y.pipeline),
        chunks=float(y.virtual_stages),
        expert=float(y.expert),
        expert_tensor=float(y.expert_tensor),
        micro_batch=float(y.micro_batch),
        schedule=SCHEDULES.index(y.schedule or "1f1b"),
        zero=float(SHARDINGS.index(y.sharding)),
        shard_group=float(y.shard_group or replicas),
        full_recompute=recomputed_share(y.recompute_layers, resolved.model.layers, y.pipeline) if full else 0.0,
        core_attention=float("core_attention" in modules),
        mla_up=float("mla_up" in modules),
        moe_activation=float("moe_activation" in modules),
        norm=float("norm" in modules),
        mlp=float("mlp" in modules),
        attention=float("attention" in modules),
        half_linears=float("half_linears" in modules),
        all_but_linears=float("all_but_linears" in modules),
        offload_optimizer=y.offload == "optimizer",
        offload_activations=y.offload == "activations",
    )


def inputs_of(resolved: Resolved) -> Inputs:
    """A resolved plan as numbers."""
    return Inputs(
        shape_of(resolved.model, resolved.plan.workload.sequence_length),
        machine_of(resolved),
        software_of(resolved),
        layout_of(resolved),
    )


Room = TypeVar("Room", Shape, Machine, Software, Layout)


def batch(rows: list[Inputs]) -> Inputs:
    """Many evaluations as one: every field an array over the rows."""

    def column(parts: list[Room]) -> Room:
        cls = type(parts[0])
        return cls(**{f.name: np.array([getattr(p, f.name) for p in parts]) for f in dataclasses.fields(cls)})

    return Inputs(
        column([r.shape for r in rows]),
        column([r.machine for r in rows]),
        column([r.software for r in rows]),
        column([r.layout for r in rows]),
    )
