"""Timings as tables, not verdicts: `make bench`."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

PEERS = (
    ("LLM Cluster Simulator (browser), evaluations", "205,000"),
    ("Calculon, evaluations", "150"),
)
"""Published or measured rates of the strongest peers, a second."""


def best_ms(work: Callable[[], object], rounds: int = 7, each: int = 50) -> tuple[float, float]:
    """Best and median milliseconds of one call, over rounds of many."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(each):
            work()
        times.append(1000.0 * (time.perf_counter() - start) / each)
    return min(times), statistics.median(times)


def imports_ms(module: str) -> float:
    """Milliseconds a fresh interpreter needs for an import, beyond its own start; best of five."""

    def run(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return 1000.0 * (time.perf_counter() - start)

    return min(run(f"import {module}") for _ in range(5)) - min(run("pass") for _ in range(5))


def row(*cells: object) -> None:
    """One line of a table."""
    sys.stdout.write("".join(f"{cell!s:<56}" if i == 0 else f"{cell!s:>16}" for i, cell in enumerate(cells)) + "\n")


def main() -> None:
    """Print the tables."""
    row("imports, fresh interpreter", "ms")
    for module in ("planner.engine.estimate", "planner.catalog", "planner.cli", "planner.tui.app"):
        row(f"  import {module}", f"{imports_ms(module):.0f}")

    from planner.catalog import Catalog
    from planner.engine.estimate import evaluate
    from planner.engine.search import search

    catalog = Catalog.default()
    row("\none estimate, warm", "best ms", "median ms")
    for name in ("deepseek-v3", "llama-3.1-405b", "llama-3.1-8b"):
        resolved = catalog.resolve(catalog.plan(name))
        best, median = best_ms(lambda resolved=resolved: evaluate(resolved))  # type: ignore[misc]
        row(f"  evaluate({name})", f"{best:.2f}", f"{median:.2f}")

    row("\nsearch of the complete space, warm, one core", "strategies", "seconds", "M a second")
    for name in ("llama-3.1-405b", "llama-3.1-70b", "deepseek-v3", "qwen3-235b"):
        resolved = catalog.resolve(catalog.plan(name))
        search(resolved)
        start = time.perf_counter()
        found = search(resolved)
        seconds = time.perf_counter() - start
        row(f"  search({name})", f"{found.searched:,}", f"{seconds:.2f}", f"{found.searched / seconds / 1e6:.1f}")
    row("\npeers", "a second")
    for name, rate in PEERS:
        row(f"  {name}", rate)


if __name__ == "__main__":
    main()
