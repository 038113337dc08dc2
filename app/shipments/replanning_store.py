"""What planning anew reads and writes: statements over thousands of shipments at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.db import arrays
from app.db.session import tenant_of
from app.shipments.models import Shipment
from app.shipments.outlook import Outlook
from routing.network import Closure, PlannedLeg
from tracking.shipment import Milestone

# While it stands so, a shipment may still travel over legs of its plan.
_TRAVELLING = (Milestone.BOOKED, Milestone.ACCEPTED, Milestone.IN_TRANSIT, Milestone.EXCEPTION)


_OPEN = (
    "SELECT id, milestone, code, state_since, state_facility_id, origin_facility_id, "
    "destination_facility_id, weight_g, booked_at, pickup_point_id, delivery_point_id, pickup_handover, "
    "delivery_handover FROM shipment JOIN shipment_state ON shipment_id = id "
    "WHERE tenant_id = %s AND NOT terminal AND milestone = ANY (%s::text[]) AND "
)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why shipments are planned anew, and how far this has come.

    Attributes:
        kind: "facility" or "lane".
        subject_id: which one.
        reason: what was said when it closed or opened again.
        user_id: who closed or opened it.
        asked_at: when he did, ISO 8601.
        after_id: shipments up to this id have been planned already.
        replanned, stranded: how many of those found a new way, and how many none.
    """

    kind: str
    subject_id: int
    reason: str
    user_id: int | None
    asked_at: str
    after_id: int = 0
    replanned: int = 0
    stranded: int = 0

    @property
    def closure(self) -> Closure:
        """What no shipment should have ahead of it; when it opened again, those do that were stranded."""
        ids = frozenset({self.subject_id})
        return Closure(facility_ids=ids) if self.kind == "facility" else Closure(lane_ids=ids)


class Open(NamedTuple):
    """What is asked of a shipment that may have to be planned anew."""

    shipment_id: int
    milestone: str
    code: str
    since: datetime
    place_id: int | None
    origin_id: int
    destination_id: int
    weight_g: int
    booked_at: datetime
    pickup_point_id: int | None
    delivery_point_id: int | None
    pickup: str
    delivery: str


def on_their_way(session: Session, closure: Closure, *, after_id: int, limit: int) -> list[Open]:
    """Open shipments with a leg over what is closed, by rising id; they stay locked.

    The leg may be behind them.

    Args:
        session: of the tenant.
        closure: what is closed.
        after_id: the first have a larger id.
        limit: at most so many.
    """
    facilities, lanes = arrays.numbers(closure.facility_ids), arrays.numbers(closure.lane_ids)
    return _open(
        session,
        "id > %s AND EXISTS (SELECT FROM shipment_leg AS leg WHERE leg.shipment_id = shipment.id "
        "AND (leg.lane_id = ANY (%s::bigint[]) OR leg.from_facility_id = ANY (%s::bigint[]) "
        "OR leg.to_facility_id = ANY (%s::bigint[]))) ORDER BY id LIMIT %s",
        (after_id, lanes, facilities, facilities, limit),
    )


def chosen(session: Session, shipment_ids: Collection[int]) -> list[Open]:
    """Those of some shipments that are open and may still travel, by rising id; they stay locked."""
    return _open(session, "id = ANY (%s::bigint[]) ORDER BY id", (arrays.numbers(shipment_ids),))


def _open(session: Session, which: str, parameters: tuple[object, ...]) -> list[Open]:
    session.flush()  # a shipment that was only added to the session would be missed
    rows = session.connection().exec_driver_sql(
        _OPEN + which + " FOR NO KEY UPDATE", (tenant_of(session), arrays.texts(_TRAVELLING), *parameters)
    )
    opened = [Open(*row) for row in rows]
    return [
        row._replace(since=row.since.astimezone(UTC), booked_at=row.booked_at.astimezone(UTC))
        for row in opened
    ]


