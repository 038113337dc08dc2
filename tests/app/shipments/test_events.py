"""What the shipments room tells the others: each change that concerns them, once."""

from __future__ import annotations

import sqlalchemy as sa

from app.db.outbox import OutboxEvent
from app.dispatch.models import StopKind, StopRequest, StopStatus
from tests.support.app import Logins
from tests.support.company import company
from tracking.shipment import ScanCode


def test_the_arrival_at_the_last_outlet_is_told_though_the_milestone_stays(tenant: Logins) -> None:
    shop = company(tenant)
    number = shop.book()
    for scan in shop.life(number, until=ScanCode.OUT_FOR_DELIVERY)[:-1]:
        shop.record([scan])
    with shop.work() as session:
        told = session.scalars(
            sa.select(OutboxEvent.payload)
            .where(OutboxEvent.topic == "shipment.state_changed")
            .order_by(OutboxEvent.id)
        ).all()
    assert [(row["milestone"], row["code"]) for row in told] == [
        ("accepted", "collected"),
        ("in_transit", "departed"),
        ("in_transit", "arrived"),
    ]
    shop.relay()
    with shop.work() as session:
        stops = session.execute(
            sa.select(StopRequest.kind, StopRequest.status).order_by(StopRequest.id)
        ).all()
    assert [tuple(row) for row in stops] == [
        (StopKind.PICKUP, StopStatus.DONE),
        (StopKind.DELIVERY, StopStatus.OPEN),
    ]
