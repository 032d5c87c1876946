"""A validation as JSON, as the contract of `planner validate --json` has it, with further tables beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from planner.engine.validation import Prediction, Report


def validation_json(report: Report, warnings: Sequence[str] = ()) -> dict[str, Any]:
    """The report as plain values.

    `runs` holds every row with a measured step time, partial and odd ones too, which their `confidence` and `anomaly`
    tell; `oom` holds the rows that ran out of memory, `memory_runs` those whose source gives a card's memory: the exact
    ones, the worst predicted first, then partial and odd ones. `summary`, `by_*`, `memory`, `fit`, `ranking` and
    `worst` are over exact rows without anomaly. Figures of no rows are null.

    Args:
        report: the tables.
        warnings: what was ignored in rows that are used, or contradicts itself there.
    """
    return {
        "runs": [_run(p) for p in report.predictions if p.timed],
        "oom": [{"id": p.row.id, "called_fit": p.fits} for p in report.predictions if p.row.oom],
        "skipped": [asdict(row) for row in report.skipped],
        "summary": asdict(report.summary),
        "mean_of_family_medians": report.mean_of_family_medians,
        "by_group": {name: asdict(summary) for name, summary in report.by_group.items()},
        "by_card": {name: asdict(summary) for name, summary in report.by_card.items()},
        "by_kind": {name: asdict(summary) for name, summary in report.by_kind.items()},
        "by_precision": {name: asdict(summary) for name, summary in report.by_precision.items()},
        "memory": asdict(report.memory),
        "memory_runs": [_memory(p) for p in (*report.memory_rows, *memory_apart(report))],
        "fit": asdict(report.fit),
        "partial": asdict(report.partial),
        "anomalous": asdict(report.anomalous),
        "ranking": asdict(report.ranking),
        "worst": [p.row.id for p in report.worst],
        "warnings": list(warnings),
    }


def memory_apart(report: Report) -> list[Prediction]:
    """Rows that ran and whose source gives a card's memory, but which are partial or odd."""
    return [
        p for p in report.predictions if p.row.run.measured.memory_gb is not None and not p.row.exact and not p.row.oom
    ]


def _memory(p: Prediction) -> dict[str, Any]:
    return {
        "id": p.row.id,
        "confidence": p.row.run.confidence,
        "anomaly": p.row.run.anomaly,
        "measured_memory_gb": p.row.run.measured.memory_gb,
        "memory_gb": p.memory_gb,
        "error": p.memory_error,
    }


def _run(p: Prediction) -> dict[str, Any]:
    return {
        "id": p.row.id,
        "group": p.row.group,
        "card": p.row.card,
        "kind": p.row.kind,
        "confidence": p.row.run.confidence,
        "anomaly": p.row.run.anomaly,
        "measured_step_time_s": p.row.step_time_s,
        "measured_by": p.row.how,
        "predicted_step_time_s": p.step_time_s,
        "error": p.error,
        "interval_80": list(p.interval_80),
        "inside": p.inside,
        "memory_gb": p.memory_gb,
        "measured_memory_gb": p.row.run.measured.memory_gb,
        "fits": p.fits,
    }
