"""What is said of a plan that does not fit, or barely fits, and the change of its strategy that would help first."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from planner.engine.result import Estimate
from planner.spec.base import Problem
from planner.spec.plan import Resolved
from planner.spec.rules import errors, with_value
from planner.spec.rules.numbers import Change, written

MEMORY_ERROR = 0.05
"""Relative error of the memory model below which a call of fits or not is open (docs/accuracy.md)."""
STATES = ("weights", "gradients", "optimizer")
"""Kinds of memory that sharding and more cards to a copy of the model share out."""

LAST: tuple[Change, ...] = ((("strategy.sharding", "zero3"),), (("strategy.offload", "optimizer"),))
"""What shares out or moves away the states of the optimizer, and costs most time."""


def memory_problems(r: Resolved, estimate: Estimate, needs: Callable[[Resolved], float]) -> tuple[Problem, ...]:
    """An error where the fullest stage needs more than a run can use, a warning where the model's own error decides.

    Args:
        r: the plan.
        estimate: of it.
        needs: what the fullest stage of another plan needs, GB.
    """
    capacity = estimate.memory_capacity_gb
    stages = len(estimate.memory_gb_by_stage)
    where = f"stage {estimate.fullest_stage} of {stages} needs {estimate.memory_gb:.1f} GB"
    if estimate.memory_gb > capacity:
        parts_gb = estimate.memory_breakdown_gb
        largest = max(parts_gb, key=parts_gb.__getitem__)
        message = f"does not fit: {where}, a run can use {capacity:.1f} GB; most of it is {largest}."
        return (Problem("error", "strategy", message, *_remedy(r, largest, estimate, needs)),)
    if estimate.memory_gb > (1.0 - MEMORY_ERROR) * capacity:
        message = f"tight: {where} of {capacity:.1f}; the engine's own error is {100 * MEMORY_ERROR:.0f} %."
        return (Problem("warning", "strategy", message, "Leave more room, or measure before you rely on it."),)
    return ()


def _remedy(r: Resolved, largest: str, estimate: Estimate, needs: Callable[[Resolved], float]) -> tuple[str, Change]:
    """The first change that is possible and makes the plan fit, else the one that leaves the least above."""
    least: tuple[float, Change] = (estimate.memory_gb, ())
    for change in _changes(r, largest):
        after = r
        for key, value in change:
            after = with_value(after, key, value)
        if errors(after):
            continue
        least = min(least, (needs(after), change), key=lambda found: found[0])
        if least[0] <= estimate.memory_capacity_gb:
            break
    gb, change = least
    if not change:
        return "Use a card with more memory, or more cards with more tensor, context or pipeline parallelism.", ()
    words = ", ".join(f"{key} = {written(value)}" for key, value in change)
    return f"{'Use' if gb <= estimate.memory_capacity_gb else 'Begin with'} {words}: then it needs {gb:.1f} GB.", change


def _changes(r: Resolved, largest: str) -> Iterator[Change]:
    """Changes that need less of a kind of memory, the cheapest in time first."""
    y = r.strategy
    if largest == "activations":
        modules = (*(("mla_up",) if r.model.mla else ()), *(("moe_activation",) if r.model.moe else ("mlp",)))
        if y.recompute == "none":
            yield (("strategy.recompute", "selective"), ("strategy.recompute_modules", modules))
        if y.micro_batch > 1:
            yield (("strategy.micro_batch", y.micro_batch // 2),)
        if y.recompute == "selective":
            rest: Change = (("strategy.recompute_modules", ()),) if y.recompute_modules else ()
            yield (("strategy.recompute", "full"), *rest)
    if largest in STATES:
        if y.sharding == "none":
            yield (("strategy.sharding", "zero1"),)
        if r.model.moe is not None:
            yield (("strategy.expert", 2 * y.expert),)
    for degree in ("tensor", "pipeline", "context"):
        more = 2 * getattr(y, degree)
        if degree != "tensor" or more <= r.scale_up_domain:
            yield ((f"strategy.{degree}", more),)
    if largest in STATES:
        yield from (change for change in LAST if getattr(y, change[0][0].partition(".")[2]) != change[0][1])
