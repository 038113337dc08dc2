"""What is dearer than what was paid: the staff bear it for the company, or who asked accepts the price."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app.actor import Actor
from app.deliveries import targets
from app.deliveries.instructions import accept, locked, refuse, write_down
from app.deliveries.models import Instruction, PriceBearer
from app.deliveries.targets import Target
from app.deliveries.values import Asking, Wish
from app.errors import ConflictError, ForbiddenError
from app.orders import service as orders
from app.orders.models import SurchargePayment
from app.shipments.models import Shipment
from routing.network import Handover
from settlement.money import Money
from tracking.instructions import Asker, InstructionRefusal, Standing, refusal

_BEARERS = {Asker.SHIPPER: PriceBearer.SHIPPER, Asker.CONSIGNEE: PriceBearer.CONSIGNEE}
_PAYMENTS = {
    PriceBearer.SHIPPER: SurchargePayment.ACCOUNT,
    PriceBearer.CONSIGNEE: SurchargePayment.AT_THE_DOOR,
}


def decide(session: Session, actor: Actor, row: Instruction, *, accepted: bool, now: datetime) -> None:
    """A person of the staff says whether the company bears what a redirection costs more.

    Raises:
        ConflictError: it has been decided already.
    """
    shipment = _waiting(session, row)
    if not accepted:
        refuse(row, InstructionRefusal.COSTS_MORE, actor, now)
    elif _carry_on(session, row, shipment, Asker.STAFF, actor, now):
        row.price_borne_by = PriceBearer.COMPANY
    write_down(session, actor, row, now)


def accepts_price(row: Instruction, asking: Asking) -> bool:
    """Whether it is for this asker to accept what his wish costs: a locker takes no cash from a consignee."""
    if row.standing is not Standing.ASKED or row.price_difference_minor <= 0:
        return False
    if asking.asker is not row.asker or asking.asker not in _BEARERS:
        return False
    return not (asking.asker is Asker.CONSIGNEE and row.handover is Handover.LOCKER)


def accept_price(session: Session, row: Instruction, asking: Asking, *, now: datetime) -> None:
    """Who asked accepts what his wish costs more; it becomes part of the order's money.

    A shipper pays it as he pays the order. A consignee pays it at his door, since behind a link nobody may
    spend what is the shipper's. Where it can no longer be done the instruction is refused with its reason.

    Args:
        session: of the shipment's tenant.
        row: an instruction that waits for an answer.
        asking: who accepts.
        now: when.

    Raises:
        ForbiddenError: it was asked by another, or by the staff, who decide.
        ConflictError: it has been decided already, or a locker would have to take the cash.
    """
    open_for_more = orders.may_rise(session, row.shipment_id)  # the order is locked before the shipment
    shipment = _waiting(session, row)
    if asking.asker is not row.asker or asking.asker not in _BEARERS:
        raise ForbiddenError("who asked for it accepts its price")
    if not accepts_price(row, asking):
        raise ConflictError("a locker takes no cash; the staff may bear the price", why="cash_due")
    bearer = _BEARERS[asking.asker]
    if not open_for_more:
        refuse(row, InstructionRefusal.PRICE_SETTLED, asking.actor, now)
    elif _carry_on(session, row, shipment, asking.asker, asking.actor, now):
        row.price_borne_by = bearer
        session.refresh(shipment, ["legs"])  # the shares go by the way that it takes now
        rise = orders.Rise(Money(row.price_difference_minor, row.currency), row.id, _PAYMENTS[bearer])
        orders.surcharge(session, shipment, rise, now=now)
    write_down(session, asking.actor, row, now)


def _waiting(session: Session, row: Instruction) -> Shipment:
    shipment = locked(session, row)
    if row.standing is not Standing.ASKED:
        raise ConflictError(f"the instruction is {row.standing.value}")
    return shipment


def _carry_on(
    session: Session, row: Instruction, shipment: Shipment, asker: Asker, actor: Actor | None, now: datetime
) -> bool:
    """Go on with a wish that waited, if it can still be met; gives whether it could."""
    target: Target | None = None
    why = refusal(row.kind, asker, shipment.milestone)
    if why is None:
        wish = Wish(row.kind, None, None, row.facility_id, row.district_adcode, row.address, row.note)
        found = targets.target_of(session, shipment, wish, Asking(row.asker, row.access))
        if isinstance(found, InstructionRefusal):
            why = found
        else:
            target = found
    if why is None:
        accept(session, row, shipment, target, actor, now)
    else:
        refuse(row, why, actor, now)
    return row.standing is not Standing.REFUSED
