"""Findings as rows: opened once, closed when they no longer hold, opened again when they do."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from app.db import arrays
from app.db.session import execute_plain, tenant_of
from app.shipments.finding_models import ShipmentFinding
from tracking.finding import Finding

# Who finds; the fold, the watch and the dock do not close each other's findings.
FOLD, WATCH, CONTAINERS = "fold", "watch", "container"


def store_findings(
    session: Session, found: Mapping[int, Sequence[Finding]], *, source: str, now: datetime
) -> int:
    """Open what is new, close what is gone, leave the rest; gives how many rows changed.

    Args:
        session: of the shipments' tenant.
        found: for each shipment looked at, all that holds of it now; nothing where all is well.
        source: `FOLD` or `WATCH`.
        now: when a finding that is gone is closed.
    """
    if not found:
        return 0
    changed = execute_plain(
        session,
        _STORE,
        {
            **_columns(found, source),
            "tenant": tenant_of(session),
            "ids": arrays.numbers(found),
            "prefix": f"{source}:",
            "now": now,
        },
    )
    _expire(session, changed)
    return len(changed)


def open_findings(session: Session, found: Mapping[int, Sequence[Finding]], *, source: str) -> None:
    """Open findings beside those that stand; one that is known already stays as it is."""
    if any(found.values()):
        execute_plain(session, _OPEN, {**_columns(found, source), "tenant": tenant_of(session)})


def _columns(found: Mapping[int, Sequence[Finding]], source: str) -> dict[str, str]:
    pairs = [(shipment_id, finding) for shipment_id, findings in found.items() for finding in findings]
    return {
        "shipments": arrays.numbers([shipment_id for shipment_id, _finding in pairs]),
        "keys": arrays.texts([f"{source}:{finding.key}" for _id, finding in pairs]),
        "kinds": arrays.texts([finding.kind.value for _id, finding in pairs]),
        "details": arrays.texts([_details(finding) for _id, finding in pairs]),
        "since": arrays.moments([finding.since for _id, finding in pairs]),
    }


def close_findings(session: Session, shipment_ids: Collection[int], *, source: str, now: datetime) -> None:
    """Close what is open about shipments that need no watching any more.

    What a running watch holds is left to its next run: scans never wait for it.
    """
    if not shipment_ids:
        return
    closed = execute_plain(
        session,
        "UPDATE shipment_finding SET closed_at = %s WHERE id IN (SELECT id FROM shipment_finding "
        "WHERE shipment_id = ANY (%s::bigint[]) AND closed_at IS NULL AND starts_with(finding_key, %s) "
        "FOR UPDATE SKIP LOCKED) RETURNING id",
        (now, arrays.numbers(shipment_ids), f"{source}:"),
    )
    _expire(session, closed)


def _expire(session: Session, changed: Collection[tuple[int]]) -> None:
    """What the session holds of rows that a statement has changed is old now."""
    ids = {finding_id for (finding_id,) in changed}
    for held in session.identity_map.values():
        if ids and isinstance(held, ShipmentFinding) and held.id in ids:
            session.expire(held)


def _details(finding: Finding) -> str:
    return msgspec.json.encode({"evidence": list(finding.evidence), **dict(finding.parameters)}).decode()


_OPEN = """
INSERT INTO shipment_finding (tenant_id, shipment_id, finding_key, kind, details, opened_at)
SELECT %(tenant)s, given.*
FROM unnest(%(shipments)s::bigint[], %(keys)s::text[], %(kinds)s::text[], %(details)s::jsonb[],
    %(since)s::timestamptz[]) AS given
ON CONFLICT DO NOTHING
"""
# What somebody else has locked stays as it is: scans wait for nobody who looks at findings.
_STORE = """
WITH wanted AS MATERIALIZED (
    SELECT * FROM unnest(%(shipments)s::bigint[], %(keys)s::text[], %(kinds)s::text[], %(details)s::jsonb[],
        %(since)s::timestamptz[]) AS wanted (shipment_id, finding_key, kind, details, since)
),
stored AS MATERIALIZED (
    SELECT id, shipment_id, finding_key, closed_at FROM shipment_finding
    WHERE shipment_id = ANY (%(ids)s::bigint[]) AND starts_with(finding_key, %(prefix)s)
    FOR UPDATE SKIP LOCKED
),
closed AS (
    UPDATE shipment_finding AS finding SET closed_at = %(now)s
    FROM stored
    WHERE finding.id = stored.id AND stored.closed_at IS NULL AND NOT EXISTS (
        SELECT FROM wanted
        WHERE wanted.shipment_id = stored.shipment_id AND wanted.finding_key = stored.finding_key
    )
    RETURNING finding.id
),
opened_again AS (
    UPDATE shipment_finding AS finding
    SET closed_at = NULL, opened_at = wanted.since, details = wanted.details,
        acknowledged_at = NULL, snoozed_until = NULL
    FROM stored
    JOIN wanted ON wanted.shipment_id = stored.shipment_id AND wanted.finding_key = stored.finding_key
    WHERE finding.id = stored.id AND stored.closed_at IS NOT NULL
    RETURNING finding.id
),
opened AS (
    INSERT INTO shipment_finding (tenant_id, shipment_id, finding_key, kind, details, opened_at)
    SELECT %(tenant)s, wanted.* FROM wanted
    WHERE NOT EXISTS (
        SELECT FROM stored
        WHERE stored.shipment_id = wanted.shipment_id AND stored.finding_key = wanted.finding_key
    )
    ON CONFLICT DO NOTHING
    RETURNING id
)
SELECT id FROM closed UNION ALL SELECT id FROM opened_again UNION ALL SELECT id FROM opened
"""
