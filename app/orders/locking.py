"""Orders are locked in the order of their ids, all that a transaction needs at once, before anything else.

Two transactions that lock several orders then cannot wait for each other; nor can one that holds an order and
one that holds its shipment, since whoever needs both has the order first.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session, selectinload

from app.db import ending
from app.orders.models import Order

_EAGER = (selectinload(Order.shares), selectinload(Order.surcharges))


def lock_all(session: Session, *, shipment_ids: Collection[int], customer_ids: Collection[int]) -> None:
    """Lock the orders of shipments and of customers, for work that looks at them one after the other."""
    if not shipment_ids and not customer_ids:
        return
    session.flush()  # an order that is not written yet has no place in the order
    found = session.scalars(
        sa.select(Order.id)
        .where(sa.or_(Order.shipment_id.in_(shipment_ids), Order.customer_id.in_(customer_ids)))
        .order_by(Order.id)
        .with_for_update(key_share=True)
    ).all()
    ending.note_locked(session, "order", found)


def lock(session: Session, orders: Sequence[Order]) -> None:
    """Wait for whoever is changing orders, and look at them again."""
    _locked(session, Order.id, [order.id for order in orders])


def locked_orders(session: Session, shipment_ids: Collection[int]) -> dict[int, Order]:
    """The orders of shipments by shipment, locked, as they stand now; a shipment without one is left out."""
    return {order.shipment_id: order for order in _locked(session, Order.shipment_id, shipment_ids)}


def locked_order(session: Session, shipment_id: int) -> Order | None:
    """The order of a shipment, locked, as it stands now."""
    return locked_orders(session, [shipment_id]).get(shipment_id)


def lock_orders_of(session: Session, customer_id: int) -> list[int]:
    """Lock every order of a customer; gives their ids."""
    return [order.id for order in _locked(session, Order.customer_id, [customer_id])]


def _locked(session: Session, key: InstrumentedAttribute[int], values: Collection[int]) -> Sequence[Order]:
    session.flush()  # a look anew would forget what is not written yet
    found = session.scalars(
        sa.select(Order)
        .where(key.in_(values))
        .order_by(Order.id)
        .options(*_EAGER)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    ending.note_locked(session, "order", [order.id for order in found])
    return found
