"""Cash on delivery as money: who collected it owes it, the shipper is owed it."""

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
from app.orders.lifecycle import chart_of
from app.orders.queries import order_of_shipment
from app.shipments.models import Shipment
from settlement import posting
from settlement.ledger import EvidenceRef
from settlement.money import Money


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
    shipper_id = party_id_of(session, session.get_one(Customer, shipment.customer_id), now=now)
    amount = Money(told["amount_minor"], told["currency"])
    header = _header(
        session, shipment, told["scan_key"], "collected", datetime.fromisoformat(told["collected_at"])
    )
    ledger.post(
        session, posting.cod_collected(chart_of(session), header, collector_id, shipper_id, amount), now=now
    )


def reverse_collected_cash(session: Session, told: Mapping[str, Any], *, now: datetime) -> None:
    """Undo the entry of a delivery that was declared an error; again is no harm.

    Raises:
        ConflictError: the entry is not there yet; the event comes again.
    """
    shipment = session.get_one(Shipment, told["shipment_id"])
    collected_at = datetime.fromisoformat(told["collected_at"])
    posted = ledger_queries.entry_by_key(
        session, _header(session, shipment, told["scan_key"], "collected", collected_at).entry_id
    )
    if posted is None:
        raise ConflictError("the collected cash has not been posted yet")
    header = _header(session, shipment, told["scan_key"], "reversed", collected_at)
    ledger.post(session, posting.reversal(entry_value(posted), header), now=now)


def _header(session: Session, shipment: Shipment, scan_key: str, step: str, at: datetime) -> posting.Header:
    """Key, moment and evidence: the scan is the fact; one looks for it by shipment or order."""
    evidence = [EvidenceRef("shipment", shipment.waybill_number), EvidenceRef("scan", scan_key)]
    order = order_of_shipment(session, shipment.id)
    if order is not None:
        evidence.insert(0, EvidenceRef("order", order.number))
    return posting.Header(f"cod:{scan_key}:{step}", at, tuple(evidence))
