"""Writing leaves the old file or the new one, never half of either."""

import io
import stat
import sys
from pathlib import Path

import pytest

from planner.exchange.files import read_bytes, write_atomic
from planner.spec.base import PlanError
from planner.spec.parse import MAX_BYTES


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "plans" / "plan.toml"
    file.parent.mkdir()
    write_atomic(file, "naïve\n")
    write_atomic(file, "東京\n")
    assert read_bytes(file).decode() == "東京\n"
    assert [path.name for path in file.parent.iterdir()] == ["plan.toml"]


def test_a_failure_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "plans" / "plan.toml"
    file.parent.mkdir()
    file.write_text("old", encoding="utf-8")
    with pytest.raises(PlanError, match="cannot be written"):
        write_atomic(file, "new \ud800")  # no UTF-8
    assert file.read_text(encoding="utf-8") == "old"
    assert [path.name for path in file.parent.iterdir()] == ["plan.toml"]


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    file, link = tmp_path / "plan.toml", tmp_path / "link.toml"
    file.write_text("old", encoding="utf-8")
    file.chmod(0o640)
    link.symlink_to(file)
    write_atomic(link, "new")
    assert link.is_symlink()
    assert file.read_text(encoding="utf-8") == "new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_what_is_no_file_is_written_to_directly() -> None:
    write_atomic("/dev/null", "text")
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("name", ["", "no/such/folder/plan.toml", "x" * 300, "a\0b"])
def test_places_that_cannot_be_written_are_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(PlanError) as caught:
        write_atomic(tmp_path / name, "text")
    (line,) = caught.value.lines()
    assert "cannot be written: " in line


@pytest.mark.parametrize("name", ["", "missing.toml", "a\0b"])
def test_places_that_cannot_be_read_are_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(PlanError) as caught:
        read_bytes(tmp_path / name)
    assert "cannot be read: " in caught.value.lines()[0]


def test_no_more_is_read_than_a_file_of_ours_may_hold(tmp_path: Path) -> None:
    file = tmp_path / "large"
    with file.open("wb") as out:
        out.truncate(MAX_BYTES * 4)
    assert len(read_bytes(file)) == MAX_BYTES + 1


def test_standard_input_and_output(monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = io.BytesIO(b"schema = 1"), io.BytesIO()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(source))
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding="ascii"))
    assert read_bytes("-") == b"schema = 1"
    write_atomic("-", "東京\n")
    assert out.getvalue().decode() == "東京\n"


def test_standard_output_that_is_closed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OSError, match="Bad file descriptor"):
        write_atomic("-", "text")
