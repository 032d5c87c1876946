"""What searches and sensitivities find. No NumPy: who shows it need not be who works it out."""

from __future__ import annotations

from dataclasses import dataclass

from planner.spec.plan import Strategy


@dataclass(frozen=True)
class Ranked:
    """A strategy that fits, with what ranks it."""

    strategy: Strategy
    step_time_s: float
    memory_gb: float
    """Of the fullest stage."""


@dataclass(frozen=True)
class Region:
    """All strategies of one pipeline degree and sharding."""

    pipeline: int
    zero: int
    shard_group: int
    count: int
    too_large: int
    """Of these, those whose state (weights, gradients, optimizer) and layer inputs alone are more than a card has."""
    over_gb: float
    """Least by which these are over what a run can use; negative: they leave as much."""
    stage: int
    """The stage that is of."""


@dataclass(frozen=True)
class SearchResult:
    """What a search found."""

    searched: int
    """Strategies in the space; all were evaluated or shown not to matter."""
    evaluated: int
    """Strategies whose memory, and whose step time where they fit, were computed in full."""
    too_large: int
    """Strategies shown not to fit."""
    feasible: int
    """Strategies evaluated that fit; all that fit where `exhaustive`."""
    slower: int
    """Strategies set aside as slower than those ranked, whether they fit or not."""
    exhaustive: bool
    seconds: float
    ranked: tuple[Ranked, ...]
    """Best first."""
    front: tuple[Ranked, ...]
    """Pareto front of step time against memory over the strategies evaluated, fastest first."""
    regions: tuple[Region, ...] = ()
    """By pipeline and sharding, how many strategies the bound of the cells rules out; empty where `exhaustive`."""
    capacity_bytes: float = 0.0


@dataclass(frozen=True, slots=True)
class Effect:
    """What ten per cent more of one thing does."""

    key: str
    name: str
    days: float
    """Change of the training days."""
    cost_usd: float
    """Change of the cost, USD."""
    days_share: float
    """The same over the days it is a change of."""
    cost_share: float
    """The same over the cost it is a change of; 0 where the cost is unknown."""
    note: str = ""
    """What the change is of, where it is not of the plan as it is."""
