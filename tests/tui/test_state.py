"""The session: history, drafts, and the file it is kept in."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from tests.tui.helpers import CATALOG, plain_engine

from planner.engine.estimate import evaluate
from planner.engine.result import Outcome
from planner.exchange import sessions
from planner.spec.base import PlanError
from planner.spec.plan import Resolved
from planner.tui import session_file
from planner.tui.actions import BY_ID
from planner.tui.state import Session


@pytest.fixture
def session() -> Session:
    return Session(CATALOG, plain_engine, CATALOG.plan("deepseek-v3"), "deepseek-v3")


def test_an_edit_makes_a_new_plan(session: Session) -> None:
    before = session.plan
    assert session.edit("cluster.cards", 4096, "Cards 4096")
    assert before.cluster.cards == 2048
    assert session.plan.cluster.cards == 4096
    assert session.modified("cluster.cards")
    assert not session.modified("cluster.card")


def test_the_same_value_is_no_step(session: Session) -> None:
    session.edit("cluster.cards", 2048, "Cards 2048")
    assert len(session.history) == 1


def test_a_value_out_of_range_is_a_draft(session: Session) -> None:
    assert not session.edit("power.pue", 0.5, "PUE 0.5")
    assert "greater" in session.error("power.pue") or "least" in session.error("power.pue")
    assert session.stale
    assert session.plan.power.pue == 1.25
    assert session.edit("power.pue", 1.1, "PUE 1.1")
    assert not session.stale


def test_a_second_edit_mends_an_impossible_plan(session: Session) -> None:
    good = session.outcome
    session.edit("cluster.cards", 2047, "Cards 2047")
    assert session.outcome is good
    assert session.error("cluster.cards")
    assert session.edit("cluster.cards", 1024, "Cards 1024")
    assert session.outcome is not good
    assert not session.stale


def test_apply_refuses_what_is_no_plan(session: Session) -> None:
    with pytest.raises(PlanError):
        session.apply([("cluster.cards", "many")], "nonsense")
    assert len(session.history) == 1


def test_an_edit_after_undo_starts_a_new_future(session: Session) -> None:
    session.edit("cluster.cards", 4096, "Cards 4096")
    session.undo()
    session.edit("cluster.cards", 1024, "Cards 1024")
    assert session.redo() is None
    assert [step.label for step in session.history] == ["opened", "Cards 1024"]


def test_undo_goes_back_as_often_as_the_help_says(session: Session) -> None:
    first, often = session.plan, 200
    assert str(often) in BY_ID["undo"].help
    for cards in range(often + 5):
        session.apply([("cluster.cards", 2048 + 8 * cards)], "cards")
    assert sum(1 for _ in iter(session.undo, None)) == often
    assert session.plan == first


def test_nothing_to_undo(session: Session) -> None:
    assert session.undo() is None
    assert not session.can_undo


def test_a_session_comes_back_whole(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session.edit("cluster.cards", 4096, "Cards 4096")
    session.edit("strategy.offload", "optimizer", "Offload optimizer")
    session.mark_exported("mine.toml")
    session.undo()
    monkeypatch.setenv("PLANNER_STATE_DIR", str(tmp_path / "deep"))
    session_file.save(session, session_file.session_path())
    other = session_file.begin(None, None, CATALOG, plain_engine)
    assert [step.label for step in other.history] == [step.label for step in session.history]
    assert (other.plan, other.index, other.source) == (session.plan, 1, "mine.toml")
    assert not other.is_exported
    other.redo()
    assert other.is_exported


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 99}', '{"version": 1, "history": []}'])
def test_a_broken_session_file_is_set_aside_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("PLANNER_STATE_DIR", str(tmp_path))
    path = session_file.session_path()
    path.write_text(text, encoding="utf-8")
    session = session_file.begin(None, None, CATALOG, plain_engine)
    assert (session.plan, session.source) == (CATALOG.plan("deepseek-v3"), "deepseek-v3")
    kept = tmp_path / "session.unreadable.json"
    assert kept.read_text(encoding="utf-8") == text
    assert str(kept) in session.trouble
    session_file.save(session, path)
    assert session_file.begin(None, None, CATALOG, plain_engine).trouble == ""


def saved_with(path: Path, key: str, value: float) -> None:
    """A session whose last plan, the second, has a key at a value no edit can give it."""
    session = Session(CATALOG, plain_engine, CATALOG.plan("deepseek-v3"))
    session.edit("cluster.cards", 1024, "Cards 1024")
    session_file.save(session, path)
    data = json.loads(path.read_text(encoding="utf-8"))
    table, name = key.split(".")
    data["history"][1]["plan"].setdefault(table, {})[name] = value
    path.write_text(json.dumps(data), encoding="utf-8")


@pytest.mark.parametrize(
    ("key", "value"),
    [("workload.global_batch", 10**30), ("workload.tokens", 1e308), ("cluster.oversubscription", math.inf)],
)
def test_a_session_nothing_can_be_computed_of_is_set_aside_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: float
) -> None:
    monkeypatch.setenv("PLANNER_STATE_DIR", str(tmp_path))
    saved_with(session_file.session_path(), key, value)
    with pytest.raises(PlanError, match=f"the saved session cannot be used: {key}: ") as caught:
        sessions.find("session")
    assert len(caught.value.lines()) == 1
    session = session_file.begin(None, None, CATALOG, evaluate)
    assert session.plan == CATALOG.plan("deepseek-v3")
    assert str(tmp_path / "session.unreadable.json") in session.trouble


def test_a_session_on_which_the_engine_breaks_is_set_aside_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANNER_STATE_DIR", str(tmp_path))
    saved_with(session_file.session_path(), "cluster.cards", 4096)

    def breaks(resolved: Resolved) -> Outcome:
        if resolved.plan.cluster.cards == 4096:
            raise ZeroDivisionError
        return plain_engine(resolved)

    session = session_file.begin(None, None, CATALOG, breaks)
    assert session.plan == CATALOG.plan("deepseek-v3")
    assert "kept: " in session.trouble
    assert (tmp_path / "session.unreadable.json").exists()


def test_an_impossible_plan_comes_back_with_the_figures_of_the_one_before(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.edit("cluster.cards", 4096, "Cards 4096")
    before = session.outcome
    session.edit("cluster.cards", 2047, "Cards 2047")
    monkeypatch.setenv("PLANNER_STATE_DIR", str(tmp_path))
    session_file.save(session, session_file.session_path())
    other = session_file.begin(None, None, CATALOG, plain_engine)
    assert other.stale
    assert other.outcome is not None
    assert before is not None
    assert other.outcome.estimate == before.estimate
    other.undo()
    assert other.plan.cluster.cards == 4096
    assert not other.stale


def test_a_session_that_cannot_be_written_says_why(session: Session, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(PlanError, match="cannot be written: "):
        session_file.save(session, tmp_path / "file" / "session.json")


def test_the_file_is_data_one_can_read(session: Session, tmp_path: Path) -> None:
    session_file.save(session, tmp_path / "session.json")
    data = json.loads((tmp_path / "session.json").read_text(encoding="utf-8"))
    assert data["history"][0]["plan"]["cluster"]["cards"] == 2048


def test_digits_on_the_way_to_an_impossible_number_leave_no_figures_behind(session: Session) -> None:
    good, token = session.outcome, object()
    for text in (16, 160, 1601):  # 16 cards can be laid out, 1,601 cannot
        session.edit("cluster.cards", text, f"Cards {text}", token)
    assert session.stale
    assert session.outcome is good


def test_what_was_not_exported_is_kept_where_another_plan_is_opened(session: Session) -> None:
    assert session.keep_unexported() == ""  # nothing was changed
    session.edit("cluster.cards", 4096, "Cards 4096")
    assert session.keep_unexported() == "Cards 4096"
    session.open(CATALOG.plan("llama-3.1-8b"), "llama-3.1-8b")
    assert session.variants["Cards 4096"].cluster.cards == 4096


def test_a_start_on_a_file_keeps_what_the_last_session_left(own_folders: Path) -> None:
    path = session_file.session_path()
    left = session_file.begin(None, "deepseek-v3", CATALOG, plain_engine)
    left.edit("cluster.cards", 4096, "Cards 4096")
    session_file.save(left, path)
    again = session_file.begin(None, "llama-3.1-8b", CATALOG, plain_engine)
    assert again.variants["Cards 4096"].cluster.cards == 4096
    session_file.save(again, path)
    assert list(session_file.begin(None, "deepseek-v3", CATALOG, plain_engine).variants) == ["Cards 4096"]
