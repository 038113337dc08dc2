"""A stop set right: its plans plan it anew, what is behind a courier stays, and the place is remembered."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.accounts.models import AuditEntry
from app.dispatch import jobs, journal, queries
from app.dispatch import service as dispatch
from app.dispatch.change_words import edit_text
from app.dispatch.edit_models import PlanEdit
from app.dispatch.help_words import help_text
from app.dispatch.models import Plan, PlanStatus, PlanUnserved, StopRequest, StopStatus
from app.dispatch.pickup_models import PickupRequest, RecurringPickup
from app.dispatch.problem import draft_of
from app.dispatch.words import reason_text
from app.errors import ConflictError, InvalidInputError
from routing.pickup import ReasonCode, check
from tests.app.dispatch.conftest import Depot
from tests.app.dispatch.test_edits import lock, move, sound, visits
from tests.app.dispatch.test_pickups import WANTED, ask


def correct(depot: Depot, stop_id: int, latitude: float, longitude: float) -> dispatch.Corrected:
    with depot.work() as session:
        stop = queries.load_stop(session, depot.dispatcher, stop_id)
        return dispatch.correct_place(
            session, depot.dispatcher, stop, latitude=latitude, longitude=longitude, now=depot.clock()
        )


def need(depot: Depot, stop_id: int, *skills: str) -> dispatch.Corrected:
    with depot.work() as session:
        stop = queries.load_stop(session, depot.dispatcher, stop_id)
        return dispatch.set_skills(session, depot.dispatcher, stop, skills, now=depot.clock())


def stop_of(depot: Depot, stop_id: int) -> StopRequest:
    with depot.work() as session:
        return session.get_one(StopRequest, stop_id)


def place_of(depot: Depot, stop_id: int) -> tuple[float, float]:
    stop = stop_of(depot, stop_id)
    return stop.latitude, stop.longitude


def test_a_corrected_stop_is_planned_anew_in_the_draft_and_in_the_plan_in_force(depot: Depot) -> None:
    depot.hire(3)
    depot.book(9)
    depot.publish(in_force := depot.plan())
    draft = depot.plan()
    stop_id = next(iter(visits(depot, in_force)))
    move(depot, draft, stop_id, None)
    move(depot, draft, stop_id, next(iter(visits(depot, draft).values())))
    latitude, longitude = place_of(depot, stop_id)
    done = correct(depot, stop_id, latitude + 0.02, longitude - 0.03)
    assert done.changed
    assert done.plans == 2
    assert done.courier_id == visits(depot, in_force)[stop_id]
    assert stop_id in visits(depot, draft)
    sound(depot, in_force)
    sound(depot, draft)
    stop = stop_of(depot, stop_id)
    assert stop.status is StopStatus.PLANNED
    assert (stop.place_corrected_at, stop.place_corrected_by_id) == (depot.clock(), depot.dispatcher.user_id)
    with depot.work() as session:
        assert journal.next_to_undo(session, draft) is None, "there is no way back to the wrong door"
        (entry,) = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "stop.place_corrected"))
        assert entry.details["from"] == [latitude, longitude]
        changes = journal.changes_since(session, session.get_one(Plan, draft), 1)
        assert changes[0]["action"] == "plan.stop_corrected"


def test_the_same_place_again_changes_nothing(depot: Depot) -> None:
    depot.hire(2)
    depot.book(4)
    plan_id = depot.plan()
    stop_id, courier_id = next(iter(visits(depot, plan_id).items()))
    with depot.work() as session:
        version = session.get_one(Plan, plan_id).version
    done = correct(depot, stop_id, *place_of(depot, stop_id))
    assert done == dispatch.Corrected(courier_id, 0, changed=False)
    with depot.work() as session:
        assert session.get_one(Plan, plan_id).version == version
    assert stop_of(depot, stop_id).place_corrected_at is None


def test_a_locked_stop_stays_locked_to_its_courier(depot: Depot) -> None:
    depot.hire(3)
    depot.book(6)
    plan_id = depot.plan()
    stop_id, courier_id = next(iter(visits(depot, plan_id).items()))
    lock(depot, plan_id, stop_id, True)
    latitude, longitude = place_of(depot, stop_id)
    assert correct(depot, stop_id, latitude - 0.02, longitude).courier_id == courier_id
    with depot.work() as session:
        (visit,) = [one for one in depot.load(session, plan_id).visits if one.stop_request_id == stop_id]
        assert visit.locked


def test_the_stop_that_a_courier_drives_to_can_be_set_right_too(depot: Depot) -> None:
    depot.hire(1)
    depot.book(4)
    depot.publish(plan_id := depot.plan())
    with depot.work() as session:
        first, second, *_rest = [
            visit.stop_request_id
            for visit in sorted(depot.load(session, plan_id).visits, key=lambda visit: visit.sequence)
        ]
        session.get_one(StopRequest, first).status = StopStatus.DONE
    depot.clock.forward(minutes=30)
    latitude, longitude = place_of(depot, second)
    assert correct(depot, second, latitude + 0.01, longitude + 0.01).plans == 1
    sound(depot, plan_id)
    with pytest.raises(ConflictError):
        correct(depot, first, latitude, longitude)


def test_a_failed_stop_is_set_right_for_the_next_day_and_its_plan_can_still_be_changed(depot: Depot) -> None:
    depot.hire(2)
    depot.book(6)
    depot.publish(plan_id := depot.plan())
    with depot.work() as session:
        plan = depot.load(session, plan_id)
        visit = min(plan.visits, key=lambda one: one.sequence)
        failed = session.get_one(StopRequest, visit.stop_request_id)
        failed.status = StopStatus.FAILED
    depot.clock.forward(minutes=20)
    latitude, longitude = place_of(depot, failed.id)
    assert correct(depot, failed.id, latitude + 0.05, longitude).plans == 0
    sound(depot, plan_id)
    with depot.work() as session:
        stop = queries.load_stop(session, depot.dispatcher, failed.id)
        dispatch.postpone(session, depot.dispatcher, stop, offset_minutes=480, now=depot.clock())
    sound(depot, plan_id)
    assert place_of(depot, failed.id)[0] == pytest.approx(latitude + 0.05)
    movable = [stop_id for stop_id in visits(depot, plan_id) if stop_of(depot, stop_id).status == "planned"]
    move(depot, plan_id, movable[-1], None)


def test_a_plan_that_is_being_made_begins_again(depot: Depot) -> None:
    depot.hire(1)
    (parcel,) = depot.book(1)
    plan_id = depot.request()
    stop = depot.stop(parcel)
    assert stop is not None
    correct(depot, stop.id, stop.latitude + 0.01, stop.longitude)
    with depot.work() as session:
        assert session.get_one(Plan, plan_id).status is PlanStatus.CANCELLED
        again = session.scalars(sa.select(Plan).where(Plan.id > plan_id)).one()
        assert (again.status, again.day, again.seconds) == (PlanStatus.REQUESTED, stop.day, 1)
    while jobs.solve_next(depot.database, depot.clock):
        pass
    sound(depot, again.id)


def test_skills_take_a_stop_to_who_has_them_or_out_of_all_rounds(depot: Depot) -> None:
    depot.hire(2)
    able = depot.hire(1, skills=["Piano ", "piano"])[0]
    depot.book(6)
    plan_id = depot.plan()
    stop_id = next(stop for stop, courier in visits(depot, plan_id).items() if courier != able.id)
    assert need(depot, stop_id, "PIANO").courier_id == able.id
    sound(depot, plan_id)
    assert stop_of(depot, stop_id).skills == ["piano"]
    assert need(depot, stop_id, "crane", "piano").courier_id is None
    with depot.work() as session:
        (left,) = session.scalars(sa.select(PlanUnserved).where(PlanUnserved.plan_id == plan_id))
        assert left.reason == ReasonCode.NO_VEHICLE_WITH_SKILLS
        assert list(left.details["skills"]) == ["crane", "piano"]
    sound(depot, plan_id)
    again = depot.plan()
    assert stop_id not in visits(depot, again), "a new plan goes by it"
    with pytest.raises(InvalidInputError):
        need(depot, stop_id, "x" * 41)


def test_a_courier_who_loses_a_skill_keeps_what_an_older_plan_gave_him(depot: Depot) -> None:
    (able,) = depot.hire(1, skills=["lift"])
    (parcel,) = depot.book(1)
    stop = depot.stop(parcel)
    assert stop is not None
    need(depot, stop.id, "lift")
    plan_id = depot.plan()
    with depot.work() as session:
        session.get_one(type(able), able.id).skills = []
    sound(depot, plan_id)
    assert visits(depot, plan_id) == {stop.id: able.id}


def test_a_place_is_remembered_for_who_asks_again_and_for_the_weekly_pickup(depot: Depot) -> None:
    wanted = replace(WANTED, latitude=None, longitude=None)
    first = ask(depot, wanted)
    with depot.work() as session:
        weekly = dispatch.begin_recurring(
            session,
            depot.dispatcher,
            replace(wanted, address="科华北路 63 号"),
            customer_id=depot.consignee_id,
            weekdays=[0, 1],
            last_day=None,
            now=depot.clock(),
        )
        of_week = session.scalars(
            sa.select(StopRequest)
            .join(PickupRequest, PickupRequest.id == StopRequest.pickup_request_id)
            .where(PickupRequest.recurring_id == weekly.id)
            .order_by(StopRequest.day)
        ).first()
        assert of_week is not None
    correct(depot, first.stop.id, 30.6012, 104.0612)
    correct(depot, of_week.id, 30.6099, 104.0699)
    later = ask(depot, replace(wanted, address="科华北路62号", day=wanted.day + timedelta(days=1)))
    assert (later.stop.latitude, later.stop.longitude) == (30.6012, 104.0612)
    with depot.work() as session:
        assert session.get_one(RecurringPickup, weekly.id).latitude == 30.6099


def test_a_place_outside_of_the_world_is_refused(depot: Depot) -> None:
    asked = ask(depot)
    with pytest.raises(InvalidInputError):
        correct(depot, asked.stop.id, 91.0, 104.0)
    assert place_of(depot, asked.stop.id) == (30.63, 104.05)


def test_old_edits_are_dropped_when_their_day_is_long_over(depot: Depot, settings) -> None:
    depot.hire(2)
    depot.book(4)
    plan_id = depot.plan()
    move(depot, plan_id, next(iter(visits(depot, plan_id))), None)

    def dropped(days: int) -> int:
        with depot.database.unit_of_work(None) as session:
            journal.forget_edits(session, settings, depot.clock() + timedelta(days=days))
        with depot.work() as session:
            return 1 - session.scalar(sa.select(sa.func.count()).where(PlanEdit.plan_id == plan_id))

    assert dropped(30) == 0
    assert dropped(32) == 1
    with depot.work() as session:
        assert session.get_one(Plan, plan_id).status is PlanStatus.DRAFT


def test_every_reason_has_words_and_a_way_out(depot: Depot, app) -> None:
    with app.test_request_context():
        for reason in ReasonCode:
            details = {"skills": ["lift"], "excess": 3, "measure": "pieces"}
            assert reason_text(reason, details)
            assert help_text(reason, details)


def test_a_given_up_round_can_be_read_in_the_journal(depot: Depot, app) -> None:
    from app.dispatch.day import takeover

    one, _two = depot.hire(2)
    depot.book(6)
    depot.publish(plan_id := depot.plan())
    giver = next(iter(visits(depot, plan_id).values()))
    with depot.work() as session:
        courier = queries.load_courier(session, depot.dispatcher, giver)
        takeover.take_off(
            session,
            depot.dispatcher,
            courier,
            reason="a flat tyre",
            until=depot.clock() + timedelta(hours=6),
            now=depot.clock(),
        )
    with depot.work() as session, app.test_request_context():
        (edit,) = journal.edits_of(session, plan_id)
        assert courier.name in edit_text(edit)
    assert one.facility_id == depot.outlet_id


def test_a_plan_with_breaks_is_made_changed_and_kept_as_it_was_agreed(depot: Depot) -> None:
    lunch = dispatch.CourierBreak(11 * 3600, 14 * 3600, 30, paid=False)
    courier, _other = depot.hire(2, breaks=[lunch])
    depot.book(8)
    plan_id = depot.plan()
    sound(depot, plan_id)
    with depot.work() as session:
        plan = depot.load(session, plan_id)
        for round_ in plan.rounds:
            ((key, _after, start_s, end_s),) = round_.rests
            assert key == lunch.key
            assert end_s - start_s == 1800
            assert 11 * 3600 <= start_s <= 14 * 3600
        version = plan.version
    with depot.work() as session:
        dispatch.change_courier(
            session,
            depot.dispatcher,
            queries.load_courier(session, depot.dispatcher, courier.id),
            shift_start_s=courier.shift_start_s,
            shift_end_s=courier.shift_end_s,
            capacity_g=courier.capacity_g,
            capacity_cm3=courier.capacity_cm3,
            capacity_pieces=courier.capacity_pieces,
            vehicle_class=courier.vehicle_class,
            territory=(),
            skills=[],
            breaks=[replace(lunch, paid=True), dispatch.CourierBreak(16 * 3600, 17 * 3600, 15, paid=True)],
            active=True,
            now=depot.clock(),
        )
    sound(depot, plan_id)
    stop_id = next(iter(visits(depot, plan_id)))
    move(depot, plan_id, stop_id, None)
    move(depot, plan_id, stop_id, courier.id)
    sound(depot, plan_id)
    with depot.work() as session:
        dispatch.undo(session, depot.dispatcher, depot.load(session, plan_id), now=depot.clock())
    sound(depot, plan_id)
    with depot.work() as session:
        assert depot.load(session, plan_id).version > version


def test_a_courier_behind_his_plan_takes_his_break_late(depot: Depot) -> None:
    depot.hire(1, breaks=[dispatch.CourierBreak(10 * 3600, 11 * 3600, 20, paid=True)])
    depot.book(5)
    depot.publish(plan_id := depot.plan())
    depot.clock.forward(hours=3)  # noon, and nothing has been told of him
    with depot.work() as session:
        draft = draft_of(session, depot.load(session, plan_id), now=depot.clock())
        assert check(draft.problem, draft.plan) == ()
        (vehicle,) = draft.problem.vehicles
        ((_first, last),) = vehicle.breaks[0].windows
        assert last >= 12 * 3600


@pytest.mark.parametrize(
    "values",
    [(-1, 3600, 30), (7200, 3600, 30), (0, 3600, 0), (0, 86_400, 30), (0, 3600, 241)],
)
def test_a_break_that_cannot_be_is_refused(values: tuple[int, int, int]) -> None:
    with pytest.raises(InvalidInputError):
        dispatch.CourierBreak(*values, paid=True)


def test_breaks_that_overlap_are_refused(depot: Depot) -> None:
    one = dispatch.CourierBreak(10 * 3600, 11 * 3600, 60, paid=True)
    with pytest.raises(InvalidInputError):
        depot.hire(1, breaks=[one, replace(one, from_s=one.from_s + 1800)])
