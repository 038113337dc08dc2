"""From the customers of a benchmark file to a problem."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from routing.pickup.formats.convention import Convention
from routing.pickup.matrix import Point, Table
from routing.pickup.problem import HORIZON_S, Pair, Problem, Stop, StopKind, Vehicle

Weights: TypeAlias = npt.NDArray[np.float64]

_DEGREES = 0.5  # the furthest place from the origin: near enough to the equator for a plane
_UNLIMITED = 10**9


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer or depot of a file, the values as they are written.

    Attributes:
        name: the set's number of it.
        x, y: its place on the plane.
        demand: what is collected, or handed over (`kind`).
        opens, closes: its window; no end: none.
        returned: what is collected at a delivery in exchange.
        released: when what is delivered is ready.
        prize: what serving it is worth; None: it is to be served.
        vehicles: only these may serve it; None: any.
    """

    name: str
    x: float
    y: float
    demand: int = 0
    opens: float = 0.0
    closes: float | None = None
    service: float = 0.0
    kind: StopKind = StopKind.PICKUP
    returned: int = 0
    released: float = 0.0
    prize: float | None = None
    vehicles: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Truck:
    """A vehicle of a file.

    Attributes:
        depot: number of the customer it starts and ends at.
        duration, distance: most of a round, as they are written; None: any.
        fixed: cost of using it.
        per_unit: cost of a unit of distance.
        reload_at: numbers of the customers at which it may reload.
        reloads: how often at most.
    """

    depot: int
    capacity: int
    duration: float | None = None
    distance: float | None = None
    fixed: float = 0.0
    per_unit: float = 1.0
    reload_at: tuple[int, ...] = ()
    reloads: int = 0


@dataclass(frozen=True, slots=True)
class Plane:
    """All of a file.

    Attributes:
        customers: with the depots among them.
        depots: numbers of those that are depots.
        pairs: names of pickup and delivery.
        weights: distances between the customers as they are written; None: those on the plane.
    """

    customers: Sequence[Customer]
    depots: Sequence[int]
    trucks: Sequence[Truck]
    pairs: Iterable[tuple[str, str]] = ()
    weights: Weights | None = field(default=None, compare=False)


def problem_of(plane: Plane, convention: Convention) -> Problem:
    """The problem of a file's customers and vehicles.

    Raises:
        ProblemError: a value is out of range; the message names the stop or vehicle.
    """
    customers = plane.customers
    if plane.weights is None:
        spots = np.array([(one.x, one.y) for one in customers], dtype=np.float64)
        apart = np.sqrt(((spots[:, None, :] - spots[None, :, :]) ** 2).sum(axis=2))
    else:  # every place is one of its own, whatever the file says about where it is drawn
        spots = np.stack([np.zeros(len(customers)), np.arange(len(customers), dtype=np.float64)], axis=1)
        apart = plane.weights
    points = _points(spots)
    first = {place: number for number, place in reversed(list(enumerate(points)))}
    places = tuple(dict.fromkeys(points))
    rows = [first[place] for place in places]
    metres = convention.whole(apart[np.ix_(rows, rows)])
    timed = any(one.closes is not None or one.released for one in customers) or any(
        truck.duration is not None for truck in plane.trucks
    )
    seconds = metres if timed else np.zeros_like(metres)
    depots = set(plane.depots)
    return Problem(
        stops=tuple(
            _stop(convention, customer, points[number])
            for number, customer in enumerate(customers)
            if number not in depots
        ),
        vehicles=tuple(
            _vehicle(convention, truck, f"{number}", customers, points)
            for number, truck in enumerate(plane.trucks, start=1)
        ),
        travel=Table(places, seconds.astype(np.int32), metres.astype(np.int32)),
        pairs=tuple(Pair(pickup, delivery) for pickup, delivery in plane.pairs),
    )


def _stop(convention: Convention, customer: Customer, point: Point) -> Stop:
    stop = Stop(
        stop_id=customer.name,
        latitude=point[0],
        longitude=point[1],
        service_s=convention.one(customer.service),
        windows=_window(convention, customer),
        weight_g=customer.demand,
        kind=customer.kind,
        allowed_vehicles=customer.vehicles,
        release_s=convention.one(customer.released),
        prize_minor=None if customer.prize is None else convention.one(customer.prize),
    )
    return replace(stop, collects=(customer.returned, 0, 0)) if customer.returned else stop


def _vehicle(
    convention: Convention, truck: Truck, name: str, customers: Sequence[Customer], points: Sequence[Point]
) -> Vehicle:
    return Vehicle(
        vehicle_id=name,
        start=points[truck.depot],
        end=points[truck.depot],
        shift=next(iter(_window(convention, customers[truck.depot])), (0, HORIZON_S)),
        capacity_g=truck.capacity,
        capacity_cm3=_UNLIMITED,
        capacity_pieces=_UNLIMITED,
        cost_fixed=convention.one(truck.fixed),
        cost_per_km=round(1000 * truck.per_unit),
        duration_s_max=None if truck.duration is None else convention.one(truck.duration),
        distance_m_max=None if truck.distance is None else convention.one(truck.distance),
        reload_at=tuple(points[number] for number in truck.reload_at),
        reloads_max=truck.reloads,
    )


def _points(plane: npt.NDArray[np.float64]) -> list[Point]:
    """Places on the plane as degrees, in the same proportions."""
    scale = _DEGREES / max(1.0, float(np.abs(plane).max(initial=0.0)))
    return [(y, x) for x, y in (plane * scale).tolist()]


def _window(convention: Convention, customer: Customer) -> tuple[tuple[int, int], ...]:
    if customer.closes is None:
        return ()
    return ((convention.one(customer.opens), min(HORIZON_S, convention.one(customer.closes))),)
