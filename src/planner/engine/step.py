"""One optimizer step: compute, exposed communication, pipeline, gradient exchange, optimizer, and what overlaps."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from planner.engine import collectives, offload
from planner.engine.constants import Constants
from planner.engine.cost import Block
from planner.engine.inputs import DUALPIPE, Inputs
from planner.engine.kernels import stream, wide_bytes
from planner.engine.layers import Layers, layers
from planner.engine.layout import Groups, groups
from planner.engine.memory import Parameters, most_parameters
from planner.engine.num import Num, any_of, log2, logical_not, maximum, minimum, where
from planner.engine.schedule import Split, bubble, split

PARAMETER_MESSAGES = 4.0
"""Collectives a layer where weights or gradients travel parameter by parameter (QKV, output, two FFN matrices) instead
of in flat buffers."""


@dataclass(frozen=True, slots=True)
class Step:
    """Seconds of one optimizer step by part; floats or arrays. The parts add up to `total`."""

    gemm: Num
    attention: Num
    memory_bound: Num
    logits: Num
    recompute: Num
    host: Num
    tensor: Num
    context: Num
    expert: Num
    pipeline_bubble: Num
    pipeline_transfer: Num
    data: Num
    optimizer: Num
    other: Num

    @property
    def compute(self) -> Num:
        """Everything the card computes, s."""
        return self.gemm + self.attention + self.logits + self.recompute + self.host + self.memory_bound

    @property
    def total(self) -> Num:
        """The step, s."""
        moved = self.tensor + self.context + self.expert + self.pipeline_bubble + self.pipeline_transfer + self.data
        return self.compute + moved + self.optimizer + self.other

    def times(self, factor: Num) -> Step:
        """Every part of the step `factor` times as long."""
        return Step(*(getattr(self, name) * factor for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Pace:
    """The stage that sets the pace, for one micro-batch."""

    layers: Num
    """Layers it computes."""
    head: Num
    """Share of the output head it carries."""
    embedding: Num
    seconds: Num


def pace(all_layers: Layers, parts: Split, x: Inputs, wait: Num = 0.0) -> Pace:
    """The slowest stage: a full one, or the last one with the head. DualPipe pairs first and last stage on one card.

    Args:
        all_layers: the model's layers and ends.
        parts: how many of them each stage has.
        x: the plan.
        wait: exposed seconds of a transfer between stages, of which the last one has one fewer (see `transfers`); so
            has the first, of two.
    """
    one_layer = all_layers.block.total / (x.shape.layers + x.shape.mtp)
    full = parts.full * one_layer
    head, embedding = all_layers.head.total, all_layers.embedding.total
    last = parts.last * one_layer + head
    single = x.layout.pipeline == 1.0
    both = 0.5 * (parts.first + parts.last) * one_layer + 0.5 * (head + embedding)
    paired = x.layout.schedule == DUALPIPE
    end = where(paired, both, last)
    alike = where(paired, True, x.layout.pipeline == 2.0)  # noqa: PLR2004
    end_sets = where(single, True, end > full + where(alike, 0.0, wait))
    end_layers = where(paired, 0.5 * (parts.first + parts.last), parts.last)
    share = where(single, 1.0, where(paired, 0.5, 1.0))
    return Pace(
        layers=where(end_sets, end_layers, parts.full),
        head=where(end_sets, share, 0.0),
        embedding=where(single, 1.0, where(paired, where(end_sets, 0.5, 0.0), 0.0)),
        seconds=where(single, end + embedding, maximum(full, end)),
    )


def transfer(x: Inputs, g: Groups, c: Constants) -> Num:
    """Seconds of one transfer between two stages: a micro-batch's activations, or their gradients.

    Where a domain holds several stages but not all, the mean of one inside and one across: the stage that sets the pace
    exchanges with one neighbour, then with the other (Megatron-LM `p2p_communication.py`).
    """
    y = x.layout
    sent = x.tokens * x.shape.hidden * wide_bytes(y) / where(x.software.redundant_p2p, 1.0, y.tensor)
    both: Num = 0.0
    for pair in (g.stage, g.far_stage):
        rate = where(pair.local >= pair.size, c.up * collectives.link_rate(x.machine), c.out * pair.nic)
        both = both + sent / rate + c.latency + pair.wait
    return where(y.pipeline > 1.0, 0.5 * both, 0.0)


def exposed_transfer(one: Num, x: Inputs, c: Constants) -> Num:
    """Seconds of a transfer that the schedule does not hide."""
    return one * where(x.software.overlap_pipeline, where(x.layout.chunks > 1.0, c.exposed_pipeline, 1.0), 1.0)


def transfers(slowest: Pace, one: Num, wait: Num, x: Inputs) -> Num:
    """Exposed seconds of a step's transfers between stages.

    The pace-setting stage waits once a chunk and direction, sending to one neighbour while it receives from the other;
    at the end of the pipeline the backward pass follows the forward pass with nothing between. Filling and draining
    pass every boundary once each.

    Args:
        slowest: the stage that sets the pace.
        one: seconds of a transfer.
        wait: of which exposed while the pipeline is full.
        x: the plan.
    """
    y, p = x.layout, x.layout.pipeline
    end = where(y.schedule == DUALPIPE, False, where(slowest.head > 0, True, p == 2.0))  # noqa: PLR2004
    return x.micro_batches * (2.0 * y.chunks - where(end, 1.0, 0.0)) * wait + 2.0 * (p - 1.0) * one


def gradient_exchange(held: Parameters, x: Inputs, g: Groups, c: Constants) -> tuple[Num, Num]:
    """Seconds to reduce a stage's gradients and to gather its updated weights, once a step.

    An all-reduce is a reduction and a gather. Software that does not overlap the exchange does not scatter it either:
    it all-reduces whole gradients, one by one, and then gathers weights, in flat buffers, where their optimizer is
    sharded. The two cards that hold a tied table add up its gradients, but for DualPipe, whose cards hold both ends.
    """
    y, overlaps = x.layout, x.software.overlap_data
    more = PARAMETER_MESSAGES * maximum(held.layers, 1.0) - 1.0
    reduce = gather = 0.0
    for count, one in ((held.dense, g.gradient), (held.expert, g.expert_gradient)):
        wide = where(one.size > 1.0, where(count > 0, 1.0, 0.0), 0.0)
        gradients = wide * collectives.gather(count * x.software.gradient_bytes, one, x.machine, c)
        weights = wide * collectives.gather(count * x.software.gather_bytes, one, x.machine, c)
        whole = collectives.all_reduce(count * x.software.gradient_bytes, one, x.machine, c)
        reduce = reduce + where(overlaps, gradients, wide * (whole + more * collectives.all_reduce_latency(one, c)))
        gather = gather + where(y.zero >= 1.0, weights, where(overlaps, gradients, 0.0))
    table = collectives.all_reduce(
        x.shape.vocab * x.shape.hidden / y.tensor * x.software.gradient_bytes, g.ends, x.machine, c
    )
    apart = where(y.pipeline > 1.0, where(y.schedule == DUALPIPE, 0.0, x.shape.tied), 0.0)
    return reduce + apart * table, gather


def between_sites(x: Inputs) -> Num:
    """Seconds of the gradient exchange over the wide-area link: the site's whole gradient, both ways, over its link."""
    sites = x.machine.sites
    whole = x.shape.total_params * x.software.gradient_bytes
    return where(sites > 1.0, 2.0 * whole * (sites - 1.0) / sites / x.machine.wan, 0.0)


