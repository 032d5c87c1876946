"""`planner sweep --scheduler`: a Dask scheduler and two workers, each a process of its own, one of them killed."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.cli.helpers import planner, process, refused

from planner.exchange import sweep_places
from planner.spec.base import PlanError

SWEEP = ("sweep", "llama-3.1-8b", "--vary", "cluster.cards=8:192:8", "--vary", "workload.global_batch=96",
         "--strategies", "best")  # fmt: skip
QUIET = ("--host", "127.0.0.1", "--no-dashboard")
PATIENCE_S = 60.0


def wait_for(told: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not told():
        assert time.monotonic() < until
        time.sleep(0.02)


class Cluster:
    """A scheduler and its workers."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.file, self.stack, self.folder = folder / "scheduler.json", stack, folder
        self.run("dask_scheduler", "--port", "0", "--scheduler-file", str(self.file))
        wait_for(lambda: self.file.exists() and "address" in self.file.read_text())
        self.address = str(json.loads(self.file.read_text())["address"])

    def worker(self) -> subprocess.Popen[bytes]:
        log = self.folder / f"worker-{time.monotonic_ns()}.log"
        one = self.run("dask_worker", self.address, "--nthreads", "1", "--no-nanny", log=log)
        wait_for(lambda: b"Registered to" in log.read_bytes())
        return one

    def run(self, name: str, *arguments: str, log: Path | None = None) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{name}", *arguments, *QUIET]
        out = self.stack.enter_context((log or self.folder / f"{name}.log").open("wb"))
        one = self.stack.enter_context(subprocess.Popen(command, stdout=out, stderr=out, cwd=self.folder))
        self.stack.callback(one.kill)
        return one


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with ExitStack() as stack:
        yield Cluster(tmp_path, stack)


def begun(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "planner", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_lost_worker_loses_nothing(cluster: Cluster, tmp_path: Path) -> None:
    victim, _ = cluster.worker(), cluster.worker()
    here, there = tmp_path / "here.csv", tmp_path / "there.csv"
    with begun(*SWEEP, "--scheduler", cluster.address, "-o", str(there)) as sweep:
        note = tmp_path / "there.csv.progress"
        wait_for(note.exists)  # each has two pieces now, computed or not, that are lost with it
        victim.send_signal(signal.SIGKILL)
        assert json.loads(note.read_text())["done"] < 24
        assert sweep.wait(PATIENCE_S) == 0
        assert sweep.communicate() == ("", "")
    assert victim.wait() == -signal.SIGKILL
    assert process(*SWEEP, "--processes", "1", "-o", str(here)).returncode == 0
    assert there.read_bytes() == here.read_bytes()
    assert not note.exists()


def test_a_lost_scheduler_is_said_once_and_the_sweep_taken_up_again(tmp_path: Path) -> None:
    here, there = tmp_path / "here.csv", tmp_path / "there.csv"
    with ExitStack() as stack:
        cluster = Cluster(tmp_path, stack)
        cluster.worker()
        with begun(*SWEEP, "--scheduler", cluster.address, "-o", str(there)) as sweep:
            wait_for((tmp_path / "there.csv.progress").exists)
            stack.close()
            assert sweep.wait(PATIENCE_S) == 2
            out, told = sweep.communicate()
    assert out == ""
    assert len(told.splitlines()) == 1
    assert "was lost" in told
    assert "same command again" in told
    assert process(*SWEEP, "-o", str(there)).returncode == 0
    assert process(*SWEEP, "-o", str(here)).returncode == 0
    assert there.read_bytes() == here.read_bytes()


def test_a_scheduler_without_workers_is_said_after_a_time(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_places, "PATIENCE_S", 3.0)
    message = refused(planner(*SWEEP, "--scheduler", cluster.address, "-o", str(tmp_path / "out.csv")))
    assert f"{cluster.address} has no workers. Start some: `dask worker {cluster.address}`." in message
    assert not (tmp_path / "out.csv").exists()


def test_a_cluster_that_loses_its_last_worker_is_not_waited_for_without_end(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_places, "WATCH_S", 0.1)
    monkeypatch.setattr(sweep_places, "ALONE_S", 1.0)
    only = cluster.worker()
    here, there = tmp_path / "here.csv", tmp_path / "there.csv"

    def kill() -> None:
        wait_for((tmp_path / "there.csv.progress").exists)
        only.send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    message = refused(planner(*SWEEP, "--scheduler", cluster.address, "-o", str(there)))
    killer.join()
    assert "has had no workers for 1 seconds" in message
    assert "the same command again" in message
    cluster.worker()
    assert process(*SWEEP, "--scheduler", cluster.address, "-o", str(there)).returncode == 0
    assert process(*SWEEP, "--processes", "1", "-o", str(here)).returncode == 0
    assert there.read_bytes() == here.read_bytes()


def test_workers_of_another_version_are_refused(cluster: Cluster, tmp_path: Path) -> None:
    other = tmp_path / "other" / "planner"
    source = Path(sys.modules["planner"].__path__[0])
    other.parent.mkdir()
    other.mkdir()
    for entry in source.iterdir():
        if entry.name != "__init__.py":
            (other / entry.name).symlink_to(entry)
    text = (source / "__init__.py").read_text("utf-8")
    from planner import __version__

    (other / "__init__.py").write_text(text.replace(f'"{__version__}"', '"0.0.1"'), "utf-8")
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(other.parent)
    try:
        cluster.worker()
    finally:
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before
    done = process(*SWEEP, "--scheduler", cluster.address, "-o", str(tmp_path / "out.csv"))
    assert done.returncode == 2
    assert "workers with cluster-planner 0.0.1" in done.stderr
    assert f"Install cluster-planner {__version__}" in done.stderr
    assert not (tmp_path / "out.csv").exists()


def test_an_address_that_is_none_is_refused() -> None:
    done = process(*SWEEP, "--scheduler", "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "--scheduler: nowhere is no scheduler that answers" in done.stderr


def test_logs_are_kept_again_once_a_cluster_is_left() -> None:
    before = logging.root.manager.disable
    with pytest.raises(PlanError), sweep_places.cluster("nowhere"):
        pass
    assert logging.root.manager.disable == before


def test_without_dask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    message = refused(planner(*SWEEP, "--scheduler", "tcp://127.0.0.1:8786"))
    assert 'pip install "cluster-planner[dask]"' in message


def test_this_machine_and_a_cluster_exclude_each_other() -> None:
    assert "give one of them" in planner(*SWEEP, "--scheduler", "tcp://h:1", "--processes", "2").stderr
