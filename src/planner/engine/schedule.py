"""Pipeline schedules: which stage sets the pace, how long the pipeline is partly idle, what it keeps in flight."""

from __future__ import annotations

from dataclasses import dataclass

from planner.engine.inputs import DUALPIPE, GPIPE, INTERLEAVED, ZERO_BUBBLE, Inputs
from planner.engine.num import Num, ceil, logical_or, maximum, minimum, where


@dataclass(frozen=True, slots=True)
class Split:
    """Layers on the pipeline's stages; floats or arrays. MTP layers are counted in."""

    full: Num
    """Layers on a full stage."""
    first: Num
    last: Num
    more: Num
    """Middle stages that are full, the first of them; the others hold one layer fewer."""


def split(x: Inputs) -> Split:
    """Layers of first, full and last stage.

    The ends, which carry embedding and head too, are the first to hold fewer, the last before the first: one layer each
    (Llama 3, arXiv 2407.21783, section 3.3.2: 126 layers on 16 stages leave 7 on either end), the last two where three
    or more are missing (DeepSeek-V3 in Megatron-Core's guide to pipeline layouts: 61 on 16 leave 2 and the head).
    """
    count, p = x.shape.layers + x.shape.mtp, x.layout.pipeline
    full = ceil(count / p)
    missing = full * p - count
    at_last = minimum(minimum(ceil(missing / 2.0), 2.0), maximum(full - 1.0, 1.0))
    at_first = minimum(missing - at_last, 1.0)
    return Split(full, full - at_first, full - at_last, p - 2.0 - (missing - at_first - at_last))


def bubble(total: Num, pace: Num, forward: Num, backward: Num, weight: Num, x: Inputs) -> Num:
    """Seconds a step's pace-setting stage waits.

    GPipe, 1F1B, interleaved: (sum over stages - slowest stage) / chunks, which is (p - 1)(F + B) / v for equal stages
    (Narayanan 2021). Zero bubble: ZB-H1 (p - 1)(F + B - 2 W) with one chunk, ZB-V (p - 1)(F + B - 3 W) with two, which
    is nothing where F, B - W and W take equally long (Qi 2023, arXiv 2401.10241). DualPipe: (p / 2 - 1)(F&B + B - 3 W)
    (DeepSeek-V3, DualPipe README). What moves weight gradients never idles longer than what does not.

    With fewer micro-batches m than stages nothing is filled: interleaved, a micro-batch passes all v p chunks one after
    the other, which takes (v p + m - 1)(F + B) / v; and no schedule ends before one micro-batch has passed all stages
    and left one stage's weight gradients to compute.

    Args:
        total: one micro-batch through all stages, s.
        pace: the slowest stage, s.
        forward: mean stage forward, s.
        backward: mean stage backward with weight gradients and recomputation, s.
        weight: its weight-gradient part, s.
        x: the plan.
    """
    p, v, m, kind = x.layout.pipeline, x.layout.chunks, x.micro_batches, x.layout.schedule
    idle = maximum(total - pace, 0.0)
    moved = where(x.layout.chunks > 1.0, 3.0, 2.0) * weight
    zero = (p - 1.0) * (forward + backward - moved)
    dual = (p / 2.0 - 1.0) * (forward + 2.0 * backward - 3.0 * weight)
    filled = minimum(maximum(where(kind == ZERO_BUBBLE, zero, dual), 0.0), idle)
    unfilled = (p - m + (m - 1.0) / v) / maximum(p - 1.0, 1.0)
    chosen = where(logical_or(kind == ZERO_BUBBLE, kind == DUALPIPE), filled, idle * maximum(1.0 / v, unfilled))
    first_through = total - (p - 1.0) * weight - m * pace
    return where(p > 1.0, maximum(chosen, first_through), 0.0)


def in_flight(stage: Num, x: Inputs) -> Num:
    """Micro-batches (in units of a whole stage's layers) whose activations a stage holds at its peak.

    GPipe all; 1F1B p - stage; interleaved p - stage chunks more (Narayanan 2021: 1 + (p - 1) / (p v) on stage 0);
    zero bubble ZB-H1 as 1F1B, ZB-V p on every stage; DualPipe p + 1 over its two stages (DualPipe README).
    """
    p, v, kind, m = x.layout.pipeline, x.layout.chunks, x.layout.schedule, x.micro_batches
    classic = p - stage
    interleaved = (p * (v - 1.0) + 1.0 + 2.0 * (p - stage - 1.0)) / v
    chosen = where(kind == INTERLEAVED, interleaved, classic)
    chosen = where(kind == ZERO_BUBBLE, where(v > 1.0, p, classic), chosen)
    chosen = where(kind == DUALPIPE, p + 1.0, where(kind == GPIPE, m, chosen))
    return maximum(minimum(chosen, m), minimum(1.0, m))