def data_parallel(held: Parameters, stage: tuple[Num, Num], x: Inputs, g: Groups, c: Constants) -> Num:
    """Exposed data-parallel seconds of a step without sharded weights.

    Args:
        held: parameters of the stage.
        stage: forward and backward seconds of one micro-batch on it.
        x: the plan.
        g: its groups.
        c: constants.
    """
    y = x.layout
    reduce, gather = gradient_exchange(held, x, g, c)
    chunks = maximum(1.0, y.pipeline * (y.chunks - 1.0) / y.chunks)
    # Without a sharded optimizer the next step cannot begin before gradients are whole.
    before = reduce + where(y.zero >= 1.0, 0.0, gather)
    tail = maximum(before - 0.9 * stage[1] * chunks, 0.0)
    tail = tail + maximum(reduce + gather - before - 0.9 * stage[0] * chunks, 0.0)
    # The last layer's gradients and the first one's weights have nothing to hide behind.
    overlapped = tail + (1.0 / maximum(held.layers, 1.0) + c.contention) * (reduce + gather)
    return where(x.software.overlap_data, overlapped, (reduce + gather) / c.unbucketed) + between_sites(x)


def buffer_copies(count: Num, x: Inputs, c: Constants) -> Num:
    """Seconds a micro-batch in which `count` parameters are copied between their tensors and the buffers that travel.

    Weights are read and written once a pass, unless they are used where they are gathered; gradients are read as the
    products give them and written as they are reduced. XLA has both written in place, once.
    """
    weights, gradients = count * x.software.gather_bytes, count * x.software.gradient_bytes
    out = where(x.software.gathers_in_place, 0.0, 4.0 * weights)
    moved = out + wide_bytes(x.layout) * count + gradients
    return stream(where(x.software.xla, 2.0 * weights + gradients, moved), x, c)


