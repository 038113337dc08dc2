"""The parcel changes hands at the door: to whom, against what, and how it is proved.

One step does what belongs together: the scan with its proof, the cash, who signed for another. What cannot
be handed over is not recorded as if it had been: an amount that is not paid is a failed attempt.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts.models import Installation
from app.accounts.roles import Role
from app.actor import Actor
from app.db.session import tenant_of
from app.deliveries import applying, cash, consent
from app.deliveries.door_models import DoorCode, ProxyReceipt
from app.deliveries.door_values import HandOver, Outcome
from app.deliveries.models import ConsentChannel, DeliveryConsent
from app.dispatch.models import Courier
from app.errors import ConflictError, InvalidInputError, NotFoundError
from app.shipments import service as shipments
from app.shipments.models import ProofKind, ScanRecord, Shipment
from app.shipments.scan_values import ProofInput, ScanInput
from app.shipments.values import parse_number, scan_key
from tracking.instructions import InstructionKind
from tracking.shipment import AttemptReason, Milestone, ScanCode

CODE_TRIES_MAX = 5
_CODE_DIGITS = 6
_HANDED_OVER = (ScanCode.DELIVERED, ScanCode.DELIVERED_TO_PROXY)


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a hand-over, and where the parcel stands now."""

    outcome: Outcome
    milestone: Milestone
    scan_key: str | None = None


def parcel(session: Session, number: str) -> Shipment:
    """The shipment of the tenant that somebody has in his hands.

    Raises:
        NotFoundError: nobody booked it.
    """
    plain, _piece_no = parse_number(number)
    found = session.scalar(sa.select(Shipment).where(Shipment.waybill_number == plain))
    if found is None:
        raise NotFoundError("no such shipment")
    return found


def door_code(session: Session, shipment: Shipment) -> str:
    """The code that the consignee sees on his link and gives to the courier; the same every time."""
    key = session.get_one(Installation, 1).waybill_key
    mac = hmac.digest(key, b"door code %d" % shipment.id, "sha256")
    return f"{int.from_bytes(mac[:8], 'big') % 10**_CODE_DIGITS:0{_CODE_DIGITS}d}"


def hand_over(session: Session, actor: Actor, shipment: Shipment, given: HandOver, *, now: datetime) -> Done:
    """Hand a parcel over, or record that it was not paid for; told again it is no harm.

    Args:
        session: of the shipment's tenant; a wrong code is counted, so the caller commits.
        actor: whose device tells it.
        shipment: what is handed over.
        given: as it was told.
        now: the server's time.

    Raises:
        ConflictError: the sender has stopped it, it has been delivered before, or the consignee has not
            consented to a proxy.
        InvalidInputError: what was paid is not said, or is more than what is due.
    """
    applying.lock(session, shipment)
    earlier = _told_before(session, shipment, given)
    if earlier is not None:
        return earlier
    _refuse_stopped(shipment)
    given = _by(session, actor, given)
    word = _proxy_consent(session, shipment, given)
    due = cash.due_minor(session, shipment)
    if not cash.check(shipment, due, given.paid):
        key = _record(session, actor, shipment, given, ScanCode.ATTEMPT_FAILED, now)
        return Done(Outcome.NOT_PAID, shipment.milestone, key)
    wrong = _wrong_code(session, shipment, given)
    if wrong is not None:
        return Done(wrong, shipment.milestone)
    code = ScanCode.DELIVERED if given.relation is None else ScanCode.DELIVERED_TO_PROXY
    if due and given.courier_id is None and given.facility_id is None:
        raise InvalidInputError(
            "who collected the cash is not said", [{"detail": "or facility_id", "pointer": "/courier_id"}]
        )
    key = _record(session, actor, shipment, given, code, now)
    if due:
        cash.collect(session, shipment, given, key, now=now)
    if word is not None:
        assert given.relation is not None, "there is a word for a proxy"
        session.add(
            ProxyReceipt(
                tenant_id=tenant_of(session),
                shipment_id=shipment.id,
                scan_key=key,
                name=given.received_by.strip(),
                relation=given.relation,
                consent_id=word.id,
            )
        )
    return Done(Outcome.HANDED_OVER, shipment.milestone, key)


