"""The cheapest way by which a parcel keeps a promise."""

from collections.abc import Mapping
from datetime import datetime

from routing.network.errors import InvalidNetworkError, NoRoute, NoRouteReason
from routing.network.labels import Labels
from routing.network.network import Network, Run
from routing.network.paths import Itinerary, assemble, itinerary, no_room, seconds_of
from routing.network.transfer import HORIZON_S


def cheapest(
    network: Network,
    origin_id: int,
    destination_id: int,
    ready_at: datetime,
    *,
    arrive_by: datetime,
    weight_g: int,
    closed_facilities: frozenset[int] = frozenset(),
    closed_lanes: frozenset[int] = frozenset(),
    loads_g: Mapping[Run, int] | None = None,
) -> Itinerary:
    """The way of least cost by which a parcel arrives in time; of equal ones, the one that arrives first.

    What a lane costs the parcel is `Lane.cost_minor`: its share of a full departure, and its kilograms.

    Args:
        network: where to search.
        origin_id: facility where the parcel lies.
        destination_id: facility it goes to.
        ready_at: when it lies there, aware.
        arrive_by: it must have arrived at its destination by then, before it is handled there; aware.
        weight_g: grams.
        closed_facilities: ids of facilities no parcel may pass, start or end at.
        closed_lanes: ids of lanes that are not run.
        loads_g: what departures carry already, grams. One that has no room for the parcel is skipped, and the
            next one taken.

    Raises:
        NoRoute: the parcel cannot arrive in time; `reason` is `TOO_LATE` when there is a way but a later one,
            `FULL` when there would be one in time if every departure had room.
        UnknownFacilityError: an id is not in the network.
        InvalidNetworkError: a moment has no offset, a weight is negative, or a lane is unknown.
    """
    if arrive_by.utcoffset() is None:
        raise InvalidNetworkError(f"arrive_by {arrive_by.isoformat()} has no offset from UTC")
    first = itinerary(
        network,
        origin_id,
        destination_id,
        ready_at,
        weight_g=weight_g,
        closed_facilities=closed_facilities,
        closed_lanes=closed_lanes,
    )
    if first.arrival_at > arrive_by:
        way = f"{network.facility(origin_id).code} to {network.facility(destination_id).code}"
        raise NoRoute(
            NoRouteReason.TOO_LATE, f"from {way} it arrives at {first.arrival_at.isoformat()}, not before"
        )
    if not first.legs:
        return first
    labels = Labels(
        network.layout,
        network.position(destination_id),
        network.unusable(weight_g, closed_facilities, closed_lanes),
        network.full_for(weight_g, loads_g) if loads_g else {},
        network.costs_of(weight_g),
    )
    ready = seconds_of(ready_at)
    # Arrivals are whole seconds, so the second that contains the deadline is as good as the deadline.
    latest = min(seconds_of(arrive_by.replace(microsecond=0)), ready + HORIZON_S)
    origin = network.position(origin_id)
    hops = labels.search(origin, ready, network.layout.handled(origin, ready), latest, least_cost=True)
    if hops is None:
        raise no_room(network, origin_id, destination_id)
    return assemble(network, hops, ready_at, weight_g)
