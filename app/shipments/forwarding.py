"""Shipments that another carrier takes further: its number is recognised, kept, and told with the details.

A number opens the other carrier's page, which may tell more than ours does to everybody. So it is one of the
details: for the staff, the shipper, and who knows the phone or has the link.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts.service import audit
from app.actor import Actor
from app.errors import ConflictError, InvalidInputError
from app.shipments.forwarding_models import Forwarding
from app.shipments.models import Shipment
from tracking.carriers import Recognised, recognise
from tracking.numbers import normalise
from tracking.shipment import Milestone

FORWARDINGS_MAX = 20
"""Of one shipment: a number a piece is usual, hundreds are a mistake."""


class UnknownNumberError(InvalidInputError):
    """No carrier has numbers like this one, or its check digit is wrong."""


class AmbiguousNumberError(InvalidInputError):
    """Several carriers may have given the number out; `candidates` says which."""

    def __init__(self, candidates: Sequence[Recognised]) -> None:
        names = ", ".join(one.carrier_name for one in candidates)
        detail = f"may be of {names}; say which"
        super().__init__(
            "the number does not tell its carrier",
            [{"detail": detail, "pointer": "/carrier"}],
        )
        self.candidates = tuple(candidates)


@dataclass(frozen=True, slots=True)
class Forwarded:
    """Under which number which carrier has it, since when, and the carrier's own page about it."""

    number: str
    carrier: str
    carrier_name: str
    tracking_url: str | None
    forwarded_at: datetime


def forward(
    session: Session, actor: Actor, shipment: Shipment, number: str, carrier: str | None, *, now: datetime
) -> Forwarded:
    """Write down that another carrier takes a shipment further; twice is once.

    Args:
        session: of the shipment's tenant.
        actor: who says so.
        shipment: loaded for him.
        number: the other carrier's, as it is read or typed.
        carrier: its code in `tracking.carriers`; None lets the number tell.
        now: when.

    Raises:
        UnknownNumberError: it is no number of that carrier, or of any.
        AmbiguousNumberError: it may be of several, and no carrier is given.
        ConflictError: the shipment is not on its way, or has too many such numbers.
    """
    found = _recognised(number, carrier)
    if shipment.terminal or shipment.milestone is Milestone.BOOKED:
        raise ConflictError(f"it cannot be handed on: it is {shipment.milestone.value}")
    if len(forwardings_of(session, shipment)) >= FORWARDINGS_MAX:
        raise ConflictError(f"a shipment is handed on under at most {FORWARDINGS_MAX} numbers")
    values = {
        "tenant_id": shipment.tenant_id,
        "shipment_id": shipment.id,
        "carrier": found.carrier,
        "number": found.number,
        "user_id": actor.user_id,
        "forwarded_at": now,
    }
    done = session.execute(
        insert(Forwarding)
        .values(values)
        .on_conflict_do_update(
            index_elements=[Forwarding.shipment_id, Forwarding.number],
            set_={"carrier": found.carrier},
            where=Forwarding.carrier != found.carrier,
        )
        .returning(Forwarding.id)
    ).first()
    if done is not None:
        _audit(session, actor, shipment, "shipment.forwarded", found.number, now)
    (told,) = (one for one in forwardings_of(session, shipment) if one.number == found.number)
    return told


def forget(session: Session, actor: Actor, shipment: Shipment, number: str, *, now: datetime) -> None:
    """Take a number back that was written down by mistake; one that is not there is no harm."""
    plain = normalise(number)
    gone = session.execute(
        sa.delete(Forwarding)
        .where(Forwarding.shipment_id == shipment.id, Forwarding.number == plain)
        .returning(Forwarding.id)
    ).first()
    if gone is not None:
        _audit(session, actor, shipment, "shipment.forwarding_forgotten", plain, now)


def forwardings_of(session: Session, shipment: Shipment) -> list[Forwarded]:
    """The numbers under which other carriers have a shipment, the first one first."""
    rows = session.scalars(
        sa.select(Forwarding).where(Forwarding.shipment_id == shipment.id).order_by(Forwarding.id)
    )
    return [_told(row) for row in rows]


def _recognised(number: str, carrier: str | None) -> Recognised:
    found = [one for one in recognise(number) if carrier in (None, one.carrier)]
    if not found:
        detail = "is no number of a carrier we know, or its check digit is wrong"
        raise UnknownNumberError("the number is not recognised", [{"detail": detail, "pointer": "/number"}])
    if len(found) > 1:
        raise AmbiguousNumberError(found)
    return found[0]


def _told(row: Forwarding) -> Forwarded:
    found = next((one for one in recognise(row.number) if one.carrier == row.carrier), None)
    name, url = (row.carrier, None) if found is None else (found.carrier_name, found.tracking_url)
    return Forwarded(row.number, row.carrier, name, url, row.forwarded_at)


def _audit(
    session: Session, actor: Actor, shipment: Shipment, action: str, number: str, now: datetime
) -> None:
    audit(
        session,
        actor,
        action,
        subject_kind="shipment",
        subject_id=shipment.id,
        details={"number": number},
        now=now,
    )
