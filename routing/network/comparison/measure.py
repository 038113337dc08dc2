"""What a day's demand costs and how long it takes on a topology: every line by departures and vehicles."""

from dataclasses import dataclass, field

import numpy as np

from routing.network.comparison.demand import Floats, Flows, Ints, Places
from routing.network.comparison.operation import DAY_S, Leg, Operation
from routing.network.comparison.shapes import Shape
from routing.network.queueing import Queue, queue


@dataclass(frozen=True, slots=True)
class HubLoad:
    """Parcels that a hub sorts on a day; the hub is meant by its position among the places."""

    hub: int
    parcels: int


@dataclass(frozen=True, slots=True)
class HubQueue:
    """How a hub gets along with what comes to it, if it has a capacity; meant by its position."""

    hub: int
    queue: Queue


@dataclass(frozen=True, slots=True)
class Measured:
    """How a day's demand fares on a topology.

    Attributes:
        lines: directed pairs of places that are joined, used or not.
        lines_used: those on which something is carried.
        departures: dated departures that carry something.
        vehicles: what drives on them, several where a load is too large for one.
        vehicle_m: metres they drive.
        handlings_per_parcel: mean number of sortings, at the origin and at each transfer.
        transit_s_mean, transit_s_p90: seconds from ready to arrival, over parcels; p90 by nearest rank.
        cost_minor: of all departures together.
        cost_per_parcel_minor: the same over all parcels that travel, rounded up.
        hub_loads: of every hub, in their order.
        hub_queues: of every hub, where the operation says what one can sort. Transit times do not hold what a
            queue costs.
    """

    name: str
    lines: int
    lines_used: int
    departures: int
    vehicles: int
    vehicle_m: int
    handlings_per_parcel: float
    transit_s_mean: int
    transit_s_p90: int
    cost_minor: int
    cost_per_parcel_minor: int
    hub_loads: tuple[HubLoad, ...]
    hub_queues: tuple[HubQueue, ...] = ()

    @property
    def overloaded(self) -> tuple[int, ...]:
        """Positions of the hubs to which more comes than they can sort."""
        return tuple(one.hub for one in self.hub_queues if one.queue.overloaded)

    @property
    def longest_queue_s(self) -> int | None:
        """The longest wait at any hub that is not overloaded; None where there is none."""
        return max(
            (one.queue.longest_s for one in self.hub_queues if one.queue.longest_s is not None), default=None
        )


