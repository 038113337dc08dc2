"""How good are plans after so many seconds, beside what others make of the same in the same time?

Ours against PyVRP with two seeds at once on both cores, of which the better counts, against OR-Tools routing
(guided local search from cheapest insertion, two seeds likewise), and against VROOM (exploration 5, two
threads). All get the same problem in memory and the same seconds on the clock; what each took stands beside
it. Files of benchmark sets are held against
the best costs known; for the made-up city (clustered, half of the stops with a window of two hours) costs are
compared with PyVRP's. A city where couriers rest and some stops need a skill, which PyVRP cannot plan, is
held against OR-Tools alone; so is one where couriers are paid for the road and each knows one half of it.

    python benchmarks/pickup.py                              a quick choice, 20 s each
    python benchmarks/pickup.py --sets vrptw,cvrp --seconds 5
    python benchmarks/pickup.py --instances RC101,X-n502-k39 --city 1000,5000 --seeds 3 --no-ortools

The files are those of WHEELHOUSE_DATA (default ../shared/data beside this repository).
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _pickup_vroom as vroom
import pyvrp
from _pickup_sets import FILES, SETS, Question, city, files, home_city, rich_city
from pyvrp.stop import MaxRuntime

from routing.pickup import Options, Progress, check, solve
from routing.pickup.costs import COST_SCALE
from routing.pickup.effort import Effort
from routing.pickup.engines import greedy, ortools
from routing.pickup.engines.pyvrp_model import Model
from routing.pickup.instance import Instance, build

QUICK = ("RC101", "R1_2_1", "RC1_4_1", "X-n200-k36", "X-n502-k39", "RC1_10_5", "lrc101", "LRC1_2_6")
RICH_CHEAPER = 0.10  # than OR-Tools alone
HOME_CHEAPER = 0.0  # nobody has asked for more than to be cheaper at all
FORK = multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else None)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a contender made of it: its cost (None: no plan that serves all), and its seconds."""

    cost_minor: float | None
    seconds: float
    remark: str = ""


def ours(question: Question, seconds: float, workers: int) -> Answer:
    """Our plan, judged by the checker."""
    first: list[float] = []

    def listen(progress: Progress) -> bool:
        if not first and not progress.unserved:
            first.append(progress.seconds)
        return True

    began = time.perf_counter()
    plan = solve(question.problem, Options(seconds=seconds, seed=1, workers=workers, progress=listen))
    took = time.perf_counter() - began
    wrong = check(question.problem, plan)
    remark = f"first plan {first[0]:.2f} s" if first else "no plan that serves all"
    if wrong:
        remark += f", BREAKS RULES: {wrong[0]}"
    if took > seconds * 1.05 + 0.5:
        remark += ", LATE"
    return Answer(None if plan.unserved else plan.cost_minor, took, remark)


def pyvrp_alone(data: pyvrp.ProblemData, unit: int, seconds: float, seed: int) -> float | None:
    """PyVRP as its users call it."""
    found = pyvrp.solve(data, MaxRuntime(seconds), seed=seed, collect_stats=False)
    return found.cost() * unit / COST_SCALE if found.is_feasible() else None


def ortools_alone(instance: Instance, seconds: float, seed: int) -> float | None:
    """Guided local search from cheapest insertion."""
    effort = Effort(seconds, None, seed, None, time.perf_counter())
    rounds = greedy.construct(instance, effort)
    if not effort.over():
        rounds = ortools.improve(instance, rounds, effort, effort.left(), None)
    if sum(map(len, rounds)) < len(instance.stops):
        return None
    cost = instance.cost(rounds)
    return None if cost is None else cost / COST_SCALE


def both_seeds(run: partial[float | None]) -> Answer:
    """The better of two seeds, each on a core of its own."""
    began = time.perf_counter()
    with FORK.Pool(2) as pool:
        costs = pool.map(run, (1, 2))
    took = time.perf_counter() - began
    return Answer(min((cost for cost in costs if cost is not None), default=None), took)


def vroom_alone(instance: Instance, seconds: float) -> Answer:
    """VROOM at its most thorough, on both cores."""
    if not vroom.can_plan(instance):
        return Answer(None, 0.0, "not installed (`make bench` does it), or it does not know all rules")
    began = time.perf_counter()
    rounds = vroom.plan(instance, seconds, 2)
    took = time.perf_counter() - began
    cost = None if rounds is None else instance.cost(rounds)
    remark = "leaves stops out" if rounds is None else "" if cost is not None else "BREAKS RULES"
    return Answer(None if cost is None else cost / COST_SCALE, took, remark)


def show(question: Question, name: str, answer: Answer, beside: float | None) -> None:
    """One line: cost, gap to the best known (or to the one beside), seconds."""
    cost = "none" if answer.cost_minor is None else f"{answer.cost_minor:,.0f}"
    gap = ""
    if answer.cost_minor is not None and question.best_minor is not None:
        gap = f"{100 * (answer.cost_minor / question.best_minor - 1):.2f} %"
    elif answer.cost_minor is not None and beside is not None:
        gap = f"{100 * (answer.cost_minor / beside - 1):+.2f} %"
    line = f"{question.name:14} {name:26} {cost:>14} {gap:>9} {answer.seconds:7.2f} s  {answer.remark}"
    print(line.rstrip(), flush=True)


