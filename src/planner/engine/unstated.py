"""What the source of a measured run leaves out: it may have been anything from a plan's defaults to the best choice."""

from __future__ import annotations

from dataclasses import replace

from planner.engine.search import search
from planner.engine.search_space import Constraints, canonical
from planner.spec.base import PlanError
from planner.spec.plan import SEARCHED, Resolved
from planner.spec.runs import MeasuredRun

FOLLOWERS = {
    "micro_batch": (),
    "virtual_stages": ("schedule",),
    "recompute": ("recompute_modules", "recompute_layers"),
}
"""Keys that published runs often leave out, and the keys that go with each."""
PLAIN_SCHEDULES = ("1f1b", "interleaved")
"""A source that runs another one says so."""


def well_chosen(row: MeasuredRun) -> Resolved | None:
    """A run with what its source leaves out chosen as a search would: the fastest that fits.

    None where it leaves out none of `FOLLOWERS`, or nothing fits.

    Args:
        row: the run.
    """
    stated = row.run.strategy.model_fields_set
    out = [key for key in FOLLOWERS if key not in stated and (key != "virtual_stages" or row.run.strategy.pipeline > 1)]
    if not out:
        return None
    free = {*out, *(key for first in out for key in FOLLOWERS[first])}
    plan = row.resolved
    now = canonical(plan.strategy, plan)
    kept = {key: getattr(now, key) for key in SEARCHED if key not in free}
    schedules = PLAIN_SCHEDULES if "schedule" in free else ()
    try:
        found = search(plan, 1, Constraints(schedules=schedules, keep=kept)).ranked
    except PlanError:
        return None
    return replace(plan, strategy=found[0].strategy) if found else None
