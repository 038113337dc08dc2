"""The clock of the orders room: money of delivered parcels is released unasked after some days."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.config import Settings
from app.orders.lifecycle import release
from app.orders.models import Order, OrderStatus
from app.shipments.models import Shipment

_BATCH = 500
_BATCHES_A_RUN = 20
AUTO_CONFIRMED = "auto_confirmed"


def release_unconfirmed(session: Session, settings: Settings, now: datetime) -> int:
    """Release orders whose parcels were delivered long ago and whose receipt nobody confirmed.

    The session sees every tenant. Orders that somebody is working on are left for the next run.

    Returns:
        How many were released.
    """
    released = 0
    for _batch in range(_BATCHES_A_RUN):
        due = _due(session, now - timedelta(days=settings.auto_confirm_days))
        for tenant_id, orders in groupby(due, key=lambda order: order.tenant_id):
            session.info["tenant_id"] = tenant_id
            try:
                held = list(orders)
                reasons = dict.fromkeys((order.shipment_id for order in held), AUTO_CONFIRMED)
                release(session, held, reasons=reasons, now=now)
                session.flush()  # within the tenant whose rows they are; the next batch must not see them
            finally:
                session.info["tenant_id"] = None
        released += len(due)
        if len(due) < _BATCH:
            break
    return released


def _due(session: Session, delivered_before: datetime) -> list[Order]:
    return list(
        session.scalars(
            sa.select(Order)
            .join(Shipment, Shipment.id == Order.shipment_id)
            .where(
                Order.status == OrderStatus.HELD,
                Shipment.delivered_at <= delivered_before,
            )
            .order_by(Order.tenant_id, Order.id)
            .limit(_BATCH)
            .options(selectinload(Order.shares))
            .with_for_update(of=Order, skip_locked=True)
        )
    )
