"""The rules of `tracking.watch` over stored states, as statements over many shipments at once.

What `tracking.watch` asks of a parcel's scans stands on its row already: while a parcel has not ended, the
scan that decided its state is the last one that had it in hand. So all rules but one are conditions on the
row. Only a parcel off its route asks for its scans, to name the first one that saw it astray; there are few,
and the engine itself decides of them. tests/app/shipments/test_watch_oracle.py holds both against each other.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from app.shipments.beside import POINT_KINDS
from app.shipments.estimates import COMING
from app.shipments.findings import WATCH
from tracking.shipment import Milestone
from tracking.watch import CONFIRM_WITHIN_S, PICKUP_WITHIN_S, QUIET_S

CONSTANTS: Final = {
    "prefix": f"{WATCH}:",
    "owed_no_time": [Milestone.RETURNING.value, Milestone.READY_FOR_PICKUP.value],
    "coming": sorted(milestone.value for milestone in COMING),
    "not_in_hand": [Milestone.PENDING.value, Milestone.BOOKED.value, Milestone.READY_FOR_PICKUP.value],
    "points": sorted(kind.value for kind in POINT_KINDS),
    "quiet": timedelta(seconds=QUIET_S),
    "pickup_within": timedelta(seconds=PICKUP_WITHIN_S),
    "confirm_within": timedelta(seconds=CONFIRM_WITHIN_S),
}
"""Parameters that are the same in every run; `tenant`, `now` and `unconfirmed_since` come with each."""

_SHIPMENTS = "(shipment JOIN shipment_state ON shipment_id = id) AS s"
# Said of both, since the planner carries only equalities from one table to the other.
_PART = "s.id > %(after)s AND s.id <= %(until)s AND s.shipment_id > %(after)s AND s.shipment_id <= %(until)s"

_QUIET_UNTIL = """CASE
    WHEN s.quiet_until_at > s.state_since AND s.milestone = ANY (%(coming)s) THEN s.quiet_until_at
    ELSE s.state_since + %(quiet)s
END"""

# Every rule that a row decides, as it holds of the shipment `s`; details as the engine's parameters.
_HOLDS = f"""
CROSS JOIN LATERAL (
    SELECT 'late' AS kind, 'late' AS key, s.promised_to_at AS since, jsonb_build_object(
        'late_s', floor(extract(epoch FROM %(now)s - s.promised_to_at))::bigint) AS parameters
    WHERE NOT s.terminal AND s.promised_to_at < %(now)s AND s.milestone <> ALL (%(owed_no_time)s)
    UNION ALL
    SELECT 'expected_late', 'expected_late', s.state_since, jsonb_build_object(
        'late_s', floor(extract(epoch FROM s.estimate_p50_at - s.promised_to_at))::bigint)
    WHERE NOT s.terminal AND s.promised_to_at >= %(now)s AND s.estimate_p50_at > s.promised_to_at
      AND s.milestone = ANY (%(coming)s)
    UNION ALL
    SELECT 'stuck', 'stuck:' || s.state_scan_key, {_QUIET_UNTIL}, jsonb_strip_nulls(jsonb_build_object(
        'silent_s', floor(extract(epoch FROM %(now)s - s.state_since))::bigint,
        'quiet_s', floor(extract(epoch FROM {_QUIET_UNTIL} - s.state_since))::bigint,
        'facility_id', s.state_facility_id))
    WHERE NOT s.terminal AND s.milestone <> ALL (%(not_in_hand)s) AND {_QUIET_UNTIL} < %(now)s
    UNION ALL
    SELECT 'pickup_overdue', 'pickup_overdue', s.state_since + %(pickup_within)s, jsonb_build_object(
        'overdue_s', floor(extract(epoch FROM %(now)s - s.state_since - %(pickup_within)s))::bigint)
    WHERE s.milestone = 'ready_for_pickup' AND s.state_since + %(pickup_within)s < %(now)s
    UNION ALL
    SELECT 'unconfirmed', 'unconfirmed', s.delivered_at + %(confirm_within)s, jsonb_build_object(
        'delivered_s', floor(extract(epoch FROM %(now)s - s.delivered_at))::bigint)
    WHERE s.milestone = 'delivered' AND s.receipt_confirmed_at IS NULL
      AND s.delivered_at >= %(unconfirmed_since)s AND s.delivered_at + %(confirm_within)s < %(now)s
) AS found
"""

# Seen last at a facility that is neither on its route nor where it changes hands. `of_part` may narrow the
# legs to those of a part of the shipments, which are then read in one go.
_ASTRAY = """
    NOT s.terminal AND s.milestone <> 'returning' AND s.seen_facility_id IS NOT NULL
    AND s.seen_facility_id IS DISTINCT FROM s.pickup_point_id
    AND s.seen_facility_id IS DISTINCT FROM s.delivery_point_id
    AND NOT EXISTS (
        SELECT FROM shipment_leg AS leg
        WHERE leg.shipment_id = s.id AND s.seen_facility_id IN (leg.from_facility_id, leg.to_facility_id)
          {of_part}
    )
    AND EXISTS (SELECT FROM shipment_leg AS leg WHERE leg.shipment_id = s.id)
