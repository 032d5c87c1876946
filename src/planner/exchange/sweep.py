"""Sweeps: a plan over any of its keys, as rows that come one block at a time."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from planner.exchange.edits import set_keys
from planner.exchange.plan_toml import as_dict
from planner.spec.base import PlanError, Problem
from planner.spec.plan import Plan
from planner.spec.wording import shown

if TYPE_CHECKING:
    from planner.catalog import Catalog
    from planner.engine.result import Estimate
    from planner.spec.plan import Resolved, Strategy

Value = int | float | bool | str
Columns = dict[str, Any]
"""Column -> a list or an array of values; all of one length."""
Strategies = Literal["plan", "best", "all"]
"""The plan's own strategy, the best that fits, or every one that fits."""

FIGURES = (
    "step_time_s", "tokens_per_s_per_card", "mfu", "training_days", "cost_usd", "energy_mwh", "power_mw", "memory_gb",
)  # fmt: skip
"""Figures of a row."""
LEVEL = {"step_time_s": 1.0, "training_days": 1.0, "cost_usd": 1.0, "energy_mwh": 1.0, "tokens_per_s_per_card": -1.0,
         "mfu": -1.0, "power_mw": 0.0}  # fmt: skip
"""How a figure follows the step time where cluster and workload stay: proportional, inverse, or not."""
STRATEGY_KEYS = (
    "tensor", "sequence", "context", "pipeline", "virtual_stages", "expert", "expert_tensor", "micro_batch", "schedule",
    "sharding", "shard_group", "recompute", "recompute_modules", "recompute_layers",
)  # fmt: skip
"""Keys of the strategy a row carries where a search chose it."""
RANGE_PARTS = 3
MOST_VALUES = 1_000_000
"""Values of one range."""
ALMOST = 1e-9


@dataclass(frozen=True, slots=True)
class Vary:
    """A key of the plan and the values it takes."""

    key: str
    values: tuple[Value, ...]


def parse_vary(text: str) -> Vary:
    """`KEY=VALUES`: a list `a,b,c`, ranges `a:b:step` (the end counts) among them.

    >>> parse_vary("cluster.cards=8,16:64:16").values
    (8, 16, 32, 48, 64)

    Raises:
        PlanError: it is none.
    """
    key, sign, values = text.partition("=")
    key = key.strip()
    if not sign or not key or not values.strip():
        raise _refused(text, "Write KEY=VALUES, for example cluster.cards=1024,2048 or cluster.cards=1024:8192:1024.")
    if key.count(".") < 1:
        raise _refused(text, f"Write the table before the key, for example cluster.{key} or workload.{key}.")
    found = tuple(value for part in values.split(",") for value in _values(part.strip(), text))
    return Vary(key, found)


