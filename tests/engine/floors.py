"""What the tests of the engine's floors share: a plan as numbers, with strategy keys changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.plans import BUILT_IN, resolved

from planner.engine.constants import calibrated
from planner.engine.inputs import Inputs
from planner.engine.layout import Group
from planner.engine.reading import inputs_of
from planner.spec.plan import Resolved

C = calibrated()


def preset(
    name: str, cluster: dict[str, Any] | None = None, workload: dict[str, Any] | None = None, **strategy: Any
) -> Resolved:
    """A plan that comes with the program, keys changed."""
    plan = BUILT_IN.plan(name)
    assert plan.strategy is not None
    tables = {
        "cluster": plan.cluster.model_copy(update=cluster or {}),
        "workload": plan.workload.model_copy(update=workload or {}),
        "strategy": plan.strategy.model_copy(update=strategy),
    }
    return BUILT_IN.resolve(plan.model_copy(update=tables))


def numbers(**changes: Any) -> Inputs:
    """The tests' dense 8B model on 64 H100, keys changed (`tests.plans`)."""
    return inputs_of(resolved(**changes))


def with_layout(x: Inputs, **values: Any) -> Inputs:
    return replace(x, layout=replace(x.layout, **values))


def with_machine(x: Inputs, **values: Any) -> Inputs:
    return replace(x, machine=replace(x.machine, **values))


def with_software(x: Inputs, **values: Any) -> Inputs:
    return replace(x, software=replace(x.software, **values))


def with_shape(x: Inputs, **values: Any) -> Inputs:
    return replace(x, shape=replace(x.shape, **values))


def ring(size: float, local: float, x: Inputs) -> Group:
    """A group without switches in its way."""
    domains = size / local
    return Group(size, local, x.machine.nic, hops=domains - 1.0, hops_inside=size - domains, wait=0.0)
