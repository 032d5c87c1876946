"""An outcome as JSON, by the contract. Strict JSON: no NaN, no infinity; keys always in the same order."""

from __future__ import annotations

import json
from typing import Any

from planner import __version__
from planner.engine.account import account
from planner.engine.result import COMPUTE_PARTS, MEMORY_PARTS, STEP_PARTS, Estimate, Outcome
from planner.exchange.account import account_dict
from planner.exchange.defaults import default_values
from planner.exchange.plan_toml import as_dict as plan_dict
from planner.spec.base import Problem

HEADLINE = (
    "step_time_s", "tokens_per_s", "tokens_per_s_per_card", "model_tflops_per_card", "mfu", "hfu", "mfu_6nd",
    "training_days", "card_hours", "goodput", "h100_equivalents",
    "cost_usd", "usd_per_million_tokens", "energy_mwh", "power_mw", "co2_kg", "memory_gb",
)  # fmt: skip
"""Single figures of an estimate, in the order of the contract."""
EXTRA = (
    "steps", "interruptions", "checkpoint_gb", "checkpoint_every_s", "spare_cards", "it_peak_mw", "usd_per_card_hour",
)  # fmt: skip
"""Those the contract does not name, in a table of their own."""


def outcome_dict(outcome: Outcome) -> dict[str, Any]:
    """Everything the contract promises of an estimate, what stands for keys left to defaults, and what is behind it."""
    return {
        "plan": plan_dict(outcome.resolved.plan),
        "engine": __version__,
        "fits": outcome.fits,
        "problems": [problem_dict(problem) for problem in outcome.problems],
        "defaults": default_values(outcome.resolved),
        "estimate": estimate_dict(outcome.estimate),
        "account": account_dict(outcome, account(outcome)),
    }


def problem_dict(problem: Problem) -> dict[str, Any]:
    """A problem; `change` is the fix as keys and values, empty where it cannot be applied by a program."""
    return {
        "severity": problem.severity,
        "key": problem.key,
        "message": problem.message,
        "fix": problem.fix,
        "change": dict(problem.change),
    }


def estimate_dict(e: Estimate) -> dict[str, Any]:
    """The figures of an estimate under the names of the contract."""
    return {
        **{name: getattr(e, name) for name in HEADLINE},
        "memory_capacity_gb": e.memory_capacity_gb,
        "memory_gb_by_stage": list(e.memory_gb_by_stage),
        "memory_breakdown_gb": {part: e.memory_breakdown_gb[part] for part in MEMORY_PARTS},
        "step_breakdown_s": {part: e.step_breakdown_s[part] for part in STEP_PARTS},
        "compute_breakdown_s": {part: e.compute_breakdown_s[part] for part in COMPUTE_PARTS},
        "interval_80": {name: list(ends) for name, ends in e.interval_80.items()},
        "runs_behind": e.runs_behind,
        "bill_of_materials": [
            {"part": p.part, "count": p.count, "usd": p.usd, "kw": p.kw} for p in e.bill_of_materials
        ],
        "extra": {name: getattr(e, name) for name in EXTRA},
    }


def dumps(data: object) -> str:
    """Strict JSON text, ASCII only, so that no text in it can act on a terminal.

    Raises:
        ValueError: a figure is not a finite number.
    """
    return json.dumps(data, indent=2, allow_nan=False) + "\n"