@dataclass(frozen=True)
class Sweep:
    """All combinations of some keys' values, the last key fastest."""

    plan: Plan
    vary: tuple[Vary, ...]
    strategies: Strategies = "plan"

    @property
    def count(self) -> int:
        """Combinations."""
        return math.prod(len(one.values) for one in self.vary)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        varied = tuple(one.key for one in self.vary)
        chosen = tuple(f"strategy.{key}" for key in STRATEGY_KEYS) if self.strategies != "plan" else ()
        return (*varied, *(key for key in chosen if key not in varied), *FIGURES, "fits", "problem")

    @property
    def signature(self) -> str:
        """Changes with anything that changes a row's place or meaning: what a resumed sweep must agree on."""
        from planner import __version__

        asked = [__version__, as_dict(self.plan), [[v.key, list(v.values)] for v in self.vary], self.strategies]
        return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()[:16]

    def rows(self, catalog: Catalog, start: int = 0) -> Iterator[tuple[int, Columns]]:
        """Blocks of rows, each with the number of combinations that are done once it is written.

        Args:
            catalog: where names are looked up.
            start: combinations to pass over.
        """
        combinations = itertools.product(*(one.values for one in self.vary))
        for number, values in enumerate(itertools.islice(combinations, start, None), start):
            varied = {one.key: value for one, value in zip(self.vary, values, strict=True)}
            last: Columns | None = None
            for block in self._blocks(catalog, varied):
                if last is not None:
                    yield number, last
                last = block
            yield number + 1, last if last is not None else {name: [] for name in self.columns}

    def _blocks(self, catalog: Catalog, varied: dict[str, Value]) -> Iterator[Columns]:
        try:
            yield from self._figures(catalog, varied)
        except PlanError as error:
            yield self._block({**varied, "fits": False, "problem": " ".join(error.lines())})

    def _figures(self, catalog: Catalog, varied: dict[str, Value]) -> Iterator[Columns]:
        from planner.engine.estimate import evaluate
        from planner.engine.search_space import Constraints
        from planner.spec.plan import Strategy

        plan = set_keys(self.plan, varied.items(), catalog, self.plan.name)
        if plan.strategy is None or self.strategies != "plan":
            if plan.strategy is None:
                plan = plan.model_copy(update={"strategy": Strategy()})
            resolved = catalog.resolve(plan)
            prefix = "strategy."
            keep = {k.removeprefix(prefix): v for k, v in varied.items() if k.startswith(prefix)}
            if self.strategies == "all":
                yield from self._every(resolved, varied, Constraints(keep=keep))
                return
            yield self._best(resolved, varied, Constraints(keep=keep))
            return
        outcome = evaluate(catalog.resolve(plan))
        yield self._block({**varied, **_of(outcome.estimate), "fits": outcome.fits})

    def _best(self, resolved: Resolved, varied: dict[str, Value], constraints: Any) -> Columns:  # noqa: ANN401
        from planner.engine.estimate import evaluate
        from planner.engine.search import search

        found = search(resolved, 1, constraints).ranked
        if not found:
            return self._block({**varied, "fits": False, "problem": "no strategy fits."})
        strategy = found[0].strategy
        outcome = evaluate(dataclasses.replace(resolved, strategy=strategy))
        return self._block({**varied, **_named(strategy), **_of(outcome.estimate), "fits": True})

    def _every(self, resolved: Resolved, varied: dict[str, Value], constraints: Any) -> Iterator[Columns]:  # noqa: ANN401
        import numpy as np

        from planner.engine.estimate import evaluate
        from planner.engine.search_space import Space
        from planner.engine.search_table import feasible

        scale: dict[str, float] = {}
        space = Space(resolved, constraints)
        for table in feasible(resolved, constraints):
            count = len(table.step_time_s)
            if not scale:
                place = space.slices[-1]
                row = int(place.row_counts.argmax())
                chunk, shard = int(place.allowed[row].argmax()), int(place.shares[row].argmax())
                one = space.strategy(len(space.slices) - 1, row, 0, chunk, shard, 0)
                estimate = evaluate(dataclasses.replace(resolved, strategy=one)).estimate
                scale = {k: getattr(estimate, k) / estimate.step_time_s**power for k, power in LEVEL.items()}
            block: Columns = {name: np.full(count, value) for name, value in varied.items()}
            block |= {f"strategy.{key}": values for key, values in table.strategy.items()}
            block |= {k: scale[k] * table.step_time_s**power for k, power in LEVEL.items()}
            block |= {"step_time_s": table.step_time_s, "memory_gb": table.memory_gb}
            block |= {"fits": np.ones(count, dtype=np.bool_), "problem": np.full(count, "")}
            yield {name: block[name] for name in self.columns}
        if not scale:
            yield self._block({**varied, "fits": False, "problem": "no strategy fits."})

    def _block(self, row: dict[str, Any]) -> Columns:
        """A block of one row."""
        return {name: [row.get(name, "" if name == "problem" else None)] for name in self.columns}


def _of(estimate: Estimate) -> dict[str, float]:
    return {name: float(getattr(estimate, name)) for name in FIGURES}


def _named(strategy: Strategy) -> dict[str, Any]:
    values = {f"strategy.{key}": getattr(strategy, key) for key in STRATEGY_KEYS}
    values["strategy.recompute_modules"] = " ".join(strategy.recompute_modules)
    return values


def _values(part: str, text: str) -> Sequence[Value]:
    if part.count(":") == 0:
        return (_value(part),)
    ends = [_value(piece) for piece in part.split(":")]
    numbers = [end for end in ends if isinstance(end, int | float) and not isinstance(end, bool)]
    if len(numbers) != len(ends) or len(ends) > RANGE_PARTS:
        raise _refused(text, "A range is a:b or a:b:step, all of them numbers.")
    start, stop, step = numbers[0], numbers[1], numbers[2] if len(numbers) == RANGE_PARTS else 1
    if step <= 0 or stop < start or (stop - start) / step > MOST_VALUES:
        raise _refused(text, "A range goes up, by a step above zero.")
    count = int((stop - start) / step + ALMOST) + 1
    return tuple(start + step * n for n in range(count))


def _value(piece: str) -> Value:
    """A value as TOML has it; what is none is text."""
    if piece in {"true", "false"}:
        return piece == "true"
    try:
        return int(piece.replace("_", ""))
    except ValueError:
        pass
    try:
        number = float(piece.replace("_", ""))
    except ValueError:
        return piece.strip('"')
    return number if math.isfinite(number) else piece


def _refused(text: str, fix: str) -> PlanError:
    return PlanError([Problem("error", "--vary", f"{shown(text)} cannot be read.", fix)])
