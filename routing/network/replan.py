"""New ways for parcels whose planned way leads over something that has closed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from routing.network.bulk import Query, itineraries
from routing.network.errors import InvalidNetworkError, NoRoute
from routing.network.network import Network
from routing.network.paths import Itinerary, seconds_of
from routing.network.transfer import HORIZON_S

_HORIZON = timedelta(seconds=HORIZON_S)


@dataclass(frozen=True, slots=True)
class Closure:
    """What is closed: facilities no parcel may pass, and lanes that are not run."""

    facility_ids: frozenset[int] = frozenset()
    lane_ids: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class PlannedHop:
    """A leg of a plan; the lane may be one that is no longer in the network."""

    lane_id: int | None
    from_facility_id: int
    to_facility_id: int
    arrival_at: datetime


@dataclass(frozen=True, slots=True)
class Underway:
    """A parcel that has a plan.

    Attributes:
        legs: of its plan, in order, those behind it included.
        destination_id: the facility it goes to.
        weight_g: grams.
        place_id: the facility where it lies or will lie, or that it has left.
        since: from when it lies there, or when it left; aware.
        departed: whether it has left.
        handled: whether it has been sorted there, so that it could depart at once.
    """

    legs: tuple[PlannedHop, ...]
    destination_id: int
    weight_g: int
    place_id: int
    since: datetime
    departed: bool = False
    handled: bool = False


@dataclass(frozen=True, slots=True)
class Replanned:
    """What becomes of a parcel whose way is closed.

    Attributes:
        kept: so many of its legs, from the first on, stay: those behind it and the one it is on.
        way: from where these end, or why there is none.
    """

    kept: int
    way: Itinerary | NoRoute


def replan(
    network: Network,
    parcels: Iterable[Underway],
    closure: Closure | None,
    *,
    now: datetime,
    reopened: bool = False,
) -> list[Replanned | None]:
    """Plan parcels anew, each from where it is, if what is ahead of it on its way is closed.

    A parcel on a vehicle is planned from where that is going to, from its planned arrival on; one that is off
    its plan from where it lies, with none of its legs kept. Parcels that lie together and travel together are
    searched once (`bulk.itineraries`).

    Args:
        network: as it is run now; lanes that are closed may be in it or not.
        parcels: on their way or waiting for it.
        closure: what is closed; None to plan every parcel anew (but one on a vehicle off its plan).
        now: aware; nothing departs before.
        reopened: it was closed and may be used again; what has it ahead is planned anew all the same.

    Returns:
        For each parcel None where its plan stands, or what becomes of it.

    Raises:
        UnknownFacilityError: a parcel lies or goes to where no facility of the network is.
        InvalidNetworkError: a moment has no offset, or a weight is negative.
    """
    if now.utcoffset() is None:
        raise InvalidNetworkError(f"now {now.isoformat()} has no offset from UTC")
    waiting = list(parcels)
    asked: list[tuple[int, int]] = []
    questions: list[Query] = []
    for number, parcel in enumerate(waiting):
        position = _position(parcel)
        if not _is_hit(parcel, position, closure):
            continue
        kept, query = _question(network, parcel, position, now)
        asked.append((number, kept))
        questions.append(query)
    avoided = Closure() if reopened or closure is None else closure
    answers = itineraries(
        network,
        questions,
        closed_facilities=avoided.facility_ids,
        closed_lanes=frozenset(lane_id for lane_id in avoided.lane_ids if network.has_lane(lane_id)),
    )
    found: list[Replanned | None] = [None] * len(waiting)
    for (number, kept), way in zip(asked, answers, strict=True):
        found[number] = Replanned(kept, way)
    return found


def reroute(network: Network, parcel: Underway, *, now: datetime) -> Replanned:
    """Plan one parcel anew from where it is, since it goes elsewhere now; where from is as for `replan`.

    Args:
        network: as it is run now.
        parcel: with its new destination, and the legs of its plan to the old one.
        now: aware; nothing departs before.

    Raises:
        UnknownFacilityError: the parcel lies or goes to where no facility of the network is.
        InvalidNetworkError: a moment has no offset, or a weight is negative.
    """
    if now.utcoffset() is None:
        raise InvalidNetworkError(f"now {now.isoformat()} has no offset from UTC")
    kept, query = _question(network, parcel, _position(parcel), now)
    (way,) = itineraries(network, [query])
    return Replanned(kept, way)


def _position(parcel: Underway) -> int | None:
    """Index of the leg that the parcel takes next or is on; None when it is off its plan."""
    for index, leg in enumerate(parcel.legs):
        if leg.from_facility_id == parcel.place_id:
            return index
    if parcel.legs and parcel.legs[-1].to_facility_id == parcel.place_id:
        return len(parcel.legs)
    return None


def _is_hit(parcel: Underway, position: int | None, closure: Closure | None) -> bool:
    if position is None and parcel.departed:
        return False  # where a vehicle takes it that it should not be on, nobody knows before its next scan
    if closure is None:
        return True
    if position is None:
        return _uses(parcel.legs, closure)
    ahead = parcel.legs[position:]
    if not parcel.departed:
        return _uses(ahead, closure)
    return any(leg.to_facility_id in closure.facility_ids for leg in ahead[:1]) or _uses(ahead[1:], closure)


def _uses(legs: Sequence[PlannedHop], closure: Closure) -> bool:
    return any(
        leg.lane_id in closure.lane_ids
        or leg.from_facility_id in closure.facility_ids
        or leg.to_facility_id in closure.facility_ids
        for leg in legs
    )


def _question(network: Network, parcel: Underway, position: int | None, now: datetime) -> tuple[int, Query]:
    """How many legs stay, and from where and when the parcel is to be planned."""
    if parcel.departed and position is not None:
        leg = parcel.legs[position]
        ready_at = max(leg.arrival_at, now)
        return position + 1, Query(leg.to_facility_id, parcel.destination_id, ready_at, parcel.weight_g)
    # How long it has been there counts no more; it may be longer ago than any horizon.
    lying = now - timedelta(seconds=network.facility(parcel.place_id).sort_s)
    ready_at = lying if parcel.handled else max(parcel.since, lying)
    handled_at = now if parcel.handled else max(now, _sorted_at(network, parcel, now))
    return position or 0, Query(
        parcel.place_id, parcel.destination_id, ready_at, parcel.weight_g, handled_at=handled_at
    )


def _sorted_at(network: Network, parcel: Underway, now: datetime) -> datetime:
    """When a parcel has been sorted where it lies; what lies long enough has been."""
    if parcel.since + _HORIZON <= now:
        return now
    done = network.layout.handled(network.position(parcel.place_id), seconds_of(parcel.since))
    return datetime.fromtimestamp(min(done, seconds_of(now) + HORIZON_S), UTC)
