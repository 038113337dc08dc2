"""Plan from a shell: `python -m routing.pickup solve problem.json --seconds 10 [--seed 1] > plan.json`.

The document is one of ours (`routing.pickup.documents`) or one of VROOM's (`routing.pickup.vroom`), and is
answered in the same form. `--check` judges the rounds that a VROOM document gives in its vehicles' `steps`.
`--format` also reads files of benchmark sets (`routing.pickup.formats`); the plan then comes in the form of
their solution files, with the distance as the set counts it. Progress and errors go to standard error; a
VROOM document that is not valid is also answered with VROOM's code 2. The exit status is 2 if the problem is
not valid.

`python -m routing.pickup solve-many DEPOTS --out PLANS --seconds 60` plans many problems at once; see
`many_door`.

Both use the workers of a Dask cluster when `--dask` or the variable `DASK_SCHEDULER` names its scheduler.
"""

import argparse
import os
import sys
from pathlib import Path

from routing.pickup import many_door, vroom, vroom_answer, vroom_door
from routing.pickup.cluster import Cluster
from routing.pickup.documents import parsed, plan_to_json, problem_from_json
from routing.pickup.effort import Progress
from routing.pickup.errors import PickupError, ProblemError
from routing.pickup.formats import FORMATS, Objective, read, solution_text
from routing.pickup.solve import Options, solve


def main(arguments: list[str] | None = None) -> int:
    """Run one command; see the module's description."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        executor = Cluster(given.dask) if given.dask else None
    except PickupError as error:
        print(error, file=sys.stderr)
        return 2
    if given.command == "solve-many":
        return many_door.main(given, executor)
    if given.objective and given.format not in FORMATS:
        parser.error("--objective belongs to the benchmark formats: a JSON problem says what costs what")
    is_vroom = given.format == "vroom"
    try:
        document = sys.stdin.buffer.read() if given.problem == "-" else Path(given.problem).read_bytes()
        options = Options(
            seconds=given.seconds,
            seed=given.seed,
            steps=given.steps,
            progress=_print if given.progress else None,
            workers=given.workers,
            executor=executor,
        )
        whole = {} if given.format in FORMATS else parsed(document)
        is_vroom = is_vroom or (given.format == "auto" and vroom.is_vroom(whole))
        if given.check and not is_vroom:
            raise ProblemError("document: --check reads VROOM documents only")
        if is_vroom:
            answer = vroom_door.answered(whole, options, check=given.check)
        elif given.format in FORMATS:
            objective = Objective(given.objective or Objective.DISTANCE)
            found = read(document.decode(errors="replace"), given.format, objective)
            plan = solve(found.problem, options)
            answer = solution_text(found.problem, plan, found.convention).rstrip("\n").encode()
        else:
            answer = plan_to_json(solve(problem_from_json(document), options))
    except (PickupError, OSError) as error:
        print(error, file=sys.stderr)
        if is_vroom:
            sys.stdout.buffer.write(vroom_answer.failed(str(error)) + b"\n")
        return 2
    sys.stdout.buffer.write(answer + b"\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    """The commands and their arguments."""
    parser = argparse.ArgumentParser(prog="python -m routing.pickup", description="Plan couriers' rounds.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("solve", help="read a problem, write a plan to standard output")
    command.add_argument("problem", help="problem document (JSON); - reads standard input")
    _add_common(command, seconds=10.0)
    command.add_argument(
        "--steps", type=int, help="limit in solutions visited instead of time: the same plan again"
    )
    command.add_argument(
        "--progress", action="store_true", help="print better plans to standard error as they come"
    )
    command.add_argument(
        "--format",
        choices=("auto", "wheelhouse", "vroom", *FORMATS),
        default="auto",
        help="of the document (default: JSON, told by its fields)",
    )
    command.add_argument(
        "--objective",
        choices=tuple(Objective),
        help="of a benchmark file: the sum of distances as its set counts them (default), or as VROOM's "
        "benchmarks count them",
    )
    command.add_argument(
        "-c", "--check", action="store_true", help="VROOM's plan mode: judge the vehicles' steps as given"
    )
    many = commands.add_parser("solve-many", help="plan the problems of a folder or file, all at once")
    _add_common(many, seconds=60.0)
    many_door.add_arguments(many)
    return parser


def _add_common(command: argparse.ArgumentParser, *, seconds: float) -> None:
    """How to search, and where."""
    command.add_argument(
        "--seconds", type=float, default=seconds, help=f"time limit of each problem (default {seconds:g})"
    )
    command.add_argument("--seed", type=int, default=0, help="of everything drawn at random (default 0)")
    command.add_argument("--workers", type=int, help="processes that search (default: one for each core)")
    command.add_argument(
        "--dask",
        metavar="ADDRESS",
        default=os.environ.get("DASK_SCHEDULER"),
        help="scheduler of a Dask cluster to plan on (default: DASK_SCHEDULER)",
    )


def _print(progress: Progress) -> bool:
    print(
        f"{progress.seconds:8.2f} s  cost {progress.cost_minor}  unserved {progress.unserved}",
        file=sys.stderr,
        flush=True,
    )
    return True


if __name__ == "__main__":
    sys.exit(main())
