"""The search against the engine, against brute force and against the rules."""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.engine.random_plans import random_plans

from planner.catalog import Catalog
from planner.engine.estimate import evaluate
from planner.engine.inputs import SCHEDULES, SHARDINGS
from planner.engine.search import Search, search
from planner.engine.search_closest import closest
from planner.engine.search_reasons import differences, nothing_fits, rejected, with_cards
from planner.engine.search_space import Again, Constraints, Space, canonical
from planner.engine.search_table import Blocks
from planner.spec.base import PlanError
from planner.spec.parse import parse_plan
from planner.spec.plan import Resolved, Strategy
from planner.spec.rules import errors

DENSE = {"layers": 4, "hidden": 1024, "ffn_hidden": 4096, "heads": 8, "kv_heads": 4, "vocab": 32000}
MOE = {**DENSE, "moe": {"experts": 4, "topk": 2, "expert_ffn": 1536, "shared": 1, "first_k_dense": 1}}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.default()


def small(model: dict[str, Any], cards: int, batch: int, **workload: Any) -> Resolved:
    data = {
        "schema": 1,
        "cluster": {"card": "h100-sxm", "cards": cards},
        "workload": {"model": model, "tokens": 1e9, "global_batch": batch, "sequence_length": 1024, **workload},
        "strategy": {},
    }
    return Catalog.default().resolve(parse_plan(data, "test"))


def preset(catalog: Catalog, name: str, cards: int = 0, **workload: Any) -> Resolved:
    r = catalog.resolve(catalog.plan(name))
    work = r.plan.workload.model_copy(update=workload)
    r = dataclasses.replace(r, plan=r.plan.model_copy(update={"workload": work}))
    return with_cards(r, cards) if cards else r


def with_(r: Resolved, **changes: Any) -> Resolved:
    return dataclasses.replace(r, strategy=r.strategy.model_copy(update=changes))


def place_of(strategy: Strategy, space: Space) -> tuple[int, int, int, int, int, int] | None:
    """Where a strategy, or the one that means the same, stands in a space; None: nowhere."""
    y = canonical(strategy, space.resolved)
    for number, one in enumerate(space.slices):
        if one.pipeline != y.pipeline:
            continue
        wanted = (
            (one.rows, (y.tensor, int(bool(y.sequence)), y.context, y.micro_batch)),
            (one.experts, (y.expert, y.expert_tensor)),
            (one.chunks, (y.virtual_stages, SCHEDULES.index(y.schedule or "1f1b"))),
            (one.sharding, (SHARDINGS.index(y.sharding), y.shard_group)),
        )
        found = [np.flatnonzero((table == np.array(key)).all(axis=1)) for table, key in wanted]
        again = Again(y.recompute, y.recompute_modules, y.recompute_layers)
        if any(len(where) == 0 for where in found) or again not in one.again:
            return None
        row, expert, chunk, shard = (int(where[0]) for where in found)
        fine = one.allowed[row, chunk] and one.shares[row, shard]
        return (number, row, expert, chunk, shard, one.again.index(again)) if fine else None
    return None


CASES = [
    ("llama-3.1-8b", 16, {"global_batch": 32}),
    ("llama-3.1-70b", 48, {"global_batch": 48}),
    ("llama-3.1-405b", 512, {"global_batch": 16}),
    ("mixtral-8x22b", 48, {"global_batch": 48}),
    ("deepseek-v3", 128, {"global_batch": 16}),
    ("palm-540b", 768, {"global_batch": 32}),
    ("gpt-3-175b", 96, {"global_batch": 24}),
]


