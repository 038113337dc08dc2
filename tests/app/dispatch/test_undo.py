"""Changes by hand are taken back and made again exactly; the journal says who, and nobody is overwritten."""

from __future__ import annotations

import random

import pytest
import sqlalchemy as sa

from app.dispatch import journal, queries
from app.dispatch import service as dispatch
from app.dispatch.edit_models import EditState
from app.dispatch.models import Plan, PlanVisit, StopStatus
from app.dispatch.snapshot import Snapshot, snapshot
from app.errors import ConflictError, StaleVersionError
from routing.pickup import ChangeRefusedError
from tests.app.dispatch.conftest import Depot
from tests.app.dispatch.test_edits import lock, move, offers, sound, visits


@pytest.fixture
def plan_id(depot: Depot) -> int:
    depot.hire(3)
    depot.book(9)
    return depot.plan()


def state(depot: Depot, plan_id: int) -> Snapshot:
    with depot.work() as session:
        return snapshot(depot.load(session, plan_id))


def undo(depot: Depot, plan_id: int, **more) -> None:
    with depot.work() as session:
        dispatch.undo(session, depot.dispatcher, depot.load(session, plan_id), now=depot.clock(), **more)


def redo(depot: Depot, plan_id: int, **more) -> None:
    with depot.work() as session:
        dispatch.redo(session, depot.dispatcher, depot.load(session, plan_id), now=depot.clock(), **more)


def lock_round(depot: Depot, plan_id: int, courier_id: int, locked: bool) -> int:
    with depot.work() as session:
        plan = depot.load(session, plan_id)
        return dispatch.set_round_lock(
            session, depot.dispatcher, plan, courier_id, locked=locked, now=depot.clock()
        )


def test_every_step_back_and_forth_gives_the_same_plan(depot: Depot, plan_id: int) -> None:
    dice = random.Random(7)
    couriers = sorted(set(visits(depot, plan_id).values()))
    states = [state(depot, plan_id)]
    stop_ids = list(visits(depot, plan_id))
    while len(states) < 9:
        stop_id = dice.choice(stop_ids)
        try:
            move(depot, plan_id, stop_id, dice.choice([None, *couriers]))
        except (ChangeRefusedError, ConflictError):
            continue
        states.append(state(depot, plan_id))
    for expected in reversed(states[:-1]):
        undo(depot, plan_id)
        assert state(depot, plan_id) == expected
        sound(depot, plan_id)
    with pytest.raises(ConflictError, match="nothing to take back"):
        undo(depot, plan_id)
    for expected in states[1:]:
        redo(depot, plan_id)
        assert state(depot, plan_id) == expected
        sound(depot, plan_id)
    with pytest.raises(ConflictError, match="nothing to make again"):
        redo(depot, plan_id)


def test_a_new_change_makes_what_was_taken_back_history(depot: Depot, plan_id: int) -> None:
    one, two, *_rest = visits(depot, plan_id)
    move(depot, plan_id, one, None)
    undo(depot, plan_id)
    move(depot, plan_id, two, None)
    with pytest.raises(ConflictError, match="nothing to make again"):
        redo(depot, plan_id)
    undo(depot, plan_id)
    redo(depot, plan_id)
    assert two not in visits(depot, plan_id)
    with depot.work() as session:
        states = [named.edit.state for named in journal.edits_of(session, plan_id)]
    assert states == [EditState.APPLIED, EditState.CLOSED]


def test_the_journal_names_people_stops_and_couriers(depot: Depot, plan_id: int) -> None:
    stop_id, courier_id = next(iter(visits(depot, plan_id).items()))
    target = offers(depot, plan_id, stop_id).places[0].courier
    move(depot, plan_id, stop_id, target.id)
    with depot.work() as session:
        (named,) = journal.edits_of(session, plan_id)
        giver = queries.load_courier(session, depot.dispatcher, courier_id)
    assert (named.by, named.from_courier, named.to_courier) == ("Dispatcher A", giver.name, target.name)
    assert named.stop is not None
    assert named.stop.startswith("张伟, ")


