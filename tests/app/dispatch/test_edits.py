"""A plan changed by hand keeps every rule, says what it costs, and never overwrites another's change."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.dispatch import queries
from app.dispatch import service as dispatch
from app.dispatch.models import Plan, PlanVisit, StopRequest, StopStatus
from app.dispatch.problem import draft_of
from app.errors import ConflictError, NotFoundError, StaleVersionError
from routing.pickup import ChangeRefusedError, check
from tests.app.dispatch.conftest import Depot


def visits(depot: Depot, plan_id: int) -> dict[int, int]:
    """Courier by stop."""
    with depot.work() as session:
        rows = session.execute(
            sa.select(PlanVisit.stop_request_id, PlanVisit.courier_id).where(PlanVisit.plan_id == plan_id)
        )
        return dict(rows.all())


def sound(depot: Depot, plan_id: int) -> None:
    """The stored plan keeps every rule, and its sums are its rounds'."""
    with depot.work() as session:
        plan = depot.load(session, plan_id)
        draft = draft_of(session, plan, now=depot.clock())
        assert check(draft.problem, draft.plan) == ()
        assert plan.cost_minor == sum(round_.cost_minor for round_ in plan.rounds)
        assert plan.distance_m == sum(round_.distance_m for round_ in plan.rounds)


def move(depot: Depot, plan_id: int, stop_id: int, courier_id: int | None, **more) -> dispatch.Moved:
    with depot.work() as session:
        return dispatch.move_stop(
            session,
            depot.dispatcher,
            depot.load(session, plan_id),
            queries.load_stop(session, depot.dispatcher, stop_id),
            courier_id=courier_id,
            now=depot.clock(),
            **more,
        )


def offers(depot: Depot, plan_id: int, stop_id: int) -> dispatch.Offers:
    with depot.work() as session:
        return dispatch.offers(
            session,
            depot.dispatcher,
            depot.load(session, plan_id),
            queries.load_stop(session, depot.dispatcher, stop_id),
            now=depot.clock(),
        )


def lock(depot: Depot, plan_id: int, stop_id: int, locked: bool) -> None:
    with depot.work() as session:
        dispatch.set_lock(
            session,
            depot.dispatcher,
            depot.load(session, plan_id),
            queries.load_stop(session, depot.dispatcher, stop_id),
            locked=locked,
            now=depot.clock(),
        )


@pytest.fixture
def plan_id(depot: Depot) -> int:
    depot.hire(3)
    depot.book(9)
    return depot.plan()


def test_what_was_offered_is_what_moving_costs(depot: Depot, plan_id: int) -> None:
    for stop_id, courier_id in list(visits(depot, plan_id).items())[:4]:
        found = offers(depot, plan_id, stop_id)
        assert found.present is not None
        assert found.present.id == courier_id
        assert found.places
        assert all(place.courier.id != courier_id for place in found.places)
        costs = [place.extra_cost_minor for place in found.places]
        assert costs == sorted(costs)
        place = found.places[0]
        moved = move(depot, plan_id, stop_id, place.courier.id, sequence=place.sequence)
        assert moved.extra_cost_minor == place.extra_cost_minor
        assert moved.extra_distance_m == place.extra_distance_m
        assert visits(depot, plan_id)[stop_id] == place.courier.id
        sound(depot, plan_id)


def test_looking_changes_nothing(depot: Depot, plan_id: int) -> None:
    before = visits(depot, plan_id)
    with depot.work() as session:
        version = session.get_one(Plan, plan_id).version
    offers(depot, plan_id, next(iter(before)))
    with depot.work() as session:
        assert session.get_one(Plan, plan_id).version == version
    assert visits(depot, plan_id) == before


def test_out_of_all_rounds_and_in_again(depot: Depot, plan_id: int) -> None:
    stop_id, courier_id = next(iter(visits(depot, plan_id).items()))
    saved = offers(depot, plan_id, stop_id).taking_out_minor
    out = move(depot, plan_id, stop_id, None)
    assert out.extra_cost_minor == saved
    assert stop_id not in visits(depot, plan_id)
    with depot.work() as session:
        assert [row.reason for row in depot.load(session, plan_id).unserved] == ["removed"]
    sound(depot, plan_id)
    move(depot, plan_id, stop_id, courier_id)
    assert visits(depot, plan_id)[stop_id] == courier_id
    with depot.work() as session:
        assert depot.load(session, plan_id).unserved == []
    sound(depot, plan_id)


