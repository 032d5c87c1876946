"""Speeds as tables, for people to judge; nothing here passes or fails. `make bench`.

`make bench ARGS="--quick"` measures each thing fewer times.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from scripts import bench_terminal

from planner.catalog import Catalog
from planner.engine.estimate import evaluate
from planner.spec.parse import parse_plan
from planner.spec.plan import Resolved

IMPORTS = (
    ("the engine", "planner.engine.estimate"),
    ("catalogue and engine", "planner.catalog, planner.engine.estimate"),
    ("the command line", "planner.cli"),
    ("the first picture", "planner.cli, planner.tui.app"),
    ("the workbench", "planner.cli, planner.tui.app, planner.tui.session_file, planner.tui.screens.workbench"),
)
"""What is imported in an interpreter of its own."""

KINDS = ("cards", "fabrics", "models", "stacks", "plans")

SINGLE = ("deepseek-v3", "llama-3.1-405b", "llama-3.1-8b")
SEARCHED = ("llama-3.1-405b", "llama-3.1-70b", "llama-3.1-8b", "deepseek-v3", "qwen3-235b")

EXHAUSTIVE = "llama-3.1-8b"
MIXTURE = {
    "schema": 1,
    "cluster": {"card": "h100-sxm", "cards": 16},
    "workload": {"model": "qwen3-30b-a3b", "tokens": 1e12, "global_batch": 64},
    "strategy": {},
}
"""A mixture of experts on few cards, so that evaluating every strategy takes seconds."""

PEERS = (
    ("LLM Cluster Simulator, in a browser", 205_000.0),
    ("Calculon, one process", 150.0),
)
"""Evaluations a second of the strongest peers: figures this project was given, not measured here."""

LATE = "import sys, time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


def milliseconds(work: Callable[[], object], rounds: int, each: int = 1) -> tuple[float, float]:
    """Best and median time of one call, ms.

    Args:
        work: what is timed.
        rounds: times it is timed.
        each: calls in one timing.
    """
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(each):
            work()
        times.append(1000.0 * (time.perf_counter() - start) / each)
    return min(times), statistics.median(times)


def imports(rounds: int) -> Iterable[Sequence[object]]:
    """Import times in fresh interpreters; the interpreter's own start is not counted."""
    for name, modules in IMPORTS:
        if all(importlib.util.find_spec(module.strip()) for module in modules.split(",")):
            command = [sys.executable, "-c", LATE.format(modules)]
            runs = [subprocess.run(command, check=True, capture_output=True, text=True) for _ in range(rounds)]
            times = [1000.0 * float(done.stdout) for done in runs]
            yield name, times[0], min(times), statistics.median(times)


def catalogue(rounds: int) -> Iterable[Sequence[object]]:
    """The index, every entry of a kind, and a resolved plan: read for the first time, and again."""
    for kind in KINDS:
        cold = milliseconds(lambda kind=kind: everything(Catalog.default(), kind), rounds)[0]  # type: ignore[misc]
        kept = Catalog.default()
        everything(kept, kind)
        warm = milliseconds(lambda kind=kind, kept=kept: everything(kept, kind), rounds, 10)[0]  # type: ignore[misc]
        yield f"every entry of {kind} ({len(kept.ids(kind))})", cold, warm  # type: ignore[arg-type]
    name = SINGLE[0]
    cold = milliseconds(lambda: resolved(Catalog.default(), name), rounds)[0]
    kept = Catalog.default()
    resolved(kept, name)
    yield f"{name}, all it names", cold, milliseconds(lambda: resolved(kept, name), rounds, 10)[0]


def everything(catalog: Catalog, kind: str) -> None:
    """Read all entries of a kind."""
    read: dict[str, Callable[[str], object]] = {
        "cards": catalog.card,
        "fabrics": catalog.fabric,
        "models": catalog.model,
        "stacks": catalog.stack,
        "plans": catalog.plan,
    }
    for name in catalog.ids(kind):  # type: ignore[arg-type]  # one of KINDS
        read[kind](name)


