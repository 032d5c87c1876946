"""The rows of a sweep, a piece at a time: all that a process needs, and needs to do, to compute some of them."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from planner.spec.base import PlanError

if TYPE_CHECKING:
    from planner.engine.result import Outcome
    from planner.engine.search_space import Constraints
    from planner.engine.search_table import Blocks, Table
    from planner.spec.plan import Resolved, Strategy

Value = int | float | bool | str
Columns = dict[str, Any]
"""Column -> a list, an array or a `Coded` column of values; all of one length."""
Strategies = Literal["plan", "best", "all"]
"""The plan's own strategy, the best that fits, or every one that fits."""

FIGURES = (
    "step_time_s", "tokens_per_s_per_card", "mfu", "training_days", "cost_usd", "energy_mwh", "co2_kg", "power_mw",
    "memory_gb",
)  # fmt: skip
"""Figures of a row."""
LEVEL = {"step_time_s": 1.0, "training_days": 1.0, "cost_usd": 1.0, "energy_mwh": 1.0, "co2_kg": 1.0,
         "tokens_per_s_per_card": -1.0, "mfu": -1.0, "power_mw": 0.0}  # fmt: skip
"""How a figure follows the step time where cluster and workload stay: proportional, inverse, or not."""
STRATEGY_KEYS = (
    "tensor", "sequence", "context", "pipeline", "virtual_stages", "expert", "expert_tensor", "micro_batch", "schedule",
    "sharding", "shard_group", "recompute", "recompute_modules", "recompute_layers",
)  # fmt: skip
"""Keys of the strategy a row carries where a search chose it."""
PREFIX = "strategy."
BLOCKS = 4
"""Blocks of a space in a piece: tens of milliseconds and megabytes each."""
NOTHING_FITS = "no strategy fits."


