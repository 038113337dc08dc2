"""The planner in a process of its own: `python -m app.dispatch.solver_process SECONDS SEED EVEN [CLUSTER]`.

Reads a problem document from standard input. EVEN is what hours beyond a courier's share count for, in minor
units; 0 plans without shares. Writes one JSON object a line to standard output: `progress` as
better plans are found, `warning` when the planner logs one (the Dask cluster with the scheduler CLUSTER does
not answer), and in the end `plan`. Ends early with the best plan when its parent is gone, or on SIGTERM. Exit
status 2 says that the problem is not valid; the reason is on standard error.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading

import msgspec

from routing.pickup import Cluster, Options, PickupError, Progress, solve, solve_evenly
from routing.pickup.documents import plan_to_json, problem_from_json


class _Warnings(logging.Handler):
    """Tells the parent what the planner warns of."""

    def emit(self, record: logging.LogRecord) -> None:
        _write(b"warning", msgspec.json.encode(record.getMessage()))


def main(seconds: float, seed: int, even_cost_per_hour: int, cluster: str | None = None) -> int:
    """Solve the problem on standard input, on a cluster if one is named."""
    parent = os.getppid()
    enough = threading.Event()

    def tell(progress: Progress) -> bool:
        _write(b"progress", msgspec.json.encode(progress))
        return os.getppid() == parent and not enough.is_set()

    logging.getLogger("routing").addHandler(_Warnings(logging.WARNING))
    signal.signal(signal.SIGTERM, lambda _number, _frame: enough.set())

    try:
        problem = problem_from_json(sys.stdin.buffer.read())
        executor = None if cluster is None else Cluster(cluster)
        options = Options(seconds=seconds, seed=seed, progress=tell, executor=executor)
        even = even_cost_per_hour > 0
        plan = solve_evenly(problem, options, even_cost_per_hour) if even else solve(problem, options)
    except PickupError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    _write(b"plan", plan_to_json(plan))
    return 0


def _write(name: bytes, document: bytes) -> None:
    sys.stdout.buffer.write(b'{"' + name + b'":' + document + b"}\n")
    sys.stdout.buffer.flush()  # whoever waits for it sees it at once


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:]))
