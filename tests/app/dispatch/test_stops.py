"""Stops are asked for and follow what happens to their parcels."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.dispatch import queries
from app.dispatch import service as dispatch
from app.dispatch.models import StopKind, StopRequest, StopStatus
from app.errors import ConflictError
from app.shipments import service as shipments
from app.shipments.models import Service, Shipment
from app.shipments.values import scan_key
from routing.network import Handover
from tests.app.dispatch.conftest import TODAY, Depot

_WAY = ("CTU-01", "CTU-G", "WUH-HUB", "HGH-HUB", "HGH-G", "HGH-01")


def follow(depot: Depot, shipment: Shipment) -> None:
    with depot.work() as session:
        dispatch.follow_shipments(session, [shipment.id], now=depot.clock())


def at_hour(depot: Depot, hour: int, minute: int = 0) -> None:
    """Set the clock to a local time of the first day."""
    depot.clock.moment = depot.clock().replace(hour=0, minute=0) + timedelta(hours=hour - 8, minutes=minute)


def delivery(depot: Depot, shipment: Shipment) -> StopRequest | None:
    return depot.stop(shipment, StopKind.DELIVERY)


def bring(depot: Depot, shipment: Shipment, *, arrives: datetime) -> None:
    """From the sender's door to the destination outlet."""
    depot.clock.moment = arrives
    depot.scan(shipment, "collected", at=arrives - timedelta(hours=30))
    for place in range(1, len(_WAY)):
        hours = 4 * (len(_WAY) - 1 - place)
        depot.scan(shipment, "departed", _WAY[place - 1], at=arrives - timedelta(hours=hours, minutes=60))
        depot.scan(shipment, "arrived", _WAY[place], at=arrives - timedelta(hours=hours))


@pytest.mark.parametrize(
    ("hour", "day", "from_s"),
    [
        (6, TODAY, 8 * 3600),
        (9, TODAY, 9 * 3600 + 13 * 60),
        (15, TODAY, 15 * 3600 + 13 * 60),
        (16, TODAY + timedelta(days=1), 8 * 3600),
        (23, TODAY + timedelta(days=1), 8 * 3600),
    ],
)
def test_a_door_pickup_is_asked_for_in_the_promised_window(
    depot: Depot, hour: int, day: date, from_s: int
) -> None:
    at_hour(depot, hour, 13)
    stop = depot.stop(depot.book()[0])
    assert stop is not None
    assert (stop.day, stop.window_from_s, stop.window_to_s) == (day, from_s, from_s + 3 * 3600)
    assert stop.status is StopStatus.OPEN
    assert stop.facility_id == depot.outlet_id
    assert stop.window_to_s <= 19 * 3600


def test_nobody_is_sent_to_who_brings_his_parcel_himself(depot: Depot) -> None:
    assert depot.stop(depot.book(pickup_handover=Handover.OUTLET)[0]) is None


def test_asking_twice_is_asking_once(depot: Depot) -> None:
    shipment = depot.book()[0]
    before = depot.stop(shipment)
    depot.clock.forward(hours=9)
    with depot.work() as session:
        dispatch.request_pickups(session, [shipment.id], now=depot.clock())
        count = session.scalar(sa.select(sa.func.count()).select_from(StopRequest))
    after = depot.stop(shipment)
    assert count == 1
    assert after is not None
    assert before is not None
    assert after.created_at == before.created_at


def test_express_goes_first_and_pieces_take_time(depot: Depot) -> None:
    plain = depot.stop(depot.book()[0])
    express = depot.stop(depot.book(service=Service.EXPRESS, pieces=4)[0])
    assert plain is not None
    assert express is not None
    assert express.priority > plain.priority
    assert express.service_s == plain.service_s + 3 * 20


def test_a_collected_parcel_is_a_done_pickup(depot: Depot) -> None:
    shipment = depot.book()[0]
    depot.scan(shipment, "collected")
    assert depot.stop(shipment).status is StopStatus.DONE


def test_a_parcel_further_on_is_a_done_pickup_even_if_nobody_scanned_it_before(depot: Depot) -> None:
    shipment = depot.book()[0]
    depot.clock.forward(hours=8)
    depot.scan(shipment, "arrived", "CTU-G")
    assert depot.stop(shipment).status is StopStatus.DONE


def test_a_failed_pickup_can_be_tried_on_another_day(depot: Depot) -> None:
    shipment = depot.book()[0]
    depot.scan(shipment, "pickup_failed", reason="consignee_absent")
    stop = depot.stop(shipment)
    assert stop.status is StopStatus.FAILED
    with depot.work() as session:
        again = queries.load_stop(session, depot.dispatcher, stop.id)
        dispatch.postpone(session, depot.dispatcher, again, offset_minutes=480, now=depot.clock())
    follow(depot, shipment)  # the same event once more, late
    stop = depot.stop(shipment)
    assert (stop.status, stop.day) == (StopStatus.OPEN, TODAY + timedelta(days=1))
    with depot.work() as session, pytest.raises(ConflictError):
        done = queries.load_stop(session, depot.dispatcher, stop.id)
        done.status = StopStatus.DONE
        session.flush()
        dispatch.postpone(session, depot.dispatcher, done, offset_minutes=480, now=depot.clock())


def test_a_cancelled_booking_needs_no_courier(depot: Depot) -> None:
    shipment = depot.book()[0]
    with depot.work() as session:
        shipments.cancel(session, session.get_one(Shipment, shipment.id), now=depot.clock())
    follow(depot, shipment)
    assert depot.stop(shipment).status is StopStatus.CANCELLED


