"""A redirection reaches plans: another door is planned anew, another outlet or a locker leaves the round."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.accounts.models import AuditEntry
from app.dispatch import jobs, journal
from app.dispatch import service as dispatch
from app.dispatch.change_words import change_text
from app.dispatch.models import Plan, PlanStatus, PlanUnserved, StopKind, StopRequest, StopStatus
from app.shipments.models import Shipment
from routing.network import Handover
from routing.pickup import ReasonCode
from tests.app.dispatch.conftest import Depot
from tests.app.dispatch.test_corrections import correct
from tests.app.dispatch.test_edits import lock, move, sound, visits
from tests.app.dispatch.test_leaving import bring, in_order, parcel_of, run, status_of


def redirect(depot: Depot, parcel: Shipment, **changes: Any) -> None:
    """What an accepted instruction does: the shipment is changed, and its stop follows."""
    with depot.work() as session:
        shipment = session.get_one(Shipment, parcel.id)
        for name, value in changes.items():
            setattr(shipment, name, value)
        session.flush()  # as the room above does
        dispatch.follow_redirection(session, shipment, now=depot.clock())


def next_door(depot: Depot, parcel: Shipment, north: float = 0.02, east: float = 0.03) -> dict[str, Any]:
    return {
        "consignee_address": "人民南路 4 段 9 号",
        "consignee_latitude": parcel.consignee_latitude + north,
        "consignee_longitude": parcel.consignee_longitude + east,
    }


@pytest.fixture
def parcels(depot: Depot) -> list[Shipment]:
    depot.hire(2, capacity_pieces=4)
    return bring(depot, 6)


def stop_of(depot: Depot, parcel: Shipment) -> StopRequest:
    found = depot.stop(parcel, StopKind.DELIVERY)
    assert found is not None
    return found


def test_another_door_of_the_outlet_is_planned_anew_in_every_plan(
    depot: Depot, parcels: list[Shipment], app
) -> None:
    stop = stop_of(depot, parcels[0])
    depot.publish(in_force := depot.plan(day=stop.day))
    draft = depot.plan(day=stop.day)
    other = next(one for one in visits(depot, draft) if one != stop.id)
    move(depot, draft, other, None)
    with depot.work() as session:
        versions = {one: session.get_one(Plan, one).version for one in (in_force, draft)}
    redirect(depot, parcels[0], **next_door(depot, parcels[0]))
    after = stop_of(depot, parcels[0])
    assert (after.address, after.status) == ("人民南路 4 段 9 号", StopStatus.PLANNED)
    assert (after.latitude, after.longitude) == (
        parcels[0].consignee_latitude + 0.02,
        parcels[0].consignee_longitude + 0.03,
    )
    for plan_id in (in_force, draft):
        assert stop.id in visits(depot, plan_id)
        sound(depot, plan_id)
    with depot.work() as session:
        assert journal.next_to_undo(session, draft) is None, "changed for the door it was at"
        (told,) = journal.changes_since(session, session.get_one(Plan, in_force), versions[in_force])
        (entry,) = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "stop.redirected"))
        assert entry.user_id is None
    with app.test_request_context():
        assert "人民南路 4 段 9 号 was redirected to this address and planned anew" in change_text(told)
    with app.test_request_context(headers={"Accept-Language": "zh"}):
        assert "已改派到此地址" in change_text(told)
    depot.clock.forward(days=(stop.day - depot.clock().date()).days)
    his = run(depot, visits(depot, in_force)[stop.id])
    assert "人民南路 4 段 9 号" in {one.stop.address for one in his.stops}


def test_a_redirection_that_is_followed_again_changes_nothing(depot: Depot, parcels: list[Shipment]) -> None:
    stop = stop_of(depot, parcels[0])
    plan_id = depot.plan(day=stop.day)
    redirect(depot, parcels[0], **next_door(depot, parcels[0]))
    with depot.work() as session:
        version = session.get_one(Plan, plan_id).version
    redirect(depot, parcels[0])
    with depot.work() as session:
        assert session.get_one(Plan, plan_id).version == version


def test_a_locked_stop_stays_with_its_courier(depot: Depot, parcels: list[Shipment]) -> None:
    stop = stop_of(depot, parcels[0])
    plan_id = depot.plan(day=stop.day)
    courier_id = visits(depot, plan_id)[stop.id]
    lock(depot, plan_id, stop.id, True)
    redirect(depot, parcels[0], **next_door(depot, parcels[0]))
    assert visits(depot, plan_id)[stop.id] == courier_id
    with depot.work() as session:
        (visit,) = [one for one in depot.load(session, plan_id).visits if one.stop_request_id == stop.id]
        assert visit.locked


def test_a_door_that_no_round_reaches_waits_with_its_reason(depot: Depot, parcels: list[Shipment]) -> None:
    stop = stop_of(depot, parcels[0])
    depot.publish(plan_id := depot.plan(day=stop.day))
    redirect(depot, parcels[0], **next_door(depot, parcels[0], north=4.0))
    assert stop.id not in visits(depot, plan_id)
    assert status_of(depot, stop.id) is StopStatus.OPEN
    with depot.work() as session:
        (left,) = session.scalars(sa.select(PlanUnserved).where(PlanUnserved.plan_id == plan_id))
        assert (left.stop_request_id, left.reason) == (stop.id, ReasonCode.NO_PLACE_BESIDE_OTHERS)
    sound(depot, plan_id)


def test_a_round_that_has_left_without_it_is_not_given_it(depot: Depot) -> None:
    depot.hire(1)
    parcels = bring(depot, 4)
    day = stop_of(depot, parcels[0]).day
    depot.publish(plan_id := depot.plan(day=day))
    *_before, last = in_order(depot, plan_id)
    parcel = parcel_of(parcels, depot, last.stop_request_id)
    with depot.work() as session:
        (round_,) = depot.load(session, plan_id).rounds
    midnight = datetime.combine(day, time(), UTC) - timedelta(hours=8)
    depot.clock.moment = midnight + timedelta(seconds=round_.start_s + 60)
    redirect(depot, parcel, **next_door(depot, parcel))
    assert last.stop_request_id not in visits(depot, plan_id), "its van is on the road"
    assert status_of(depot, last.stop_request_id) is StopStatus.OPEN
    sound(depot, plan_id)


def test_a_plan_that_is_being_made_begins_again(depot: Depot, parcels: list[Shipment]) -> None:
    stop = stop_of(depot, parcels[0])
    plan_id = depot.request(day=stop.day)
    redirect(depot, parcels[0], **next_door(depot, parcels[0]))
    with depot.work() as session:
        first = session.get_one(Plan, plan_id)
        again = session.scalars(sa.select(Plan).where(Plan.id > plan_id)).one()
        assert (first.status, again.status) == (PlanStatus.CANCELLED, PlanStatus.REQUESTED)
        assert (again.day, again.seconds, again.requested_by_id) == (stop.day, 1, first.requested_by_id)
    while jobs.solve_next(depot.database, depot.clock):
        pass
    assert stop.id in visits(depot, again.id)
    sound(depot, again.id)


def test_a_pin_is_gone_with_its_door_and_stays_for_the_same_one(
    depot: Depot, parcels: list[Shipment]
) -> None:
    stop = stop_of(depot, parcels[0])
    plan_id = depot.plan(day=stop.day)
    correct(depot, stop.id, stop.latitude + 0.001, stop.longitude)
    redirect(depot, parcels[0])
    assert stop_of(depot, parcels[0]).latitude == stop.latitude + 0.001
    redirect(depot, parcels[0], **next_door(depot, parcels[0]))
    after = stop_of(depot, parcels[0])
    assert (after.latitude, after.place_corrected_at) == (parcels[0].consignee_latitude + 0.02, None)
    sound(depot, plan_id)


@pytest.mark.parametrize("wish", ["locker", "other outlet"])
def test_to_no_door_of_the_outlet_it_leaves_the_round(
    depot: Depot, parcels: list[Shipment], wish: str
) -> None:
    stop = stop_of(depot, parcels[0])
    depot.publish(in_force := depot.plan(day=stop.day))
    draft = depot.plan(day=stop.day)
    courier_id = visits(depot, in_force)[stop.id]
    if wish == "locker":
        redirect(depot, parcels[0], delivery_handover=Handover.LOCKER)
    else:
        redirect(depot, parcels[0], destination_facility_id=depot.world.facilities["HGH-01"])
    for plan_id in (in_force, draft):
        assert stop.id not in visits(depot, plan_id)
        assert len(visits(depot, plan_id)) == 5
        sound(depot, plan_id)
    assert status_of(depot, stop.id) is StopStatus.CANCELLED
    depot.clock.forward(days=(stop.day - depot.clock().date()).days)
    assert [one.id for one, _number in run(depot, courier_id).cancelled] == [stop.id]
