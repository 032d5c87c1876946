"""All layers of a model for one micro-batch, and what stands at its ends: input embedding, output head and loss."""

from __future__ import annotations

from dataclasses import dataclass

from planner.engine import collectives
from planner.engine.blocks import attention_block, ffn_block, mamba_block, moe_block, tensor_pair
from planner.engine.constants import Constants
from planner.engine.cost import Block, Cost
from planner.engine.inputs import Inputs
from planner.engine.kernels import linear, move, stream, wide_bytes, wide_rate
from planner.engine.layout import Groups
from planner.engine.num import Num, any_of, where


@dataclass(frozen=True, slots=True)
class Head:
    """Seconds of output head and loss for one micro-batch, forward and backward; floats or arrays."""

    logits: Num
    """Products and cross entropy, never narrower than BF16."""
    tensor: Num

    @property
    def total(self) -> Num:
        """Both, s."""
        return self.logits + self.tensor


def head(x: Inputs, g: Groups, c: Constants) -> Head:
    """Output head and cross entropy.

    In a tensor group the hidden states are gathered on the way in and their gradients reduced on the way out. Where
    logits are gathered too, in BF16, every card runs the whole entropy.
    """
    y, s = x.layout, x.shape
    rows = linear(x.tokens, s.vocab / y.tensor, s.hidden, x, c, rate=wide_rate(x.machine, y, c))
    split = where(x.software.loss_split, y.tensor, 1.0)
    entropy = stream(x.software.entropy_bytes * x.tokens * s.vocab / split, x, c)
    gathered = collectives.gather(wide_bytes(y) * x.tokens * s.vocab, g.tensor, x.machine, c)
    whole = where(x.software.loss_split, 0.0, where(y.tensor > 1.0, gathered, 0.0))
    times = 1.0 + s.mtp
    logits = rows.forward + rows.input_gradient + rows.weight_gradient + entropy
    return Head(times * logits, times * (tensor_pair(x, g, c) + whole))


def embedding(x: Inputs, g: Groups, c: Constants) -> Cost:
    """The input embedding for one micro-batch, forward and backward; in a tensor group, reduced and gathered."""
    moved = move(12.0 * x.tokens * x.shape.hidden / x.sequence_shards, x, c)
    return Cost(memory=moved, tensor=tensor_pair(x, g, c))


@dataclass(frozen=True, slots=True)
class Layers:
    """All layers of the model for one micro-batch, as if one card held them all, and what stands at the ends."""

    block: Block
    head: Head
    embedding: Cost


def layers(x: Inputs, g: Groups, c: Constants) -> Layers:
    """Sum of the model's blocks; MTP layers count as one attention and one FFN or MoE block each."""
    block = plain_layers(x, g, c)
    if any_of(x.shape.moe_layers > 0):
        block = block + expert_layers(x, g, c)
    return Layers(block, head(x, g, c), embedding(x, g, c))


def plain_layers(x: Inputs, g: Groups, c: Constants) -> Block:
    """The blocks that do not depend on how experts are spread: attention, dense FFN, Mamba."""
    s = x.shape
    total: Block = attention_block(x, g, c) * (s.attention_layers + s.mtp)
    if any_of(s.dense_layers > 0) or any_of(s.moe_layers == 0):
        total = total + ffn_block(x, g, c) * (s.dense_layers + where(s.moe_layers > 0, 0.0, s.mtp))
    if any_of(s.mamba_layers > 0):
        total = total + mamba_block(x, g, c) * s.mamba_layers
    return total


def expert_layers(x: Inputs, g: Groups, c: Constants) -> Block:
    """The MoE blocks. They see tokens, not how sequences are cut into them."""
    count = where(x.shape.moe_layers > 0, x.shape.moe_layers + x.shape.mtp, 0.0)
    total: Block = moe_block(x, g, c) * count
    return total
