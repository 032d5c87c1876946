"""Measured runs: what somebody ran, on which cluster, and how fast it was; or that it did not fit."""

from __future__ import annotations

import datetime as dt
import difflib
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from planner.spec.base import Count, Form, Positive, Spec, Strings
from planner.spec.card import Precision
from planner.spec.model import Model
from planner.spec.plan import SCHEMA, Cluster, Inline, Resolved, Strategy
from planner.spec.words import nearest

FlopsConvention = Literal["6nd", "causal", "full-square", "megatron", "hardware", "unstated"]
"""How a source counts FLOPs; see `planner.engine.conventions`."""

Kind = Literal["dense", "moe", "hybrid"]

NEARLY = 0.85
"""Likeness of two names from which one is taken for the other, misspelt."""

DAY = len("2023-11-30")

Day = Annotated[
    str, BeforeValidator(lambda v: v.isoformat()[:DAY] if isinstance(v, dt.date) else v),
    Field(pattern=r"^(\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?)?$"),
    Form('a year ("2023"), a month ("2023-11") or a day'),
]  # fmt: skip
"""A date as text, by which software is told from older software; TOML's own dates are taken too."""


def _one_line(text: str) -> str:
    if not text.strip() or len(text.splitlines()) > 1 or "\t" in text:
        msg = "it must be one line of text"
        raise ValueError(msg)
    return text


Word = Annotated[str, AfterValidator(_one_line)]
"""Text of one line that is not empty."""


class RunModel(Model):
    """A model shape of a runs file; the name of its table is its name."""

    name: str = ""


class RunWorkload(Spec):
    """What was trained; the total of tokens need not be known, since one step was timed."""

    model: str | Inline
    """A `[model.NAME]` table of the file, else a catalogue id."""
    tokens: Positive | None = None
    sequence_length: Count = 4096
    global_batch: Count = 1024
    """Sequences in one optimizer step."""
    precision: Precision = "bf16"


SPEEDS = (
    "step_time_s", "tokens_per_s", "tokens_per_s_per_card", "samples_per_s", "model_tflops_per_card",
    "hardware_tflops_per_card", "mfu", "hfu",
)  # fmt: skip
"""Figures of speed, the one that counts first."""


class Measured(Spec):
    """The figures a source gives, as it printed them. Further figures are kept, and not used."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Any]

    step_time_s: Positive | None = None
    """Seconds of one optimizer step."""
    step_time_derived: bool = False
    """The step time was computed from another figure of the source."""
    tokens_per_s: Positive | None = None
    """Tokens a second, all cards together."""
    tokens_per_s_per_card: Positive | None = None
    """Tokens a second and card."""
    samples_per_s: Positive | None = None
    """Sequences a second, all cards together."""
    model_tflops_per_card: Positive | None = None
    """FLOP/s without recompute, by the run's convention."""
    hardware_tflops_per_card: Positive | None = None
    """FLOP/s with recompute."""
    mfu: Positive | None = None
    """Model FLOP/s over the card's dense BF16 peak, 0 to 1, by the run's convention."""
    hfu: Positive | None = None
    """The same with recompute."""
    memory_gb: Positive | None = None
    """Memory of the fullest card, GB."""

    @property
    def speeds(self) -> tuple[str, ...]:
        """The figures of speed it gives, the one that counts first."""
        return tuple(name for name in SPEEDS if getattr(self, name) is not None)


