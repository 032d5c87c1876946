"""What the engine answers: an estimate, and the outcome that carries it with what is wrong with the plan."""

from __future__ import annotations

from dataclasses import dataclass

from planner.spec.base import Problem
from planner.spec.plan import Resolved

Interval = tuple[float, float]

STEP_PARTS = (
    "compute", "tensor", "context", "expert", "pipeline_bubble", "pipeline_transfer", "data", "optimizer", "other",
)  # fmt: skip
"""Parts of a step, in the order they are shown; their times add up to the step."""
COMPUTE_PARTS = ("gemm", "attention", "memory_bound", "logits", "recompute", "host")
"""Parts of the step's compute; they add up to it."""
MEMORY_PARTS = ("weights", "gradients", "optimizer", "activations", "other")
"""Parts of a card's memory; they add up to the fullest stage."""


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the bill of materials."""

    part: str
    count: float
    usd: float
    """Cost of all of them, USD."""
    kw: float
    """Power of all of them, kW."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Everything computed for one plan. Names and units are those of the JSON contract."""

    step_time_s: float
    tokens_per_s: float
    tokens_per_s_per_card: float
    model_tflops_per_card: float
    mfu: float
    hfu: float
    mfu_6nd: float
    training_days: float
    card_hours: float
    goodput: float
    h100_equivalents: float
    cost_usd: float
    """NaN-free; 0 where no price is known (a problem says so)."""
    usd_per_million_tokens: float
    energy_mwh: float
    power_mw: float
    co2_kg: float
    memory_gb: float
    memory_capacity_gb: float
    """What a run can use of one card's memory."""
    memory_gb_by_stage: tuple[float, ...]
    memory_breakdown_gb: dict[str, float]
    memory_by_stage_gb: tuple[dict[str, float], ...]
    """`memory_breakdown_gb` of every stage, for pictures."""
    step_breakdown_s: dict[str, float]
    compute_breakdown_s: dict[str, float]
    interval_80: dict[str, Interval]
    """80 % ranges of step_time_s, mfu, training_days, cost_usd."""
    runs_behind: int
    """Measured runs the interval was derived from."""
    steps: float
    interruptions: float
    """Failures expected in the whole run."""
    checkpoint_gb: float
    checkpoint_every_s: float
    spare_cards: float
    """Cards beside the plan's own that cover repairs of a day."""
    it_peak_mw: float
    """Power of cards, hosts, switches and storage, all at their rating."""
    usd_per_card_hour: float
    """0 where no price is known."""
    bill_of_materials: tuple[Part, ...] = ()

    @property
    def fullest_stage(self) -> int:
        """The pipeline stage whose memory decides whether the plan fits, from 0; the first of equals."""
        return self.memory_gb_by_stage.index(max(self.memory_gb_by_stage))


@dataclass(frozen=True, slots=True)
class Outcome:
    """An estimate with the plan it is of and what is wrong with it."""

    resolved: Resolved
    fits: bool
    """The fullest stage fits the card's memory and nothing forbids the layout."""
    problems: tuple[Problem, ...]
    estimate: Estimate
