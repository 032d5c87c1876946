"""What a search may be told to leave alone or to leave out, one limit at a time, as `planner search` takes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from planner.engine.search_space import Constraints
from planner.spec.plan import Resolved, Schedule, Sharding

HEADROOMS = (0.05, 0.1, 0.2)
"""Shares of the usable memory that are offered to be left free."""
KEPT = ("tensor", "context", "pipeline", "virtual_stages", "expert", "expert_tensor", "micro_batch", "recompute")
"""Keys of the strategy that can be held at the plan's own value."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One option of `planner search`.

    Attributes:
        option: its name.
        value: what it is given.
        key: of the strategy, where the option is `keep`.
    """

    option: Literal["max-tensor", "schedule", "sharding", "headroom", "keep"]
    value: int | float | str
    key: str = ""

    @property
    def words(self) -> str:
        """What it says.

        >>> Limit("keep", 16, "pipeline").words, Limit("headroom", 0.1).words, Limit("sharding", "none").words
        ('pipeline 16 as it is', '10 % of memory free', 'only sharding none')
        """
        if self.option == "headroom":
            return f"{100 * float(self.value):g} % of memory free"
        if self.option == "keep":
            return f"{self.key.replace('_', ' ')} {self.value} as it is"
        return f"tensor up to {self.value}" if self.option == "max-tensor" else f"only {self.option} {self.value}"

    @property
    def flag(self) -> str:
        """How the command line takes it.

        >>> Limit("keep", 16, "pipeline").flag
        '--keep pipeline=16'
        """
        return f"--{self.option} {self.key + '=' if self.key else ''}{self.value}"


def offered(resolved: Resolved) -> Iterator[Limit]:
    """The limits that can be set on a plan's search."""
    tensor = 1
    while tensor <= min(resolved.scale_up_domain, resolved.model.heads):
        yield Limit("max-tensor", tensor)
        tensor *= 2
    kept = (key for key in KEPT if resolved.model.moe or not key.startswith("expert"))
    yield from (Limit("keep", getattr(resolved.strategy, key), key) for key in kept)
    yield from (Limit("schedule", name) for name in get_args(Schedule))
    yield from (Limit("sharding", name) for name in get_args(Sharding))
    yield from (Limit("headroom", share) for share in HEADROOMS)


def toggled(limits: Sequence[Limit], one: Limit) -> tuple[Limit, ...]:
    """With a limit where it was not set, without it where it was; of a kind that has one value, the other one goes."""
    if one in limits:
        return tuple(limit for limit in limits if limit != one)
    several = one.option in {"schedule", "sharding"}
    rest = [limit for limit in limits if several or (limit.option, limit.key) != (one.option, one.key)]
    return (*rest, one)


def constraints(limits: Sequence[Limit]) -> Constraints | None:
    """What the search takes; None: no limit."""
    if not limits:
        return None
    single = {limit.option: limit.value for limit in limits}
    return Constraints(
        max_tensor=int(single.get("max-tensor", 0)),
        schedules=tuple(str(limit.value) for limit in limits if limit.option == "schedule"),
        shardings=tuple(str(limit.value) for limit in limits if limit.option == "sharding"),
        headroom=float(single.get("headroom", 0.0)),
        keep={limit.key: limit.value for limit in limits if limit.option == "keep"},
    )
