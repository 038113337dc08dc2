"""Instructions about a parcel on its way: asked, decided, carried out, withdrawn.

A wish that can be met is accepted at once; one that would cost more waits for the staff, and one that cannot
be met is kept with its reason. `tracking.instructions` says what may be asked where a parcel stands.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.service import audit
from app.actor import Actor
from app.db.session import tenant_of
from app.deliveries import applying, targets
from app.deliveries.models import Instruction
from app.deliveries.targets import Target
from app.deliveries.values import REDELIVER_WITHIN_DAYS, WINDOWS_S, Asking, Window, Wish
from app.errors import ConflictError, ForbiddenError, InvalidInputError, TooManyTriesError
from app.network import queries as network
from app.orders.changes import price_difference
from app.shipments.hours import hours_of
from app.shipments.models import Shipment
from routing.network import Handover
from tracking.errors import InstructionError
from tracking.instructions import (
    OPEN,
    Asker,
    InstructionKind,
    InstructionRefusal,
    Standing,
    Step,
    after,
    may_be_withdrawn,
    refusal,
)

ASKED_MAX = 20
"""Instructions about one shipment; a link that is in wrong hands fills no table."""
_RETRY_AFTER_S = 24 * 3600


def ask(session: Session, shipment: Shipment, wish: Wish, asking: Asking, *, now: datetime) -> Instruction:
    """Take a wish about a shipment; it is accepted, refused with a reason, or waits for the staff.

    Args:
        session: of the shipment's tenant.
        shipment: loaded for who asks.
        wish: what he wants.
        asking: who he is.
        now: when.

    Raises:
        ForbiddenError: it is not his to ask.
        ConflictError: another instruction about this shipment is still open.
        InvalidInputError: the day is none of those on which it could come.
        TooManyTriesError: so much has been asked about this shipment already.
    """
    applying.lock(session, shipment)
    _refuse_crowding(session, shipment)
    where = applying.whereabouts(shipment)
    why = refusal(wish.kind, asking.asker, where.milestone)
    if why is InstructionRefusal.NOT_BY_YOU:
        raise ForbiddenError("the sender stops or turns a parcel, or the staff who speak for him")
    row = _row(shipment, wish, asking, now)
    target: Target | None = None
    if why is None and wish.kind is InstructionKind.REDIRECT:
        found = targets.target_of(session, shipment, wish, asking)
        if isinstance(found, InstructionRefusal):
            why = found
        else:
            target, why = found, _price(session, shipment, row, found)
    elif why is None:
        why = _unfit(session, shipment, wish, now)
    session.add(row)
    session.flush()  # what follows names its id
    if why is not None:
        refuse(row, why, None, now)
    elif row.price_difference_minor <= 0 or asking.asker is Asker.STAFF:
        accept(session, row, shipment, target, asking.actor, now)
    write_down(session, asking.actor, row, now)
    return row


def withdraw(session: Session, row: Instruction, asking: Asking, *, now: datetime) -> None:
    """Who asked takes it back, or the staff do; a parcel that stands intercepted is released.

    Raises:
        ForbiddenError: it was asked by another.
        ConflictError: it has been done, refused or withdrawn.
    """
    shipment = locked(session, row)
    if not may_be_withdrawn(row.kind, row.standing, applying.whereabouts(shipment)):
        raise ConflictError(f"the instruction is {row.standing.value} and cannot be taken back")
    if asking.asker not in (Asker.STAFF, row.asker):
        raise ForbiddenError("who asked for it takes it back")
    before = row.standing
    step(row, Step.WITHDRAW, now)
    applying.undo(session, row, shipment, was=before, now=now)
    write_down(session, asking.actor, row, now)


def follow(session: Session, shipment_id: int, *, now: datetime) -> None:
    """See to an open instruction after something has happened to its shipment; again is no harm.

    What is still asked when the parcel's way ends is refused for that reason.
    """
    row = session.scalar(
        sa.select(Instruction).where(Instruction.shipment_id == shipment_id, Instruction.standing.in_(OPEN))
    )
    if row is None:
        return
    shipment = locked(session, row)
    if row.standing is Standing.ACCEPTED:
        _see_to(session, row, shipment, now)
    elif row.standing is Standing.ASKED and shipment.terminal:
        refuse(row, InstructionRefusal.ENDED, None, now)
        write_down(session, None, row, now)


def redelivery_days(session: Session, shipment: Shipment, now: datetime) -> list[date]:
    """The local days on which it could come again, never none.

    From tomorrow, or from when it is expected, the days of a week on which its outlet works; where that is
    closed for longer, the day on which it opens again.
    """
    outlet = hours_of(network.routing_network(session), shipment.destination_facility_id)
    tomorrow = now.astimezone(outlet.zone).date() + timedelta(days=1)
    first = max(tomorrow, shipment.estimate_p50_at.astimezone(outlet.zone).date())
    week = [first + timedelta(days=after_it) for after_it in range(REDELIVER_WITHIN_DAYS)]
    return [day for day in week if outlet.intervals_on(day)] or [outlet.works_from(first)]


def step(row: Instruction, taken: Step, now: datetime) -> None:
    """Take a step of the table in `tracking.instructions`.

    Raises:
        ConflictError: it cannot be taken from where the instruction stands.
    """
    try:
        row.standing = after(row.standing, taken)
    except InstructionError as error:
        raise ConflictError(str(error)) from error
    if row.standing not in OPEN:
        row.ended_at = now


def _see_to(session: Session, row: Instruction, shipment: Shipment, now: datetime) -> None:
    became = applying.carry_out(session, row, shipment, now=now)
    if became is applying.Became.DONE:
        step(row, Step.CARRY_OUT, now)
    elif became is applying.Became.OVERTAKEN:
        refuse(row, InstructionRefusal.OVERTAKEN, None, now)
        shipment.instruction = None


def accept(
    session: Session,
    row: Instruction,
    shipment: Shipment,
    target: Target | None,
    actor: Actor | None,
    now: datetime,
) -> None:
    """Take a wish that may be met, and do of it what can be done at once.

    Where the state allows it and yet no way leads there, it is refused with that reason.
    """
    row.decided_at, row.decided_by_id = now, None if actor is None else actor.user_id
    why = applying.apply(session, row, shipment, target, now=now)
    if why is not None:
        refuse(row, why, actor, now)
        return
    step(row, Step.ACCEPT, now)
    _see_to(session, row, shipment, now)


def refuse(row: Instruction, why: InstructionRefusal, actor: Actor | None, now: datetime) -> None:
    """Keep a wish with the reason why it is not met."""
    step(row, Step.REFUSE, now)
    row.refusal = why
    row.decided_at, row.decided_by_id = row.decided_at or now, None if actor is None else actor.user_id


def _price(
    session: Session, shipment: Shipment, row: Instruction, target: Target
) -> InstructionRefusal | None:
    """Write down what the redirection would change about the price."""
    row.handover = target.handover
    if targets.is_there_already(shipment, target):
        return InstructionRefusal.ALREADY_SO
    row.price_difference_minor = price_difference(session, shipment, target.outlet).amount_minor
    return None


def _unfit(session: Session, shipment: Shipment, wish: Wish, now: datetime) -> InstructionRefusal | None:
    """Why a wish that the state allows does not fit this shipment."""
    to_door = shipment.delivery_handover is Handover.DOOR
    if wish.kind is InstructionKind.REDELIVER:
        if not to_door:
            return InstructionRefusal.NOT_TO_A_DOOR
        days = redelivery_days(session, shipment, now)
        if wish.day not in days:
            detail = f"one of {', '.join(day.isoformat() for day in days)}"
            raise InvalidInputError("it cannot come on that day", [{"detail": detail, "pointer": "/day"}])
    if wish.kind is InstructionKind.HOLD_AT_OUTLET and shipment.delivery_handover is Handover.OUTLET:
        return InstructionRefusal.ALREADY_SO
    return None


def _row(shipment: Shipment, wish: Wish, asking: Asking, now: datetime) -> Instruction:
    from_s, to_s = WINDOWS_S[wish.window or Window.DAY]
    redelivers = wish.kind is InstructionKind.REDELIVER
    return Instruction(
        tenant_id=shipment.tenant_id,
        shipment_id=shipment.id,
        kind=wish.kind,
        standing=Standing.ASKED,
        asker=asking.asker,
        access=asking.access,
        asked_by_id=asking.user_id,
        asked_at=now,
        note=wish.note.strip(),
        day=wish.day,
        window_from_s=from_s if redelivers else None,
        window_to_s=to_s if redelivers else None,
        facility_id=wish.facility_id,
        district_adcode=wish.district_adcode,
        address=None if wish.address is None else wish.address.strip(),
        handover_before=shipment.delivery_handover,
        price_difference_minor=0,
        currency=shipment.currency,
    )


def _refuse_crowding(session: Session, shipment: Shipment) -> None:
    rows = session.execute(
        sa.select(Instruction.standing, sa.func.count())
        .where(Instruction.shipment_id == shipment.id)
        .group_by(Instruction.standing)
    ).all()
    counts: dict[Standing, int] = dict(rows)
    if OPEN & counts.keys():
        raise ConflictError("another instruction about this shipment is open; it can be withdrawn")
    if sum(counts.values()) >= ASKED_MAX:
        raise TooManyTriesError("so much has been asked already", retry_after_s=_RETRY_AFTER_S)


def locked(session: Session, row: Instruction) -> Shipment:
    """The shipment first and then the instruction, as everybody locks them."""
    shipment = session.get_one(Shipment, row.shipment_id)
    applying.lock(session, shipment)
    session.refresh(row, with_for_update=True)
    return shipment


def write_down(session: Session, actor: Actor | None, row: Instruction, now: datetime) -> None:
    """To the audit trail: who has made what of an instruction."""
    assert tenant_of(session) == row.tenant_id, "the session is of the shipment's tenant"
    audit(
        session,
        actor,
        f"instruction.{row.standing.value}",
        subject_kind="shipment",
        subject_id=row.shipment_id,
        details={"instruction_id": row.id, "kind": row.kind.value, "asker": row.asker.value},
        now=now,
    )
