"""Are hubs chosen optimally, and how long does the proof take?

Each line is one question to `routing.network.design`: what it found, what is published, the bound it proves
and the seconds against the limit that is set for it. Two peers stand beside it in the same run: adding one
hub after the other (the share by which it is dearer), and for small instances the mixed-integer program of
Ernst & Krishnamoorthy 1996 given whole to SCIP, which is the textbook way to a proof.

Published objectives come with the data sets; those of CAB are from O'Kelly, Bryan, Skorin-Kapov &
Skorin-Kapov 1996 as far as they are at hand. The counties of China have no published optimum: weights are 7
for a city at county level, 6 for an urban district, 4 for a county, flows by gravity.

    python benchmarks/hub_design.py          a quick choice, under three minutes
    python benchmarks/hub_design.py --all    everything
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ortools.linear_solver import pywraplp

from app.demo.geography import counties
from routing.network.design import (
    Allocation,
    HubInstance,
    design,
    distances_km,
    gravity,
    read_ap,
    read_cab,
)

ROOT = Path(__file__).resolve().parents[1]
HUBS = Path(os.environ.get("WHEELHOUSE_DATA", ROOT / "../shared/data")) / "hubs"
SINGLE, MULTIPLE = Allocation.SINGLE, Allocation.MULTIPLE

# Five cities, 25 places: p, alpha -> objective.
CAB_SINGLE = {(2, 0.2): 1000.91, (3, 0.2): 767.35, (3, 0.6): 1033.56, (4, 0.2): 629.63}
CAB_MULTIPLE = {(4, 0.2): 618.48}
WEIGHTS = {"市": 7, "区": 6}


@dataclass(frozen=True, slots=True)
class Question:
    """One line of the table.

    Attributes:
        limit_s: within which it must be answered.
        quick: part of the default choice.
        peer: the whole mixed-integer program is worth waiting for.
    """

    name: str
    instance: HubInstance
    p: int
    allocation: Allocation
    published: float | None
    limit_s: float
    quick: bool
    peer: bool = False


def cab() -> Iterator[Question]:
    """25 cities, five discounts."""
    text = (HUBS / "CAB.txt").read_text()
    for allocation, published in ((SINGLE, CAB_SINGLE), (MULTIPLE, CAB_MULTIPLE)):
        for p in (2, 3, 4):
            for alpha in (0.2, 0.4, 0.6, 0.8, 1.0):
                known = published.get((p, alpha))
                yield Question(
                    "CAB 25",
                    read_cab(text, alpha),
                    p,
                    allocation,
                    known,
                    60,
                    quick=True,
                    peer=(p, alpha, allocation) == (3, 0.2, SINGLE),
                )


def ap() -> Iterator[Question]:
    """Australia Post."""
    for allocation, file in ((SINGLE, "USApHMP"), (MULTIPLE, "UMApHMP")):
        answers = (HUBS / f"AP/Solutions-{file}.txt").read_text()
        for n in (10, 20, 25, 40, 50, 100):
            instance = read_ap((HUBS / f"AP/{n}.{2 if n == 10 else 3}").read_text())
            for p in (2, 3, 4, 5) if n < 100 or allocation is MULTIPLE else (2, 3, 4, 5, 10):
                answer = answers.partition(f"n={n}, p={p} :")[2].partition("Solution")[0]
                objective = re.search(r"Objective\s*:\s*([\d.]+)", answer)
                limit = 60 if n <= 25 or (allocation is MULTIPLE and n <= 50) else 600
                yield Question(
                    f"AP {n}",
                    instance,
                    p,
                    allocation,
                    float(objective[1]) if objective else None,
                    limit,
                    quick=n <= 50 or allocation is SINGLE,
                    peer=(n, p, allocation) == (20, 3, SINGLE),
                )


def china() -> Iterator[Question]:
    """2,852 counties, twelve hubs."""
    places = [county for county in counties() if county.mainland]
    at = [(county.latitude, county.longitude) for county in places]
    flow = gravity(at, [WEIGHTS.get(county.name[-1], 4) for county in places], parcels=1.0)
    names = tuple(county.adcode for county in places)
    instance = HubInstance(names, flow, distances_km(at), transfer=0.6, metric=True)
    yield Question(f"counties {len(names)}", instance, 12, SINGLE, None, 120, quick=False)


def whole_program_s(instance: HubInstance, p: int, limit_s: float) -> tuple[float, float]:
    """Seconds and objective of the single-allocation program of Ernst & Krishnamoorthy 1996, given to
    SCIP."""
    began = time.perf_counter()
    solver = pywraplp.Solver.CreateSolver("SCIP")
    solver.SetTimeLimit(round(1000 * limit_s))
    places = range(instance.size)
    access, sent = instance.access_cost(), instance.flow.sum(axis=1)
    z = [[solver.BoolVar("") for _ in places] for _ in places]
    y = [[[solver.NumVar(0, solver.infinity(), "") for _ in places] for _ in places] for _ in places]
    solver.Add(sum(z[k][k] for k in places) == p)
    for i in places:
        solver.Add(sum(z[i]) == 1)
        for k in places:
            solver.Add(z[i][k] <= z[k][k])
            kept = sum(float(instance.flow[i, j]) * z[j][k] for j in places)
            solver.Add(sum(y[i][k]) - sum(y[i][m][k] for m in places) == float(sent[i]) * z[i][k] - kept)
    transfer = instance.transfer * instance.distance
    solver.Minimize(
        sum(float(access[i, k]) * z[i][k] for i in places for k in places)
        + sum(float(transfer[k, m]) * y[i][k][m] for i in places for k in places for m in places)
    )
    exactly = pywraplp.MPSolverParameters()
    exactly.SetDoubleParam(pywraplp.MPSolverParameters.RELATIVE_MIP_GAP, 0.0)
    solver.Solve(exactly)
    return time.perf_counter() - began, solver.Objective().Value()


def main() -> None:
    """Ask all questions and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="all questions, not the quick choice")
    parser.add_argument("--workers", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--seconds", type=float, help="ask no further question after so long")
    arguments = parser.parse_args()
    began = time.perf_counter()
    if not HUBS.exists():
        print(f"no hub instances at {HUBS}; set WHEELHOUSE_DATA")
        return
    print(f"Hub design  (Python {platform.python_version()}, {arguments.workers} of {os.cpu_count()} cores)")
    print(
        f"{'instance':13} {'allocation':10} {'p':>2} {'alpha':>5} {'objective':>14} {'published':>11}"
        f" {'bound':>14} {'gap':>7} {'seconds':>8} {'limit':>5} {'greedy':>7}  peer"
    )
    print("(limit: seconds to a proof; peer: the whole program given to SCIP; greedy: how much dearer it is)")
    questions = [question for source in (cab, ap, china) for question in source()]
    for question in questions:
        over = arguments.seconds is not None and time.perf_counter() - began > arguments.seconds
        if (question.quick or arguments.all) and not over:
            print(_line(question, arguments.workers), flush=True)


def _line(question: Question, workers: int) -> str:
    # A second is kept back for what stands around the search.
    found = design(
        question.instance,
        question.p,
        allocation=question.allocation,
        seconds=question.limit_s - 1,
        workers=workers,
    )
    published = "" if question.published is None else f"{question.published:.2f}"
    right = question.published is None or abs(found.objective - question.published) < 0.01
    greedy = (found.greedy_objective or found.objective) / found.objective - 1
    line = (
        f"{question.name:13} {question.allocation:10} {question.p:2} {question.instance.transfer:5.2f}"
        f" {found.objective:14.3f} {published:>11} {found.lower_bound:14.3f} {found.gap:7.2%}"
        f" {found.seconds:8.2f} {question.limit_s:5.0f} {greedy:+7.1%}"
    )
    if question.peer:
        seconds, objective = whole_program_s(question.instance, question.p, 60)
        line += f"  SCIP {objective:.2f} in {seconds:.1f} s"
    return line + ("" if right else "  NOT AS PUBLISHED")


if __name__ == "__main__":
    main()
