"""The next smaller or larger value of a field. No Textual."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from planner.spec.plan import Resolved
from planner.spec.rules import CHOOSABLE, choices, errors
from planner.tui.fields import Field, value_of
from planner.tui.state import Session, Value

_TRIES = 64
"""Layouts looked at before a step gives up on finding a possible one."""
_FAR = 65_536
"""How many numbers of cards on it looks for one that shares out the batch: those of large batches are far apart."""


def stepped(item: Field, session: Session, direction: int) -> Value | None:
    """The value one step on; None where there is none.

    Args:
        item: the field.
        session: what it stands in.
        direction: 1 for larger or next, -1 for smaller or previous.
    """
    value = value_of(item, session)
    resolved = session.resolved
    if item.kind == "toggle":
        return not value
    if item.kind == "choice":
        return _neighbour(item, resolved, value, direction)
    if item.kind != "number" or not isinstance(value, int | float):
        return None
    if item.step == "layout" and resolved is not None:
        possible = _possible(item, resolved, int(value), direction)
        return _neighbour(item, resolved, value, direction) if item.key in CHOOSABLE else next(possible, None)
    if value == 0 and item.found and session.outcome:
        value = item.found(session.outcome.estimate)
    new = max(_plain_step(item, float(value), direction), item.least)
    return None if new == value else int(new) if item.whole else new


def _neighbour(item: Field, resolved: Resolved | None, value: object, direction: int) -> Value | None:
    """The next value that is possible; choices go round."""
    values: list[int | float | str | bool] = list(item.options)
    if resolved is not None and item.key in CHOOSABLE:
        values = [choice.value for choice in choices(resolved, item.key, _TRIES) if choice.ok]
    if item.kind == "choice":
        return values[(values.index(value) + direction) % len(values)] if value in values else next(iter(values), None)
    beyond = [
        v for v in values if isinstance(v, int) and isinstance(value, int | float) and (v - value) * direction > 0
    ]
    return min(beyond, key=lambda v: abs(v - value)) if beyond and isinstance(value, int | float) else None


def _possible(item: Field, resolved: Resolved, value: int, direction: int) -> Iterator[int]:
    """Numbers of cards, or batch sizes, that leave no error; out of a plan that has one, then the next multiple."""
    s, plan = resolved.strategy, resolved.plan
    group = s.tensor * s.context * s.pipeline
    unit = math.lcm(group, resolved.cards_per_node)
    if item.key == "workload.global_batch":
        unit = max(plan.cluster.cards // group, 1) * s.micro_batch
    first = (value // unit + 1 if direction > 0 else -(-value // unit) - 1) * unit
    of_cards = item.key == "cluster.cards"
    for turn in range(_FAR if of_cards else _TRIES):
        number = first + direction * turn * unit
        if number < unit:
            break
        if of_cards:
            if plan.workload.global_batch % (number // group * s.micro_batch):
                continue
            changed = plan.model_copy(update={"cluster": plan.cluster.model_copy(update={"cards": number})})
        else:
            changed = plan.model_copy(update={"workload": plan.workload.model_copy(update={"global_batch": number})})
        if not errors(replace(resolved, plan=changed)):
            yield number
    if first >= unit and errors(resolved):
        yield first


def _plain_step(item: Field, value: float, direction: int) -> float:
    if item.step == "double":
        return max(value, 0.5) * 2 if direction > 0 else (value // 2 if item.whole else value / 2)
    if item.step == "half":
        return value + 0.5 * direction
    if item.step == "one" or value <= 0:
        return value + direction * (1 if item.step == "one" or item.whole else 0.1)
    # One in the second digit, on round values: 14.8 -> 15 -> 16, and 10 -> 9.9.
    digit = 10.0 ** (math.floor(math.log10(value)) - 1)
    if direction < 0 and math.isclose(value, digit * 10):
        digit /= 10
    turns = value / digit
    whole = round(turns) if math.isclose(turns, round(turns)) else None
    if whole is None:
        whole = math.floor(turns) if direction > 0 else math.ceil(turns)
    return float(f"{(whole + direction) * digit:.6g}")