def proxies(session: Session, shipment: Shipment) -> dict[str, ProxyReceipt]:
    """Who signed for the consignee of a shipment, by the scan."""
    rows = session.scalars(sa.select(ProxyReceipt).where(ProxyReceipt.shipment_id == shipment.id))
    return {row.scan_key: row for row in rows}


def _told_before(session: Session, shipment: Shipment, given: HandOver) -> Done | None:
    """The same hand-over of the same device again: its answer is given again."""
    keys = [
        scan_key(shipment.tenant_id, given.device_id, _client_scan_id(given, code)) for code in _HANDED_OVER
    ]
    found = session.scalar(
        sa.select(ScanRecord.scan_key).where(
            ScanRecord.shipment_id == shipment.id, ScanRecord.scan_key.in_(keys)
        )
    )
    return None if found is None else Done(Outcome.HANDED_OVER, shipment.milestone, found)


def _refuse_stopped(shipment: Shipment) -> None:
    if shipment.milestone is Milestone.DELIVERED:
        raise ConflictError("it has been delivered already")
    if shipment.terminal:
        raise ConflictError(f"its way has ended: {shipment.milestone.value}")
    if shipment.instruction in (InstructionKind.INTERCEPT, InstructionKind.RETURN_TO_SENDER):
        raise ConflictError("the sender has stopped this parcel; it is not handed over", why="stopped")


def _proxy_consent(session: Session, shipment: Shipment, given: HandOver) -> DeliveryConsent | None:
    if given.relation is None:
        return None
    word = consent.standing(session, shipment).get(ConsentChannel.PROXY)
    if word is None or not word.granted:
        raise ConflictError("the consignee has not consented that somebody signs for him", why="no_consent")
    return word


def _wrong_code(session: Session, shipment: Shipment, given: HandOver) -> Outcome | None:
    """Count a wrong try; five of them close the door to codes, and another proof is needed."""
    if given.evidence is None or given.evidence.kind is not ProofKind.CODE:
        return None
    tries = session.scalar(
        insert(DoorCode)
        .values(tenant_id=shipment.tenant_id, shipment_id=shipment.id, tries=1)
        .on_conflict_do_update(index_elements=[DoorCode.shipment_id], set_={"tries": DoorCode.tries + 1})
        .returning(DoorCode.tries)
    )
    assert tries is not None, "an upsert that always writes returns its row"
    if tries > CODE_TRIES_MAX:
        return Outcome.CODE_LOCKED
    if hmac.compare_digest(given.evidence.content.strip(), door_code(session, shipment).encode()):
        return None
    return Outcome.WRONG_CODE


def _record(
    session: Session, actor: Actor, shipment: Shipment, given: HandOver, code: ScanCode, now: datetime
) -> str:
    delivered, evidence = code in _HANDED_OVER, given.evidence
    proof = ProofInput(
        ProofKind.CODE if evidence is None else evidence.kind,
        given.received_by.strip(),
        None if evidence is None else evidence.content_type,
        None if evidence is None else evidence.content,
    )
    scan = ScanInput(
        number=shipment.waybill_number,
        code=code,
        occurred_at=given.occurred_at,
        device_id=given.device_id,
        client_scan_id=_client_scan_id(given, code),
        offset_minutes=given.offset_minutes,
        facility_id=given.facility_id,
        courier_id=given.courier_id,
        reason=None if delivered else AttemptReason.CASH_NOT_PAID,
        proof=proof if delivered else None,
    )
    (result,) = shipments.record_scans(session, actor, [scan], now=now)
    if result.scan_key is None:
        raise ConflictError(result.detail or "the scan was not kept")
    session.refresh(shipment)  # the statements of the fold went past it
    return result.scan_key


def _by(session: Session, actor: Actor, given: HandOver) -> HandOver:
    """Who hands over is who is signed in, where the login is a courier's or a counter's."""
    if actor.role == Role.COURIER and given.courier_id is None:
        return replace(given, courier_id=actor.subject_id)
    if actor.role == Role.HUB and given.facility_id is None:
        return replace(given, facility_id=actor.subject_id)
    if given.courier_id is not None and session.get(Courier, given.courier_id) is None:
        raise InvalidInputError(
            "there is no such courier", [{"detail": "is no courier's", "pointer": "/courier_id"}]
        )
    return given


def _client_scan_id(given: HandOver, code: ScanCode) -> str:
    """What failed and what then succeeded are two scans of one hand-over."""
    return f"{given.client_id}:{code}"
