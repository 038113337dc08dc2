"""Estimates of parcels that nothing is heard of: worked out anew as time passes, thousands at a time.

Nothing has been heard, so all that is new is the time itself. Where a parcel is stands on its row, but for
when it came to the facility it lies at: one look at its scans tells that, and none of them is folded again.
What travels together is worked out once. A few kinds of parcels are not so simple (several pieces, corrected
scans, a place beside the route); their estimates are asked for as after a scan.
tests/app/shipments/test_ageing.py holds both ways against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, Final, NamedTuple

from sqlalchemy.orm import Session

from app.db import arrays
from app.db.session import execute_plain, tenant_of
from app.network import queries as network
from app.shipments.estimates import COMING
from app.shipments.history import load_history
from app.shipments.hours import last_mile, ready
from app.shipments.legs import legs_by_shipment
from app.shipments.outlook import Outlook, outlook
from app.shipments.replanning_store import write_estimates
from routing.network import Handover, Network
from tracking.errors import PromiseError
from tracking.position import Position
from tracking.promise import LastMile, LegHistory
from tracking.shipment import Leg, Milestone, ScanCode
from tracking.transitions import COLLECTING, PLACELESS

# Few, because a worker locks the shipments whose estimates it renews.
_ASKED_TOGETHER: Final = 100

_CONSTANTS: Final = {
    "coming": sorted(milestone.value for milestone in COMING),
    "placeless": sorted(code.value for code in PLACELESS),
}

# Of the part of the watch those whose estimate no longer holds. `here_since` is the first scan at the place
# where it was seen last, since it came there: since it was elsewhere, had left, or was with a courier.
_AGED: Final = """
SELECT s.id, s.milestone, s.code, s.state_since, s.state_facility_id, s.seen_facility_id,
    s.origin_facility_id, s.destination_facility_id, s.pickup_point_id, s.delivery_point_id, s.booked_at,
    s.pickup_handover, s.delivery_handover, s.trail IS NULL, here.since
