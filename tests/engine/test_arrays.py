"""One engine over arrays: a batch equals its plans one by one, axes broadcast, and promises hold for 500 plans at once.

The plans are picked over every card, model, stack, topology, precision and strategy (`random_plans`).
"""

from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.floors import C, numbers, preset, with_layout
from tests.engine.random_plans import (
    COUNT,
    MODULES,
    OVERLAPS,
    Floats,
    column,
    described,
    layout,
    machine,
    peak_bytes,
    random_inputs,
    random_plans,
    seconds,
    software,
    steps,
)
from tests.plans import PRESETS
from tests.plans import preset as preset_outcome

from planner.engine.inputs import DUALPIPE, ZERO_BUBBLE, Inputs, Software, batch
from planner.engine.layout import groups
from planner.engine.memory import fullest, most_bytes, stage_memory
from planner.engine.reading import inputs_of
from planner.engine.result import MEMORY_PARTS
from planner.engine.step import Step, step

ROUNDING = 1e-12
PARTS = tuple(field.name for field in fields(Step))
EVERYTHING_KEPT: dict[str, Any] = {"full_recompute": 0.0, **dict.fromkeys(MODULES, 0.0)}


def holds(property_: Any) -> None:
    """A property holds for every plan; else the first that break it are shown."""
    assert not described(~np.asarray(property_), random_plans())


def not_above(new: Floats, old: Floats) -> Any:
    return new <= old * (1 + ROUNDING)


# one by one


def test_a_batch_equals_its_plans_one_by_one() -> None:
    together, need = steps(random_inputs()), peak_bytes(random_inputs())
    for i in range(0, COUNT, 7):
        x = inputs_of(random_plans()[i])
        alone = step(x, C)
        for part in PARTS:
            assert column(getattr(together, part))[i] == pytest.approx(getattr(alone, part), rel=ROUNDING, abs=1e-15)
        assert need[i] == pytest.approx(fullest(x, groups(x), C).total, rel=ROUNDING)


def test_a_batch_of_presets_equals_their_estimates() -> None:
    plans = [preset_outcome(name) for name in PRESETS]
    x = batch([inputs_of(p.resolved) for p in plans])
    assert list(seconds(x)) == pytest.approx([p.estimate.step_time_s for p in plans], rel=ROUNDING)
    assert list(peak_bytes(x) / 1e9) == pytest.approx([p.estimate.memory_gb for p in plans], rel=ROUNDING)


def test_the_fullest_stage_of_a_batch_is_the_fullest_of_all_its_stages() -> None:
    need = peak_bytes(random_inputs())
    for i in range(0, COUNT, 5):
        x = inputs_of(random_plans()[i])
        stages = int(x.layout.pipeline)
        every = np.broadcast_to(stage_memory(np.arange(float(stages)), x, groups(x), C).total, (stages,))
        assert need[i] == pytest.approx(every.max(), rel=1e-9)


def test_both_ways_to_the_fullest_stage_agree() -> None:
    x = random_inputs()
    assert column(most_bytes(x, groups(x), C)) == pytest.approx(peak_bytes(x), rel=ROUNDING)


AXES = {
    "tensor": (1.0, 2.0, 4.0, 8.0), "pipeline": (1.0, 2.0, 4.0, 8.0, 16.0), "context": (1.0, 2.0, 4.0),
    "chunks": (1.0, 2.0, 4.0), "expert": (1.0, 8.0, 64.0), "expert_tensor": (1.0, 2.0), "micro_batch": (1.0, 2.0, 4.0),
    "schedule": (0, 1, 2, 3, 4), "zero": (0.0, 1.0, 2.0, 3.0), "shard_group": (8.0, 64.0),
    "full_recompute": (0.0, 0.5, 1.0), **dict.fromkeys(MODULES, (0.0, 1.0)),
    "offload_optimizer": (False, True), "offload_activations": (False, True), "sequence_parallel": (0.0, 1.0),
}  # fmt: skip


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("name", ["llama-3.1-405b", "deepseek-v3"])
def test_an_axis_of_strategies_equals_each(name: str, axis: str) -> None:
    x = inputs_of(preset(name))
    many = with_layout(x, **{axis: np.array(AXES[axis])})
    size = len(AXES[axis])
    times, need = column(step(many, C).total, size), column(fullest(many, groups(many), C).total, size)
    for i, value in enumerate(AXES[axis]):
        one = with_layout(x, **{axis: value})
        assert times[i] == pytest.approx(step(one, C).total, rel=ROUNDING)
        assert need[i] == pytest.approx(fullest(one, groups(one), C).total, rel=ROUNDING)


