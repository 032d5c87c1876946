"""Every figure of an estimate as a formula in words: what it is made of, which constants shape it, who says so.

A need is the id of another figure, a dotted key of a plan, or a figure of what the plan names (`card.`, `scale_up.`,
`scale_out.`, `model.`, `stack.`); a name ending in a dot means every key that begins with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from planner.engine.result import COMPUTE_PARTS, MEMORY_PARTS, STEP_PARTS, Estimate
from planner.exchange.figures import COMPUTE_NAMES, STEP_NAMES
from planner.exchange.format import amount, gigabytes, megawatts, money, percent, seconds, short, significant, tonnes

BILL = "bill_of_materials"
"""The table of an estimate that is a list of parts: a figure of it is what they cost together."""
EXTRA = "extra"
"""The table of the JSON whose figures are fields of the estimate."""


@dataclass(frozen=True, slots=True)
class Formula:
    """How a figure comes about."""

    id: str
    name: str
    words: str
    show: Callable[[float], str]
    needs: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()
    """Those of the engine that can move it, in some plan, other than through the figures it needs."""
    cites: tuple[str, ...] = ()
    where: str = ""
    """Table of the JSON estimate the figure stands in, and its key there after a dot; empty: it stands in none."""

    def value(self, e: Estimate) -> float:
        """The figure in an estimate."""
        table, _, key = self.where.partition(".")
        if table == BILL:
            return sum(part.usd for part in e.bill_of_materials)
        return float(getattr(e, self.id) if table in {"", EXTRA} else getattr(e, table)[key])


def _days(value: float) -> str:
    return f"{significant(value)} days"


def _rate(value: float) -> str:
    return f"{amount(value)} a second"


def _tflops(value: float) -> str:
    return f"{significant(value)} TFLOP/s"


def _dollars(value: float) -> str:
    return f"${significant(value)}"


def _mwh(value: float) -> str:
    return f"{amount(value)} MWh"


_LAYOUT = ("strategy.tensor", "strategy.context", "strategy.pipeline", "strategy.micro_batch")
_WORK = ("workload.model", "workload.sequence_length", "workload.global_batch")
_WIDE = ("ceiling16", "gemm16", "reference_w", "power_exponent")
_NARROW = ("ceiling8", "gemm8", "microscaled", "four_bit")
_RING = ("up", "out", "latency", "ring_hop", "hop_inside")
_PASSES = ("step.compute", "step.tensor", "step.context", "step.expert")
_DALY = "Daly 2006, A higher order estimate of the optimum checkpoint interval, equations 20 and 37"

HEADLINE = (
    Formula("mfu", "MFU", "The model's own FLOPs of a step, over what the cards could do meanwhile: FLOPs / (step time "
            "x cards x dense BF16 peak). Causal attention is counted once, recomputation not at all.", percent,
            ("step_time_s", *_WORK, "cluster.cards", "card.peak_tflops.bf16"),
            cites=("PaLM, appendix B (arXiv 2204.02311)",)),
    Formula("hfu", "HFU", "MFU with recomputed work counted as well: MFU x (1 + recomputed FLOPs / model FLOPs).",
            percent, ("mfu", "strategy.recompute", "strategy.recompute_modules", "strategy.recompute_layers"),
            cites=("Korthikanti 2022 (arXiv 2205.05198)",)),
    Formula("mfu_6nd", "MFU by 6ND", "6 x active parameters without the input embedding x tokens a second, over the "
            "peak of all cards; attention is not counted.", percent,
            ("tokens_per_s", "workload.model", "cluster.cards", "card.peak_tflops.bf16"),
            cites=("Kaplan 2020 (arXiv 2001.08361)",)),
    Formula("training_days", "Training time", "Steps x step time / goodput. Steps are tokens / (batch x sequence), "
            "rounded up.", _days, ("step_time_s", "goodput", "workload.tokens", "workload.global_batch",
                                   "workload.sequence_length")),
    Formula("goodput", "Goodput", "Share of the wall time that ends up in steps that count: what checkpoints stall, "
            "and what interruptions throw back, taken off.", percent,
            ("step_time_s", "cluster.cards", "workload.model", "reliability."),
            cites=(_DALY, "Llama 3, section 3.3.4 (arXiv 2407.21783): one interruption in 50,600 card-hours")),
    Formula("card_hours", "Card-hours", "Cards x training time x 24.", short, ("cluster.cards", "training_days")),
    Formula("cost_usd", "Cost", "Card-hours x price of a card-hour.", money, ("card_hours", "usd_per_card_hour")),
    Formula("usd_per_card_hour", "Price of a card-hour", "Rented: the price in the plan, else the catalogue's. "
            "Owned: annuity of card, server, network and building, hosting or energy, and staff, over the hours used.",
            _dollars, ("cost.", "card.rental_usd_per_hour"),
            cites=("SemiAnalysis, GPU Cloud Economics Explained (2023-12)",), where="extra.usd_per_card_hour"),
    Formula("usd_per_million_tokens", "Cost of a million tokens", "Cost / tokens x 1,000,000.", _dollars,
            ("cost_usd", "workload.tokens")),
    Formula("tokens_per_s", "Tokens a second", "Batch x sequence / step time.", short,
            ("step_time_s", "workload.global_batch", "workload.sequence_length")),
    Formula("tokens_per_s_per_card", "Tokens a second and card", "Tokens a second / cards.", _rate,
            ("tokens_per_s", "cluster.cards")),
    Formula("model_tflops_per_card", "FLOP/s a card", "MFU x dense BF16 peak: the model's own work.", _tflops,
            ("mfu", "card.peak_tflops.bf16")),
    Formula("power_mw", "Power", "Average of the facility: (cards x (card + its share of the host and of storage) + "
            "switches) x PUE x load in training.", megawatts,
            ("cluster.cards", "card.tdp_w", "card.host.", "cluster.topology", "power.pue")),
    Formula("energy_mwh", "Energy", "Power x training time x 24.", _mwh, ("power_mw", "training_days")),
    Formula("co2_kg", "Carbon dioxide", "Energy x carbon of the grid.", tonnes,
            ("energy_mwh", "power.grid", "power.kg_co2_per_kwh")),
    Formula("capital_usd", "Capital", "Count x price of each part: cards, servers, network cards, switches, "
            "transceivers, cables and racks; parts without a price are left out.", money,
            ("cluster.cards", "cost.card_usd", "cost.server_usd_per_card", "cost.network_usd_per_card",
             "card.price_usd", "card.host.", "cluster.topology", "cluster.oversubscription"), where=BILL),
    Formula("it_peak_mw", "IT power at most", "Cards x (card + its share of the host and of storage) + switches, all "
            "at their rating.", megawatts, ("cluster.cards", "card.tdp_w", "card.host.", "cluster.topology"),
            where="extra.it_peak_mw"),
    Formula("steps", "Steps", "Tokens / (batch x sequence), rounded up.", amount,
            ("workload.tokens", "workload.global_batch", "workload.sequence_length"), where="extra.steps"),
    Formula("interruptions", "Interruptions", "Training time x cards / card-hours between two of them.", amount,
            ("training_days", "cluster.cards", "reliability.mtbf_card_hours"),
            cites=("Llama 3, section 3.3.4 (arXiv 2407.21783): one interruption in 50,600 card-hours",),
            where="extra.interruptions"),
    Formula("checkpoint_gb", "Checkpoint", "BF16 weights, FP32 master weights and Adam's two moments: 14 bytes a "
            "parameter; 12 where everything is FP32.", gigabytes, ("workload.model",), where="extra.checkpoint_gb"),
    Formula("checkpoint_every_s", "Checkpoint interval", "The optimum of Young and Daly for the time between two "
            "interruptions and the time one checkpoint holds training up, unless the plan states another.", seconds,
            ("reliability.checkpoint_every_s", "reliability.checkpoint_gb_per_s", "reliability.mtbf_card_hours",
             "cluster.cards", "checkpoint_gb"), cites=(_DALY,), where="extra.checkpoint_every_s"),
    Formula("spare_cards", "Spare cards", "Whole nodes, so many that repairs of a day are covered 99 % of the time "
            "(Poisson).", amount, ("cluster.cards", "cluster.cards_per_node", "reliability.mtbf_card_hours"),
            where="extra.spare_cards"),
    Formula("h100_equivalents", "H100-equivalents", "Cards x their dense 8-bit peak / 1,979; a card without 8-bit "
            "units counts at its BF16 peak.", amount, ("cluster.cards", "card.peak_tflops.fp8"),
            cites=("Epoch AI, AI chip counts",)),
)  # fmt: skip

STEP = (
    Formula("step_time_s", "Step time", "The slowest pipeline stage's computation for every micro-batch, and what "
            "does not hide behind it; the parts add up to it.", seconds,
            tuple(f"step.{part}" for part in STEP_PARTS)),
    Formula("step.compute", "· compute", "Everything the slowest stage computes in a step.", seconds,
            tuple(f"compute.{part}" for part in COMPUTE_PARTS)),
    Formula("compute.gemm", "··", "Each product takes max(math, memory) + epilogue x min(math, memory); math is 2 m n "
            "k FLOPs at the card's sustained rate, with the idle units of the last wave of tiles.", seconds,
            (*_WORK, *_LAYOUT, "strategy.expert", "workload.precision", "card.peak_tflops.bf16",
             "card.peak_tflops.fp8", "card.measured.",
             "card.memory_tb_per_s"), (*_WIDE, *_NARROW, "epilogue", "wave", "grouped", "grouped_rows", "untuned"),
            ("SimuMax and DeepGEMM tables of matrix products by shape",)),
    Formula("compute.attention", "··", "2 x tokens x heads x (key + value width) x span FLOPs forward, 2.5 times that "
            "backward, at the rate of the attention kernel; unfused kernels move the scores through memory. The "
            "products of a Mamba layer's scan count here too.", seconds,
            (*_WORK, "strategy.tensor", "strategy.context", "strategy.attention_kernel", "card.peak_tflops.bf16",
             "card.memory_tb_per_s"),
            ("attention", "attention_flash2", "attention_older", "older_ramp", "attention_early", "attention_backward",
             "early_backward", "attention_ramp", "attention_fixed", "narrow_head", "score_traffic", "hbm", *_WIDE,
             "untuned"),
            ("FlashAttention-2 (arXiv 2307.08691)", "Korthikanti 2022 (arXiv 2205.05198)")),
    Formula("compute.memory_bound", "··", "Bytes that norms, gates, residuals, casts and token permutation move, "
            "counted, times what the software's fusion leaves of them, over memory bandwidth.", seconds,
            (*_WORK, *_LAYOUT, "strategy.kernel_fusion", "card.memory_tb_per_s"),
            ("hbm", "fused", "compiled", "eager", "cast", "permute", "fused_experts", "untuned")),
    Formula("compute.logits", "··", "The output head's products in BF16, and the loss over the vocabulary, on the "
            "stage that has them.", seconds, (*_WORK, *_LAYOUT, "strategy.loss", "card.peak_tflops.bf16",
                                                 "card.measured.", "card.memory_tb_per_s"),
            (*_WIDE, "epilogue", "wave", "hbm", "untuned")),
    Formula("compute.recompute", "··", "Forward work done again in the backward pass.", seconds,
            ("strategy.recompute", "strategy.recompute_modules", "strategy.recompute_layers", "compute.gemm",
             "compute.attention", "compute.memory_bound", "compute.host"), ("host_skew", "untuned")),
    Formula("compute.host", "··", "Time the cards wait for launches, a layer and direction; eager code launches more, "
            "CUDA graphs and XLA leave less. Untuned software waits for the slowest host of a tensor group too.",
            seconds, (*_WORK, "strategy.kernel_fusion", "strategy.cuda_graphs", "strategy.pipeline", "strategy.tensor"),
            ("host_layer", "host_moe", "host_expert", "host_skew", "host_skew_queued", "graphs_partial", "graphs_full",
             "untuned")),
    Formula("step.tensor", "·", "All-gathers and reduce-scatters of activations in the tensor group: bytes over the "
            "bandwidth, and a latency a hop; the software hides a part behind the products.", seconds,
            (*_WORK, *_LAYOUT, "strategy.overlap.tensor", "strategy.loss", "scale_up.gb_per_s",
             "scale_out.gb_per_s", "cluster.scale_up_domain", "compute.gemm"),
            (*_RING, "in_switch", "contention", "untuned"),
            ("Korthikanti 2022 (arXiv 2205.05198)",)),
    Formula("step.context", "·", "Keys and values sent round the context group, less what attention hides.", seconds,
            ("strategy.context", *_WORK, "scale_up.gb_per_s", "scale_out.gb_per_s", "compute.attention"),
            (*_RING, "contention", "untuned")),
    Formula("step.expert", "·", "Tokens sent to their experts and back: all-to-all inside the domain and between "
            "domains, less what the schedule hides.", seconds,
            ("strategy.expert", "strategy.dispatcher", "strategy.overlap.expert", "strategy.schedule", *_WORK,
             "scale_up.gb_per_s", "scale_out.gb_per_s", "cluster.nics_per_node"),
            ("exchange_up", "exchange_out", "dispatch_up", "dispatch_out", "latency", "exposed_expert",
             "exposed_dualpipe", "untuned"), ("DeepEP",)),
    Formula("step.pipeline_bubble", "·", "Time the slowest stage waits for the others. 1F1B: (stages - 1) x (forward "
            "+ backward) / chunks; zero bubble and DualPipe take weight gradients off.", seconds,
            ("strategy.pipeline", "strategy.virtual_stages", "strategy.schedule", "strategy.micro_batch",
             "workload.global_batch", *_PASSES), ("untuned",),
            ("Narayanan 2021 (arXiv 2104.04473)", "Qi 2023 (arXiv 2401.10241)", "DeepSeek-V3 (arXiv 2412.19437)")),
    Formula("step.pipeline_transfer", "·", "Activations and their gradients from stage to stage.", seconds,
            ("strategy.pipeline", "strategy.virtual_stages", "strategy.p2p", "strategy.overlap.pipeline", *_WORK,
             "scale_up.gb_per_s", "scale_out.gb_per_s"), ("up", "out", "latency", "exposed_pipeline", "untuned")),
    Formula("step.data", "·", "Gradients reduced and weights gathered over the data-parallel copies, less what hides "
            "behind the passes.", seconds,
            ("strategy.sharding", "strategy.shard_group", "strategy.gradient_bytes", "strategy.overlap.data",
             "strategy.overlap.fsdp", "workload.model", "scale_up.gb_per_s", "scale_out.gb_per_s",
             "cluster.nics_per_node", "cluster.oversubscription", "cluster.sites", *_PASSES),
            (*_RING, "in_switch", "unbucketed", "parameterwise", "contention", "hbm"),
            ("Rajbhandari 2019 (arXiv 1910.02054)",)),
    Formula("step.optimizer", "·", "Adam moves 34 bytes a parameter of a card's shard, norm and zeroing 10 more; in "
            "the host's memory it moves 28 there, and gradients and weights over the link.", seconds,
            ("workload.model", "strategy.sharding", "strategy.pipeline", "strategy.tensor", "strategy.offload",
             "card.memory_tb_per_s", "card.host.link_gb_per_s"), ("optimizer", "hbm"),
            ("ZeRO-Offload (arXiv 2101.06840)",)),
    Formula("step.other", "·", "A fixed time a step, and waiting for the slowest card, which grows with each doubling "
            "of the cards.", seconds, ("cluster.cards", *(f"step.{part}" for part in STEP_PARTS if part != "other")),
            ("step_fixed", "straggler")),
)  # fmt: skip

MEMORY = (
    Formula("memory_gb", "Memory", "What the fullest pipeline stage needs on a card; the kinds add up to it.",
            gigabytes, tuple(f"memory.{part}" for part in MEMORY_PARTS)),
    Formula("memory.weights", "· weights", "2 bytes a parameter the card holds; DualPipe holds two copies; fully "
            "sharded weights are gathered when they are used.", gigabytes,
            ("workload.model", "strategy.tensor", "strategy.pipeline", "strategy.expert", "strategy.sharding",
             "strategy.schedule"), (), ("Rajbhandari 2019 (arXiv 1910.02054)",)),
    Formula("memory.gradients", "· gradients", "2 or 4 bytes a parameter, shared out by ZeRO-2 and 3.", gigabytes,
            ("workload.model", "strategy.gradient_bytes", "strategy.sharding"), (),
            ("Rajbhandari 2019 (arXiv 1910.02054)",)),
    Formula("memory.optimizer", "· optimizer", "FP32 master weights and Adam's two moments, 12 bytes a parameter, "
            "shared out by ZeRO.", gigabytes, ("workload.model", "strategy.sharding", "strategy.offload"), (),
            ("Rajbhandari 2019 (arXiv 1910.02054)",)),
    Formula("memory.activations", "· activations", "What the layers of a stage keep for the backward pass x micro-"
            "batches in flight, and logits, gathered weights or one remade layer while they are needed.", gigabytes,
            (*_WORK, *_LAYOUT, "strategy.recompute", "strategy.schedule", "strategy.kernel_fusion"), (),
            ("Korthikanti 2022 (arXiv 2205.05198)",)),
    Formula("memory.other", "· other", "CUDA context, buffers of communicators, and what fragmentation wastes.",
            gigabytes, ("memory.weights", "memory.optimizer", "memory.activations"),
            ("context_bytes", "communicator_bytes", "fragmentation")),
    Formula("memory_capacity_gb", "Memory a run can use",
            "Memory of the card x the share a run can fill. A gigabyte of a card as sold is 2^30 bytes, 1.074 GB here.",
            gigabytes, ("card.memory_gb",), ("usable",)),
)  # fmt: skip


def _placed(formula: Formula) -> Formula:
    """A part of a step or of memory, with its name and its place in the estimate."""
    kind, _, part = formula.id.partition(".")
    tables = {"step": ("step_breakdown_s", STEP_NAMES), "compute": ("compute_breakdown_s", COMPUTE_NAMES),
              "memory": ("memory_breakdown_gb", dict.fromkeys(MEMORY_PARTS, ""))}  # fmt: skip
    if not part:
        return formula
    table, names = tables[kind]
    name = formula.name if " " in formula.name else f"{formula.name} {names[part]}"
    return Formula(formula.id, name, formula.words, formula.show, formula.needs, formula.constants, formula.cites,
                   f"{table}.{part}")  # fmt: skip


FORMULAS = {formula.id: _placed(formula) for formula in (*HEADLINE, *STEP, *MEMORY)}
"""Every figure that can be explained, by id, in order; those of the estimate bear the names of its JSON."""
