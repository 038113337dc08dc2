"""Questions about the network that every room may ask: its routing value, who serves a place, districts."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from app.accounts.roles import Scope
from app.actor import Actor
from app.errors import InvalidInputError, NotFoundError
from app.network import routing_value
from app.network.models import Compartment, District, Facility, Lane
from routing.network import HANDOVERS, Handover, Network
from routing.network.facility import EARTH_RADIUS_M

# An outlet's couriers drive to its customers; a customer walks to a point. Beyond this nothing is near.
SERVING_DISTANCE_M_MAX = 300_000
POINT_DISTANCE_M_MAX = 50_000
_DEGREE_M = math.pi * EARTH_RADIUS_M / 180  # of latitude


def routing_network(session: Session) -> Network:
    """The tenant's network as it runs now, for `routing.network`; kept in the process until it is written to.

    It holds every facility, and the open lanes between open facilities: what is closed cannot be routed
    over, and a closed facility still has its name.
    """
    return routing_value.current(session)


def load_facility(session: Session, actor: Actor, facility_id: int) -> Facility:
    """A facility the asker may know of: staff all of them, a shipper those where parcels change hands.

    Raises:
        NotFoundError: There is none, or it is none of the asker's.
    """
    facility = session.scalar(
        sa.select(Facility)
        .options(joinedload(Facility.party), joinedload(Facility.district), joinedload(Facility.parent))
        .where(Facility.id == facility_id)
    )
    if facility is None or not (actor.may(Scope.NETWORK_READ) or HANDOVERS[facility.kind]):
        raise NotFoundError("no such facility")
    return facility


def load_lane(session: Session, actor: Actor, lane_id: int) -> Lane:
    """A lane, for staff.

    Raises:
        NotFoundError: There is none, or the asker may not know of lanes.
    """
    lane = session.scalar(sa.select(Lane).where(Lane.id == lane_id))
    if lane is None or not actor.may(Scope.NETWORK_READ):
        raise NotFoundError("no such lane")
    return lane


def facilities_by_id(session: Session, facility_ids: set[int]) -> dict[int, Facility]:
    """Facilities by id, for lists that name them."""
    if not facility_ids:
        return {}
    rows = session.scalars(sa.select(Facility).where(Facility.id.in_(facility_ids)))
    return {facility.id: facility for facility in rows}


def serving_outlet(session: Session, *, district_adcode: str, latitude: float, longitude: float) -> Facility:
    """The open outlet whose couriers serve a place: the nearest of its district, else the nearest of all.

    Raises:
        InvalidInputError: No open outlet is in the district or within `SERVING_DISTANCE_M_MAX`.
    """
    facility = _nearest(
        session, Handover.DOOR, latitude, longitude, SERVING_DISTANCE_M_MAX, district_adcode=district_adcode
    )
    if facility is None:
        raise InvalidInputError(
            "no open outlet serves this place",
            [{"detail": f"none in district {district_adcode} or near it", "pointer": "/district_adcode"}],
        )
    return facility


def nearest_point(session: Session, handover: Handover, latitude: float, longitude: float) -> Facility:
    """The nearest open facility at which parcels change hands in this way (a store, a locker, ...).

    Raises:
        InvalidInputError: There is none within `POINT_DISTANCE_M_MAX`.
    """
    facility = _nearest(session, handover, latitude, longitude, POINT_DISTANCE_M_MAX)
    if facility is None:
        raise InvalidInputError(
            f"there is no open {handover.value.replace('_', ' ')} near this place",
            [{"detail": f"none within {POINT_DISTANCE_M_MAX // 1000} km", "pointer": "/handover"}],
        )
    return facility


def compartments(session: Session, facility_id: int) -> Sequence[Compartment]:
    """The compartments of a locker that are in use, by code; none where nobody has entered them."""
    return session.scalars(
        sa.select(Compartment)
        .where(Compartment.facility_id == facility_id, Compartment.closed_at.is_(None))
        .order_by(Compartment.code)
    ).all()


def district(session: Session, adcode: str) -> District:
    """A district by its code.

    Raises:
        NotFoundError: There is none.
    """
    found = session.get(District, adcode)
    if found is None:
        raise NotFoundError(f"no district {adcode}")
    return found


def search_districts(session: Session, text: str, limit: int) -> Sequence[District]:
    """Districts by name, with or without their city and province, or by the beginning of their code.

    The characters may stand apart, so that `北京朝阳` finds `北京市 朝阳区`. A name that begins with the
    text comes first, then one where the text stands in one piece.
    """
    wanted = "".join(text.split())
    if not wanted:
        return []
    whole = District.province_name + District.city_name + District.name
    scattered = "%" + "%".join(_escaped(character) for character in wanted) + "%"
    return session.scalars(
        sa.select(District)
        .where(
            sa.or_(whole.like(scattered, escape="\\"), District.adcode.startswith(wanted, autoescape=True))
        )
        .order_by(
            District.name.startswith(wanted, autoescape=True).desc(),
            whole.contains(wanted, autoescape=True).desc(),
            District.adcode,
        )
        .limit(limit)
    ).all()


def _escaped(character: str) -> str:
    return "\\" + character if character in "%_\\" else character


def _nearest(
    session: Session,
    handover: Handover,
    latitude: float,
    longitude: float,
    within_m: int,
    *,
    district_adcode: str | None = None,
) -> Facility | None:
    """One statement: candidates by district or by a box around the place, ordered by great-circle distance.

    A district's own outlet serves it however large the district is, so it may lie outside the box.
    """
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise InvalidInputError(
            "this is not a place on earth", [{"detail": "is out of range", "pointer": "/latitude"}]
        )
    south, north, west, east = _box(latitude, longitude, within_m)
    facility: Facility | None = session.scalar(
        _nearest_statement(handover),
        {
            "latitude": latitude,
            "longitude": longitude,
            "within_m": within_m,
            "adcode": district_adcode or "",
            "south": south,
            "north": north,
            "west": west,
            "east": east,
        },
    )
    return facility


@functools.cache
def _nearest_statement(handover: Handover) -> sa.Select[Facility]:
    """Built once a way of handing over: to build it costs more than to run it."""
    apart_m = _great_circle_m(
        sa.bindparam("latitude", type_=sa.Double), sa.bindparam("longitude", type_=sa.Double)
    )
    near = sa.and_(
        Facility.latitude.between(sa.bindparam("south"), sa.bindparam("north")),
        Facility.longitude.between(sa.bindparam("west"), sa.bindparam("east")),
        apart_m <= sa.bindparam("within_m"),
    )
    in_district = Facility.district_adcode == sa.bindparam("adcode")
    return (
        sa.select(Facility)
        .where(
            Facility.closed_at.is_(None),
            Facility.kind.in_([kind for kind, ways in HANDOVERS.items() if handover in ways]),
            sa.or_(in_district, near),
        )
        .order_by(in_district.desc(), apart_m, Facility.id)
        .limit(1)
    )


def _box(latitude: float, longitude: float, within_m: int) -> tuple[float, float, float, float]:
    """South, north, west, east: bounds that no place within the distance lies outside of."""
    rise = within_m / _DEGREE_M
    south, north = latitude - rise, latitude + rise
    poleward = abs(latitude) + rise
    if poleward < 90:
        run = rise / math.cos(math.radians(poleward))
        if longitude - run >= -180 and longitude + run <= 180:
            return south, north, longitude - run, longitude + run
    return south, north, -180.0, 180.0


def _great_circle_m(
    latitude: sa.ColumnElement[float], longitude: sa.ColumnElement[float]
) -> sa.ColumnElement[float]:
    """Metres from a facility to a place (haversine formula), as `routing.network.distance_m` counts them."""
    north = sa.func.sin(sa.func.radians(Facility.latitude - latitude) / 2)
    east = sa.func.sin(sa.func.radians(Facility.longitude - longitude) / 2)
    level = sa.func.cos(sa.func.radians(latitude)) * sa.func.cos(sa.func.radians(Facility.latitude))
    chord = north * north + level * (east * east)
    result: sa.ColumnElement[float] = (
        2 * EARTH_RADIUS_M * sa.func.asin(sa.func.sqrt(sa.func.least(1.0, chord)))
    )
    return result