@dataclass(slots=True)
class Totals:
    """Sums over the lines of a topology, and what comes to its hubs.

    Attributes:
        at_hubs: hub, moment of arrival and parcels of flows, in parts.
    """

    lines_used: int = 0
    departures: int = 0
    vehicles: int = 0
    vehicle_m: int = 0
    cost_minor: int = 0
    at_hubs: list[tuple[Ints, Ints, Ints]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """How the flows fare that take one part of their way together.

    Attributes:
        arrival_s: (m,), when each flow arrives.
        cost_per_g: (m,), what a gram on its departure costs, in minor units.
    """

    arrival_s: Ints
    cost_per_g: Floats


def measure(places: Places, flows: Flows, shape: Shape, operation: Operation) -> Measured:
    """Run a day's demand over a topology.

    Parcels are ready at one moment of the day. A departure runs only where it carries something.
    """
    totals = Totals()
    arrival_s, handlings, _ = ride(places, flows, shape, operation, totals)
    transit_s = arrival_s - operation.ready_minute * 60
    parcels = flows.total_parcels
    return Measured(
        name=shape.name,
        lines=shape.lines,
        lines_used=totals.lines_used,
        departures=totals.departures,
        vehicles=totals.vehicles,
        vehicle_m=totals.vehicle_m,
        handlings_per_parcel=float((handlings * flows.parcels).sum() / parcels),
        transit_s_mean=int((transit_s * flows.parcels).sum()) // parcels,
        transit_s_p90=nearest_rank(transit_s, flows.parcels, 90),
        cost_minor=totals.cost_minor,
        cost_per_parcel_minor=-(-totals.cost_minor // parcels),
        hub_loads=hub_loads(flows, shape),
        hub_queues=_hub_queues(shape, operation, totals),
    )


def hub_loads(flows: Flows, shape: Shape) -> tuple[HubLoad, ...]:
    """Parcels of a day at each hub: those that start at it, pass it or end at it over the hubs' lines."""
    loads = np.zeros(len(shape.allocation), dtype=np.int64)
    over_hubs = ~shape.direct
    first, last = shape.first[over_hubs], shape.last[over_hubs]
    np.add.at(loads, first, flows.parcels[over_hubs])
    second = last != first
    np.add.at(loads, last[second], flows.parcels[over_hubs][second])
    return tuple(HubLoad(hub, int(loads[hub])) for hub in shape.hubs)


def _hub_queues(shape: Shape, operation: Operation, totals: Totals) -> tuple[HubQueue, ...]:
    if operation.hub_per_hour is None or not totals.at_hubs:
        return ()
    hubs, moments, parcels = (np.concatenate(column) for column in zip(*totals.at_hubs, strict=True))
    found = []
    for hub in shape.hubs:
        here = hubs == hub
        waits = queue(moments[here], parcels[here], per_hour=operation.hub_per_hour, period_s=DAY_S)
        found.append(HubQueue(hub, waits))
    return tuple(found)


def ride(
    places: Places, flows: Flows, shape: Shape, operation: Operation, totals: Totals
) -> tuple[Ints, Ints, Floats]:
    """Carry all flows to their destinations.

    Returns:
        (m,) arrival in seconds since the midnight before, (m,) handlings, and (m,) cost a gram.
    """
    now_s = np.full(flows.origin.shape, operation.ready_minute * 60)
    handlings = np.zeros_like(now_s)
    cost_per_g = np.zeros(now_s.shape)
    over_hubs = ~shape.direct
    parts = (
        (Leg.DIRECT, shape.direct, flows.origin, flows.destination),
        (Leg.COLLECTION, over_hubs & (flows.origin != shape.first), flows.origin, shape.first),
        (Leg.TRANSFER, over_hubs & (shape.first != shape.last), shape.first, shape.last),
        (Leg.DISTRIBUTION, over_hubs & (shape.last != flows.destination), shape.last, flows.destination),
    )
    is_hub = np.zeros(places.size, dtype=bool)
    is_hub[list(shape.hubs)] = True
    for leg, carried, start, end in parts:
        if leg is Leg.TRANSFER:
            # Sorted at its first hub, wherever it came from and wherever it goes.
            totals.at_hubs.append((shape.first[over_hubs], now_s[over_hubs], flows.parcels[over_hubs]))
        which = np.flatnonzero(carried)
        if not which.size:
            continue
        sort_s = np.where(is_hub[start[which]], operation.hub_sort_s, operation.place_sort_s)
        departure_s = operation.departures(leg, now_s[which] + sort_s)
        run = _run(places, operation, leg, start[which], end[which], departure_s, flows.grams[which], totals)
        now_s[which] = run.arrival_s
        cost_per_g[which] += run.cost_per_g
        handlings[which] += 1
        if leg is Leg.TRANSFER:
            totals.at_hubs.append((end[which], now_s[which], flows.parcels[which]))
    return now_s, handlings, cost_per_g


def _run(
    places: Places,
    operation: Operation,
    leg: Leg,
    start: Ints,
    end: Ints,
    departure_s: Ints,
    grams: Ints,
    totals: Totals,
) -> Run:
    """Load what goes the same way at the same time onto the same departure."""
    line = start * places.size + end
    moments, moment = np.unique(departure_s, return_inverse=True)
    keys, row = np.unique(line * moments.size + moment, return_inverse=True)
    lines = keys // moments.size
    load_g = np.zeros(keys.size, dtype=np.int64)
    np.add.at(load_g, row, grams)
    length_m = places.distance_m(lines // places.size, lines % places.size)
    count, metres, seconds, cost = operation.runs(leg, length_m, load_g)
    totals.lines_used += int(np.unique(lines).size)
    totals.departures += int(keys.size)
    totals.vehicles += int(count.sum())
    totals.vehicle_m += int((count * metres).sum())
    totals.cost_minor += int(cost.sum())
    return Run(departure_s + seconds[row], (cost / np.maximum(load_g, 1))[row])


def nearest_rank(values: Ints, weights: Ints, percent: int) -> int:
    """Smallest value such that at least `percent` of the weight is not above it."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    needed = -(-int(reached[-1]) * percent // 100)
    return int(values[order][np.searchsorted(reached, needed)])