"""

# A store or locker that hangs on a facility of the route is beside it; asked of those alone that seem astray.
_BESIDE = """EXISTS (
        SELECT FROM facility AS point
        JOIN shipment_leg AS leg ON point.parent_id IN (leg.from_facility_id, leg.to_facility_id)
        WHERE point.id = s.seen_facility_id AND point.kind = ANY (%(points)s) AND leg.shipment_id = s.id
    )"""

_LEGS_OF_PART = "AND leg.shipment_id > %(after)s AND leg.shipment_id <= %(until)s"

# Opened once: what is open stays as it is, what had closed opens again.
_OPEN_AGAIN = """
ON CONFLICT (shipment_id, finding_key) DO UPDATE
SET closed_at = NULL, opened_at = excluded.opened_at, details = excluded.details,
    acknowledged_at = NULL, snoozed_until = NULL
WHERE shipment_finding.closed_at IS NOT NULL
RETURNING shipment_id, kind
"""

_OPEN = f"""
INSERT INTO shipment_finding (tenant_id, shipment_id, finding_key, kind, details, opened_at)
SELECT s.tenant_id, s.id, %(prefix)s || found.key, found.kind,
       found.parameters || jsonb_build_object('evidence', jsonb_build_array(s.state_scan_key)), found.since
FROM {_SHIPMENTS} {_HOLDS}
WHERE s.tenant_id = %(tenant)s AND {{part}}
  AND NOT EXISTS (
      SELECT FROM shipment_finding AS known
      WHERE known.shipment_id = s.id AND known.finding_key = %(prefix)s || found.key
        AND known.closed_at IS NULL
      OFFSET 0  -- one look into the index for each that holds, instead of reading all that stand
  )
{_OPEN_AGAIN}
"""

UNDER_WAY_PART: Final = """
SELECT max(id) FROM (
    SELECT id FROM shipment_state JOIN shipment ON id = shipment_id
    WHERE tenant_id = %(tenant)s AND NOT terminal AND shipment_id > %(after)s
    ORDER BY shipment_id LIMIT %(limit)s
) AS part
"""
OPEN_UNDER_WAY: Final = _OPEN.format(part=f"NOT s.terminal AND {_PART}")

DELIVERED_PART: Final = """
SELECT max(delivered_at) FROM (
    SELECT delivered_at FROM shipment_state JOIN shipment ON id = shipment_id
    WHERE tenant_id = %(tenant)s AND receipt_confirmed_at IS NULL
      AND delivered_at > %(after)s AND delivered_at < %(now)s - %(confirm_within)s
    ORDER BY delivered_at LIMIT %(limit)s
) AS part
"""
OPEN_DELIVERED: Final = _OPEN.format(
    part="s.receipt_confirmed_at IS NULL AND s.delivered_at > %(after)s AND s.delivered_at <= %(until)s"
)

ASTRAY: Final = f"""
SELECT s.id, s.booked_at, s.pieces, s.pickup_point_id, s.delivery_point_id FROM (
    SELECT s.* FROM {_SHIPMENTS}
    WHERE s.tenant_id = %(tenant)s AND {_PART}
      AND {_ASTRAY.format(of_part=_LEGS_OF_PART)}
    OFFSET 0
) AS s
WHERE NOT {_BESIDE}
"""
OPEN_GIVEN: Final = f"""
INSERT INTO shipment_finding (tenant_id, shipment_id, finding_key, kind, details, opened_at)
SELECT %(tenant)s, given.*
FROM unnest(%(ids)s::bigint[], %(keys)s::text[], %(kinds)s::text[], %(details)s::jsonb[],
    %(since)s::timestamptz[]) AS given
{_OPEN_AGAIN}
"""
CLOSE_OTHERS: Final = """
UPDATE shipment_finding SET closed_at = %(now)s
WHERE id IN (
    SELECT id FROM shipment_finding
    WHERE shipment_id = ANY (%(ids)s::bigint[]) AND closed_at IS NULL AND kind = 'misrouted'
      AND starts_with(finding_key, %(prefix)s) AND finding_key <> ALL (%(keys)s::text[])
    FOR UPDATE SKIP LOCKED
)
RETURNING id
"""

STANDING_PART: Final = """
SELECT opened_at, id FROM shipment_finding
WHERE tenant_id = %(tenant)s AND closed_at IS NULL AND (opened_at, id) > (%(after)s, %(after_id)s)
ORDER BY opened_at, id OFFSET %(limit)s - 1 LIMIT 1
"""
# Locked rows are left to the next run: a scan that closes them itself is never waited for.
CLOSE: Final = f"""
UPDATE shipment_finding SET closed_at = %(now)s
WHERE id IN (
    SELECT standing.id
    FROM shipment_finding AS standing
    JOIN {_SHIPMENTS} ON s.id = standing.shipment_id
    WHERE standing.tenant_id = %(tenant)s AND standing.closed_at IS NULL
      AND (standing.opened_at, standing.id) > (%(after)s, %(after_id)s)
      AND (standing.opened_at, standing.id) <= (%(until)s, %(until_id)s)
      AND starts_with(standing.finding_key, %(prefix)s)
      AND CASE WHEN standing.kind = 'misrouted' THEN NOT ({_ASTRAY.format(of_part="")} AND NOT {_BESIDE})
      ELSE NOT EXISTS (
          SELECT FROM (SELECT) AS one {_HOLDS} WHERE %(prefix)s || found.key = standing.finding_key
      ) END
    FOR UPDATE OF standing SKIP LOCKED
)
RETURNING id
"""