def test_axes_broadcast_against_each_other() -> None:
    x = inputs_of(preset("deepseek-v3"))
    tensor, expert, zero = np.array([1.0, 2.0, 4.0]), np.array([8.0, 64.0]), np.array([0.0, 1.0, 3.0])
    grid = with_layout(x, tensor=tensor[:, None, None], expert=expert[None, :, None], zero=zero[None, None, :])
    times = np.broadcast_to(step(grid, C).total, (3, 2, 3))
    for at in np.ndindex(3, 2, 3):
        one = with_layout(x, tensor=tensor[at[0]], expert=expert[at[1]], zero=zero[at[2]])
        assert times[at] == pytest.approx(step(one, C).total, rel=ROUNDING)


@pytest.mark.parametrize("name", [f.name for f in fields(Software)])
def test_facts_of_the_software_may_differ_inside_a_batch(name: str) -> None:
    rows = [inputs_of(preset(p)) for p in ("deepseek-v3", "palm-540b", "gpt-3-175b", "olmo-2-32b")]
    values = np.array([getattr(row.software, name) for row in rows])
    together = step(replace(rows[0], software=replace(rows[0].software, **{name: values})), C).total
    for i, value in enumerate(values):
        one = replace(rows[0], software=replace(rows[0].software, **{name: value}))
        assert column(together, len(rows))[i] == pytest.approx(step(one, C).total, rel=ROUNDING)


# 500 plans at once


def test_every_part_is_finite_and_not_negative() -> None:
    with np.errstate(all="raise"):
        result = steps(random_inputs())
        memory = fullest(random_inputs(), groups(random_inputs()), C)
    for part in PARTS:
        value = column(getattr(result, part))
        holds(np.isfinite(value) & (value >= 0))
    for part in MEMORY_PARTS:
        value = column(getattr(memory, part))
        holds(np.isfinite(value) & (value >= 0))


def test_parts_add_up() -> None:
    result = steps(random_inputs())
    moved = ("tensor", "context", "expert", "pipeline_bubble", "pipeline_transfer", "data", "optimizer", "other")
    computed = ("gemm", "attention", "memory_bound", "logits", "recompute", "host")
    parts = sum(column(getattr(result, part)) for part in (*moved, *computed))
    assert parts == pytest.approx(column(result.total), rel=1e-9)
    assert sum(column(getattr(result, part)) for part in computed) == pytest.approx(column(result.compute), rel=1e-9)


