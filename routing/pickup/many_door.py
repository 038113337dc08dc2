"""The command that plans many problems: `python -m routing.pickup solve-many DEPOTS --out PLANS`.

Tells of each problem on standard error, and of all together on standard output, as JSON. The exit status is 0
if all are planned, 1 if some failed, 2 if the run could not begin, 130 if it was interrupted. The same
command goes on with what is not planned yet.
"""

import argparse
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from routing.pickup.cluster import Cluster
from routing.pickup.depots import Plans, Problems
from routing.pickup.errors import PickupError
from routing.pickup.many import Answer, Order, Search
from routing.pickup.many_workers import solve_many


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Of the command, beside those of how to search and where."""
    command.add_argument("problems", help="folder of problem documents (*.json), or a file in NDJSON")
    command.add_argument("--out", required=True, help="folder for the plans; made if it is not there")


@dataclass(slots=True)
class _Night:
    """The figures of a run."""

    problems: int
    planned: int = 0
    failed: int = 0
    already_planned: int = 0
    seconds: float = 0.0

    def tell(self, answer: Answer) -> None:
        """Print a line for one problem."""
        done, made = self.planned + self.failed + self.already_planned, answer.made
        if made.plan is None:
            said = f"failed: {made.failure}"
        else:
            said = f"cost {made.cost_minor}, {made.unserved} unserved, {made.seconds:.1f} s"
        _tell(f"{done}/{self.problems} {answer.order.name}: {said}")


def run(source: Path, out: Path, search: Search, workers: int | None, executor: Cluster | None) -> int:
    """Plan all problems of a folder or file that are not planned yet.

    Returns:
        The exit status.

    Raises:
        ProblemError: there is no such source, or another run writes to the same folder.
    """
    problems = Problems(source)
    night = _Night(len(problems))
    began = time.monotonic()
    with Plans(out, search) as plans, _interruption() as interrupted:

        def keep(answer: Answer) -> None:
            plans.keep(answer)
            if answer.made.plan is None:
                night.failed += 1
            else:
                night.planned += 1
            night.tell(answer)

        def to_plan() -> Iterator[Order]:
            for one in problems:
                if isinstance(one, Answer):
                    keep(one)
                elif plans.has(one):
                    night.already_planned += 1
                else:
                    yield one

        for answer in solve_many(to_plan(), search, workers=workers, executor=executor, stop=interrupted):
            keep(answer)
    if interrupted():
        _tell("interrupted; the same command goes on")
    night.seconds = round(time.monotonic() - began, 3)
    sys.stdout.buffer.write(msgspec.json.encode(night) + b"\n")
    return 130 if interrupted() else int(night.failed > 0)


@contextmanager
def _interruption() -> Iterator[Callable[[], bool]]:
    """Tells whether somebody wants the run to end (Ctrl-C, SIGTERM)."""
    told = threading.Event()
    # Noted, not raised: an exception between two lines could be lost, or lose a process just started.
    before = {
        number: signal.signal(number, lambda *_: told.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield told.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main(given: argparse.Namespace, executor: Cluster | None) -> int:
    """Run the command; what keeps it from beginning is told on standard error."""
    try:
        search = Search(given.seconds, given.seed)
        return run(Path(given.problems), Path(given.out), search, given.workers, executor)
    except (PickupError, OSError) as error:
        _tell(str(error))
        return 2


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()  # whoever watches sees it at once
