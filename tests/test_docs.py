"""Documentation says what the program does: generated parts are fresh, links lead somewhere, examples work."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from scripts import docs
from tests.cli.helpers import planner

from planner.catalog import Catalog
from planner.cli import COMMANDS, main
from planner.engine.constants import Constants, table
from planner.engine.estimate import evaluate
from planner.exchange.runs import read_runs
from planner.spec.parse import load_toml, parse_plan
from planner.tui.actions import ACTIONS, keys_of

ROOT = docs.ROOT
PAGES = docs.documents()
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def by_hand(page: Path) -> str:
    return docs.PART.sub("", page.read_text("utf-8"))


def blocks(page: Path, kind: str) -> list[str]:
    return [body for language, body in FENCE.findall(by_hand(page)) if language == kind]


def test_generated_parts_are_fresh() -> None:
    """Asked of a fresh interpreter: Click remembers the help option of a command from whoever asked first."""
    asked = [sys.executable, "-m", "scripts.docs", "--check"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_changed_constant_makes_the_model_page_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs" / "model.md").read_text("utf-8")
    changed = {**table(), "hbm": {**table()["hbm"], "value": 0.123}}
    monkeypatch.setattr(docs, "table", lambda: changed)
    again = docs.made(text)
    assert again != text
    assert "| `hbm` | 0.123 |" in again


def test_every_constant_stands_in_the_model_page_with_a_meaning() -> None:
    rows = [row for _, group in docs.constant_groups() for row in group]
    named = {row[0].strip("`"): row for row in rows if row[0].startswith("`")}
    assert set(named) == set(Constants.__dataclass_fields__)
    assert all(row[5] for row in named.values())
    values = [row for row in rows if row[1]]
    assert len(values) == len(table())


def test_every_key_of_a_plan_has_a_meaning() -> None:
    for name in ("Plan", "Cluster", "Workload", "Strategy", "Reliability", "Cost", "Power", "Claim"):
        model = docs.spec_class(f"plan:{name}")
        rows = [docs.key_row(model, key) for key in model.model_fields]
        assert [row[0] for row in rows if not row[3]] == []
        assert f"keys plan:{name}" in (ROOT / "docs" / "plan-file.md").read_text("utf-8")


def test_every_key_of_every_file_has_a_meaning() -> None:
    rows = [line for line in (ROOT / "docs" / "plan-file.md").read_text("utf-8").splitlines() if line.startswith("| `")]
    assert len(rows) > 200
    assert [row for row in rows if not row.removesuffix("|").rpartition("|")[2].strip()] == []


def test_needed_keys_are_the_four_that_the_page_names() -> None:
    needed = [
        f"{table.lower()}.{key}"
        for table in ("Cluster", "Workload", "Strategy", "Reliability", "Cost", "Power", "Claim")
        for key, field in docs.spec_class(f"plan:{table}").model_fields.items()
        if field.is_required()
    ]
    assert needed == ["cluster.card", "cluster.cards", "workload.model", "workload.tokens"]


def test_every_command_has_its_help() -> None:
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    for name in main.list_commands(click.Context(main)):
        assert f"\n## planner {name}\n" in page


def test_every_preset_stands_in_both_tables() -> None:
    page = (ROOT / "docs" / "presets.md").read_text("utf-8")
    for name in Catalog.default().ids("plans"):
        assert page.count(f"| `{name}` |") == 2


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md", ROOT / "validation" / "README.md"], ids=name_of)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for target, heading in LINK.findall(page.read_text("utf-8")):
        there = page.parent / target if target else page
        assert there.exists(), target
        if heading:
            assert heading in set(headings(there)), f"{target}#{heading}"


def headings(page: Path) -> Iterator[str]:
    for line in page.read_text("utf-8").splitlines():
        if line.startswith("#"):
            yield re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_pages_name_nothing_outside_the_project(page: Path) -> None:
    text = by_hand(page)
    for word in ("/work/", "/home/", "/root/", "shared/", "engine.md", "economics.md", "index-url", "pypi"):
        assert word not in text


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_in_examples_exist(page: Path) -> None:
    lines = [line for kind in ("sh", "console") for body in blocks(page, kind) for line in body.splitlines()]
    called = [line.split()[1] for line in lines if re.match(r"(\$ )?planner ", line)]
    assert set(called) <= set(COMMANDS)
    made = [line.split()[1] for line in lines if line.startswith("make ")]
    assert set(made) <= set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def test_commands_of_the_readme_have_the_options_they_show() -> None:
    shown = [line for body in blocks(ROOT / "README.md", "sh") for line in body.splitlines()]
    calls = [words for line in shown if (words := shlex.split(line, comments=True))[:1] == ["planner"]]
    assert len(calls) > 12
    with click.Context(main) as context:
        for _, name, *arguments in calls:
            command = main.get_command(context, name)
            assert command is not None
            command.make_context(name, arguments, parent=context)


def test_the_readmes_own_cluster_is_planned_as_it_says(tmp_path: Path) -> None:
    (text,) = blocks(ROOT / "README.md", "toml")
    file = tmp_path / "ours.toml"
    file.write_text(text, "utf-8")
    done = planner("estimate", str(file))
    assert done.exit_code == 0
    assert "no [strategy]: this is the best that fits" in done.stderr
    defaults = done.stdout.partition("Left to defaults\n")[2].partition("\n\n")[0]
    assert "topology fat-tree" in defaults
    assert not {"oversubscription", "nics_per_node", "usd_per_card_hour", "pue"} & set(defaults.split())
    found = planner("search", str(file), "--headroom", "0.1", "--json")
    best = json.loads(found.stdout)["results"][0]["estimate"]
    assert best["memory_gb"] <= 0.9 * best["memory_capacity_gb"]


def test_keys_of_the_tour_are_keys_of_the_program() -> None:
    pressed = set(re.findall(r"<kbd>([^<]+)</kbd>", (ROOT / "README.md").read_text("utf-8")))
    assert len(pressed) > 8
    assert pressed <= {key for action in ACTIONS for key in keys_of(action).split()}


def test_the_example_plan_can_be_computed() -> None:
    catalog = Catalog.default()
    whole, parts, _, runs = blocks(ROOT / "docs" / "plan-file.md", "toml")
    plan = parse_plan(load_toml(whole, "docs"), "docs")
    assert evaluate(catalog.resolve(plan)).fits

    changed = {**tomllib.loads(whole), **tomllib.loads(parts)}
    resolved = catalog.resolve(parse_plan(changed, "docs"))
    assert (resolved.card.memory_gb, resolved.model.layers, resolved.scale_out.name) == (96, 40, "our RoCE")
    assert resolved.card.measured.gemm_under_load_tflops == 640

    data = read_runs(runs, catalog)
    assert [run.id for run in data.runs] == ["ours-70b-tp4"]


def test_the_example_fleet_is_added_up(tmp_path: Path) -> None:
    _, _, text, _ = blocks(ROOT / "docs" / "plan-file.md", "toml")
    file = tmp_path / "fleet.toml"
    file.write_text(text, "utf-8")
    totals = json.loads(planner("fleet", str(file), "--json").stdout)
    assert totals["cards"] == 5120
    assert totals["largest_single_site_run"] == {"site": "north", "card": "h100-sxm", "cards": 4096}
    assert totals["facility_mw"] == pytest.approx(1.3 * totals["power_mw"])


def test_the_checker_says_what_is_stale_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text("by hand\n<!-- made: fixed run -->\nold\n<!-- end -->\nby hand\n", "utf-8")
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    monkeypatch.setattr(docs, "documents", lambda: [page])
    assert docs.write(check=True) == 1
    assert "old" in page.read_text("utf-8")
    assert docs.write(check=False) == 0
    text = page.read_text("utf-8")
    assert text.startswith("by hand\n<!-- made: fixed run -->\n\n| figure |")
    assert text.endswith("<!-- end -->\nby hand\n")
    assert docs.write(check=True) == 0


def test_bench_prints_tables_and_no_verdict() -> None:
    from scripts import bench

    assert bench.word(1234.5) == "1,234"
    assert bench.word(0.12345) == "0.123"
    done = subprocess.run(
        [sys.executable, "-m", "scripts.bench", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "--quick" in done.stdout
