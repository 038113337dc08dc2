"""What goes back is brought to its sender by a courier: in the day's list, in a round, on his phone."""

from __future__ import annotations

import re
from datetime import timedelta

import sqlalchemy as sa

from app.dispatch import service as dispatch
from app.dispatch.models import Plan, PlanVisit, StopKind, StopRequest, StopStatus
from app.shipments.models import Shipment
from tests.app.dispatch.conftest import Depot
from tracking.shipment import Milestone, ScanCode

LOCAL = timedelta(hours=8)


def back(depot: Depot, shipment: Shipment) -> StopRequest | None:
    return depot.stop(shipment, StopKind.RETURN)


def came_back(depot: Depot) -> Shipment:
    """Turned round in Wuhan and back at the outlet that sent it, at six in the morning of a later day."""
    shipment = depot.book()[0]
    depot.scan(shipment, "collected")
    for hours, code, place in (
        (6, "arrived", "CTU-01"),
        (6, "departed", "CTU-01"),
        (12, "arrived", "WUH-HUB"),
        (1, "returning", "WUH-HUB"),
        (1, "departed", "WUH-HUB"),
    ):
        depot.clock.forward(hours=hours)
        depot.scan(shipment, code, place)
        assert back(depot, shipment) is None or back(depot, shipment).status is StopStatus.CANCELLED
    local = depot.clock() + LOCAL
    depot.clock.moment += timedelta(days=1, hours=6 - local.hour, minutes=-local.minute)
    depot.scan(shipment, "arrived", "CTU-01")
    return shipment


def again(depot: Depot, shipment: Shipment) -> Shipment:
    with depot.work() as session:
        return session.get_one(Shipment, shipment.id)


def test_back_at_its_outlet_it_is_to_be_brought_to_the_senders_door(depot: Depot) -> None:
    shipment = came_back(depot)
    stop = back(depot, shipment)
    today = (depot.clock() + LOCAL).date()
    assert (stop.status, stop.facility_id, stop.day) == (StopStatus.OPEN, depot.outlet_id, today)
    assert (stop.contact_name, stop.address) == ("张伟", shipment.sender_address)
    assert (stop.latitude, stop.longitude) == (shipment.sender_latitude, shipment.sender_longitude)
    assert depot.stop(shipment, StopKind.DELIVERY) is None
    with depot.work() as session:
        dispatch.follow_shipments(session, [shipment.id], now=depot.clock())
    assert back(depot, shipment).created_at == stop.created_at, "the same event again asks for nothing"


def test_it_is_planned_loaded_and_scanned_on_the_couriers_phone(depot: Depot) -> None:
    (courier,) = depot.hire(1)
    shipment = came_back(depot)
    day = back(depot, shipment).day
    depot.clock.forward(hours=2)
    plan_id = depot.plan(day=day)
    with depot.work() as session:
        visits = session.scalars(sa.select(PlanVisit).where(PlanVisit.plan_id == plan_id)).all()
        assert [visit.stop_request_id for visit in visits] == [back(depot, shipment).id]
    board = depot.logins.browser("dispatcher").get(
        f"/dispatch?facility={depot.outlet_id}&day={day.isoformat()}&lang=en"
    )
    assert "Return to sender" in board.text
    depot.publish(plan_id)
    depot.scan(shipment, "out_for_delivery", "CTU-01", courier_id=courier.id)
    assert again(depot, shipment).milestone is Milestone.RETURNING
    phone = depot.logins.browser("courier", courier.id)
    page = phone.get("/run?lang=en")
    assert "Return to sender" in page.text
    assert "Handed back to the sender" in page.text
    token = re.search(r'name="asked_at" value="(\d+)"', page.text)[1]
    stop_id = back(depot, shipment).id
    assert phone.post(f"/run/stops/{stop_id}", data={"what": "done", "asked_at": token}).status_code == 302
    assert again(depot, shipment).milestone is Milestone.RETURNED
    assert back(depot, shipment).status is StopStatus.DONE
    with depot.work() as session:
        assert session.get_one(Plan, plan_id).visits


def test_a_plan_made_while_it_is_out_leaves_it_with_its_courier(depot: Depot) -> None:
    first, second = depot.hire(2)
    shipment = came_back(depot)
    depot.clock.forward(hours=2)
    depot.scan(shipment, "out_for_delivery", "CTU-01", courier_id=second.id)
    plan_id = depot.plan(day=back(depot, shipment).day)
    with depot.work() as session:
        (visit,) = depot.load(session, plan_id).visits
    assert visit.courier_id == second.id != first.id


def test_nobody_there_it_is_brought_the_next_day(depot: Depot) -> None:
    shipment = came_back(depot)
    day = back(depot, shipment).day
    depot.clock.forward(hours=4)
    depot.scan(shipment, "out_for_delivery", "CTU-01")
    depot.clock.forward(hours=1)
    depot.scan(shipment, "attempt_failed", reason="consignee_absent")
    assert again(depot, shipment).code is ScanCode.ATTEMPT_FAILED
    stop = back(depot, shipment)
    assert (stop.status, stop.day) == (StopStatus.OPEN, day + timedelta(days=1))


def test_turned_round_once_more_no_courier_goes(depot: Depot) -> None:
    shipment = came_back(depot)
    depot.clock.forward(hours=1)
    depot.scan(shipment, "redirected", "CTU-01")
    assert back(depot, shipment).status is StopStatus.CANCELLED
