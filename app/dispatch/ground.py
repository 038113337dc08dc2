"""The ground of an outlet as the planner takes it: in which area each stop lies, who is at home there, when
it is closed to whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.dispatch.area_models import Area, CourierHome
from app.dispatch.models import Courier
from app.dispatch.rings import Floats, inside, size_m2
from routing import pickup
from routing.pickup.assemble import plan_of
from routing.pickup.checking import cost_minor_of

COST_PER_STRANGE_STOP_MINOR = 200
"""What a stop costs more where its courier is not at home: about five minutes of him, in which he looks for
gate, building and lift. To whoever knows the place it is worth some kilometres, and no round more."""
_APART = "\n"
"""Stands in no area's name: what is before it is the name, what is after it is whom an exception is for."""


class Spot(NamedTuple):
    """A stop's `pickup.Stop.district` and `pickup.Stop.area`."""

    district: str | None
    area: str | None


NOWHERE = Spot(None, None)


@dataclass(frozen=True, slots=True)
class Ground:
    """An outlet's areas, smallest first: of those that overlap at a pin the smallest has it.

    Attributes:
        rings: corner x (latitude, longitude), in degrees, of each area.
        spots: what stops in each area are given.
        restrictions: closed hours of all areas.
        homes: the districts of each courier who has any, by his id.
    """

    rings: tuple[Floats, ...] = ()
    spots: tuple[Spot, ...] = ()
    restrictions: tuple[pickup.Restriction, ...] = ()
    homes: Mapping[int, frozenset[str]] | None = None

    def spots_of(self, places: Mapping[int, tuple[float, float]]) -> Mapping[int, Spot]:
        """Where stops lie: those that lie in an area.

        Args:
            places: latitude and longitude of each, by whatever names it.
        """
        if not self.rings or not places:
            return {}
        names = list(places)
        points = np.array([places[name] for name in names], dtype=np.float64)
        left = np.arange(len(names))
        found: dict[int, Spot] = {}
        for ring, spot in zip(self.rings, self.spots, strict=True):
            here = inside(ring, points[left])
            found.update((names[number], spot) for number in left[here].tolist())
            left = left[~here]
        return found

    def placed(self, stop: pickup.Stop) -> pickup.Stop:
        """A single stop with its area."""
        spot = self.spots_of({0: stop.point}).get(0)
        return stop if spot is None else replace(stop, district=spot.district, area=spot.area)

    def of_courier(self, courier: Courier) -> dict[str, Any]:
        """What the planner's vehicle is given beside shift and capacity; nothing where there are no areas."""
        given: dict[str, Any] = {}
        if self.restrictions:
            given["vehicle_class"] = courier.vehicle_class.value
        home = (self.homes or {}).get(courier.id)
        if home:
            given |= {"territory": home, "cost_per_strange_stop": COST_PER_STRANGE_STOP_MINOR}
        return given

    def closed_to(
        self, stops: Iterable[pickup.Stop], vehicles: Iterable[pickup.Vehicle]
    ) -> tuple[pickup.Restriction, ...]:
        """The closed hours that matter: some of these stops are there then, and some of these vehicles meant.

        A problem without any is planned by the engine for plain tours.
        """
        classes = {vehicle.vehicle_class for vehicle in vehicles}
        windows: dict[str | None, set[tuple[int, int]]] = {}
        for stop in stops:
            windows.setdefault(stop.area, set()).update(stop.open_windows)
        return tuple(
            one
            for one in self.restrictions
            if classes & one.vehicle_classes
            and any(
                first <= closes and opens <= last
                for first, last in one.windows
                for opens, closes in windows.get(one.area, ())
            )
        )


