"""Refits the engine's constants on the measured runs and writes what follows from it.

    python -m scripts.calibrate            constants, held-out errors, docs/accuracy.md and its picture
    python -m scripts.calibrate --quick    the same without the ablation

Writes `calibration.toml` and `held_out.csv` in `src/planner/engine`, `accuracy.md` and `accuracy.svg` in `docs`.
Running it again on the same data gives the same files.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Callable, Sequence
from multiprocessing.pool import Pool
from pathlib import Path

import numpy as np
import tomli_w
from scipy.optimize import minimize_scalar
from scripts.accuracy import Result, write_report
from scripts.fitting import Floats, data_of, fit, predict, spreads

from planner.catalog import Catalog
from planner.engine.constants import calibrated, from_values, table
from planner.engine.inputs import batch
from planner.engine.layout import groups
from planner.engine.memory import fullest
from planner.engine.reading import inputs_of
from planner.engine.uncertainty import FEATURES, Error, HeldOut, features_of, held_out, reach
from planner.exchange.runs import read_all, shipped_runs
from planner.spec.runs import MeasuredRun

ROOT = Path(__file__).parents[1]
ENGINE = ROOT / "src" / "planner" / "engine"
HEADER = (
    "# Constants of the engine, written by `python -m scripts.calibrate`. `value` is in force; `prior` and `sigma`\n"
    "# (spread of its logarithm) are what was believed before the fit, `spread` what is left after it. To change a\n"
    "# belief, edit prior, sigma and source, and run the fit again.\n\n"
)
PARTS: dict[str, tuple[str, ...]] = {
    "memory-bound work": ("memory_bound",),
    "output head and loss": ("logits",),
    "recomputation": ("recompute",),
    "host work": ("host",),
    "tensor-parallel traffic": ("tensor",),
    "context-parallel traffic": ("context",),
    "expert exchange": ("expert",),
    "pipeline bubble": ("pipeline_bubble",),
    "transfers between stages": ("pipeline_transfer",),
    "data-parallel traffic": ("data",),
    "optimizer step": ("optimizer",),
}
"""Ablations by leaving parts of the step away."""
NOTHING = 1e-9
TERMS: dict[str, dict[str, float]] = {
    "quantisation casts": {"cast": NOTHING},
    "token permutation": {"permute": NOTHING},
    "grouped GEMMs slower than dense ones": {"grouped": 1.0, "grouped_rows": NOTHING},
    "host work of experts": {"host_moe": NOTHING, "host_expert": NOTHING},
    "fixed time of a step": {"step_fixed": NOTHING},
    "collective latency": {"latency": NOTHING, "ring_hop": NOTHING, "hop_inside": NOTHING},
    "slower exchange without overlap": {"unbucketed": 1.0},
    "slower gathers without prefetch": {"parameterwise": 1.0},
    "last wave of tiles": {"wave": NOTHING},
    "un-hidden GEMM memory time": {"epilogue": NOTHING},
    "attention ramp and fixed cost": {"attention_ramp": NOTHING, "attention_fixed": NOTHING},
    "contention": {"contention": NOTHING},
    "stragglers": {"straggler": NOTHING},
    "late hosts in recomputation": {"host_skew": NOTHING},
    "slower in-house software": {"untuned": 1.0},
}
"""Ablations by setting constants to what removes a term of the model."""
MEMORY = {
    "fragmentation": "exact runs of validation/ that state a card's memory",
    "usable": "exact runs of validation/ that fitted or ran out of memory",
}
"""Constants of memory, which no step time tells of, and what they are fitted on."""
MEMORY_SCATTER = 0.12
"""Scatter of one row's memory figure, in its logarithm: so wide that a whole family weighs about as much as the prior,
since its rows share what their source read as memory (reserved or allocated), and it does not say which."""


def main() -> None:
    """Fit, cross-validate, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave the ablation out")
    quick = parser.parse_args().quick
    catalog = Catalog.default()
    runs = read_all(shipped_runs(), catalog).runs
    rows = [run for run in runs if run.exact and run.step_time_s]
    beliefs = table()
    priors = {name: float(row["prior"]) for name, row in beliefs.items()}
    sigmas = {name: float(row["sigma"]) for name, row in beliefs.items()}
    free = free_names(beliefs, rows)
    data = data_of(rows)
    values = fit(data, priors, sigmas, free)
    values["fragmentation"] = fragmentation(runs, values, sigmas["fragmentation"])
    values["usable"] = usable(runs, values)
    with Pool() as pool:
        by_family = held_out_errors(pool, rows, lambda run: run.group, (priors, sigmas, free, ()))
        by_card = held_out_errors(pool, rows, lambda run: run.card, (priors, sigmas, free, ()))
        ablation = {} if quick else ablate(pool, rows, (priors, sigmas, free, ()))
    values["interval_scale"], inside = interval_scale(rows, by_family)
    write_constants(values, spreads(data, values, sigmas, free), free, len(rows))
    write_held_out(rows, by_family)
    for cached in (table, calibrated, held_out):
        cached.cache_clear()
    in_sample = np.log(predict(values, data.inputs) / data.seconds)
    result = Result(tuple(rows), in_sample, by_family, by_card, inside, ablation, values)
    write_report(result, runs, ROOT / "docs")


