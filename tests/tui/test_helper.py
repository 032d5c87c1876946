"""The process that searches beside the keys."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Iterator

import pytest

from planner.catalog import Catalog
from planner.engine.search import search
from planner.engine.size import size
from planner.exchange.sizing import clusters
from planner.spec.base import PlanError
from planner.tui.helper import Helper
from planner.tui.thinking import Stopped, ranked, sized


@pytest.fixture
def helper() -> Iterator[Helper]:
    one = Helper()
    yield one
    one.close()


def process_id(between: Callable[[], None]) -> int:
    between()
    return os.getpid()


def endless(between: Callable[[], None]) -> None:
    while True:
        between()


def dies(between: Callable[[], None]) -> None:
    os._exit(1)


def test_another_process_finds_the_same(helper: Helper) -> None:
    r = Catalog.default().resolve(Catalog.default().plan("llama-3.1-8b"))
    here, there = search(r, 5), helper.ask(ranked, (r, 5, None), lambda: None)
    assert [one.strategy for one in there.ranked] == [one.strategy for one in here.ranked]
    assert there.front == here.front


def test_another_process_sizes_a_cluster_for_a_deadline_and_stops_between_two(helper: Helper) -> None:
    catalog = Catalog.default()
    plan = catalog.plan("llama-3.1-8b")
    there = helper.ask(sized, (plan, ("",), 60.0), lambda: None)
    here = size(clusters(plan, catalog), [""], 60.0)
    assert (there.results, there.tried) == (here.results, here.tried)
    asked = 0

    def between() -> None:
        nonlocal asked
        asked += 1
        raise Stopped

    with pytest.raises(Stopped):
        sized(plan, ("",), 60.0, between)
    assert asked == 1


def test_work_nobody_waits_for_ends_at_once_and_the_helper_stays(helper: Helper) -> None:
    number = helper.ask(process_id, (), lambda: None)
    assert number != os.getpid()
    start = time.monotonic()

    def check() -> None:
        if time.monotonic() > start + 0.2:
            raise Stopped

    with pytest.raises(Stopped):
        helper.ask(endless, (), check)
    assert helper.ask(process_id, (), lambda: None) == number


def test_what_is_wrong_with_a_plan_is_told(helper: Helper) -> None:
    r = Catalog.default().resolve(Catalog.default().plan("llama-3.1-8b"))
    work = r.plan.workload.model_copy(update={"precision": "nvfp4"})
    bad = dataclasses.replace(r, plan=r.plan.model_copy(update={"workload": work}))
    with pytest.raises(PlanError, match="nvfp4"):
        helper.ask(ranked, (bad, 1, None), lambda: None)


def test_a_helper_that_dies_is_followed_by_another(helper: Helper) -> None:
    with pytest.raises(PlanError, match="before its time"):
        helper.ask(dies, (), lambda: None)
    assert helper.ask(process_id, (), lambda: None) != os.getpid()
