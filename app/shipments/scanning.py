"""A scan arrives: checked, recorded once, folded into the state, told to the others.

Rows go in by one statement, sorted by (device, client_scan_id) so that two senders of the same scans never
wait for each other crosswise; only then are the shipments locked, in id order, and folded from all their
scans by `tracking.lifecycle.fold`. The order of arrival and repetitions make no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts.roles import Role, Scope
from app.actor import Actor
from app.db.session import tenant_of
from app.errors import ForbiddenError
from app.network.models import Facility
from app.shipments import folding
from app.shipments.models import DeliveryProof, ProofKind, ScanRecord, Shipment, UnmatchedScan
from app.shipments.values import scan_key
from tracking.numbers import normalise
from tracking.shipment import OFFSET_MINUTES_MAX, OFFSET_MINUTES_MIN, ScanCode

BATCH_MAX = 10_000
_FUTURE_MAX = timedelta(days=2)
_PAST_MAX = timedelta(days=400)
PROOF_BYTES_MAX = 300_000
DELIVERED = frozenset(
    {ScanCode.DELIVERED, ScanCode.DELIVERED_TO_PROXY, ScanCode.TAKEN_FROM_POINT, ScanCode.TAKEN_FROM_LOCKER}
)
# What only the service itself records, through the door that belongs to it.
_NOT_BY_DEVICE = frozenset({ScanCode.BOOKED, ScanCode.RECEIPT_CONFIRMED, ScanCode.CANCELLED})


@dataclass(frozen=True, slots=True)
class ProofInput:
    """Who received it and how that is proved."""

    kind: ProofKind
    received_by: str
    content_type: str | None = None
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class ScanInput:
    """One scan as a device sends it; `occurred_at` is the device's time, aware."""

    number: str
    code: str
    occurred_at: datetime
    offset_minutes: int
    device_id: str
    client_scan_id: str
    facility_id: int | None = None
    courier_id: int | None = None
    reason: str | None = None
    corrects: str | None = None
    proof: ProofInput | None = None


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What became of one scan.

    `status`: recorded, duplicate (heard before, the same), conflict (heard before with other content; the
    first stays), unmatched (kept, but nobody booked the number), rejected (not kept; `detail` says why).
    """

    status: str
    client_scan_id: str
    number: str
    scan_key: str | None = None
    milestone: str | None = None
    detail: str | None = None


def record_scans(
    session: Session, actor: Actor | None, scans: Sequence[ScanInput], *, now: datetime
) -> list[ScanResult]:
    """Record scans and bring the state of every shipment they touch up to date.

    Args:
        session: of the scans' tenant.
        actor: whose device sends them; None for the service itself (confirmed receipts).
        scans: at most `BATCH_MAX`, in any order.
        now: the server's time, kept beside the device's.

    Returns:
        One result a scan, in the order given.

    Raises:
        ForbiddenError: the asker may not record scans at all.
    """
    if actor is not None and not actor.may(Scope.SCANS_WRITE):
        raise ForbiddenError("this needs the scope scans:write")
    facility_ids = _known_facilities(session, scans)
    reasons = [_refusal(actor, scan, facility_ids, now) for scan in scans]
    good = [scan for scan, reason in zip(scans, reasons, strict=True) if reason is None]
    shipments = _shipments_by_number(session, good)
    matched = [scan for scan in good if normalise(scan.number) in shipments]
    recorded = _insert(session, actor, matched, shipments, now)
    same = _heard_before(session, matched, recorded)
    _keep_unmatched(session, [scan for scan in good if normalise(scan.number) not in shipments], now)
    _add_proofs(session, matched, shipments, recorded, now)
    touched = {shipments[normalise(scan.number)] for scan in matched if _key(session, scan) in recorded}
    milestones = folding.refold(session, touched, now=now)

    results = []
    for scan, reason in zip(scans, reasons, strict=True):
        number = normalise(scan.number)
        key = _key(session, scan)
        if reason is not None:
            results.append(ScanResult("rejected", scan.client_scan_id, number, detail=reason))
        elif number not in shipments:
            results.append(ScanResult("unmatched", scan.client_scan_id, number))
        elif key in recorded:
            recorded.discard(key)  # the same scan twice in one batch: the second is a duplicate
            milestone = milestones[shipments[number]]
            results.append(ScanResult("recorded", scan.client_scan_id, number, key, milestone))
        elif _content(scan) == same.get(key, _content(scan)):
            results.append(ScanResult("duplicate", scan.client_scan_id, number, key))
        else:
            detail = "this device sent other content under the same client_scan_id before; that stays"
            results.append(ScanResult("conflict", scan.client_scan_id, number, key, detail=detail))
    return results


def _refusal(actor: Actor | None, scan: ScanInput, facility_ids: set[int], now: datetime) -> str | None:
    """Why a scan cannot be kept; None when it can."""
    if scan.code not in ScanCode.__members__.values():
        return f"{scan.code!r} is no scan code"
    if actor is not None and scan.code in _NOT_BY_DEVICE:
        return f"{scan.code} is not recorded by a device"
    if not (scan.device_id and scan.client_scan_id and len(scan.client_scan_id) <= 200):
        return "device_id and client_scan_id must not be empty or too long"
    if scan.occurred_at.tzinfo is None:
        return "occurred_at needs an offset"
    if not OFFSET_MINUTES_MIN <= scan.offset_minutes <= OFFSET_MINUTES_MAX:
        return "offset_minutes is out of range"
    if not now - _PAST_MAX <= scan.occurred_at <= now + _FUTURE_MAX:
        return "occurred_at is more than 400 days ago or two days ahead: the device's clock is wrong"
    if scan.code == ScanCode.VOIDED and not scan.corrects:
        return "a voided scan names the scan it corrects"
    if scan.facility_id is not None and scan.facility_id not in facility_ids:
        return f"there is no facility {scan.facility_id}"
    if scan.proof is not None:
        if scan.code not in DELIVERED:
            return "only a delivery carries a proof"
        if not scan.proof.received_by.strip():
            return "the proof names nobody who received it"
        if scan.proof.content is not None and len(scan.proof.content) > PROOF_BYTES_MAX:
            return f"the proof is larger than {PROOF_BYTES_MAX} bytes"
    return _not_yours(actor, scan)


def _not_yours(actor: Actor | None, scan: ScanInput) -> str | None:
    """A hub's login scans at its own facility, a courier's as himself."""
    if actor is None or actor.subject_id is None:
        return None
    if actor.role == Role.HUB and scan.facility_id not in (None, actor.subject_id):
        return "this login scans at its own facility only"
    if actor.role == Role.COURIER and scan.courier_id not in (None, actor.subject_id):
        return "this login scans for its own courier only"
    return None


def _known_facilities(session: Session, scans: Iterable[ScanInput]) -> set[int]:
    asked = {scan.facility_id for scan in scans if scan.facility_id is not None}
    if not asked:
        return set()
    return set(session.scalars(sa.select(Facility.id).where(Facility.id.in_(asked))))


def _shipments_by_number(session: Session, scans: Iterable[ScanInput]) -> dict[str, int]:
    numbers = {normalise(scan.number) for scan in scans}
    if not numbers:
        return {}
    rows = session.execute(
        sa.select(Shipment.waybill_number, Shipment.id).where(
            Shipment.waybill_number == sa.any_(sa.literal(sorted(numbers), sa.ARRAY(sa.Text)))
        )
    )
    return dict(rows.tuples().all())


def _key(session: Session, scan: ScanInput) -> str:
    return scan_key(tenant_of(session), scan.device_id, scan.client_scan_id)


def _insert(
    session: Session,
    actor: Actor | None,
    scans: Sequence[ScanInput],
    shipments: dict[str, int],
    now: datetime,
) -> set[str]:
    """Insert what is new; gives the keys of what went in."""
    rows: dict[str, dict[str, Any]] = {}
    for scan in scans:
        key = _key(session, scan)
        if key not in rows:
            rows[key] = _row(session, actor, scan, key, shipments[normalise(scan.number)], now)
    if not rows:
        return set()
    in_order = sorted(rows.values(), key=lambda row: (row["device_id"], row["client_scan_id"]))
    statement = insert(ScanRecord).on_conflict_do_nothing().returning(ScanRecord.scan_key)
    return set(session.scalars(statement, in_order))


def _row(
    session: Session, actor: Actor | None, scan: ScanInput, key: str, shipment_id: int, now: datetime
) -> dict[str, Any]:
    stands_for = None if actor is None else actor.subject_id
    role = None if actor is None else actor.role
    return {
        "tenant_id": tenant_of(session),
        "scan_key": key,
        "shipment_id": shipment_id,
        "device_id": scan.device_id,
        "client_scan_id": scan.client_scan_id,
        "code": ScanCode(scan.code),
        "occurred_at": scan.occurred_at,
        "offset_minutes": scan.offset_minutes,
        "received_at": now,
        "facility_id": scan.facility_id or (stands_for if role == Role.HUB else None),
        "courier_id": scan.courier_id or (stands_for if role == Role.COURIER else None),
        "user_id": None if actor is None else actor.user_id,
        "reason": scan.reason,
        "corrects": scan.corrects,
    }


def _content(scan: ScanInput) -> tuple[str, str, datetime]:
    """What may not differ when a scan is sent again."""
    return normalise(scan.number), scan.code, scan.occurred_at


def _heard_before(
    session: Session, scans: Iterable[ScanInput], recorded: set[str]
) -> dict[str, tuple[str, str, datetime]]:
    """The content that was stored earlier under the keys that did not go in now."""
    keys = {_key(session, scan) for scan in scans} - recorded
    if not keys:
        return {}
    rows = session.execute(
        sa.select(ScanRecord.scan_key, Shipment.waybill_number, ScanRecord.code, ScanRecord.occurred_at)
        .join(Shipment, Shipment.id == ScanRecord.shipment_id)
        .where(ScanRecord.scan_key == sa.any_(sa.literal(sorted(keys), sa.ARRAY(sa.Text))))
    )
    return {key: (number, code, occurred_at) for key, number, code, occurred_at in rows}


def _keep_unmatched(session: Session, scans: Sequence[ScanInput], now: datetime) -> None:
    rows = {
        (scan.device_id, scan.client_scan_id): {
            "tenant_id": tenant_of(session),
            "device_id": scan.device_id,
            "client_scan_id": scan.client_scan_id,
            "number": normalise(scan.number)[:100],
            "body": {
                "code": scan.code,
                "occurred_at": scan.occurred_at.isoformat(),
                "offset_minutes": scan.offset_minutes,
                "facility_id": scan.facility_id,
                "courier_id": scan.courier_id,
                "reason": scan.reason,
            },
            "received_at": now,
        }
        for scan in scans
    }
    if rows:
        session.execute(
            insert(UnmatchedScan).on_conflict_do_nothing(), [row for _key, row in sorted(rows.items())]
        )


def _add_proofs(
    session: Session,
    scans: Iterable[ScanInput],
    shipments: dict[str, int],
    recorded: set[str],
    now: datetime,
) -> None:
    proofs = {
        _key(session, scan): (scan, scan.proof)
        for scan in scans
        if scan.proof is not None and _key(session, scan) in recorded
    }
    session.add_all(
        DeliveryProof(
            tenant_id=tenant_of(session),
            shipment_id=shipments[normalise(scan.number)],
            scan_key=key,
            kind=proof.kind,
            received_by=proof.received_by.strip(),
            content_type=proof.content_type,
            content=proof.content,
            at=now,
        )
        for key, (scan, proof) in proofs.items()
    )
