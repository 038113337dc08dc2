"""The clock of the dock: a finding is settled as soon as its piece is seen again."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.config import Settings
from app.shipments.findings import CONTAINERS
from tracking.finding import FindingKind
from tracking.transitions import PLACELESS


def settle_findings(session: Session, _settings: Settings, now: datetime) -> int:
    """Close what was missing from a container or surplus in one and has been scanned by itself since.

    A scan of the outside of another container is no sight of the piece, and one that was declared an error is
    none at all. What is packed anew is settled when that is done.

    Returns:
        How many findings closed.
    """
    closed = session.execute(
        sa.text(_SETTLE),
        {
            "now": now,
            "source": f"{CONTAINERS}:",
            "kinds": [FindingKind.MISSING_FROM_CONTAINER.value, FindingKind.SURPLUS_IN_CONTAINER.value],
            "nowhere": sorted(PLACELESS),
        },
    )
    return len(closed.all())


_SETTLE = """
UPDATE shipment_finding AS finding SET closed_at = :now
FROM shipment
WHERE shipment.id = finding.shipment_id AND finding.closed_at IS NULL AND finding.kind = ANY (:kinds)
AND starts_with(finding.finding_key, :source)
AND EXISTS (
    SELECT FROM scan
    WHERE scan.shipment_id = shipment.id
    AND scan.shipment_month = date_trunc('month', shipment.booked_at AT TIME ZONE 'UTC')::date
    AND scan.container_id IS NULL AND scan.code <> ALL (:nowhere)
    AND least(scan.occurred_at, scan.received_at) > finding.opened_at
    AND coalesce(scan.piece_no, (finding.details ->> 'piece_no')::bigint)
        = (finding.details ->> 'piece_no')::bigint
    AND NOT EXISTS (
        SELECT FROM scan AS correction
        WHERE correction.corrects = scan.scan_key AND correction.shipment_month = scan.shipment_month
    )
)
RETURNING finding.id
"""
