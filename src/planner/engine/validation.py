"""Predicted against measured: how wrong the engine is, by family, card and kind of model.

Pure functions over predictions, whoever made them: the engine as shipped, or one whose constants were fitted without
the rows' families. Errors are predicted over measured step time, minus one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.engine.result import Interval, Outcome
from planner.engine.unstated import well_chosen
from planner.spec.base import PlanError
from planner.spec.plan import Resolved
from planner.spec.runs import MeasuredRun, SkippedRun

Floats = NDArray[np.float64]

SMALLEST_SWEEP = 8
"""Rows a layout sweep needs before ranking inside it says anything."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the engine says of one measured run."""

    row: MeasuredRun
    step_time_s: float
    interval_80: Interval
    """80 % range of the step time, s."""
    memory_gb: float
    fits: bool

    @property
    def error(self) -> float:
        """Predicted over measured step time, minus one; NaN where none was measured."""
        measured = self.row.step_time_s
        return self.step_time_s / measured - 1.0 if measured else float("nan")

    @property
    def memory_error(self) -> float:
        """Predicted over measured memory, minus one; NaN where none was measured."""
        measured = self.row.run.measured.memory_gb
        return self.memory_gb / measured - 1.0 if measured else float("nan")

    @property
    def inside(self) -> bool:
        """The measured step time lies in the 80 % range."""
        low, high = self.interval_80
        return self.row.step_time_s is not None and low <= self.row.step_time_s <= high

    @property
    def timed(self) -> bool:
        """There is a measured step time to compare with."""
        return self.row.step_time_s is not None

    @property
    def scored(self) -> bool:
        """It counts in the error tables: timed, every input known, nothing odd."""
        return self.timed and self.row.exact


@dataclass(frozen=True, slots=True)
class Summary:
    """Errors of some rows. All figures are ratios; None where there are no rows."""

    n: int
    median_abs_error: float | None
    p90_abs_error: float | None
    bias: float | None
    """Median of the signed errors: above zero, the engine is too slow."""
    coverage_80: float | None
    """Share of the rows whose measured step time lies in the 80 % range."""


@dataclass(frozen=True, slots=True)
class MemorySummary:
    """Errors of the memory of the fullest card, over rows whose source gives it."""

    n: int
    median_abs_error: float | None
    p90_abs_error: float | None
    bias: float | None


@dataclass(frozen=True, slots=True)
class Fit:
    """Which configurations ran and which ran out of memory, against what the engine says."""

    ran: int
    ran_called_oom: int
    oom: int
    oom_called_fit: int
    balanced_accuracy: float | None
    """Mean of the shares called right among those that ran and those that did not; None where either is missing."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """One layout sweep: rows of a family that share model, cards, batch, sequence length and precision."""

    group: str
    model: str
    card: str
    cards: int
    global_batch: int
    sequence_length: int
    precision: str
    n: int
    spearman: float
    """Rank correlation of predicted and measured step times."""
    pick: str
    """Row the engine would choose: the fastest it predicts of those it says fit, out-of-memory rows included."""
    picked_oom: bool
    loss: float | None
    """Measured step time of the pick over the best one's, minus one; None where the pick ran out of memory."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Ranking inside all layout sweeps."""

    sweeps: tuple[Sweep, ...]
    median_spearman: float | None
    median_loss: float | None
    picked_oom: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything `planner validate` says."""

    predictions: tuple[Prediction, ...]
    skipped: tuple[SkippedRun, ...]
    summary: Summary
    mean_of_family_medians: float | None
    by_group: dict[str, Summary]
    by_card: dict[str, Summary]
    by_kind: dict[str, Summary]
    by_precision: dict[str, Summary]
    memory: MemorySummary
    memory_rows: tuple[Prediction, ...]
    """Exact rows that give a card's memory, the worst predicted first."""
    fit: Fit
    partial: Summary
    """Rows with inputs the source does not give."""
    anomalous: Summary
    """Rows marked odd."""
    ranking: Ranking
    worst: tuple[Prediction, ...]
    """Scored rows with the largest errors, worst first."""


