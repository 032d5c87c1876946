"""Sweeps: a plan over any of its keys, cut into pieces that any process can compute."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import pickle
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.exchange.edits import set_keys
from planner.exchange.plan_toml import as_dict
from planner.exchange.sweep_rows import FIGURES, STRATEGY_KEYS, Columns, Combination, Piece, Strategies, Value, split
from planner.exchange.typed import number_or_word
from planner.spec.base import PlanError, Problem
from planner.spec.plan import Plan
from planner.spec.words import shown

if TYPE_CHECKING:
    from planner.catalog import Catalog
    from planner.exchange.sweep_places import Compute


BATCH = {"plan": 64, "best": 2}
"""Combinations of a piece: some tenths of a second each."""
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

    def rows(self, catalog: Catalog, start: int, computed: Compute) -> Generator[tuple[int, list[Columns]]]:
        """Blocks of rows, each time with the number of combinations that are complete once they are written.

        Args:
            catalog: where names are looked up.
            start: combinations to pass over.
            computed: computes pieces, here or elsewhere; see `sweep_places`.
        """
        some = False
        for piece, blocks in computed(self.pieces(catalog, start)):
            some = some or bool(blocks)
            yield piece.done, blocks if some or not piece.last else [piece.nothing_fits()]
            some = some and not piece.last

    def pieces(self, catalog: Catalog, start: int = 0) -> Iterator[Piece]:
        """The rows in pieces, none of them computed yet.

        Args:
            catalog: where names are looked up: here, so that no other process needs the user's own entries.
            start: combinations to pass over.
        """
        combinations = (self._combination(catalog, values) for values in self._values(start))
        if self.strategies != "all":
            size = BATCH[self.strategies]
            while batch := tuple(itertools.islice(combinations, size)):
                start += len(batch)
                yield Piece(start, self.columns, batch)
            return
        for one in combinations:
            start += 1
            yield from split(start, self.columns, one)

    def _values(self, start: int) -> Iterator[dict[str, Value]]:
        for values in itertools.islice(itertools.product(*(one.values for one in self.vary)), start, None):
            yield {one.key: value for one, value in zip(self.vary, values, strict=True)}

    def _combination(self, catalog: Catalog, varied: dict[str, Value]) -> Combination:
        try:
            plan = set_keys(self.plan, varied.items(), catalog, self.plan.name)
            strategies = "best" if plan.strategy is None and self.strategies == "plan" else self.strategies
            return Combination(varied, strategies, pickle.dumps(catalog.resolve(plan.searchable)))
        except PlanError as error:
            return Combination(varied, self.strategies, problem=" ".join(error.lines()))


def _values(part: str, text: str) -> Sequence[Value]:
    if part.count(":") == 0:
        return (_value(part),)
    ends = [_value(piece) for piece in part.split(":")]
    numbers = [end for end in ends if isinstance(end, int | float) and not isinstance(end, bool)]
    if len(numbers) != len(ends) or len(ends) > RANGE_PARTS:
        raise _refused(text, "A range is a:b or a:b:step, all of them numbers.")
    start, stop, step = numbers[0], numbers[1], numbers[2] if len(numbers) == RANGE_PARTS else 1
    if step <= 0 or stop < start:
        raise _refused(text, "A range goes up, by a step above zero.")
    if (stop - start) / step > MOST_VALUES:
        raise _refused(text, f"A range has up to {MOST_VALUES:,} values; take a longer step.")
    count = int((stop - start) / step + ALMOST) + 1
    return tuple(start + step * n for n in range(count))


def _value(piece: str) -> Value:
    """A value as TOML has it, or a number with a letter; what is neither is text."""
    if piece in {"true", "false"}:
        return piece == "true"
    word = number_or_word(piece)
    return word.strip('"') if isinstance(word, str) else word


def _refused(text: str, fix: str) -> PlanError:
    return PlanError([Problem("error", "--vary", f"{shown(text)} cannot be read.", fix)])