class Run(Spec):
    """One measured configuration: a plan's own tables and what came out of it."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Any]

    id: Word
    """Name of the row, its own among all rows."""
    group: Word
    """The source family: rows of one family are never split between fitting and testing."""
    source: str = ""
    """Where the figures were read, in words."""
    url: str = ""
    """Its address."""
    date: Day = ""
    """When it was published or measured: a year, a month or a day."""
    release: str = ""
    """Release of the software, or the table of the source."""
    config_id: str = ""
    """Same text: the same configuration, measured again."""
    confidence: Literal["exact", "partial"] = "exact"
    """exact: every input is known; partial: see `unstated`."""
    cluster: Cluster
    workload: RunWorkload
    strategy: Strategy = Strategy()
    measured: Measured = Measured()
    step_time_derived: bool = False
    """As in `measured`, where a file has it here."""
    flops_convention: FlopsConvention = "unstated"
    """How the source counts FLOPs, where it gives FLOP/s, MFU or HFU; unstated: taken as causal."""
    outcome: Literal["ran", "oom"] = "ran"
    """oom: it ran out of memory, and has no throughput."""
    unstated: Strings = ()
    """Inputs the source does not give."""
    anomaly: str = ""
    """Why the row is odd; odd rows are reported apart."""
    proxy: str = ""
    """The shape is a cut-down version of the model it is named after."""
    notes: str = ""

    @property
    def step_times(self) -> dict[str, float]:
        """Seconds of a step by each figure that needs no convention, the one that counts first."""
        m, sequences = self.measured, self.workload.global_batch
        tokens = float(sequences * self.workload.sequence_length)
        per_card = m.tokens_per_s_per_card
        by_rate = {
            "tokens_per_s": (tokens, m.tokens_per_s),
            "tokens_per_s_per_card": (tokens, per_card and per_card * self.cluster.cards),
            "samples_per_s": (float(sequences), m.samples_per_s),
        }
        stated = {} if m.step_time_s is None else {"step_time_s": float(m.step_time_s)}
        return stated | {name: work / rate for name, (work, rate) in by_rate.items() if rate is not None}

    @property
    def unknown_keys(self) -> dict[str, str]:
        """Keys the format does not have, with the name that may have been meant.

        Texts named `*_as_stated` belong to it, and so do further figures under `measured` unless their name is nearly
        that of one the format knows.
        """
        own = [key for key in self.__pydantic_extra__ if not key.endswith("_as_stated")]
        unknown = {key: nearest(key, type(self).model_fields) for key in own}
        for key in self.measured.__pydantic_extra__ or {}:
            if close := difflib.get_close_matches(key, Measured.model_fields, n=1, cutoff=NEARLY):
                unknown[f"measured.{key}"] = f"measured.{close[0]}"
        return unknown


class RunsFile(Spec):
    """A runs file, `schema = 1`, `kind = "runs"`."""

    schema_: Annotated[int, Field(alias="schema")] = SCHEMA
    kind: Literal["runs"] = "runs"
    model: dict[str, RunModel] = Field(default={})
    """Shapes by name; they win over the catalogue's."""
    run: Annotated[tuple[Run, ...], Field(strict=False)] = ()


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """A run whose references are objects: what the engine can be compared with."""

    run: Run
    resolved: Resolved
    step_time_s: float | None
    """Measured seconds of one optimizer step; None: the row says only whether it fits, or its memory."""
    how: str
    """Which figure of the source the step time comes from, and by which convention."""

    @property
    def id(self) -> str:
        """Name of the row."""
        return self.run.id

    @property
    def group(self) -> str:
        """Source family."""
        return self.run.group

    @property
    def card(self) -> str:
        """Catalogue id of the card, or its name where the row brings its own."""
        return self.resolved.card.id or self.resolved.card.name

    @property
    def kind(self) -> Kind:
        """Dense, mixture of experts, or a hybrid with Mamba layers."""
        model = self.resolved.model
        if model.hybrid:
            return "hybrid"
        return "moe" if model.moe else "dense"

    @property
    def oom(self) -> bool:
        """It ran out of memory."""
        return self.run.outcome == "oom"

    @property
    def exact(self) -> bool:
        """Every input is known and nothing is odd about the row: it counts in the error tables."""
        return self.run.confidence == "exact" and not self.run.anomaly


@dataclass(frozen=True, slots=True)
class SkippedRun:
    """A row that cannot be compared, and why."""

    id: str
    why: str
    file: str = ""
    """The file it stands in; empty where the row was read and the engine refused it."""


@dataclass(frozen=True, slots=True)
class RunsData:
    """All rows of one or several runs files."""

    runs: tuple[MeasuredRun, ...]
    skipped: tuple[SkippedRun, ...]
    warnings: tuple[str, ...] = ()
    """Of rows that are used: keys the format does not have, which are ignored, and figures that contradict others."""

    def __add__(self, other: RunsData) -> RunsData:
        """Several files read as one."""
        return RunsData(self.runs + other.runs, self.skipped + other.skipped, self.warnings + other.warnings)