def predict_all(
    rows: Iterable[MeasuredRun], evaluate: Callable[[Resolved], Outcome]
) -> tuple[tuple[Prediction, ...], tuple[SkippedRun, ...]]:
    """Ask the engine for every row; a row whose plan it refuses is skipped with the reason.

    Where a source leaves strategy keys out, the range spans what the engine says with a plan's defaults and with the
    best choice.

    Args:
        rows: the measured runs.
        evaluate: `planner.engine.estimate.evaluate`, or an engine with other constants.
    """
    predictions: list[Prediction] = []
    refused: list[SkippedRun] = []
    for row in rows:
        try:
            outcome = evaluate(row.resolved)
        except PlanError as error:
            refused.append(SkippedRun(row.id, "; ".join(error.lines())))
            continue
        estimate = outcome.estimate
        interval = estimate.interval_80["step_time_s"]
        if row.run.confidence == "partial" and (chosen := well_chosen(row)):
            best = evaluate(chosen).estimate.interval_80["step_time_s"]
            interval = (min(interval[0], best[0]), max(interval[1], best[1]))
        predictions.append(Prediction(row, estimate.step_time_s, interval, estimate.memory_gb, outcome.fits))
    return tuple(predictions), tuple(refused)


def grouped(predictions: Iterable[Prediction], key: Callable[[MeasuredRun], str]) -> dict[str, list[Prediction]]:
    """Predictions by a property of their row, in the order of its values."""
    groups: dict[str, list[Prediction]] = {}
    for prediction in predictions:
        groups.setdefault(key(prediction.row), []).append(prediction)
    return dict(sorted(groups.items()))


