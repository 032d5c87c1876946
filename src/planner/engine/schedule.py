"""Pipeline schedules: which stage sets the pace, how long the pipeline is partly idle, what it keeps in flight."""

from __future__ import annotations

from dataclasses import dataclass

from planner.engine.inputs import DUALPIPE, GPIPE, INTERLEAVED, ZERO_BUBBLE, Inputs
from planner.engine.num import Num, ceil, maximum, minimum, where


@dataclass(frozen=True, slots=True)
class Split:
    """Layers on the pipeline's stages; floats or arrays. MTP layers are counted in."""

    full: Num
    """Layers on a full stage."""
    first: Num
    last: Num
    mean: Num


def split(x: Inputs) -> Split:
    """Layers of first, full and last stage.

    Stages hold equal numbers rounded up; the slots that stay empty are taken from the two ends, which also carry
    embedding and head (Llama 3, arXiv 2407.21783, section 3.3.2: one layer fewer on the first and last stage).
    """
    count = x.shape.layers + x.shape.mtp
    p, v = x.layout.pipeline, x.layout.chunks
    full = ceil(count / (p * v)) * v
    missing = full * p - count
    from_last = minimum(ceil(missing / 2.0), full)
    from_first = minimum(missing - from_last, full)
    one = p == 1.0
    return Split(
        full=where(one, count, full),
        first=where(one, count, full - from_first),
        last=where(one, count, full - from_last),
        mean=count / p,
    )


def bubble(total: Num, pace: Num, forward: Num, backward: Num, weight: Num, x: Inputs) -> Num:
    """Seconds a step's pace-setting stage waits.

    GPipe, 1F1B, interleaved: (sum over stages - slowest stage) / chunks, which is (p - 1)(F + B) / v for equal stages
    (Narayanan 2021). Zero bubble ZB-H1: (p - 1)(F + B - 2 W) (Qi 2023). DualPipe: (p / 2 - 1)(F&B + B - 3 W)
    (DeepSeek-V3, DualPipe README).

    Args:
        total: one micro-batch through all stages, s.
        pace: the slowest stage, s.
        forward: mean stage forward, s.
        backward: mean stage backward with weight gradients and recomputation, s.
        weight: its weight-gradient part, s.
        x: the plan.
    """
    p, kind = x.layout.pipeline, x.layout.schedule
    classic = maximum(total - pace, 0.0) / x.layout.chunks
    zero = maximum((p - 1.0) * (forward + backward - 2.0 * weight), 0.0)
    dual = maximum((p / 2.0 - 1.0) * (forward + 2.0 * backward - 3.0 * weight), 0.0)
    chosen = where(kind == ZERO_BUBBLE, zero, where(kind == DUALPIPE, dual, classic))
    return where(p > 1.0, chosen, 0.0)


def in_flight(stage: Num, x: Inputs) -> Num:
    """Micro-batches (in units of a whole stage's layers) whose activations a stage holds at its peak.

    GPipe all; 1F1B p - stage; interleaved p - stage chunks more (Narayanan 2021: 1 + (p - 1) / (p v) on stage 0);
    zero bubble as 1F1B; DualPipe p + 1 over its two copies of a stage.
    """
    p, v, kind, m = x.layout.pipeline, x.layout.chunks, x.layout.schedule, x.micro_batches
    classic = p - stage
    interleaved = (p * (v - 1.0) + 1.0 + 2.0 * (p - stage - 1.0)) / v
    chosen = where(kind == INTERLEAVED, interleaved, classic)
    chosen = where(kind == DUALPIPE, p + 1.0, where(kind == GPIPE, m, chosen))
    return maximum(minimum(chosen, m), minimum(1.0, m))
