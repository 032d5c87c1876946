"""The built-in catalogue: every file is valid, every figure has a source, every name leads somewhere."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from planner.catalog import Catalog
from planner.catalog.catalog import Kind
from planner.data_files import data_root
from planner.spec.base import Entry
from planner.spec.rules import errors

PRESETS = data_root() / "presets"
CATALOG = Catalog(PRESETS)

ROUNDED = {
    "gemma3-4b": "4.0 is rounded; the shapes give 3.88 without the vision tower",
    "gemma3-12b": "12.0 is rounded; the shapes give 11.77",
    "kimi-k2": "1,000 is rounded; the shapes give 1,026",
    "llama4-scout": "109 counts the vision tower",
    "qwen3-1.7b": "1.7 is rounded; the shapes give 1.72",
}
"""Models whose published total is more than 1 % away from what their shapes give, and why."""

ASKED_FOR = (
    "deepseek-v3", "llama-3.1-405b", "llama-3.1-405b-8k-gpus", "llama-3.1-405b-131k", "llama-3.1-70b", "llama-3.1-8b",
    "xai-colossus-100k", "gpt-3-175b", "palm-540b", "nemotron-4-340b", "mixtral-8x22b", "qwen3-235b", "kimi-k2",
    "olmo-2-32b", "gb200-nvl72-deepseek-v3",
)  # fmt: skip

AUDITED = (
    "deepseek-v3-all-hours", "deepseek-v2", "deepseek-67b", "gpt-3-175b-v100", "mt-nlg-530b", "opt-175b", "bloom-176b",
    "falcon-180b", "llama-1-7b", "llama-1-13b", "llama-1-33b", "llama-1-65b", "llama-2-7b", "llama-2-13b",
    "llama-2-70b", "llama-3-8b", "llama-3-70b", "llama-4-scout", "llama-4-maverick", "gpt-oss-120b", "gpt-oss-20b",
    "nemotron-4-15b", "dbrx", "megascale-175b",
)  # fmt: skip
"""Claims `planner audit` compares with the engine, beside those of the plans above."""

PLANS = (*ASKED_FOR, *AUDITED)


def files(kind: str) -> list[Path]:
    return sorted(path for path in (PRESETS / kind).glob("*.toml") if path.name != "index.toml")


def entries() -> list[Entry]:
    found: list[Entry] = [CATALOG.card(name) for name in CATALOG.ids("cards")]
    found += [CATALOG.fabric(name) for name in CATALOG.ids("fabrics")]
    found += [CATALOG.model(name) for name in CATALOG.ids("models")]
    found += [CATALOG.stack(name) for name in CATALOG.ids("stacks")]
    return found


def leads_to_source(name: str) -> bool:
    return name in CATALOG.sources() or re.match(r"https?://\S+$", name) is not None


@pytest.mark.parametrize("kind", ["cards", "fabrics", "models", "stacks", "plans", "fleets"])
def test_every_file_is_an_entry(kind: Kind) -> None:
    assert sorted(path.stem for path in files(kind)) == sorted(CATALOG.ids(kind))
    read: dict[str, Callable[[str], object]] = {
        "cards": CATALOG.card, "fabrics": CATALOG.fabric, "models": CATALOG.model,
        "stacks": CATALOG.stack, "plans": CATALOG.plan, "fleets": CATALOG.fleet,
    }  # fmt: skip
    for name in CATALOG.ids(kind):
        assert read[kind](name) is not None


def test_counts() -> None:
    counts = {kind: len(CATALOG.ids(kind)) for kind in ("cards", "models", "stacks", "plans")}
    assert counts["cards"] >= 38
    assert counts["models"] >= 66
    assert counts["stacks"] == 10
    assert counts["plans"] == len(PLANS)


def test_every_entry_knows_its_id() -> None:
    assert all(entry.id and entry.name for entry in entries())


@pytest.mark.parametrize("path", list(PRESETS.rglob("*.toml")), ids=lambda path: path.stem)
def test_every_file_says_what_it_is(path: Path) -> None:
    assert path.read_text("utf-8").startswith(("# ", "kind = "))


def test_every_source_of_a_figure_is_listed() -> None:
    missing = {
        (entry.id, source)
        for entry in entries()
        for sources in entry.provenance.values()
        for source in sources
        if not leads_to_source(source)
    }
    assert not missing


def test_every_price_has_a_source() -> None:
    for name in CATALOG.ids("cards"):
        card = CATALOG.card(name)
        for price in (*card.price_usd, *card.rental_usd_per_hour):
            assert leads_to_source(price.source), (name, price)
            assert price.low <= price.high


def test_sources_of_the_network_parts_are_listed() -> None:
    for path in [*files("network"), PRESETS / "grids.toml"]:
        data = tomllib.loads(path.read_text("utf-8"))
        tables = data.get("grid", {"": data}).values()
        for table in tables:
            for sources in table.get("provenance", {}).values():
                assert all(leads_to_source(source) for source in sources), path.name


def test_a_source_that_was_read_has_an_address() -> None:
    for name, source in CATALOG.sources().items():
        assert source.title, name
        assert source.url.startswith("http") or name in {"calc", "unchecked"}, name
    assert not CATALOG.sources()["unchecked"].read


def known_key(entry: Entry, key: str) -> bool:
    value: Any = entry
    for part in key.split("."):
        if not hasattr(value, part):
            return False
        value = getattr(value, part)
    return True


def test_provenance_and_unverified_name_keys_of_the_entry() -> None:
    groups = {"shape", "facts"}
    wrong = {
        (entry.id, key)
        for entry in entries()
        for key in (*entry.provenance, *entry.unverified)
        if key not in groups and not known_key(entry, key)
    }
    assert not wrong


def test_every_card_leads_to_its_fabrics() -> None:
    for name in CATALOG.ids("cards"):
        card = CATALOG.card(name)
        assert CATALOG.scale_up(card.scale_up).gb_per_s > 0
        if card.scale_out:
            assert CATALOG.scale_out(card.scale_out).gb_per_s > 0
        else:
            assert card.host.nics, name
            assert card.host.nic_gb_per_s, name


def test_tori_and_switches_are_what_they_are() -> None:
    for name in CATALOG.fabric_ids("scale-up"):
        fabric = CATALOG.scale_up(name)
        assert (fabric.kind == "torus") == (fabric.torus_axes > 0), name
        assert not (fabric.in_switch_reduction and fabric.kind != "switch"), name
        if fabric.links and fabric.link_gb_per_s and not name.startswith(("gaudi", "neuronlink3", "nvlink4-gh200")):
            assert fabric.links * fabric.link_gb_per_s == pytest.approx(fabric.gb_per_s, rel=0.01) or (
                fabric.domain == 2 and fabric.link_gb_per_s == fabric.gb_per_s
            ), name


@pytest.mark.parametrize("name", CATALOG.ids("models"))
def test_parameters_are_those_published(name: str) -> None:
    model = CATALOG.model(name)
    published = model.published.params_total
    if not published or model.unmodelled:
        pytest.skip("nothing published, or refused anyway")
    error = abs(model.total_params / published - 1)
    assert (error > 0.01) == (name in ROUNDED), f"{model.total_params / 1e9:.3f} against {published / 1e9}"
    assert error < 0.031


def test_the_known_shapes() -> None:
    deepseek = CATALOG.model("deepseek-v3")
    assert deepseek.moe_layers == 58
    assert deepseek.mtp_depth == 1
    assert CATALOG.model("gemma3-27b").windowed_share == pytest.approx(52 / 62)
    assert CATALOG.model("gpt-oss-120b").windowed_share == 0.5
    nano = CATALOG.model("nemotron3-nano-30b-a3b")
    assert (nano.mamba_layers, nano.moe_layers, nano.attention_layers) == (23, 23, 6)
    for size, attention in ((8, 4), (47, 5), (56, 10)):
        hybrid = CATALOG.model(f"nemotron-h-{size}b")
        assert hybrid.total_params == pytest.approx(size * 1e9, rel=0.02)
        assert hybrid.attention_layers == attention
    assert CATALOG.model("deepseek-v3.2").unmodelled


def test_presets_are_those_asked_for_in_order() -> None:
    assert set(CATALOG.ids("plans")) == set(PLANS)
    assert CATALOG.ids("plans")[0] == "deepseek-v3"
    assert sorted(CATALOG.preset_info(name).order for name in PLANS) == list(range(1, len(PLANS) + 1))


@pytest.mark.parametrize("name", PLANS)
def test_preset_is_a_possible_plan(name: str) -> None:
    plan = CATALOG.plan(name)
    resolved = CATALOG.resolve(plan)
    assert not errors(resolved)
    s = resolved.strategy
    assert s.tensor * s.context * s.pipeline * resolved.data_parallel == plan.cluster.cards
    assert resolved.micro_batches * resolved.data_parallel * s.micro_batch == plan.workload.global_batch
    assert resolved.usd_per_card_hour > 0
    assert plan.sources
    assert plan.notes


@pytest.mark.parametrize("name", PLANS)
def test_what_a_preset_assumes_is_in_it(name: str) -> None:
    info, plan = CATALOG.preset_info(name), CATALOG.plan(name)
    assert info.owner
    assert info.title == plan.name
    for key in info.assumed:
        table, _, rest = key.partition(".")
        section = getattr(plan, table)
        assert section is not None
        assert not rest or rest in type(section).model_fields, key


def test_fleets_name_cards() -> None:
    for name in CATALOG.ids("fleets"):
        for number, cluster in enumerate(CATALOG.fleet(name).cluster):
            assert CATALOG.card_of(cluster.card, f"cluster[{number}].card").memory_gb > 0


def test_the_deepseek_fleet_adds_up_to_what_was_published() -> None:
    clusters = CATALOG.fleet("deepseek").cluster
    assert sum(c.cards for c in clusters) == 60_000
    capex = sum(c.cards * (c.card_usd + c.server_usd_per_card + c.network_usd_per_card) for c in clusters)
    assert capex == pytest.approx(1628e6, rel=0.001)