@pytest.mark.parametrize(("name", "cards", "workload"), CASES)
def test_figures_are_those_of_the_estimate(catalog: Catalog, name: str, cards: int, workload: dict[str, Any]) -> None:
    r = preset(catalog, name, cards, **workload)
    allowed = Constraints(shardings=("zero1", "zero3") if r.model.moe else ())
    pick = random.Random(1)
    seen = 0
    for table in itertools.islice(Blocks(r, allowed).tables(), 0, 24, 3):
        for at in pick.sample(range(len(table.step_time_s)), min(4, len(table.step_time_s))):
            keys = {key: column.tolist()[at] for key, column in table.strategy.items()}
            keys["recompute_modules"] = tuple(keys["recompute_modules"].split())
            outcome = evaluate(with_(r, **keys))
            assert outcome.fits
            assert outcome.estimate.step_time_s == pytest.approx(table.step_time_s[at], rel=1e-12)
            assert outcome.estimate.memory_gb == pytest.approx(table.memory_gb[at], rel=1e-12)
            seen += 1
    assert seen or not search(r, 1).ranked


def test_figures_are_those_of_the_estimate_on_random_plans() -> None:
    """Over all cards, models, stacks, offloads, overlaps and kernels; strategies from all over each space."""
    pick = random.Random(3)
    seen: Counter[str] = Counter()
    for r in random_plans(120):
        blocks = Blocks(r, Constraints(keep={"micro_batch": 1}))
        for number in pick.sample(range(len(blocks)), min(2, len(blocks))):
            table = blocks.table(number)
            for at in pick.sample(range(len(table.step_time_s)), min(2, len(table.step_time_s))) if table else ():
                assert table is not None
                keys = {key: column.tolist()[at] for key, column in table.strategy.items()}
                keys["recompute_modules"] = tuple(keys["recompute_modules"].split())
                outcome = evaluate(with_(r, **keys))
                assert outcome.fits
                assert outcome.estimate.step_time_s == pytest.approx(table.step_time_s[at], rel=1e-12)
                assert outcome.estimate.memory_gb == pytest.approx(table.memory_gb[at], rel=1e-12)
                degrees = ("tensor", "context", "pipeline", "virtual_stages", "expert", "expert_tensor")
                seen.update(key for key in degrees if keys[key] > 1)
                seen.update((keys["schedule"], keys["sharding"], keys["recompute"]))
                seen["some layers"] += keys["recompute_layers"] > 0
                seen["shard group"] += keys["shard_group"] > 0
    assert min(seen[key] for key in ("tensor", "context", "pipeline", "virtual_stages", "expert", "expert_tensor")) > 0
    assert min(seen[key] for key in (*SCHEDULES, *SHARDINGS, "selective", "full", "some layers", "shard group")) > 0


def test_days_cost_and_energy_rank_alike(catalog: Catalog) -> None:
    """Which is why a search for any of them is a search for the shortest step."""
    for name, basis in itertools.product(("llama-3.1-405b", "deepseek-v3"), ("rent", "own")):
        r = preset(catalog, name)
        r = dataclasses.replace(
            r, plan=r.plan.model_copy(update={"cost": r.plan.cost.model_copy(update={"basis": basis})})
        )
        found = search(r, 60)
        every = [
            evaluate(dataclasses.replace(r, strategy=one.strategy)).estimate
            for one in (*found.ranked[::10], *found.front[::10])
        ]
        for figure in ("training_days", "cost_usd", "energy_mwh"):
            rate = [getattr(e, figure) / e.step_time_s for e in every]
            assert rate == pytest.approx([rate[0]] * len(rate), rel=1e-12)
            assert rate[0] > 0


