"""What is cancelled leaves its rounds at once: times, locks, journal, phone and customers follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import sqlalchemy as sa

from app.dispatch import jobs, journal, leaving
from app.dispatch import service as dispatch
from app.dispatch.change_words import change_text
from app.dispatch.day import following
from app.dispatch.edit_models import EditState
from app.dispatch.models import Plan, PlanStatus, PlanUnserved, PlanVisit, StopKind, StopRequest, StopStatus
from app.dispatch.pickup_models import PickupRequest
from app.dispatch.runs import Run, run_of_courier
from app.errors import ConflictError
from app.network.models import Facility
from app.shipments import service as shipments
from app.shipments.models import Shipment
from tests.app.dispatch.conftest import Depot
from tests.app.dispatch.test_edits import lock, move, sound, visits
from tests.app.dispatch.test_pickups import WANTED, ask


def cancel(depot: Depot, parcel: Shipment) -> None:
    """The sender takes a booking back; dispatch follows as the relay has it."""
    with depot.work() as session:
        shipment = session.get_one(Shipment, parcel.id)
        shipments.cancel(session, shipment, now=depot.clock())
    with depot.work() as session:
        dispatch.follow_shipments(session, [parcel.id], now=depot.clock())


def cancel_asked(depot: Depot, request_id: int, role: str = "agent") -> None:
    with depot.work() as session:
        request = session.get_one(PickupRequest, request_id)
        dispatch.cancel_pickup(session, depot.logins.actor(role), request, now=depot.clock())


def status_of(depot: Depot, stop_id: int) -> StopStatus:
    with depot.work() as session:
        return session.get_one(StopRequest, stop_id).status


def in_order(depot: Depot, plan_id: int) -> list[PlanVisit]:
    """The visits of a plan for one courier."""
    with depot.work() as session:
        return sorted(depot.load(session, plan_id).visits, key=lambda visit: visit.sequence)


def parcel_of(parcels: Sequence[Shipment], depot: Depot, stop_id: int) -> Shipment:
    with depot.work() as session:
        shipment_id = session.get_one(StopRequest, stop_id).shipment_id
    return next(one for one in parcels if one.id == shipment_id)


def run(depot: Depot, courier_id: int) -> Run:
    with depot.work() as session:
        return run_of_courier(session, depot.logins.actor("courier", courier_id), None, now=depot.clock())


def test_a_cancelled_pickup_leaves_the_plan_in_force_and_the_draft(depot: Depot) -> None:
    depot.hire(2)
    depot.book(6)
    asked = ask(depot)
    depot.publish(in_force := depot.plan())
    draft = depot.plan()
    before = {plan_id: visits(depot, plan_id) for plan_id in (in_force, draft)}
    assert asked.stop.id in before[in_force]
    assert asked.stop.id in before[draft]
    with depot.work() as session:
        costs = [session.get_one(Plan, plan_id).cost_minor for plan_id in (in_force, draft)]
        versions = [session.get_one(Plan, plan_id).version for plan_id in (in_force, draft)]
    cancel_asked(depot, asked.request.id)
    for plan_id in (in_force, draft):
        rest = dict(before[plan_id])
        del rest[asked.stop.id]
        assert visits(depot, plan_id) == rest, "the others stay where they were"
        sound(depot, plan_id)
    with depot.work() as session:
        assert session.get_one(Plan, in_force).cost_minor < costs[0]
        assert session.get_one(Plan, draft).cost_minor < costs[1]
        assert [session.get_one(Plan, one).version for one in (in_force, draft)] == [v + 1 for v in versions]
    assert status_of(depot, asked.stop.id) is StopStatus.CANCELLED
    with pytest.raises(ConflictError, match="cancelled"):
        cancel_asked(depot, asked.request.id)


def test_the_times_after_it_move_and_the_order_stays(depot: Depot) -> None:
    depot.hire(1)
    parcels = depot.book(6)
    depot.publish(plan_id := depot.plan())
    was = in_order(depot, plan_id)
    cancel(depot, parcel_of(parcels, depot, was[2].stop_request_id))
    now = in_order(depot, plan_id)
    assert [one.stop_request_id for one in now] == [one.stop_request_id for one in was if one is not was[2]]
    assert [one.sequence for one in now] == list(range(5))
    assert now[-1].departure_s < was[-1].departure_s
    sound(depot, plan_id)


def test_a_sender_who_cancels_a_whole_batch_empties_the_round(depot: Depot) -> None:
    depot.hire(1)
    parcels = depot.book(3)
    depot.publish(plan_id := depot.plan())
    with depot.work() as session:
        for parcel in parcels:
            shipments.cancel(session, session.get_one(Shipment, parcel.id), now=depot.clock())
    with depot.work() as session:
        dispatch.follow_shipments(session, [one.id for one in parcels], now=depot.clock())
        dispatch.follow_shipments(session, [one.id for one in parcels], now=depot.clock())
    with depot.work() as session:
        plan = depot.load(session, plan_id)
        assert (plan.visits, plan.rounds, plan.cost_minor) == ([], [], 0)
        told = journal.changes_since(session, plan, 1)
        assert [one["action"] for one in told].count("plan.stop_cancelled") == 3, "followed once"


def test_locked_stops_stay_with_their_courier_and_a_locked_one_can_be_cancelled(depot: Depot) -> None:
    depot.hire(2)
    depot.book(5)
    asked = ask(depot)
    plan_id = depot.plan()
    other = next(one for one in visits(depot, plan_id) if one != asked.stop.id)
    lock(depot, plan_id, asked.stop.id, True)
    lock(depot, plan_id, other, True)
    cancel_asked(depot, asked.request.id)
    with depot.work() as session:
        locked = {one.stop_request_id for one in depot.load(session, plan_id).visits if one.locked}
    assert locked == {other}
    sound(depot, plan_id)


def test_a_courier_who_drives_there_goes_on_from_where_he_was(depot: Depot) -> None:
    (courier,) = depot.hire(1)
    parcels = depot.book(5)
    depot.publish(plan_id := depot.plan())
    first, second, third, *_rest = in_order(depot, plan_id)
    with depot.work() as session:
        session.get_one(StopRequest, first.stop_request_id).status = StopStatus.DONE
    depot.clock.forward(minutes=40)
    assert run(depot, courier.id).next_stop.stop.id == second.stop_request_id
    seen = run(depot, courier.id).version
    cancel(depot, parcel_of(parcels, depot, second.stop_request_id))
    sound(depot, plan_id)
    kept, *_after = in_order(depot, plan_id)
    assert (kept.arrival_s, kept.departure_s) == (first.arrival_s, first.departure_s), "that is history"
    his = run(depot, courier.id)
    assert his.next_stop.stop.id == third.stop_request_id
    assert his.next_stop.visit.start_s >= 9 * 3600 + 40 * 60, "not before now"
    assert [stop.id for stop, _number in his.cancelled] == [second.stop_request_id]
    assert his.version != seen, "his phone sees that it shows something old"


def test_taken_back_by_page_it_is_gone_from_the_couriers_page_and_from_his_machine(depot: Depot) -> None:
    (courier,) = depot.hire(1)
    asked = ask(depot)
    agent, phone = depot.logins.browser("agent"), depot.logins.browser("courier", courier.id)
    machine = depot.logins.api("courier", courier.id)
    assert phone.get("/run/version").json == {"version": ""}
    depot.publish(plan_id := depot.plan())
    seen = phone.get("/run/version").json["version"]
    page = phone.get("/run?lang=en").text
    assert f'data-version="{seen}"' in page
    assert f'data-run-stop="{asked.stop.id}"' in page
    assert machine.get("/api/v1/dispatch/run").json["version"] == seen
    assert agent.post(f"/pickups/{asked.request.id}/cancel").status_code == 302
    assert phone.get("/run/version").json["version"] != seen
    for lang, words in (
        ("en", "Every stop of your round was cancelled."),
        ("zh", "今天路线上的站点已全部取消。"),
    ):
        page = phone.get(f"/run?lang={lang}").text
        assert words in page
        assert f'data-run-gone="{asked.stop.id}"' in page
        assert f'data-run-stop="{asked.stop.id}"' not in page
        assert "科华北路 62 号" in page
    answer = machine.get("/api/v1/dispatch/run").json
    assert (answer["visits"], answer["left"]) == ([], 0)
    assert [(one["id"], one["status"]) for one in answer["cancelled"]] == [(asked.stop.id, "cancelled")]
    assert depot.logins.browser("dispatcher").get("/run/version").status_code == 404
    again = ask(depot)
    with depot.work() as session:
        plan, stop = depot.load(session, plan_id), session.get_one(StopRequest, again.stop.id)
        dispatch.move_stop(session, depot.dispatcher, plan, stop, courier_id=courier.id, now=depot.clock())
    assert run(depot, courier.id).next_stop.stop.id == again.stop.id


def test_what_was_cancelled_before_a_round_was_published_is_no_news_for_its_courier(depot: Depot) -> None:
    (courier,) = depot.hire(1)
    depot.book(2)
    asked = ask(depot)
    plan_id = depot.plan()
    cancel_asked(depot, asked.request.id)
    depot.clock.forward(minutes=1)
    depot.publish(plan_id)
    assert run(depot, courier.id).cancelled == ()


def test_what_is_behind_a_courier_stays_as_it_was(depot: Depot) -> None:
    (courier,) = depot.hire(1)
    parcels = depot.book(4)
    depot.publish(plan_id := depot.plan())
    was = in_order(depot, plan_id)
    with depot.work() as session:
        session.get_one(StopRequest, was[1].stop_request_id).status = StopStatus.DONE
    depot.clock.forward(minutes=40)
    cancel(depot, parcel_of(parcels, depot, was[0].stop_request_id))
    now = in_order(depot, plan_id)
    assert [(one.stop_request_id, one.start_s) for one in now] == [
        (one.stop_request_id, one.start_s) for one in was
    ]
    assert status_of(depot, was[0].stop_request_id) is StopStatus.CANCELLED
    assert run(depot, courier.id).cancelled == ()
    sound(depot, plan_id)


def test_a_day_that_is_over_is_history(depot: Depot) -> None:
    depot.hire(1)
    parcels = depot.book(3)
    depot.publish(plan_id := depot.plan())
    was = visits(depot, plan_id)
    depot.clock.forward(days=1)
    cancel(depot, parcels[0])
    assert visits(depot, plan_id) == was


def test_a_courier_behind_his_plan_has_no_more_of_it_than_before(depot: Depot) -> None:
    depot.hire(1)
    parcels = depot.book(5)
    depot.publish(plan_id := depot.plan())
    depot.clock.forward(hours=9)  # nothing was told, and the shift is nearly over
    last = in_order(depot, plan_id)[-1]
    cancel(depot, parcel_of(parcels, depot, last.stop_request_id))
    assert last.stop_request_id not in visits(depot, plan_id)
    sound(depot, plan_id)


def test_a_round_without_a_way_keeps_the_visit_and_the_pickup_is_cancelled_all_the_same(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    depot.hire(1)
    depot.book(2)
    asked = ask(depot)
    depot.publish(plan_id := depot.plan())
    monkeypatch.setattr(leaving.pickup, "check", lambda *_: ("broken",))
    cancel_asked(depot, asked.request.id)
    monkeypatch.undo()
    assert asked.stop.id in visits(depot, plan_id)
    assert status_of(depot, asked.stop.id) is StopStatus.CANCELLED
    sound(depot, plan_id)


def test_what_no_round_could_take_leaves_the_list_of_those(depot: Depot) -> None:
    depot.hire(1)
    depot.book(2)
    asked = ask(depot, replace(WANTED, skills=["crane"]))
    plan_id = depot.plan()
    cancel_asked(depot, asked.request.id)
    with depot.work() as session:
        assert session.scalars(sa.select(PlanUnserved).where(PlanUnserved.plan_id == plan_id)).all() == []
        (told,) = journal.changes_since(session, session.get_one(Plan, plan_id), 1)[:1]
        assert told["details"]["from_courier_id"] is None
    sound(depot, plan_id)


def test_what_is_cancelled_while_a_plan_is_made_is_not_in_it(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    depot.hire(1)
    depot.book(3)
    asked = ask(depot)
    plan_id = depot.request()
    solve = jobs.solver.solve

    def while_it_solves(*args, **more):
        value = solve(*args, **more)
        cancel_asked(depot, asked.request.id)
        return value

    monkeypatch.setattr(jobs.solver, "solve", while_it_solves)
    assert jobs.solve_next(depot.database, depot.clock)
    with depot.work() as session:
        assert session.get_one(Plan, plan_id).status is PlanStatus.DRAFT
    assert asked.stop.id not in visits(depot, plan_id)
    assert len(visits(depot, plan_id)) == 3
    sound(depot, plan_id)


def states(depot: Depot, plan_id: int) -> list[EditState]:
    """Of the edits of a plan, the first first."""
    with depot.work() as session:
        return [one.edit.state for one in reversed(journal.edits_of(session, plan_id))]


def undo(depot: Depot, plan_id: int) -> None:
    with depot.work() as session:
        dispatch.undo(session, depot.dispatcher, depot.load(session, plan_id), now=depot.clock())


def test_edits_of_other_rounds_can_still_be_taken_back(depot: Depot) -> None:
    depot.hire(3, capacity_pieces=6)
    depot.book(9)
    asked = ask(depot)
    plan_id = depot.plan()
    placed = visits(depot, plan_id)
    mine = [one for one in placed if placed[one] != placed[asked.stop.id]]
    move(depot, plan_id, mine[0], None)
    before = visits(depot, plan_id)
    cancel_asked(depot, asked.request.id)
    assert states(depot, plan_id) == [EditState.APPLIED]
    undo(depot, plan_id)
    after = visits(depot, plan_id)
    assert mine[0] in after
    assert asked.stop.id not in after
    assert len(after) == len(before)
    sound(depot, plan_id)


def test_an_edit_that_would_bring_it_back_bars_those_before_it(depot: Depot) -> None:
    depot.hire(2)
    depot.book(6)
    asked = ask(depot)
    plan_id = depot.plan()
    others = [one for one in visits(depot, plan_id) if one != asked.stop.id]
    move(depot, plan_id, others[0], None)
    move(depot, plan_id, asked.stop.id, None)
    move(depot, plan_id, others[1], None)
    undo(depot, plan_id)
    cancel_asked(depot, asked.request.id)
    kept = states(depot, plan_id)
    assert kept[:2] == [EditState.CLOSED, EditState.CLOSED], "it is named by the second"
    with depot.work() as session:
        assert journal.next_to_undo(session, plan_id) is None
        assert [one.stop_request_id for one in depot.load(session, plan_id).unserved] == [others[0]]
    with pytest.raises(ConflictError, match="nothing to take back"):
        undo(depot, plan_id)


def test_the_journal_says_who_cancelled_and_whose_round_it_left(depot: Depot, app) -> None:
    (courier,) = depot.hire(1)
    asked, parcel = ask(depot), depot.book(1)[0]
    plan_id = depot.plan()
    with depot.work() as session:
        version = session.get_one(Plan, plan_id).version
    cancel_asked(depot, asked.request.id)
    cancel(depot, parcel)
    with depot.work() as session:
        by_itself, by_agent = journal.changes_since(session, session.get_one(Plan, plan_id), version)
    with app.test_request_context():
        assert change_text(by_agent).endswith(f"was cancelled and left the round of {courier.name} (Agent A)")
        assert change_text(by_itself).endswith(f"was cancelled and left the round of {courier.name}")
    with app.test_request_context(headers={"Accept-Language": "zh"}):
        assert "已取消" in change_text(by_agent)
    news = depot.logins.browser("dispatcher").get(f"/dispatch/plans/{plan_id}/news?version={version}")
    assert news.text.count("was cancelled and left the round") == 2


def test_customers_behind_it_are_told_anew_and_its_own_of_nobody(depot: Depot) -> None:
    depot.hire(1)
    parcels = depot.book(4)
    depot.publish(plan_id := depot.plan())

    def follow() -> None:
        with depot.work() as session:
            following.follow(session, session.get_one(Facility, depot.outlet_id), now=depot.clock())

    def told(parcel: Shipment) -> tuple[object, object]:
        with depot.work() as session:
            row = session.get_one(Shipment, parcel.id)
            return row.round_to_at, row.stops_away

    follow()
    first, second, *_rest = in_order(depot, plan_id)
    gone = parcel_of(parcels, depot, first.stop_request_id)
    after = parcel_of(parcels, depot, second.stop_request_id)
    assert (told(gone)[1], told(after)[1]) == (0, 1)
    was = told(after)
    cancel(depot, gone)
    assert told(gone) == (None, None), "at once"
    follow()
    assert told(after)[1] == 0
    assert told(after)[0] <= was[0]


def bring(depot: Depot, count: int) -> list[Shipment]:
    """Parcels that lie at the outlet and are to be delivered from there."""
    parcels = depot.book(count, start="hangzhou", end="chengdu")
    for parcel in parcels:
        depot.scan(parcel, "arrived", "CTU-01")
    return parcels


def test_a_parcel_that_goes_back_leaves_the_round_of_its_delivery(depot: Depot) -> None:
    (courier,) = depot.hire(1)
    parcels = bring(depot, 2)
    stop = depot.stop(parcels[0], StopKind.DELIVERY)
    depot.publish(plan_id := depot.plan(day=stop.day))
    assert stop.id in visits(depot, plan_id)
    depot.scan(parcels[0], "returning", "CTU-01")
    assert list(visits(depot, plan_id)) == [depot.stop(parcels[1], StopKind.DELIVERY).id]
    assert status_of(depot, stop.id) is StopStatus.CANCELLED
    sound(depot, plan_id)
    assert courier.facility_id == depot.outlet_id
