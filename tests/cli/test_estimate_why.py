"""`planner estimate --why` and `--pictures`: the headless twins of two screens."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from planner.cli.estimate import command
from planner.exchange.formulas import FORMULAS
from planner.spec.base import PlanError


@pytest.mark.parametrize("key", FORMULAS)
def test_every_figure_of_a_real_estimate_is_explained(key: str) -> None:
    result = CliRunner().invoke(command, ["deepseek-v3", "--why", key], catch_exceptions=False)
    assert "Made of" in result.stdout


def test_as_json() -> None:
    found = json.loads(CliRunner().invoke(command, ["deepseek-v3", "--why", "mfu", "--json"]).stdout)
    assert found["key"] == "mfu"
    assert {item["key"] for item in found["inputs"]} >= {"step_time_s", "cluster.cards"}


def test_a_figure_that_is_none() -> None:
    with pytest.raises(PlanError, match="Did you mean mfu"):
        CliRunner().invoke(command, ["deepseek-v3", "--why", "mfuu"], catch_exceptions=False)


def test_pictures() -> None:
    text = CliRunner().invoke(command, ["deepseek-v3", "--pictures"]).stdout
    assert "stage 15" in text
    assert "rail 7" in text
