"""Properties every plan must have: parts add up, and better machines are never worse (promise 4 of the engine)."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from planner.catalog import Catalog
from planner.engine.constants import calibrated
from planner.engine.estimate import evaluate
from planner.engine.inputs import Inputs, batch, inputs_of
from planner.engine.layout import groups
from planner.engine.memory import activations, fullest
from planner.engine.result import COMPUTE_PARTS, MEMORY_PARTS, STEP_PARTS, Outcome
from planner.engine.step import step
from planner.exchange.as_json import outcome_dict
from planner.spec.base import PlanError
from planner.spec.plan import Resolved

C = calibrated()
PRESETS = ("deepseek-v3", "llama-3.1-405b", "llama-3.1-70b", "mixtral-8x22b", "qwen3-235b", "palm-540b", "gpt-3-175b")
CHOICES = {
    "tensor": (1, 2, 4, 8),
    "pipeline": (1, 2, 4, 8, 16),
    "context": (1, 2, 4),
    "virtual_stages": (1, 2, 4),
    "expert": (1, 4, 8, 64),
    "micro_batch": (1, 2, 4),
    "schedule": (None, "gpipe", "zero-bubble", "dualpipe"),
    "sharding": ("none", "zero1", "zero2", "zero3"),
    "recompute": ("none", "selective", "full"),
    "kernel_fusion": ("fused", "compiled", "eager"),
    "attention_kernel": ("flash", "flash2", "triton", "unfused"),
}


@cache
def catalog() -> Catalog:
    return Catalog.default()


@st.composite
def plans(draw: st.DrawFn) -> Resolved:
    plan = catalog().plan(draw(st.sampled_from(PRESETS)))
    assert plan.strategy is not None
    wanted = {key: draw(st.sampled_from(values)) for key, values in CHOICES.items()}
    strategy = plan.strategy.model_copy(update={**wanted, "sequence": None, "recompute_modules": (), "shard_group": 0})
    resolved = catalog().resolve(plan.model_copy(update={"strategy": strategy}))
    try:
        evaluate(resolved)
    except PlanError:
        assume(False)
    return resolved


def outcome(resolved: Resolved) -> Outcome:
    return evaluate(resolved)


many = settings(max_examples=60, deadline=None)


@many
@given(plans())
def test_parts_add_up(resolved: Resolved) -> None:
    e = outcome(resolved).estimate
    assert sum(e.step_breakdown_s[part] for part in STEP_PARTS) == pytest.approx(e.step_time_s, rel=1e-9)
    assert sum(e.compute_breakdown_s[part] for part in COMPUTE_PARTS) == pytest.approx(
        e.step_breakdown_s["compute"], rel=1e-9
    )
    assert sum(e.memory_breakdown_gb[part] for part in MEMORY_PARTS) == pytest.approx(e.memory_gb, rel=1e-9)
    assert max(e.memory_gb_by_stage) == pytest.approx(e.memory_gb, rel=1e-9)
    assert all(value >= 0 for value in (*e.step_breakdown_s.values(), *e.compute_breakdown_s.values()))


@many
@given(plans())
def test_every_figure_is_finite_and_inside_its_range(resolved: Resolved) -> None:
    result = outcome(resolved)
    json.dumps(outcome_dict(result), allow_nan=False)
    e = result.estimate
    for name, (low, high) in e.interval_80.items():
        assert low <= getattr(e, name) <= high
    assert 0 < e.mfu < 1
    assert e.mfu <= e.hfu
    assert 0 < e.goodput <= 1


@many
@given(plans(), st.sampled_from(["peak16", "ceiling16", "memory_bandwidth", "scale_up", "nic"]))
def test_a_better_machine_is_never_slower(resolved: Resolved, field: str) -> None:
    x = inputs_of(resolved)
    better = {field: getattr(x.machine, field) * 1.25}
    if field in {"peak16", "ceiling16"}:
        better |= {f: getattr(x.machine, f) * 1.25 for f in ("peak16", "peak8", "ceiling16", "ceiling8")}
    if field == "scale_up":
        better["scale_up_link"] = x.machine.scale_up_link * 1.25
    y = replace(x, machine=replace(x.machine, **better))
    assert step(y, C).total <= step(x, C).total * (1 + 1e-12)


@many
@given(plans())
def test_more_memory_never_makes_a_plan_stop_fitting(resolved: Resolved) -> None:
    larger = replace(resolved, card=resolved.card.model_copy(update={"memory_gb": resolved.card.memory_gb * 1.5}))
    assert outcome(larger).fits >= outcome(resolved).fits


@many
@given(plans())
def test_sharding_more_never_needs_more_memory(resolved: Resolved) -> None:
    x = inputs_of(resolved)
    y = replace(x, layout=replace(x.layout, zero=np.array([0.0, 1.0, 2.0])))
    need = np.asarray(fullest(y, groups(y), C).total)
    assert np.all(np.diff(need) <= 1e-6)


@many
@given(plans())
def test_recomputing_everything_saves_memory_and_costs_time(resolved: Resolved) -> None:
    x = inputs_of(resolved)
    y = replace(x, layout=replace(x.layout, full_recompute=np.array([0.0, 1.0]), core_attention=0.0))
    kept = np.asarray(activations(1.0, y))
    x1 = replace(x, layout=replace(x.layout, full_recompute=1.0, core_attention=0.0))
    x0 = replace(x, layout=replace(x.layout, full_recompute=0.0, core_attention=0.0))
    assert step(x1, C).recompute > step(x0, C).recompute
    assert kept[1] <= kept[0]


@many
@given(plans())
def test_exposed_traffic_never_exceeds_the_wire(resolved: Resolved) -> None:
    x = inputs_of(resolved)
    quiet = {f"overlap_{kind}": False for kind in ("data", "tensor", "fsdp", "expert", "pipeline")}
    loud = dict.fromkeys(quiet, True)
    exposed = step(replace(x, software=replace(x.software, **loud)), C)
    wire = step(replace(x, software=replace(x.software, **quiet)), C)
    for part in ("tensor", "expert", "pipeline_transfer"):
        assert getattr(exposed, part) <= getattr(wire, part) * (1 + 1e-9)


@many
@given(plans(), st.floats(1.01, 10.0))
def test_more_tokens_take_longer(resolved: Resolved, factor: float) -> None:
    work = resolved.plan.workload.model_copy(update={"tokens": resolved.plan.workload.tokens * factor})
    longer = replace(resolved, plan=resolved.plan.model_copy(update={"workload": work}))
    assert outcome(longer).estimate.training_days > outcome(resolved).estimate.training_days


def test_many_plans_at_once_equal_each_alone() -> None:
    rows = [inputs_of(catalog().resolve(catalog().plan(preset))) for preset in PRESETS]
    together = step(batch(rows), C)
    need = fullest(batch(rows), groups(batch(rows)), C)
    for i, x in enumerate(rows):
        alone = step(x, C)
        for part in (*STEP_PARTS, *COMPUTE_PARTS):
            assert np.broadcast_to(getattr(together, part), len(rows))[i] == pytest.approx(
                getattr(alone, part), rel=1e-12, abs=1e-15
            )
        assert np.asarray(need.total)[i] == pytest.approx(fullest(x, groups(x), C).total, rel=1e-12)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("tensor", (1.0, 2.0, 4.0, 8.0)),
        ("pipeline", (1.0, 4.0, 16.0)),
        ("micro_batch", (1.0, 2.0)),
        ("zero", (0.0, 3.0)),
    ],
)
def test_an_axis_of_strategies_equals_each_alone(field: str, values: tuple[float, ...]) -> None:
    x: Inputs = inputs_of(catalog().resolve(catalog().plan("llama-3.1-405b")))
    axis = replace(x, layout=replace(x.layout, **{field: np.array(values)}))
    totals = np.broadcast_to(step(axis, C).total, len(values))
    for value, total in zip(values, totals, strict=True):
        alone = step(replace(x, layout=replace(x.layout, **{field: value})), C).total
        assert math.isclose(total, alone, rel_tol=1e-12)
