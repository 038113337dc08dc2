"""What planners are asked: files of benchmark sets, made-up cities, and such with breaks and skills."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from routing.pickup import Break, Problem, Stop, Vehicle
from routing.pickup.formats import best_known_units, read

ROOT = Path(__file__).resolve().parents[1]
FILES = Path(os.environ.get("WHEELHOUSE_DATA", ROOT / "../shared/data")) / "pickup"
SETS = ("vrptw", "cvrp", "pdptw")
CENTRE = (31.23, 121.47)

# Li and Lim's files come without solutions; least total distance found, in thousandths.
_LI_LIM_BEST = {
    "lrc101": 1_703_209,
    "LRC1_2_6": 3_360_857,
    "LR1_4_5": 9_517_040,
    "LR2_2_5": 3_438_391,
}


@dataclass(frozen=True, slots=True)
class Question:
    """One instance.

    Attributes:
        kind: its set.
        best_minor: the best cost known, in the problem's minor units; None: nobody knows.
    """

    name: str
    kind: str
    problem: Problem
    best_minor: float | None


def files(sets: tuple[str, ...], names: tuple[str, ...]) -> Iterator[Question]:
    """The files of some sets (no names: all of them), or some of them by name."""
    for kind in sets:
        form, ending = ("lilim", ".txt") if kind == "pdptw" else ("vrplib", ".vrp")
        paths = sorted((FILES / kind).glob(f"*{ending}"), key=lambda path: (len(path.name), path.name))
        for path in paths:
            if names and path.stem not in names:
                continue
            found = read(path.read_text(), form)
            solution = path.with_suffix(".sol")
            known = _LI_LIM_BEST.get(path.stem)
            if solution.exists():
                known = best_known_units(solution.read_text(), found.convention)
            yield Question(path.stem, kind, found.problem, known)


def city(stops: int, seed: int) -> Problem:
    """Quarters around two depots, half of the stops with a window of two hours."""
    random = np.random.default_rng(1000 + seed)
    quarters = random.normal(0, 0.09, (30, 2))
    weight = random.dirichlet(np.full(30, 2.0))
    places = quarters[random.choice(30, stops, p=weight)] + random.normal(0, 0.012, (stops, 2)) + CENTRE
    opens = random.integers(8 * 3600, 17 * 3600, stops).tolist()
    windowed = (random.random(stops) < 0.5).tolist()
    grams = np.minimum(30_000, random.lognormal(7.6, 0.8, stops)).astype(int).tolist()
    depots = [CENTRE, (CENTRE[0] + 0.06, CENTRE[1] - 0.05)]
    return Problem(
        tuple(
            Stop(
                stop_id=f"{number}",
                latitude=float(places[number, 0]),
                longitude=float(places[number, 1]),
                service_s=240,
                windows=((opens[number], opens[number] + 7200),) if windowed[number] else (),
                weight_g=grams[number],
                volume_cm3=grams[number] * 5,
                pieces=1,
            )
            for number in range(stops)
        ),
        tuple(
            Vehicle(
                vehicle_id=f"{number}",
                start=depots[number % 2],
                end=depots[number % 2],
                shift=(8 * 3600, 19 * 3600),
                capacity_g=400_000,
                capacity_cm3=3_000_000,
                capacity_pieces=150,
                cost_fixed=8000,
                cost_per_hour=3000,
                cost_per_km=80,
            )
            for number in range(max(4, stops // 20))
        ),
    )


def home_city(stops: int, seed: int) -> Problem:
    """The same city, where the hour on the road is paid, not the shift, and couriers know one half of it."""
    problem = city(stops, seed)
    price = {
        "cost_per_hour": 0,
        "cost_per_driving_hour": 3600,
        "cost_per_stop": 50,
        "cost_per_strange_stop": 100,
    }
    return replace(
        problem,
        stops=tuple(
            replace(stop, district="east" if stop.longitude > CENTRE[1] else "west") for stop in problem.stops
        ),
        vehicles=tuple(
            replace(vehicle, territory=frozenset({("east", "west")[number // 2 % 2]}), **price)
            for number, vehicle in enumerate(problem.vehicles)
        ),
    )


def rich_city(stops: int, seed: int) -> Problem:
    """The same city, where every courier rests for half an hour around noon and some stops need a skill."""
    problem = city(stops, seed)
    random = np.random.default_rng(2000 + seed)
    needs = random.choice(["", "cold", "lift"], size=stops, p=[0.75, 0.15, 0.10]).tolist()
    lunch = Break("lunch", ((11 * 3600, 14 * 3600),), 1800, paid=False)
    skills = (frozenset({"cold"}), frozenset({"lift"}), frozenset({"cold", "lift"}), frozenset[str]())
    return replace(
        problem,
        stops=tuple(
            replace(stop, skills=frozenset({need} if need else ()))
            for stop, need in zip(problem.stops, needs, strict=True)
        ),
        vehicles=tuple(
            replace(vehicle, breaks=(lunch,), skills=skills[number // 2 % 4])
            for number, vehicle in enumerate(problem.vehicles)
        ),
    )
