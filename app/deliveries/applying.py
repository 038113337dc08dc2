"""What an accepted instruction does to a shipment: its way, its stop, its scans, what scanners are told."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta, timezone

from sqlalchemy.orm import Session

from app.deliveries import consent
from app.deliveries.models import ConsentSource, Instruction
from app.deliveries.targets import Target
from app.dispatch import service as dispatch
from app.network.models import Facility
from app.shipments import replanning
from app.shipments import service as shipments
from app.shipments.legs import legs_by_shipment
from app.shipments.models import Shipment
from app.shipments.scan_values import INSTRUCTION_DEVICE
from routing.network import Handover
from tracking.instructions import (
    Asker,
    InstructionKind,
    InstructionRefusal,
    Standing,
    Whereabouts,
    due_scan,
    is_met,
    is_overtaken,
)
from tracking.shipment import Milestone, ScanCode


class Became(enum.Enum):
    """What became of an accepted instruction."""

    WAITS = "waits"
    DONE = "done"
    OVERTAKEN = "overtaken"


def lock(session: Session, shipment: Shipment) -> None:
    """Wait for whoever is changing the shipment, and look at it again."""
    session.flush()  # a refresh would forget what is not written yet
    session.refresh(shipment, with_for_update={"key_share": True})


def whereabouts(shipment: Shipment) -> Whereabouts:
    """Where a shipment stands, as `tracking.instructions` asks."""
    return Whereabouts(
        shipment.milestone, shipment.code, shipment.state_facility_id, shipment.destination_facility_id
    )


def apply(
    session: Session, row: Instruction, shipment: Shipment, target: Target | None, *, now: datetime
) -> InstructionRefusal | None:
    """Do at once what can be done at once; gives why it cannot be done at all.

    Args:
        session: of the shipment's tenant.
        row: an instruction that may be accepted.
        shipment: locked.
        target: where a redirection leads; None for the others.
        now: when.
    """
    if row.kind is InstructionKind.REDELIVER:
        assert row.day is not None, "a wish for a redelivery names its day"
        assert row.window_from_s is not None, "a redelivery has a window"
        assert row.window_to_s is not None, "a redelivery has a window"
        if not dispatch.appoint(
            session, shipment.id, day=row.day, from_s=row.window_from_s, to_s=row.window_to_s
        ):
            return InstructionRefusal.IN_A_ROUND
    elif row.kind is InstructionKind.REDIRECT:
        assert target is not None, "a redirection leads somewhere"
        return _redirect(session, row, shipment, target, now)
    elif row.kind is InstructionKind.HOLD_AT_OUTLET:
        shipment.delivery_handover = Handover.OUTLET
        shipment.delivery_point_id = None
        dispatch.follow_redirection(session, shipment, now=now)
    shipment.instruction = row.kind
    return None


def carry_out(session: Session, row: Instruction, shipment: Shipment, *, now: datetime) -> Became:
    """Do of an accepted instruction what the parcel's place now allows.

    Args:
        session: of the shipment's tenant.
        row: accepted.
        shipment: locked.
        now: when.
    """
    where = whereabouts(shipment)
    code = due_scan(row.kind, where)
    if is_overtaken(row.kind, where):
        return Became.OVERTAKEN
    if row.kind is InstructionKind.REDELIVER:
        return _as_appointed(session, row, shipment, now)
    if code is not None:
        _record(session, row, shipment, code, now)
        if code is ScanCode.RETURNING:
            turn_back(session, shipment.id, now=now)
    elif not is_met(row.kind, where):
        return Became.WAITS
    if row.kind not in (InstructionKind.INTERCEPT, InstructionKind.RETURN_TO_SENDER):
        shipment.instruction = None  # whoever scans it next has nothing to mind any more
    return Became.DONE


def turn_back(session: Session, shipment_id: int, *, now: datetime) -> None:
    """Plan the way back to the sender of what somebody turned round without an instruction.

    Where no lane leads back it is known to be on its way back all the same; people carry it.
    """
    shipment = session.get_one(Shipment, shipment_id)
    lock(session, shipment)
    lies_at = whereabouts(shipment).lies_at
    if shipment.milestone is not Milestone.RETURNING or lies_at in (None, shipment.origin_facility_id):
        return
    legs = legs_by_shipment(session, [shipment_id])[shipment_id]
    if not legs or legs[-1].to_facility_id != shipment.origin_facility_id:
        replanning.send_elsewhere(session, shipment, lies_at=lies_at, now=now)


def undo(session: Session, row: Instruction, shipment: Shipment, *, was: Standing, now: datetime) -> None:
    """Take back what an instruction that was withdrawn did."""
    if was is Standing.ASKED:
        return
    shipment.instruction = None
    if row.kind is InstructionKind.HOLD_AT_OUTLET:
        shipment.delivery_handover = row.handover_before
        session.flush()  # the stop is asked for by what the row says
        dispatch.follow_shipments(session, [shipment.id], now=now)
    if row.kind is InstructionKind.INTERCEPT and was is Standing.CARRIED_OUT:
        _record(session, row, shipment, ScanCode.RELEASED, now)


def _redirect(
    session: Session, row: Instruction, shipment: Shipment, target: Target, now: datetime
) -> InstructionRefusal | None:
    where = whereabouts(shipment)
    before = shipment.destination_facility_id
    shipment.destination_facility_id = target.outlet.id
    if target.outlet.id != before and not replanning.send_elsewhere(
        session, shipment, lies_at=where.lies_at, now=now
    ):
        shipment.destination_facility_id = before
        return InstructionRefusal.NO_ROUTE
    shipment.delivery_handover = target.handover
    shipment.delivery_point_id = None if target.point is None else target.point.id
    if target.district is not None:
        assert target.address is not None, "a district is that of an address"
        shipment.consignee_district_adcode = target.district.adcode
        shipment.consignee_address = target.address
        shipment.consignee_latitude = target.district.latitude
        shipment.consignee_longitude = target.district.longitude
    channel = consent.CHANNEL_OF.get(target.handover)
    if channel is not None and row.asker is Asker.CONSIGNEE:
        consent.record(
            session,
            shipment,
            channel,
            granted=True,
            source=ConsentSource.INSTRUCTION,
            this_parcel_only=True,
            now=now,
        )
    session.flush()  # the stop and the scan below go by what the row says
    dispatch.follow_redirection(session, shipment, now=now)
    # What is on a lorry has a new way, and is seen to have it at its next facility.
    if where.lies_at is not None and shipment.milestone is not Milestone.BOOKED:
        _record(session, row, shipment, ScanCode.REDIRECTED, now, lies_at=where.lies_at)
    return None


def _as_appointed(session: Session, row: Instruction, shipment: Shipment, now: datetime) -> Became:
    """The stop is asked for on the day it was promised for, until the parcel is out on that day."""
    assert row.day is not None, "a redelivery has a day"
    assert row.window_from_s is not None, "a redelivery has a window"
    assert row.window_to_s is not None, "a redelivery has a window"
    outlet = session.get_one(Facility, shipment.destination_facility_id)
    today = now.astimezone(timezone(timedelta(minutes=outlet.utc_offset_minutes))).date()
    done = is_met(row.kind, whereabouts(shipment))
    if done and (today >= row.day or shipment.terminal):
        shipment.instruction = None
        return Became.DONE
    if not done:
        dispatch.appoint(session, shipment.id, day=row.day, from_s=row.window_from_s, to_s=row.window_to_s)
    return Became.WAITS


def _record(
    session: Session,
    row: Instruction,
    shipment: Shipment,
    code: ScanCode,
    now: datetime,
    lies_at: int | None = None,
) -> None:
    session.flush()  # the fold forgets what the session has not written
    shipments.record_own(
        session,
        shipment,
        code,
        device_id=INSTRUCTION_DEVICE,
        client_scan_id=f"{row.id}:{code}",
        facility_id=lies_at or whereabouts(shipment).lies_at,
        now=now,
    )
    session.refresh(shipment)  # the statements of the fold went past it
