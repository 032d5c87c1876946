"""How sources count FLOPs, and the step time that follows from the figure a source printed.

The same step reads as different FLOP/s with different sources: attention counted once or as the full square, recompute
counted or not. Comparing seconds avoids all of it, so a source's FLOP/s is turned into seconds by its own convention.
"""

from __future__ import annotations

from typing import assert_never

from planner.engine.flops import (
    flops_6nd_per_token,
    model_flops_per_token,
    recomputed_flops_per_token,
)
from planner.engine.num import Num
from planner.spec.base import PlanError, Problem
from planner.spec.model import Model
from planner.spec.plan import Resolved, Strategy
from planner.spec.runs import FlopsConvention, Measured, Run

TERA = 1e12
NO_STRATEGY = Strategy()
IMPLAUSIBLE = 1.2
"""FLOP/s over the peak from which a figure is a slip; a source that counts the full square comes near the peak."""


def flops_per_token(
    model: Model, sequence_length: Num, convention: FlopsConvention, strategy: Strategy = NO_STRATEGY
) -> Num:
    """FLOPs per token of forward and backward pass, as a convention counts them.

    - `6nd`: six per active parameter, output head included; no attention core (Kaplan et al. 2020, arXiv 2001.08361).
    - `causal`: causal attention counted once, logits, no recompute; Megatron-Core since 0.13 (`training.py`,
      `num_floating_point_operations`).
    - `full-square` and `megatron`: the attention core without the mask's deduction (12 L h s for plain multi-head
      attention), logits, no recompute; NeMo `flops_formulas.py`, PaLM (arXiv 2204.02311, appendix B), Korthikanti et
      al. 2022 (arXiv 2205.05198): 72 B s L h^2 (1 + s/(6h) + V/(12 L h)).
    - `hardware`: the full square and what the strategy recomputes; Narayanan et al. 2021 (arXiv 2104.04473), with
      full recompute: 96 B s L h^2 (1 + s/(6h) + V/(16 L h)).
    - `unstated`: taken as `causal`.

    Args:
        model: the shape.
        sequence_length: tokens; a number or an array.
        convention: one of the above.
        strategy: what was recomputed; only `hardware` looks at it.

    >>> from planner.spec.model import Model
    >>> gpt = Model(
    ...     name="GPT", layers=96, hidden=12288, ffn_hidden=49152, gated=False, heads=96, kv_heads=96, vocab=51200
    ... )
    >>> round(flops_per_token(gpt, 2048, "hardware", Strategy(recompute="full")) / 1e12, 4)
    1.434
    >>> h, s, layers, vocab = 12288, 2048, 96, 51200
    >>> round(96 * layers * h**2 * (1 + s / (6 * h) + vocab / (16 * layers * h)) / 1e12, 4)
    1.434
    """
    match convention:
        case "6nd":
            return flops_6nd_per_token(model)
        case "causal" | "unstated":
            return model_flops_per_token(model, sequence_length)
        case "full-square" | "megatron":
            return model_flops_per_token(model, sequence_length, full_square=True)
        case "hardware":
            again = recomputed_flops_per_token(model, sequence_length, strategy, full_square=True)
            return model_flops_per_token(model, sequence_length, full_square=True) + again
        case _:
            assert_never(convention)


DIRECT = {
    "step_time_s": "step time",
    "tokens_per_s": "tokens per second",
    "tokens_per_s_per_card": "tokens per second and card",
    "samples_per_s": "sequences per second",
}
"""Figures that give a step time without counting FLOPs, in words."""


def measured_step_time(run: Run, resolved: Resolved) -> tuple[float | None, str]:
    """Seconds of one optimizer step as the source measured it, and which of its figures that is.

    The step time counts where the source gives it, else tokens (or sequences) per second, else FLOP/s or utilization
    through the run's convention. Utilization is taken over the card's dense BF16 peak, FP16 where it has none. FLOP/s
    and utilization with recompute are counted `hardware`, whatever the convention of those without.

    Returns:
        The step time, None where the source gives no figure of speed; and the explanation.

    Raises:
        PlanError: utilization on a card without such a peak, or FLOP/s no card reaches.
    """
    measured = run.measured
    if times := run.step_times:
        counts = next(iter(times))
        derived = counts == "step_time_s" and (run.step_time_derived or measured.step_time_derived)
        return times[counts], DIRECT[counts] + (", computed from another figure" if derived else "")
    peak = (resolved.card.peak("bf16") or resolved.card.peak("fp16")) * TERA
    rate = _flop_rate(measured, run.flops_convention, peak)
    if rate is None:
        return None, "no figure of speed"
    flop_per_s, convention, figure = rate
    _check_rate(flop_per_s, resolved.card.peak(run.workload.precision) * TERA, measured.speeds[0])
    per_token = flops_per_token(resolved.model, run.workload.sequence_length, convention, resolved.strategy)
    tokens, cards = float(run.workload.global_batch * run.workload.sequence_length), run.cluster.cards
    assumed = ", taken as causal" if convention == "unstated" else ""
    if convention == "hardware" and "recompute" not in run.strategy.model_fields_set:
        assumed = ", taken as without recomputation"
    return float(per_token) * tokens / (flop_per_s * cards), f"{figure}, counted {convention}{assumed}"


def _flop_rate(
    measured: Measured, convention: FlopsConvention, peak_flops: float
) -> tuple[float, FlopsConvention, str] | None:
    """FLOP/s of one card, the convention they are counted by, and the figure's name; None where there is none."""
    if measured.model_tflops_per_card is not None:
        return measured.model_tflops_per_card * TERA, convention, "FLOP/s"
    if measured.hardware_tflops_per_card is not None:
        return measured.hardware_tflops_per_card * TERA, "hardware", "FLOP/s"
    if measured.mfu is not None:
        return measured.mfu * peak_flops, convention, "utilization"
    if measured.hfu is not None:
        return measured.hfu * peak_flops, "hardware", "utilization"
    return None


def _check_rate(flop_per_s: float, peak: float, key: str) -> None:
    if not flop_per_s:
        raise PlanError([Problem("error", f"measured.{key}", "the card has no BF16 or FP16 peak to take it over.")])
    if peak and flop_per_s > IMPLAUSIBLE * peak:
        message = f"{flop_per_s / TERA:,.0f} TFLOP/s a card are more than its peak of {peak / TERA:,.0f}."
        fix = "A ratio is written 0.41, not 41 %; FLOP/s are in TFLOP/s a card."
        raise PlanError([Problem("error", f"measured.{key}", message, fix)])