def test_a_stop_booked_after_the_plan_joins_it(depot: Depot, plan_id: int) -> None:
    depot.publish(plan_id)
    depot.clock.forward(minutes=20)
    shipment = depot.book(1)[0]
    stop_id = depot.stop(shipment).id
    found = offers(depot, plan_id, stop_id)
    assert found.present is None
    assert found.taking_out_minor is None
    assert found.places
    place = next(place for place in found.places if place.sequence > 0)  # not what is driven to at once
    move(depot, plan_id, stop_id, place.courier.id, sequence=place.sequence)
    assert visits(depot, plan_id)[stop_id] == place.courier.id
    assert depot.stop(shipment).status is StopStatus.PLANNED
    sound(depot, plan_id)
    move(depot, plan_id, stop_id, None)
    assert depot.stop(shipment).status is StopStatus.OPEN


def test_a_locked_stop_stays_with_its_courier_also_in_the_next_plan(depot: Depot, plan_id: int) -> None:
    with depot.work() as session:
        last = max(depot.load(session, plan_id).visits, key=lambda visit: visit.sequence)
    stop_id, courier_id = last.stop_request_id, last.courier_id
    dearest = offers(depot, plan_id, stop_id).places[-1].courier.id
    move(depot, plan_id, stop_id, dearest)
    lock(depot, plan_id, stop_id, True)
    for target in (courier_id, None):
        with pytest.raises(ConflictError, match="locked"):
            move(depot, plan_id, stop_id, target)
    assert offers(depot, plan_id, stop_id).places == ()
    depot.publish(plan_id)
    again = depot.plan()
    assert visits(depot, again)[stop_id] == dearest
    lock(depot, again, stop_id, True)
    lock(depot, again, stop_id, False)
    move(depot, again, stop_id, courier_id)


def test_a_stale_move_is_refused(depot: Depot, plan_id: int) -> None:
    one, two = list(visits(depot, plan_id))[:2]
    with depot.work() as session:
        seen = session.get_one(Plan, plan_id).version
    move(depot, plan_id, one, None, version=seen)
    with pytest.raises(StaleVersionError) as refused:
        move(depot, plan_id, two, None, version=seen)
    assert [told["details"]["stop_id"] for told in refused.value.extra["changes"]] == [one]
    assert two in visits(depot, plan_id)


def test_a_move_that_breaks_a_rule_is_refused_with_the_rule(depot: Depot) -> None:
    strong, weak = depot.hire(1)[0], depot.hire(1, capacity_g=1000)[0]
    parcel = depot.book(1)[0]
    plan_id = depot.plan()
    stop_id = depot.stop(parcel).id
    assert visits(depot, plan_id) == {stop_id: strong.id}
    assert offers(depot, plan_id, stop_id).places == ()
    with pytest.raises(ChangeRefusedError) as refused:
        move(depot, plan_id, stop_id, weak.id)
    assert (refused.value.reason, refused.value.parameters) == (
        "rounds_full",
        {"measure": "weight_g", "excess": 500},
    )
    assert visits(depot, plan_id) == {stop_id: strong.id}


def test_what_a_courier_has_done_or_drives_to_is_fixed(depot: Depot, plan_id: int) -> None:
    depot.publish(plan_id)
    with depot.work() as session:
        plan = depot.load(session, plan_id)
        round_ = next(r for r in plan.rounds if sum(v.courier_id == r.courier_id for v in plan.visits) > 2)
        mine = [visit for visit in plan.visits if visit.courier_id == round_.courier_id]
        session.get_one(StopRequest, mine[0].stop_request_id).status = StopStatus.DONE
        depot.clock.forward(seconds=mine[0].departure_s - 9 * 3600)
    with pytest.raises(ConflictError):
        move(depot, plan_id, mine[0].stop_request_id, None)
    with pytest.raises(ChangeRefusedError, match="frozen"):
        move(depot, plan_id, mine[1].stop_request_id, None)
    assert offers(depot, plan_id, mine[1].stop_request_id).places == ()
    move(depot, plan_id, mine[2].stop_request_id, None)
    sound(depot, plan_id)


def test_history_is_not_changed(depot: Depot, plan_id: int) -> None:
    stop_id = next(iter(visits(depot, plan_id)))
    depot.clock.forward(days=1)
    with pytest.raises(ConflictError, match="over"):
        move(depot, plan_id, stop_id, None)
    with pytest.raises(ConflictError, match="over"):
        depot.publish(plan_id)


def test_a_courier_of_another_outlet_is_none(depot: Depot, plan_id: int) -> None:
    stranger = depot.hire(1, facility_id=depot.world.facilities["CTU-02"])[0]
    with pytest.raises(NotFoundError):
        move(depot, plan_id, next(iter(visits(depot, plan_id))), stranger.id)