@dataclass(frozen=True, slots=True)
class Combination:
    """A combination of the varied keys' values.

    Attributes:
        varied: key -> value.
        strategies: of which strategies there are rows.
        resolved: the plan with all it names, pickled: many pieces are of the same.
        problem: why there is no such plan.
    """

    varied: dict[str, Value]
    strategies: Strategies
    resolved: bytes = b""
    problem: str = ""

    @property
    def keep(self) -> tuple[tuple[str, Value], ...]:
        """Keys of the strategy that are varied, which no search may change."""
        return tuple((k.removeprefix(PREFIX), v) for k, v in self.varied.items() if k.startswith(PREFIX))


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows that follow each other.

    Attributes:
        done: combinations of the sweep that are complete once these rows are written.
        columns: names of the columns.
        combinations: of which the rows are.
        blocks: of one combination's space, those whose strategies are the rows; None: no space is listed.
        last: of the pieces of its combination.
    """

    done: int
    columns: tuple[str, ...]
    combinations: tuple[Combination, ...]
    blocks: range | None = None
    last: bool = True

    def table(self, rows: list[dict[str, Any]]) -> Columns:
        """Rows as columns; what a row does not have is empty."""
        return {name: [row.get(name, "" if name == "problem" else None) for row in rows] for name in self.columns}

    def nothing_fits(self) -> Columns:
        """The row of a combination none of whose pieces has a row."""
        return self.table([{**self.combinations[0].varied, "fits": False, "problem": NOTHING_FITS}])


def split(done: int, columns: tuple[str, ...], one: Combination) -> Iterator[Piece]:
    """The pieces of a combination whose strategies are all listed."""
    try:
        count = len(_blocks(one.resolved, one.keep)) if one.resolved else 0
    except PlanError as error:
        one, count = Combination(one.varied, one.strategies, problem=" ".join(error.lines())), 0
    for start in range(0, count, BLOCKS):
        last = start + BLOCKS >= count
        blocks = range(start, min(start + BLOCKS, count))
        yield Piece(done if last else done - 1, columns, (one,), blocks, last)
    if not count:
        yield Piece(done, columns, (one,))


def compute(piece: Piece) -> list[Columns]:
    """The rows of a piece."""
    if piece.blocks is not None:
        return list(_every(piece, piece.combinations[0], piece.blocks))
    return [piece.table([{**one.varied, **_figures_of(one)} for one in piece.combinations])]


def _figures_of(one: Combination) -> dict[str, Any]:
    if one.problem:
        return {"fits": False, "problem": one.problem}
    try:
        return _own(one) if one.strategies == "plan" else _best(one)
    except PlanError as error:
        return {"fits": False, "problem": " ".join(error.lines())}


def _own(one: Combination) -> dict[str, Any]:
    from planner.engine.estimate import evaluate

    outcome = evaluate(pickle.loads(one.resolved))  # noqa: S301 - made by this program for itself
    return {**_figures(outcome), "fits": outcome.fits}


def _best(one: Combination) -> dict[str, Any]:
    from planner.engine.estimate import evaluate
    from planner.engine.search import search

    resolved: Resolved = pickle.loads(one.resolved)  # noqa: S301 - made by this program for itself
    found = search(resolved, 1, _constraints(one.keep)).ranked
    if not found:
        return {"fits": False, "problem": NOTHING_FITS}
    outcome = evaluate(dataclasses.replace(resolved, strategy=found[0].strategy))
    return {**_named(found[0].strategy), **_figures(outcome), "fits": True}


def _every(piece: Piece, one: Combination, numbers: range) -> Iterator[Columns]:
    from planner.engine.search_table import Coded

    blocks = _blocks(one.resolved, one.keep)
    for number in numbers:
        table = blocks.table(number)
        if table is None:
            continue
        count = len(table.step_time_s)
        block: Columns = {name: Coded.same(value, count) for name, value in one.varied.items()}
        block |= {f"{PREFIX}{key}": values for key, values in table.strategy.items()}
        block |= _scaled(table, _scale(one.resolved, one.keep))
        if not blocks.space.resolved.priced:
            block["cost_usd"] = Coded.same(None, count)
        block |= {"memory_gb": table.memory_gb, "fits": Coded.same(True, count), "problem": Coded.same("", count)}
        yield {name: block[name] for name in piece.columns}


def _scaled(table: Table, scale: dict[str, float]) -> Columns:
    return {name: scale[name] * table.step_time_s**power for name, power in LEVEL.items()}


@lru_cache(maxsize=2)
def _blocks(resolved: bytes, keep: tuple[tuple[str, Value], ...]) -> Blocks:
    from planner.engine.search_table import Blocks

    return Blocks(pickle.loads(resolved), _constraints(keep))  # noqa: S301 - made by this program for itself


@lru_cache(maxsize=2)
def _scale(resolved: bytes, keep: tuple[tuple[str, Value], ...]) -> dict[str, float]:
    """Figure -> what it is of a step of one second, the same for all strategies of a space."""
    from planner.engine.estimate import evaluate

    blocks = _blocks(resolved, keep)
    one = dataclasses.replace(blocks.space.resolved, strategy=blocks.space.some())
    estimate = evaluate(one).estimate
    return {name: getattr(estimate, name) / estimate.step_time_s**power for name, power in LEVEL.items()}


def _constraints(keep: tuple[tuple[str, Value], ...]) -> Constraints:
    from planner.engine.search_space import Constraints

    return Constraints(keep=dict(keep))


def _figures(outcome: Outcome) -> dict[str, float | None]:
    figures: dict[str, float | None] = {name: float(getattr(outcome.estimate, name)) for name in FIGURES}
    return figures if outcome.resolved.priced else {**figures, "cost_usd": None}


def _named(strategy: Strategy) -> dict[str, Any]:
    values = {f"{PREFIX}{key}": getattr(strategy, key) for key in STRATEGY_KEYS}
    values["strategy.recompute_modules"] = " ".join(strategy.recompute_modules)
    return values
