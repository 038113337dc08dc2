"""What happened to the parcels of the last weeks, read from scans and planned legs by a few set-based
statements.

Shipments of several pieces are left out, because their scans tell of different pieces; so is what was
corrected.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db.session import tenant_of
from app.shipments.hours import last_mile, ready
from app.shipments.waybills import month_of
from routing.network import Handover, Network
from tracking.promise import LegObservation, StayObservation
from tracking.shipment import ScanCode
from tracking.transitions import PLACELESS

# A leg or a delivery counts when it was to have ended so long ago: nearly all have, the slow ones too.
SETTLED = timedelta(days=1)

# From here on it waits for the consignee, whose own time is no part of the promise.
WAITING = (ScanCode.AT_OUTLET, ScanCode.AT_STORE, ScanCode.AT_LOCKER, ScanCode.AT_COLLECTIVE_POINT)

# A courier collects before the parcel is in a facility, and departs after.
_NOT_INSIDE = PLACELESS | {ScanCode.COLLECTED, ScanCode.DEPARTED, *WAITING}


@dataclass(frozen=True, slots=True)
class Observed:
    """What a history is learned from."""

    legs: tuple[LegObservation, ...]
    dwells: tuple[StayObservation, ...]
    handovers: tuple[StayObservation, ...]
    collections: tuple[StayObservation, ...]


def read(session: Session, network: Network, *, since: datetime, now: datetime) -> Observed:
    """Read what the tenant's shipments booked since a moment went through, as far as it has ended.

    Args:
        network: with the hours by which hand-overs and collections were planned; those of today.
    """
    values = {
        "tenant_id": tenant_of(session),
        "since": since,
        "now": now,
        "settled": now - SETTLED,
        "month": month_of(since),
        "not_inside": sorted(_NOT_INSIDE),
        "waiting": list(WAITING),
    }
    # Sorts and hashes over millions of scans, in a job that runs alone.
    session.execute(sa.text("SET LOCAL work_mem = '64MB'"))
    session.execute(sa.text(_SEEN), values)
    session.execute(sa.text("ANALYZE seen_at_facility"))
    observed = Observed(
        tuple(_legs(session, values)),
        tuple(_dwells(session, values)),
        tuple(_handovers(session, values, network)),
        tuple(_collections(session, values, network)),
    )
    session.execute(sa.text("DROP TABLE seen_at_facility"))
    return observed


# One row for each shipment and facility: the first time inside, the last departure, the first time it waited
# there for the consignee.
_SEEN = """
CREATE TEMPORARY TABLE seen_at_facility ON COMMIT DROP AS
SELECT scan.shipment_id, scan.facility_id,
       min(scan.occurred_at) FILTER (WHERE scan.code <> ALL (:not_inside)) AS inside_at,
       min(scan.occurred_at) FILTER (WHERE scan.code = 'arrived') AS arrived_at,
       max(scan.occurred_at) FILTER (WHERE scan.code = 'departed') AS departed_at,
       min(scan.occurred_at) FILTER (WHERE scan.code = ANY (:waiting)) AS waits_at
FROM scan
JOIN shipment ON shipment.id = scan.shipment_id AND shipment.pieces = 1
WHERE scan.tenant_id = :tenant_id
  AND scan.shipment_month >= :month
  AND shipment.booked_at >= :since
  AND scan.occurred_at <= :now
  AND scan.facility_id IS NOT NULL
  AND NOT EXISTS (
      SELECT FROM scan AS correction
      WHERE correction.corrects = scan.scan_key
        AND correction.tenant_id = :tenant_id
        AND correction.shipment_month >= :month
  )
GROUP BY scan.shipment_id, scan.facility_id
"""

# The median of each trip: that of the truck, whatever was scanned late.
_LEGS = """
SELECT leg.lane_id, leg.mode, leg.from_facility_id, leg.to_facility_id, leg.planned_departure_at,
       extract(epoch FROM leg.planned_arrival_at - leg.planned_departure_at)::bigint AS planned_s,
       percentile_disc(0.5) WITHIN GROUP (
           ORDER BY extract(epoch FROM came.arrived_at - went.departed_at)::bigint
       ) AS actual_s
FROM shipment_leg AS leg
JOIN seen_at_facility AS went
  ON went.shipment_id = leg.shipment_id AND went.facility_id = leg.from_facility_id
JOIN seen_at_facility AS came
  ON came.shipment_id = leg.shipment_id AND came.facility_id = leg.to_facility_id
WHERE leg.tenant_id = :tenant_id
  AND leg.planned_arrival_at <= :settled
  AND came.arrived_at >= went.departed_at + interval '1 second'
GROUP BY leg.lane_id, leg.mode, leg.from_facility_id, leg.to_facility_id,
         leg.planned_departure_at, leg.planned_arrival_at
