"""The itinerary of a parcel: legs with planned times, distance and cost, and its alternatives."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import networkx as nx

from routing.network.errors import InvalidNetworkError, NoRoute, NoRouteReason
from routing.network.labels import Labels
from routing.network.network import Network, Run
from routing.network.search import search
from routing.network.terms import DIRECT_TERMS, SYNTHESISED_LANE_ID, LaneTerms, synthesise
from routing.network.timetable import Lane, Mode, trips
from routing.network.transfer import HORIZON_DAYS, HORIZON_S, Hop

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DIRECT_LOAD_G = 20_000
"""What a point-to-point departure carries unless told otherwise: a million parcels a day of 1.5 kg, spread
over the 109,892 lines between 332 cities, are 14 kg a line."""


@dataclass(frozen=True, slots=True)
class PlannedLeg:
    """One trip of a parcel between two facilities; `sequence` counts from 1."""

    sequence: int
    lane_id: int
    from_facility_id: int
    to_facility_id: int
    mode: Mode
    carrier: str
    departure_at: datetime
    arrival_at: datetime
    distance_m: int
    cost_minor: int


@dataclass(frozen=True, slots=True)
class Itinerary:
    """The planned way of a parcel. No legs where origin and destination are the same facility.

    Attributes:
        ready_at: when the parcel was ready at its origin.
        arrival_at: when it arrives at its destination, before it is handled there.
        handlings: how often it is sorted on its way, at the origin and at each transfer.
    """

    legs: tuple[PlannedLeg, ...]
    ready_at: datetime
    arrival_at: datetime
    distance_m: int
    cost_minor: int
    handlings: int

    @property
    def transit_s(self) -> int:
        """Seconds from ready to arrival, rounded up."""
        return -((self.ready_at - self.arrival_at) // timedelta(seconds=1))


def itinerary(
    network: Network,
    origin_id: int,
    destination_id: int,
    ready_at: datetime,
    *,
    weight_g: int,
    handled_at: datetime | None = None,
    closed_facilities: frozenset[int] = frozenset(),
    closed_lanes: frozenset[int] = frozenset(),
    loads_g: Mapping[Run, int] | None = None,
) -> Itinerary:
    """The way by which a parcel arrives first.

    The parcel is handled (`sort_s`) at its origin and at every transfer before it can depart. Vehicles are
    taken to have room unless `loads_g` tells otherwise; a lane that could not carry the parcel even when
    empty is left out.

    Args:
        network: where to search.
        origin_id: facility where the parcel lies.
        destination_id: facility it goes to.
        ready_at: when it lies there, aware.
        weight_g: grams.
        handled_at: when it has been handled there, aware; worked out from `ready_at` where it is not given.
        closed_facilities: ids of facilities no parcel may pass, start or end at.
        closed_lanes: ids of lanes that are not run.
        loads_g: what departures carry already, grams. One that has no room for the parcel is skipped, and the
            next one taken.

    Raises:
        NoRoute: the parcel cannot arrive within `HORIZON_DAYS` days; `reason` says why.
        UnknownFacilityError: an id is not in the network.
        InvalidNetworkError: a moment has no offset, a weight is negative, or a lane is unknown.
    """
    check_parcel(ready_at, weight_g)
    origin, destination = network.position(origin_id), network.position(destination_id)
    for facility_id, reason in (
        (destination_id, NoRouteReason.DESTINATION_CLOSED),
        (origin_id, NoRouteReason.ORIGIN_CLOSED),
    ):
        if facility_id in closed_facilities:
            raise NoRoute(reason, f"facility {network.facility(facility_id).code} is closed")
    if origin == destination:
        return Itinerary((), ready_at, ready_at, 0, 0, 0)
    closed = network.unusable(weight_g, closed_facilities, closed_lanes)
    ready = seconds_of(ready_at)
    handled = network.layout.handled(origin, ready) if handled_at is None else seconds_of(handled_at)
    hops = search(network.layout, origin, destination, ready, handled, closed)
    if hops is None:
        raise _no_route(network, origin_id, destination_id, ready_at, weight_g, closed)
    full = network.full_for(weight_g, loads_g) if loads_g else {}
    if any(departure in full.get(lane, ()) for lane, departure, _ in hops):
        labels = Labels(network.layout, destination, closed, full, network.costs_of(weight_g))
        hops = labels.search(origin, ready, handled, ready + HORIZON_S, least_cost=False)
        if hops is None:
            raise no_room(network, origin_id, destination_id)
    return assemble(network, hops, ready_at, weight_g)


def no_room(network: Network, origin_id: int, destination_id: int) -> NoRoute:
    """The error for a parcel that every departure in question is too full for."""
    way = f"{network.facility(origin_id).code} to {network.facility(destination_id).code}"
    return NoRoute(NoRouteReason.FULL, f"the departures from {way} have no room")


def alternatives(
    network: Network,
    origin_id: int,
    destination_id: int,
    ready_at: datetime,
    *,
    weight_g: int,
    count: int = 3,
    closed_facilities: frozenset[int] = frozenset(),
    closed_lanes: frozenset[int] = frozenset(),
) -> tuple[Itinerary, ...]:
    """Up to `count` different ways, the first to arrive first: the best one, and what is left of it when
    its first departure is missed, or one of its transfers or lanes is closed.

    Args and errors as for `itinerary`; that the best way has no alternative is no error.
    """
    best = itinerary(
        network,
        origin_id,
        destination_id,
        ready_at,
        weight_g=weight_g,
        closed_facilities=closed_facilities,
        closed_lanes=closed_lanes,
    )
    questions: list[tuple[datetime | None, frozenset[int], frozenset[int]]] = [
        (None, closed_facilities, closed_lanes | {leg.lane_id}) for leg in best.legs
    ]
    questions += [(None, closed_facilities | {leg.to_facility_id}, closed_lanes) for leg in best.legs[:-1]]
    if best.legs:
        missed = best.legs[0].departure_at + timedelta(seconds=1)
        questions.append((missed, closed_facilities, closed_lanes))
    found = {best.legs: best}
    for handled_at, facilities, lanes in questions:
        # No other way round a closure is an answer here, not an error: there is one alternative less.
        with suppress(NoRoute):
            other = itinerary(
                network,
                origin_id,
                destination_id,
                ready_at,
                weight_g=weight_g,
                handled_at=handled_at,
                closed_facilities=facilities,
                closed_lanes=lanes,
            )
            found.setdefault(other.legs, other)
    ways = sorted(found.values(), key=lambda way: (way.arrival_at, way.cost_minor, way.handlings))
    return tuple(ways[:count])


def direct_itinerary(
    network: Network,
    origin_id: int,
    destination_id: int,
    ready_at: datetime,
    *,
    weight_g: int,
    menu: Sequence[LaneTerms] = DIRECT_TERMS,
    load_g: int = DIRECT_LOAD_G,
) -> Itinerary:
    """The way of the same parcel if every two facilities had a line of their own.

    Args:
        network: whose facilities are meant; its lanes play no part.
        origin_id: facility where the parcel lies.
        destination_id: facility it goes to.
        ready_at: when it lies there, aware.
        weight_g: grams.
        menu: terms of the point-to-point lines, by distance.
        load_g: what one departure on the line carries in all; the parcels on it share its cost.

    Raises:
        NoRoute: the parcel is heavier than the vehicle of the line, or its origin does not open in time.
        UnknownFacilityError: an id is not in the network.
        InvalidNetworkError: `ready_at` has no offset or the weight is negative.
    """
    check_parcel(ready_at, weight_g)
    origin, destination = network.facility(origin_id), network.facility(destination_id)
    if origin_id == destination_id:
        return Itinerary((), ready_at, ready_at, 0, 0, 0)
    lane = synthesise(SYNTHESISED_LANE_ID, origin, destination, menu)
    if lane.capacity_g is not None and lane.capacity_g < weight_g:
        raise NoRoute(NoRouteReason.TOO_HEAVY, f"{weight_g} g are more than {lane.capacity_g} g a vehicle")
    first_day = (ready_at - timedelta(days=1)).astimezone(UTC).date()
    dated = trips(lane.departures, first_day, HORIZON_DAYS)
    trip = dated.catch(network.layout.handled(network.position(origin_id), seconds_of(ready_at)))
    if trip is None:
        raise NoRoute(
            NoRouteReason.NO_DEPARTURE, f"facility {origin.code} does not open for {HORIZON_DAYS} days"
        )
    taken = [(lane, dated.departures[trip], dated.arrivals[trip])]
    return _itinerary(taken, ready_at, weight_g, load_g)


def check_parcel(ready_at: datetime, weight_g: int) -> None:
    """Refuse a moment without an offset and a negative weight, with `InvalidNetworkError`."""
    if ready_at.utcoffset() is None:
        raise InvalidNetworkError(f"ready_at {ready_at.isoformat()} has no offset from UTC")
    if weight_g < 0:
        raise InvalidNetworkError(f"weight_g {weight_g} is negative")


def seconds_of(moment: datetime) -> int:
    """Seconds since 1970-01-01 UTC, rounded up: a parcel is not ready before it is."""
    return -((_EPOCH - moment) // timedelta(seconds=1))


def assemble(network: Network, hops: Sequence[Hop], ready_at: datetime, weight_g: int) -> Itinerary:
    """The itinerary of a parcel that takes these trips of the network, at least one."""
    return _itinerary(
        [(network.lanes[lane], leaves, lands) for lane, leaves, lands in hops], ready_at, weight_g
    )


def _itinerary(
    taken: Sequence[tuple[Lane, int, int]], ready_at: datetime, weight_g: int, load_g: int | None = None
) -> Itinerary:
    legs = tuple(
        PlannedLeg(
            sequence=sequence,
            lane_id=lane.lane_id,
            from_facility_id=lane.from_facility_id,
            to_facility_id=lane.to_facility_id,
            mode=lane.mode,
            carrier=lane.carrier,
            departure_at=datetime.fromtimestamp(departure, UTC),
            arrival_at=datetime.fromtimestamp(arrival, UTC),
            distance_m=lane.distance_m,
            cost_minor=lane.cost_minor(weight_g, load_g),
        )
        for sequence, (lane, departure, arrival) in enumerate(taken, start=1)
    )
    return Itinerary(
        legs=legs,
        ready_at=ready_at,
        arrival_at=legs[-1].arrival_at,
        distance_m=sum(leg.distance_m for leg in legs),
        cost_minor=sum(leg.cost_minor for leg in legs),
        handlings=len(legs),
    )


def _no_route(
    network: Network,
    origin_id: int,
    destination_id: int,
    ready_at: datetime,
    weight_g: int,
    closed: frozenset[int],
) -> NoRoute:
    """Find out what stands in the way by asking again with less of it."""
    ends = network.position(origin_id), network.position(destination_id)
    ready = seconds_of(ready_at)
    moments = ready, network.layout.handled(ends[0], ready)
    way = f"{network.facility(origin_id).code} to {network.facility(destination_id).code}"
    if not nx.has_path(network.graph, origin_id, destination_id):
        return NoRoute(NoRouteReason.NOT_CONNECTED, f"no lanes lead from {way}")
    too_small = network.too_small_for(weight_g)
    if closed != too_small and search(network.layout, *ends, *moments, too_small) is not None:
        return NoRoute(NoRouteReason.CLOSURES, f"every way from {way} is closed")
    if too_small and search(network.layout, *ends, *moments, frozenset()) is not None:
        return NoRoute(NoRouteReason.TOO_HEAVY, f"{weight_g} g are too heavy for every way from {way}")
    return NoRoute(
        NoRouteReason.NO_DEPARTURE,
        f"no departures carry a parcel from {way} within {HORIZON_DAYS} days of {ready_at.isoformat()}",
    )
