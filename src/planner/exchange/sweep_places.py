"""Where the pieces of a sweep are computed: in this process, in a pool of processes, on a Dask cluster.

The rows come in the order of the pieces wherever they are computed, and only so many pieces are under way as keep
everybody busy, so that memory stays flat.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Protocol

from planner.exchange.sweep_rows import Columns, Piece, compute
from planner.spec.base import PlanError, Problem

if TYPE_CHECKING:
    from distributed import Client

Computed = Iterator[tuple[Piece, list[Columns]]]
Compute = Callable[[Iterator[Piece]], Computed]

EXTRA = "cluster-planner[dask]"
FEW = 4
"""Pieces that are done before a pool would have started."""
AHEAD = 2
"""Pieces under way for each process."""
PATIENCE_S = 10.0
"""How long a scheduler may take to answer, and to have a worker."""
WATCH_S = 2.0
"""How often a sweep that waits looks whether there are workers."""
ALONE_S = 30.0
"""How long it waits for new ones where all are lost."""


class Future(Protocol):
    """What a pool and a cluster both give for a piece."""

    def result(self) -> Any:  # noqa: ANN401 - theirs
        """Wait for the rows."""
        ...


def local(pieces: Iterator[Piece], processes: int = 0) -> Computed:
    """Compute on this machine.

    Args:
        pieces: what to compute.
        processes: how many at once; 0: as many as there are cores, where there is enough to do.

    Raises:
        PlanError: a process ended before its time.
    """
    first = list(islice(pieces, FEW + 1))
    count = processes or (os.cpu_count() or 1)
    pieces = chain(first, pieces)
    if count == 1 or (not processes and len(first) <= FEW):
        yield from ((piece, compute(piece)) for piece in pieces)
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy whatever threads hold
    with ExitStack() as stack:
        pool = ProcessPoolExecutor(count, mp_context=context, initializer=_follow_parent)
        stack.callback(pool.shutdown, cancel_futures=True)
        try:
            yield from _in_order(pieces, lambda piece: pool.submit(compute, piece), AHEAD * count)
        except BrokenProcessPool:
            fix = "Give the same command again to go on from there; --processes 1 needs the least memory."
            raise PlanError([Problem("error", "", "a process of the sweep ended before its time.", fix)]) from None


@contextmanager
def cluster(address: str) -> Iterator[Compute]:
    """Compute on a Dask cluster, where a piece whose worker is lost is computed again by another.

    Args:
        address: of its scheduler, for example tcp://10.0.0.1:8786.

    Raises:
        PlanError: Dask is not installed, there is no such cluster, its workers lack this program, or it is lost.
    """
    try:
        from distributed import Client
        from distributed.comm.addressing import get_address_host_port
    except ImportError:
        fix = f'Install it with `pip install "{EXTRA}"`, or leave --scheduler out to use this machine.'
        raise _refused(address, "needs Dask, which is not installed.", fix) from None
    with _unlogged():
        try:
            get_address_host_port(address)  # a client takes half a minute to give up on what is no address
            client = Client(address, timeout=PATIENCE_S, set_as_default=False)  # type: ignore[no-untyped-call]
        except (OSError, ValueError, TypeError) as error:
            fix = "Write the address its scheduler shows, for example tcp://10.0.0.1:8786."
            raise _refused(address, f"is no scheduler that answers ({_first_line(error)}).", fix) from None
        with client:
            threads = _agreed(client, address)
            yield lambda pieces: _on(client, address, pieces, AHEAD * threads)


@contextmanager
def _unlogged() -> Iterator[None]:
    """No log of Dask's: what matters of it is said once, as a problem, and nothing else here keeps a log."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _on(client: Client, address: str, pieces: Iterator[Piece], ahead: int) -> Computed:
    from distributed import KilledWorker
    from distributed.comm.core import CommClosedError

    again = "Give the same command again to go on from there."
    try:
        yield from _in_order(pieces, lambda piece: _Watched(client, client.submit(compute, piece, pure=False)), ahead)
    except _NoWorkersError:
        fix = f"Start some (`dask worker {address}`) and give the same command again to go on from there."
        raise _refused(address, f"has had no workers for {ALONE_S:g} seconds.", fix) from None
    except KilledWorker:
        raise _refused(address, "lost every worker that tried the same piece of the sweep.", again) from None
    except (CommClosedError, OSError, CancelledError) as error:
        raise _refused(address, f"was lost ({_first_line(error)}).", again) from None


class _NoWorkersError(Exception):
    """Nobody is left to compute, and nobody comes."""


@dataclass(frozen=True, slots=True)
class _Watched:
    """A piece on a cluster that may lose all its workers: a scheduler would wait for others without end."""

    client: Client
    future: Any

    def result(self) -> Any:  # noqa: ANN401 - theirs
        """Wait for the rows, as long as somebody computes."""
        alone_since = None
        while True:
            try:
                return self.future.result(timeout=WATCH_S)
            except TimeoutError:
                if self.client.nthreads():  # type: ignore[no-untyped-call]
                    alone_since = None
                elif alone_since is None:
                    alone_since = time.monotonic()
                elif time.monotonic() - alone_since > ALONE_S:
                    raise _NoWorkersError from None


def _agreed(client: Client, address: str) -> int:
    """Threads of the workers, which all have this version of the planner."""
    from planner import __version__

    try:
        client.wait_for_workers(1, timeout=PATIENCE_S)
    except TimeoutError:
        raise _refused(address, "has no workers.", f"Start some: `dask worker {address}`.") from None
    fix = f"Install cluster-planner {__version__} where they run."
    try:
        found = set(client.run(version).values())
    except Exception as error:  # noqa: BLE001 - whatever a worker says when it does not know this program
        raise _refused(address, f"has workers without this program ({_first_line(error)}).", fix) from None
    if found != {__version__}:
        other = ", ".join(sorted(found - {__version__}))
        raise _refused(address, f"has workers with cluster-planner {other}.", fix)
    threads: dict[str, int] = client.nthreads()  # type: ignore[no-untyped-call]
    return sum(threads.values())


def version() -> str:
    """The version a worker has."""
    from planner import __version__

    return __version__


def _in_order(pieces: Iterator[Piece], submit: Callable[[Piece], Future], ahead: int) -> Computed:
    waiting: deque[tuple[Piece, Future]] = deque()
    for piece in pieces:
        waiting.append((piece, submit(piece)))
        if len(waiting) >= ahead:
            first, rows = waiting.popleft()
            yield first, rows.result()
    while waiting:
        first, rows = waiting.popleft()
        yield first, rows.result()


def _follow_parent() -> None:
    """In a process of the pool: Ctrl+C is the parent's to answer, and where the parent is gone there is no work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Any) -> None:  # noqa: ANN401 - a process as a child sees it
    parent.join()
    os._exit(1)


def _refused(address: str, message: str, fix: str) -> PlanError:
    return PlanError([Problem("error", "--scheduler", f"{address} {message}", fix)])


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
