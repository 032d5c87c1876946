"""What the rules of a layout take out of a search, and why: counted exactly, told in the rules' own words.

Counted are all ways to split the cards into tensor x context x pipeline x data, each with every micro batch, schedule
and number of virtual stages, expert and expert tensor degree, sharding and recomputation it could have. Where a split
leaves an axis no value (a batch that does not divide over the data-parallel groups has no micro batch), the axis counts
once. A strategy that breaks several rules is counted with the first of them, in the order below.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from planner.engine.search_space import Constraints, Space
from planner.spec.base import Problem
from planner.spec.plan import Resolved
from planner.spec.rules import errors, layout, machine, memory, pipeline
from planner.spec.rules.numbers import Rule, divisors

NAMED = 4
"""Values of a region that are named, at most."""
SPLIT: dict[str, tuple[Rule, ...]] = {
    "pipeline": (pipeline.stages_have_layers,),
    "tensor": (layout.heads_divide, layout.widths_divide, layout.key_value_heads),
    "context": (layout.context_divides,),
    "data": (layout.batch_divides, machine.sites_hold_whole_copies),
}
"""Degree -> the rules that look at no other."""
PLAIN: dict[str, Any] = {
    "tensor": 1, "context": 1, "pipeline": 1, "virtual_stages": 1, "expert": 1, "expert_tensor": 1, "micro_batch": 1,
    "sequence": False, "schedule": "1f1b", "sharding": "none", "shard_group": 0,
    "recompute": "none", "recompute_modules": (), "recompute_layers": 0,
}  # fmt: skip
"""A strategy that breaks no rule of a degree it does not change."""


CONSTRAINTS = "constraints"


@dataclass(frozen=True, slots=True)
class Forbidden:
    """What a rule takes out of the space."""

    rule: str
    """Its name in `planner.spec.rules`; `constraints`: what the search was told to leave out."""
    region: str
    """The degrees it takes out, in words."""
    strategies: int
    """How many, less those a rule before it takes out."""
    why: str
    """What the rule says of the smallest of these degrees."""


Degrees = dict[str, Any]
"""Keys of the strategy, with what a strategy of `PLAIN` is changed to."""


@dataclass(frozen=True, slots=True)
class _Loss:
    """Values of an axis that a rule takes out."""

    rule: Rule
    of: Degrees
    """A strategy that breaks it."""
    name: str
    """Of what `value` is."""
    value: int
    count: int = 1
    """Values of the axis."""


_Axis = tuple[int, list[_Loss]]
"""How many values it has, and which of them are lost."""


@dataclass
class _Out:
    """What one rule took out so far."""

    first: _Loss
    """The one of the lowest value."""
    values: set[int] = field(default_factory=set)
    count: int = 0


def forbidden(resolved: Resolved, constraints: Constraints | None = None) -> tuple[Forbidden, ...]:
    """What rules and constraints take out of a search, the most first; with what is searched, it is all there is.

    Args:
        resolved: the plan.
        constraints: of the search.

    Raises:
        PlanError: no strategy can make the plan possible.
    """
    limited = Space(resolved, constraints)
    free = Space(limited.resolved)  # of whose shardings the search keeps a group the plan may not have
    counting = _Counting(free)
    for stages in divisors(resolved.plan.cluster.cards):
        counting.stages(stages)
    found = [
        Forbidden(rule, _region(one), one.count, _problems(resolved, one.first.rule, one.first.of)[0].message)
        for rule, one in counting.out.items()
    ]
    if constraints is not None and (kept := free.count - limited.count):
        why = _of_kept(resolved, constraints.keep) or "the search was told to leave them out."
        found.append(Forbidden(CONSTRAINTS, f"all but {constraints.words}", kept, why))
    return tuple(sorted(found, key=lambda one: -one.strategies))


def _region(out: _Out) -> str:
    values = [f"{value:,}" for value in sorted(out.values)]
    if len(values) <= NAMED:
        return f"{out.first.name} {', '.join(values)}"
    return f"{out.first.name} {', '.join(values[: NAMED - 1])} … {values[-1]}"


def _of_kept(resolved: Resolved, keep: Degrees) -> str:
    """What is wrong with the values held, whatever the others are; empty where nothing is."""
    kind = "selective" if keep.get("recompute_modules") else "full" if keep.get("recompute_layers") else "none"
    strategy = resolved.strategy.model_copy(update={**PLAIN, "recompute": kind, **keep})
    keys = {f"strategy.{key}" for key in keep}
    broken = errors(dataclasses.replace(resolved, strategy=strategy))
    return next((one.message for one in broken if one.key in keys), "")


def _problems(resolved: Resolved, rule: Rule, degrees: Degrees) -> list[Problem]:
    """The errors a rule finds in a plain strategy with some degrees."""
    strategy = resolved.strategy.model_copy(update={**PLAIN, **degrees})
    return [one for one in rule(dataclasses.replace(resolved, strategy=strategy)) if one.severity == "error"]


class _Counting:
    """Counts split by split.

    Args:
        space: without constraints.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self.r = space.resolved
        self.cards, self.batch = self.r.plan.cluster.cards, self.r.plan.workload.global_batch
        self.out: dict[str, _Out] = {}
        self.broken = cache(self._broken)

    def stages(self, stages: int) -> None:
        """All strategies of a pipeline degree."""
        stage = self.cards // stages
        experts, again = self._experts(stage), len(self.space.ways(stages))
        for tensor in divisors(stage):
            for context in divisors(stage // tensor):
                degrees = {"pipeline": stages, "tensor": tensor, "context": context}
                data = stage // tensor // context
                pipelined, shardings = self._pipelined(degrees, data), self._shardings(degrees)
                axes: tuple[_Axis, ...] = (self._sequence(degrees), experts, pipelined, shardings, (again, []))
                self._count(self._split({**degrees, "data": data}), axes)

    def _count(self, split: _Loss | None, axes: tuple[_Axis, ...]) -> None:
        """What is lost of a split: all, or of each axis, with what is left of those before and all of those after."""
        if split is not None:
            self._take(split, math.prod(size for size, _ in axes))
            return
        left = 1
        for number, (size, losses) in enumerate(axes):
            after = math.prod(size for size, _ in axes[number + 1 :])
            for one in losses:
                self._take(one, left * after)
            left *= size - sum(one.count for one in losses)

    def _take(self, one: _Loss, times: int) -> None:
        known = self.out.setdefault(one.rule.__name__, _Out(one))
        if one.value < known.first.value:
            known.first = one
        known.values.add(one.value)
        known.count += one.count * times

    def _broken(self, rules: tuple[Rule, ...], **degrees: Any) -> Rule | None:  # noqa: ANN401 - keys of the strategy
        """The first of some rules that a plain strategy with these degrees breaks."""
        return next((rule for rule in rules if _problems(self.r, rule, degrees)), None)

    def _split(self, split: dict[str, int]) -> _Loss | None:
        """The first rule about a degree alone that the split breaks."""
        for name, rules in SPLIT.items():
            value = split[name]
            of = {name: value} if name != "data" else {"tensor": self.cards // value}  # whatever makes so many groups
            if rule := self.broken(rules, **of):
                return _Loss(rule, of, name, value)
        return None

    def _sequence(self, degrees: dict[str, int]) -> _Axis:
        """Sequence parallelism: off, or on."""
        tensor, context = degrees["tensor"], degrees["context"]
        if tensor == 1:
            return 1, []
        of = {"tensor": tensor, "context": context, "sequence": True}
        rule = self.broken((layout.sequence_parallel,), **of)
        return 2, [_Loss(rule, of, "sequence parallelism over context x tensor", tensor * context)] if rule else []

    def _experts(self, stage: int) -> _Axis:
        """Expert and expert tensor degrees into which the cards of a stage divide."""
        if self.r.model.moe is None:
            return 1, []
        pairs = [(e, x) for e in divisors(stage) for x in divisors(stage // e)]
        losses = []
        for expert, split in pairs:
            if rule := self.broken((layout.experts,), expert=expert):
                losses.append(_Loss(rule, {"expert": expert}, "expert", expert))
            elif rule := self.broken((layout.expert_tensor,), expert_tensor=split):
                losses.append(_Loss(rule, {"expert_tensor": split}, "expert tensor", split))
        return len(pairs), losses

    def _pipelined(self, degrees: dict[str, int], data: int) -> _Axis:
        """Micro batches, each with every schedule and every number of virtual stages; DualPipe asks the most."""
        stages = degrees["pipeline"]
        whole = self.batch % data == 0  # else the split is lost
        counts = divisors(self.batch // data) if whole else (1,)
        if stages == 1:
            return len(counts) * len(("1f1b", "gpipe")), []
        virtual = max(pipeline.most_chunks(self.r) // stages, 1)
        schedules = len(("1f1b", "gpipe", "dualpipe")) + min(virtual, pipeline.ZERO_BUBBLE_CHUNKS) + virtual - 1
        of = {"pipeline": stages, "schedule": "dualpipe"}
        losses = []
        if rule := self.broken((pipeline.schedule_has_its_chunks,), **of):
            losses.append(_Loss(rule, of, "dualpipe with pipeline", stages, len(counts)))
        elif whole and (wrong := [n for n in counts if n % 2 or n < 2 * stages]):
            micro = self.batch // data // wrong[0]
            of |= {"tensor": self.cards // stages // data, "micro_batch": micro}
            losses.append(_Loss(pipeline.dualpipe, of, "dualpipe with pipeline", stages, len(wrong)))
        return schedules * len(counts), losses

    def _shardings(self, degrees: dict[str, int]) -> _Axis:
        """Shardings over the whole data-parallel group, and over the shard group of the plan or of the search."""
        every = self.space.shardings()
        group = self.r.strategy.shard_group
        of = {**degrees, "sharding": "zero1", "shard_group": group}
        rule = self.broken((memory.shard_group,), **of) if group else None
        grouped = sum(size > 0 for _, size in every)
        return len(every), [_Loss(rule, of, "shard group", group, grouped)] if rule else []
