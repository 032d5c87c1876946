"""`planner fleet`."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.cli.helpers import planner, refused

from planner.catalog import Catalog
from planner.cli.fleet import command
from planner.spec.base import PlanError

CATALOG = Catalog.default()


def test_deepseek_as_the_issue_asks() -> None:
    # SemiAnalysis, DeepSeek Debates (2025-01-31), and SemiAnalysis, DeepSeek Debates, 2025-01.
    data = json.loads(CliRunner().invoke(command, ["deepseek", "--json"]).stdout)
    assert data["fleet"] == "deepseek"
    assert data["cards"] == 60_000
    assert data["capex_usd"] == pytest.approx(1.6e9, rel=0.03)
    assert data["operating_usd_over_period"] == pytest.approx(944e6, rel=0.03)
    assert data["operating_usd_per_year"] == pytest.approx(236e6, rel=0.03)
    assert data["period_years"] == 4
    assert data["power_mw"] == pytest.approx(68.5, rel=0.05)
    assert data["h100_equivalents"] == pytest.approx(27_640, rel=0.001)
    assert "8-bit" in data["h100_equivalents_rule"]
    assert data["largest_single_site_run"] == {"site": "Fire-Flyer 2", "card": "a100-pcie-40", "cards": 10_000}
    assert {row["card"] for row in data["export_classes"]} == {"h800-sxm", "h100-sxm", "h20", "a100-pcie-40", "fleet"}
    assert {"rule", "since", "until", "outcome", "tpp", "performance_density"} <= set(data["export_classes"][0])


def test_it_says_that_944_million_are_four_years() -> None:
    text = " ".join(CliRunner().invoke(command, ["deepseek"]).stdout.split())
    assert "$943 M over 4 years, $236 M a year" in text
    assert "944 M$ of operation, which is four years (236 M$ a year), not one" in text


def test_the_rule_is_selectable_and_shown() -> None:
    data = json.loads(CliRunner().invoke(command, ["deepseek", "--rule", "bf16", "--json"]).stdout)
    assert "BF16" in data["h100_equivalents_rule"]
    assert data["h100_equivalents"] == pytest.approx(20_000 + (30_000 * 148 + 10_000 * 312) / 989)


def test_a_plan_on_the_largest_run() -> None:
    result = CliRunner().invoke(command, ["xai-colossus-2024", "--plan", "deepseek-v3", "--json"])
    plan = json.loads(result.stdout)["plan"]
    assert plan["on"]["cards"] == 100_000
    assert 90_000 < plan["cards_used"] <= 100_000
    assert plan["estimate"]["training_days"] > 0


def test_a_plan_runs_on_the_largest_run_with_its_own_software() -> None:
    done = CliRunner().invoke(command, ["reference-20480-h100", "--plan", "palm-540b", "--json"])
    assert json.loads(done.stdout)["plan"]["estimate"]["strategy"]["stack"] == "pax"


def fleet_of(path: Path, card: str) -> str:
    path.write_text(
        f'schema = 1\nkind = "fleet"\n[[cluster]]\nname = "a"\ncard = {card}\ncards = 64\nsite = "cellar"\n',
        encoding="utf-8",
    )
    return str(path)


def test_what_is_wrong_with_a_fleet_is_told_with_its_file(tmp_path: Path) -> None:
    file = fleet_of(tmp_path / "fleet.toml", '"zz"')
    assert refused(planner("fleet", file)).startswith(f'{file}: cluster[0].card: there is no card "zz"')


def test_a_card_that_is_changed_in_the_fleet_holds_what_it_is_said_to_hold(tmp_path: Path) -> None:
    small = fleet_of(tmp_path / "small.toml", '{base = "h100-sxm", memory_gb = 12}')
    whole = fleet_of(tmp_path / "whole.toml", '"h100-sxm"')
    plans = [
        json.loads(CliRunner().invoke(command, [file, "--plan", "llama-3.1-8b", "--json"]).stdout)["plan"]
        for file in (small, whole)
    ]
    assert plans[0]["on"]["card"] == plans[1]["on"]["card"] == "h100-sxm"
    assert plans[0]["estimate"]["step_time_s"] > plans[1]["estimate"]["step_time_s"]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [('"llama3.1-8b"', '"lama3.1-8b"', "Did you mean"), ('"bf16"', '"nvfp4"', "does not compute in nvfp4")],
)
def test_what_is_wrong_with_the_plan_is_told(tmp_path: Path, before: str, after: str, words: str) -> None:
    plan = tmp_path / "plan.toml"
    text = (
        'schema = 1\n[cluster]\ncard = "h100-sxm"\ncards = 64\n[workload]\nmodel = "llama3.1-8b"\ntokens = 1e12\n'
        'global_batch = 64\nprecision = "bf16"\n'
    )
    plan.write_text(text.replace(before, after), encoding="utf-8")
    result = CliRunner().invoke(command, [fleet_of(tmp_path / "fleet.toml", '"h100-sxm"'), "--plan", str(plan)])
    assert isinstance(result.exception, PlanError)
    assert words in str(result.exception)


def on_reference(path: Path, cluster: str, rest: str = "") -> dict[str, Any]:
    """What `planner fleet reference-20480-h100 --plan` says of a small plan."""
    path.write_text(
        f'schema = 1\n[cluster]\ncard = "h100-sxm"\ncards = 8\n{cluster}\n[workload]\n'
        f'model = "llama3.1-8b"\ntokens = 1e12\nglobal_batch = 5120\n{rest}',
        encoding="utf-8",
    )
    done = CliRunner().invoke(command, ["reference-20480-h100", "--plan", str(path), "--json"])
    found: dict[str, Any] = json.loads(done.stdout)["plan"]
    return found


def test_a_plan_leaves_the_wiring_of_its_own_cluster_behind(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    plain = on_reference(path, "")
    assert plain["cards_used"] > 8
    assert plain["assumed"] == {"cluster.topology": "fat-tree", "cluster.oversubscription": 1.0}
    for wiring in ('topology = "single-switch"', "oversubscription = 64", 'topology = "dragonfly"'):
        assert on_reference(path, wiring) == plain
    shown = CliRunner().invoke(command, ["reference-20480-h100", "--plan", str(path)]).stdout
    assert "no wiring of a site's network: fat-tree at 1:1 is assumed" in " ".join(shown.split())


def test_a_plan_on_a_site_costs_what_the_fleet_states(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    plain = on_reference(path, "")["estimate"]["cost_usd"]
    assert plain > 0
    rest = '[cost]\nbasis = "rent"\nusd_per_card_hour = 900\n[power]\npue = 9.0\n'
    assert on_reference(path, "", rest)["estimate"]["cost_usd"] == plain


def test_a_plan_needs_a_site() -> None:
    result = CliRunner().invoke(command, ["meta-2025", "--plan", "deepseek-v3"])
    assert isinstance(result.exception, PlanError)
    assert "cluster.site" in str(result.exception)


@pytest.mark.parametrize("name", CATALOG.ids("fleets"))
def test_every_fleet_is_shown(name: str) -> None:
    result = CliRunner().invoke(command, [name])
    assert result.exit_code == 0, result.output
    assert "H100-equivalents" in result.stdout


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'schema = 1\nkind = "fleet"\nname = "[bold]mine"\n[[cluster]]\nname = "a"\ncard = "h100-sxm"\ncards = 64\n'
        'site = "cellar"\n',
        encoding="utf-8",
    )
    result = CliRunner().invoke(command, [str(path)])
    assert "[bold]mine" in result.stdout
    assert "64 h100-sxm at cellar" in result.stdout


@pytest.mark.parametrize(
    ("word", "words"), [("depseek", "Did you mean deepseek"), ("/nowhere.toml", "no fleet or file")]
)
def test_unknown_fleets(word: str, words: str) -> None:
    result = CliRunner().invoke(command, [word])
    assert isinstance(result.exception, PlanError)
    assert words in str(result.exception)
