"""Time of a collective over a group of cards on the scale-up and scale-out fabrics."""

from __future__ import annotations

from planner.engine.constants import Constants
from planner.engine.inputs import Machine
from planner.engine.layout import Group, closed, torus_axes
from planner.engine.num import Num, any_of, log2, maximum, minimum, where

RING_S, RING_HOP_S = 8.4e-6, 3.4e-6
"""A ring inside one domain: to start it, and each of its hops, s. Source: NCCL `src/graph/tuning.cc`, Simple."""
NVLS_S = 25e-6
"""What an all-reduce by the switches takes beyond any other collective, s. Source: NCCL `src/graph/tuning.cc`, NVLS."""


def scale_up_rate(group: Num, machine: Machine) -> Num:
    """Bytes/s of one card and direction that a collective over `group` cards of a scale-up domain can use.

    A switch gives the full rate; a mesh one link a peer; a torus two links for each axis the group spans, of which a
    ring that does not close uses one (JAX scaling book, TPU chapter).
    """
    mesh = minimum(machine.scale_up, machine.scale_up_link * maximum(group - 1.0, 1.0))
    plain = where(machine.switched, machine.scale_up, mesh)
    if not any_of(machine.torus_axes > 0):
        return plain
    both_ways = where(closed(group, machine), 1.0, 0.5)
    torus = both_ways * machine.scale_up * torus_axes(group, machine) / maximum(machine.torus_axes, 1.0)
    return where(machine.torus_axes > 0, torus, plain)


def link_rate(machine: Machine) -> Num:
    """Bytes/s from one card to one other of its scale-up domain: all links through a switch, else the one between."""
    one_of_torus = 0.5 * machine.scale_up / maximum(machine.torus_axes, 1.0)
    return where(machine.torus_axes > 0, one_of_torus, scale_up_rate(2.0, machine))


def bus_rate(group: Group, machine: Machine, c: Constants) -> Num:
    """Bus bandwidth of a ring over a group, bytes/s.

    NCCL drives one ring a rail, so the members of one domain bring one NIC each.
    """
    inside = c.up * scale_up_rate(group.local, machine)
    return where(group.size <= group.local, inside, minimum(inside, group.local * c.out * group.nic))


def latency(group: Group, c: Constants) -> Num:
    """Latency of one collective, s; nothing for a group of one.

    Inside a domain NCCL's own figures. Beyond, a fixed part, a part that grows with the depth of the network, and one
    hop for each member of the ring (NCCL `src/graph/tuning.cc`: ring latency is linear in the ranks; a torus has
    shorter ways, see `layout.group`).
    """
    n = group.size
    steps = 1.0 + 0.35 * log2(maximum(n, 1.0)) + 0.5 * log2(maximum(n / group.local, 1.0))
    ring = c.ring_hop * (group.hops + c.hop_inside * group.hops_inside)
    inside = RING_S + RING_HOP_S * group.hops_inside
    return where(n > 1.0, where(n > group.local, c.latency * steps + ring, inside) + group.wait, 0.0)


def all_reduce_latency(group: Group, c: Constants) -> Num:
    """Latency of an all-reduce, s: of a ring gone round twice, or of a tree, where domains can form one and it is less.

    A tree goes along the cards of a domain and down the doublings of domains, and back (NCCL `src/graph/tuning.cc`).
    """
    ring = 2.0 * latency(group, c)
    domains = maximum(group.size / group.local, 1.0)
    way = log2(domains) + c.hop_inside * group.hops_inside / domains
    tree = c.latency + 2.0 * c.ring_hop * way + group.wait
    return where(group.size > group.local, minimum(ring, tree), ring)


def gather(size: Num, group: Group, machine: Machine, c: Constants) -> Num:
    """Seconds of an all-gather or reduce-scatter.

    Args:
        size: bytes of the whole gathered (or unreduced) buffer.
        group: who takes part.
        machine: the fabrics.
        c: constants.
    """
    return size * (group.size - 1.0) / group.size / bus_rate(group, machine, c) + latency(group, c)


def all_reduce(size: Num, group: Group, machine: Machine, c: Constants) -> Num:
    """Seconds of an all-reduce: a reduce-scatter and an all-gather, or one pass where the switches add."""
    n = group.size
    sent = 2.0 * size * (n - 1.0) / n
    ring = sent / bus_rate(group, machine, c) + all_reduce_latency(group, c)
    in_switch = sent / (c.in_switch * machine.scale_up) + c.latency + NVLS_S + group.wait
    inside = where(n <= group.local, where(n > 2.0, machine.in_switch, False), False)  # noqa: PLR2004
    return where(inside, minimum(ring, in_switch), ring)


def exchange(
    copies: Num, remote: Num, width: Num, group: Group, deduplicates: Num, machine: Machine, c: Constants
) -> Num:
    """Seconds of one expert all-to-all.

    Args:
        copies: token copies of a card, to cards inside its domain and out of it.
        remote: token copies it sends to other domains.
        width: bytes of one token copy.
        group: cards the experts are spread over.
        deduplicates: the dispatcher sends one copy a domain (DeepEP, HybridEP).
        machine: the fabrics.
        c: constants.
    """
    n, local = group.size, group.local
    leaves = n > local
    inside_rate = scale_up_rate(local, machine) * where(deduplicates, c.dispatch_up, c.exchange_up)
    # On a bidirectional ring an all-to-all costs a quarter of the all-gather of the same volume (JAX scaling book). On
    # several axes half of it crosses the middle of the longest, whatever the other axes bring.
    axes = torus_axes(local, machine)
    ring = where(machine.torus_axes > 0, maximum(0.25 * axes * local ** (1.0 / axes), 1.0), 1.0)
    # Copies from other domains arrive once and are passed on inside, to as many cards as in a group of one domain.
    inside = copies * width * (local - 1.0) / where(deduplicates, local, n) / inside_rate * ring
    outside = remote * width / (group.nic * where(deduplicates, c.dispatch_out, c.exchange_out))
    wait = 2.0 * (c.latency * (1.0 + log2(maximum(n, 1.0)) / 3.0) + group.wait)
    return where(n > 1.0, maximum(inside, where(leaves, outside, 0.0)) + wait, 0.0)
