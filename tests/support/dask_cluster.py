"""A Dask cluster of real processes on this machine: a scheduler, and workers of one thread each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from routing.pickup import Cluster

ROOT = Path(__file__).resolve().parents[2]
_READY_S = 60.0


class RunningCluster:
    """What was started; whoever asks may kill it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._notes = folder / "scheduler.json"
        self.scheduler = self._start(
            "dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(self._notes)
        )
        self.workers: list[subprocess.Popen[bytes]] = []

    @property
    def address(self) -> Cluster:
        """For `Options.executor`."""
        return Cluster(json.loads(self._notes.read_text())["address"])

    def wait_for_scheduler(self) -> None:
        give_up_at = time.monotonic() + _READY_S
        while not (self._notes.exists() and self._notes.read_text().strip().endswith("}")):
            assert self.scheduler.poll() is None, "the scheduler ended"
            assert time.monotonic() < give_up_at, "the scheduler does not begin"
            time.sleep(0.05)

    def restore(self, count: int) -> None:
        """See that so many workers are there; those that were killed are replaced."""
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        while len(self.workers) < count:
            common = ("--nthreads", "1", "--no-nanny", "--memory-limit", "0", "--host", "127.0.0.1")
            self.workers.append(self._start("dask_worker", self.address.scheduler, *common))
        if count:
            self._wait_for_workers(count)

    def _wait_for_workers(self, count: int) -> None:
        import distributed

        untyped: Any = distributed
        with untyped.Client(self.address.scheduler, timeout=_READY_S, set_as_default=False) as client:
            give_up_at = time.monotonic() + _READY_S
            # Exactly so many: one that was killed may still be on the scheduler's list.
            while len(client.scheduler_info(n_workers=-1)["workers"]) != count:
                assert time.monotonic() < give_up_at, "the workers do not come"
                time.sleep(0.05)

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
        for process in (*self.workers, self.scheduler):
            process.wait()

    def _start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self._folder / "cluster.log").open("ab") as log:
            return subprocess.Popen(
                [
                    *(sys.executable, "-m", f"distributed.cli.{module}", "--no-dashboard"),
                    *("--preload", "routing.pickup.cluster_crew", *arguments),
                ],
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )


@contextmanager
def running_cluster(folder: Path, workers: int = 2) -> Iterator[RunningCluster]:
    """A cluster that is there when the block begins, and gone after it, however the block left it."""
    cluster = RunningCluster(folder)
    try:
        cluster.wait_for_scheduler()
        cluster.restore(workers)
        yield cluster
    finally:
        cluster.stop()
