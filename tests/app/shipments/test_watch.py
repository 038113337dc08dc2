"""Findings open once, say since when, and close by themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from app.config import Settings
from app.shipments import service, watching
from app.shipments.finding_models import ShipmentFinding
from app.shipments.models import Shipment, UnmatchedScan
from tests.app.shipments.conftest import Desk


@pytest.fixture
def desk(new_desk: Callable[[], Desk]) -> Desk:
    """A tenant of its own for each test: the watch looks at all of them."""
    return new_desk()


def watched(desk: Desk, settings: Settings, now: datetime) -> int:
    return watching.watch(desk.database, settings, now)


def rows(desk: Desk, shipment: Shipment) -> dict[str, bool]:
    """Findings of the watch and whether each is open."""
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        found = session.scalars(
            sa.select(ShipmentFinding).where(ShipmentFinding.shipment_id == shipment.id)
        ).all()
    return {row.kind.value: row.closed_at is None for row in found}


def test_a_late_parcel_opens_one_finding_that_its_delivery_closes(desk: Desk, settings: Settings) -> None:
    shipment = desk.book()
    life = desk.life(shipment)
    desk.record(*life[:3])
    assert rows(desk, shipment) == {}
    late = shipment.promised_to_at + timedelta(hours=1)
    assert watched(desk, settings, late) >= 1
    assert rows(desk, shipment)["late"] is True
    assert watched(desk, settings, late + timedelta(minutes=5)) == 0
    desk.record(*life[3:], now=late + timedelta(hours=1))
    assert set(rows(desk, shipment).values()) == {False}


def test_a_parcel_of_which_nothing_is_heard_is_stuck_until_it_moves(desk: Desk, settings: Settings) -> None:
    shipment = desk.book()
    life = desk.life(shipment)
    desk.record(*life[:4])
    at = life[3].occurred_at + timedelta(days=2, minutes=1)
    watched(desk, settings, at)
    assert rows(desk, shipment)["stuck"] is True
    desk.record(life[4], desk.scan(shipment, "sorted", at, "CTU-G"), now=at)
    watched(desk, settings, at + timedelta(minutes=5))
    assert rows(desk, shipment)["stuck"] is False


def test_a_parcel_off_its_way_is_misrouted_until_it_is_back(desk: Desk, settings: Settings) -> None:
    shipment = desk.book()
    life = desk.life(shipment)
    astray = desk.scan(shipment, "arrived", life[3].occurred_at, "CAN-G")
    desk.record(*life[:3], astray)
    watched(desk, settings, astray.occurred_at + timedelta(minutes=1))
    assert rows(desk, shipment)["misrouted"] is True
    desk.record(*life[3:6])
    watched(desk, settings, life[5].occurred_at + timedelta(minutes=1))
    assert rows(desk, shipment)["misrouted"] is False


def test_an_unconfirmed_delivery_is_found_and_let_go_when_it_is_released(
    desk: Desk, settings: Settings
) -> None:
    shipment, confirmed = desk.book(), desk.book()
    for one in (shipment, confirmed):
        desk.record(*desk.life(one))
    delivered_at = desk.again(shipment).delivered_at
    assert delivered_at is not None
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        own = session.get_one(Shipment, confirmed.id)
        service.confirm_receipt(session, own, now=delivered_at + timedelta(hours=1), by="tracking_page")
    watched(desk, settings, delivered_at + timedelta(days=2))
    assert rows(desk, shipment) == {}
    watched(desk, settings, delivered_at + timedelta(days=3, hours=1))
    assert rows(desk, shipment) == {"unconfirmed": True}
    assert rows(desk, confirmed) == {}
    watched(desk, settings, delivered_at + timedelta(days=settings.auto_confirm_days, hours=1))
    assert rows(desk, shipment) == {"unconfirmed": False}


def test_kept_scans_are_recorded_when_their_number_is_known(desk: Desk, settings: Settings) -> None:
    shipment = desk.book()
    scan = desk.scan(shipment, "collected", shipment.booked_at, number="WH0")
    desk.record(scan)
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        session.execute(sa.update(UnmatchedScan).values(number=shipment.waybill_number))
    watched(desk, settings, shipment.booked_at + timedelta(minutes=5))
    assert desk.again(shipment).milestone.value == "accepted"