def free_names(beliefs: dict[str, dict[str, object]], rows: Sequence[MeasuredRun]) -> list[str]:
    """Constants the fit may move: those with a spread, and of one a card architecture, those some run is on."""
    present = {run.resolved.card.architecture for run in rows}
    return [
        name
        for name, row in beliefs.items()
        if row["kind"] == "fitted"
        and name not in MEMORY
        and float(str(row["sigma"])) > 0
        and ("." not in name or name.split(".")[1] in present)
    ]


Belief = tuple[dict[str, float], dict[str, float], list[str], tuple[str, ...]]
"""Priors, spreads, constants that may move, parts of the step left away."""


def _fold(task: tuple[list[MeasuredRun], list[MeasuredRun], Belief]) -> Floats:
    train, test, (priors, sigmas, free, without) = task
    values = fit(data_of(train), priors, sigmas, free, without)
    held = data_of(test)
    return np.log(predict(values, held.inputs, without) / held.seconds)


def held_out_errors(pool: Pool, rows: list[MeasuredRun], key: Callable[[MeasuredRun], str], belief: Belief) -> Floats:
    """Log errors of every row with all rows of its group left out of the fit."""
    names = sorted({key(run) for run in rows})
    tasks = [([r for r in rows if key(r) != n], [r for r in rows if key(r) == n], belief) for n in names]
    answers = pool.map(_fold, tasks, chunksize=1)
    errors = np.empty(len(rows))
    for name, answer in zip(names, answers, strict=True):
        errors[[i for i, run in enumerate(rows) if key(run) == name]] = answer
    return errors


def ablate(pool: Pool, rows: list[MeasuredRun], belief: Belief) -> dict[str, Floats]:
    """Held-out log errors, by family, with each term of the model removed and the rest refitted."""
    priors, sigmas, free, _ = belief
    changed: dict[str, Belief] = {term: (priors, sigmas, free, parts) for term, parts in PARTS.items()}
    for term, removed in TERMS.items():
        gone = {name: removed[name.split(".")[0]] for name in priors if name.split(".")[0] in removed}
        changed[term] = (priors | gone, sigmas, [name for name in free if name not in gone], ())
    return {term: held_out_errors(pool, rows, lambda run: run.group, one) for term, one in changed.items()}


