"""When a parcel is expected, renewed as it moves; the first promise stays as it was told.

An estimate takes longer to work out than a scan to record. After a few scans it is renewed at once; after a
batch the shipments that moved are written down (`EstimateRequest`) and renewed within seconds by a worker of
the scheduler process.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.clock import Clock
from app.db import arrays
from app.db.session import Database, execute_plain, tenant_of
from app.network import queries as network
from app.shipments import hours
from app.shipments.beside import outlets_of_points
from app.shipments.folding import state_of_scans
from app.shipments.history import load_history
from app.shipments.legs import legs_by_shipment
from app.shipments.models import EstimateRequest, Shipment, ShipmentBooking
from app.shipments.outlook import Outlook, outlook
from app.shipments.rounds import courier_comes
from app.shipments.scan_store import scans_by_shipment
from routing.network import Network
from tracking.errors import PromiseError
from tracking.position import Position, position_of
from tracking.promise import LegHistory, window_until
from tracking.shipment import Leg, Milestone, Scan, ScanCode
from tracking.state import ShipmentState
from tracking.summary import mark_of
from tracking.transitions import PLACELESS

# What no time can be told for, off its route say, is looked at again so much later.
_LOOKED_AT_AGAIN = timedelta(hours=6)

AT_ONCE_MAX = 16
_REQUESTS_AT_ONCE = 8

# While it stands so, a parcel still comes to its consignee, and a time can be told for it.
COMING = frozenset(
    {
        Milestone.BOOKED,
        Milestone.EXCEPTION,
        Milestone.ACCEPTED,
        Milestone.IN_TRANSIT,
        Milestone.OUT_FOR_DELIVERY,
        Milestone.ATTEMPT_FAILED,
    }
)
"""While it stands so, a parcel still comes to its consignee, and a time can be told for it."""


def follow(session: Session, moved: Sequence[int], *, now: datetime) -> None:
    """Renew the estimates of shipments that have moved: a few at once, many in a moment."""
    waiting: Collection[int] = moved
    if len(moved) <= AT_ONCE_MAX:
        # Whoever holds one of them may not have seen yet that it moved.
        waiting = set(moved) - renew(session, moved, now=now)
    if waiting:
        execute_plain(
            session,
            "INSERT INTO estimate_request (tenant_id, shipment_ids, asked_at) VALUES (%s, %s::bigint[], %s)",
            (tenant_of(session), arrays.numbers(waiting), now),
        )


def renew_waiting(database: Database, clock: Clock) -> bool:
    """Renew what some waiting requests ask for, in one transaction; True when there were any."""
    with database.unit_of_work(None) as session:
        oldest = session.scalar(
            sa.select(EstimateRequest).order_by(EstimateRequest.id).limit(1).with_for_update(skip_locked=True)
        )
        if oldest is None:
            return False
        session.info["tenant_id"] = oldest.tenant_id  # as if the session had been opened for it
        others = session.scalars(
            sa.select(EstimateRequest)
            .where(EstimateRequest.id > oldest.id)
            .order_by(EstimateRequest.id)
            .limit(_REQUESTS_AT_ONCE - 1)
            .with_for_update(skip_locked=True)
        ).all()
        requests = [oldest, *others]
        renew(session, {one for request in requests for one in request.shipment_ids}, now=clock())
        for request in requests:
            session.delete(request)
    return True


def renew(session: Session, shipment_ids: Collection[int], *, now: datetime) -> set[int]:
    """Work out the estimates of some shipments from all their scans, and write those that can be told.

    The state is read and not locked, so no scan ever waits for an estimate; who moves a shipment meanwhile
    asks anew. What another is changing of a booking is left alone.

    Returns:
        The shipments that were looked at.
    """
    if not shipment_ids:
        return set()
    shipments = session.scalars(
        sa.select(Shipment)
        .where(Shipment.id == arrays.any_of(shipment_ids))
        .order_by(Shipment.id)
        .with_for_update(key_share=True, skip_locked=True, of=ShipmentBooking)
    ).all()
    scans = scans_by_shipment(session, shipments)
    legs = legs_by_shipment(session, [shipment.id for shipment in shipments])
    points = outlets_of_points(session, {scan.facility_id for one in scans.values() for scan in one})
    history, places = load_history(session), network.routing_network(session)
    for shipment in shipments:
        state, counting = state_of_scans(scans[shipment.id], shipment.pieces)
        expected = estimate(shipment, state, counting, legs[shipment.id], now, history, places, points)
        shipment.quiet_until_at = None if expected is None else expected.quiet_until
        shipment.estimate_ages_at = now + _LOOKED_AT_AGAIN if expected is None else expected.ages_at
        shipment.estimate_aged = expected is not None and expected.aged
        if expected is not None:
            shipment.estimate_p50_at = expected.promise.p50_at
            shipment.estimate_p80_at = expected.promise.p80_at
            shipment.estimate_p95_at = expected.promise.p95_at
    return {shipment.id for shipment in shipments}


def expected_window(shipment: Shipment, *, now: datetime) -> tuple[datetime, datetime] | None:
    """The two hours in which a parcel is expected now, by its last estimate; None once none can be told.

    What has not come by the time that was estimated is expected from now on. What a courier is on his way
    with is expected when he is.
    """
    if shipment.milestone not in COMING:
        return None
    comes = courier_comes(shipment, now=now)
    if comes is not None and shipment.milestone is Milestone.OUT_FOR_DELIVERY:
        return comes.from_at, comes.to_at
    return window_until(max(shipment.estimate_p80_at, now), shipment.booked_offset_minutes)


def estimate(
    shipment: Shipment,
    state: ShipmentState,
    scans: Sequence[Scan],
    legs: Sequence[Leg],
    now: datetime,
    history: LegHistory | None,
    places: Network,
    points: Mapping[int, int],
) -> Outlook | None:
    """When the parcel is expected and heard of, from where it is now; None where no time can be told.

    Args:
        shipment: whose hand-overs and outlets count.
        state: of its scans.
        scans: that count.
        legs: the planned route in order.
        now: nothing is expected before.
        history: what was learned of legs and places.
        places: the network, whose hours count.
        points: of the places that the scans name those beside a route (`app.shipments.beside`).
    """
    if state.milestone not in COMING:
        return None
    if state.code in (ScanCode.ATTEMPT_FAILED, ScanCode.REFUSED) and state.since is not None:
        # It waits for the next round from the last outlet.
        legs, position = (), Position(shipment.destination_facility_id, state.since)
    else:
        ready = hours.ready(
            places,
            shipment.booked_at,
            shipment.pickup_handover,
            shipment.origin_facility_id,
            shipment.pickup_point_id,
        )
        if legs:
            found = position_of(legs, scans, ready_at=ready, points=points)
        else:
            found = _at_only_outlet(shipment, scans, ready)
        if found is None:
            return None  # off its route, until it is planned anew; the watch opens a finding
        position = found
    try:
        return outlook(
            legs,
            position,
            rounds=hours.last_mile(
                places,
                shipment.delivery_handover,
                shipment.destination_facility_id,
                shipment.delivery_point_id,
            ),
            history=history,
            now=now,
            awaited=state.milestone is Milestone.BOOKED,
        )
    except PromiseError:
        return None  # its legs are no chain: parts of an earlier route


def _at_only_outlet(shipment: Shipment, scans: Sequence[Scan], ready: datetime) -> Position:
    """Where it is when origin and destination are one outlet."""
    seen = [mark_of(scan)[0] for scan in scans if scan.facility_id is not None and scan.code not in PLACELESS]
    return Position(shipment.origin_facility_id, min(seen, default=ready))
