"""Rules of sharding and recompute."""

from __future__ import annotations

from collections.abc import Iterator

from planner.spec.base import Problem
from planner.spec.plan import Resolved
from planner.spec.rules.numbers import Change, around, divisors, use


def shard_group(r: Resolved) -> Iterator[Problem]:
    """Hybrid sharding: the group that shares one copy divides the data-parallel ranks."""
    s, ranks = r.strategy, r.data_parallel * r.strategy.context
    if s.shard_group == 0:
        return
    if s.sharding == "none":
        message = f"shard_group = {s.shard_group}, but sharding = none keeps a copy on every card: it has no effect."
        yield Problem("warning", "strategy.shard_group", message, *use("strategy.shard_group", (0,)))
    elif ranks % s.shard_group:
        message = f"shard_group = {s.shard_group} does not divide data x context = {ranks} ranks."
        fits = around(divisors(ranks), s.shard_group)
        yield Problem("error", "strategy.shard_group", message, *use("strategy.shard_group", fits))


def sharding_in_pipeline(r: Resolved) -> Iterator[Problem]:
    """Sharded gradients or weights with a pipeline cost traffic for every micro-batch."""
    s = r.strategy
    if s.pipeline == 1:
        return
    if s.sharding == "zero3":
        message = "zero3 with a pipeline gathers every stage's weights again for each micro-batch."
        yield Problem("info", "strategy.sharding", message, *use("strategy.sharding", ("zero1",)))
    elif s.sharding == "zero2":
        message = (
            "zero2 with a pipeline may reduce gradients for each micro-batch; Megatron does not offer it. Llama 3 "
            "ran it at the speed of one reduction a step, which is what is charged."
        )
        yield Problem("info", "strategy.sharding", message, *use("strategy.sharding", ("zero1",)))


def recompute(r: Resolved) -> Iterator[Problem]:
    """Keys of one kind of recompute are not set beside another."""
    s = r.strategy
    if s.recompute_modules and s.recompute != "selective":
        message = f"recompute_modules goes with recompute = selective, but recompute = {s.recompute}."
        fix, change = use("strategy.recompute", ("selective",))
        yield Problem("error", "strategy.recompute_modules", message, f"{fix} Or leave recompute_modules out.", change)
    if not s.recompute_layers:
        return
    if s.recompute != "full":
        message = f"recompute_layers = {s.recompute_layers} goes with recompute = full, but recompute = {s.recompute}."
        yield Problem("error", "strategy.recompute_layers", message, *use("strategy.recompute_layers", (0,)))
        return
    most = -(-(r.model.layers + r.model.mtp_depth) // s.pipeline)
    if s.recompute_layers > most:
        message = f"recompute_layers = {s.recompute_layers}, but a stage holds at most {most:,} layers."
        yield Problem("error", "strategy.recompute_layers", message, *use("strategy.recompute_layers", (most,)))


def recompute_modules(r: Resolved) -> Iterator[Problem]:
    """A module that is recomputed exists in the model."""
    modules, key = r.strategy.recompute_modules, "strategy.recompute_modules"
    if "mla_up" in modules and r.model.attention != "mla":
        message = f"mla_up is a part of latent attention, but {r.model.name} has {r.model.attention.upper()}."
        yield Problem("error", key, message, "Remove mla_up.", _without("mla_up", modules))
    if "moe_activation" in modules and r.model.moe is None:
        message = f"moe_activation is a part of experts, but {r.model.name} has none."
        yield Problem("error", key, message, "Remove it.", _without("moe_activation", modules))


def _without(module: str, modules: tuple[str, ...]) -> Change:
    return (("strategy.recompute_modules", tuple(name for name in modules if name != module)),)
