"""Findings as rows: opened once, closed when they no longer hold, opened again when they do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.db import arrays
from app.db.session import execute_plain, tenant_of
from app.shipments.models import ShipmentFinding
from tracking.finding import Finding

# Who finds; the fold and the watch do not close each other's findings.
FOLD, WATCH = "fold", "watch"


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
    stored = {
        (row.shipment_id, row.finding_key): row
        for row in session.scalars(
            sa.select(ShipmentFinding)
            .where(
                ShipmentFinding.shipment_id == sa.any_(sa.literal(list(found), sa.ARRAY(sa.BigInteger))),
                _of(source),
            )
            .with_for_update(skip_locked=True)
        )
    }
    wanted = {
        (shipment_id, f"{source}:{finding.key}"): finding
        for shipment_id, findings in found.items()
        for finding in findings
    }
    changed = 0
    for key, row in stored.items():
        finding = wanted.get(key)
        if row.closed_at is None and finding is None:
            row.closed_at = now
            changed += 1
        elif row.closed_at is not None and finding is not None:
            row.closed_at, row.opened_at, row.details = None, finding.since, _details(finding)
            changed += 1
    fresh: dict[int, list[Finding]] = defaultdict(list)
    for (shipment_id, finding_key), finding in wanted.items():
        if (shipment_id, finding_key) not in stored:
            fresh[shipment_id].append(finding)
    open_findings(session, fresh, source=source)
    return changed + sum(map(len, fresh.values()))


def open_findings(session: Session, found: Mapping[int, Sequence[Finding]], *, source: str) -> None:
    """Open findings beside those that stand; one that is known already stays as it is."""
    rows = [
        {
            "tenant_id": tenant_of(session),
            "shipment_id": shipment_id,
            "finding_key": f"{source}:{finding.key}",
            "kind": finding.kind,
            "details": _details(finding),
            "opened_at": finding.since,
        }
        for shipment_id, findings in found.items()
        for finding in findings
    ]
    if rows:
        session.execute(insert(ShipmentFinding).on_conflict_do_nothing(), rows)


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
    ids = {finding_id for (finding_id,) in closed}
    for held in session.identity_map.values():
        if ids and isinstance(held, ShipmentFinding) and held.id in ids:
            session.expire(held)  # what the session holds of it is old now


def _of(source: str) -> sa.ColumnElement[bool]:
    return ShipmentFinding.finding_key.startswith(f"{source}:", autoescape=True)


def _details(finding: Finding) -> dict[str, object]:
    return {"evidence": list(finding.evidence), **dict(finding.parameters)}
