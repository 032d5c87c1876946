"""Runs files in: measured configurations, with every row either usable or skipped for a stated reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from planner.catalog import Catalog
from planner.data_files import data_root
from planner.engine.conventions import measured_step_time
from planner.exchange.files import read_bytes, spoken
from planner.spec.base import PlanError, Problem
from planner.spec.parse import KINDS, PLAN_FILE, build, check_schema, load_toml, unfit_values
from planner.spec.plan import Plan, Resolved, Workload
from planner.spec.rules import errors
from planner.spec.runs import SPEEDS, Measured, MeasuredRun, Run, RunModel, RunsData, SkippedRun
from planner.spec.words import escaped, nearest

FILE_KEYS = ("schema", "kind", "model", "run")
AGREE = 0.05
"""Step times of one row may differ by this much: sources round."""
SHORTEST_STEP_S, LONGEST_STEP_S = 1e-6, 1e8
"""Outside of these a measured step time is a slip of unit or pen."""


def shipped_runs() -> tuple[Path, ...]:
    """The runs files that come with the program, in the order of their names."""
    return tuple(sorted((data_root() / "validation").glob("*.toml")))


def read_all(paths: Iterable[Path], catalog: Catalog) -> RunsData:
    """Read several runs files as one; each file's model tables count in that file only.

    Raises:
        PlanError: a file cannot be read, or is no runs file.
    """
    data = RunsData((), ())
    for path in paths:
        data += read_runs(path, catalog)
    first: dict[str, MeasuredRun] = {}
    again = [
        SkippedRun(run.id, "another row has the same id")
        for run in data.runs
        if first.setdefault(run.id, run) is not run
    ]
    return replace(data, runs=tuple(first.values()), skipped=(*data.skipped, *again))


def read_runs(path_or_text: Path | str, catalog: Catalog) -> RunsData:
    """Read a runs file.

    A row is skipped, with the reason, when its card, model shape or precision is not known, when its layout is
    impossible, or when it gives neither speed nor memory. Inputs a row leaves out get a plan's own defaults (micro
    batch 1, virtual stages 1, no recompute, ZeRO-1); `confidence` and `unstated` tell such rows from exact ones.

    Args:
        path_or_text: a file (`-`: standard input), or what one holds.
        catalog: where cards, fabrics, stacks, and the models that are not in the file are looked up.

    Raises:
        PlanError: the file cannot be read, or is no runs file.
    """
    if isinstance(path_or_text, Path):
        source = spoken(path_or_text)
        data = load_toml(read_bytes(path_or_text), source, rows="run")
    else:
        source = "runs"
        data = load_toml(path_or_text, source, rows="run")
    rows = _rows(data, source)
    shapes = _Shapes(data.get("model", {}), catalog)
    runs: list[MeasuredRun] = []
    skipped: list[SkippedRun] = []
    warnings: list[str] = []
    for number, row in enumerate(rows, 1):
        name = escaped(str(row.get("id") or f"row {number}"))
        try:
            if unfit := tuple(unfit_values(row, "")):
                raise PlanError(unfit)  # noqa: TRY301 - all reasons to skip a row are worded in one place
            run = build(Run, row, source)
            warnings += _warnings(run, source)
            runs.append(_measured(run, shapes))
        except PlanError as error:
            skipped.append(SkippedRun(name, _why(error.problems), source))
    return RunsData(tuple(runs), tuple(skipped), tuple(warnings))


def _warnings(run: Run, source: str) -> list[str]:
    """What is ignored in a row, and what in it contradicts itself, a line each."""
    told = [
        f"unknown key {escaped(key)}, ignored" + (f". Did you mean {meant}?" if meant else "")
        for key, meant in run.unknown_keys.items()
    ]
    if run.outcome == "oom" and run.measured.speeds:
        told.append(f"measured.{run.measured.speeds[0]} is ignored: it ran out of memory")
    return [f"{source}: {run.id}: {words}" for words in (*told, *_contradictions(run))]


def _contradictions(run: Run) -> Iterator[str]:
    """Figures of speed that say another step time than the one that counts."""
    times = run.step_times
    if run.outcome == "oom" or not times:
        return
    counts, *others = times
    for other in others:
        if max(times[counts], times[other]) > (1.0 + AGREE) * min(times[counts], times[other]):
            seconds = f"measured.{other} gives a step of {times[other]:.4g} s"
            yield f"{seconds}, measured.{counts} one of {times[counts]:.4g} s, which counts"


class _Shapes:
    """The model tables of one file, each checked once, and the catalogue behind them."""

    def __init__(self, tables: Mapping[str, Any], catalog: Catalog) -> None:
        self.tables = tables
        self.catalog = catalog
        self._known: dict[str, RunModel | PlanError] = {}

    def of_file(self, name: str) -> RunModel | None:
        """The file's own shape of a name; None where it has no such table.

        Raises:
            PlanError: the table does not give a whole shape.
        """
        if name not in self.tables:
            return None
        if name not in self._known:
            try:
                self._known[name] = build(RunModel, {"name": name, **self.tables[name]}, "the file", f"model.{name}")
            except PlanError as error:
                self._known[name] = PlanError(error.problems)
        known = self._known[name]
        if isinstance(known, PlanError):
            raise known
        return known


def _measured(run: Run, shapes: _Shapes) -> MeasuredRun:
    resolved = _resolve(run, shapes)
    if impossible := errors(resolved):
        raise PlanError([replace(problem, fix="") for problem in impossible])  # what ran is not to be mended
    if run.outcome == "oom":
        return MeasuredRun(run, resolved, None, "ran out of memory")
    seconds, how = measured_step_time(run, resolved)
    if seconds is None and run.measured.memory_gb is None:
        raise PlanError([Problem("error", "measured", _no_figure(run.measured))])
    if seconds is not None and not SHORTEST_STEP_S <= seconds <= LONGEST_STEP_S:
        message = f"{run.measured.speeds[0]} gives a step of {seconds:.3g} s, which is none."
        raise PlanError([Problem("error", "measured", message)])
    return MeasuredRun(run, resolved, seconds, how)


def _no_figure(measured: Measured) -> str:
    """That a row can be compared with nothing, and what it has instead."""
    missing = "there is no figure of speed or memory."
    if not (other := measured.__pydantic_extra__):
        return missing
    return f"{missing} {escaped(', '.join(other))} is none of {', '.join(SPEEDS)} and memory_gb."


def _resolve(run: Run, shapes: _Shapes) -> Resolved:
    """The run as a resolved plan, with one step's tokens where the total is not given, and software of its day."""
    work = run.workload
    shape = shapes.of_file(work.model) if isinstance(work.model, str) else None
    table = shape.model_dump(exclude_unset=True) if shape else work.model
    plan = Plan(
        name=run.id,
        cluster=run.cluster,
        workload=Workload(
            model=table,
            tokens=work.tokens or float(work.global_batch * work.sequence_length),
            sequence_length=work.sequence_length,
            global_batch=work.global_batch,
            precision=work.precision,
        ),
        strategy=run.strategy,
    )
    resolved = shapes.catalog.resolve(plan)
    return replace(resolved, model=shape or resolved.model, stack=resolved.stack.as_of(run.date))


