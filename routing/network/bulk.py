"""Itineraries of many parcels at once: what lies together and travels together is searched once."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from routing.network.errors import NoRoute, NoRouteReason
from routing.network.network import Network
from routing.network.paths import Itinerary, check_parcel, itinerary, seconds_of
from routing.network.transfer import HORIZON_DAYS

_HORIZON = timedelta(days=HORIZON_DAYS)


@dataclass(frozen=True, slots=True)
class Query:
    """A parcel to be routed; meaning and units as the arguments of `paths.itinerary`."""

    origin_id: int
    destination_id: int
    ready_at: datetime
    weight_g: int
    handled_at: datetime | None = None


def itineraries(
    network: Network,
    queries: Iterable[Query],
    *,
    closed_facilities: frozenset[int] = frozenset(),
    closed_lanes: frozenset[int] = frozenset(),
) -> list[Itinerary | NoRoute]:
    """The way by which each parcel arrives first, as `itinerary` finds it, in the order of the queries.

    Parcels of one weight between the same two facilities that wait for the same departure of the first
    have the same legs, and are searched once.

    Returns:
        For each query its itinerary, or the error that `itinerary` raises for it.

    Raises:
        UnknownFacilityError: an id is not in the network.
        InvalidNetworkError: a `ready_at` has no offset, a weight is negative, or a closed lane is unknown.
    """
    known: dict[tuple[int, int, int, tuple[int, int] | None], Itinerary | NoRoute] = {}
    answers: list[Itinerary | NoRoute] = []
    for query in queries:
        check_parcel(query.ready_at, query.weight_g)
        origin, ready = network.position(query.origin_id), seconds_of(query.ready_at)
        handled = (
            network.layout.handled(origin, ready)
            if query.handled_at is None
            else seconds_of(query.handled_at)
        )
        wave = network.layout.wave(origin, ready, handled)
        key = query.origin_id, query.destination_id, query.weight_g, wave
        answer = known.get(key)
        if isinstance(answer, Itinerary) and answer.arrival_at <= query.ready_at + _HORIZON:
            answers.append(replace(answer, ready_at=query.ready_at) if answer.legs else _stays(query))
            continue
        # Whether departures are too far away depends on the moment, other reasons do not.
        if isinstance(answer, NoRoute) and answer.reason is not NoRouteReason.NO_DEPARTURE:
            answers.append(answer)
            continue
        try:
            answer = itinerary(
                network,
                query.origin_id,
                query.destination_id,
                query.ready_at,
                weight_g=query.weight_g,
                handled_at=query.handled_at,
                closed_facilities=closed_facilities,
                closed_lanes=closed_lanes,
            )
        except NoRoute as error:
            answer = error
        known[key] = answer
        answers.append(answer)
    return answers


def _stays(query: Query) -> Itinerary:
    """The itinerary of a parcel that lies where it is going."""
    return Itinerary((), query.ready_at, query.ready_at, 0, 0, 0)
