"""A made-up town of any size: quarters around a depot, half of the stops with a window of two hours."""

from dataclasses import replace

import numpy as np

from routing.pickup import Pair, Problem, Stop, StopKind, Vehicle

DEPOT = (31.2, 121.4)


def town(stops: int, vehicles: int, seed: int = 1, **vehicle_fields: object) -> Problem:
    random = np.random.default_rng(seed)
    quarters = random.normal(0, 0.06, (12, 2))
    places = quarters[random.integers(0, 12, stops)] + random.normal(0, 0.015, (stops, 2)) + DEPOT
    opening = random.integers(8 * 3600, 16 * 3600, stops).tolist()
    windowed = (random.random(stops) < 0.5).tolist()
    weights = random.integers(500, 8000, stops).tolist()
    fields = {
        "shift": (8 * 3600, 19 * 3600),
        "capacity_g": 400_000,
        "capacity_cm3": 10**9,
        "capacity_pieces": 1000,
        "cost_fixed": 5000,
        "cost_per_hour": 3000,
        "cost_per_km": 80,
    } | vehicle_fields
    return Problem(
        stops=tuple(
            Stop(
                stop_id=f"stop {number}",
                latitude=float(places[number, 0]),
                longitude=float(places[number, 1]),
                service_s=180,
                windows=((opening[number], opening[number] + 7200),) if windowed[number] else (),
                weight_g=weights[number],
                pieces=1,
            )
            for number in range(stops)
        ),
        vehicles=tuple(
            Vehicle(vehicle_id=f"vehicle {number}", start=DEPOT, end=DEPOT, **fields)  # type: ignore[arg-type]
            for number in range(vehicles)
        ),
    )


def paired(problem: Problem) -> Problem:
    """The same town, where every stop with an even number is collected for the one after it."""
    stops = [
        replace(stop, kind=StopKind.DELIVERY if number % 2 else StopKind.PICKUP, weight_g=1, windows=())
        for number, stop in enumerate(problem.stops)
    ]
    pairs = tuple(
        Pair(first.stop_id, second.stop_id) for first, second in zip(stops[::2], stops[1::2], strict=True)
    )
    return replace(problem, stops=tuple(stops), pairs=pairs)
