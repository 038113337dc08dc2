"""A scan arrives: checked, recorded once, folded into the state, told to the others.

Rows go in by one statement, sorted by (device, client_scan_id) so that two senders of the same scans never
wait for each other crosswise; only then are the shipments locked, in id order, and folded from all their
scans by `tracking.lifecycle.fold`. The order of arrival and repetitions make no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts.roles import Role, Scope
from app.actor import Actor
from app.db.session import tenant_of
from app.errors import ForbiddenError, InvalidInputError
from app.network.models import Facility
from app.shipments import folding, unmatched
from app.shipments.models import DeliveryProof, ScanRecord, Shipment
from app.shipments.scan_values import ID_MAX, Heard, Refusal, Refused, ScanInput, ScanResult, refusal

BATCH_MAX = 10_000


@dataclass(frozen=True, slots=True)
class _Known:
    """What recording needs to know of a shipment before it is locked."""

    shipment_id: int
    pieces: int


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
        InvalidInputError: there are more than `BATCH_MAX`.
    """
    if actor is not None and not actor.may(Scope.SCANS_WRITE):
        raise ForbiddenError("this needs the scope scans:write")
    if len(scans) > BATCH_MAX:
        raise InvalidInputError(f"at most {BATCH_MAX} scans at once")
    heard, refused = _sorted_out(session, actor, scans, now)
    known = _shipments_by_number(session, heard.values())
    refused |= _refused_by_shipment(session, actor, heard, known)
    good = {place: one for place, one in heard.items() if place not in refused}
    matched = [one for one in good.values() if one.number in known]
    recorded = _insert(session, actor, matched, known, now)
    before = _heard_before(session, matched, recorded)
    unmatched.keep(session, actor, [one for one in good.values() if one.number not in known], now)
    _add_proofs(session, matched, known, recorded, now)
    touched = {known[one.number].shipment_id for one in matched if one.key in recorded}
    milestones = folding.refold(session, touched, now=now)

    results = []
    for place, scan in enumerate(scans):
        if place in refused:
            reason, detail = refused[place]
            results.append(
                ScanResult("rejected", scan.client_scan_id, scan.number, reason=reason, detail=detail)
            )
            continue
        one = good[place]
        if one.number not in known:
            results.append(ScanResult("unmatched", scan.client_scan_id, one.number))
        elif one.key in recorded:
            # The same scan twice in one batch: the second is compared with the first.
            recorded.discard(one.key)
            before[one.key] = _content(one)
            milestone = milestones[known[one.number].shipment_id]
            results.append(ScanResult("recorded", scan.client_scan_id, one.number, one.key, milestone))
        elif _content(one) == before[one.key]:
            results.append(ScanResult("duplicate", scan.client_scan_id, one.number, one.key))
        else:
            detail = "this device sent other content under the same client_scan_id before; that stays"
            results.append(ScanResult("conflict", scan.client_scan_id, one.number, one.key, detail=detail))
    return results


def _sorted_out(
    session: Session, actor: Actor | None, scans: Sequence[ScanInput], now: datetime
) -> tuple[dict[int, Heard], dict[int, Refusal]]:
    """What is well formed and why the rest is not, each by its place in the batch."""
    tenant_id = tenant_of(session)
    asked = {
        scan.facility_id for scan in scans if scan.facility_id is not None and 0 < scan.facility_id <= ID_MAX
    }
    there = Facility.id == sa.any_(sa.literal(sorted(asked), sa.ARRAY(sa.BigInteger)))
    facility_ids = set(session.scalars(sa.select(Facility.id).where(there))) if asked else set()
    heard: dict[int, Heard] = {}
    refused: dict[int, Refusal] = {}
    for place, scan in enumerate(scans):
        reason = refusal(tenant_id, actor, scan, facility_ids, now)
        if reason is None:
            heard[place] = Heard.of(tenant_id, actor, scan)
        else:
            refused[place] = reason
    return heard, refused


def _shipments_by_number(session: Session, heard: Iterable[Heard]) -> dict[str, _Known]:
    numbers = sorted({one.number for one in heard})
    if not numbers:
        return {}
    rows = session.execute(
        sa.select(Shipment.waybill_number, Shipment.id, Shipment.pieces).where(
            Shipment.waybill_number == _any_of(numbers)
        )
    )
    return {number: _Known(shipment_id, pieces) for number, shipment_id, pieces in rows}


def _any_of(texts: Iterable[str]) -> sa.CollectionAggregate[bool]:
    return sa.any_(sa.literal(sorted(texts), sa.ARRAY(sa.Text)))


def _refused_by_shipment(
    session: Session, actor: Actor | None, heard: Mapping[int, Heard], known: Mapping[str, _Known]
) -> dict[int, Refusal]:
    """Why scans that are well formed cannot be of the shipment they name, by their place in the batch."""
    refused: dict[int, Refusal] = {}
    foreign = _foreign_targets(session, actor, heard.values())
    for place, one in heard.items():
        shipment = known.get(one.number)
        if shipment is not None and one.piece_no is not None and one.piece_no > shipment.pieces:
            refused[place] = (Refused.UNKNOWN_PIECE, f"this shipment has no piece {one.piece_no}")
        elif one.scan.corrects in foreign:
            refused[place] = (Refused.NOT_YOURS, "this login corrects its own scans only")
    return refused