FROM (
    SELECT * FROM shipment JOIN shipment_state ON shipment_id = id
    WHERE tenant_id = %(tenant)s AND NOT terminal AND milestone = ANY (%(coming)s)
      AND id > %(after)s AND id <= %(until)s AND shipment_id > %(after)s AND shipment_id <= %(until)s
      AND coalesce(estimate_ages_at, estimate_p50_at) <= %(now)s
    ORDER BY id FOR NO KEY UPDATE OF shipment SKIP LOCKED
) AS s
LEFT JOIN LATERAL (
    SELECT min(at) FILTER (WHERE facility_id = s.seen_facility_id AND at > coalesce(left_at, '-infinity'))
        AS since
    FROM (
        SELECT facility_id, least(occurred_at, received_at) AS at,
            max(least(occurred_at, received_at)) FILTER (
                WHERE facility_id <> s.seen_facility_id OR code = 'collected'
                   OR (code = 'departed' AND facility_id <> s.destination_facility_id)
            ) OVER () AS left_at
        FROM scan
        WHERE shipment_id = s.id AND code <> ALL (%(placeless)s)
          AND shipment_month = date_trunc('month', s.booked_at AT TIME ZONE 'UTC')::date
    ) AS heard
) AS here ON true
"""


class Silent(NamedTuple):
    """A parcel that nothing has been heard of, as its row has it."""

    shipment_id: int
    milestone: str
    code: str
    since: datetime
    facility_id: int | None
    seen_id: int | None
    origin_id: int
    destination_id: int
    pickup_point_id: int | None
    delivery_point_id: int | None
    booked_at: datetime
    pickup: str
    delivery: str
    only_folded: bool
    here_since: datetime | None


def age(session: Session, part: Mapping[str, Any]) -> int:
    """Work out the estimates anew of those parcels in a part of which nothing was heard in time.

    Args:
        session: of a tenant.
        part: `tenant`, `now`, and the ids `after` and `until` which parcels are looked at.

    Returns:
        How many were worked out here; a few others are asked for (`EstimateRequest`).
    """
    rows = [_utc(Silent(*row)) for row in execute_plain(session, _AGED, {**_CONSTANTS, **part})]
    if not rows:
        return 0
    legs = legs_by_shipment(session, [row.shipment_id for row in rows])
    places = network.routing_network(session)
    expected, others = _expected(rows, legs, places, load_history(session), part["now"])
    write_estimates(session, expected)
    _ask(session, others, part["now"])
    return len(expected)


def _expected(
    rows: Sequence[Silent],
    legs: Mapping[int, Sequence[Leg]],
    places: Network,
    history: LegHistory | None,
    now: datetime,
) -> tuple[dict[int, Outlook], list[int]]:
    """What is expected of each, and of which only all their scans tell."""
    known: dict[tuple[object, ...], Outlook | None] = {}
    expected: dict[int, Outlook] = {}
    others: list[int] = []
    # Thousands of parcels ask the same of the places' hours.
    ready_for_way = cache(partial(ready, places))
    rounds = cache(partial(last_mile, places))
    for row in rows:
        placed = None if row.only_folded else _placed(row, legs[row.shipment_id], ready_for_way)
        if placed is None:
            others.append(row.shipment_id)
            continue
        ahead, position = placed
        awaited = row.milestone == Milestone.BOOKED
        trips = tuple((leg.lane_id, leg.planned_departure_at) for leg in ahead)
        way_in = rounds(Handover(row.delivery), row.destination_id, row.delivery_point_id)
        key = trips, position, row.delivery, row.destination_id, row.delivery_point_id, awaited
        if key not in known:
            known[key] = _outlook(ahead, position, way_in, history, now, awaited=awaited)
        found = known[key]
        if found is None:
            others.append(row.shipment_id)
        else:
            expected[row.shipment_id] = found
    return expected, others


def _outlook(
    legs: Sequence[Leg],
    position: Position,
    rounds: LastMile,
    history: LegHistory | None,
    now: datetime,
    *,
    awaited: bool,
) -> Outlook | None:
    try:
        return outlook(
            legs,
            position,
            rounds=rounds,
            history=history,
            now=now,
            awaited=awaited,
        )
    except PromiseError:
        return None  # its legs are no chain: parts of an earlier route


def _placed(
    row: Silent, legs: Sequence[Leg], ready_for_way: Callable[..., datetime]
) -> tuple[Sequence[Leg], Position] | None:
    """The legs ahead and where it is before them, no finer than a minute; None where only its scans tell.

    As `tracking.position.position_of` has it: the scan that decided the state is the last one that had the
    parcel in hand.
    """
    code = ScanCode(row.code)
    if code in (ScanCode.ATTEMPT_FAILED, ScanCode.REFUSED):
        return (), Position(row.destination_id, _minute(row.since))
    if not legs:
        return None
    last_id = legs[-1].to_facility_id
    first = {leg.from_facility_id: place for place, leg in reversed(list(enumerate(legs)))}
    if row.milestone == Milestone.BOOKED:
        if row.seen_id is not None or legs[0].from_facility_id != row.origin_id:
            return None
        ready_at = ready_for_way(row.booked_at, Handover(row.pickup), row.origin_id, row.pickup_point_id)
        return legs, Position(row.origin_id, ready_at)
    place_id = row.facility_id
    if place_id is None and code in COLLECTING:
        return legs, Position(legs[0].from_facility_id, _minute(row.since))
    if code is ScanCode.DEPARTED and place_id in first and place_id != last_id:
        return legs[first[place_id] :], Position(place_id, _minute(row.since), departed=True)
    if place_id is None and code is ScanCode.OUT_FOR_DELIVERY:
        place_id = row.seen_id
    if place_id is None or row.here_since is None or place_id != row.seen_id:
        return None
    if place_id == last_id:
        return (), Position(place_id, _minute(row.here_since))
    if place_id not in first or code is ScanCode.COLLECTED:
        return None
    ahead = legs[first[place_id] :]
    # How long before its departure it came changes nothing.
    return ahead, Position(place_id, max(_minute(row.here_since), ahead[0].planned_departure_at))


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _utc(row: Silent) -> Silent:
    return row._replace(
        since=row.since.astimezone(UTC),
        booked_at=row.booked_at.astimezone(UTC),
        here_since=None if row.here_since is None else row.here_since.astimezone(UTC),
    )


def _ask(session: Session, shipment_ids: Sequence[int], now: datetime) -> None:
    for start in range(0, len(shipment_ids), _ASKED_TOGETHER):
        execute_plain(
            session,
            "INSERT INTO estimate_request (tenant_id, shipment_ids, asked_at) VALUES (%s, %s::bigint[], %s)",
            (tenant_of(session), arrays.numbers(shipment_ids[start : start + _ASKED_TOGETHER]), now),
        )
