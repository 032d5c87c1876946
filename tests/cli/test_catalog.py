"""`planner catalog`: lists, pages and JSON of what is known, with sources and marks."""

import json
import re
from pathlib import Path

import pytest
from tests.cli.helpers import planner, refused
from tests.plans import BUILT_IN

from planner.exchange.listing import HEADINGS, KINDS


def test_how_many_there_are_of_each() -> None:
    lines = planner("catalog").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(KINDS)
    assert f"cards       {len(BUILT_IN.ids('cards'))}   planner catalog cards" in lines
    assert json.loads(planner("catalog", "--json").stdout)["kinds"]["presets"][0] == "deepseek-v3"


@pytest.mark.parametrize("kind", KINDS)
def test_the_list_of_a_kind(kind: str) -> None:
    heading, *lines = planner("catalog", kind).stdout.splitlines()
    assert [word for word in HEADINGS[kind] if word not in heading] == []
    assert len(lines) >= len(BUILT_IN.ids(KINDS[kind]))
    for name, line in zip(BUILT_IN.ids(KINDS[kind]), lines, strict=False):
        assert line.startswith(f"{name} ")
    data = json.loads(planner("catalog", kind, "--json").stdout)
    assert [entry["id"] for entry in data["entries"]] == list(BUILT_IN.ids(KINDS[kind]))


def test_a_page_shows_figures_sources_and_marks() -> None:
    page = planner("catalog", "cards", "h800-sxm").stdout
    assert page.startswith("H800 SXM5 80 GB\nid: h800-sxm\n")
    assert re.search(r"^  memory_gb +80  \[epoch_chips, simz\]$", page, re.MULTILINE)
    assert "? behind a figure: not checked against a source that was read." in page
    assert "Notes\n" in page
    assert "  epoch_chips: Epoch AI machine-learning hardware dataset" in page
    assert "(quoted, not read)" in page
    assert max(map(len, page.splitlines())) <= 100 + len("https://")  # addresses are never broken
    data = json.loads(planner("catalog", "cards", "h800-sxm", "--json").stdout)
    assert data["entries"][0]["memory_gb"] == 80.0
    assert data["sources"]["epoch_chips"]["url"].startswith("https://")


def test_a_preset_says_what_is_assumed() -> None:
    page = planner("catalog", "presets", "deepseek-v3").stdout
    assert "1  (assumed)\n" in page
    assert "assumed: no source states it" in page


def test_names_that_are_not_there() -> None:
    message = refused(planner("catalog", "cards", "h80"))
    assert message.startswith('there is no card "h80" in the catalogue. Did you mean "h800-sxm"?')
    assert "is not one of 'cards', 'fabrics'" in refused(planner("catalog", "card"))


def test_a_bad_file_of_ones_own_is_told_and_left_out(own_folders: Path) -> None:
    cards = own_folders / "config" / "catalogue" / "cards"
    cards.mkdir(parents=True)
    (cards / "mine.toml").write_text('name = "x"\n', encoding="utf-8")
    (cards / "h100-sxm.toml").write_text("nonsense", encoding="utf-8")
    done = planner("catalog", "cards")
    assert done.exit_code == 0
    assert "\nmine " not in done.stdout
    assert "\nh100-sxm " in done.stdout
    assert all(line.startswith("warning: ") for line in done.stderr.splitlines())
    assert "mine.toml: scale_up: this key is missing." in done.stderr
    assert "replaces the built-in card h100-sxm" in done.stderr


def test_names_never_act(own_folders: Path) -> None:
    stacks = own_folders / "config" / "catalogue" / "stacks"
    stacks.mkdir(parents=True)
    (stacks / "mine.toml").write_text('name = "[bold]x[/] \u200bz"\nnotes = "[red]"\n', encoding="utf-8")
    done = planner("catalog", "stacks", "mine")
    assert done.exit_code == 2  # a zero-width space is a control character
    (stacks / "mine.toml").write_text('name = "[bold]x[/]"\nnotes = "[red]"\n', encoding="utf-8")
    page = planner("catalog", "stacks", "mine").stdout
    assert page.startswith("[bold]x[/]\n")
    assert "  [red]\n" in page
