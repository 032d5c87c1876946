"""Limits of a search: what is offered means on the command line what it means on screen."""

from __future__ import annotations

import json
import shlex

import pytest
from tests.cli.helpers import planner
from tests.plans import BUILT_IN

from planner.engine.search import search
from planner.exchange.search_limits import Limit, constraints, offered, toggled


@pytest.mark.parametrize("preset", ["llama-3.1-8b", "mixtral-8x22b"])
def test_each_limit_is_the_option_it_names(preset: str) -> None:
    r = BUILT_IN.resolve(BUILT_IN.plan(preset))
    every = list(offered(r))
    assert {one.option for one in every} == {"max-tensor", "keep", "schedule", "sharding", "headroom"}
    for one in every[::3]:
        result = search(r, 1, constraints([one]))
        data = json.loads(planner("search", preset, "--json", "--top", "1", *shlex.split(one.flag)).stdout)
        assert data["searched"] == result.searched
        best = [row["estimate"]["step_time_s"] for row in data["results"]]
        assert best == pytest.approx([one.step_time_s for one in result.ranked], rel=1e-12)


def test_a_limit_set_twice_is_taken_back_and_another_value_takes_its_place() -> None:
    eight, four = Limit("max-tensor", 8), Limit("max-tensor", 4)
    zero1, zero2, keep = Limit("sharding", "zero1"), Limit("sharding", "zero2"), Limit("keep", 2, "pipeline")
    limits: tuple[Limit, ...] = ()
    for one in (eight, zero1, keep, zero2, four):
        limits = toggled(limits, one)
    assert limits == (zero1, keep, zero2, four)
    found = constraints(limits)
    assert found is not None
    assert (found.max_tensor, found.shardings, found.keep) == (4, ("zero1", "zero2"), {"pipeline": 2})
    assert constraints(toggled((four,), four)) is None
