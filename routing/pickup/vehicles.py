"""Vehicles: couriers with their shift, breaks, capacity, skills and costs."""

from dataclasses import dataclass
from math import isfinite

from routing.pickup.matrix import Point
from routing.pickup.stops import Stop
from routing.pickup.values import (
    AMOUNT_MAX,
    COST_MAX,
    HORIZON_S,
    MEASURES,
    Load,
    Windows,
    check_limit,
    check_point,
    check_range,
    check_unique,
    check_windows,
    require,
)

BREAKS_MAX = 8
"""More breaks in one shift than any labour law asks for."""
RELOADS_MAX = 20
"""More often nobody comes back to an outlet in one shift."""


@dataclass(frozen=True, slots=True)
class Break:
    """A rest which the courier takes on his round.

    It is taken between two stops, at a door or by the roadside: the way to the next stop may be driven partly
    before and partly after it. It never interrupts service.

    Attributes:
        break_id: unique on the vehicle.
        windows: when the break may start; never empty.
        duration_s: its length.
        paid: an unpaid break does not count into the hours that `cost_per_hour` pays.
    """

    break_id: str
    windows: Windows
    duration_s: int
    paid: bool = True

    def __post_init__(self) -> None:
        subject = f"break {self.break_id!r}"
        require(bool(self.break_id), "a break has an empty break_id")
        require(bool(self.windows), f"{subject}: a break needs a window")
        check_windows(subject, self.windows)
        check_range(subject, "duration_s", self.duration_s, HORIZON_S)


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A courier with a vehicle, for one shift and one round.

    Attributes:
        vehicle_id: unique in the problem.
        start, end: places where the round starts and ends; end None: it ends at the last stop (open route);
            start None: it starts at the first stop.
        shift: (start, end). The round may start later and end earlier; only the time between is paid.
        capacity_g, capacity_cm3, capacity_pieces: what may be aboard at any moment.
        skills: what this courier or vehicle can do.
        speed_factor: 1.25 drives a quarter faster than the travel model says. Service times stay.
        cost_fixed: minor units, paid once if the vehicle serves any stop.
        cost_per_hour: minor units for an hour between the start and the end of the round.
        cost_per_km: minor units for 1,000 metres.
        stops_max, distance_m_max, duration_s_max: limits of the round, the last one of all its time from
            start to end; None: none.
        breaks: taken in this order, each once, between the start and the end of the round, if the vehicle
            is used at all.
        duration_s_soft_max: a longer round costs more: each courier's fair share of the day's work, where
            rounds are to be even; None: no length does.
        cost_per_hour_after_soft_max: minor units for an hour beyond it, on top of the other costs.
        overtime_s_max: so much later than the shift's end the round may end.
        overtime_cost_per_hour: minor units for an hour after the shift's end, on top of the other costs.
        cost_per_stop: minor units for each stop.
        territory: districts in which the courier is at home (`Stop.district`); empty: all.
        cost_per_strange_stop: minor units for each stop outside of them.
        cost_per_driving_hour: minor units for an hour on the road (the travel model's time at the vehicle's
            speed, without waiting and before traffic).
        cost_per_service_hour: minor units for an hour of service and setup.
        driving_s_max: limit of the time on the road, counted likewise; None: none.
        more_capacity: capacity in the problem's further measures.
        vehicle_class: what entry restrictions speak of, for example "diesel van".
        profile: name of its travel model in `Problem.profiles`; None: the problem's `travel`.
        reload_at: outlets to which it may return between two stops, to hand over what it has collected and
            to load what the stops up to the next reload are brought. Both stops of a pair lie between the
            same reloads. A reload is no stop: neither `stops_max` nor the costs of stops and service count
            it.
        reload_s: length of a reload; no break is taken in it.
        reloads_max: how often on a round.
    """

    vehicle_id: str
    start: Point | None
    end: Point | None
    shift: tuple[int, int]
    capacity_g: int
    capacity_cm3: int
    capacity_pieces: int
    skills: frozenset[str] = frozenset()
    speed_factor: float = 1.0
    cost_fixed: int = 0
    cost_per_hour: int = 0
    cost_per_km: int = 0
    stops_max: int | None = None
    distance_m_max: int | None = None
    breaks: tuple[Break, ...] = ()
    overtime_s_max: int = 0
    overtime_cost_per_hour: int = 0
    cost_per_stop: int = 0
    cost_per_driving_hour: int = 0
    cost_per_service_hour: int = 0
    driving_s_max: int | None = None
    more_capacity: Load = ()
    vehicle_class: str = ""
    profile: str | None = None
    duration_s_max: int | None = None
    reload_at: tuple[Point, ...] = ()
    reload_s: int = 0
    reloads_max: int = 0
    territory: frozenset[str] = frozenset()
    cost_per_strange_stop: int = 0
    duration_s_soft_max: int | None = None
    cost_per_hour_after_soft_max: int = 0

    def __post_init__(self) -> None:
        subject = f"vehicle {self.vehicle_id!r}"
        require(bool(self.vehicle_id), "a vehicle has an empty vehicle_id")
        require(
            self.start is not None or self.end is not None, f"{subject}: it needs a start, an end, or both"
        )
        for place in (self.start, self.end, *self.reload_at):
            if place is not None:
                check_point(subject, place)
        check_range(subject, "reload_s", self.reload_s, HORIZON_S)
        check_range(subject, "reloads_max", self.reloads_max, RELOADS_MAX)
        require(
            bool(self.reload_at) or not self.reloads_max,
            f"{subject}: reloads_max needs an outlet in reload_at",
        )
        check_range(subject, "the shift's end", self.shift[1], HORIZON_S)
        require(0 <= self.shift[0] <= self.shift[1], f"{subject}: shift {self.shift} ends before it starts")
        for name, amount in zip(MEASURES, self.capacity, strict=False):
            check_range(subject, f"capacity in {name}", amount, AMOUNT_MAX)
        for amount in self.more_capacity:
            check_range(subject, "a capacity", amount, AMOUNT_MAX)
        require(
            isfinite(self.speed_factor) and 0.01 <= self.speed_factor <= 100,
            f"{subject}: speed_factor must be between 0.01 and 100, not {self.speed_factor}",
        )
        for name in _COSTS:
            check_range(subject, name, getattr(self, name), COST_MAX)
        check_range(subject, "overtime_s_max", self.overtime_s_max, HORIZON_S)
        for name in ("stops_max", "distance_m_max", "driving_s_max", "duration_s_max", "duration_s_soft_max"):
            check_limit(subject, name, getattr(self, name))
        require(len(self.breaks) <= BREAKS_MAX, f"{subject}: more than {BREAKS_MAX} breaks")
        check_unique(f"{subject}: break", (rest.break_id for rest in self.breaks))

    @property
    def capacity(self) -> Load:
        """Capacity in weight, volume, pieces, and the further measures."""
        return (self.capacity_g, self.capacity_cm3, self.capacity_pieces, *self.more_capacity)

    @property
    def latest_end_s(self) -> int:
        """The end of the shift with all overtime."""
        return min(self.shift[1] + self.overtime_s_max, HORIZON_S)

    @property
    def reloads(self) -> bool:
        """Tell whether it may return to an outlet on its round."""
        return bool(self.reloads_max and self.reload_at)

    @property
    def prefers_short(self) -> bool:
        """Tell whether long rounds cost more."""
        return self.duration_s_soft_max is not None and self.cost_per_hour_after_soft_max > 0

    def knows(self, stop: Stop) -> bool:
        """Tell whether the stop lies where the courier is at home."""
        return not self.territory or stop.district is None or stop.district in self.territory

    def may_serve(self, stop: Stop) -> bool:
        """Tell whether skills, the list of allowed vehicles and the lock let this vehicle serve the stop."""
        return (
            stop.skills <= self.skills
            and (stop.allowed_vehicles is None or self.vehicle_id in stop.allowed_vehicles)
            and stop.locked_to in (None, self.vehicle_id)
        )


_COSTS = (
    "cost_fixed",
    "cost_per_hour",
    "cost_per_km",
    "overtime_cost_per_hour",
    "cost_per_hour_after_soft_max",
    "cost_per_stop",
    "cost_per_strange_stop",
    "cost_per_driving_hour",
    "cost_per_service_hour",
)
