"""The JSON of an estimate keeps the contract (section 6), for every preset."""

import json
import math
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from tests.plans import PRESETS, outcome, preset

from planner import __version__
from planner.exchange.as_json import dumps, outcome_dict
from planner.spec.base import PlanError, Spec
from planner.spec.plan import Claim, Cluster, Cost, Power, Reliability, Workload

ESTIMATE = {
    "step_time_s", "tokens_per_s", "tokens_per_s_per_card", "model_tflops_per_card", "mfu", "hfu", "mfu_6nd",
    "training_days", "card_hours", "goodput", "h100_equivalents", "cost_usd", "usd_per_million_tokens", "energy_mwh",
    "power_mw", "co2_kg", "memory_gb", "memory_gb_by_stage", "memory_breakdown_gb", "step_breakdown_s",
    "compute_breakdown_s", "interval_80", "bill_of_materials",
}  # fmt: skip
PARTS = {
    "memory_breakdown_gb": ["weights", "gradients", "optimizer", "activations", "other"],
    "step_breakdown_s": [
        "compute", "tensor", "context", "expert", "pipeline_bubble", "pipeline_transfer", "data", "optimizer", "other",
    ],
    "compute_breakdown_s": ["gemm", "attention", "memory_bound", "logits", "recompute", "host"],
    "interval_80": ["step_time_s", "mfu", "training_days", "cost_usd"],
}  # fmt: skip


def strict(text: str) -> Any:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    return json.loads(text, parse_constant=refuse)


@pytest.fixture(params=PRESETS)
def data(request: pytest.FixtureRequest) -> Any:
    return strict(dumps(outcome_dict(preset(request.param))))


def test_every_key_of_the_contract_is_there(data: Any) -> None:
    assert {"plan", "engine", "fits", "problems", "estimate"} <= set(data)
    assert data["engine"] == __version__
    assert isinstance(data["fits"], bool)
    assert set(data["estimate"]) >= ESTIMATE
    for table, parts in PARTS.items():
        assert list(data["estimate"][table]) == parts
    for part in data["estimate"]["bill_of_materials"]:
        assert set(part) == {"part", "count", "usd", "kw"}
    for problem in data["problems"]:
        assert {"severity", "key", "message", "fix"} <= set(problem)
        assert problem["severity"] in {"error", "warning", "info"}


def test_parts_add_up(data: Any) -> None:
    e = data["estimate"]
    for parts, whole in (
        (e["step_breakdown_s"], e["step_time_s"]),
        (e["compute_breakdown_s"], e["step_breakdown_s"]["compute"]),
        (e["memory_breakdown_gb"], e["memory_gb"]),
    ):
        assert math.isclose(math.fsum(parts.values()), whole, rel_tol=1e-9)
    assert max(e["memory_gb_by_stage"]) == e["memory_gb"]


def test_ranges_hold_their_figures(data: Any) -> None:
    e = data["estimate"]
    for name, (low, high) in e["interval_80"].items():
        assert low <= e[name] <= high


def test_what_was_left_to_defaults_is_told_with_its_value(data: Any) -> None:
    assert data["defaults"]["power.pue"] == 1.25
    for key in data["defaults"]:
        table, _, name = key.partition(".")
        assert name not in data["plan"].get(table, {})


def test_the_order_never_changes() -> None:
    done = preset("deepseek-v3")
    assert dumps(outcome_dict(done)) == dumps(outcome_dict(done))
    assert list(outcome_dict(done)) == ["plan", "engine", "fits", "problems", "defaults", "estimate", "account"]


def test_figures_that_are_no_numbers_are_refused() -> None:
    done = outcome()
    broken = replace(done, estimate=replace(done.estimate, mfu=float("nan")))
    with pytest.raises(ValueError, match="JSON"):
        dumps(outcome_dict(broken))


def test_no_text_acts_on_a_terminal() -> None:
    text = dumps(outcome_dict(outcome(name="Übung \u202e 東京")))
    assert text.isascii()
    assert strict(text)["plan"]["name"] == "Übung \u202e 東京"


def test_a_fix_is_there_for_programs_too() -> None:
    (problem,) = outcome_dict(outcome(strategy__sharding="zero3"))["problems"]
    assert problem["change"] == {"strategy.sharding": "zero1"}


TABLES: dict[str, type[Spec]] = {
    "cluster": Cluster, "workload": Workload, "reliability": Reliability, "cost": Cost, "power": Power, "claim": Claim,
}  # fmt: skip
FLOATS = [
    f"{table}__{name}"
    for table, kind in TABLES.items()
    for name, field in kind.model_fields.items()
    if "float" in str(field.annotation)
]


@pytest.mark.parametrize("key", FLOATS)
def test_whatever_number_a_plan_states_it_is_refused_or_the_json_is_strict(key: str) -> None:
    refused = list[float]()
    for value, basis in product((5e-324, 1e-308, 1e-9, 0.0, 1.0, 1e15, 1e30, 1e308), ("rent", "own")):
        try:
            found = outcome(**{"cost__basis": basis, key: value})
        except PlanError:
            refused.append(value)
        else:
            assert strict(dumps(outcome_dict(found)))["estimate"]["training_days"] > 0
    assert {5e-324, 1e-308, 1e308} <= set(refused) < {5e-324, 1e-308, 1e-9, 0.0, 1.0, 1e15, 1e30, 1e308}


def test_capital_over_next_to_no_time_at_next_to_no_interest_has_a_price() -> None:
    found = outcome(cost__basis="own", cost__years=1e-9, cost__cost_of_capital=1e-9)
    assert found.estimate.cost_usd > outcome(cost__basis="own").estimate.cost_usd