def fully_sharded(held: Parameters, stage: tuple[Num, Num], x: Inputs, g: Groups, c: Constants) -> Num:
    """Exposed seconds of a step with weights gathered for every micro-batch (FSDP, ZeRO-3).

    Weights are gathered forward and again backward, gradients reduce-scattered, experts among the cards that hold the
    same ones; hybrid sharding adds an all-reduce between the copies once a step. Prefetch hides what fits behind
    computation, but not the first layer's gather or the last one's reduction.
    """
    flat = where(x.software.xla, True, x.software.overlap_fsdp)
    layers_held = maximum(held.layers, 1.0)
    more = where(flat, 1.0, PARAMETER_MESSAGES) * layers_held - 1.0
    forward = reduce = across = copied = 0.0
    for count, one, copies in ((held.dense, g.shard, g.replica), (held.expert, g.expert_shard, g.expert_replica)):
        wide = where(one.size > 1.0, where(count > 0, 1.0, 0.0), 0.0)
        wait = more * collectives.latency(one, c)
        weights, gradients = count * x.software.gather_bytes, count * x.software.gradient_bytes
        forward = forward + wide * (collectives.gather(weights, one, x.machine, c) + wait)
        reduce = reduce + wide * (collectives.gather(gradients, one, x.machine, c) + wait)
        between = collectives.all_reduce(gradients / one.size, copies, x.machine, c) / x.micro_batches
        across = across + where(copies.size > 1.0, where(count > 0, between, 0.0), 0.0)
        copied = copied + wide * buffer_copies(count, x, c)
    traffic = 2.0 * forward + reduce + across
    # Layers that XLA scans give their gradients when the scan ends, and what joins the copies begins then.
    late = where(x.software.xla, across, 0.0)
    overlapped = (
        maximum(forward - stage[0], 0.0)
        + maximum(forward + reduce + across - late - stage[1], 0.0)
        + late
        + (forward + reduce) / layers_held
        + c.contention * traffic
    )
    plain = traffic / where(flat, 1.0, c.parameterwise)
    exposed = where(x.software.overlap_fsdp, minimum(overlapped, plain), plain)
    return x.micro_batches * (exposed + copied) + between_sites(x)


def kept(held: Parameters, level: float, x: Inputs, g: Groups) -> Num:
    """Parameters a card keeps of what ZeRO shards from a level on: its shares from there, below it all of the stage."""
    shares = held.dense / g.shard.size + held.expert / g.expert_shard.size
    return where(x.layout.zero >= level, shares, held.dense + held.expert)


