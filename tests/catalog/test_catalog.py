"""Looking up: lazily, the user's folder over the built-in one, and never stopped by a bad file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from planner.catalog import Catalog, user_folder
from planner.catalog.catalog import Kind
from planner.data_files import data_root
from planner.spec.base import PlanError

PRESETS = data_root() / "presets"

CARD = """
name = "My card"
vendor = "Us"
architecture = "hopper"
memory_gb = 99
memory_tb_per_s = 3.0
tdp_w = 500
scale_up = "nvlink4"
peak_tflops = { bf16 = 500 }
host = { nics = 8, nic_gb_per_s = 50 }
"""


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files opened from here on."""
    names: list[str] = []
    usual = Path.open

    def noting(self: Path, *args: object, **kwargs: object) -> object:
        names.append(self.name)
        return usual(self, *args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", noting)
    return names


def own(kind: str, name: str, text: str | bytes) -> Path:
    path = user_folder() / kind / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def only_problem(error: PlanError) -> tuple[str, str, str]:
    (problem,) = error.problems
    return problem.key, problem.message, problem.fix


def test_listing_reads_nothing(opened: list[str]) -> None:
    catalog = Catalog.default()
    assert "h100-sxm" in catalog.ids("cards")
    assert "llama3.1-405b" in catalog.ids("models")
    assert opened == []


def test_asking_for_one_card_reads_one_file_once(opened: list[str]) -> None:
    catalog = Catalog.default()
    assert catalog.card("h100-sxm") is catalog.card("h100-sxm")
    assert opened == ["h100-sxm.toml"]


def test_a_user_adds_an_entry() -> None:
    own("cards", "mine.toml", CARD)
    catalog = Catalog.default()
    assert "mine" in catalog.ids("cards")
    card = catalog.card("mine")
    assert (card.id, card.memory_gb) == ("mine", 99)
    assert catalog.problems == ()


def test_a_user_replaces_an_entry_and_is_told_so() -> None:
    own("cards", "h100-sxm.toml", CARD)
    catalog = Catalog.default()
    assert catalog.card("h100-sxm").memory_gb == 99
    assert catalog.ids("cards").count("h100-sxm") == 1
    (problem,) = catalog.problems
    assert problem.severity == "warning"
    assert "replaces the built-in card h100-sxm" in problem.message


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (CARD.replace("memory_gb = 99", "memory_bg = 99"), "memory_gb"),
        (CARD + "launch = 2024\n", "launch"),
        (CARD.replace('"hopper"', '"hoper"'), 'Did you mean "hopper"?'),
        (CARD + 'id = "other"\n', "is not the name of the file"),
        ("name = ", "not valid TOML"),
        ("", "empty"),
        (b"\x00\x01\x02\xff", "not a text file"),
        (b"name = '\xff'", "not a UTF-8 text file"),
        (CARD.replace("My card", "red\\u001b[31m"), "control characters"),
        (CARD.replace("memory_gb = 99", "memory_gb = inf"), "finite"),
    ],
)
def test_a_bad_file_is_reported_and_nothing_else_suffers(content: str | bytes, says: str) -> None:
    path = own("cards", "mine.toml", content)
    catalog = Catalog.default()
    assert catalog.card("h100-sxm").memory_gb == 80
    found = " ".join(f"{p.key} {p.message} {p.fix}" for p in catalog.problems)
    assert says in found
    assert str(path) in found
    with pytest.raises(PlanError, match=r"mine\.toml"):
        catalog.card("mine")
    with pytest.raises(PlanError) as caught:
        catalog.card("mine", "cluster.card")
    (problem,) = caught.value.problems
    assert problem.key == "cluster.card"
    assert str(path) in problem.message


def test_a_bad_file_leaves_the_built_in_entry_in_place() -> None:
    own("cards", "h100-sxm.toml", "name = ")
    catalog = Catalog.default()
    assert catalog.card("h100-sxm").memory_gb == 80
    assert len(catalog.problems) == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read() -> None:
    own("cards", "mine.toml", CARD).chmod(0)
    catalog = Catalog.default()
    assert "cannot be read" in catalog.problems[0].message