ORDER BY leg.planned_departure_at, leg.from_facility_id, leg.to_facility_id, leg.lane_id, planned_s
"""

# In steps of five minutes, each trip's parcels sharing a weight of one.
_DWELLS = """
SELECT leg.from_facility_id, leg.planned_departure_at,
       round(extract(epoch FROM
           went.departed_at - greatest(leg.planned_departure_at, went.inside_at)) / 300)::bigint * 300
           AS deviation_s,
       (count(*) / sum(count(*)) OVER (
           PARTITION BY leg.from_facility_id, leg.to_facility_id, leg.lane_id, leg.planned_departure_at
       ))::double precision AS weight
FROM shipment_leg AS leg
JOIN seen_at_facility AS went
  ON went.shipment_id = leg.shipment_id AND went.facility_id = leg.from_facility_id
WHERE leg.tenant_id = :tenant_id
  AND leg.planned_departure_at <= :settled
  AND went.departed_at IS NOT NULL
GROUP BY leg.from_facility_id, leg.to_facility_id, leg.lane_id, leg.planned_departure_at, deviation_s
ORDER BY leg.planned_departure_at, leg.from_facility_id, leg.to_facility_id, leg.lane_id, deviation_s
"""

# By the ten minutes in which it arrived at its last outlet: the rounds ask no more exactly.
_HANDOVERS = """
SELECT state.destination_facility_id, shipment.delivery_handover, shipment.delivery_point_id,
       bin.arrived_at,
       round(extract(epoch FROM coalesce(point.waits_at, state.delivered_at) - bin.arrived_at) /
           300)::bigint
           * 300 AS taken_s,
       count(*) AS parcels
FROM shipment
JOIN shipment_state AS state ON state.shipment_id = shipment.id
JOIN seen_at_facility AS came
  ON came.shipment_id = shipment.id AND came.facility_id = state.destination_facility_id
CROSS JOIN LATERAL (
    SELECT date_bin('10 minutes', coalesce(came.inside_at, came.arrived_at), 'epoch') AS arrived_at
) AS bin
LEFT JOIN (
    SELECT shipment_id, min(waits_at) AS waits_at FROM seen_at_facility
    WHERE waits_at IS NOT NULL GROUP BY shipment_id
) AS point ON point.shipment_id = shipment.id
WHERE shipment.tenant_id = :tenant_id
  AND shipment.booked_at >= :since
  AND bin.arrived_at <= :settled
  AND coalesce(point.waits_at, state.delivered_at) >= bin.arrived_at
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
"""

# By the ten minutes in which it was booked.
_COLLECTIONS = """
SELECT shipment.origin_facility_id, shipment.pickup_handover, shipment.pickup_point_id,
       bin.booked_at,
       round(extract(epoch FROM came.inside_at - bin.booked_at) / 300)::bigint * 300 AS taken_s,
       count(*) AS parcels
FROM shipment
JOIN seen_at_facility AS came
  ON came.shipment_id = shipment.id AND came.facility_id = shipment.origin_facility_id
CROSS JOIN LATERAL (SELECT date_bin('10 minutes', shipment.booked_at, 'epoch') AS booked_at) AS bin
WHERE shipment.tenant_id = :tenant_id
  AND shipment.booked_at BETWEEN :since AND :settled
  AND came.inside_at >= bin.booked_at
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
"""


def _legs(session: Session, values: dict[str, object]) -> list[LegObservation]:
    rows = session.execute(sa.text(_LEGS), values)
    return [
        LegObservation(lane_id, mode, planned_s, actual_s, start_id, end_id, departs_at.astimezone(UTC))
        for lane_id, mode, start_id, end_id, departs_at, planned_s, actual_s in rows
        if planned_s > 0
    ]


def _dwells(session: Session, values: dict[str, object]) -> list[StayObservation]:
    rows = session.execute(sa.text(_DWELLS), values)
    return [
        StayObservation(facility_id, deviation_s, departs_at.astimezone(UTC), weight)
        for facility_id, departs_at, deviation_s, weight in rows
    ]


def _handovers(session: Session, values: dict[str, object], network: Network) -> list[StayObservation]:
    found = []
    rows = session.execute(sa.text(_HANDOVERS), values)
    for facility_id, handover, point_id, arrived, taken_s, parcels in rows:
        arrived_at = arrived.astimezone(UTC)
        planned_s = last_mile(network, Handover(handover), facility_id, point_id).planned_s(arrived_at)
        found.append(StayObservation(facility_id, taken_s - planned_s, arrived_at, float(parcels)))
    return found


def _collections(session: Session, values: dict[str, object], network: Network) -> list[StayObservation]:
    found = []
    rows = session.execute(sa.text(_COLLECTIONS), values)
    for facility_id, handover, point_id, booked, taken_s, parcels in rows:
        booked_at = booked.astimezone(UTC)
        ready_at = ready(network, booked_at, Handover(handover), facility_id, point_id)
        planned_s = round((ready_at - booked_at).total_seconds())
        found.append(StayObservation(facility_id, taken_s - planned_s, ready_at, float(parcels)))
    return found