def resolved(catalog: Catalog, name: str) -> Resolved:
    """A preset with every reference an object."""
    return catalog.resolve(catalog.plan(name))


def estimates(rounds: int) -> Iterable[Sequence[object]]:
    """One warm call of the engine, and one for every preset."""
    catalog = Catalog.default()
    for name in SINGLE:
        plan = resolved(catalog, name)
        evaluate(plan)
        best, median = milliseconds(lambda plan=plan: evaluate(plan), rounds, 50)  # type: ignore[misc]
        yield name, best, median, 1000.0 / best
    plans = [resolved(catalog, name) for name in catalog.ids("plans")]
    best, median = milliseconds(lambda: [evaluate(plan) for plan in plans], max(rounds // 3, 3))
    yield f"all {len(plans)} presets", best, median, 1000.0 * len(plans) / best


def searches(rounds: int) -> Iterable[Sequence[object]]:
    """Whole searches, warm: strategies of the space, those of them evaluated in full, and how quickly.

    The rows named exhaustive evaluate every strategy of their space, as peers do, a dense model's and a mixture of
    experts'; the others set most of them aside by bounds.
    """
    if importlib.util.find_spec("planner.engine.search") is None:
        return
    from planner.engine.search import search

    catalog = Catalog.default()
    plans = [(name, resolved(catalog, name), False) for name in SEARCHED]
    plans.append((f"{EXHAUSTIVE}, exhaustive", resolved(catalog, EXHAUSTIVE), True))
    plans.append(("qwen3-30b-a3b on 16 cards, exhaustive", catalog.resolve(parse_plan(MIXTURE, "")), True))
    for name, plan, every in plans:
        found = search(plan, exhaustive=every)
        best, median = milliseconds(lambda plan=plan, every=every: search(plan, exhaustive=every), rounds)  # type: ignore[misc]
        counts = f"{found.searched:,}", f"{found.evaluated:,}"
        rates = 1000.0 * found.searched / best, 1000.0 * found.evaluated / best
        yield name, *counts, best, median, *rates


def show(title: str, heading: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print one table: the first column to the left, the others to the right."""
    cells = [[word(cell) for cell in row] for row in rows]
    if not cells:
        return
    widths = [max(map(len, column)) for column in zip(heading, *cells, strict=True)]
    print(f"\n{title}")
    for row in (heading, *cells):
        first, *others = (
            f"{cell:<{width}}" if place == 0 else f"{cell:>{width}}"
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  " + "   ".join((first, *others)).rstrip())


def word(cell: object) -> str:
    """A cell: numbers with three digits."""
    if isinstance(cell, float):
        return f"{cell:,.0f}" if cell >= 1000 else f"{cell:.3g}"
    return str(cell)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="measure each thing fewer times")
    rounds = 3 if parser.parse_args().quick else 15
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}; one process")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} when it started: on a busy machine read the best")
    show("Import, fresh interpreter, ms", ("", "first", "best", "median"), imports(max(rounds // 3, 2)))
    show(
        "Start in a terminal of 120 x 40, ms, by turns, the best",
        ("", "first byte", "first picture", "all there", "picture, times", "all, times", "bytes"),
        bench_terminal.starts(max(rounds // 2, 3)),
    )
    show("A key in that terminal", ("", "bytes", "most", "ms", "most"), bench_terminal.presses())
    show("Catalogue, ms", ("", "cold", "warm"), catalogue(rounds))
    show("One estimate, warm, ms", ("", "best", "median", "a second"), estimates(rounds))
    show(
        "Search of the whole space, warm, ms",
        ("", "strategies", "evaluated", "best", "median", "decided a second", "evaluated a second"),
        searches(max(rounds // 3, 2)),
    )
    show("Peers, as published or measured elsewhere", ("", "evaluated a second"), PEERS)


if __name__ == "__main__":
    main()
