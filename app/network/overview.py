"""What the network's own pages ask: the glance, the list, the lanes of a place, a route on two topologies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from app.actor import Actor
from app.errors import NotFoundError
from app.network import queries
from app.network.models import District, Facility, Lane, LaneDeparture
from app.pagination import Page, decode_cursor, page_of
from routing.network import FacilityKind, Network, NetworkError, Option, ParcelRow, compare_parcel

_CHOICES_MAX = 12


@dataclass(frozen=True, slots=True)
class Glance:
    """The network in figures."""

    facilities: int
    lanes: int
    closed_facilities: int
    closed_lanes: int


@dataclass(frozen=True, slots=True)
class FacilityFilter:
    """Which facilities a list shows; None shows all."""

    kind: FacilityKind | None = None
    province: str | None = None
    text: str | None = None
    closed: bool | None = None


@dataclass(frozen=True, slots=True)
class Trip:
    """One departure of a lane on a day."""

    departure_at: datetime
    arrival_at: datetime
    offset_minutes: int


@dataclass(frozen=True, slots=True)
class Topology:
    """A parcel on one topology: its itinerary, or why there is none."""

    name: str
    lines: int
    row: ParcelRow | None
    error: NetworkError | None


def glance(session: Session) -> Glance:
    """How many facilities and lanes there are, and how many of them are closed."""
    counts = [
        session.execute(sa.select(sa.func.count(table.id), sa.func.count(table.closed_at))).one()
        for table in (Facility, Lane)
    ]
    (facilities, closed_facilities), (lanes, closed_lanes) = counts
    return Glance(facilities, lanes, closed_facilities, closed_lanes)


def list_facilities(
    session: Session, wanted: FacilityFilter, cursor: str | None, limit: int
) -> Page[Facility]:
    """Facilities in the order of their codes."""
    statement = sa.select(Facility).options(joinedload(Facility.district), joinedload(Facility.party))
    if wanted.kind is not None:
        statement = statement.where(Facility.kind == wanted.kind)
    if wanted.province:
        statement = statement.join(District, District.adcode == Facility.district_adcode).where(
            District.province_name == wanted.province
        )
    if wanted.text:
        statement = statement.where(_named(wanted.text))
    if wanted.closed is not None:
        statement = statement.where(
            Facility.closed_at.is_not(None) if wanted.closed else Facility.closed_at.is_(None)
        )
    if cursor is not None:
        (last_code,) = decode_cursor(cursor, tuple[str])
        statement = statement.where(Facility.code > last_code)
    rows = session.scalars(statement.order_by(Facility.code).limit(limit + 1)).all()
    return page_of(rows, limit, lambda facility: (facility.code,))


def provinces(session: Session) -> Sequence[str]:
    """The provinces that have facilities."""
    return session.scalars(
        sa.select(District.province_name)
        .where(sa.exists().where(Facility.district_adcode == District.adcode))
        .group_by(District.province_name)
        .order_by(sa.func.min(District.adcode))
    ).all()


def lanes_of(session: Session, facility: Facility) -> tuple[Sequence[Lane], Sequence[Lane]]:
    """The lanes that lead out of a facility and those that lead into it, open ones first."""
    lanes = session.scalars(
        sa.select(Lane)
        .options(
            selectinload(Lane.departures),
            joinedload(Lane.carrier),
            joinedload(Lane.from_facility),
            joinedload(Lane.to_facility),
        )
        .where(sa.or_(Lane.from_facility_id == facility.id, Lane.to_facility_id == facility.id))
        .order_by(Lane.closed_at.is_not(None), Lane.code)
    ).all()
    out = [lane for lane in lanes if lane.from_facility_id == facility.id]
    return out, [lane for lane in lanes if lane.to_facility_id == facility.id]


def trips_on(lane: Lane, day: date) -> list[Trip]:
    """The departures of a lane on a local day, in order."""
    if any(holiday.day == day for holiday in lane.holidays):
        return []
    trips = [trip for departure in lane.departures if (trip := _trip(departure, day)) is not None]
    return sorted(trips, key=lambda trip: trip.departure_at)


def _trip(departure: LaneDeparture, day: date) -> Trip | None:
    if not departure.weekdays >> day.weekday() & 1:
        return None
    leaves = departure.local_departure(day)
    offset = leaves.utcoffset()
    assert offset is not None, "made in a time zone"
    return Trip(leaves, leaves + timedelta(seconds=departure.duration_s), offset // timedelta(minutes=1))


def local_day(now: datetime, offset_minutes: int) -> date:
    """The day that a place's calendar shows."""
    return now.astimezone(timezone(timedelta(minutes=offset_minutes))).date()


def places_named(session: Session, actor: Actor, text: str) -> Facility | list[Facility | District]:
    """What somebody means by a place: the one facility, or all that it may be, to choose from.

    A facility's code and a district's code mean that one; so does a name that only one of them has. A
    district stands for the outlet that serves it.

    Raises:
        InvalidInputError: No open outlet serves the one district that is meant.
    """
    wanted = text.strip()
    coded = session.scalar(sa.select(Facility).where(sa.func.lower(Facility.code) == wanted.lower()))
    if coded is not None:
        return queries.load_facility(session, actor, coded.id)
    if wanted.isdigit():
        try:
            return _serving(session, queries.district(session, wanted))
        except NotFoundError:
            return []
    facilities = session.scalars(
        sa.select(Facility).where(_named(wanted)).order_by(Facility.code).limit(_CHOICES_MAX)
    ).all()
    choices: list[Facility | District] = [
        *facilities,
        *queries.search_districts(session, wanted, _CHOICES_MAX),
    ]
    if len(choices) == 1:
        only = choices[0]
        return only if isinstance(only, Facility) else _serving(session, only)
    return choices


def _serving(session: Session, district: District) -> Facility:
    return queries.serving_outlet(
        session,
        district_adcode=district.adcode,
        latitude=district.latitude,
        longitude=district.longitude,
    )


def _named(text: str) -> sa.ColumnElement[bool]:
    return sa.or_(
        *(
            column.icontains(text, autoescape=True)
            for column in (Facility.code, Facility.name, Facility.name_en)
        )
    )


def compare(
    session: Session, origin: Facility, destination: Facility, ready_at: datetime, *, weight_g: int
) -> tuple[Topology, Topology]:
    """The same parcel over the hub network, and as if every two places of it had a line of their own."""
    network = queries.routing_network(session)
    ends = {end for lane in network.lanes for end in (lane.from_facility_id, lane.to_facility_id)}
    # Lockers and stores have no lanes in either topology; they would swell the count of lines.
    joined = Network(
        tuple(
            place for place in network.facilities if place.facility_id in ends | {origin.id, destination.id}
        ),
        (),
    )
    options = (Option("hub", network), Option("point_to_point", joined, direct=True))
    hub, direct = (_plan(option, origin, destination, ready_at, weight_g) for option in options)
    return hub, direct


def _plan(
    option: Option, origin: Facility, destination: Facility, ready_at: datetime, weight_g: int
) -> Topology:
    try:
        (row,) = compare_parcel([option], origin.id, destination.id, ready_at, weight_g=weight_g)
    except NetworkError as error:
        return Topology(option.name, option.lines, None, error)
    return Topology(option.name, option.lines, row, None)
