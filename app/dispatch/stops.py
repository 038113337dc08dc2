"""Stops of a day: asked for when a parcel is booked or arrives, and kept in step with what happens to it.

`follow_shipments` looks at where shipments stand, not at what events say: events that come late, twice or in
another order leave the same stops. It runs for every change of every parcel, so it reads once for many and
writes where something changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from app.accounts.service import audit
from app.actor import Actor
from app.db import arrays
from app.dispatch import leaving
from app.dispatch.models import StopKind, StopRequest, StopStatus
from app.dispatch.stop_rows import Appointment, stop_row
from app.dispatch.stored import WAITING
from app.errors import ConflictError
from app.network import queries as network
from app.network.models import Facility
from app.shipments import hours
from app.shipments.models import Shipment
from routing.network import Handover, WorkingHours
from routing.network.cutoff import COLLECTION_S, ROUND_S, handed_over_at
from tracking.shipment import Milestone, ScanCode

DAY_WINDOW_S = (8 * 3600, 18 * 3600)
"""When somebody is asked for again on another day: during the whole working day."""

_GIVEN_UP = frozenset({Milestone.CANCELLED, Milestone.RETURNING, Milestone.RETURNED, Milestone.LOST})
_NOT_COLLECTED = frozenset({Milestone.PENDING, Milestone.BOOKED, Milestone.CANCELLED})


def request_pickups(session: Session, shipment_ids: Collection[int], *, now: datetime) -> None:
    """Ask for couriers to senders who give their parcels away at their doors; twice is once.

    The window is the one the promise was made with: three hours from the booking, or from the opening of the
    next morning (`routing.network.cutoff`).
    """
    shipments = session.scalars(
        sa.select(Shipment)
        .where(
            Shipment.id == arrays.any_of(shipment_ids),
            Shipment.pickup_handover == Handover.DOOR,
        )
        .order_by(Shipment.id)
    ).all()
    if not shipments:
        return
    places = network.routing_network(session)
    rows = []
    for shipment in shipments:
        origin_id = shipment.origin_facility_id
        ready_at = hours.ready(places, shipment.booked_at, Handover.DOOR, origin_id, None)
        appointment = _appointment(ready_at, COLLECTION_S, hours.hours_of(places, origin_id).zone)
        rows.append(stop_row(shipment, StopKind.PICKUP, appointment, now))
    session.execute(
        insert(StopRequest).on_conflict_do_nothing(
            index_elements=[StopRequest.shipment_id, StopRequest.kind]
        ),
        rows,
    )


class _Stop(NamedTuple):
    id: int
    status: StopStatus
    day: date


@dataclass(frozen=True, slots=True)
class _Seen:
    """Where a shipment stands, and how its stops stand."""

    milestone: Milestone
    code: ScanCode
    since: datetime
    at_origin: bool
    at_destination: bool
    to_door: bool
    origin_offset_minutes: int
    destination_offset_minutes: int
    stops: dict[StopKind, _Stop]

    def offset_minutes(self, kind: StopKind) -> int:
        """Of the clock at the outlet that sends the courier."""
        delivers = kind is StopKind.DELIVERY
        return self.destination_offset_minutes if delivers else self.origin_offset_minutes

    def day_of(self, moment: datetime, kind: StopKind) -> date:
        return _local(moment, self.offset_minutes(kind)).date()

    def status_of(self, kind: StopKind) -> StopStatus | None:
        return self.stops[kind].status if kind in self.stops else None

    def moved_on(self, kind: StopKind) -> bool:
        """Whether the stop waits for a later day than that of the state: it was asked for again already."""
        if self.status_of(kind) not in WAITING:
            return False
        return self.stops[kind].day > self.day_of(self.since, kind)


def follow_shipments(session: Session, shipment_ids: Collection[int], *, now: datetime) -> None:
    """Bring the stops of shipments in step with where these stand now; what is cancelled leaves its round."""
    asked: list[tuple[int, StopKind, _Seen]] = []
    changed: defaultdict[StopStatus, list[int]] = defaultdict(list)
    for shipment_id, seen in _look(session, shipment_ids).items():
        wanted = {
            StopKind.PICKUP: _pickup_status(seen),
            StopKind.DELIVERY: _delivery_status(seen),
            StopKind.RETURN: _return_status(seen),
        }
        for kind, status in wanted.items():
            if status is StopStatus.OPEN:
                asked.append((shipment_id, kind, seen))
            elif status is not None and seen.status_of(kind) not in (None, status):
                changed[status].append(seen.stops[kind].id)
    gone = changed.get(StopStatus.CANCELLED, [])
    plans = leaving.lock_plans(session, gone) if gone else ()
    for status, ids in changed.items():
        session.execute(
            sa.update(StopRequest)
            .where(StopRequest.id == arrays.any_of(ids))
            .values(status=status)
            .execution_options(synchronize_session=False)
        )
    if gone:
        leaving.leave(session, None, plans, gone, now=now)
    if asked:
        _ask_for(session, asked, now)


def postpone(
    session: Session, actor: Actor, stop: StopRequest, *, offset_minutes: int, now: datetime
) -> None:
    """Try a stop on the outlet's next working day: what failed, or what no round of its day can take.

    Raises:
        ConflictError: it is in a round, done or cancelled.
    """
    session.refresh(stop, with_for_update=True)
    if stop.status not in (StopStatus.OPEN, StopStatus.FAILED):
        raise ConflictError("only a stop that is open or failed can be moved to another day")
    outlet = hours.hours_of(network.routing_network(session), stop.facility_id)
    stop.day = outlet.works_from(max(stop.day, _local(now, offset_minutes).date()) + timedelta(days=1))
    stop.window_from_s, stop.window_to_s = DAY_WINDOW_S
    stop.status = StopStatus.OPEN
    details = {"day": stop.day.isoformat()}
    audit(session, actor, "stop.postponed", subject_kind="stop", subject_id=stop.id, now=now, details=details)


def _look(session: Session, shipment_ids: Collection[int]) -> dict[int, _Seen]:
    origin = aliased(Facility)
    rows = session.execute(
        sa.select(
            Shipment.id,
            Shipment.milestone,
            Shipment.code,
            Shipment.state_since,
            (Shipment.state_facility_id == Shipment.origin_facility_id).label("at_origin"),
            (Shipment.state_facility_id == Shipment.destination_facility_id).label("at_destination"),
            Shipment.delivery_handover,
            origin.utc_offset_minutes.label("origin_offset_minutes"),
            Facility.utc_offset_minutes,
            StopRequest.id.label("stop_id"),
            StopRequest.kind,
            StopRequest.status,
            StopRequest.day,
        )
        .join(origin, origin.id == Shipment.origin_facility_id)
        .join(Facility, Facility.id == Shipment.destination_facility_id)
        .outerjoin(StopRequest, StopRequest.shipment_id == Shipment.id)
        .where(Shipment.id == arrays.any_of(shipment_ids))
        .order_by(Shipment.id)
    ).all()
    found: dict[int, _Seen] = {}
    for row in rows:
        if row.id not in found:
            found[row.id] = _Seen(
                milestone=row.milestone,
                code=row.code,
                since=row.state_since,
                at_origin=bool(row.at_origin),
                at_destination=bool(row.at_destination),
                to_door=row.delivery_handover is Handover.DOOR,
                origin_offset_minutes=row.origin_offset_minutes,
                destination_offset_minutes=row.utc_offset_minutes,
                stops={},
            )
        if row.kind is not None:
            found[row.id].stops[row.kind] = _Stop(row.stop_id, row.status, row.day)
    return found


def _pickup_status(seen: _Seen) -> StopStatus | None:
    if seen.milestone is Milestone.CANCELLED:
        return StopStatus.CANCELLED
    if seen.milestone not in _NOT_COLLECTED:
        return StopStatus.DONE
    if seen.code is ScanCode.PICKUP_FAILED and not seen.moved_on(StopKind.PICKUP):
        return StopStatus.FAILED
    return None


def _delivery_status(seen: _Seen) -> StopStatus | None:
    if seen.milestone in (Milestone.DELIVERED, Milestone.READY_FOR_PICKUP):
        return StopStatus.DONE
    if seen.milestone in _GIVEN_UP:
        return None if seen.status_of(StopKind.DELIVERY) is StopStatus.DONE else StopStatus.CANCELLED
    if seen.code is ScanCode.REFUSED:
        return None if seen.moved_on(StopKind.DELIVERY) else StopStatus.FAILED
    if not seen.to_door:
        return None
    if seen.milestone is Milestone.ATTEMPT_FAILED:
        return None if seen.moved_on(StopKind.DELIVERY) else StopStatus.OPEN
    waits = seen.milestone in (Milestone.ACCEPTED, Milestone.IN_TRANSIT) and seen.at_destination
    if waits and seen.code is not ScanCode.DEPARTED and seen.status_of(StopKind.DELIVERY) not in WAITING:
        return StopStatus.OPEN
    return None


def _return_status(seen: _Seen) -> StopStatus | None:
    """What comes back is brought to its sender's door, however he gave it away."""
    if seen.milestone is Milestone.RETURNED:
        return StopStatus.DONE
    if seen.milestone is not Milestone.RETURNING:
        return None if seen.status_of(StopKind.RETURN) is StopStatus.DONE else StopStatus.CANCELLED
    if seen.code is ScanCode.REFUSED:
        return None if seen.moved_on(StopKind.RETURN) else StopStatus.FAILED
    if seen.code is ScanCode.ATTEMPT_FAILED:
        return None if seen.moved_on(StopKind.RETURN) else StopStatus.OPEN
    waits = seen.at_origin and seen.code not in (ScanCode.DEPARTED, ScanCode.OUT_FOR_DELIVERY)
    return StopStatus.OPEN if waits and seen.status_of(StopKind.RETURN) not in WAITING else None