def _foreign_targets(session: Session, actor: Actor | None, heard: Iterable[Heard]) -> set[str]:
    """Of the scans to be corrected those that are of another facility or courier than the login's."""
    if actor is None or actor.subject_id is None or actor.role not in (Role.HUB, Role.COURIER):
        return set()
    targets = {one.scan.corrects for one in heard if one.scan.corrects is not None}
    if not targets:
        return set()
    whose = ScanRecord.facility_id if actor.role == Role.HUB else ScanRecord.courier_id
    return set(
        session.scalars(
            sa.select(ScanRecord.scan_key).where(
                ScanRecord.scan_key == _any_of(targets), whose.is_distinct_from(actor.subject_id)
            )
        )
    )


# Sent as one array a column: with a placeholder a value the statement takes longer to write than to run.
_COLUMNS: dict[str, sa.types.TypeEngine[Any]] = {
    "scan_key": sa.Text(),
    "shipment_id": sa.BigInteger(),
    "device_id": sa.Text(),
    "client_scan_id": sa.Text(),
    "code": sa.Text(),
    "occurred_at": sa.DateTime(timezone=True),
    "offset_minutes": sa.BigInteger(),
    "facility_id": sa.BigInteger(),
    "courier_id": sa.BigInteger(),
    "reason": sa.Text(),
    "corrects": sa.Text(),
    "piece_no": sa.BigInteger(),
}


def _insert(
    session: Session,
    actor: Actor | None,
    heard: Iterable[Heard],
    known: Mapping[str, _Known],
    now: datetime,
) -> set[str]:
    """Insert what is new; gives the keys of what went in."""
    first = {one.key: one for one in reversed(list(heard))}
    if not first:
        return set()
    in_order = sorted(first.values(), key=lambda one: (one.scan.device_id, one.scan.client_scan_id))
    rows = [
        (
            one.key,
            known[one.number].shipment_id,
            one.scan.device_id,
            one.scan.client_scan_id,
            one.code.value,
            one.scan.occurred_at,
            one.scan.offset_minutes,
            one.facility_id,
            one.courier_id,
            one.scan.reason,
            one.scan.corrects,
            one.piece_no,
        )
        for one in in_order
    ]
    columns = zip(_COLUMNS.values(), zip(*rows, strict=True), strict=True)
    arrays = [sa.literal(list(values), sa.ARRAY(kind)) for kind, values in columns]
    given = sa.func.unnest(*arrays).table_valued(*_COLUMNS, name="given").render_derived()
    same: dict[str, sa.ColumnElement[Any]] = {
        "tenant_id": sa.literal(tenant_of(session)),
        "received_at": sa.literal(now),
        "user_id": sa.literal(None if actor is None else actor.user_id, sa.BigInteger),
    }
    statement = (
        insert(ScanRecord)
        .from_select([*_COLUMNS, *same], sa.select(*given.c, *same.values()))
        .on_conflict_do_nothing()
        .returning(ScanRecord.scan_key)
    )
    return set(session.scalars(statement))


_Content = tuple[str, int | None, str, datetime, str | None]


def _content(one: Heard) -> _Content:
    """What may not differ when a scan is sent again."""
    return one.number, one.piece_no, one.code, one.scan.occurred_at, one.scan.corrects


def _heard_before(session: Session, heard: Iterable[Heard], recorded: set[str]) -> dict[str, _Content]:
    """The content that was stored earlier under the keys that did not go in now."""
    keys = {one.key for one in heard} - recorded
    if not keys:
        return {}
    rows = session.execute(
        sa.select(
            ScanRecord.scan_key,
            Shipment.waybill_number,
            ScanRecord.piece_no,
            ScanRecord.code,
            ScanRecord.occurred_at,
            ScanRecord.corrects,
        )
        .join(Shipment, Shipment.id == ScanRecord.shipment_id)
        .where(ScanRecord.scan_key == _any_of(keys))
    )
    return {key: (number, piece, code, at, corrects) for key, number, piece, code, at, corrects in rows}


def _add_proofs(
    session: Session,
    heard: Iterable[Heard],
    known: Mapping[str, _Known],
    recorded: set[str],
    now: datetime,
) -> None:
    first = {one.key: one for one in reversed(list(heard)) if one.key in recorded}
    session.add_all(
        DeliveryProof(
            tenant_id=tenant_of(session),
            shipment_id=known[one.number].shipment_id,
            scan_key=key,
            kind=one.scan.proof.kind,
            received_by=one.scan.proof.received_by.strip(),
            content_type=one.scan.proof.content_type,
            content=one.scan.proof.content,
            at=now,
        )
        for key, one in first.items()
        if one.scan.proof is not None
    )
