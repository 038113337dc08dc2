"""Cash from the door as money: who collected it owes it; the shipper is owed his, the rest pays the order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.customers.models import Customer
from app.customers.party import party_id_of
from app.errors import ConflictError
from app.ledger import service as ledger
from app.orders import surcharges
from app.orders.lifecycle import chart_of, shipments_of
from app.orders.locking import locked_orders
from app.orders.models import Order
from app.shipments.models import Shipment
from settlement import posting
from settlement.ledger import EvidenceRef
from settlement.money import Money

# What the entries of a collection are called: the shipper's cash, and what pays the carriage.
_CASH, _CHARGE = "collected", "charge"


@dataclass(frozen=True, slots=True)
class Collected:
    """Cash that was collected at a door.

    Args:
        told: the payload of `cod.collected`.
        collector_id: the party that has the cash now.
    """

    told: Mapping[str, Any]
    collector_id: int


def post_collected_cash(session: Session, collected: Sequence[Collected], *, now: datetime) -> None:
    """Post what was collected at doors; the same scan again is no harm.

    Args:
        session: of the shipments' tenant.
        collected: of one scan each.
        now: when it is recorded.
    """
    shipment_ids = {one.told["shipment_id"] for one in collected}
    order_of = locked_orders(session, shipment_ids)
    shipment_of = shipments_of(session, shipment_ids)
    for one in collected:
        told = one.told
        shipment = shipment_of[told["shipment_id"]]
        order = order_of.get(shipment.id)
        charge_minor = told.get("charge_minor", 0)
        if charge_minor:
            assert order is not None, "a charge at the door is a surcharge of an order"
            made = _header(shipment, order, told, _CHARGE)
            surcharges.collected(session, order, told, collector_id=one.collector_id, made=made, now=now)
        amount = Money(told["amount_minor"] - charge_minor, told["currency"])
        if amount.amount_minor:
            shipper_id = party_id_of(session, session.get_one(Customer, shipment.customer_id), now=now)
            made = _header(shipment, order, told, _CASH)
            entry = posting.cod_collected(chart_of(session), made, one.collector_id, shipper_id, amount)
            ledger.post(session, entry, now=now)


def reverse_collected_cash(
    session: Session, taken_back: Sequence[Mapping[str, Any]], *, now: datetime
) -> None:
    """Undo the entries of deliveries that were declared errors; again is no harm.

    Args:
        session: of the shipments' tenant.
        taken_back: payloads of `cod.reversed`.
        now: when it is recorded.

    Raises:
        ConflictError: the entries of one are not there yet; the event comes again.
    """
    shipment_ids = {told["shipment_id"] for told in taken_back}
    order_of = locked_orders(session, shipment_ids)
    shipment_of = shipments_of(session, shipment_ids)
    for told in taken_back:
        shipment = shipment_of[told["shipment_id"]]
        order = order_of.get(shipment.id)
        if told.get("charge_minor", 0):
            assert order is not None, "a charge at the door is a surcharge of an order"
            surcharges.uncollected(session, order, now=now)
        found = [
            entry
            for step in (_CHARGE, _CASH)
            if (entry := ledger.posted(session, _header(shipment, order, told, step).entry_id))
        ]
        if not found:
            raise ConflictError("the collected cash has not been posted yet")
        made = _header(shipment, order, told, "reversed")
        ledger.post_many(session, [posting.reversal(entry, made) for entry in found], now=now)


def _header(shipment: Shipment, order: Order | None, told: Mapping[str, Any], step: str) -> posting.Header:
    """Key, moment and evidence: the scan is the fact; one looks for it by shipment or order."""
    evidence = [EvidenceRef("shipment", shipment.waybill_number), EvidenceRef("scan", told["scan_key"])]
    if order is not None:
        evidence.insert(0, EvidenceRef("order", order.number))
    at = datetime.fromisoformat(told["collected_at"])
    return posting.Header(f"cod:{told['scan_key']}:{step}", at, tuple(evidence))