@pytest.mark.parametrize(("name", "cards", "workload"), CASES)
def test_bounds_lose_nothing(catalog: Catalog, name: str, cards: int, workload: dict[str, Any]) -> None:
    r = preset(catalog, name, cards, **workload)
    if Space(r).count > 4e6:
        sharding = "zero2" if r.model.moe is None else "zero1"
        constraints = Constraints(shardings=(sharding,), schedules=("1f1b", "interleaved", "dualpipe"))
    else:
        constraints = Constraints()
    bounded = search(r, 25, constraints)
    full = search(r, 25, constraints, exhaustive=True)
    assert [one.strategy for one in bounded.ranked] == [one.strategy for one in full.ranked]
    assert bounded.searched == full.searched == full.evaluated == full.feasible + full.too_large
    assert bounded.feasible <= full.feasible
    assert bounded.too_large <= full.too_large
    for one in bounded.ranked:
        e = evaluate(dataclasses.replace(r, strategy=one.strategy)).estimate
        assert e.step_time_s == pytest.approx(one.step_time_s, rel=1e-12)
        assert e.memory_gb == pytest.approx(one.memory_gb, rel=1e-12)


def every_tuple(r: Resolved, space: Space) -> Iterator[Resolved]:
    """All combinations of small numbers, valid or not; recomputation as the space offers it."""
    degrees = range(1, 5) if r.model.moe else range(1, 9)
    experts = (1, 2, 4) if r.model.moe else (1,)
    ways = {way for one in space.slices for way in one.again}
    for t, c, p in itertools.product(degrees, (1, 2, 4), (1, 2, 3, 4)):
        if r.plan.cluster.cards % (t * c * p):
            continue
        for sequence, v, e, x, m, kind, zero in itertools.product(
            (False, True) if t > 1 else (False,), range(1, r.model.layers + 3), experts, experts, (1, 2, 4),
            ("gpipe", "1f1b", "interleaved", "zero-bubble", "dualpipe"), ("none", "zero3"),
        ):  # fmt: skip
            if p == 1 and kind == "interleaved":
                continue
            base = with_(
                r, tensor=t, context=c, pipeline=p, sequence=sequence, virtual_stages=v, expert=e, expert_tensor=x,
                micro_batch=m, schedule=kind, sharding=zero,
            )  # fmt: skip
            if errors(base):
                continue
            for way in ways:
                one = with_(base, recompute=way.kind, recompute_modules=way.modules, recompute_layers=way.layers)
                if not errors(one):
                    yield one


@pytest.mark.parametrize(
    ("model", "cards", "recomputes"),
    [
        (DENSE, 2, ()), ({**DENSE, "layers": 8}, 2, ("none",)), ({**DENSE, "layers": 3}, 4, ("none", "full")),
        ({**MOE, "layers": 3}, 2, ()), ({**MOE, "layers": 2}, 4, ("none", "full")),
    ],
)  # fmt: skip
def test_brute_force_over_the_estimate_finds_the_same_best(
    model: dict[str, Any], cards: int, recomputes: tuple[str, ...]
) -> None:
    r = small(model, cards, 4)
    allowed = Constraints(shardings=("none", "zero3"), recomputes=recomputes)
    space = Space(r, allowed)
    tried = {}
    for one in every_tuple(r, space):
        key = canonical(one.strategy, one)
        if key not in tried:
            tried[key] = evaluate(one)
    assert len(tried) == space.count
    fitting = [(o.estimate.step_time_s, key) for key, o in tried.items() if o.fits]
    least = min(seconds for seconds, _ in fitting)
    result = search(r, 3, allowed)
    assert result.ranked[0].step_time_s == pytest.approx(least, rel=1e-12)
    assert search(r, 1, allowed, exhaustive=True).feasible == len(fitting)


