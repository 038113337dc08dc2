"""Parcels that have travelled: their scans stored as if they had been heard in the order of time."""

from __future__ import annotations

import _measure  # noqa: F401 - puts the project on the path

from tests.support.multitude import BOOKED_AT, World

LIFE = (
    *("collected", "accepted", "sorted", "departed", "arrived", "sorted"),
    *("departed", "arrived", "sorted", "departed", "arrived"),
)
"""What each parcel has behind it beside its booking: twelve scans together."""


def parcels_for(scans: int) -> int:
    """How many parcels it takes to have so many scans, their bookings among them."""
    return max(1, scans // (len(LIFE) + 1))


def let_travel(world: World, first: int = 0) -> int:
    """Let parcels travel up to their last outlet but one; gives how many scans are stored then.

    Args:
        world: whose parcels have not been scanned yet.
        first: the place of the first of them that travels; those before stay where they are.
    """
    values = {
        "codes": list(LIFE),
        "steps": len(LIFE),
        "at": BOOKED_AT,
        "month": BOOKED_AT.date().replace(day=1),
        "facilities": list(world.facility_ids),
        "first": world.shipment_ids[0] + first,
    }
    with world.connect() as connection:
        # In the order of time, as they are heard: the scans of one parcel lie in a dozen different pages.
        connection.execute(_SCANS, values)
        connection.execute(_STATES, values)
        connection.execute("VACUUM ANALYZE scan, shipment, shipment_state")
        row = connection.execute("SELECT count(*) FROM scan").fetchone()
    assert row is not None, "a count has one row"
    return int(row[0])


_SCANS = """
INSERT INTO scan (tenant_id, scan_key, shipment_id, shipment_month, device_id, client_scan_id, code,
    occurred_at, offset_minutes, received_at, facility_id)
SELECT tenant_id, md5(id || '-' || step), id, %(month)s, 'belt', id || '-' || step, (%(codes)s::text[])[step],
    %(at)s + step * interval '3 hours', 480, %(at)s + step * interval '3 hours',
    (%(facilities)s::bigint[])[1 + (id + step / 3) %% cardinality(%(facilities)s::bigint[])]
FROM generate_series(1, %(steps)s) AS step, shipment
WHERE id >= %(first)s
ORDER BY step, id
"""
_STATES = """
UPDATE shipment_state SET milestone = 'in_transit', code = (%(codes)s::text[])[%(steps)s],
    state_since = %(at)s + %(steps)s * interval '3 hours',
    trail = decode(repeat('00', 9 * (1 + %(steps)s)), 'hex'), -- as wide as a true one; nobody reads it here
    state_facility_id =
        (%(facilities)s::bigint[])[1 + (shipment_id + %(steps)s / 3) %% cardinality(%(facilities)s::bigint[])]
WHERE shipment_id >= %(first)s
"""
