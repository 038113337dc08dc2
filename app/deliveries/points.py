"""Lockers, stores and points: parcels are left there with consent, fetched with a code, or taken back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.roles import Role
from app.actor import Actor
from app.db import arrays
from app.deliveries import applying, cash, codes, consent
from app.deliveries.codes import Try
from app.deliveries.compartments import choose_compartment
from app.deliveries.door_values import HandOver, Paid
from app.deliveries.point_models import PointDeposit
from app.errors import ConflictError, NotFoundError
from app.network.models import Compartment, Facility
from app.shipments import service as shipments
from app.shipments.models import ProofKind, Shipment
from app.shipments.scan_values import POINT_DEVICE, ProofInput, ScanInput
from routing.network import FacilityKind, Handover
from tracking.instructions import InstructionKind
from tracking.pickup import OVERDUE_AFTER, Size
from tracking.shipment import Milestone, ScanCode

_CODES: Mapping[FacilityKind, tuple[ScanCode, Handover]] = MappingProxyType(
    {
        FacilityKind.LOCKER: (ScanCode.AT_LOCKER, Handover.LOCKER),
        FacilityKind.STORE: (ScanCode.AT_STORE, Handover.STORE),
        FacilityKind.COLLECTIVE_POINT: (ScanCode.AT_COLLECTIVE_POINT, Handover.COLLECTIVE_POINT),
        FacilityKind.OUTLET: (ScanCode.AT_OUTLET, Handover.OUTLET),
    }
)
_LEAVABLE = frozenset(
    {Milestone.ACCEPTED, Milestone.IN_TRANSIT, Milestone.OUT_FOR_DELIVERY, Milestone.ATTEMPT_FAILED}
)


@dataclass(frozen=True, slots=True)
class Leaving:
    """A parcel as it is left at a point: where, in which compartment, how large it was measured."""

    facility_id: int
    compartment: str | None = None
    size: Size | None = None
    courier_id: int | None = None


@dataclass(frozen=True, slots=True)
class Fetching:
    """Who fetches a parcel: what he says to have it, and what he pays."""

    number: str
    code: str
    facility_id: int
    paid: Paid | None = None


def deposit(
    session: Session, actor: Actor, shipment: Shipment, left: Leaving, *, now: datetime
) -> PointDeposit:
    """Leave a parcel at a point, behind a code that its consignee is sent.

    Left again at the same point it stays as it is.

    Args:
        session: of the shipment's tenant.
        actor: who leaves it there.
        shipment: what is left.
        left: where and how.
        now: when.

    Raises:
        NotFoundError: there is no such point, or no such compartment.
        ConflictError: it cannot be left there; `why` says what is against it.
    """
    applying.lock(session, shipment)
    standing = waiting(session, shipment)
    if standing is not None and standing.facility_id == left.facility_id:
        return standing
    facility = session.scalar(
        sa.select(Facility).where(Facility.id == left.facility_id, Facility.closed_at.is_(None))
    )
    if facility is None or facility.kind not in _CODES:
        raise NotFoundError("no such pickup point")
    if standing is not None or shipment.milestone not in _LEAVABLE:
        raise ConflictError(
            f"it cannot be left there: it is {shipment.milestone.value}", why="not_on_its_way"
        )
    _refuse(session, shipment, facility)
    compartment = choose_compartment(session, shipment, facility, named=left.compartment, size=left.size)
    return _leave(session, actor, shipment, facility, compartment, left, now=now)


def take_out(
    session: Session, actor: Actor, fetching: Fetching, *, now: datetime
) -> tuple[Try, PointDeposit]:
    """Give a parcel to whoever has its code; the caller commits, since a wrong one is counted.

    Raises:
        NotFoundError: no such parcel waits there.
        ConflictError: the device may not record this.
        InvalidInputError: cash is due and is not paid in full.
    """
    found = _waiting_at(session, fetching)
    became = codes.try_code(session, found, fetching.code, now=now)
    if became is not Try.RIGHT:
        return became, found
    shipment = session.get_one(Shipment, found.shipment_id)
    due = cash.due_minor(session, shipment)
    if not cash.check(shipment, due, fetching.paid):
        raise ConflictError("what is due is not paid in full; it stays here", why="cash_due")
    kind = session.get_one(Facility, found.facility_id).kind
    code = ScanCode.TAKEN_FROM_LOCKER if kind is FacilityKind.LOCKER else ScanCode.TAKEN_FROM_POINT
    proof = ProofInput(ProofKind.CODE, shipment.consignee_name, None, None)
    key = _record(session, actor, shipment, code, found.facility_id, None, f"{found.id}:out", now, proof)
    found.taken_at = now
    if due:
        given = HandOver(
            shipment.consignee_name,
            now,
            shipment.booked_offset_minutes,
            POINT_DEVICE,
            str(found.id),
            paid=fetching.paid,
            facility_id=found.facility_id,
        )
        cash.collect(session, shipment, given, key, now=now)
    return became, found


def take_back(session: Session, actor: Actor, found: PointDeposit, *, now: datetime) -> PointDeposit:
    """Bring what nobody fetched back to the outlet, where it waits under a new code; again is no harm.

    Raises:
        ConflictError: it is not overdue yet, or is no longer there.
    """
    shipment = session.get_one(Shipment, found.shipment_id)
    applying.lock(session, shipment)
    session.refresh(found, with_for_update=True)
    standing = waiting(session, shipment)
    if found.taken_back_at is not None and standing is not None:
        return standing
    if found.taken_at is not None or found.overdue_at is None:
        raise ConflictError("only what is overdue and still there is taken back", why="not_overdue")
    outlet = session.get_one(Facility, shipment.destination_facility_id)
    found.taken_back_at = now
    session.flush()  # one deposit of a shipment stands at a time
    return _leave(session, actor, shipment, outlet, None, Leaving(outlet.id), now=now)


def waiting(session: Session, shipment: Shipment) -> PointDeposit | None:
    """Where a shipment waits to be fetched; None where it does not."""
    return session.scalar(
        sa.select(PointDeposit).where(
            PointDeposit.shipment_id == shipment.id,
            PointDeposit.taken_at.is_(None),
            PointDeposit.taken_back_at.is_(None),
        )
    )


def close_elsewhere(session: Session, shipment_ids: Collection[int], *, now: datetime) -> None:
    """End the deposits whose parcels were scanned away from their points by other means than their codes."""
    gone = sa.and_(
        PointDeposit.shipment_id == arrays.any_of(shipment_ids),
        PointDeposit.taken_at.is_(None),
        PointDeposit.taken_back_at.is_(None),
        Shipment.shipment_id == PointDeposit.shipment_id,
        Shipment.milestone != Milestone.READY_FOR_PICKUP,
    )
    fetched = Shipment.milestone == Milestone.DELIVERED
    session.execute(
        sa.update(PointDeposit)
        .where(gone)
        .values(taken_at=sa.case((fetched, now)), taken_back_at=sa.case((~fetched, now)))
        .execution_options(synchronize_session=False)
    )


def _refuse(session: Session, shipment: Shipment, facility: Facility) -> None:
    if shipment.instruction in (InstructionKind.INTERCEPT, InstructionKind.RETURN_TO_SENDER):
        raise ConflictError("the sender has stopped this parcel", why="stopped")
    channel = consent.CHANNEL_OF.get(_CODES[facility.kind][1])
    if channel is not None and not consent.is_granted(session, shipment, channel):
        raise ConflictError("the consignee has not consented to this", why="no_consent")
    if facility.kind is FacilityKind.LOCKER:
        if cash.due_minor(session, shipment):
            raise ConflictError("cash is due, and a locker takes none", why="cash_due")
        if shipment.pieces > 1:
            raise ConflictError("several pieces do not go into a locker", why="several_pieces")


def _leave(
    session: Session,
    actor: Actor,
    shipment: Shipment,
    facility: Facility,
    compartment: Compartment | None,
    left: Leaving,
    *,
    now: datetime,
) -> PointDeposit:
    code, _handover = _CODES[facility.kind]
    key = _record(
        session, actor, shipment, code, facility.id, left.courier_id, f"{shipment.id}:{now.timestamp()}", now
    )
    secret, code_hash = codes.new_code(session, shipment)
    row = PointDeposit(
        tenant_id=shipment.tenant_id,
        shipment_id=shipment.id,
        facility_id=facility.id,
        compartment_id=None if compartment is None else compartment.id,
        scan_key=key,
        courier_id=actor.subject_id if actor.role == Role.COURIER else left.courier_id,
        deposited_at=now,
        code_hash=code_hash,
    )
    session.add(row)
    session.flush()  # a compartment that somebody else has just taken is refused here, before anybody is told
    codes.send(session, codes.WAITING, row, shipment, secret, until=now + OVERDUE_AFTER, now=now)
    return row


def _record(
    session: Session,
    actor: Actor,
    shipment: Shipment,
    code: ScanCode,
    facility_id: int,
    courier_id: int | None,
    client_id: str,
    now: datetime,
    proof: ProofInput | None = None,
) -> str:
    scan = ScanInput(
        number=shipment.waybill_number,
        code=code,
        occurred_at=now,
        device_id=f"point-{actor.user_id}",
        client_scan_id=client_id,
        offset_minutes=shipment.booked_offset_minutes,
        facility_id=facility_id,
        courier_id=courier_id,
        proof=proof,
    )
    (result,) = shipments.record_scans(session, actor, [scan], now=now)
    if result.scan_key is None:
        raise ConflictError(result.detail or "the scan was not kept", why="not_yours")
    session.refresh(shipment)  # the statements of the fold went past it
    return result.scan_key


def _waiting_at(session: Session, fetching: Fetching) -> PointDeposit:
    """By the waybill number, or at a locker by the compartment's code."""
    found = session.scalar(
        sa.select(PointDeposit)
        .join(Shipment, Shipment.id == PointDeposit.shipment_id)
        .outerjoin(Compartment, Compartment.id == PointDeposit.compartment_id)
        .where(
            PointDeposit.facility_id == fetching.facility_id,
            PointDeposit.taken_at.is_(None),
            PointDeposit.taken_back_at.is_(None),
            sa.or_(
                Shipment.waybill_number == fetching.number.strip().upper(),
                Compartment.code == fetching.number.strip(),
            ),
        )
        .with_for_update(of=PointDeposit)
        .limit(1)
    )
    if found is None:
        raise NotFoundError("no such parcel waits here")
    return found