BETTER = {
    "scale-up bandwidth": ("scale_up", "scale_up_link"), "scale-out bandwidth": ("nic",),
    "wide-area bandwidth": ("wan",), "memory bandwidth": ("memory_bandwidth",),
    "matrix rate": ("peak16", "peak8", "peak4", "peak32", "ceiling16", "ceiling8", "under_load16"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BETTER)
@settings(max_examples=8)
@given(factor=st.floats(1.0, 8.0))
def test_a_better_machine_is_never_slower(kind: str, factor: float) -> None:
    x = random_inputs()
    better = seconds(machine(x, **dict.fromkeys(BETTER[kind], factor)))
    # What fills the bubble of a zero-bubble schedule are weight gradients: where they get quicker and micro-batches are
    # too few to save more than that, the idle time grows. Faster stages are another matter there.
    moves_weights = np.isin(x.layout.schedule, (ZERO_BUBBLE, DUALPIPE)) & (x.layout.pipeline > 1)
    holds(not_above(better, seconds(x)) | moves_weights)


def test_an_oversubscribed_network_is_never_faster() -> None:
    x = random_inputs()
    holds(not_above(seconds(x), seconds(machine(x, oversubscription=3.0))))


def test_a_better_machine_needs_the_same_memory() -> None:
    x = random_inputs()
    assert list(peak_bytes(machine(x, peak16=2.0, memory_bandwidth=2.0, nic=2.0))) == list(peak_bytes(x))


def test_sharding_more_never_needs_more_memory() -> None:
    need = [peak_bytes(layout(random_inputs(), zero=stage)) for stage in (0.0, 1.0, 2.0, 3.0)]
    for less, more in pairwise(need):
        holds(not_above(more, less))


def kept(**values: Any) -> Inputs:
    return layout(random_inputs(), **{**EVERYTHING_KEPT, **values})


@pytest.mark.parametrize("module", MODULES)
def test_recomputing_a_module_never_needs_more_memory_nor_less_time(module: str) -> None:
    x = random_inputs()
    exists = {"mla_up": np.asarray(x.shape.mla, dtype=float), "moe_activation": (x.shape.moe_layers > 0) * 1.0}
    none, some, full = kept(), kept(**{module: exists.get(module, 1.0)}), kept(full_recompute=1.0)
    holds(not_above(peak_bytes(some), peak_bytes(none)))
    holds(not_above(peak_bytes(full), peak_bytes(some)))
    assert_costs(none, some)
    assert_costs(some, full)


def assert_costs(less: Inputs, more: Inputs) -> None:
    """More recomputation costs time, but for gradient traffic that it may hide and activations it need not offload."""
    before, after = (steps(layout(x, offload_activations=0.0)) for x in (less, more))
    rate = column(before.total) / (column(before.total) - column(before.other) + C.step_fixed)  # stragglers
    holds(not_above(column(before.total) - rate * column(before.data), column(after.total) - rate * column(after.data)))


@settings(max_examples=8)
@given(shares=st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)).map(sorted))
def test_recomputing_more_layers_saves_memory_and_costs_time(shares: list[float]) -> None:
    fewer, more = (kept(full_recompute=share) for share in shares)
    assert_costs(fewer, more)
    holds(not_above(peak_bytes(more), peak_bytes(fewer)) | (shares[0] == 0))  # the first layer needs room to be remade


WIRE = {"tensor": "tensor", "expert": "expert", "pipeline": "pipeline_transfer"}


@pytest.mark.parametrize("kind", WIRE)
def test_exposed_traffic_never_exceeds_the_wire(kind: str) -> None:
    x = random_inputs()
    exposed, wire = (steps(software(x, **{f"overlap_{kind}": on})) for on in (True, False))
    # With a pipeline, what is exposed can change which stage sets the pace, and the last one has the head's traffic.
    holds(not_above(column(getattr(exposed, WIRE[kind])), column(getattr(wire, WIRE[kind]))) | (x.layout.pipeline > 1))


def test_context_traffic_is_never_more_than_its_wire_time() -> None:
    x = random_inputs()
    attentive = machine(x, peak16=1e6, ceiling16=1e6)  # no attention to hide behind
    # With a pipeline, attention can change which stage sets the pace, and they differ in layers.
    holds(not_above(column(steps(x).context), column(steps(attentive).context)) | (x.layout.pipeline > 1))


@pytest.mark.parametrize("kind", OVERLAPS)
def test_overlap_never_slows_a_step_of_one_stage(kind: str) -> None:
    x = random_inputs()
    on, off = (seconds(software(x, **{f"overlap_{kind}": on})) for on in (True, False))
    # With a pipeline, what is exposed can change which stage sets the pace.
    holds(not_above(on, off) | (x.layout.pipeline > 1) | (kind == "fsdp"))


def test_graphs_never_slow_a_step() -> None:
    x = random_inputs()
    times = [seconds(replace(x, software=replace(x.software, graphs=np.full(COUNT, code)))) for code in (0, 1, 2)]
    for more, less in pairwise(times):
        holds(less <= more * (1 + 1e-9) + 1e-12)


def test_a_step_of_more_sequences_takes_longer() -> None:
    x = random_inputs()
    twice = replace(x, layout=replace(x.layout, global_batch=2 * x.layout.global_batch))
    holds(seconds(twice) > seconds(x))
    holds(seconds(twice) < 2 * seconds(x))


def test_longer_sequences_take_longer_and_more_room() -> None:
    x = random_inputs()
    longer = replace(x, layout=replace(x.layout, sequence=2 * x.layout.sequence))
    holds(not_above(seconds(x), seconds(longer)))  # equal where traffic hides all of the computation
    holds(peak_bytes(longer) >= peak_bytes(x))


def test_one_plan_is_a_batch_of_one() -> None:
    x = numbers()
    assert column(step(batch([x]), C).total, 1)[0] == pytest.approx(step(x, C).total, rel=ROUNDING)