def test_what_arrives_in_the_night_goes_out_in_the_morning(depot: Depot) -> None:
    shipment = depot.book()[0]
    midnight = depot.clock().replace(hour=16) + timedelta(days=1)  # 00:00 of 4 March there
    bring(depot, shipment, arrives=midnight + timedelta(hours=5))
    stop = delivery(depot, shipment)
    assert stop is not None
    assert (stop.day, stop.window_from_s, stop.window_to_s) == (date(2026, 3, 4), 8 * 3600, 12 * 3600)
    assert stop.facility_id == depot.world.facilities["HGH-01"]
    assert stop.contact_name == "李小梅"


def test_an_arrival_told_late_is_for_a_round_that_has_not_left(depot: Depot) -> None:
    shipment = depot.book()[0]
    arrives = depot.clock().replace(hour=21) + timedelta(days=1)  # 05:00 there
    bring(depot, shipment, arrives=arrives)
    with depot.work() as session:
        session.execute(sa.delete(StopRequest).where(StopRequest.kind == StopKind.DELIVERY))
    depot.clock.moment = arrives + timedelta(hours=6)  # 11:00
    follow(depot, shipment)
    assert delivery(depot, shipment).window_from_s == 14 * 3600


def test_on_the_way_nothing_is_to_be_delivered(depot: Depot) -> None:
    shipment = depot.book()[0]
    depot.clock.forward(hours=10)
    depot.scan(shipment, "arrived", "WUH-HUB")
    assert delivery(depot, shipment) is None


def test_who_collects_at_a_point_gets_no_courier(depot: Depot) -> None:
    shipment = depot.book(delivery_handover=Handover.OUTLET)[0]
    bring(depot, shipment, arrives=depot.clock() + timedelta(days=2))
    assert delivery(depot, shipment) is None


def delivered_life(depot: Depot) -> Shipment:
    shipment = depot.book()[0]
    bring(depot, shipment, arrives=depot.clock() + timedelta(days=2))
    return shipment


def test_out_for_delivery_keeps_the_stop_and_delivery_ends_it(depot: Depot) -> None:
    shipment = delivered_life(depot)
    before = delivery(depot, shipment)
    depot.clock.forward(hours=4)
    depot.scan(shipment, "out_for_delivery", "HGH-01")
    assert delivery(depot, shipment).status is StopStatus.OPEN
    assert delivery(depot, shipment).day == before.day
    depot.clock.forward(hours=1)
    depot.scan(shipment, "delivered")
    assert delivery(depot, shipment).status is StopStatus.DONE


def test_a_failed_attempt_is_open_again_for_the_next_day(depot: Depot) -> None:
    shipment = delivered_life(depot)
    with depot.work() as session:
        session.execute(sa.update(StopRequest).values(status=StopStatus.PLANNED))
    depot.clock.forward(hours=4)
    depot.scan(shipment, "out_for_delivery", "HGH-01")
    depot.clock.forward(hours=1)
    depot.scan(shipment, "attempt_failed", reason="consignee_absent")
    stop = delivery(depot, shipment)
    failed_on = (depot.clock() + timedelta(hours=8)).date()
    assert (stop.status, stop.day) == (StopStatus.OPEN, failed_on + timedelta(days=1))
    assert stop.window_to_s - stop.window_from_s == 10 * 3600
    with depot.work() as session:
        session.execute(sa.update(StopRequest).values(status=StopStatus.PLANNED))
    follow(depot, shipment)  # the event once more
    again = delivery(depot, shipment)
    assert (again.status, again.day) == (StopStatus.PLANNED, stop.day)


@pytest.mark.parametrize(
    ("code", "status"),
    [("refused", StopStatus.FAILED), ("at_locker", StopStatus.DONE), ("returning", StopStatus.CANCELLED)],
)
def test_other_ends_of_a_delivery(depot: Depot, code: str, status: StopStatus) -> None:
    shipment = delivered_life(depot)
    depot.clock.forward(hours=4)
    depot.scan(shipment, "out_for_delivery", "HGH-01")
    depot.clock.forward(hours=1)
    depot.scan(shipment, code, "HGH-01")
    assert delivery(depot, shipment).status is status


def test_a_return_declared_in_error_is_to_be_delivered_after_all(depot: Depot) -> None:
    shipment = delivered_life(depot)
    depot.clock.forward(hours=1)
    depot.scan(shipment, "returning", "HGH-01", client_scan_id="mistake")
    assert delivery(depot, shipment).status is StopStatus.CANCELLED
    depot.clock.forward(hours=1)
    depot.scan(shipment, "voided", corrects=scan_key(depot.tenant_id, "gun", "mistake"))
    assert delivery(depot, shipment).status is StopStatus.OPEN


def test_following_is_cheap(depot: Depot) -> None:
    shipment = depot.book()[0]
    depot.scan(shipment, "collected")
    statements: list[str] = []
    listen = ("before_cursor_execute", lambda *call: statements.append(call[2]))
    sa.event.listen(depot.database.engine, *listen)
    try:
        follow(depot, shipment)
    finally:
        sa.event.remove(depot.database.engine, *listen)
    assert len(statements) == 1, "nothing follows, so nothing is written"


def test_an_unknown_shipment_is_nobodys(depot: Depot, new_depot) -> None:
    shipment = depot.book()[0]
    other = new_depot()
    with other.work() as session:
        dispatch.follow_shipments(session, [shipment.id], now=other.clock())
        dispatch.request_pickups(session, [shipment.id], now=other.clock())
        assert session.scalar(sa.select(sa.func.count()).select_from(StopRequest)) == 0
