"""Plan from a shell: `python -m routing.pickup solve problem.json --seconds 10 [--seed 1] > plan.json`.

The forms of both documents are described in `routing.pickup.documents`. `--format` reads files of benchmark
sets instead (`routing.pickup.formats`); the plan then comes in the form of their solution files, with the
distance as the set counts it. Progress and errors go to standard error. The exit status is 2 if the problem
is not valid.
"""

import argparse
import sys
from pathlib import Path

from routing.pickup.documents import plan_to_json, problem_from_json
from routing.pickup.effort import Progress
from routing.pickup.errors import PickupError
from routing.pickup.formats import Convention, convention_of, read_solomon, read_vrplib, solution_text
from routing.pickup.problem import Problem
from routing.pickup.solve import Options, solve


def main(arguments: list[str] | None = None) -> int:
    """Run one command; see the module's description."""
    parser = argparse.ArgumentParser(prog="python -m routing.pickup", description="Plan couriers' rounds.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("solve", help="read a problem, write a plan to standard output")
    command.add_argument("problem", help="problem document (JSON); - reads standard input")
    command.add_argument("--seconds", type=float, default=10.0, help="time limit (default 10)")
    command.add_argument("--seed", type=int, default=0, help="of everything drawn at random (default 0)")
    command.add_argument(
        "--steps", type=int, help="limit in solutions visited instead of time: the same plan again"
    )
    command.add_argument(
        "--progress", action="store_true", help="print better plans to standard error as they come"
    )
    command.add_argument("--workers", type=int, help="processes that search (default: one for each core)")
    command.add_argument(
        "--format",
        choices=("json", "solomon", "vrplib", "cvrplib"),
        default="json",
        help="form of the problem (default json)",
    )
    command.add_argument(
        "--objective",
        choices=("distance",),
        help="of a benchmark file: the sum of distances, in its convention",
    )
    given = parser.parse_args(arguments)
    if given.objective and given.format == "json":
        parser.error("--objective belongs to the benchmark formats: a JSON problem says what costs what")
    try:
        document = sys.stdin.buffer.read() if given.problem == "-" else Path(given.problem).read_bytes()
        problem, convention = _read(document, given.format)
        options = Options(
            seconds=given.seconds,
            seed=given.seed,
            steps=given.steps,
            progress=_print if given.progress else None,
            workers=given.workers,
        )
        plan = solve(problem, options)
    except (PickupError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    written = plan_to_json(plan).decode() + "\n" if convention is None else solution_text(plan, convention)
    sys.stdout.write(written)
    return 0


def _read(document: bytes, form: str) -> tuple[Problem, Convention | None]:
    """The problem, and how its file counts distances (JSON: in metres)."""
    if form == "json":
        return problem_from_json(document), None
    text = document.decode(errors="replace")
    if form == "solomon":
        return read_solomon(text), Convention.TENTHS
    return read_vrplib(text), convention_of(text)


def _print(progress: Progress) -> bool:
    print(
        f"{progress.seconds:8.2f} s  cost {progress.cost_minor}  unserved {progress.unserved}",
        file=sys.stderr,
        flush=True,
    )
    return True


if __name__ == "__main__":
    sys.exit(main())