def test_a_stale_undo_changes_nothing_and_tells_what_came_between(depot: Depot, plan_id: int) -> None:
    one, two, *_rest = visits(depot, plan_id)
    move(depot, plan_id, one, None)
    with depot.work() as session:
        seen = session.get_one(Plan, plan_id).version
    move(depot, plan_id, two, None)
    now = state(depot, plan_id)
    with pytest.raises(StaleVersionError) as refused:
        undo(depot, plan_id, version=seen)
    assert [change["details"]["stop_id"] for change in refused.value.extra["changes"]] == [two]
    assert refused.value.extra["changes"][0]["stop"].startswith("张伟, ")
    assert state(depot, plan_id) == now


def test_publishing_closes_the_journal(depot: Depot, plan_id: int) -> None:
    move(depot, plan_id, next(iter(visits(depot, plan_id))), None)
    depot.publish(plan_id)
    with pytest.raises(ConflictError, match="nothing to take back"):
        undo(depot, plan_id)


def test_in_the_plan_in_force_stops_follow_and_what_is_under_way_stays(depot: Depot, plan_id: int) -> None:
    depot.publish(plan_id)
    with depot.work() as session:
        plan = depot.load(session, plan_id)
        last = max(plan.visits, key=lambda visit: visit.sequence)
        first, second, *_rest = sorted(
            (visit for visit in plan.visits if visit.courier_id == last.courier_id),
            key=lambda visit: visit.sequence,
        )
    stop_id = last.stop_request_id
    move(depot, plan_id, stop_id, None)
    with depot.work() as session:
        assert queries.load_stop(session, depot.dispatcher, stop_id).status is StopStatus.OPEN
    undo(depot, plan_id)
    with depot.work() as session:
        assert queries.load_stop(session, depot.dispatcher, stop_id).status is StopStatus.PLANNED
    move(depot, plan_id, second.stop_request_id, None)
    with depot.work() as session:
        queries.load_stop(session, depot.dispatcher, first.stop_request_id).status = StopStatus.DONE
    depot.clock.forward(seconds=first.departure_s - 9 * 3600)
    with pytest.raises(ConflictError, match="gone on"):
        undo(depot, plan_id)


def test_a_stop_that_is_not_to_be_made_any_more_does_not_come_back(depot: Depot, plan_id: int) -> None:
    stop_id = next(iter(visits(depot, plan_id)))
    move(depot, plan_id, stop_id, None)
    with depot.work() as session:
        queries.load_stop(session, depot.dispatcher, stop_id).status = StopStatus.CANCELLED
    with pytest.raises(ConflictError, match="not to be made"):
        undo(depot, plan_id)
    assert stop_id not in visits(depot, plan_id)


def test_a_whole_round_is_locked_and_unlocked_at_once(depot: Depot, plan_id: int) -> None:
    stop_id, courier_id = next(iter(visits(depot, plan_id).items()))
    lock(depot, plan_id, stop_id, True)
    size = list(visits(depot, plan_id).values()).count(courier_id)
    assert lock_round(depot, plan_id, courier_id, True) == size - 1
    assert lock_round(depot, plan_id, courier_id, True) == 0, "locked already: no change, no entry"
    with pytest.raises(ConflictError, match="locked"):
        move(depot, plan_id, stop_id, None)
    undo(depot, plan_id)
    with depot.work() as session:
        locked = session.scalars(
            sa.select(PlanVisit.stop_request_id).where(PlanVisit.plan_id == plan_id, PlanVisit.locked)
        ).all()
    assert list(locked) == [stop_id]
    assert lock_round(depot, plan_id, courier_id, False) == 1
    with pytest.raises(ConflictError, match="no round"):
        lock_round(depot, plan_id, depot.hire(1)[0].id, True)


def test_every_place_of_a_round_costs_what_moving_there_costs(depot: Depot, plan_id: int) -> None:
    stop_id, courier_id = next(iter(visits(depot, plan_id).items()))
    other = offers(depot, plan_id, stop_id).places[0].courier.id
    for target in (other, courier_id):
        with depot.work() as session:
            plan = depot.load(session, plan_id)
            stop = queries.load_stop(session, depot.dispatcher, stop_id)
            gaps = dispatch.gaps_of(session, depot.dispatcher, plan, stop, target, now=depot.clock())
        size = list(visits(depot, plan_id).values()).count(target)
        assert len(gaps) == (size if target == courier_id else size + 1)
        for gap in gaps:
            if gap.extra_cost_minor is None:
                assert gap.reason is not None
                continue
            moved = move(depot, plan_id, stop_id, target, sequence=gap.sequence)
            assert moved.extra_cost_minor == gap.extra_cost_minor
            undo(depot, plan_id)
