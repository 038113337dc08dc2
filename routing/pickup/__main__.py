"""Plan from a shell: `python -m routing.pickup solve problem.json --seconds 10 [--seed 1] > plan.json`.

The document is one of ours (`routing.pickup.documents`) or one of VROOM's (`routing.pickup.vroom`), and is
answered in the same form. `--check` judges the rounds that a VROOM document gives in its vehicles' `steps`.
Progress and errors go to standard error; a VROOM document that is not valid is also answered with VROOM's
code 2. The exit status is 2 if the problem is not valid.
"""

import argparse
import sys
from pathlib import Path

from routing.pickup import vroom, vroom_answer, vroom_door
from routing.pickup.documents import parsed, plan_to_json, problem_from_json
from routing.pickup.effort import Progress
from routing.pickup.errors import PickupError, ProblemError
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
    command.add_argument(
        "--format",
        choices=("auto", "wheelhouse", "vroom"),
        default="auto",
        help="of the document (default: told by its fields)",
    )
    command.add_argument(
        "-c", "--check", action="store_true", help="VROOM's plan mode: judge the vehicles' steps as given"
    )
    given = parser.parse_args(arguments)
    is_vroom = given.format == "vroom"
    try:
        document = sys.stdin.buffer.read() if given.problem == "-" else Path(given.problem).read_bytes()
        options = Options(
            seconds=given.seconds,
            seed=given.seed,
            steps=given.steps,
            progress=_print if given.progress else None,
        )
        if given.format != "wheelhouse":
            whole = parsed(document)
            is_vroom = is_vroom or vroom.is_vroom(whole)
        if is_vroom:
            answer = vroom_door.answered(whole, options, check=given.check)
        elif given.check:
            raise ProblemError("document: --check reads VROOM documents only")
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
