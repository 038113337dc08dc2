"""What does a Dask cluster that is killed in mid-solve cost: is the plan there, in time, and how good?

Ours on a cluster of two workers on this machine, beside the same cluster losing a worker (kill -9) after a
third of the time, or its scheduler; and, as the peer, the same search with two processes of this machine. All
get the same city (benchmarks/pickup.py) and the same seconds. The limit is the seconds asked for, 5 % and
half a second.

    python benchmarks/pickup_cluster.py                         2,000 stops, 20 s
    python benchmarks/pickup_cluster.py --stops 5000 --seconds 60

In less than the seconds from which on a cluster is used at all, this machine plans alone.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.pickup import city
from routing.pickup import Options, Problem, Progress, check, solve
from routing.pickup.crews import CLUSTER_SECONDS_MIN
from tests.support.dask_cluster import RunningCluster, running_cluster

Act = Callable[[RunningCluster], None]


def nothing(_: RunningCluster) -> None:
    """Leave the cluster as it is."""


def kill_worker(cluster: RunningCluster) -> None:
    cluster.workers[0].kill()


def kill_scheduler(cluster: RunningCluster) -> None:
    cluster.scheduler.kill()


def measured(problem: Problem, seconds: float, cluster: RunningCluster | None, act: Act = nothing) -> str:
    """One run: how long it took, what it costs, and whether it keeps all rules."""
    curve: list[float] = []
    acted: list[float] = []

    def listen(progress: Progress) -> bool:
        curve.append(progress.seconds)
        if cluster is not None and not acted and progress.seconds > seconds / 3:
            acted.append(progress.seconds)
            act(cluster)
        return True

    executor = None if cluster is None else cluster.address
    began = time.perf_counter()
    plan = solve(problem, Options(seconds, seed=1, workers=2, progress=listen, executor=executor))
    took = time.perf_counter() - began
    wrong = check(problem, plan)
    verdict = "BREAKS RULES" if wrong else "keeps all rules"
    late = ", LATE" if took > 1.05 * seconds + 0.5 else ""
    first = f"first plan {curve[0]:.2f} s" if curve else "no plan"
    figures = f"{took:8.2f} s  cost {plan.cost_minor:>10,}  unserved {len(plan.unserved):>3}"
    return f"{figures}  {first}, {verdict}{late}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="of each run (default 20)")
    parser.add_argument("--stops", type=int, default=2000, help="of the city (default 2,000)")
    given = parser.parse_args()
    problem, seconds = city(given.stops, 1), given.seconds
    print(
        f"{given.stops:,} stops, {seconds:g} s, two workers  "
        f"(Python {platform.python_version()}, {os.cpu_count()} cores)"
    )
    print(f"{'limit: time asked for + 5 % + 0.5 s':38}  {1.05 * seconds + 0.5:8.2f} s")
    print(f"{'peer: two processes of this machine':38}  {measured(problem, seconds, None)}", flush=True)
    if seconds < CLUSTER_SECONDS_MIN:
        print(f"no cluster is used for less than {CLUSTER_SECONDS_MIN:g} s")
        return
    for name, act in (
        ("ours: two workers of a cluster", nothing),
        ("ours: one of them killed", kill_worker),
        ("ours: the scheduler killed", kill_scheduler),
    ):
        with tempfile.TemporaryDirectory() as folder, running_cluster(Path(folder)) as cluster:
            print(f"{name:38}  {measured(problem, seconds, cluster, act)}", flush=True)


if __name__ == "__main__":
    main()
