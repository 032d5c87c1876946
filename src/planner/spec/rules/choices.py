"""The values a key of the strategy can take in a given plan, and why others cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import get_args

from planner.spec.base import Setting
from planner.spec.card import Precision
from planner.spec.plan import Recompute, Resolved, Schedule, Sharding
from planner.spec.rules.check import errors
from planner.spec.rules.numbers import divisors
from planner.spec.rules.pipeline import most_chunks

LARGEST_MICRO_BATCH = 64

Value = int | str


@dataclass(frozen=True, slots=True)
class Choice:
    """One value a key could take."""

    value: Value
    ok: bool
    """The plan stays possible with it."""
    why: str = ""
    """What it would break; empty where `ok`."""


def choices(resolved: Resolved, key: str, limit: int = 40) -> list[Choice]:
    """Values a key could take, in order, each with whether the plan stays possible and why not.

    An error that stands whatever the key's value is not held against any of its values.

    Args:
        resolved: the plan as it is; its errors do not matter.
        key: dotted key, one of `CHOOSABLE`.
        limit: most values returned; impossible ones are left out first, then those farthest from the present one.

    Raises:
        KeyError: the key is not one of `CHOOSABLE`.
    """
    values = [*CHOOSABLE[key](resolved)]
    present = _present(resolved, key)
    if isinstance(present, int) and present not in values:
        values = sorted([*(v for v in values if isinstance(v, int)), present])
    broken = {value: {(p.key, p.message) for p in errors(with_value(resolved, key, value))} for value in values}
    standing = set.intersection(*broken.values()) if len(broken) > 1 else set()
    found = [Choice(v, ok=not (new := broken[v] - standing), why=min(new)[1] if new else "") for v in values]
    return _nearest(found, present, limit)


def with_value(resolved: Resolved, key: str, value: Setting) -> Resolved:
    """The plan with one key changed, and what follows from defaults decided again."""
    if key == "workload.precision":
        workload = resolved.plan.workload.model_copy(update={"precision": value})
        return replace(resolved, plan=resolved.plan.model_copy(update={"workload": workload}))
    strategy = resolved.strategy.model_copy(update={key.removeprefix("strategy."): value})
    follow: dict[str, object] = {}
    if "strategy.sequence" in resolved.defaults:
        follow["sequence"] = resolved.stack.sequence_parallel and strategy.tensor > 1
    if "strategy.schedule" in resolved.defaults and key != "strategy.schedule":
        follow["schedule"] = "interleaved" if strategy.virtual_stages > 1 else "1f1b"
    return replace(resolved, strategy=strategy.model_copy(update=follow))


def _present(resolved: Resolved, key: str) -> Value:
    if key == "workload.precision":
        return resolved.plan.workload.precision
    present: Value = getattr(resolved.strategy, key.removeprefix("strategy."))
    return present


def _nearest(found: list[Choice], present: Value, limit: int) -> list[Choice]:
    if len(found) <= limit:
        return found

    def farness(choice: Choice) -> tuple[bool, float]:
        distance = abs(choice.value - present) if isinstance(choice.value, int) and isinstance(present, int) else 0
        return (not choice.ok and choice.value != present, distance)

    kept = sorted(found, key=farness)[:limit]
    return [choice for choice in found if choice in kept]


def _powers_of_two(most: int) -> list[int]:
    return [2**n for n in range(max(most, 1).bit_length())]


def _tensor(r: Resolved) -> list[int]:
    most = min(r.plan.cluster.cards, max(r.scale_up_domain, 2 * r.cards_per_node))
    return sorted({*_powers_of_two(most), *(n for n in divisors(r.model.heads) if n <= most)})


def _context(r: Resolved) -> list[int]:
    return _powers_of_two(min(r.plan.cluster.cards, r.plan.workload.sequence_length // 2))


def _pipeline(r: Resolved) -> list[int]:
    numbers = {*divisors(r.plan.cluster.cards), *divisors(r.model.layers)}
    return sorted(n for n in numbers if n <= most_chunks(r))


def _virtual_stages(r: Resolved) -> list[int]:
    return list(range(1, most_chunks(r) // r.strategy.pipeline + 1)) or [1]


def _expert(r: Resolved) -> list[int]:
    return list(divisors(r.model.moe.experts)) if r.model.moe else [1]


def _expert_tensor(r: Resolved) -> list[int]:
    return _powers_of_two(min(r.plan.cluster.cards, r.scale_up_domain)) if r.model.moe else [1]


def _micro_batch(r: Resolved) -> list[int]:
    batch = max(r.plan.workload.global_batch // max(r.data_parallel, 1), 1)
    fits = [n for n in divisors(batch) if n <= LARGEST_MICRO_BATCH]
    return sorted({*fits, *_powers_of_two(min(batch, LARGEST_MICRO_BATCH))})


CHOOSABLE: dict[str, Callable[[Resolved], list[int] | tuple[str, ...]]] = {
    "strategy.tensor": _tensor,
    "strategy.context": _context,
    "strategy.pipeline": _pipeline,
    "strategy.virtual_stages": _virtual_stages,
    "strategy.expert": _expert,
    "strategy.expert_tensor": _expert_tensor,
    "strategy.micro_batch": _micro_batch,
    "strategy.sharding": lambda _: get_args(Sharding),
    "strategy.schedule": lambda _: get_args(Schedule),
    "strategy.recompute": lambda _: get_args(Recompute),
    "workload.precision": lambda _: get_args(Precision),
}
"""Keys `choices` knows, with the values that are worth offering."""
