"""Areas: drawn by people, kept by the planner, and no plan made before breaks by them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import pytest
import sqlalchemy as sa

from app.accounts.models import AuditEntry
from app.dispatch import queries
from app.dispatch import service as dispatch
from app.dispatch.area_models import Area
from app.dispatch.areas import RingError, homes_of, load_area, territory_of
from app.dispatch.ground import COST_PER_STRANGE_STOP_MINOR, load_ground
from app.dispatch.models import Courier, Plan, PlanUnserved, StopRequest, VehicleClass
from app.dispatch.problem import Draft, draft_of, problem_to_solve
from app.dispatch.service import ClosedHours
from app.dispatch.words import reason_text
from app.errors import ConflictError, InvalidInputError, NotFoundError
from routing.pickup import ChangeRefusedError, ReasonCode, check
from routing.pickup.features import TOURS, features_of
from tests.app.dispatch.conftest import Depot
from tests.app.dispatch.test_edits import move, offers, sound, visits

H = 3600
EAST, WEST, ALL = (104.03, 104.10), (103.96, 104.03), (103.96, 104.10)
VANS = frozenset({VehicleClass.VAN, VehicleClass.TRUCK})


def ring(between: tuple[float, float], south: float = 30.5, north: float = 30.7) -> list[list[float]]:
    west, east = between
    return [[south, west], [south, east], [north, east], [north, west]]


def draw(
    depot: Depot,
    name: str,
    corners: list[list[float]],
    closed: Sequence[ClosedHours] = (),
) -> int:
    with depot.work() as session:
        return dispatch.create_area(
            session,
            depot.dispatcher,
            facility_id=depot.outlet_id,
            name=name,
            ring=corners,
            closed=closed,
            now=depot.clock(),
        ).id


def change(depot: Depot, courier: Courier, **changes: object) -> None:
    """A courier as he was but for the changes."""
    with depot.work() as session:
        found = queries.load_courier(session, depot.dispatcher, courier.id)
        columns = ("shift_start_s", "shift_end_s", "capacity_g", "capacity_cm3", "capacity_pieces", "skills")
        values = {name: getattr(found, name) for name in (*columns, "vehicle_class", "active")}
        values |= {"territory": territory_of(session, found), "breaks": ()}
        dispatch.change_courier(session, depot.dispatcher, found, **(values | changes), now=depot.clock())


def settle(depot: Depot, courier: Courier, *area_ids: int) -> None:
    change(depot, courier, territory=area_ids)


def sides(depot: Depot, plan_id: int) -> Counter[tuple[int, bool]]:
    """Who goes where how often: courier, and whether the stop lies in the east."""
    with depot.work() as session:
        found = visits(depot, plan_id)
        stops = session.scalars(sa.select(StopRequest).where(StopRequest.id.in_(found))).all()
        return Counter((found[stop.id], stop.longitude >= EAST[0]) for stop in stops)


def opened(depot: Depot, plan_id: int) -> Draft:
    with depot.work() as session:
        return draft_of(session, depot.load(session, plan_id), now=depot.clock())


def close(depot: Depot, area_id: int, *hours: ClosedHours) -> None:
    with depot.work() as session:
        area = load_area(session, depot.dispatcher, area_id)
        dispatch.change_area(
            session,
            depot.dispatcher,
            area,
            name=area.name,
            ring=area.ring,
            closed=hours,
            now=depot.clock(),
        )


def unserved(depot: Depot, plan_id: int) -> list[PlanUnserved]:
    with depot.work() as session:
        return list(session.scalars(sa.select(PlanUnserved).where(PlanUnserved.plan_id == plan_id)))


# --- drawing


def test_an_area_is_drawn_changed_and_deleted_and_all_of_it_is_recorded(depot: Depot) -> None:
    area_id = draw(depot, "  东  区 ", [*ring(EAST), ring(EAST)[0]])
    with depot.work() as session:
        area = load_area(session, depot.dispatcher, area_id)
        assert (area.name, area.ring, area.closed) == ("东 区", ring(EAST), [])
        same = {"name": area.name, "ring": area.ring, "closed": ()}
        assert not dispatch.change_area(session, depot.dispatcher, area, **same, now=depot.clock())
    close(depot, area_id, ClosedHours(VANS, 9 * H, 17 * H), ClosedHours(VANS, 7 * H, 8 * H))
    with depot.work() as session:
        area = load_area(session, depot.dispatcher, area_id)
        assert [(one["from_s"], one["vehicle_classes"]) for one in area.closed] == [
            (7 * H, ["truck", "van"]),
            (9 * H, ["truck", "van"]),
        ]
        dispatch.delete_area(session, depot.dispatcher, area, now=depot.clock())
    with depot.work() as session:
        actions = session.scalars(
            sa.select(AuditEntry.action).where(AuditEntry.subject_kind == "area").order_by(AuditEntry.id)
        ).all()
        assert actions == ["area.created", "area.changed", "area.deleted"]
        with pytest.raises(NotFoundError):
            load_area(session, depot.dispatcher, area_id)


def test_what_cannot_be_is_refused(depot: Depot) -> None:
    draw(depot, "东区", ring(EAST))
    with pytest.raises(ConflictError, match="taken"):
        draw(depot, "东区", ring(WEST))
    crossed = [ring(WEST)[place] for place in (0, 2, 1, 3)]
    with pytest.raises(RingError) as refused:
        draw(depot, "西区", crossed)
    assert refused.value.extra["errors"] == [
        {"detail": "the side after corner 1 meets the side after corner 3", "pointer": "/ring"}
    ]
    for name in ("", " ", "长" * 61):
        with pytest.raises(InvalidInputError):
            draw(depot, name, ring(WEST))
    with pytest.raises(InvalidInputError):
        draw(depot, "西区", ring(WEST), [ClosedHours(VANS, 0, 60)] * 13)
    for wrong in ((frozenset(), 0, 60), (VANS, 60, 60), (VANS, 0, 24 * H + 1)):
        with pytest.raises(InvalidInputError):
            ClosedHours(*wrong)


def test_home_is_an_area_of_ones_own_outlet_and_stays_while_somebody_has_it(depot: Depot) -> None:
    one, other = depot.hire(2)
    area_id = draw(depot, "东区", ring(EAST))
    with depot.work() as session:
        elsewhere = dispatch.create_area(
            session,
            depot.dispatcher,
            facility_id=depot.world.facilities["HGH-01"],
            name="杭州",
            ring=[[30.2, 120.1], [30.2, 120.2], [30.3, 120.2]],
            now=depot.clock(),
        ).id
    for wrong in (elsewhere, area_id + 10_000):
        with pytest.raises(InvalidInputError):
            settle(depot, one, area_id, wrong)
    settle(depot, one, area_id)
    settle(depot, other, area_id)
    with depot.work() as session:
        area = load_area(session, depot.dispatcher, area_id)
        assert [courier.id for courier in homes_of(session, depot.outlet_id)[area_id]] == [one.id, other.id]
        with pytest.raises(ConflictError) as refused:
            dispatch.delete_area(session, depot.dispatcher, area, now=depot.clock())
        assert refused.value.extra["courier_ids"] == [one.id, other.id]
    settle(depot, one)
    settle(depot, other)
    with depot.work() as session:
        area = load_area(session, depot.dispatcher, area_id)
        dispatch.delete_area(session, depot.dispatcher, area, now=depot.clock())
        details = session.scalars(
            sa.select(AuditEntry.details)
            .where(AuditEntry.action == "courier.changed")
            .order_by(AuditEntry.id)
        ).all()
    assert details[0]["territory"] == [[], [area_id]]
    assert details[-1]["territory"] == [[area_id], []]


# --- planning


def test_of_areas_that_overlap_the_smallest_has_the_stop(depot: Depot) -> None:
    large = draw(depot, "全城", ring(ALL))
    middle = draw(depot, "东区", ring(EAST))
    small = draw(depot, "小区", ring((104.05, 104.06), 30.60, 30.61), [ClosedHours(VANS, 0, H)])
    with depot.work() as session:
        spots = load_ground(session, depot.outlet_id).spots_of(
            {1: (30.605, 104.055), 2: (30.605, 104.04), 3: (30.605, 104.0), 4: (31.0, 104.0)}
        )
    assert {key: spot.district for key, spot in spots.items()} == {
        1: str(small),
        2: str(middle),
        3: str(large),
    }
    assert {key: spot.area for key, spot in spots.items()} == {1: "小区", 2: None, 3: None}


def test_couriers_are_planned_where_they_are_at_home(depot: Depot) -> None:
    one, other = depot.hire(2)
    depot.book(24)
    east, west = draw(depot, "东区", ring(EAST)), draw(depot, "西区", ring(WEST))
    settle(depot, one, east)
    settle(depot, other, west)
    with depot.work() as session:
        plan = session.get_one(Plan, depot.request())
        problem = problem_to_solve(session, plan, now=depot.clock())
    assert features_of(problem) <= TOURS, "homes alone are planned by the engine for tours"
    assert {vehicle.cost_per_strange_stop for vehicle in problem.vehicles} == {COST_PER_STRANGE_STOP_MINOR}
    with depot.work() as session:
        dispatch.cancel_plan(session, depot.dispatcher, session.get_one(Plan, plan.id), now=depot.clock())
    plan_id = depot.plan()
    went = sides(depot, plan_id)
    assert went[one.id, True] + went[other.id, False] >= 21, (
        "all but a few for which it costs too much elsewhere"
    )
    sound(depot, plan_id)
    settle(depot, one, west)
    settle(depot, other, east)
    went = sides(depot, depot.plan())
    assert went[other.id, True] + went[one.id, False] >= 21


def test_without_areas_the_planner_is_asked_as_before(depot: Depot) -> None:
    depot.hire(1)
    depot.book(2)
    with depot.work() as session:
        problem = problem_to_solve(session, session.get_one(Plan, depot.request()), now=depot.clock())
    assert not features_of(problem)
    assert not problem.restrictions
    assert all(vehicle.vehicle_class == "" and not vehicle.territory for vehicle in problem.vehicles)
    assert all(stop.area is None and stop.district is None for stop in problem.stops)


def test_a_closed_area_is_served_by_others_and_by_all_when_it_is_open_again(depot: Depot) -> None:
    van = depot.hire(1)[0]
    bike = depot.hire(1, vehicle_class=VehicleClass.CARGO_BIKE)[0]
    depot.book(16)
    area_id = draw(depot, "东区", ring(EAST), [ClosedHours(VANS, 0, 24 * H)])
    plan_id = depot.plan()
    assert (van.id, True) not in sides(depot, plan_id)
    assert (bike.id, True) in sides(depot, plan_id)
    sound(depot, plan_id)
    close(depot, area_id, ClosedHours(VANS, 8 * H, 10 * H))
    change(depot, bike, active=False)
    plan_id = depot.plan()
    with depot.work() as session:
        draft = draft_of(session, depot.load(session, plan_id), now=depot.clock())
        starts = {
            visit.start_s
            for route in draft.plan.routes
            for visit in route.visits
            if draft.stops[int(visit.stop_id)].longitude >= EAST[0]
        }
    assert starts
    assert min(starts) >= 10 * H, "it is open again at ten o'clock sharp"


def test_closed_hours_that_concern_nobody_leave_the_fast_engine(depot: Depot) -> None:
    depot.hire(1)
    depot.book(3)
    trucks = frozenset({VehicleClass.TRUCK})
    draw(depot, "东区", ring(ALL), [ClosedHours(trucks, 0, 24 * H), ClosedHours(VANS, 1 * H, 5 * H)])
    with depot.work() as session:
        problem = problem_to_solve(session, session.get_one(Plan, depot.request()), now=depot.clock())
    assert not features_of(problem)


def test_a_stop_that_nobody_may_reach_says_so_in_both_languages(depot: Depot) -> None:
    depot.hire(2)
    depot.book(1)
    draw(depot, "东区", ring(ALL), [ClosedHours(VANS, 0, 24 * H)])
    plan_id = depot.plan()
    (row,) = unserved(depot, plan_id)
    assert (row.reason, row.details) == (ReasonCode.AREA_CLOSED, {"area": "东区"})
    browser = depot.logins.browser("dispatcher")
    for language, words in (("en", "东区 is closed to the vehicles"), ("zh", "“东区”对可用车型禁行")):
        page = browser.get(f"/dispatch?facility={depot.outlet_id}&lang={language}")
        assert words in page.text
    with pytest.raises(ChangeRefusedError) as refused:
        _taken(depot, plan_id, row.stop_request_id)
    assert refused.value.reason == ReasonCode.AREA_CLOSED
    with depot.logins.app.test_request_context("/"):
        assert "area" in reason_text(ReasonCode.AREA_CLOSED, {"stop_id": "1"})


def _taken(depot: Depot, plan_id: int, stop_id: int) -> dispatch.Moved:
    courier_id = next(iter(_couriers(depot)))
    return move(depot, plan_id, stop_id, courier_id)


def _couriers(depot: Depot) -> Collection[int]:
    with depot.work() as session:
        return session.scalars(
            sa.select(Courier.id).where(Courier.facility_id == depot.outlet_id).order_by(Courier.id)
        ).all()


# --- plans made before


def test_a_plan_from_before_stays_sound_whatever_is_drawn_afterwards(depot: Depot) -> None:
    one, other = depot.hire(2)
    depot.book(10)
    plan_id = depot.plan()
    before = visits(depot, plan_id)
    east, west = draw(depot, "东区", ring(EAST)), draw(depot, "西区", ring(WEST))
    settle(depot, one, east)
    settle(depot, other, east)
    cost_minor = opened(depot, plan_id).plan.cost_minor
    with depot.work() as session:
        assert cost_minor > session.get_one(Plan, plan_id).cost_minor, "what is strange now costs as much"
    for area_id in (east, west):
        close(depot, area_id, ClosedHours(VANS, 0, 24 * H))
    _still_sound(depot, plan_id, before)
    depot.publish(plan_id)
    _still_sound(depot, plan_id, before)
    for courier in (one, other):
        change(depot, courier, vehicle_class=VehicleClass.TRUCK, territory=())
    for area_id in (east, west):
        with depot.work() as session:
            area = load_area(session, depot.dispatcher, area_id)
            dispatch.delete_area(session, depot.dispatcher, area, now=depot.clock())
    _still_sound(depot, plan_id, before)


def _still_sound(depot: Depot, plan_id: int, before: dict[int, int]) -> None:
    draft = opened(depot, plan_id)
    assert check(draft.problem, draft.plan) == ()
    assert visits(depot, plan_id) == before
    stop_id = next(iter(before))
    assert offers(depot, plan_id, stop_id).present is not None
    page = depot.logins.browser("dispatcher").get(f"/dispatch?facility={depot.outlet_id}")
    assert page.status_code == 200


def test_a_visit_in_hours_closed_since_stays_with_its_courier_and_goes_to_no_other(depot: Depot) -> None:
    van, also = depot.hire(2)
    bike = depot.hire(1, vehicle_class=VehicleClass.BICYCLE)[0]
    depot.book(9)
    change(depot, bike, active=False)
    plan_id = depot.plan()
    mine = next(stop for stop, courier in visits(depot, plan_id).items() if courier == van.id)
    rest = [stop for stop, courier in visits(depot, plan_id).items() if courier == van.id and stop != mine]
    change(depot, bike, active=True)
    draw(depot, "全城", ring(ALL), [ClosedHours(VANS, 0, 24 * H)])
    assert {place.courier.id for place in offers(depot, plan_id, mine).places} == {bike.id}
    with pytest.raises(ChangeRefusedError) as refused:
        move(depot, plan_id, mine, also.id)
    assert refused.value.reason == ReasonCode.AREA_CLOSED
    # He may still make it earlier or later on his own round.
    move(depot, plan_id, mine, van.id, sequence=len(rest))
    sound(depot, plan_id)
    move(depot, plan_id, mine, None)
    sound(depot, plan_id)
    assert {place.courier.id for place in offers(depot, plan_id, mine).places} == {bike.id}
    with pytest.raises(ChangeRefusedError):
        move(depot, plan_id, mine, van.id)
    with depot.work() as session:
        dispatch.undo(session, depot.dispatcher, depot.load(session, plan_id), now=depot.clock())
    assert visits(depot, plan_id)[mine] == van.id, "what was planned can be had again"
    move(depot, plan_id, mine, bike.id)
    sound(depot, plan_id)


def test_what_a_change_costs_is_told_by_the_homes_of_now(depot: Depot) -> None:
    one, other = depot.hire(2)
    depot.book(10)
    plan_id = depot.plan()
    before = visits(depot, plan_id)
    if len(set(before.values())) == 1:
        move(depot, plan_id, next(iter(before)), other.id if one.id in before.values() else one.id)
        before = visits(depot, plan_id)
    mine = next(stop for stop, courier in before.items() if courier == one.id)
    plain = {place.courier.id: place.extra_cost_minor for place in offers(depot, plan_id, mine).places}
    far = draw(depot, "远处", ring((104.2, 104.3)))
    draw(depot, "全城", ring(ALL))
    settle(depot, other, far)
    priced = {place.courier.id: place.extra_cost_minor for place in offers(depot, plan_id, mine).places}
    assert priced == {other.id: plain[other.id] + COST_PER_STRANGE_STOP_MINOR}
    moved = move(depot, plan_id, mine, other.id)
    assert moved.extra_cost_minor == priced[other.id]
    sound(depot, plan_id)


def test_a_corrected_pin_is_judged_where_it_is_now(depot: Depot) -> None:
    van = depot.hire(1)[0]
    depot.book(4)
    depot.publish(plan_id := depot.plan())
    stop_id = next(iter(visits(depot, plan_id)))
    area_id = draw(depot, "禁区", ring((104.10, 104.14)), [ClosedHours(VANS, 0, 24 * H)])
    with depot.work() as session:
        stop = queries.load_stop(session, depot.dispatcher, stop_id)
        done = dispatch.correct_place(
            session, depot.dispatcher, stop, latitude=30.6, longitude=104.12, now=depot.clock()
        )
    assert done.courier_id is None
    (row,) = unserved(depot, plan_id)
    assert (row.reason, row.details) == (ReasonCode.AREA_CLOSED, {"area": "禁区"})
    close(depot, area_id)
    move(depot, plan_id, stop_id, van.id)
    sound(depot, plan_id)


def test_areas_are_their_companys_own(depot: Depot, new_depot) -> None:
    area_id = draw(depot, "东区", ring(EAST))
    other = new_depot()
    with other.work() as session:
        assert session.scalars(sa.select(Area)).all() == []
        with pytest.raises(NotFoundError):
            load_area(session, other.dispatcher, area_id)
