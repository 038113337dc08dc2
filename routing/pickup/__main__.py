"""Plan from a shell: `python -m routing.pickup solve problem.json --seconds 10 [--seed 1] > plan.json`.

The document is one of ours (`routing.pickup.documents`) or one of VROOM's (`routing.pickup.vroom`), and is
answered in the same form. `--check` judges the rounds that a VROOM document gives in its vehicles' `steps`.
`--format` also reads files of benchmark sets (`routing.pickup.formats`); the plan then comes in the form of
their solution files, with the distance as the set counts it. Progress and errors go to standard error; a
VROOM document that is not valid is also answered with VROOM's code 2. The exit status is 2 if the problem is
not valid.
"""

import argparse
import sys
from pathlib import Path

from routing.pickup import vroom, vroom_answer, vroom_door
from routing.pickup.documents import parsed, plan_to_json, problem_from_json
from routing.pickup.effort import Progress
from routing.pickup.errors import PickupError, ProblemError
from routing.pickup.formats import FORMATS, Objective, read, solution_text
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
    given = parser.parse_args(arguments)
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


def _print(progress: Progress) -> bool:
    print(
        f"{progress.seconds:8.2f} s  cost {progress.cost_minor}  unserved {progress.unserved}",
        file=sys.stderr,
        flush=True,
    )
    return True


if __name__ == "__main__":
    sys.exit(main())
