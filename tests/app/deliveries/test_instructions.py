"""Redeliver, redirect, hold, intercept, send back: asked by whom, when it can be done, and what it does."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa

from app.accounts.roles import Role
from app.deliveries import consent, queries, service
from app.deliveries.models import ConsentChannel
from app.deliveries.service import Window
from app.dispatch import jobs
from app.dispatch import service as dispatch
from app.dispatch.models import Plan, PlanVisit, StopKind, StopRequest, StopStatus
from app.dispatch.problem import draft_of
from app.errors import ConflictError, ForbiddenError, InvalidInputError
from app.network import service as network
from app.network import timetables
from app.network.models import Facility
from app.orders.models import Order
from app.shipments.models import ShipmentLeg
from routing.network import FacilityKind, Handover
from routing.pickup import check
from tests.app.deliveries.conftest import Door
from tracking.instructions import InstructionKind, InstructionRefusal, Standing
from tracking.shipment import Milestone, ScanCode

K, R, S = InstructionKind, InstructionRefusal, Standing


def stop_of(door: Door, number: str) -> StopRequest:
    with door.firm.work() as session:
        return session.scalars(
            sa.select(StopRequest).where(
                StopRequest.shipment_id == door.shipment(number).id, StopRequest.kind == StopKind.DELIVERY
            )
        ).one()


def last_leg_leads_to(door: Door, number: str) -> int:
    with door.firm.work() as session:
        legs = session.scalars(
            sa.select(ShipmentLeg)
            .where(ShipmentLeg.shipment_id == door.shipment(number).id)
            .order_by(ShipmentLeg.sequence)
        ).all()
        for one, following in pairwise(legs):
            assert one.to_facility_id == following.from_facility_id, "the legs are a chain"
        return legs[-1].to_facility_id


def test_after_a_failed_attempt_it_comes_again_on_the_chosen_day(door: Door) -> None:
    number = door.at_door_in_vain()
    day = door.days(number)[2]
    row = door.ask(number, K.REDELIVER, day=day, window=Window.AFTERNOON)
    assert row.standing is S.ACCEPTED
    assert door.shipment(number).instruction is K.REDELIVER
    stop = stop_of(door, number)
    assert (stop.day, stop.window_from_s, stop.window_to_s) == (day, 12 * 3600, 18 * 3600)
    assert stop.status is StopStatus.OPEN
    door.firm.logins.clock.forward(hours=(day - door.firm.now.date()).days * 24)
    door.scan(number, ScanCode.OUT_FOR_DELIVERY, courier_id=door.firm.couriers["WUH-01"])
    assert door.row(row.id).standing is S.CARRIED_OUT
    assert door.shipment(number).instruction is None


def test_a_day_chosen_on_the_way_is_kept_when_the_stop_is_asked_for(door: Door) -> None:
    number = door.parcel(ScanCode.ACCEPTED)
    day = door.days(number)[4]
    row = door.ask(number, K.REDELIVER, day=day)
    door.carry(number)
    stop = stop_of(door, number)
    assert (stop.day, stop.status) == (day, StopStatus.OPEN)
    assert door.row(row.id).standing is S.ACCEPTED


def test_no_day_before_it_can_be_there(door: Door) -> None:
    number = door.parcel(ScanCode.ACCEPTED)
    with pytest.raises(InvalidInputError):
        door.ask(number, K.REDELIVER, day=door.firm.now.date())


def test_no_day_on_which_the_outlet_is_closed(door: Door) -> None:
    number = door.parcel(ScanCode.ACCEPTED)
    offered = door.days(number)
    assert len(offered) == 7
    close_outlet(door, number, offered[1], offered[5])
    assert door.days(number) == [offered[0], offered[6]]
    with pytest.raises(InvalidInputError):
        door.ask(number, K.REDELIVER, day=offered[3])
    assert door.ask(number, K.REDELIVER, day=offered[6]).standing is S.ACCEPTED
    close_outlet(door, number, offered[0], offered[0] + timedelta(days=40))
    assert door.days(number) == [offered[0] + timedelta(days=41)], "then on the day on which it opens again"


def close_outlet(door: Door, number: str, first: date, last: date) -> None:
    """Let the outlet that hands a parcel over rest on some days."""
    admin = door.firm.logins.actor(Role.ADMIN)
    with door.firm.work() as session:
        outlet = session.get_one(Facility, door.shipment(number).destination_facility_id)
        timetables.add_holidays(session, admin, outlet, first, last, reason="works", now=door.firm.now)


def test_to_another_door_of_the_city_it_gets_another_way(door: Door) -> None:
    number = door.parcel(ScanCode.ACCEPTED)
    promised = door.shipment(number).promised_to_at
    row = door.ask(number, K.REDIRECT, district_adcode="420102", address="中山大道 818 号")
    assert (row.standing, row.price_difference_minor) == (S.CARRIED_OUT, 0)
    after = door.shipment(number)
    other = door.firm.facilities["WUH-02"]
    assert after.destination_facility_id == other == last_leg_leads_to(door, number)
    assert (after.consignee_district_adcode, after.consignee_address) == ("420102", "中山大道 818 号")
    assert after.promised_to_at == promised, "the first promise stays as it was told"
    assert after.code is ScanCode.REDIRECTED
    door.carry(number)
    stop = stop_of(door, number)
    assert (stop.facility_id, stop.address) == (other, "中山大道 818 号")


def test_to_another_door_of_its_outlet_the_rounds_are_planned_anew(door: Door) -> None:
    number = door.parcel(ScanCode.ACCEPTED)
    door.carry(number)
    stop, home = stop_of(door, number), door.shipment(number).consignee_district_adcode
    with door.firm.work() as session:
        plan_id = dispatch.request_plan(
            session,
            door.firm.dispatcher,
            facility_id=stop.facility_id,
            day=stop.day,
            seconds=1,
            now=door.firm.now,
        ).id
    while jobs.solve_next(door.firm.logins.database, door.firm.logins.clock):
        pass
    row = door.ask(number, K.REDIRECT, district_adcode=home, address="珞喻路 1040 号")
    assert (row.standing, row.refusal) == (S.CARRIED_OUT, None)
    door.firm.relay()
    after = stop_of(door, number)
    assert (after.id, after.facility_id, after.address) == (stop.id, stop.facility_id, "珞喻路 1040 号")
    assert (after.latitude, after.longitude) != (stop.latitude, stop.longitude)
    with door.firm.work() as session:
        plan = session.get_one(Plan, plan_id)
        (visit,) = [one for one in plan.visits if one.stop_request_id == stop.id]
        draft = draft_of(session, plan, now=door.firm.now)
        assert check(draft.problem, draft.plan) == (), "its times are those of the new door"
        assert draft.problem.stop(str(stop.id)).latitude == after.latitude
    door.ask(number, K.HOLD_AT_OUTLET)
    with door.firm.work() as session:
        left = session.scalars(sa.select(PlanVisit).where(PlanVisit.plan_id == plan_id)).all()
    assert visit.stop_request_id not in {one.stop_request_id for one in left}
    assert stop_of(door, number).status is StopStatus.CANCELLED


def test_what_is_on_a_lorry_is_planned_from_where_that_goes(door: Door) -> None:
    number = door.parcel(ScanCode.DEPARTED)
    before = door.shipment(number)
    row = door.ask(number, K.REDIRECT, facility_id=door.firm.facilities["WUH-02"])
    assert row.standing is S.CARRIED_OUT
    after = door.shipment(number)
    assert ScanCode.REDIRECTED not in door.codes(number)
    assert after.legs[0].lane_id == before.legs[0].lane_id, "what it is on stays"
    assert last_leg_leads_to(door, number) == door.firm.facilities["WUH-02"]
    assert after.delivery_handover is Handover.OUTLET


def test_after_a_failed_attempt_it_goes_to_the_other_outlet(door: Door) -> None:
    number = door.at_door_in_vain()
    door.ask(number, K.REDIRECT, facility_id=door.firm.facilities["WUH-02"])
    door.firm.relay()
    after = door.shipment(number)
    assert after.milestone is Milestone.IN_TRANSIT
    assert last_leg_leads_to(door, number) == door.firm.facilities["WUH-02"]
    assert stop_of(door, number).status is StopStatus.CANCELLED


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ({"facility": "HGH-01"}, R.OTHER_CITY),
        ({"facility": "WUH-G"}, R.NO_SUCH_PLACE),
        ({"district_adcode": "330106", "address": "文三路 1 号"}, R.OTHER_CITY),
    ],
)
def test_a_redirection_that_leads_nowhere_is_kept_with_its_reason(
    door: Door, wish: dict[str, str], why: InstructionRefusal
) -> None:
    number = door.parcel(ScanCode.ACCEPTED)
    facility = wish.pop("facility", None)
    if facility is not None:
        row = door.ask(number, K.REDIRECT, facility_id=door.firm.facilities[facility])
    else:
        row = door.ask(number, K.REDIRECT, **wish)
    assert (row.standing, row.refusal) == (S.REFUSED, why)
    assert door.shipment(number).destination_facility_id == door.firm.facilities["WUH-01"]


def point(door: Door, code: str, kind: FacilityKind, *, latitude: float = 30.51) -> int:
    """A store or locker of the first outlet of Wuhan."""
    with door.firm.work() as session:
        found = session.scalar(sa.select(Facility.id).where(Facility.code == code))
        if found is not None:
            return found
        return network.create_facility(
            session,
            code=code,
            name=code,
            name_en=code,
            kind=kind,
            operator="own",
            party_id=door.firm.shop.world.parties["WUH-01"],
            parent_id=door.firm.facilities["WUH-01"],
            district_adcode="420111",
            latitude=latitude,
            longitude=114.4,
            sort_s=0,
            now=door.firm.now,
        ).id


def test_a_consignee_who_asks_for_a_store_consents_and_nobody_does_for_him(door: Door) -> None:
    store = point(door, "WUH-S1", FacilityKind.STORE)
    number = door.parcel(ScanCode.ACCEPTED)
    refused = door.ask(number, K.REDIRECT, queries.asking(door.shipper), facility_id=store)
    assert refused.refusal is R.NO_CONSENT
    taken = door.ask(number, K.REDIRECT, facility_id=store)
    assert taken.standing is S.CARRIED_OUT
    after = door.shipment(number)
    assert (after.delivery_handover, after.delivery_point_id) == (Handover.STORE, store)
    with door.firm.work() as session:
        assert consent.is_granted(session, after, ConsentChannel.STORE)
        other = door.shipment(door.parcel(None))
        assert other.consignee_customer_id == after.consignee_customer_id
        assert not consent.is_granted(session, other, ConsentChannel.STORE), "it was about that parcel alone"


def test_a_dearer_way_waits_for_the_staff(door: Door) -> None:
    numbers = [door.parcel(ScanCode.ACCEPTED) for _ in range(2)]
    far = far_outlet(door)
    rows = []
    for number in numbers:
        row = door.ask(number, K.REDIRECT, facility_id=far)
        assert (row.standing, row.price_difference_minor) == (S.ASKED, 400 + 2 * 400)
        rows.append(row)
    with pytest.raises(ConflictError):
        door.ask(numbers[0], K.HOLD_AT_OUTLET)
    with door.firm.work() as session:
        for row, accepted in zip(rows, (True, False), strict=True):
            found = queries.load_instruction(session, door.firm.shop.agent, row.id)
            service.decide(session, door.firm.shop.agent, found, accepted=accepted, now=door.firm.now)
    assert door.row(rows[0].id).standing is S.CARRIED_OUT
    assert door.shipment(numbers[0]).destination_facility_id == far
    assert (door.row(rows[1].id).standing, door.row(rows[1].id).refusal) == (S.REFUSED, R.COSTS_MORE)
    assert door.shipment(numbers[1]).destination_facility_id == door.firm.facilities["WUH-01"]


def far_outlet(door: Door) -> int:
    """The other outlet of the city: orders were booked as if a band of the tariff ended before it."""
    with door.firm.work() as session:
        for order in session.scalars(sa.select(Order)):
            order.distance_m = min(order.distance_m, 299_000)
        return door.firm.facilities["WUH-02"]


def test_held_at_the_outlet_nobody_drives_out(door: Door) -> None:
    number = door.parcel(ScanCode.ACCEPTED)
    row = door.ask(number, K.HOLD_AT_OUTLET)
    assert (row.standing, door.shipment(number).instruction) == (S.ACCEPTED, K.HOLD_AT_OUTLET)
    door.carry(number)
    after = door.shipment(number)
    assert (after.milestone, after.code) == (Milestone.READY_FOR_PICKUP, ScanCode.AT_OUTLET)
    assert after.state_facility_id == door.firm.facilities["WUH-01"]
    assert door.row(row.id).standing is S.CARRIED_OUT
    with door.firm.work() as session:
        stops = session.scalars(
            sa.select(StopRequest.kind).where(
                StopRequest.shipment_id == after.id, StopRequest.kind == StopKind.DELIVERY
            )
        ).all()
    assert stops == []


def test_a_hold_that_is_withdrawn_comes_to_the_door(door: Door) -> None:
    number = door.parcel(ScanCode.ACCEPTED)
    row = door.ask(number, K.HOLD_AT_OUTLET)
    withdraw(door, row.id, queries.BY_LINK)
    assert door.shipment(number).delivery_handover is Handover.DOOR
    door.carry(number)
    assert stop_of(door, number).status is StopStatus.OPEN


def withdraw(door: Door, instruction_id: int, asking: service.Asking) -> None:
    with door.firm.work() as session:
        row = queries.load_instruction(session, door.firm.shop.agent, instruction_id)
        service.withdraw(session, row, asking, now=door.firm.now)


def test_an_intercepted_parcel_stops_at_its_next_facility_and_may_be_released(door: Door) -> None:
    number = door.parcel(ScanCode.DEPARTED)
    with pytest.raises(ForbiddenError):
        door.ask(number, K.INTERCEPT)
    row = door.ask(number, K.INTERCEPT, queries.asking(door.shipper))
    assert (row.standing, door.shipment(number).instruction) == (S.ACCEPTED, K.INTERCEPT)
    hub = door.shipment(number).legs[0].to_facility_id
    door.scan(number, ScanCode.ARRIVED, facility_id=hub)
    after = door.shipment(number)
    assert (after.milestone, after.code, after.state_facility_id) == (
        Milestone.EXCEPTION,
        ScanCode.INTERCEPTED,
        hub,
    )
    assert door.row(row.id).standing is S.CARRIED_OUT
    assert after.instruction is K.INTERCEPT, "whoever scans it again is told again"
    with pytest.raises(ForbiddenError):
        withdraw(door, row.id, queries.BY_LINK)
    withdraw(door, row.id, queries.asking(door.shipper))
    released = door.shipment(number)
    assert (released.milestone, released.code) == (Milestone.IN_TRANSIT, ScanCode.RELEASED)
    assert released.instruction is None
    with pytest.raises(ConflictError):
        withdraw(door, row.id, queries.asking(door.shipper))


def test_sent_back_it_has_a_way_to_the_outlet_it_came_from(door: Door) -> None:
    number = door.at_door_in_vain()
    row = door.ask(number, K.RETURN_TO_SENDER, queries.asking(door.firm.shop.agent))
    after = door.shipment(number)
    assert (row.standing, after.milestone) == (S.CARRIED_OUT, Milestone.RETURNING)
    assert last_leg_leads_to(door, number) == door.firm.facilities["CTU-01"]
    door.firm.relay()
    assert stop_of(door, number).status is StopStatus.CANCELLED


def test_an_intercepted_parcel_can_be_sent_back(door: Door) -> None:
    number = door.parcel(ScanCode.ACCEPTED)
    door.ask(number, K.INTERCEPT, queries.asking(door.shipper))
    assert door.shipment(number).code is ScanCode.INTERCEPTED
    door.ask(number, K.RETURN_TO_SENDER, queries.asking(door.shipper))
    after = door.shipment(number)
    assert (after.milestone, after.instruction) == (Milestone.RETURNING, K.RETURN_TO_SENDER)


def test_what_the_parcel_overtakes_is_refused(door: Door) -> None:
    number = door.parcel(ScanCode.DEPARTED)
    row = door.ask(number, K.HOLD_AT_OUTLET)
    door.scan(number, ScanCode.DELIVERED, courier_id=door.firm.couriers["WUH-01"])
    assert (door.row(row.id).standing, door.row(row.id).refusal) == (S.REFUSED, R.OVERTAKEN)
    assert door.shipment(number).instruction is None


@pytest.mark.parametrize(
    ("until", "kind", "why"),
    [
        (None, K.INTERCEPT, R.NOT_COLLECTED),
        (ScanCode.OUT_FOR_DELIVERY, K.INTERCEPT, R.OUT_FOR_DELIVERY),
        (ScanCode.DELIVERED, K.RETURN_TO_SENDER, R.ENDED),
    ],
)
def test_too_early_and_too_late(
    door: Door, until: ScanCode | None, kind: InstructionKind, why: InstructionRefusal
) -> None:
    row = door.ask(door.parcel(until), kind, queries.asking(door.shipper))
    assert (row.standing, row.refusal) == (S.REFUSED, why)


def test_events_that_come_again_or_late_change_nothing(door: Door) -> None:
    number = door.parcel(ScanCode.ACCEPTED)
    row = door.ask(number, K.INTERCEPT, queries.asking(door.shipper))
    codes = door.codes(number)
    with door.firm.work() as session:
        for _ in range(3):
            service.follow(session, door.shipment(number).id, now=door.firm.now + timedelta(hours=1))
    assert door.codes(number) == codes
    assert codes.count(ScanCode.INTERCEPTED) == 1
    assert door.row(row.id).standing is S.CARRIED_OUT


def return_stop(door: Door, number: str) -> StopRequest | None:
    with door.firm.work() as session:
        return session.scalar(
            sa.select(StopRequest).where(
                StopRequest.shipment_id == door.shipment(number).id, StopRequest.kind == StopKind.RETURN
            )
        )


@pytest.mark.parametrize("instructed", [True, False])
def test_what_is_sent_back_travels_home_and_is_brought_to_its_sender(door: Door, instructed: bool) -> None:
    number = door.parcel(ScanCode.DEPARTED)
    gateway = door.shipment(number).legs[0].to_facility_id
    if instructed:
        door.ask(number, K.RETURN_TO_SENDER, queries.asking(door.shipper))
        door.scan(number, ScanCode.ARRIVED, facility_id=gateway)
    else:
        door.scan(number, ScanCode.RETURNING, facility_id=gateway)
    assert last_leg_leads_to(door, number) == door.firm.facilities["CTU-01"], "the way back is planned"
    assert return_stop(door, number) is None
    door.carry(number)
    stop, shipment = return_stop(door, number), door.shipment(number)
    assert (stop.status, stop.facility_id) == (StopStatus.OPEN, door.firm.facilities["CTU-01"])
    assert stop.address == shipment.sender_address
    door.scan(number, ScanCode.RETURNED, courier_id=door.firm.couriers["CTU-01"])
    assert return_stop(door, number).status is StopStatus.DONE