def ask(
    question: Question, seconds: float, workers: int, *, with_ortools: bool, with_vroom: bool
) -> tuple[Answer, Answer]:
    """All contenders, one after the other."""
    instance = build(question.problem)
    model = Model(instance, None)
    own = ours(question, seconds, workers)
    peer = both_seeds(partial(pyvrp_alone, model.data, model.unit, seconds))
    show(question, "ours", own, peer.cost_minor)
    show(question, "peer: PyVRP, 2 seeds", peer, None)
    if with_ortools:
        answer = both_seeds(partial(ortools_alone, instance, seconds))
        show(question, "peer: OR-Tools, 2 seeds", answer, peer.cost_minor)
    if with_vroom:
        show(question, "peer: VROOM, 2 threads", vroom_alone(instance, seconds), peer.cost_minor)
    return own, peer


def ask_rich(question: Question, seconds: float, workers: int, least: float, *, with_vroom: bool) -> None:
    """Ours and OR-Tools alone, with what PyVRP by itself cannot plan; ours is to be cheaper by that share."""
    own = ours(question, seconds, workers)
    instance = build(question.problem)
    peer = both_seeds(partial(ortools_alone, instance, seconds))
    show(question, "ours", own, peer.cost_minor)
    show(question, "peer: OR-Tools, 2 seeds", peer, None)
    if with_vroom and vroom.can_plan(instance):
        show(question, "peer: VROOM, 2 threads", vroom_alone(instance, seconds), peer.cost_minor)
    bar = f"limit: {least:.0%} cheaper than OR-Tools alone, all served"
    if own.cost_minor is None:
        print(f"{question.kind:14} not all served  {bar}")
    elif peer.cost_minor is None:
        print(f"{question.kind:14} all served, OR-Tools alone has no plan that serves all  {bar}")
    else:
        print(f"{question.kind:14} {1 - own.cost_minor / peer.cost_minor:.1%} cheaper  {bar}")


def summary(answers: list[tuple[Question, Answer, Answer]]) -> None:
    """The limits of each set: the opponent's mean gap, and the most that ours may be worse anywhere."""
    for kind in dict.fromkeys(question.kind for question, _, _ in answers):
        pairs = [
            (own.cost_minor / base - 1, peer.cost_minor / base - 1)
            for question, own, peer in answers
            if question.kind == kind and own.cost_minor is not None and peer.cost_minor is not None
            for base in [question.best_minor or peer.cost_minor]
        ]
        if not pairs:
            print(f"{kind:14} limit: nothing to compare")
            continue
        mine, theirs = (100 * statistics.mean(column) for column in zip(*pairs, strict=True))
        worst = 100 * max(own - peer for own, peer in pairs)
        print(
            f"{kind:14} mean gap {mine:.2f} %  limit: {theirs:.2f} % (PyVRP, 2 seeds)   "
            f"worst against it {worst:+.2f}  limit: +0.30   ({len(pairs)} instances)"
        )


def main() -> None:
    """Ask all questions and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="for each contender (default 20)")
    parser.add_argument("--sets", default="", help=f"whole sets: {','.join(SETS)}")
    parser.add_argument("--instances", default="", help=f"by name (default {','.join(QUICK)})")
    parser.add_argument("--city", default="1000", help="stops of made-up cities (default 1000; 0: none)")
    parser.add_argument("--seeds", type=int, default=1, help="cities of each size (default 1)")
    parser.add_argument("--rich", default="400", help="stops of cities with breaks and skills (0: none)")
    parser.add_argument("--home", default="400", help="stops of cities with territories (0: none)")
    parser.add_argument("--workers", type=int, default=2, help="our processes (default 2)")
    parser.add_argument("--no-ortools", action="store_true", help="leave OR-Tools routing out")
    parser.add_argument("--no-vroom", action="store_true", help="leave VROOM out")
    given = parser.parse_args()
    cores = os.cpu_count()
    print(f"Pickup planning, {given.seconds:g} s each  (Python {platform.python_version()}, {cores} cores)")
    print(f"{'instance':14} {'who':26} {'cost':>14} {'gap':>9} {'took':>9}")
    answers = []
    for question in questions(given):
        own, peer = ask(
            question,
            given.seconds,
            given.workers,
            with_ortools=not given.no_ortools,
            with_vroom=not given.no_vroom,
        )
        answers.append((question, own, peer))
    summary(answers)
    cities = (("rich", given.rich, rich_city, RICH_CHEAPER), ("home", given.home, home_city, HOME_CHEAPER))
    for name, sizes, make, least in cities:
        for size in filter(None, map(int, sizes.split(","))):
            for seed in range(1, given.seeds + 1):
                question = Question(f"{name} {size} #{seed}", f"{name} {size}", make(size, seed), None)
                ask_rich(question, given.seconds, given.workers, least, with_vroom=not given.no_vroom)


def questions(given: argparse.Namespace) -> Iterator[Question]:
    """What the command line asks for."""
    if not FILES.exists():
        print(f"no instances at {FILES}: files are left out; set WHEELHOUSE_DATA")
    elif given.sets:
        yield from files(tuple(given.sets.split(",")), ())
    else:
        yield from files(SETS, tuple(given.instances.split(",")) if given.instances else QUICK)
    for size in filter(None, map(int, given.city.split(","))):
        for seed in range(1, given.seeds + 1):
            yield Question(f"city {size} #{seed}", f"city {size}", city(size, seed), None)


if __name__ == "__main__":
    main()
