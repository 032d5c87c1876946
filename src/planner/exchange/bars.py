"""Where a step goes and memory by stage, as bars with numbers: the same text on screen and on the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from planner.engine.result import Estimate
from planner.exchange.figures import COMPUTE_NAMES, STEP_NAMES
from planner.exchange.format import gigabytes, seconds

FILLS = {"weights": "█", "gradients": "▓", "optimizer": "▒", "activations": "░", "other": "▪"}
"""The mark of each kind of memory: told apart without colour."""

NAME = 18
"""Columns of the names of a step's parts."""
STAGE = 10
"""Columns of the names of stages."""


@dataclass(frozen=True, slots=True)
class StepBar:
    """A part of a step."""

    key: str
    """Id of its formula; empty: several small parts."""
    name: str
    bar: str
    numbers: tuple[str, str]
    """Time, and share of the step."""

    @property
    def text(self) -> str:
        """The line."""
        return f"  {self.name}{self.bar}{''.join(self.numbers)}"


@dataclass(frozen=True, slots=True)
class StageBar:
    """Memory of a stage's cards."""

    name: str
    inside: str
    beyond: str
    """What a card does not have."""
    amount: str
    over: bool

    @property
    def text(self) -> str:
        """The line."""
        return f"  {self.name}{self.inside}{self.beyond}{self.amount}{' ✖' if self.over else ''}"


def step_title(e: Estimate) -> str:
    """What is shown of a step."""
    return f"Where a step of {seconds(e.step_time_s)} goes"


def step_bars(e: Estimate, width: int, most: int = 0) -> list[StepBar]:
    """A bar a part.

    Args:
        e: the estimate.
        width: columns to fill.
        most: lines at most, the smallest parts together in one; 0: all of them.
    """
    parts = [(key, part_name(key), value) for key, value in step_parts(e).items()]
    if len(parts) > most > 1:
        kept = {key for key, _, _ in sorted(parts, key=lambda part: -part[2])[: most - 1]}
        rest = [value for key, _, value in parts if key not in kept]
        parts = [part for part in parts if part[0] in kept] + [("", f"{len(rest)} smaller parts", sum(rest))]
    scale = max((value for _, _, value in parts), default=1.0)
    room = max(width - NAME - 20, 4)
    return [
        StepBar(key, f"{name:<{NAME}}", bar(value, scale, room),
                (f"{seconds(value):>9}", f"{rough_percent(value / e.step_time_s):>7}"))
        for key, name, value in parts
    ]  # fmt: skip


def memory_title(e: Estimate) -> str:
    """What is shown of memory."""
    return f"Memory by stage, of {gigabytes(e.memory_capacity_gb)} a run can use"


def memory_bars(e: Estimate, width: int, rows: int = 0) -> Iterator[StageBar]:
    """A stacked bar a stage.

    Args:
        e: the estimate.
        width: columns to fill.
        rows: stages at most, the ones that matter; 0: all of them.
    """
    stages, totals, capacity = e.memory_by_stage_gb, e.memory_gb_by_stage, e.memory_capacity_gb
    scale = max(capacity, *totals)
    room = max(width - STAGE - 15, 4)
    limit = round(room * capacity / scale)
    for stage in pick_stages(totals, rows or len(stages)):
        name = f"stage {stage}" if len(stages) > 1 else "all cards"
        chart = stacked(stages[stage], scale, room)
        amount, over = f"{gigabytes(totals[stage]):>10}", totals[stage] > capacity
        yield StageBar(f"{name:<{STAGE}}", chart[:limit], chart[limit:], amount, over)


def rough_percent(share: float) -> str:
    """A share to a whole percent.

    >>> rough_percent(0.178), rough_percent(0.0008)
    ('18 %', '<1 %')
    """
    return f"{share * 100:.0f} %" if share >= 0.01 or share == 0 else "<1 %"  # noqa: PLR2004 - one percent


def part_name(key: str) -> str:
    """What a part of a step is called, by the id of its formula.

    >>> part_name("compute.gemm"), part_name("step.data")
    ('matrix products', 'data parallel')
    """
    return (COMPUTE_NAMES | STEP_NAMES)[key.partition(".")[2]]


def step_parts(estimate: Estimate) -> dict[str, float]:
    """Where a step goes: seconds that add up to it by the id of their formula, compute split into its kinds."""
    parts = {f"compute.{key}": value for key, value in estimate.compute_breakdown_s.items()}
    parts |= {f"step.{key}": value for key, value in estimate.step_breakdown_s.items() if key != "compute"}
    return {key: value for key, value in parts.items() if value > 0}


def bar(value: float, scale: float, width: int) -> str:
    """A horizontal bar of exactly `width` cells, to half a cell; thin, so that bars below each other stay apart.

    >>> bar(1.0, 2.0, 4), bar(0.7, 2.0, 4)
    ('━━  ', '━╸  ')
    """
    if width <= 0:
        return ""
    share = min(max(value / scale, 0.0), 1.0) if scale > 0 else 0.0
    full, half = divmod(max(round(share * width * 2), 1 if share > 0 else 0), 2)
    return ("━" * full + "╸" * half).ljust(width)


def stacked(parts: Mapping[str, float], scale: float, width: int) -> str:
    """Parts end to end, each in its own mark, padded to `width`; rounding keeps the whole length right.

    >>> stacked({"weights": 2.0, "activations": 1.0}, 4.0, 8)
    '████░░  '
    """
    text, total = "", 0.0
    for kind, value in parts.items():
        total += max(value, 0.0)
        end = min(round(width * total / scale), width) if scale > 0 else 0
        text += FILLS.get(kind, FILLS["other"]) * (end - len(text))
    return text.ljust(width)[: max(width, 0)]


def pick_stages(gb_by_stage: Sequence[float], rows: int) -> list[int]:
    """Which pipeline stages to show in so many rows: the first, the fullest, the last, then evenly between.

    >>> pick_stages([5, 9, 4, 4, 4, 4, 4, 6], 3)
    [0, 1, 7]
    """
    count = len(gb_by_stage)
    if count <= rows:
        return list(range(count))
    fullest = max(range(count), key=gb_by_stage.__getitem__)
    chosen = dict.fromkeys([fullest, 0, count - 1])
    step = (count - 1) / max(rows - 1, 1)
    for stage in [*(round(step * i) for i in range(rows)), *range(count)]:
        if len(chosen) >= rows:
            break
        chosen[stage] = None
    return sorted(list(chosen)[:rows])
