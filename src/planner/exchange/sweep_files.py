"""Where the rows of a sweep go: CSV or Parquet, a block at a time, to be taken up again where it stopped.

Beside the file stands `FILE.progress` while a sweep runs: how many combinations are done, and how much of the file
holds them. A sweep that finds it cuts the file there and goes on; a finished sweep takes it away.
"""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol, Self

from planner.engine.search_table import Coded
from planner.exchange.as_csv import safe_cell
from planner.exchange.files import STREAM, reason, write_atomic
from planner.exchange.sweep import Sweep
from planner.exchange.sweep_rows import FIGURES, Columns
from planner.freeing import give_back
from planner.spec.base import PlanError, Problem
from planner.spec.words import escaped

PARQUET = ".parquet"
SUFFIXES = (".csv", PARQUET)
"""A file of another kind would not hold what its name says; one without a suffix holds CSV."""
EXTRA = "cluster-planner[parquet]"
TEXTS = {"problem", *(f"strategy.{key}" for key in ("schedule", "sharding", "recompute", "recompute_modules"))}
"""Columns of text beside those varied."""
GROUP_ROWS = 1 << 17
"""Rows of a Parquet row group, at the least, where a sweep has as many."""
PART_ROWS = 1 << 20
"""Rows after which a part of a Parquet file ends, with the combination."""
NOTE_EVERY_S = 10.0
"""Or seconds, whichever comes first."""
NOTE_EVERY = 1 << 20
"""Bytes written between two notes of progress, at the least (and at the end of a combination)."""


class Sink(Protocol):
    """Takes blocks of rows."""

    done: int
    """Combinations that are written already."""

    def __enter__(self) -> Self:
        """Open."""
        ...

    def __exit__(self, *failure: object) -> None:
        """Close; finish where nothing went wrong."""
        ...

    def write(self, done: int, blocks: list[Columns]) -> None:
        """Append rows; `done` combinations are complete with them."""
        ...


def sink(sweep: Sweep, where: str) -> Sink:
    """What writes a sweep to a file, by its suffix; `-` is CSV on standard output.

    Raises:
        PlanError: the suffix is of neither, Parquet is asked for and not installed, or an unfinished sweep of another
            kind is in the way.
    """
    if where == STREAM:
        return _Stream(sweep)
    path = Path(where)
    suffix = path.suffix.lower()
    if suffix and suffix not in SUFFIXES:
        fix = f"Write a name that ends in {' or '.join(SUFFIXES)}."
        raise PlanError([Problem("error", "", f"a sweep cannot be written as {escaped(path.suffix)}.", fix)], where)
    return _Parquet(sweep, path) if suffix == PARQUET else _Csv(sweep, path)


class _Stream:
    def __init__(self, sweep: Sweep) -> None:
        self.done = 0
        self._columns = sweep.columns

    def __enter__(self) -> Self:
        write_atomic(STREAM, _csv([self._columns]))
        return self

    def __exit__(self, *failure: object) -> None:
        pass

    def write(self, done: int, blocks: list[Columns]) -> None:
        self.done = done
        for block in blocks:
            write_atomic(STREAM, _csv(_rows(block)))