def optimizer_step(held: Parameters, x: Inputs, g: Groups, c: Constants) -> Num:
    """Seconds of the optimizer: Adam over the shard (34 bytes a parameter), gradient norm and zeroing (10) over all.

    In the host's memory Adam is as fast as the host.
    """
    own = kept(held, 1.0, x, g)
    on_card = where(x.layout.offload_optimizer, 0.0, own)
    return stream(c.optimizer * (34.0 * on_card + 10.0 * kept(held, 3.0, x, g)), x, c) + offload.optimizer(own, x)


def accumulation(held: Parameters, x: Inputs, g: Groups, c: Constants) -> Num:
    """Seconds of a step's gradient accumulation where it is a pass of its own.

    Read the new gradient, read and write the buffer, for every micro-batch after the first.
    """
    again = x.micro_batches - 1.0
    moved = again * kept(held, 3.0, x, g) * (2.0 + 2.0 * x.software.gradient_bytes)
    return where(x.software.fused_accumulation, 0.0, stream(moved, x, c))


def step(x: Inputs, c: Constants, g: Groups | None = None) -> Step:
    """One optimizer step.

    Args:
        x: the plan as numbers; floats or broadcasting arrays.
        c: constants.
        g: its groups, where they are known already.
    """
    g = g or groups(x)
    every = layers(x, g, c)
    parts = split(x)
    sent = transfer(x, g, c)
    wait = exposed_transfer(sent, x, c)
    slowest = pace(every, parts, x, wait)
    p, m = x.layout.pipeline, x.micro_batches
    b: Block = every.block
    mean = 1.0 / p
    idle = bubble(
        b.total + every.head.total + every.embedding.total,
        slowest.seconds,
        b.forward.total * mean,
        (b.backward.total + b.again.total) * mean,
        b.weight * mean,
        x,
    )
    held = most_parameters(x)
    slow = where(x.software.tuned, 1.0, c.untuned)
    forward = b.forward.total / b.total
    window = (slow * slowest.seconds * forward, slow * slowest.seconds * (1.0 - forward))
    whole = x.layout.zero < 3.0  # noqa: PLR2004
    data = 0.0
    if any_of(whole):
        data = where(whole, data_parallel(held, window, x, g, c), 0.0)
    if any_of(logical_not(whole)):
        data = where(whole, data, fully_sharded(held, window, x, g, c))
    compute_scale = m * slowest.layers / (x.shape.layers + x.shape.mtp) * slow
    both, again = b.forward + b.backward, b.again
    ends = m * slow * (slowest.head * every.head.tensor + slowest.embedding * every.embedding.tensor)
    adding = accumulation(held, x, g, c)
    update = optimizer_step(held, x, g, c)
    result = Step(
        gemm=both.gemm * compute_scale,
        attention=both.attention * compute_scale,
        memory_bound=both.memory * compute_scale + m * slow * slowest.embedding * every.embedding.memory + adding,
        logits=m * slow * slowest.head * every.head.logits,
        recompute=(again.gemm + again.attention + again.memory + again.host) * compute_scale,
        host=both.host * compute_scale,
        tensor=(both.tensor + again.tensor) * compute_scale + ends,
        context=(both.context + again.context) * compute_scale,
        expert=(both.expert + again.expert) * compute_scale,
        pipeline_bubble=idle * slow,
        pipeline_transfer=transfers(slowest, sent, wait, x) * slow,
        data=data,
        optimizer=update,
        other=c.step_fixed,
    )
    return with_stragglers(result, x, c).times(x.software.factor)


def with_stragglers(result: Step, x: Inputs, c: Constants) -> Step:
    """The step with what waiting for the slowest card adds, in `other`; grows with the number of cards."""
    late = c.straggler * log2(maximum(x.machine.cards / 8.0, 1.0))
    return dataclasses.replace(result, other=result.other + late * result.total)
