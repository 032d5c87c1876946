"""One kind of catalogue entries: a folder that comes with the program, and the user's own beside it.

The index is the listing of the two folders. A file is read when its entry is asked for, once.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from planner.spec.base import PlanError, Problem
from planner.spec.parse import MAX_BYTES, load_toml
from planner.spec.words import alike, did_you_mean, escaped, shown

EntryT = TypeVar("EntryT")

Maker = Callable[[Mapping[str, Any], str], EntryT]
"""Makes an entry of a parsed file and the name of its source; raises `PlanError`."""

Folders = tuple[Path, Path | None]
"""The folder of a kind that comes with the program, and the user's."""

SUFFIX = ".toml"

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
"""What a file may be called to be an entry, without `.toml`."""


class Shelf(Generic[EntryT]):
    """The entries of one kind, by id. A user's entry replaces the built-in one of the same id.

    Args:
        what: one of these, in words; for messages ("card").
        listed_by: the command that lists them; for messages.
        folders: the one that comes with the program, and the user's, which need not exist.
        make: makes an entry of a parsed file.
        skip: file names that are no entries.
    """

    def __init__(
        self, what: str, listed_by: str, folders: Folders, make: Maker[EntryT], skip: Iterable[str] = ()
    ) -> None:
        self.what = what
        self.listed_by = listed_by
        self._folders = folders
        self._make = make
        self._skip = frozenset(skip)
        self._index: tuple[dict[str, Path], dict[str, Path]] | None = None
        self._oddities: list[Problem] = []
        self._entries: dict[str, EntryT] = {}
        self._broken: dict[str, PlanError] = {}

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id, in order of the alphabet. No file is read."""
        builtin, own = self._listing()
        return tuple(sorted({**builtin, **own}))

    def get(self, name: str, key: str = "") -> EntryT:
        """The entry of an id.

        A user's file that cannot be used is passed over for the built-in entry of its id, where there is one.

        Args:
            name: the id.
            key: dotted path of the key that names it, for the message.

        Raises:
            PlanError: there is no such entry, or its file cannot be used.
        """
        if name in self._entries:
            return self._entries[name]
        builtin, own = self._listing()
        entry = self._own_entry(name, own[name]) if name in own else None
        if entry is None and name in builtin:
            entry = self._read(builtin[name])
        if entry is None:
            raise self._no_entry(name, key)
        self._entries[name] = entry
        return entry

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the user's files, which are read: ids that replace built-in ones, files of no use."""
        _, own = self._listing()
        for name in own:
            with contextlib.suppress(PlanError):  # remembered as broken
                self.get(name)
        broken = [
            Problem("warning", "", ": ".join(filter(None, (escaped(error.source), p.key, p.message))), p.fix)
            for error in self._broken.values()
            for p in error.problems
        ]
        return (*self._oddities, *broken)

    def _no_entry(self, name: str, key: str) -> PlanError:
        broken = self._broken.get(name)
        if broken is None:
            return PlanError([unknown(self.what, self.listed_by, name, key, self.ids)])
        if not key:
            return broken
        message = f"the {self.what} {shown(name)} cannot be used: {escaped('; '.join(broken.lines()))}"
        return PlanError([Problem("error", key, message)])

    def _own_entry(self, name: str, path: Path) -> EntryT | None:
        """A user's entry, or None where its file cannot be used, which is remembered."""
        if name in self._broken:
            return None
        try:
            return self._read(path)
        except PlanError as error:
            self._broken[name] = error
            return None

    def _read(self, path: Path) -> EntryT:
        source = str(path)
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise PlanError([Problem("error", "", f"cannot be read: {error.strerror}.")], source) from None
        return self._make(load_toml(raw, source), source)

    def _listing(self) -> tuple[dict[str, Path], dict[str, Path]]:
        if self._index is None:
            builtin, own = (self._files(folder) for folder in self._folders)
            self._oddities += [
                Problem("warning", "", f"{escaped(str(own[name]))} replaces the built-in {self.what} {name}.")
                for name in sorted(own.keys() & builtin.keys())
            ]
            self._index = builtin, own
        return self._index

    def _files(self, folder: Path | None) -> dict[str, Path]:
        """Files of a folder that are entries, by id; a missing folder has none."""
        if folder is None or not folder.is_dir():
            return {}
        try:
            with os.scandir(folder) as listing:
                names = sorted(item.name for item in listing if item.name.endswith(SUFFIX) and item.is_file())
        except OSError as error:
            self._oddities.append(Problem("warning", "", f"{escaped(str(folder))} cannot be read: {error.strerror}."))
            return {}
        found = {name.removesuffix(SUFFIX): folder / name for name in names if name not in self._skip}
        for name in [name for name in found if not ID.fullmatch(name)]:
            message = f"{escaped(str(found.pop(name)))} is passed over: its name is no id."
            self._oddities.append(Problem("warning", "", message, "Name it with letters, digits, and . _ + - alone."))
        return found


def unknown(what: str, listed_by: str, name: str, key: str, known: Iterable[str]) -> Problem:
    """The problem of an id that is not among the known ones: the nearest one, and how to list them all.

    Args:
        what: one of these, in words ("card").
        listed_by: the command that lists them.
        name: the id.
        key: dotted path of the key that names it; empty: none does.
        known: the ids there are.
    """
    meant = alike(name, known)
    fix = f"{did_you_mean(meant)}`{listed_by}` lists what there is."
    change = ((key, meant[0]),) if meant and key else ()
    return Problem("error", key, f"there is no {what} {shown(name)} in the catalogue.", fix, change)
