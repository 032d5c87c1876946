"""What rules take out of a search: counted as asking every rule of every combination counts it."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from tests.engine.random_plans import random_plans
from tests.plans import BUILT_IN

from planner.engine.inputs import SHARDINGS
from planner.engine.search_rules import CONSTRAINTS, PLAIN, forbidden
from planner.engine.search_space import Constraints, Space
from planner.spec.parse import parse_plan
from planner.spec.plan import Resolved
from planner.spec.rules import errors
from planner.spec.rules.numbers import divisors

DENSE = {"layers": 4, "hidden": 1200, "ffn_hidden": 4800, "heads": 12, "kv_heads": 4, "vocab": 32000}
MOE = {**DENSE, "layers": 3, "moe": {"experts": 4, "topk": 2, "expert_ffn": 1536, "shared": 1, "first_k_dense": 1}}


def small(model: dict[str, Any], cards: int, batch: int, **strategy: Any) -> Resolved:
    data = {
        "schema": 1,
        "cluster": {"card": "h100-sxm", "cards": cards},
        "workload": {"model": model, "tokens": 1e9, "global_batch": batch, "sequence_length": 1024},
        "strategy": strategy,
    }
    return BUILT_IN.resolve(parse_plan(data, "test"))


def chunks(stages: int, slots: int) -> Iterator[tuple[int, str]]:
    """Virtual stages and schedules that go together."""
    yield from ((1, "1f1b"), (1, "gpipe"))
    if stages == 1:
        return
    most = max(slots // stages, 1)
    yield from ((v, "interleaved") for v in range(2, most + 1))
    yield from ((v, "zero-bubble") for v in range(1, min(most, 2) + 1))
    yield 1, "dualpipe"


def combinations(r: Resolved) -> Iterator[dict[str, Any]]:
    """All there is to count, without recomputation, which no rule here looks at."""
    cards, batch = r.plan.cluster.cards, r.plan.workload.global_batch
    slots = r.model.layers + r.model.mtp_depth + 2
    for p, t, c in itertools.product(divisors(cards), repeat=3):
        if cards % (p * t * c):
            continue
        stage, data = cards // p, cards // (p * t * c)
        pairs = itertools.product(divisors(stage), repeat=2) if r.model.moe else [(1, 1)]
        for (e, x), m, (v, kind), sequence, zero in itertools.product(
            [(e, x) for e, x in pairs if stage % (e * x) == 0],
            divisors(batch // data) if batch % data == 0 else (1,),
            chunks(p, slots), (False, True) if t > 1 else (False,), SHARDINGS,
        ):  # fmt: skip
            one: dict[str, Any] = {
                "pipeline": p,
                "tensor": t,
                "context": c,
                "expert": e,
                "expert_tensor": x,
                "micro_batch": m,
            }
            one |= {"virtual_stages": v, "schedule": kind, "sequence": sequence, "sharding": zero}
            yield one
            if zero != "none" and r.strategy.shard_group:
                yield {**one, "shard_group": r.strategy.shard_group}


@pytest.mark.parametrize(
    ("model", "cards", "batch", "strategy"),
    [(DENSE, 10, 20, {}), (DENSE, 12, 12, {"sharding": "zero3", "shard_group": 2}), (MOE, 6, 12, {}), (MOE, 8, 4, {})],
)
def test_every_combination_is_searched_or_forbidden(
    model: dict[str, Any], cards: int, batch: int, strategy: dict[str, Any]
) -> None:
    r = small(model, cards, batch, **strategy)
    ways = {p: len(Space(r).ways(p)) for p in divisors(cards)}
    said: set[str] = set()
    valid = total = 0
    for keys in combinations(r):
        problems = errors(dataclasses.replace(r, strategy=r.strategy.model_copy(update={**PLAIN, **keys})))
        said |= {one.message for one in problems}
        total += ways[keys["pipeline"]]
        valid += 0 if problems else ways[keys["pipeline"]]
    counted = forbidden(r)
    assert valid == Space(r).count
    assert total - valid == sum(one.strategies for one in counted) > 0
    for one in counted:
        assert one.strategies > 0
        assert one.why in said


def test_each_rule_takes_what_it_alone_forbids() -> None:
    """Of 12 cards with 12 heads and 4 key-value heads: 3, 6 are no multiple of 4, 12 is."""
    r = small(DENSE, 12, 12)
    found = {one.rule: one for one in forbidden(r)}
    assert found["key_value_heads"].region == "tensor 3, 6"
    assert found["stages_have_layers"].region == "pipeline 12"
    assert found["context_divides"].region == "context 3, 6, 12"
    assert found["schedule_has_its_chunks"].region == "dualpipe with pipeline 3"
    assert "batch_divides" not in found
    assert {one.rule for one in forbidden(small(DENSE, 12, 6))} >= {"batch_divides"}
    by_experts = {one.rule: one for one in forbidden(small(MOE, 10, 20))}
    assert by_experts["experts"].region == "expert 5, 10"
    assert by_experts["expert_tensor"].region == "expert tensor 5, 10"


def test_what_the_search_was_told_to_leave_out_is_counted_as_well() -> None:
    limits = Constraints(max_tensor=2, schedules=("1f1b", "interleaved"), keep={"micro_batch": 1})
    some = 0
    for r in random_plans(60):
        free, limited = forbidden(r), forbidden(r, limits)
        kept = [one for one in limited if one.rule == CONSTRAINTS]
        assert sorted(map(str, free)) == sorted(str(one) for one in limited if one not in kept)
        assert sum(one.strategies for one in kept) == Space(r).count - Space(r, limits).count
        assert all("tensor up to 2, 1f1b or interleaved, micro_batch 1" in one.region for one in kept)
        some += len(kept)
    assert some


def test_with_a_shard_group_that_is_kept_every_combination_is_counted() -> None:
    r = small(DENSE, 12, 12)
    kept = Constraints(keep={"shard_group": 2})
    ways = {p: len(Space(r).ways(p)) for p in divisors(12)}
    total = searched = 0
    for keys in combinations(dataclasses.replace(r, strategy=r.strategy.model_copy(update={"shard_group": 2}))):
        problems = errors(dataclasses.replace(r, strategy=r.strategy.model_copy(update={**PLAIN, **keys})))
        total += ways[keys["pipeline"]]
        searched += ways[keys["pipeline"]] if not problems and keys.get("shard_group") else 0
    assert searched == Space(r, kept).count > 0
    counted = forbidden(r, kept)
    assert total - searched == sum(one.strategies for one in counted)
    assert any("shard_group = 2 does not divide" in one.why for one in counted)


def test_a_value_held_that_breaks_a_rule_says_which() -> None:
    r = BUILT_IN.resolve(BUILT_IN.plan("llama-3.1-70b"))
    for keep, words in (
        ({"pipeline": 1024}, "more stages"),
        ({"tensor": 3}, "does not divide"),
        ({"tensor": 4}, "told"),
        ({"recompute_modules": ("moe_activation",)}, "moe_activation is a part of experts"),
        ({"recompute_layers": 500}, "a stage holds at most 80 layers"),
    ):
        limits = next(one for one in forbidden(r, Constraints(keep=keep)) if one.rule == CONSTRAINTS)
        assert words in limits.why
