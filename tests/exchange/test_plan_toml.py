"""A plan that is written and read again is the same plan; only what was set is written."""

import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.plans import BUILT_IN, DENSE, EXPERTS, PRESETS, data, plan, preset

from planner.exchange import plan_toml
from planner.spec.base import PlanError
from planner.spec.card import Precision
from planner.spec.fabric import Topology
from planner.spec.parse import parse_plan
from planner.spec.plan import Offload, Plan, Recompute, RecomputeModule, Schedule, Sharding

TEXT = st.text(
    st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"]) | st.just("\n"), max_size=40
)
FLOAT = st.floats(min_value=1e-6, max_value=1e18)
COUNT = st.integers(1, 2**40)


def optional(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


PLANS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "schema": st.just(1),
        "cluster": st.builds(
            lambda must, may: {**must, **may},
            st.fixed_dictionaries(
                {"card": st.sampled_from(["h100-sxm", {"base": "h100-sxm", "memory_gb": 96.0}]), "cards": COUNT}
            ),
            optional(
                cards_per_node=COUNT, scale_up=st.just("nvlink4"), scale_out=st.just({"name": "own", "gb_per_s": 12.5}),
                nics_per_node=COUNT, topology=st.sampled_from(get_args(Topology)), sites=COUNT, wan_gb_per_s=FLOAT,
                oversubscription=st.floats(1.0, 100.0),
            ),
        ),
        "workload": st.builds(
            lambda must, may: {**must, **may},
            st.fixed_dictionaries({"model": st.sampled_from(["llama3.1-8b", DENSE, EXPERTS]), "tokens": FLOAT}),
            optional(sequence_length=COUNT, global_batch=COUNT, precision=st.sampled_from(get_args(Precision))),
        ),
    },
    optional={
        "name": TEXT,
        "notes": TEXT,
        "sources": st.lists(TEXT, max_size=3),
        "strategy": optional(
            tensor=COUNT, sequence=st.booleans(), schedule=st.sampled_from(get_args(Schedule)),
            sharding=st.sampled_from(get_args(Sharding)), recompute=st.sampled_from(get_args(Recompute)),
            recompute_modules=st.lists(st.sampled_from(get_args(RecomputeModule)), max_size=3),
            offload=st.sampled_from(get_args(Offload)), overlap=optional(data=st.booleans(), expert=st.booleans()),
            gradient_bytes=st.sampled_from([2, 4]),
        ),
        "reliability": optional(mtbf_card_hours=FLOAT, restart_s=FLOAT),
        "cost": optional(basis=st.sampled_from(["rent", "own"]), usd_per_card_hour=FLOAT, years=FLOAT),
        "power": optional(pue=st.floats(1.0, 3.0)),
        "claim": optional(card_hours=FLOAT, mfu=st.floats(0.0, 1.0), source=TEXT),
    },
)  # fmt: skip


@pytest.mark.parametrize("name", PRESETS)
def test_presets_come_back_as_they_were(name: str) -> None:
    before = BUILT_IN.plan(name)
    after = plan_toml.loads(plan_toml.write(before, preset(name).estimate), name)
    assert after == before
    assert plan_toml.as_dict(after) == plan_toml.as_dict(before)
    assert plan_toml.write(after) == plan_toml.write(before)


@given(PLANS)
def test_any_plan_comes_back_as_it_was(table: dict[str, Any]) -> None:
    before = parse_plan(table, "")
    after = plan_toml.loads(plan_toml.write(before), "")
    assert after == before
    assert plan_toml.as_dict(after) == plan_toml.as_dict(before)
    assert plan_toml.write(after) == plan_toml.write(before)


def test_only_what_was_set_is_written() -> None:
    assert tomllib.loads(plan_toml.write(plan())) == data()
    assert tomllib.loads(plan_toml.write(plan(strategy__tensor=None)))["strategy"] == {"pipeline": 2}


def test_a_default_that_was_written_stays_written() -> None:
    assert tomllib.loads(plan_toml.write(plan(strategy__micro_batch=1)))["strategy"]["micro_batch"] == 1


def test_long_numbers_are_written_short_and_exactly() -> None:
    text = plan_toml.write(plan(workload__tokens=14.8e12))
    assert "tokens = 1.48e+13\n" in text
    assert plan_toml.loads(text, "").workload.tokens == 14.8e12


def test_the_estimate_is_written_for_a_diff_and_never_read() -> None:
    done = preset("deepseek-v3")
    text = plan_toml.write(done.resolved.plan, done.estimate)
    block = tomllib.loads(text)["estimate"]
    assert block["mfu"] == pytest.approx(done.estimate.mfu, rel=1e-5)
    assert block["interval_80"]["mfu"] == pytest.approx(list(done.estimate.interval_80["mfu"]), rel=1e-5)
    assert plan_toml.loads(text, "").estimate is None
    again = plan_toml.write(plan_toml.loads(text, ""), done.estimate)
    assert again == text


def test_names_are_data() -> None:
    odd = 'a "quoted" [bold] \\ name = 1 # no comment'
    text = plan_toml.write(plan(name=odd, sources=[odd]))
    assert plan_toml.loads(text, "").name == odd
    assert plan_toml.loads(text, "").sources == (odd,)


def test_files_are_read_by_path_and_named_in_messages(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(plan_toml.write(plan()), encoding="utf-8")
    assert plan_toml.read(file) == plan()
    file.write_text("schema = 1\n", encoding="utf-8")
    with pytest.raises(PlanError) as caught:
        plan_toml.read(file)
    assert caught.value.lines()[0].startswith(f"{file}: cluster: this table is missing.")


def test_a_plan_made_in_memory_is_written() -> None:
    made = Plan.model_validate(data(strategy=None))
    assert "[strategy]" not in plan_toml.write(made)
