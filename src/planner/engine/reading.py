"""Reads a resolved plan into the numbers every floor of the engine computes on."""

from __future__ import annotations

from planner.engine.flops import model_flops_per_token, recomputed_share
from planner.engine.inputs import (
    ARCHITECTURES,
    ATTENTION_KERNELS,
    FUSIONS,
    GRAPHS,
    HALF,
    SCHEDULES,
    SHARDINGS,
    Inputs,
    Layout,
    Machine,
    Shape,
    Software,
)
from planner.engine.topology import NetworkShape, network_shape
from planner.spec.card import Card
from planner.spec.model import Model
from planner.spec.plan import Resolved

GIBIBYTE = 2.0**30
"""Cards are marketed in binary gigabytes: an 80 GB card reports 81,559 to 81,920 MiB, a TPU v5p 95.74 GiB."""
PCIE_RING = 0.5
"""Share of PCIe's rate that a ring over a server's cards gets, since cards share switches and the hosts' bridges; an
assumption. The one published measurement, over several servers with one NIC each, is lower still (1.6 to 4.8 GB/s,
Fire-Flyer, arXiv 2408.14158)."""
FULL_UNIT = {"ada": 1024.0, "hopper": 4096.0}
"""BF16 FLOPs a clock of a unit with all its tensor cores. Source: NVIDIA's whitepapers on AD102 and H100."""
USUAL_LINK = 31.0
"""Link of a card to the host where nobody stated it, GB/s: PCIe 4 with 16 lanes."""
LOGIT_BYTES = {"vocab-parallel": 10.0, "gathered": 20.0, "chunked": 3.0}
"""Bytes a logit is held at: BF16, FP32 and gradient (10); gathered in plain PyTorch also the gathered copy, softmax
and FP32 gradient (20); a fused loss works in place."""
ENTROPY_BYTES = {"vocab-parallel": 52.0, "gathered": 44.0, "chunked": 8.0}
"""Bytes moved a logit, counted kernel by kernel, the casts to FP32 and back among them: Megatron-LM's
`cross_entropy.py`, PyTorch's own, and a fused loss, which reads twice and writes the gradient once."""
COMPILED_ENTROPY_BYTES = 22.0
"""The same where a compiler fuses the passes."""


def peak16(card: Card) -> float:
    """Dense peak in BF16, or in FP16 where a card has no BF16, FLOP/s."""
    return (card.peak_tflops.bf16 or card.peak_tflops.fp16) * 1e12


def tensor_share(card: Card) -> float:
    """Share of their architecture's tensor cores that a card's units have: some are sold with a half or a quarter.

    1 where it is not known; clocks that peaks are stated at differ by more than 20 % from boost clocks nowhere.
    """
    whole = card.sm_count * card.boost_clock_mhz * 1e6 * FULL_UNIT.get(card.architecture, 0.0)
    share = peak16(card) / whole if whole else 1.0
    return share if 0.0 < share < 0.8 else 1.0  # noqa: PLR2004


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


def network_of(resolved: Resolved) -> NetworkShape:
    """The scale-out network of one site of a plan."""
    cluster = resolved.plan.cluster
    nodes = -(-cluster.cards // resolved.cards_per_node)
    ports = cluster.cards if cluster.topology == "torus" else nodes * resolved.nics_per_node
    return network_shape(
        cluster.topology,
        float(-(-ports // cluster.sites)),
        resolved.network.switch_ports,
        cluster.oversubscription,
        float(resolved.nics_per_node),
    )


def machine_of(resolved: Resolved) -> Machine:
    """The cluster as numbers."""
    card: Card = resolved.card
    up = resolved.scale_up
    cluster = resolved.plan.cluster
    rate = up.gb_per_s * 1e9 * (PCIE_RING if up.kind == "pcie" else 1.0)
    network = network_of(resolved)
    return Machine(
        architecture=ARCHITECTURES.index(card.architecture),
        peak16=peak16(card),
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
        measured_w=card.measured.at_w or card.tdp_w,
        tensor_share=tensor_share(card),
        matrix_unit=float(card.matrix_unit),
        scale_up=rate,
        scale_up_link=up.link_gb_per_s * 1e9 if up.kind == "mesh" and up.link_gb_per_s else rate,
        switched=up.kind == "switch",
        torus_axes=float(up.torus_axes if up.kind == "torus" else 0),
        in_switch=up.in_switch_reduction,
        domain=float(min(resolved.scale_up_domain, cluster.cards // cluster.sites)),
        nic=max(resolved.nics_per_node * resolved.scale_out.gb_per_s / resolved.cards_per_node, 1e-3) * 1e9,
        host_link=(card.host.link_gb_per_s or USUAL_LINK) * 1e9,
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
    # FP16 needs loss scaling, and such software keeps gradients in FP16 unless told otherwise.
    fp16 = resolved.plan.workload.precision == "fp16" and not stack.fused_accumulation
    reduced = HALF if fp16 and resolved.strategy.gradient_bytes is None else float(stack.gradient_bytes)
    full_precision = resolved.plan.workload.precision in {"fp32", "tf32"}
    passes = ENTROPY_BYTES[stack.loss]
    return Software(
        attention_kernel=ATTENTION_KERNELS.index(stack.attention_kernel),
        fusion=FUSIONS.index(stack.kernel_fusion),
        older_kernels=stack.older_kernels(resolved.card.architecture),
        overlap_data=stack.overlap.data,
        overlap_tensor=stack.overlap.tensor,
        overlap_fsdp=stack.overlap.fsdp,
        overlap_expert=stack.overlap.expert,
        overlap_pipeline=stack.overlap.pipeline,
        redundant_p2p=stack.p2p == "redundant",
        gradient_bytes=reduced,
        gradient_held=reduced + (0.0 if stack.fused_accumulation or reduced == HALF else HALF),
        gather_bytes=2.0 * HALF if full_precision else float(stack.parameter_gather_bytes),
        loss_bytes=LOGIT_BYTES[stack.loss],
        entropy_bytes=min(passes, COMPILED_ENTROPY_BYTES) if stack.kernel_fusion == "compiled" else passes,
        loss_split=stack.loss != "gathered",
        graphs=GRAPHS.index(stack.cuda_graphs),
        deduplicates=stack.dispatcher != "alltoall",
        fused_accumulation=stack.fused_accumulation,
        gathers_in_place=stack.gathers_in_place,
        xla=stack.xla,
        mature=stack.mature,
        tuned=stack.tuned,
        factor=stack.factor.step_time,
    )


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
