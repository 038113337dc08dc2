"""Scans of numbers that nobody booked: kept whole, and recorded as soon as the number is known."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.actor import Actor
from app.db.session import tenant_of
from app.pagination import Page, decode_cursor, page_of
from app.shipments.models import ProofKind, Shipment, UnmatchedScan
from app.shipments.scan_values import Heard, ProofInput, ScanInput


def keep(session: Session, actor: Actor | None, heard: Iterable[Heard], now: datetime) -> None:
    """Keep scans of unknown numbers; one that was kept before stays as it was."""
    rows = {
        (one.scan.device_id, one.scan.client_scan_id): {
            "tenant_id": tenant_of(session),
            "device_id": one.scan.device_id,
            "client_scan_id": one.scan.client_scan_id,
            "number": one.number,
            "body": _body(actor, one),
            "received_at": now,
        }
        for one in heard
    }
    if rows:
        in_order = [row for _key, row in sorted(rows.items())]
        session.execute(insert(UnmatchedScan).on_conflict_do_nothing(), in_order)


def now_known(session: Session, limit: int) -> Sequence[UnmatchedScan]:
    """Kept scans whose number has been booked since, oldest first; locks them, and skips what is locked."""
    return session.scalars(
        sa.select(UnmatchedScan)
        .join(Shipment, Shipment.waybill_number == UnmatchedScan.number)
        .where(UnmatchedScan.resolved_at.is_(None), Shipment.tenant_id == UnmatchedScan.tenant_id)
        .order_by(UnmatchedScan.id)
        .limit(limit)
        .with_for_update(of=UnmatchedScan, skip_locked=True)
    ).all()


def waiting(session: Session, cursor: str | None, limit: int) -> Page[UnmatchedScan]:
    """Scans of unknown numbers that wait for somebody, oldest first."""
    statement = sa.select(UnmatchedScan).where(UnmatchedScan.resolved_at.is_(None))
    if cursor is not None:
        (last_id,) = decode_cursor(cursor, tuple[int])
        statement = statement.where(UnmatchedScan.id > last_id)
    rows = session.scalars(statement.order_by(UnmatchedScan.id).limit(limit + 1)).all()
    return page_of(rows, limit, lambda row: (row.id,))


def as_sent(row: UnmatchedScan) -> ScanInput:
    """The scan as its device sent it."""
    body = row.body
    proof = body["proof"]
    return ScanInput(
        number=row.number,
        code=body["code"],
        occurred_at=datetime.fromisoformat(body["occurred_at"]),
        offset_minutes=body["offset_minutes"],
        device_id=row.device_id,
        client_scan_id=row.client_scan_id,
        facility_id=body["facility_id"],
        courier_id=body["courier_id"],
        reason=body["reason"],
        corrects=body["corrects"],
        piece_no=body["piece_no"],
        proof=None if proof is None else _proof(proof),
    )


def _body(actor: Actor | None, one: Heard) -> dict[str, Any]:
    scan, proof = one.scan, one.scan.proof
    return {
        "code": one.code.value,
        "occurred_at": scan.occurred_at.isoformat(),
        "offset_minutes": scan.offset_minutes,
        "facility_id": one.facility_id,
        "courier_id": one.courier_id,
        "reason": scan.reason,
        "corrects": scan.corrects,
        "piece_no": one.piece_no,
        "user_id": None if actor is None else actor.user_id,
        "proof": None
        if proof is None
        else {
            "kind": proof.kind.value,
            "received_by": proof.received_by,
            "content_type": proof.content_type,
            "content": None if proof.content is None else base64.b64encode(proof.content).decode(),
        },
    }


def _proof(stored: dict[str, Any]) -> ProofInput:
    content = stored["content"]
    return ProofInput(
        ProofKind(stored["kind"]),
        stored["received_by"],
        stored["content_type"],
        None if content is None else base64.b64decode(content),
    )
