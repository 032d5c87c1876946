"""Numbers nobody means, typed letter by letter into every line of the workbench: told, never a crash, never a wait."""

from __future__ import annotations

import math
import time
from dataclasses import astuple, is_dataclass
from itertools import product

import pytest
from tests.tui.helpers import CATALOG

from planner.engine.estimate import evaluate
from planner.exchange import plan_toml
from planner.tui.fields import CLUSTER, MORE, STRATEGY, WORKLOAD, Field, type_into
from planner.tui.state import Session
from planner.tui.stepping import stepped

NUMBERS = [item for item in (*CLUSTER, *WORKLOAD, *STRATEGY, *MORE) if item.kind == "number"]
TEXTS = ("1e308", "1e30", "1e21", "1e19", "9007199254740992", "-1", "0", "nan", "1e-308", "1e-9", "7")
LONGEST_S = 2.0


def typed(item: Field, text: str, basis: str) -> Session:
    session = Session(CATALOG, evaluate, CATALOG.plan("deepseek-v3"), "deepseek-v3")
    session.edit("cost.basis", basis, "basis")
    token = object()
    for end in range(1, len(text) + 1):
        type_into(item, session, text[:end], token)
    return session


def numbers_of(value: object) -> list[float]:
    if is_dataclass(value) and not isinstance(value, type):
        return numbers_of(astuple(value))
    if isinstance(value, dict):
        return numbers_of(list(value.values()))
    if isinstance(value, list | tuple):
        return [number for item in value for number in numbers_of(item)]
    return [float(value)] if isinstance(value, int | float) else []


@pytest.mark.parametrize("item", NUMBERS, ids=lambda item: item.key)
def test_any_number_in_any_line(item: Field) -> None:
    for text, basis in product(TEXTS, ("rent", "own")):
        start = time.perf_counter()
        session = typed(item, text, basis)
        for direction in (1, -1):
            stepped(item, session, direction)
        assert time.perf_counter() - start < LONGEST_S
        if session.stale:
            continue
        assert session.outcome is not None
        assert all(math.isfinite(number) for number in numbers_of(session.outcome.estimate))
        assert plan_toml.as_dict(plan_toml.loads(plan_toml.write(session.plan))) == plan_toml.as_dict(session.plan)


@pytest.mark.parametrize("item", [item for item in NUMBERS if item.whole], ids=lambda item: item.key)
def test_a_whole_number_beyond_a_files_is_told_in_the_files_words(item: Field) -> None:
    session = typed(item, "1e308", "rent")
    assert "is too large; whole numbers go up to 2^53" in session.error(item.key)