@pytest.mark.parametrize(
    ("name", "cards", "workload"),
    [("llama-3.1-70b", 96, {}), ("deepseek-v3", 2048, {}), ("mixtral-8x22b", 60, {"global_batch": 60}), CASES[5]],
)
def test_a_strategy_is_in_the_space_where_no_rule_forbids_it(
    catalog: Catalog, name: str, cards: int, workload: dict[str, Any]
) -> None:
    r = preset(catalog, name, cards, **workload)
    r = dataclasses.replace(r, strategy=Strategy(sequence=False, schedule="1f1b"))
    space = Space(r)
    pick = random.Random(7)
    inside = 0
    numbers = (1, 2, 3, 4, 5, 6, 8, 12, 16, 32, 64)
    draws: dict[str, tuple[Any, ...]] = {
        **dict.fromkeys(("tensor", "context", "pipeline", "virtual_stages", "micro_batch", "expert"), numbers),
        "expert_tensor": (1, 1, 2, 3, 4),
        "sequence": (False, True),
        "schedule": ("gpipe", "1f1b", "interleaved", "zero-bubble", "dualpipe"),
        "sharding": ("none", "zero1", "zero2", "zero3"),
    }
    for _ in range(3000):  # from a place of the space, some steps away
        at = space.slices[number := pick.randrange(len(space.slices))]
        tables = (at.rows, at.experts, at.chunks, at.sharding, at.again)
        start = space.strategy(number, *(pick.randrange(len(table)) for table in tables))
        way = pick.choice(space.slices[0].again)
        again = {"recompute": way.kind, "recompute_modules": way.modules, "recompute_layers": way.layers}
        keys = pick.sample(list(draws), pick.randrange(4))
        steps = {key: pick.choice(draws[key]) for key in keys} | (again if pick.random() < 0.3 else {})
        one = dataclasses.replace(r, strategy=start.model_copy(update=steps))
        valid = not errors(one)
        place = place_of(one.strategy, space)
        assert valid == (place is not None), (one.strategy, errors(one))
        inside += valid
        if place is not None:
            assert space.strategy(*place) == canonical(one.strategy, r)
    assert 300 < inside < 2700
    for _ in range(300):  # and what the space lists, no rule forbids
        number = pick.randrange(len(space.slices))
        slice_ = space.slices[number]
        row, chunk = pick.randrange(len(slice_.rows)), pick.randrange(len(slice_.chunks))
        if not slice_.allowed[row, chunk]:
            continue
        place = (number, row, pick.randrange(len(slice_.experts)), chunk, 0, pick.randrange(len(slice_.again)))
        assert not errors(dataclasses.replace(r, strategy=space.strategy(*place)))


@pytest.mark.parametrize("name", ["llama-3.1-405b", "deepseek-v3"])
def test_published_layouts_are_near_the_best_of_their_family(catalog: Catalog, name: str) -> None:
    r = preset(catalog, name)
    own = evaluate(r)
    assert place_of(r.strategy, Space(r)) is not None
    # A tenth of the memory left free, as in a run that has to last; the search alone may fill a card to the brim.
    family = Constraints(schedules=(str(r.strategy.schedule),), shardings=(r.strategy.sharding,), headroom=0.1)
    assert own.estimate.step_time_s <= 1.10 * search(r, 1, family).ranked[0].step_time_s


def test_constraints_hold(catalog: Catalog) -> None:
    r = preset(catalog, "llama-3.1-70b", 256, global_batch=256)
    allowed = Constraints(max_tensor=4, schedules=("1f1b",), shardings=("zero1",), headroom=0.2, keep={"pipeline": 4})
    result = search(r, 20, allowed)
    assert result.ranked
    capacity = evaluate(r).estimate.memory_capacity_gb
    for one in result.ranked:
        y = one.strategy
        assert (y.tensor <= 4, y.schedule, y.sharding, y.pipeline) == (True, "1f1b", "zero1", 4)
        assert one.memory_gb <= 0.8 * capacity
    assert search(r, 1).ranked[0].step_time_s <= result.ranked[0].step_time_s


def test_of_equal_strategies_the_plainer_is_named(catalog: Catalog) -> None:
    r = preset(catalog, "llama-3.1-8b", 8, global_batch=8)
    ranked = search(r, 50).ranked
    for first, second in itertools.pairwise(ranked):
        assert first.step_time_s <= second.step_time_s * (1 + 1e-11)
    order = [one.strategy for one in ranked]
    twins = [(y, y.model_copy(update={"schedule": "gpipe"})) for y in order if y.schedule == "1f1b"]
    both = [(order.index(plain), order.index(other)) for plain, other in twins if other in order]
    assert both
    assert all(first < second for first, second in both)


