"""The tenant's rows as the value that `routing.network` searches, kept until they change."""

from __future__ import annotations

import uuid
from collections import defaultdict
from datetime import date
from threading import Lock

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.db.session import execute_plain, tenant_of
from app.network.models import (
    Facility,
    FacilityHoliday,
    Lane,
    LaneDeparture,
    LaneHoliday,
)
from app.parties.models import Party
from routing.network import Departure, Network
from routing.network import Facility as PlaceValue
from routing.network import Lane as LaneValue

_TENANTS_MAX = 64

_cache: dict[int, tuple[uuid.UUID, Network]] = {}
_lock = Lock()


def revision_of(session: Session) -> uuid.UUID | None:
    """Which state the tenant's network is at; None while nothing has been written."""
    # Asked again and again, so without the ORM.
    rows = execute_plain(
        session, "SELECT revision FROM network_revision WHERE tenant_id = %s", (tenant_of(session),)
    )
    return rows[0][0] if rows else None


def current(session: Session) -> Network:
    """The tenant's network at its present revision."""
    tenant_id = tenant_of(session)
    # Read before the rows: should a writer commit in between, the value is kept under the older
    # revision and made anew at the next question.
    revision = revision_of(session)
    with _lock:
        cached = _cache.get(tenant_id)
    if cached is not None and cached[0] == revision:
        return cached[1]
    network = _read(session)
    if revision is not None:
        with _lock:
            if len(_cache) >= _TENANTS_MAX:
                _cache.clear()
            _cache[tenant_id] = (revision, network)
    return network


def _read(session: Session) -> Network:
    facilities = session.scalars(sa.select(Facility).order_by(Facility.id)).all()
    closed_ids = {facility.id for facility in facilities if facility.closed_at is not None}
    departures = _read_departures(session)
    resting = _read_holidays(session, FacilityHoliday.facility_id, FacilityHoliday.day)
    lanes = session.execute(
        sa.select(Lane, Party.code)
        .join(Party, Party.id == Lane.carrier_party_id)
        .where(Lane.closed_at.is_(None))
        .order_by(Lane.id)
    )
    return Network(
        tuple(
            PlaceValue(
                facility.id,
                facility.code,
                facility.name,
                facility.kind,
                facility.latitude,
                facility.longitude,
                facility.sort_s,
                facility.operator,
                facility.working_hours(resting.get(facility.id, ())),
                facility.sort_per_hour,
            )
            for facility in facilities
        ),
        tuple(
            LaneValue(
                lane.id,
                lane.from_facility_id,
                lane.to_facility_id,
                lane.mode,
                lane.distance_m,
                lane.cost_fixed_minor,
                lane.cost_per_kg_minor,
                lane.capacity_g,
                carrier_code,
                tuple(departures.get(lane.id, ())),
            )
            for lane, carrier_code in lanes
            if not closed_ids & {lane.from_facility_id, lane.to_facility_id}
        ),
    )


def _read_departures(session: Session) -> dict[int, list[Departure]]:
    departures: dict[int, list[Departure]] = {}
    resting = _read_holidays(session, LaneHoliday.lane_id, LaneHoliday.day)
    rows = session.execute(
        sa.select(
            LaneDeparture.lane_id,
            LaneDeparture.weekdays,
            LaneDeparture.minute_of_day,
            LaneDeparture.duration_s,
            LaneDeparture.timezone,
        ).order_by(LaneDeparture.id)
    )
    for row in rows:
        departures.setdefault(row.lane_id, []).append(
            Departure(
                row.weekdays,
                row.minute_of_day,
                row.duration_s,
                row.timezone,
                resting.get(row.lane_id, frozenset()),
            )
        )
    return departures


def _read_holidays(
    session: Session, subject: InstrumentedAttribute[int], day: InstrumentedAttribute[date]
) -> dict[int, frozenset[date]]:
    days: defaultdict[int, set[date]] = defaultdict(set)
    for subject_id, rests_on in session.execute(sa.select(subject, day)):
        days[subject_id].add(rests_on)
    return {subject_id: frozenset(of) for subject_id, of in days.items()}
