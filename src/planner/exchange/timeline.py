"""What the stages of a pipeline do when: the order a schedule's rules give, drawn in slots of one forward pass.

Each stage takes, whenever it is free, the first work its schedule prefers among what is ready. Forward takes one slot,
backward two, or one and one more for weight gradients where the schedule parts them (zero bubble, DualPipe).
Zero bubble with two chunks a stage is ZB-V (Qi et al. 2023, arXiv 2401.10241): a micro-batch passes the stages down and
up again, as many of them in flight as there are stages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["forward", "backward", "weight"]
Work = tuple[Kind, int, int]
"""What is done: kind, micro-batch, and place along the micro-batch's way, from 0 to places - 1."""

IDLE: Final = "·"
WEIGHT: Final = "="
LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
LONGEST: Final = 4_000
"""Slots after which a drawing stops in any case."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """A drawn schedule."""

    rows: tuple[str, ...]
    """A row a stage, a character a slot: a digit forward, its letter backward, `=` weight gradients, `·` idle."""
    idle: float
    """Share of all slots in which a stage waits."""


def draw(schedule: str, stages: int, chunks: int, micro_batches: int, slots: int = LONGEST) -> Timeline:
    """Draw a schedule.

    >>> print(*draw("1f1b", 2, 1, 3).rows, sep=chr(10))
    01··aa2bb·cc
    ·0aa1bb2cc··

    Args:
        schedule: as a plan names it.
        stages: pipeline stages.
        chunks: model chunks on each stage.
        micro_batches: how many pass through.
        slots: where the drawing stops.
    """
    book = _Book(schedule, stages, chunks, micro_batches)
    cells: list[list[str]] = [[] for _ in range(stages)]
    now = 0
    while not book.finished and now < slots:
        for stage in range(stages):
            if len(cells[stage]) > now:
                continue
            work = book.next(stage, now)
            cells[stage] += [_glyph(work)] * book.slots(work) if work else [IDLE]
        now += 1
    width = min(max(len(row) for row in cells), slots)
    rows = tuple("".join(row)[:width].ljust(width, IDLE) for row in cells)
    return Timeline(rows, sum(row.count(IDLE) for row in rows) / (width * stages))


def _glyph(work: Work) -> str:
    kind, batch, _ = work
    if kind == "weight":
        return WEIGHT
    return str(batch % 10) if kind == "forward" else LETTERS[batch % 10]


class _Book:
    """What is done, when it was, and what a stage may do next."""

    def __init__(self, schedule: str, stages: int, chunks: int, micro_batches: int) -> None:
        self.schedule, self.stages, self.micro_batches = schedule, stages, micro_batches
        self.places = stages * chunks
        self.parted = schedule in {"zero-bubble", "dualpipe"}
        self.folded = schedule == "zero-bubble" and chunks > 1
        self.looped = schedule == "interleaved" and chunks > 1
        self.done: dict[Work, int] = {}
        self.total = micro_batches * self.places * (3 if self.parted else 2)

    @property
    def finished(self) -> bool:
        """Everything has been given out."""
        return len(self.done) == self.total

    def slots(self, work: Work) -> int:
        """How long it takes."""
        return 2 if work[0] == "backward" and not self.parted else 1

    def next(self, stage: int, now: int) -> Work | None:
        """Take the first work a stage prefers of what is ready."""
        for work in self._preferred(stage):
            if work not in self.done and self._ready(work, now):
                self.done[work] = now + self.slots(work)
                return work
        return None

    def _places_of(self, stage: int, batch: int) -> Iterator[int]:
        """Where along a micro-batch's way a stage stands; DualPipe sends every other one from the far end."""
        if self.folded:
            yield from (self.places - 1 - stage, stage)
        elif self.schedule == "dualpipe" and batch % 2:
            yield self.stages - 1 - stage
        else:
            yield from range(stage, self.places, self.stages)

    def _preferred(self, stage: int) -> Iterator[Work]:
        batches = range(self.micro_batches)
        places = [(batch, place) for batch in batches for place in self._places_of(stage, batch)]
        forwards: list[Work] = [("forward", *one) for one in sorted(places, key=self._turn)]
        backwards: list[Work] = [("backward", *one) for one in places]
        if self.schedule == "gpipe":
            yield from forwards
            yield from backwards
            return
        if self.looped:
            backwards.sort(key=lambda work: (work[1] // self.stages, -work[2], work[1]))
        yield from backwards
        full = self._in_flight(stage) >= self._most(stage)
        yield from (work for work in forwards if not full or (self.folded and work[2] >= self.stages))
        if self.parted:
            yield from (("weight", batch, place) for _, batch, place in backwards)

    def _turn(self, one: tuple[int, int]) -> tuple[int, int, int]:
        """Where a micro-batch at a place stands among those waiting for their forward pass."""
        batch, place = one
        if self.folded:
            return 0, -place, batch
        return batch // self.stages if self.looped else batch, place, batch

    def _most(self, stage: int) -> int:
        """Micro-batches (of a chunk) a stage may hold; folded, those at its first chunk."""
        if self.schedule == "dualpipe":
            return self.stages + 1
        if self.looped:
            return (self.places - self.stages) + 2 * (self.stages - stage - 1) + 1
        return self.stages if self.folded else self.stages - stage

    def _in_flight(self, stage: int) -> int:
        held = 0
        for batch in range(self.micro_batches):
            for place in (stage,) if self.folded else self._places_of(stage, batch):
                held += ("forward", batch, place) in self.done
                held -= ("backward", batch, place) in self.done
        return held

    def _ready(self, work: Work, now: int) -> bool:
        kind, batch, place = work
        before: Work
        if kind == "weight":
            before = ("backward", batch, place)
        elif kind == "forward":
            if place == 0:
                return True
            before = ("forward", batch, place - 1)
        elif place == self.places - 1:
            before = ("forward", batch, place)
        else:
            before = ("backward", batch, place + 1)
        done: Mapping[Work, int] = self.done
        return before in done and done[before] <= now