def load_ground(session: Session, facility_id: int) -> Ground:
    """An outlet's areas with who is at home in them, in one or two statements."""
    areas = session.execute(
        sa.select(Area.id, Area.name, Area.ring, Area.closed).where(Area.facility_id == facility_id)
    ).all()
    if not areas:
        return Ground()
    areas = sorted(areas, key=lambda area: (size_m2(area.ring), area.id))
    homes: dict[int, set[str]] = {}
    for courier_id, area_id in session.execute(
        sa.select(CourierHome.courier_id, CourierHome.area_id)
        .join(Area, Area.id == CourierHome.area_id)
        .where(Area.facility_id == facility_id)
    ):
        homes.setdefault(courier_id, set()).add(str(area_id))
    return Ground(
        rings=tuple(np.array(area.ring, dtype=np.float64) for area in areas),
        spots=tuple(Spot(str(area.id), area.name if area.closed else None) for area in areas),
        restrictions=tuple(
            # From the second when it closes until the one before it opens again.
            pickup.Restriction(
                area.name, frozenset(one["vehicle_classes"]), ((one["from_s"], one["to_s"] - 1),)
            )
            for area in areas
            for one in area.closed
        ),
        homes={courier_id: frozenset(districts) for courier_id, districts in homes.items()},
    )


def as_planned(problem: pickup.Problem, plan: pickup.Plan) -> tuple[pickup.Problem, pickup.Plan]:
    """A stored plan beside areas that may have been drawn, or couriers that were changed, since it was made.

    Its rounds cost what their strange stops cost by now. A visit that lies in hours that are closed by now
    stays with the courier who has it; for every other courier, and for every other stop, they are closed.
    """
    routes = tuple(_priced(problem, route) for route in plan.routes)
    if any(one is not other for one, other in zip(routes, plan.routes, strict=True)):
        plan = plan_of(routes, plan.unserved, plan.solver, plan.seconds)
    return _excused(problem, _caught(problem, plan)), plan


def _priced(problem: pickup.Problem, route: pickup.Route) -> pickup.Route:
    stops = [problem.stop(stop_id) for stop_id in route.stop_ids]
    cost_minor = cost_minor_of(problem.vehicle(route.vehicle_id), stops, route, 0, 0)
    return route if cost_minor == route.cost_minor else replace(route, cost_minor=cost_minor)


def _caught(problem: pickup.Problem, plan: pickup.Plan) -> dict[str, str]:
    """Visits that lie in closed hours: each stop's vehicle."""
    if not problem.restrictions:
        return {}
    closed: dict[tuple[str | None, str], list[tuple[int, int]]] = {}
    for one in problem.restrictions:
        for name in one.vehicle_classes:
            closed.setdefault((one.area, name), []).extend(one.windows)
    found = {}
    for route in plan.routes:
        name = problem.vehicle(route.vehicle_id).vehicle_class
        for visit in route.visits:
            hours: Sequence[tuple[int, int]] = closed.get((problem.stop(visit.stop_id).area, name), ())
            if any(first <= visit.start_s <= last for first, last in hours):
                found[visit.stop_id] = route.vehicle_id
    return found


def _excused(problem: pickup.Problem, caught: Mapping[str, str]) -> pickup.Problem:
    """The problem with stops that are not closed to their vehicles.

    The planner knows classes of vehicles and no exceptions. So a vehicle with an exception is a class of its
    own, its stops lie in an area of their own, and what is closed there is closed to all classes but it.
    """
    if not caught:
        return problem
    own = {vehicle_id: _own_class(problem.vehicle(vehicle_id)) for vehicle_id in set(caught.values())}
    stops = tuple(
        replace(stop, area=f"{stop.area}{_APART}{caught[stop.stop_id]}") if stop.stop_id in caught else stop
        for stop in problem.stops
    )
    vehicles = tuple(
        replace(vehicle, vehicle_class=own[vehicle.vehicle_id]) if vehicle.vehicle_id in own else vehicle
        for vehicle in problem.vehicles
    )
    restrictions = []
    for one in problem.restrictions:
        meant = {
            vehicle_id: name
            for vehicle_id, name in own.items()
            if problem.vehicle(vehicle_id).vehicle_class in one.vehicle_classes
        }
        classes = one.vehicle_classes.union(meant.values())
        restrictions.append(replace(one, vehicle_classes=classes))
        restrictions += [
            replace(one, area=f"{one.area}{_APART}{vehicle_id}", vehicle_classes=classes - {name})
            for vehicle_id, name in own.items()
        ]
    return replace(problem, stops=stops, vehicles=vehicles, restrictions=tuple(restrictions))


def _own_class(vehicle: pickup.Vehicle) -> str:
    return f"{vehicle.vehicle_class}{_APART}{vehicle.vehicle_id}"
