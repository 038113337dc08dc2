"""A scan arrives: checked, recorded once, folded into the state, told to the others.

Rows go in by one statement, in the order of their keys, so that two senders of the same scans never wait for
each other crosswise; only then are the shipments locked, in id order, and brought up to date. The order of
arrival and repetitions make no difference.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.roles import Role, Scope
from app.actor import Actor
from app.db.session import tenant_of
from app.errors import ForbiddenError, InvalidInputError
from app.shipments import estimates, folding, outside, scan_store, unmatched, waybills
from app.shipments.models import DeliveryProof, ScanRecord
from app.shipments.scan_store import Content
from app.shipments.scan_values import ID_MAX, Gate, Heard, Refusal, Refused, ScanInput, ScanResult
from app.shipments.waybills import Known
from tracking.shipment import Scan

BATCH_MAX = 10_000


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
    known = waybills.known(session, {one.number for one in heard.values()})
    refused |= _refused_by_shipment(session, actor, heard, known)
    good = {place: one for place, one in heard.items() if place not in refused} if refused else heard
    matched = [one for one in good.values() if one.number in known]
    user_id = None if actor is None else actor.user_id
    recorded = scan_store.insert(session, user_id, matched, known, now)
    before: dict[str, Content] = {}
    if len(recorded) < len(matched):
        before = _heard_before(session, matched, recorded, known)
    boxes = outside.NOTHING
    if len(matched) < len(good):
        unknown = {place: one for place, one in good.items() if one.number not in known}
        boxes = outside.record(session, actor, unknown, now)
        left = [one for place, one in unknown.items() if place not in boxes.results]
        unmatched.keep(session, actor, left, now)
    _add_proofs(session, matched, known, recorded, now)
    fresh = _fresh(matched, known, recorded, now)
    for shipment_id, inner in boxes.fresh.items():
        fresh.setdefault(shipment_id, []).extend(inner)
    folded = folding.fold_in(session, fresh, now=now)
    estimates.follow(session, folded.moved, now=now)
    return _results(scans, good, refused, known, recorded, before, folded.milestones, boxes.results)


def _sorted_out(
    session: Session, actor: Actor | None, scans: Sequence[ScanInput], now: datetime
) -> tuple[dict[int, Heard], dict[int, Refusal]]:
    """What is well formed and why the rest is not, each by its place in the batch."""
    tenant_id = tenant_of(session)
    asked = {
        scan.facility_id for scan in scans if scan.facility_id is not None and 0 < scan.facility_id <= ID_MAX
    }
    facility_ids = waybills.facilities(session, asked)
    gate = Gate(tenant_id, actor, facility_ids, now)
    heard: dict[int, Heard] = {}
    refused: dict[int, Refusal] = {}
    for place, scan in enumerate(scans):
        reason = gate.refusal(scan)
        if reason is None:
            heard[place] = Heard.of(tenant_id, actor, scan)
        else:
            refused[place] = reason
    return heard, refused


def _refused_by_shipment(
    session: Session, actor: Actor | None, heard: Mapping[int, Heard], known: Mapping[str, Known]
) -> dict[int, Refusal]:
    """Why scans that are well formed cannot be of the shipment they name, by their place in the batch."""
    refused: dict[int, Refusal] = {}
    foreign = _foreign_targets(session, actor, heard.values())
    for place, one in heard.items():
        if one.piece_no is not None and one.number in known and one.piece_no > known[one.number].pieces:
            refused[place] = (Refused.UNKNOWN_PIECE, f"this shipment has no piece {one.piece_no}")
        elif foreign and one.scan.corrects in foreign:
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
                ScanRecord.scan_key.in_(targets), whose.is_distinct_from(actor.subject_id)
            )
        )
    )


def _content(one: Heard) -> Content:
    return Content(one.number, one.piece_no, one.code, one.scan.occurred_at, one.scan.corrects)


def _heard_before(
    session: Session, heard: Iterable[Heard], recorded: set[str], known: Mapping[str, Known]
) -> dict[str, Content]:
    """The content that was stored earlier under the keys that did not go in now."""
    again = [one for one in heard if one.key not in recorded]
    return scan_store.contents(
        session, {one.key for one in again}, {known[one.number].month for one in again}
    )


def _add_proofs(
    session: Session,
    heard: Iterable[Heard],
    known: Mapping[str, Known],
    recorded: set[str],
    now: datetime,
) -> None:
    proved = [one for one in heard if one.scan.proof is not None and one.key in recorded]
    first = {one.key: one for one in reversed(proved)}
    for key, one in first.items():
        assert one.scan.proof is not None, "chosen above"
        session.add(
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
        )


def _fresh(
    heard: Sequence[Heard], known: Mapping[str, Known], recorded: Collection[str], now: datetime
) -> dict[int, list[Scan]]:
    """What went in, by shipment, as `tracking` takes it; of a scan that is there twice the first."""
    once: Iterable[Heard] = heard
    if len(recorded) < len(heard):
        once = {one.key: one for one in reversed(heard) if one.key in recorded}.values()
    received_at = now.astimezone(UTC)
    found: dict[int, list[Scan]] = {}
    for one in once:
        scan = one.scan
        fresh = Scan(
            one.key,
            one.code,
            scan.occurred_at if scan.occurred_at.tzinfo is UTC else scan.occurred_at.astimezone(UTC),
            scan.offset_minutes,
            received_at,
            scan.device_id,
            scan.client_scan_id,
            one.facility_id,
            one.courier_id,
            None,
            scan.reason,
            scan.corrects,
            one.piece_no,
        )
        shipment_id = known[one.number].shipment_id
        if shipment_id in found:
            found[shipment_id].append(fresh)
        else:
            found[shipment_id] = [fresh]
    return found


def _results(
    scans: Sequence[ScanInput],
    good: Mapping[int, Heard],
    refused: Mapping[int, Refusal],
    known: Mapping[str, Known],
    recorded: set[str],
    before: dict[str, Content],
    milestones: Mapping[int, str],
    of_containers: Mapping[int, ScanResult],
) -> list[ScanResult]:
    if len(recorded) == len(scans):  # the usual batch: all of it new
        return [
            ScanResult(
                "recorded",
                one.scan.client_scan_id,
                one.number,
                one.key,
                milestones[known[one.number].shipment_id],
            )
            for one in good.values()
        ]
    results = []
    for place, scan in enumerate(scans):
        if place in of_containers:
            results.append(of_containers[place])
            continue
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