def test_the_least_memory_is_found_when_nothing_fits() -> None:
    model = {**DENSE, "hidden": 16384, "ffn_hidden": 65536, "layers": 12, "heads": 128}
    r = small(model, 8, 8)
    run = Search(Space(r), 1, exhaustive=True)
    run.capacity = 1e30
    least = min(one.memory_gb for one in run.run().front)
    found = closest(r)
    assert found is not None
    assert found.memory_gb == pytest.approx(least, rel=1e-12)
    assert not search(r, 1).ranked
    told = nothing_fits(r)
    assert told is not None
    assert told.over_gb > 0
    assert search(with_cards(r, told.cards), 1).ranked
    assert "nothing fits" in told.message


def test_reasons_count_what_memory_rules_out(catalog: Catalog) -> None:
    r = preset(catalog, "llama-3.1-405b")
    result = search(r, 1)
    reasons = rejected(result)
    assert sum(one.where.too_large for one in reasons) <= result.too_large
    assert any("zero1" in one.region and "stage" in one.why for one in reasons)


def test_differences_add_up(catalog: Catalog) -> None:
    r = preset(catalog, "deepseek-v3")
    best = dataclasses.replace(r, strategy=search(r, 1).ranked[0].strategy)
    own, other = evaluate(r).estimate, evaluate(best).estimate
    total = sum(one.gain_s for one in differences(own, other))
    assert total == pytest.approx(own.step_time_s - other.step_time_s, rel=1e-9)


def test_a_plan_no_strategy_can_save_is_refused() -> None:
    r = small(DENSE, 4, 4)
    work = r.plan.workload.model_copy(update={"precision": "nvfp4"})
    with pytest.raises(PlanError, match="nvfp4"):
        search(dataclasses.replace(r, plan=r.plan.model_copy(update={"workload": work})))


def test_a_shard_group_of_the_plan_is_among_the_shardings() -> None:
    r = small(DENSE, 8, 8)
    r = with_(r, sharding="zero3", shard_group=2)
    space = Space(r)
    place = place_of(r.strategy, space)
    assert place is not None
    assert space.strategy(*place).shard_group == 2
    bounded, full = search(r, 30), search(r, 30, exhaustive=True)
    assert [one.strategy for one in bounded.ranked] == [one.strategy for one in full.ranked]


@pytest.mark.parametrize("own", [0, 4])
def test_a_shard_group_that_is_kept_is_the_only_one(own: int) -> None:
    r = small(DENSE, 8, 8)
    r = with_(r, sharding="zero3", shard_group=own)
    kept = Constraints(keep={"shard_group": 2})
    found = search(r, 30, kept)
    assert found.ranked
    assert {one.strategy.shard_group for one in found.ranked} == {2}
    assert [one.strategy for one in found.ranked] == [
        one.strategy for one in search(r, 30, kept, exhaustive=True).ranked
    ]
    grouped = [one for one in Space(with_(r, shard_group=2)).slices[0].sharding.tolist() if one[1] == 2]
    assert Space(r, kept).slices[0].sharding.tolist() == grouped
    whole = search(r, 30, Constraints(keep={"shard_group": 0}))
    assert {one.strategy.shard_group for one in whole.ranked} == {0}
    assert whole.searched == Space(with_(r, shard_group=0)).count


def test_modules_that_are_kept_are_kept_in_any_order(catalog: Catalog) -> None:
    r = preset(catalog, "llama-3.1-8b")
    one, other = (
        search(r, 5, Constraints(keep={"recompute_modules": modules}))
        for modules in (("norm", "core_attention"), ("core_attention", "norm"))
    )
    assert one.searched == other.searched > 0
    assert one.ranked == other.ranked
    assert {found.strategy.recompute_modules for found in one.ranked} == {("core_attention", "norm")}
