"""Cash from the door as money: who collected it owes it; the shipper is owed his, the rest pays the order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.customers.models import Customer
from app.customers.party import party_id_of
from app.errors import ConflictError
from app.ledger import queries as ledger_queries
from app.ledger import service as ledger
from app.ledger.values import entry_value
from app.orders import surcharges
from app.orders.lifecycle import chart_of
from app.orders.queries import order_of_shipment
from app.shipments.models import Shipment
from settlement import posting
from settlement.ledger import EvidenceRef
from settlement.money import Money

# What the entries of a collection are called: the shipper's cash, and what pays the carriage.
_CASH, _CHARGE = "collected", "charge"


def post_collected_cash(
    session: Session, told: Mapping[str, Any], *, collector_id: int, now: datetime
) -> None:
    """Post what was collected at a door; the same scan again is no harm.

    Args:
        session: of the shipment's tenant.
        told: the payload of `cod.collected`.
        collector_id: the party that has the cash now.
        now: when it is recorded.
    """
    shipment = session.get_one(Shipment, told["shipment_id"])
    at = datetime.fromisoformat(told["collected_at"])
    charge_minor = told.get("charge_minor", 0)
    if charge_minor:
        made = _header(session, shipment, told["scan_key"], _CHARGE, at)
        surcharges.collected(session, told, collector_id=collector_id, made=made, now=now)
    amount = Money(told["amount_minor"] - charge_minor, told["currency"])
    if amount.amount_minor:
        shipper_id = party_id_of(session, session.get_one(Customer, shipment.customer_id), now=now)
        made = _header(session, shipment, told["scan_key"], _CASH, at)
        entry = posting.cod_collected(chart_of(session), made, collector_id, shipper_id, amount)
        ledger.post(session, entry, now=now)


def reverse_collected_cash(session: Session, told: Mapping[str, Any], *, now: datetime) -> None:
    """Undo the entries of a delivery that was declared an error; again is no harm.

    Raises:
        ConflictError: they are not there yet; the event comes again.
    """
    shipment = session.get_one(Shipment, told["shipment_id"])
    at = datetime.fromisoformat(told["collected_at"])
    if told.get("charge_minor", 0):
        surcharges.uncollected(session, told["shipment_id"], now=now)
    found = [
        entry
        for step in (_CHARGE, _CASH)
        if (
            entry := ledger_queries.entry_by_key(
                session, _header(session, shipment, told["scan_key"], step, at).entry_id
            )
        )
    ]
    if not found:
        raise ConflictError("the collected cash has not been posted yet")
    made = _header(session, shipment, told["scan_key"], "reversed", at)
    ledger.post_many(session, [posting.reversal(entry_value(entry), made) for entry in found], now=now)


def _header(session: Session, shipment: Shipment, scan_key: str, step: str, at: datetime) -> posting.Header:
    """Key, moment and evidence: the scan is the fact; one looks for it by shipment or order."""
    evidence = [EvidenceRef("shipment", shipment.waybill_number), EvidenceRef("scan", scan_key)]
    order = order_of_shipment(session, shipment.id)
    if order is not None:
        evidence.insert(0, EvidenceRef("order", order.number))
    return posting.Header(f"cod:{scan_key}:{step}", at, tuple(evidence))