def test_what_is_no_entry_is_passed_over() -> None:
    own("cards", "notes.txt", "hello")
    own("cards", "two words.toml", CARD)
    (user_folder() / "cards" / "folder.toml").mkdir()
    catalog = Catalog.default()
    assert set(catalog.ids("cards")) == set(Catalog(PRESETS).ids("cards"))
    assert [p.message for p in catalog.problems] == [
        f"{user_folder() / 'cards' / 'two words.toml'} is passed over: its name is no id."
    ]


def test_a_folder_that_is_a_file() -> None:
    user_folder().mkdir(parents=True)
    (user_folder() / "cards").write_text("not a folder")
    assert Catalog.default().card("h100-sxm").memory_gb == 80


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("plans", 'schema = 1\ncluster = { card = "h100-sxm", cards = 8 }\nworkload = { model = "x", tokens = 1e9 }\n'),
        ("fleets", 'schema = 1\nkind = "fleet"\n[[cluster]]\nname = "a"\ncard = "h100-sxm"\ncards = 8\n'),
        ("fabrics", 'role = "scale-out"\nname = "mine"\ngb_per_s = 12.5\n'),
        ("models", 'name = "m"\nlayers = 2\nhidden = 64\nffn_hidden = 64\nheads = 4\nkv_heads = 4\nvocab = 100\n'),
        ("stacks", 'name = "mine"\nfactor = { step_time = 1.1, spread = 0.02, runs = 3 }\n'),
    ],
)
def test_every_kind_can_be_added(kind: Kind, content: str) -> None:
    own(kind, "mine.toml", content)
    catalog = Catalog.default()
    assert catalog.problems == ()
    assert "mine" in catalog.ids(kind)


def test_own_plans_come_after_the_presets() -> None:
    own(
        "plans", "aaa.toml", 'schema = 1\ncluster = { card = "h20", cards = 8 }\nworkload = { model = "x", tokens = 1 }'
    )
    catalog = Catalog.default()
    assert catalog.ids("plans")[-1] == "aaa"
    assert catalog.preset_info("aaa").title == "aaa"
    assert catalog.plan("aaa").cluster.cards == 8


def test_a_fleet_file_says_what_it_lacks() -> None:
    own("fleets", "mine.toml", 'schema = 1\n[[cluster]]\nname = "a"\ncard = "h20"\ncards = 8\n')
    own("fleets", "none.toml", 'schema = 1\nkind = "fleet"\ncluster = []\n')
    with pytest.raises(PlanError, match="not a fleet file"):
        Catalog.default().fleet("mine")
    with pytest.raises(PlanError, match="cluster"):
        Catalog.default().fleet("none")


def test_a_fabric_without_role() -> None:
    own("fabrics", "mine.toml", 'name = "mine"\ngb_per_s = 12.5\n')
    catalog = Catalog.default()
    with pytest.raises(PlanError) as caught:
        catalog.fabric("mine")
    assert only_problem(caught.value) == ("role", "this key is missing.", 'Write "scale-up" or "scale-out".')
    assert "mine" not in catalog.fabric_ids("scale-out")


@pytest.mark.parametrize(
    ("kind", "word", "meant"),
    [
        ("cards", "h100", "h100-sxm"),
        ("cards", "H100-SXN", "h100-sxm"),
        ("models", "llama3-405b", "llama3.1-405b"),
        ("fabrics", "infiniband", None),
        ("stacks", "megatrn", "megatron"),
    ],
)
def test_nearest(kind: Kind, word: str, meant: str | None) -> None:
    found = Catalog.default().nearest(kind, word)
    assert meant in found if meant else found == ()
    assert len(found) <= 3


def test_an_unknown_id_names_the_nearest_and_the_way_to_list_them() -> None:
    with pytest.raises(PlanError) as caught:
        Catalog.default().card("h100-smx")
    message = str(caught.value)
    assert '"h100-smx"' in message
    assert 'Did you mean "h100-sxm"?' in message
    assert "planner catalog cards" in message


def test_no_id_leads_out_of_the_folder() -> None:
    with pytest.raises(PlanError):
        Catalog.default().card("../models/dbrx")


def test_the_user_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANNER_CONFIG_DIR", "/somewhere")
    assert user_folder() == Path("/somewhere/catalogue")
    monkeypatch.delenv("PLANNER_CONFIG_DIR")
    assert user_folder().parts[-2:] == ("cluster-planner", "catalogue")
