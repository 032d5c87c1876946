"""What the catalogue's pages say: every figure, its source, and whether it was checked."""

import json
from pathlib import Path

import pytest
from tests.plans import BUILT_IN

from planner.catalog import Catalog
from planner.data_files import data_root
from planner.exchange import listing
from planner.exchange.as_json import dumps


@pytest.mark.parametrize("kind", listing.KINDS)
def test_every_entry_has_a_line_and_a_page(kind: str) -> None:
    ids = BUILT_IN.ids(listing.KINDS[kind])
    assert ids
    for name in ids:
        item = listing.find(BUILT_IN, kind, name)
        line = listing.cells(BUILT_IN, name, item)
        assert len(line) == len(listing.HEADINGS[kind])
        assert line[0] == name
        assert listing.rows(BUILT_IN, name, item)


@pytest.mark.parametrize("kind", listing.KINDS)
def test_the_json_of_a_kind_is_strict_and_names_its_sources(kind: str) -> None:
    found = {name: listing.find(BUILT_IN, kind, name) for name in BUILT_IN.ids(listing.KINDS[kind])}
    data = json.loads(dumps(listing.as_dict(BUILT_IN, kind, found)))
    assert [entry["id"] for entry in data["entries"]] == list(found)
    for entry in data["entries"]:
        for keys in entry.get("provenance", {}).values():
            assert set(keys) <= set(data["sources"])
    for source in data["sources"].values():
        assert set(source) == {"title", "url", "kind", "read"}


def test_figures_carry_their_sources_and_marks() -> None:
    item = listing.find(BUILT_IN, "cards", "tpu-v5p")
    found = {row.key: row for row in listing.rows(BUILT_IN, "tpu-v5p", item)}
    assert found["tdp_w"].mark == listing.UNVERIFIED
    assert found["memory_gb"].mark == ""
    assert found["memory_gb"].sources
    card = listing.find(BUILT_IN, "cards", "h800-sxm")
    prices = [row for row in listing.rows(BUILT_IN, "h800-sxm", card) if row.key == "price_usd"]
    assert {row.mark for row in prices} == {"", listing.UNVERIFIED}
    assert all(len(row.sources) == 1 for row in prices)


def test_a_model_says_how_many_parameters_follow_from_its_shape() -> None:
    item = listing.find(BUILT_IN, "models", "deepseek-v3")
    found = {row.key: row for row in listing.rows(BUILT_IN, "deepseek-v3", item)}
    assert found["parameters"].value == "671 B (computed)"
    assert found["published.params_total"].value == "671 B"
    assert found["layers"].sources == found["hidden"].sources != ()
    assert listing.entry_dict(BUILT_IN, "deepseek-v3", item)["params"]["total"] == pytest.approx(671e9, rel=0.01)


def test_a_preset_says_what_no_source_states() -> None:
    item = listing.find(BUILT_IN, "presets", "deepseek-v3")
    found = {row.key: row.mark for row in listing.rows(BUILT_IN, "deepseek-v3", item)}
    assert found["strategy.micro_batch"] == listing.ASSUMED
    assert found["cluster.cards"] == ""
    entry = listing.entry_dict(BUILT_IN, "deepseek-v3", item)
    assert entry["owner"] == "DeepSeek"
    assert entry["plan"]["cluster"]["cards"] == 2048


def test_a_users_own_entry_stands_among_the_others(tmp_path: Path) -> None:
    folder = tmp_path / "cards"
    folder.mkdir()
    (folder / "mine.toml").write_text(
        'name = "Mine"\nvendor = "me"\narchitecture = "hopper"\nmemory_gb = 80\nmemory_tb_per_s = 3.35\n'
        'tdp_w = 700\nscale_up = "nvlink4"\nunverified = ["tdp_w"]\n[peak_tflops]\nbf16 = 989\n'
        '[provenance]\nmemory_gb = ["https://example.org/x"]\n',
        encoding="utf-8",
    )
    catalog = Catalog(data_root() / "presets", tmp_path)
    item = listing.find(catalog, "cards", "mine")
    line = listing.cells(catalog, "mine", item)
    assert line[1:4] == ["Mine", "80", "3.35"]
    assert line[6] == "700?"
    assert listing.sources_of(catalog, item)["https://example.org/x"].url == "https://example.org/x"