def families(rows: Iterable[MeasuredRun]) -> dict[str, list[MeasuredRun]]:
    """Rows by source family: the units that are left out as a whole in cross-validation."""
    groups: dict[str, list[MeasuredRun]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    return dict(sorted(groups.items()))


def summarize_errors(errors: Floats | Sequence[float], inside: NDArray[np.bool_] | Sequence[bool]) -> Summary:
    """Median, 90th percentile and bias of errors, and the share inside the 80 % range.

    >>> summarize_errors([0.1, -0.2, 0.3], [True, True, False]).median_abs_error
    0.2
    """
    values = np.asarray(errors, dtype=np.float64)
    if not values.size:
        return Summary(0, None, None, None, None)
    absolute = np.abs(values)
    return Summary(
        n=int(values.size),
        median_abs_error=float(np.median(absolute)),
        p90_abs_error=float(np.quantile(absolute, 0.9)),
        bias=float(np.median(values)),
        coverage_80=float(np.mean(np.asarray(inside, dtype=np.float64))),
    )


def summarize(predictions: Iterable[Prediction]) -> Summary:
    """The summary of predictions whose step time was measured."""
    timed = [p for p in predictions if p.timed]
    return summarize_errors([p.error for p in timed], [p.inside for p in timed])


def mean_of_medians(summaries: Iterable[Summary]) -> float | None:
    """Mean of the median errors of groups: each family counts once, however many rows it has."""
    medians = [s.median_abs_error for s in summaries if s.median_abs_error is not None]
    return float(np.mean(medians)) if medians else None


def with_memory(predictions: Iterable[Prediction]) -> list[Prediction]:
    """Rows that ran, whose every input is known and whose source gives a card's memory; the worst predicted first."""
    rows = [p for p in predictions if p.row.run.measured.memory_gb is not None and p.row.exact and not p.row.oom]
    return sorted(rows, key=lambda p: -abs(p.memory_error))


def memory_errors(rows: Sequence[Prediction]) -> MemorySummary:
    """Errors of memory, over rows that have it."""
    summary = summarize_errors([p.memory_error for p in rows], [True] * len(rows))
    return MemorySummary(summary.n, summary.median_abs_error, summary.p90_abs_error, summary.bias)


def fit_of(predictions: Iterable[Prediction]) -> Fit:
    """Compare what is said to fit with what ran, over exact rows that are not odd."""
    exact = [p for p in predictions if p.row.exact]
    ran = [p.fits for p in exact if not p.row.oom]
    oom = [p.fits for p in exact if p.row.oom]
    accuracy = 0.5 * (np.mean(ran) + 1.0 - np.mean(oom)) if ran and oom else None
    return Fit(
        ran=len(ran),
        ran_called_oom=len(ran) - sum(ran),
        oom=len(oom),
        oom_called_fit=sum(oom),
        balanced_accuracy=None if accuracy is None else float(accuracy),
    )


def ranks(values: Floats | Sequence[float]) -> Floats:
    """Ranks from 1; equal values share the mean of their ranks.

    >>> ranks([10.0, 30.0, 10.0]).tolist()
    [1.5, 3.0, 1.5]
    """
    array = np.asarray(values, dtype=np.float64)
    _, inverse, counts = np.unique(array, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean: Floats = last - (counts - 1) / 2.0
    return mean[inverse]


def spearman(first: Floats | Sequence[float], second: Floats | Sequence[float]) -> float:
    """Spearman's rank correlation (Spearman 1904): Pearson's, of the ranks. 0 where either has only one value.

    >>> spearman([1.0, 2.0, 3.0], [10.0, 20.0, 15.0])
    0.5
    """
    a, b = ranks(first), ranks(second)
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale else 0.0


def rank_sweeps(predictions: Iterable[Prediction]) -> Ranking:
    """Rank the layouts of each sweep of `SMALLEST_SWEEP` or more timed rows, over exact rows that are not odd."""
    sweeps: dict[tuple[str, str, str, int, int, int, str], list[Prediction]] = {}
    for p in predictions:
        if p.row.exact and (p.timed or p.row.oom):
            sweeps.setdefault(_sweep_key(p.row), []).append(p)
    found = [_sweep(key, rows) for key, rows in sweeps.items() if sum(p.timed for p in rows) >= SMALLEST_SWEEP]
    losses = [s.loss for s in found if s.loss is not None]
    return Ranking(
        sweeps=tuple(found),
        median_spearman=float(np.median([s.spearman for s in found])) if found else None,
        median_loss=float(np.median(losses)) if losses else None,
        picked_oom=sum(s.picked_oom for s in found),
    )


def _sweep_key(row: MeasuredRun) -> tuple[str, str, str, int, int, int, str]:
    work = row.run.workload
    cards = row.run.cluster.cards
    model = row.resolved.model.name
    return row.group, model, row.card, cards, work.global_batch, work.sequence_length, work.precision


def _sweep(key: tuple[str, str, str, int, int, int, str], rows: Sequence[Prediction]) -> Sweep:
    timed = [p for p in rows if p.row.step_time_s is not None]
    measured = [p.row.step_time_s or 0.0 for p in timed]
    pick = min([p for p in rows if p.fits] or rows, key=lambda p: p.step_time_s)
    chosen = pick.row.step_time_s
    return Sweep(
        *key,
        n=len(timed),
        spearman=spearman([p.step_time_s for p in timed], measured),
        pick=pick.row.id,
        picked_oom=pick.row.oom,
        loss=chosen / min(measured) - 1.0 if chosen is not None else None,
    )


def report(predictions: Sequence[Prediction], skipped: Iterable[SkippedRun] = (), worst: int = 20) -> Report:
    """All tables of a validation.

    Args:
        predictions: one for each row that could be compared.
        skipped: rows that could not, and why.
        worst: how many of the worst rows to name.
    """
    scored = [p for p in predictions if p.scored]

    def table(key: Callable[[MeasuredRun], str]) -> dict[str, Summary]:
        return {name: summarize(rows) for name, rows in grouped(scored, key).items()}

    by_group = table(lambda row: row.group)
    weighed = with_memory(predictions)
    return Report(
        predictions=tuple(predictions),
        skipped=tuple(skipped),
        summary=summarize(scored),
        mean_of_family_medians=mean_of_medians(by_group.values()),
        by_group=by_group,
        by_card=table(lambda row: row.card),
        by_kind=table(lambda row: row.kind),
        by_precision=table(lambda row: row.run.workload.precision),
        memory=memory_errors(weighed),
        memory_rows=tuple(weighed),
        fit=fit_of(predictions),
        partial=summarize(p for p in predictions if p.row.run.confidence == "partial" and not p.row.run.anomaly),
        anomalous=summarize(p for p in predictions if p.row.run.anomaly),
        ranking=rank_sweeps(predictions),
        worst=tuple(sorted(scored, key=lambda p: -abs(p.error))[:worst]),
    )