def open_of(shipment: Shipment, *, returning: bool, lies_at: int | None) -> Open:
    """The same of one shipment that is at hand; on its way back it goes to its origin."""
    return Open(
        shipment.id,
        shipment.milestone,
        shipment.code,
        shipment.state_since,
        lies_at or shipment.state_facility_id,
        shipment.origin_facility_id,
        shipment.origin_facility_id if returning else shipment.destination_facility_id,
        shipment.weight_g,
        shipment.booked_at,
        shipment.pickup_point_id,
        shipment.delivery_point_id,
        shipment.pickup_handover,
        shipment.delivery_handover,
    )


def write_legs(session: Session, ways: Mapping[int, tuple[int, Sequence[PlannedLeg]]]) -> None:
    """Put new legs in the place of those ahead.

    Args:
        session: of the tenant.
        ways: by shipment, the number (`sequence`) of the last leg that stays, 0 where none does, and the new
            legs after it.
    """
    connection = session.connection()
    connection.exec_driver_sql(
        "DELETE FROM shipment_leg USING unnest(%s::bigint[], %s::bigint[]) AS given (shipment_id, last) "
        "WHERE shipment_leg.shipment_id = given.shipment_id AND sequence > last",
        (arrays.numbers(ways), arrays.numbers([last for last, _ in ways.values()])),
    )
    rows = [
        (shipment_id, last + leg.sequence, leg) for shipment_id, (last, legs) in ways.items() for leg in legs
    ]
    carriers = _carriers(session, {leg.lane_id for _, _, leg in rows})
    connection.exec_driver_sql(
        _INSERT_LEGS,
        (
            tenant_of(session),
            arrays.numbers([shipment_id for shipment_id, _, _ in rows]),
            arrays.numbers([sequence for _, sequence, _ in rows]),
            arrays.numbers([leg.lane_id for _, _, leg in rows]),
            arrays.numbers([leg.from_facility_id for _, _, leg in rows]),
            arrays.numbers([leg.to_facility_id for _, _, leg in rows]),
            arrays.numbers([carriers[leg.lane_id] for _, _, leg in rows]),
            arrays.texts([leg.mode.value for _, _, leg in rows]),
            arrays.numbers([leg.distance_m for _, _, leg in rows]),
            arrays.moments([leg.departure_at for _, _, leg in rows]),
            arrays.moments([leg.arrival_at for _, _, leg in rows]),
        ),
    )


_INSERT_LEGS = """
INSERT INTO shipment_leg (tenant_id, shipment_id, sequence, lane_id, from_facility_id, to_facility_id,
    carrier_party_id, mode, distance_m, planned_departure_at, planned_arrival_at)
SELECT %s, given.*
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[],
    %s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS given
"""


def _carriers(session: Session, lane_ids: Collection[int]) -> dict[int, int]:
    """Who drives each lane."""
    rows = session.connection().exec_driver_sql(
        "SELECT id, carrier_party_id FROM lane WHERE id = ANY (%s::bigint[])", (arrays.numbers(lane_ids),)
    )
    return dict(rows.all())


def write_estimates(session: Session, expected: Mapping[int, Outlook]) -> None:
    """Renew the estimates of some shipments; what was promised first stays."""
    promises = [one.promise for one in expected.values()]
    session.connection().exec_driver_sql(
        "UPDATE shipment SET estimate_p50_at = p50, estimate_p80_at = p80, estimate_p95_at = p95, "
        "quiet_until_at = quiet_until, estimate_ages_at = ages, estimate_aged = aged "
        "FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], "
        "%s::timestamptz[], %s::timestamptz[], %s::boolean[]) "
        "AS given (shipment_id, p50, p80, p95, quiet_until, ages, aged) "
        "WHERE shipment.id = given.shipment_id",
        (
            arrays.numbers(expected),
            arrays.moments([promise.p50_at for promise in promises]),
            arrays.moments([promise.p80_at for promise in promises]),
            arrays.moments([promise.p95_at for promise in promises]),
            arrays.moments([one.quiet_until for one in expected.values()]),
            arrays.moments([one.ages_at for one in expected.values()]),
            arrays.flags([one.aged for one in expected.values()]),
        ),
    )