def _ask_for(session: Session, asked: Sequence[tuple[int, StopKind, _Seen]], now: datetime) -> None:
    wanted = arrays.any_of({shipment_id for shipment_id, _kind, _seen in asked})
    shipments = {one.id: one for one in session.scalars(sa.select(Shipment).where(Shipment.id == wanted))}
    places = network.routing_network(session)
    rows = []
    for shipment_id, kind, seen in asked:
        shipment = shipments[shipment_id]
        delivers = kind is StopKind.DELIVERY
        outlet_id = shipment.destination_facility_id if delivers else shipment.origin_facility_id
        outlet = hours.hours_of(places, outlet_id)
        rows.append(stop_row(shipment, kind, _next_round(seen, kind, outlet, now), now))
    statement = insert(StopRequest)
    # Asked for again it may be at another door, of another outlet: the shipment may have been redirected.
    again: dict[str, sa.ColumnElement[Any]] = {
        name: statement.excluded[name] for name in rows[0] if name != "created_at"
    }
    # Where somebody has put the pin it stays for the same door.
    pinned = sa.and_(
        StopRequest.place_corrected_at.is_not(None), StopRequest.address == statement.excluded.address
    )
    for name in ("latitude", "longitude"):
        again[name] = sa.case((pinned, getattr(StopRequest, name)), else_=statement.excluded[name])
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[StopRequest.shipment_id, StopRequest.kind], set_=again
        ),
        rows,
    )


def _next_round(seen: _Seen, kind: StopKind, outlet: WorkingHours, now: datetime) -> Appointment:
    """After a failed attempt the next working day of the outlet; otherwise the next round in time for it."""
    if seen.code is ScanCode.ATTEMPT_FAILED:
        day = max(seen.day_of(seen.since, kind) + timedelta(days=1), seen.day_of(now, kind))
        return Appointment(outlet.works_from(day), *DAY_WINDOW_S)
    ends = handed_over_at(seen.since, Handover.DOOR, outlet)
    if ends - timedelta(seconds=ROUND_S) <= now:
        ends = handed_over_at(now, Handover.DOOR, outlet)
    return _appointment(ends, ROUND_S, outlet.zone)


def _appointment(ends: datetime, length_s: int, zone: ZoneInfo) -> Appointment:
    local = (ends - timedelta(seconds=length_s)).astimezone(zone)
    from_s = local.hour * 3600 + local.minute * 60
    return Appointment(local.date(), from_s, from_s + length_s)


def _local(moment: datetime, offset_minutes: int) -> datetime:
    return moment.astimezone(timezone(timedelta(minutes=offset_minutes)))
