"""Time of what is kept in the host's memory: optimizer state (ZeRO-Offload, arXiv 2101.06840) or activations."""

from __future__ import annotations

from planner.engine import memory
from planner.engine.inputs import Inputs
from planner.engine.num import Num, minimum, where

LINK = 0.85
"""Share of the link's rate that copies from pinned memory reach: about 26 of PCIe 4's 31 GB/s, 55 of PCIe 5's 63."""
HOST_ADAM = 28.0
"""Bytes a parameter that Adam moves in the host's memory: weights and moments read and written, the gradient read."""


def optimizer(own: Num, x: Inputs) -> Num:
    """Seconds a step waits for an optimizer in the host: gradients out, Adam there, weights back.

    The memory of a full host gives each of its cards about what the card's link carries: two sockets of DDR4 or DDR5,
    0.2 or 0.5 TB/s, behind eight PCIe 4 or 5 links. Fewer cards than the host has share it among them.

    Args:
        own: parameters whose state a card keeps; float or array.
        x: the plan.
    """
    m = x.machine
    adam = HOST_ADAM * minimum(m.cards, m.cards_per_node) / m.cards_per_node
    moved = x.software.gradient_bytes + adam + x.software.gather_bytes
    return where(x.layout.offload_optimizer, own * moved / (LINK * m.host_link), 0.0)


def copies(x: Inputs) -> Num:
    """Seconds in which the offloaded activations of one micro-batch go to the host, or come back.

    Published runs hide that behind the passes (Kimi K2, arXiv 2507.20534), and the step charges nothing:
    software sends what its passes hide. Where they are shorter than the copies, less leaves the card.
    """
    at = memory.stage_at(minimum(1.0, x.layout.pipeline - 1.0), x)
    sent = (1.0 - memory.LEFT) * memory.activations(at, x, memory.layer_bytes(x))
    return where(x.layout.offload_activations, sent / (LINK * x.machine.host_link), 0.0)