class _Resumable:
    """A file with a note of progress beside it."""

    def __init__(self, sweep: Sweep, path: Path) -> None:
        self.done = 0
        self._sweep = sweep
        self._path = path
        self._note = path.parent / f"{path.name}.progress"

    def _noted(self) -> dict[str, Any]:
        """What an unfinished sweep noted; empty where there is none."""
        try:
            note = json.loads(self._note.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(note, dict) or note.get("signature") != self._sweep.signature:
            message = "holds an unfinished sweep of other keys, another plan or another version."
            fix = f"Remove {self._note.name} to start anew, or write to another file."
            raise PlanError([Problem("error", "", message, fix)], str(self._path))
        return note

    def _save(self, **facts: int) -> None:
        note = {"signature": self._sweep.signature, "done": self.done, **facts}
        new = self._note.with_name(f".{self._note.name}.new")
        new.write_text(json.dumps(note), encoding="utf-8")
        new.replace(self._note)


class _Csv(_Resumable):
    """A device or pipe has no note: it cannot be taken up again."""

    def __enter__(self) -> Self:
        note = self._noted()
        with _telling(self._path):
            self._lasts = self._path.is_file() or not self._path.exists()
            if note and self._path.exists() and self._path.stat().st_size >= note["bytes"]:
                self._file: IO[bytes] = self._path.open("r+b")
                self._file.truncate(note["bytes"])
                self._file.seek(0, os.SEEK_END)
                self.done = note["done"]
            else:
                self._file = self._path.open("wb")
                self._file.write(_csv([self._sweep.columns]).encode())
        self._last = 0
        return self

    def __exit__(self, *failure: object) -> None:
        with _telling(self._path):
            self._file.close()
            if failure[0] is None:
                self._note.unlink(missing_ok=True)

    def write(self, done: int, blocks: list[Columns]) -> None:
        with _telling(self._path):
            self._file.writelines(_csv(_rows(block)).encode() for block in blocks)
            if done > self.done:
                self.done = done
                if self._lasts and (self._file.tell() - self._last > NOTE_EVERY or self._last == 0):
                    self._file.flush()
                    os.fsync(self._file.fileno())
                    self._last = self._file.tell()
                    self._save(bytes=self._last)


class _Parquet(_Resumable):
    """Parts beside the file, each of whole combinations, joined at the end row group by row group."""

    def __init__(self, sweep: Sweep, path: Path) -> None:
        super().__init__(sweep, path)
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError:
            message = "Parquet needs pyarrow, which is not installed."
            fix = f'Install it with `pip install "{EXTRA}"`, or write CSV (-o {path.stem}.csv).'
            raise PlanError([Problem("error", "", message, fix)], str(path)) from None
        self._pa, self._pq = pa, pq
        self._schema = pa.schema([(name, self._type(name)) for name in sweep.columns])
        self._parts = path.with_name(f"{path.name}.parts")
        self._part: Any = None
        self._waiting: list[Any] = []
        self._group_rows = self._part_rows = 0
        self._since = time.monotonic()

    def _type(self, name: str) -> Any:  # noqa: ANN401 - pyarrow's
        pa = self._pa
        for one in self._sweep.vary:
            if one.key == name:
                kinds = {type(value) for value in one.values}
                if kinds <= {int}:
                    return pa.int64()
                return pa.float64() if kinds <= {int, float} else pa.bool_() if kinds == {bool} else pa.string()
        if name in FIGURES:
            return pa.float64()
        if name in TEXTS:
            return pa.string()
        return pa.bool_() if name in {"fits", "strategy.sequence"} else pa.int64()

    def __enter__(self) -> Self:
        note = self._noted()
        with _telling(self._path):
            self._parts.mkdir(exist_ok=True)
            self.done = note.get("done", 0)
            for part in self._parts.iterdir():
                if not note or int(part.stem) > self.done:
                    part.unlink()
        self._begun = self.done
        return self

    def __exit__(self, *failure: object) -> None:
        with _telling(self._path):
            if failure[0] is None:
                self._finish()
            elif self._part is not None:
                self._part.close()

    def _finish(self) -> None:
        """Join the parts, and take away what stood beside the file."""
        if self.done > self._begun:
            self._end_part()
        new = self._path.with_name(f".{self._path.name}.new")
        with self._pq.ParquetWriter(new, self._schema) as whole:
            for part in self._complete():
                with self._pq.ParquetFile(part, pre_buffer=False) as source:
                    for number in range(source.num_row_groups):
                        whole.write_table(source.read_row_group(number, use_threads=False))
                        self._release()
        new.replace(self._path)
        for part in self._complete():
            part.unlink()
        self._parts.rmdir()
        self._note.unlink(missing_ok=True)

    def _complete(self) -> list[Path]:
        return sorted(self._parts.iterdir(), key=lambda part: int(part.stem))

    def write(self, done: int, blocks: list[Columns]) -> None:
        for block in blocks:
            cells = {name: self._cells(name, column) for name, column in block.items()}
            self._waiting.append(self._pa.table(cells, schema=self._schema))
            self._group_rows += self._waiting[-1].num_rows
        with _telling(self._path):
            if self._group_rows >= GROUP_ROWS:
                self._write_group()
            if done > self.done:
                self.done = done
                if self._part_rows + self._group_rows >= PART_ROWS or time.monotonic() - self._since > NOTE_EVERY_S:
                    self._end_part()

    def _cells(self, name: str, column: Any) -> Any:  # noqa: ANN401 - a list, an array, or codes of values
        kind = self._schema.field(name).type
        if isinstance(column, Coded):
            return self._pa.array(_texts(column.values, kind), kind).take(self._pa.array(column.codes))
        return column if hasattr(column, "dtype") else _texts(column, kind)

    def _write_group(self) -> None:
        if self._part is None:
            self._part = self._pq.ParquetWriter(self._parts / f"{self._begun + 1}.parquet", self._schema)
        self._part.write_table(self._pa.concat_tables(self._waiting), row_group_size=self._group_rows)
        self._part_rows += self._group_rows
        self._waiting, self._group_rows = [], 0
        self._release()

    def _release(self) -> None:
        """Memory of a group that is written goes back to the system, so that a sweep of any length needs as much."""
        self._pa.default_memory_pool().release_unused()
        give_back()

    def _end_part(self) -> None:
        """Close the part, and note that all up to here is kept."""
        if self._waiting:
            self._write_group()
        if self._part is not None:
            self._part.close()
        self._part, self._part_rows, self._begun, self._since = None, 0, self.done, time.monotonic()
        self._save()


def _texts(values: Sequence[Any], kind: object) -> Sequence[Any]:
    """Values as text where the column is of texts."""
    return [None if value is None else str(value) for value in values] if str(kind) == "string" else values


def _rows(block: Columns) -> Iterable[Sequence[object]]:
    """The rows of a block, in Python's own types."""
    columns = (column.tolist() if hasattr(column, "tolist") else column for column in block.values())
    return zip(*columns, strict=True)


def _csv(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[_cell(v) for v in row] for row in rows])
    return text.getvalue()


def _cell(value: object) -> object:
    """A cell that is safe to open, booleans as TOML writes them."""
    return str(value).lower() if isinstance(value, bool) else safe_cell(value)


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Name the file where the system does not let it be written; a reader that went away is no error of it."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise PlanError([Problem("error", "", f"cannot be written: {reason(error)}.")], str(path)) from None