def fragmentation(runs: Sequence[MeasuredRun], values: dict[str, float], sigma: float) -> float:
    """Reserved over allocated activations that rows with a memory figure speak for, held to its prior.

    Least squares on the rows' logarithmic errors, weighted as in the fit of step times, against the prior.
    """
    data = data_of([run for run in runs if run.exact and run.run.measured.memory_gb])
    measured = np.array([run.run.measured.memory_gb for run in data.rows], dtype=float) * 1e9
    need = fullest(data.inputs, groups(data.inputs), from_values(values))

    def cost(moved: float) -> float:
        total = need.total + values["fragmentation"] * np.expm1(moved) * need.activations
        return float(data.weights @ (np.log(total / measured) / MEMORY_SCATTER) ** 2 + (moved / sigma) ** 2)

    best = minimize_scalar(cost, bounds=(-4.0 * sigma, 4.0 * sigma), method="bounded")
    return round(values["fragmentation"] * float(np.exp(best.x)), 3)


def usable(runs: Sequence[MeasuredRun], values: dict[str, float]) -> float:
    """Share of a card's memory that best tells runs that fitted from runs that ran out of memory."""
    known = [run for run in runs if run.exact]
    x = batch([inputs_of(run.resolved) for run in known])
    with np.errstate(all="ignore"):
        need = np.asarray(fullest(x, groups(x), from_values(values)).total) / x.machine.memory_bytes
    ran_out = np.array([run.oom for run in known])

    def balanced(limit: float) -> float:
        return float(((need[~ran_out] <= limit).mean() + (need[ran_out] > limit).mean()) / 2.0)

    limits = np.round(np.arange(0.80, 1.001, 0.01), 2)
    return float(max(limits, key=lambda limit: (round(balanced(float(limit)), 4), limit)))


def interval_scale(rows: Sequence[MeasuredRun], errors: Floats) -> tuple[float, Floats]:
    """Scale of the ranges that makes them hold 80 % of the runs of families their errors were not taken from.

    Returns:
        The scale, and for every row its error over the scaled half-width (inside where at most 1).
    """
    every = placed(rows, errors)
    ratio = np.empty(len(rows))
    for family in dict.fromkeys(run.group for run in rows):
        others = HeldOut.of(error for error in every if error.family != family)
        for i, error in enumerate(every):
            if error.family == family:
                ratio[i] = abs(error.log) / reach(others.near(error.place), others)
    scale = round(float(np.quantile(ratio, 0.80)), 3)
    return scale, ratio / scale


def placed(rows: Sequence[MeasuredRun], errors: Floats) -> list[Error]:
    """Every run's place and held-out log error."""
    columns = np.array(features_of(batch([inputs_of(run.resolved) for run in rows])), dtype=float)
    places = zip(*columns.tolist(), strict=True)
    return [
        Error(run.id, run.group, place, float(error)) for run, place, error in zip(rows, places, errors, strict=True)
    ]


def write_constants(values: dict[str, float], left: dict[str, float], free: Sequence[str], rows: int) -> None:
    """`calibration.toml`: values to four digits, beliefs as they were."""
    out = {}
    for name, row in table().items():
        kept = {key: row[key] for key in ("prior", "sigma", "kind", "source")}
        value = float(f"{values[name]:.4g}")
        out[name] = {"value": value} | kept
        if name in free:
            out[name] |= {"spread": float(f"{left[name]:.3g}"), "fitted_on": f"{rows} exact runs of validation/"}
        elif name in MEMORY:
            out[name]["fitted_on"] = MEMORY[name]
    text = HEADER + tomli_w.dumps({"constants": out})
    (ENGINE / "calibration.toml").write_text(text, encoding="utf-8")


def write_held_out(rows: Sequence[MeasuredRun], errors: Floats) -> None:
    """`held_out.csv`: every run's place and held-out log error."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["id", "family", *FEATURES, "log_error"])
    for error in placed(rows, errors):
        writer.writerow([error.id, error.family, *(f"{v:.4g}" for v in error.place), f"{error.log:.4f}"])
    (ENGINE / "held_out.csv").write_text(buffer.getvalue(), encoding="utf-8")


if __name__ == "__main__":
    main()
