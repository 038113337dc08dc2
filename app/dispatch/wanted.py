"""A pickup as it is asked for: which outlet calls there, from which day on, and whether its window fits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.dispatch.models import StopRequest
from app.dispatch.pickup_models import PickupRequest
from app.dispatch.skills import clean_skills
from app.errors import InvalidInputError
from app.network import queries as network
from app.network.models import Facility
from app.shipments import hours
from routing.network import WorkingHours

DAY_S = 24 * 3600
AHEAD_DAYS_MAX = 60
WINDOW_S_MIN = 1800
_IGNORED = re.compile(r"[\s,，.。;；#\-–—()（）]+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A pickup as it is asked for. Seconds count from local midnight at the outlet.

    Without `latitude` and `longitude` the place is where somebody put the pin for this address before, else
    that of the district's seat, until somebody corrects it.
    """

    contact_name: str
    contact_phone: str
    district_adcode: str
    address: str
    day: date
    window_from_s: int
    window_to_s: int
    pieces: int = 1
    weight_g: int = 1000
    volume_cm3: int = 0
    note: str = ""
    skills: Sequence[str] = ()
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """Which outlet calls on somebody, where he is, and when the outlet works."""

    facility: Facility
    latitude: float
    longitude: float
    hours: WorkingHours


def placed(session: Session, wanted: Wanted) -> Placed:
    """The outlet that serves a pickup, and its place.

    Raises:
        NotFoundError: there is no such district.
        InvalidInputError: no outlet serves it.
    """
    district = network.district(session, wanted.district_adcode)
    latitude, longitude = wanted.latitude, wanted.longitude
    if latitude is None or longitude is None:
        latitude, longitude = _pin(session, wanted) or (district.latitude, district.longitude)
    facility = network.serving_outlet(
        session, district_adcode=wanted.district_adcode, latitude=latitude, longitude=longitude
    )
    return Placed(
        facility,
        latitude,
        longitude,
        hours.hours_of(network.routing_network(session), facility.id),
    )


def _pin(session: Session, wanted: Wanted) -> tuple[float, float] | None:
    """Where somebody put the pin last for this address; None where nobody did."""
    row = session.execute(
        sa.select(StopRequest.latitude, StopRequest.longitude)
        .join(PickupRequest, PickupRequest.id == StopRequest.pickup_request_id)
        .where(
            PickupRequest.place_key == place_key(wanted.address),
            PickupRequest.district_adcode == wanted.district_adcode,
            StopRequest.place_corrected_at.is_not(None),
        )
        .order_by(StopRequest.place_corrected_at.desc())
        .limit(1)
    ).first()
    return None if row is None else (row.latitude, row.longitude)


def first_day(outlet: WorkingHours, now: datetime) -> date:
    """The first day for which an outlet still takes pickups: today until its cut-off, if it works."""
    local = now.astimezone(outlet.zone)
    late = local.hour * 60 + local.minute >= outlet.collection_cutoff_minute
    return outlet.works_from(local.date() + timedelta(days=late))


def place_key(address: str) -> str:
    """An address as it is compared: width, case, spaces and punctuation do not count."""
    return _IGNORED.sub("", unicodedata.normalize("NFKC", address)).casefold()


def columns(wanted: Wanted, place: Placed) -> dict[str, object]:
    """What a request and a weekly pickup have in common, by the names of their columns."""
    return {
        "facility_id": place.facility.id,
        "contact_name": wanted.contact_name,
        "contact_phone": wanted.contact_phone,
        "district_adcode": wanted.district_adcode,
        "address": wanted.address,
        "latitude": place.latitude,
        "longitude": place.longitude,
        "window_from_s": wanted.window_from_s,
        "window_to_s": wanted.window_to_s,
        "pieces": wanted.pieces,
        "weight_g": wanted.weight_g,
        "volume_cm3": wanted.volume_cm3,
        "skills": clean_skills(wanted.skills),
        "note": wanted.note,
    }


def refuse_window(wanted: Wanted) -> None:
    """A window lies within its day and leaves a courier room.

    Raises:
        InvalidInputError: it does not.
    """
    if not 0 <= wanted.window_from_s <= wanted.window_to_s - WINDOW_S_MIN <= DAY_S - WINDOW_S_MIN:
        raise InvalidInputError(
            "the window cannot be kept",
            [{"detail": "a window is half an hour or more, within one day", "pointer": "/window_to_s"}],
        )


def refuse_impossible(wanted: Wanted, place: Placed, now: datetime) -> None:
    """A pickup lies on a day its outlet still takes any for, in a window that is not over.

    Raises:
        InvalidInputError: it does not; names the field.
    """
    refuse_window(wanted)
    first = first_day(place.hours, now)
    problem = None
    if wanted.day < first:
        problem = f"the outlet takes pickups for {first.isoformat()} and later"
    elif place.hours.works_from(wanted.day) != wanted.day:
        problem = f"the outlet is closed; it works on {place.hours.works_from(wanted.day).isoformat()}"
    elif wanted.day > first + timedelta(days=AHEAD_DAYS_MAX):
        problem = f"pickups are taken for the next {AHEAD_DAYS_MAX} days"
    if problem is not None:
        raise InvalidInputError("no pickup on this day", [{"detail": problem, "pointer": "/day"}])
    local = now.astimezone(place.hours.zone)
    if wanted.day == local.date() and wanted.window_to_s <= local.hour * 3600 + local.minute * 60:
        raise InvalidInputError(
            "the window is over", [{"detail": "ends before now", "pointer": "/window_to_s"}]
        )