def _rows(data: Mapping[str, Any], source: str) -> list[Mapping[str, Any]]:
    """The rows of a runs file, after the file itself was looked at."""
    check_schema(data, source)
    problems = []
    if (kind := data.get("kind")) != "runs":
        other = PLAN_FILE if kind is None and "workload" in data else KINDS.get(str(kind), "")
        fix = other or 'Write kind = "runs" if it is.'
        problems.append(Problem("error", "kind", "this is not a runs file.", fix))
        if other:
            raise PlanError(problems, source)
    problems += [_unknown(key) for key in data if key not in FILE_KEYS]
    rows, tables = data.get("run", []), data.get("model", {})
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        problems.append(Problem("error", "run", "runs are [[run]] tables."))
    elif not rows and not problems:
        problems.append(Problem("error", "run", "there is no run in the file.", "Each is a table [[run]]."))
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        problems.append(Problem("error", "model", "models are [model.NAME] tables."))
    if problems:
        raise PlanError(problems, source)
    return list(rows)


def _unknown(key: str) -> Problem:
    meant = nearest(key, FILE_KEYS)
    fix = f"Did you mean {meant}?" if meant else f"Known here: {', '.join(FILE_KEYS)}."
    return Problem("error", escaped(key), "unknown key.", fix)


def _why(problems: Iterable[Problem]) -> str:
    told = (f"{p.key + ': ' if p.key else ''}{p.message}{' ' + p.fix if p.fix else ''}" for p in problems)
    return "; ".join(words.rstrip(".") for words in told)
