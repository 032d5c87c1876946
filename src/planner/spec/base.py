"""What every spec object shares: frozen, strict, no unknown keys, and the errors a reader can act on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Severity = Literal["error", "warning", "info"]

MAX_WHOLE_NUMBER = 2**53
"""Beyond this a whole number is no longer exact in the engine's floating point."""
MAX_NUMBER = 1e30
"""Largest number of any key: a hundred thousand times the FLOPs of the largest run known, and far from where products
of several overflow."""
MIN_NUMBER = 1e-9
"""Smallest number above 0 of any key, far from where one divided by several overflows."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a text may be, in words, where a pattern checks it."""

    words: str


Strings = Annotated[tuple[str, ...], Field(strict=False)]
"""A tuple of strings; TOML gives lists, which strict mode would refuse."""

Count = Annotated[int, Field(ge=1)]
"""A whole number of at least one."""

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
"""A ratio from 0 to 1."""


class Spec(BaseModel):
    """Base of all spec objects: immutable, strict about types, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


Setting = int | float | str | bool | tuple[str, ...]
"""What a fix sets a key to."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with, or worth knowing about, a plan."""

    severity: Severity
    key: str
    """Dotted path of the key it is about, e.g. `strategy.tensor`."""
    message: str
    """What is wrong, with the value and what is allowed."""
    fix: str = ""
    """What to change to what; empty where there is no single remedy."""
    change: tuple[tuple[str, Setting], ...] = ()
    """The fix as (dotted key, value) pairs a program can apply; empty where it cannot be."""


class PlanError(ValueError):
    """A file or plan that cannot be used; carries every problem found.

    Args:
        problems: at least one problem.
        source: file name or id the problems are about.
    """

    def __init__(self, problems: tuple[Problem, ...] | list[Problem], source: str = "") -> None:
        self.problems = tuple(problems)
        self.source = source
        super().__init__("\n".join(self.lines()))

    def __reduce__(self) -> tuple[type[PlanError], tuple[tuple[Problem, ...], str]]:
        """Made again as it was: an error crosses from one process to another."""
        return PlanError, (self.problems, self.source)

    def lines(self) -> list[str]:
        """One readable line a problem: file, key path, message, fix."""
        where = f"{self.source}: " if self.source else ""
        return [
            f"{where}{p.key + ': ' if p.key else ''}{p.message}{' ' + p.fix if p.fix else ''}" for p in self.problems
        ]


class Entry(Spec):
    """What every catalogue entry carries beside its figures."""

    id: str = ""
    """The catalogue id: the name of the entry's file."""
    name: str
    """The name people know it by."""
    notes: str = ""
    """What a reader should know and no key says."""
    provenance: dict[str, Strings] = {}
    """Key or group of keys -> the keys of `presets/sources.toml` (or addresses) it was read in."""
    unverified: Strings = ()
    """Keys whose figures were not checked against a source that was read."""
