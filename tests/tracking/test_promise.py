"""Promises: sane, refreshed by what is known, made of what was learned, and made fast."""

import random
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.network import FacilityKind, Handover, WorkingHours, usual_hours
from routing.network.cutoff import handed_over_at
from routing.network.hours import weekly
from tests.tracking.build import at, leg, scan
from tracking.errors import PromiseError, ScanError
from tracking.position import Position, position_of
from tracking.promise import (
    LastMile,
    LegHistory,
    LegObservation,
    Promise,
    StayObservation,
    heard_again_by,
    promise,
    window,
)
from tracking.shipment import ScanCode

# Departs 10:00, arrives 20:00; departs 22:00, arrives 04:00 (minutes after 08:00).
LEGS = (leg(1, 1, 2, 120, 720), leg(2, 2, 3, 840, 1200))
ORIGIN = Position(1, at(0))
PUNCTUAL = LegHistory.of(
    [LegObservation(lane, "road", 36_000, 36_000) for lane in (101, 102)] * 2000,
    [StayObservation(facility, 0) for facility in (1, 2)] * 2000,
    [StayObservation(3, 0)] * 2000,
)


def ask(current=ORIGIN, now=0.0, history=None, legs=LEGS, handover_s=3600, **more):
    return promise(legs, handover_s=handover_s, history=history, now=at(now), current=current, **more)


def late_history(share, count=200, lanes=range(101, 103), mode="road"):
    late = [
        LegObservation(lane, mode, planned_s, round(planned_s * (1 + share)))
        for lane, planned_s in zip(lanes, (36_000, 21_600) * len(lanes), strict=False)
    ]
    return LegHistory.of(late * count)


def test_without_history_the_plan_is_about_the_median_and_the_tail_is_later():
    promised = ask()
    planned = at(1260)
    assert abs(promised.p50_at - planned) < timedelta(minutes=60)
    assert planned < promised.p80_at < promised.p95_at < planned + timedelta(hours=12)


def test_observed_delays_are_learned_and_shrunk_where_they_are_few():
    plan, few, many = (ask(history=history) for history in (None, late_history(0.5, 1), late_history(0.5)))
    assert plan.p50_at < few.p50_at
    assert few.p80_at - few.p50_at > many.p80_at - many.p50_at, "little is known, and it is told so"
    # Ten hours become fifteen, and two of the five are absorbed by the wait at 2; six hours become nine.
    expected = at(1260 + 300 - 120 + 180)
    assert abs(many.p50_at - expected) <= timedelta(minutes=20)


def test_a_lane_without_history_learns_from_its_mode():
    others = range(10, 90)
    learned = ask(history=late_history(0.5, lanes=others))
    assert abs(learned.p50_at - at(1260 + 300 - 120 + 180)) <= timedelta(minutes=60)
    assert ask(history=late_history(0.5, lanes=others, mode="air")).p50_at < ask().p80_at


def test_dwells_and_handovers_are_learned():
    slow_hub = LegHistory.of(dwells=[StayObservation(2, 4 * 3600)] * 100)
    slow_outlet = LegHistory.of(handovers=[StayObservation(3, 2 * 3600)] * 100)
    assert ask(history=slow_hub).p50_at > ask().p50_at + timedelta(hours=3)
    assert ask(history=slow_outlet).p50_at > ask().p50_at + timedelta(hours=1)


def test_each_scan_refreshes_the_promise():
    on_time = ask(Position(1, at(120), departed=True), now=120)
    late = ask(Position(1, at(420), departed=True), now=420)
    assert late.p80_at > on_time.p80_at + timedelta(minutes=120)
    arrived = ask(Position(3, at(1190)), now=1190)
    assert arrived.p95_at - arrived.p50_at < on_time.p95_at - on_time.p50_at
    assert abs(arrived.p50_at - at(1250)) <= timedelta(minutes=10)


@given(st.floats(0, 20_000), st.booleans())
def test_nothing_is_promised_for_the_past(now, departed):
    promised = ask(Position(1, at(min(now, 130)), departed), now=now)
    assert promised.p50_at >= at(now) - timedelta(seconds=1)
    assert promised.p50_at <= promised.p80_at <= promised.p95_at


def test_what_has_not_happened_yet_is_expected_later_the_longer_it_lasts():
    under_way = Position(2, at(840), departed=True)
    promised = [ask(under_way, now=now).p80_at for now in range(840, 6000, 60)]
    assert promised == sorted(promised)
    overdue = ask(under_way, now=6000)
    assert at(6000) < overdue.p50_at < overdue.p80_at < overdue.p95_at


def test_where_all_goes_as_planned_the_promise_is_the_plan():
    for current, now in ((ORIGIN, 0), (Position(1, at(120), True), 130), (Position(2, at(720)), 720)):
        promised = ask(current, now, PUNCTUAL)
        assert abs(promised.p50_at - at(1260)) <= timedelta(minutes=2)
        assert abs(promised.p80_at - at(1260)) <= timedelta(minutes=10)


def test_a_wait_absorbs_a_delay_no_larger_than_it_and_none_beyond():
    for late, lost in ((60, 0), (119, 0), (180, 60)):
        promised = ask(Position(2, at(720 + late)), 720 + late, PUNCTUAL)
        assert abs(promised.p50_at - at(1260 + lost)) <= timedelta(minutes=2)


def test_a_parcel_that_is_awaited_may_miss_its_departure():
    legs = [LegObservation(lane, "road", 36_000, 36_000) for lane in (101, 102)] * 2000
    stays = [StayObservation(facility, 0) for facility in (1, 2, 3)] * 2000
    # One of four is collected five hours late: three more than there are until the departure, of which the
    # wait at 2 absorbs two.
    slow = LegHistory.of(legs, stays, stays, [StayObservation(1, late) for late in (0, 0, 0, 18_000)] * 500)
    awaited = ask(history=slow, awaited=True)
    assert abs(awaited.p50_at - at(1260)) <= timedelta(minutes=2)
    assert abs(awaited.p80_at - at(1260 + 60)) <= timedelta(minutes=10)
    here = ask(history=slow)
    assert abs(here.p80_at - at(1260)) <= timedelta(minutes=10)
    # Not come after an hour, it is the one of four.
    missing = ask(history=slow, awaited=True, now=60)
    assert abs(missing.p50_at - at(1260 + 60)) <= timedelta(minutes=10)
    # Where there is no way to go, it only comes later.
    assert ask(history=slow, awaited=True, legs=()).p80_at >= ask(history=slow, legs=()).p80_at


def test_a_parcel_that_stays_in_its_town():
    promised = ask(Position(5, at(0)), legs=())
    assert at(50) < promised.p50_at <= at(80)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"current": Position(8, at(0))}, "not on the route"),
        ({"legs": (LEGS[0], leg(2, 9, 3, 840, 900))}, "does not start where"),
        ({"legs": (LEGS[0], leg(2, 2, 3, 700, 900))}, "departs before"),
        ({"handover_s": -1}, "must not be negative"),
    ],
)
def test_what_is_not_a_route_is_refused(arguments, message):
    with pytest.raises(PromiseError, match=message):
        ask(**arguments)


@pytest.mark.parametrize(
    "make",
    [
        lambda: LegObservation(1, "road", 0, 10),
        lambda: LegObservation(1, "road", 10, 0),
        lambda: LegObservation(1, "road", 10, 10, count=0),
        lambda: LegObservation(1, "road", 10, 10, departs_at=datetime(2026, 3, 2)),  # noqa: DTZ001
        lambda: StayObservation(1, 10, weight=0.0),
        lambda: StayObservation(1, 10, at=datetime(2026, 3, 2)),  # noqa: DTZ001
    ],
)
def test_what_was_not_observed_well_is_refused(make):
    with pytest.raises((PromiseError, ScanError)):
        make()


def test_the_quantiles_cover_what_then_happens():
    # A world with known deviations: the promise is learned on one part, and checked on another.
    dice = random.Random(7)

    def trip():
        return 36_000 * (1 + dice.gammavariate(2, 0.05)), 21_600 * (1 + dice.gammavariate(2, 0.1))

    trips = [trip() for _ in range(400)]
    history = LegHistory.of(
        [
            observation
            for first, second in trips
            for observation in (
                LegObservation(101, "road", 36_000, round(first)),
                LegObservation(102, "road", 21_600, round(second)),
            )
        ],
        dwells=[StayObservation(1, 0), StayObservation(2, 0)] * 200,
        handovers=[StayObservation(3, 0)] * 400,
    )
    promised = ask(history=history)
    arrivals = []
    for _ in range(4000):
        first, second = trip()
        departs = max(840.0, 120 + first / 60)
        arrivals.append(at(departs + second / 60 + 60))
    coverage = [
        np.mean([arrival <= limit for arrival in arrivals])
        for limit in (promised.p50_at, promised.p80_at, promised.p95_at)
    ]
    assert coverage == pytest.approx([0.5, 0.8, 0.95], abs=0.04)


DOORS = LastMile(Handover.DOOR, usual_hours(FacilityKind.OUTLET, "Asia/Shanghai"))


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(Handover),
    st.sampled_from(["Asia/Shanghai", "Asia/Kathmandu", "UTC", "America/New_York"]),
)
def test_rounds_are_those_of_the_rule_to_the_second(arrives_at, handover, zone):
    arrives_at = arrives_at.replace(microsecond=0)
    workdays = weekly([[(480, 720), (840, 1080)]] * 5 + [[], []])
    outlet = WorkingHours(zone, workdays, frozenset([arrives_at.date()]))
    store = usual_hours(FacilityKind.STORE, zone)
    last_mile = LastMile(handover, outlet, store)
    by_rule = handed_over_at(arrives_at, handover, outlet, store)
    assert arrives_at + timedelta(seconds=last_mile.planned_s(arrives_at)) == by_rule
    late_s = np.array([-3600.0, 0.0, 7200.0, 86_400.0, 5 * 86_400.0])
    done = last_mile.handed_over(arrives_at, late_s)
    for late, seconds in zip(late_s.tolist(), done.tolist(), strict=True):
        then = handed_over_at(arrives_at + timedelta(seconds=late), handover, outlet, store)
        assert arrives_at + timedelta(seconds=seconds) == then


def test_what_misses_its_round_takes_the_next():
    # 06:50 by the clocks of China: in time for the round at eight, which ends at noon.
    way = (leg(1, 1, 2, 0, 890),)
    history = LegHistory.of(
        [LegObservation(101, "road", 53_400, 53_400)] * 2000, (), [StayObservation(2, 0)] * 2000
    )
    in_time = ask(Position(1, at(0), True), 0, history, way, DOORS)
    assert abs(in_time.p50_at - at(1200)) <= timedelta(minutes=2)
    missed = ask(Position(1, at(30), True), 30, history, way, DOORS)
    assert abs(missed.p50_at - at(1200 + 360)) <= timedelta(minutes=2)


def test_a_promise_over_five_legs_is_fast():
    legs = tuple(leg(n, n, n + 1, 300 * n, 300 * n + 200) for n in range(1, 6))
    dice = random.Random(1)
    history = LegHistory.of(
        [
            LegObservation(100 + lane, "road", 12_000, round(12_000 * dice.lognormvariate(0.1, 0.2)))
            for lane in range(1, 6)
            for _ in range(100)
        ]
    )
    best = 1.0
    for _ in range(300):
        started = time.perf_counter()
        ask(history=history, legs=legs)
        best = min(best, time.perf_counter() - started)
    assert best < 0.001, "about 0.06 ms on a quiet machine; see benchmarks/promise.py"


@given(st.integers(0, 3000), st.sampled_from([480, 345, 0, -570]))
def test_the_window_is_two_local_hours_that_end_at_the_80_percent_quantile(minutes, offset):
    p80 = at(minutes)
    from_at, to_at = window(Promise(p80, p80, p80), offset)
    assert to_at - from_at == timedelta(hours=2)
    assert p80 <= to_at < p80 + timedelta(hours=1)
    assert (to_at + timedelta(minutes=offset)).minute == 0


@pytest.mark.parametrize(
    ("scans", "position"),
    [
        ([], Position(1, at(-60))),
        ([scan(ScanCode.COLLECTED, 30)], Position(1, at(30))),
        ([scan(ScanCode.BOOKED, 1, facility_id=3)], Position(1, at(-60))),
        (
            [scan(ScanCode.COLLECTED, 30, facility_id=1), scan(ScanCode.ARRIVED, 50, facility_id=1)],
            Position(1, at(50)),
        ),
        ([scan(ScanCode.DEPARTED, 130, facility_id=1)], Position(1, at(130), departed=True)),
        (
            [scan(ScanCode.ARRIVED, 700, facility_id=2), scan(ScanCode.SORTED, 740, facility_id=2)],
            Position(2, at(700)),
        ),
        (
            [scan(ScanCode.ARRIVED, 1190, facility_id=3), scan(ScanCode.OUT_FOR_DELIVERY, 1250)],
            Position(3, at(1190)),
        ),
        (
            [
                scan(ScanCode.ARRIVED, 1190, facility_id=3),
                scan(ScanCode.OUT_FOR_DELIVERY, 1250, facility_id=3),
            ],
            Position(3, at(1190)),
        ),
        ([scan(ScanCode.DEPARTED, 130, facility_id=1), scan(ScanCode.ARRIVED, 700, facility_id=8)], None),
    ],
)
def test_the_position_follows_from_the_scans(scans, position):
    assert position_of(LEGS, scans, ready_at=at(-60)) == position
    assert position_of(LEGS, scans[::-1], ready_at=at(-60)) == position


# A store beside the origin, a locker beside the destination, and one of an outlet that is elsewhere.
POINTS = {21: 1, 23: 3, 29: 9}


@pytest.mark.parametrize(
    ("scans", "position"),
    [
        ([scan(ScanCode.DEPOSITED, 30, facility_id=21)], Position(1, at(30))),
        (
            [scan(ScanCode.DEPOSITED, 30, facility_id=21), scan(ScanCode.ACCEPTED, 90, facility_id=1)],
            Position(1, at(90)),
        ),
        ([scan(ScanCode.DEPARTED, 60, facility_id=21)], Position(1, at(60))),
        (
            [scan(ScanCode.ARRIVED, 1190, facility_id=3), scan(ScanCode.AT_LOCKER, 1300, facility_id=23)],
            Position(3, at(1190)),
        ),
        ([scan(ScanCode.ARRIVED, 1190, facility_id=3), scan(ScanCode.AT_LOCKER, 1300, facility_id=29)], None),
    ],
)
def test_a_point_is_beside_the_route_where_its_outlet_is_on_it(scans, position):
    assert position_of(LEGS, scans, ready_at=at(-60), points=POINTS) == position


def test_a_place_that_nobody_says_is_a_point_is_off_the_route():
    assert position_of(LEGS, [scan(ScanCode.AT_LOCKER, 1300, facility_id=23)], ready_at=at(-60)) is None


def test_without_a_route_there_is_no_position():
    with pytest.raises(PromiseError, match="no legs"):
        position_of((), [], ready_at=at(0))


def test_promised_times_must_rise():
    with pytest.raises(PromiseError, match="must rise"):
        Promise(at(2), at(1), at(3))


def heard(current, history=PUNCTUAL, handover_s=3600):
    return heard_again_by(LEGS, handover_s=handover_s, history=history, current=current)


def test_heard_again_when_the_next_thing_has_happened():
    minute = timedelta(minutes=1)
    assert abs(heard(ORIGIN) - at(120)) < minute, "the departure"
    assert abs(heard(Position(1, at(130), departed=True)) - at(730)) < minute, "the arrival"
    assert abs(heard(Position(2, at(730))) - at(840)) < minute, "the next departure"
    assert abs(heard(Position(3, at(1210))) - at(1270)) < minute, "the hand-over"
    assert heard(Position(1, at(121))) is None, "its vehicle is gone, and no plan says which it takes"


def test_heard_again_as_late_as_95_of_100_were():
    slow = LegHistory.of(
        [LegObservation(101, "road", 36_000, 36_000 + 600 * step) for step in range(20)] * 100
    )
    by = heard(Position(1, at(120), departed=True), slow)
    assert at(720 + 170) < by < at(720 + 200)
    with pytest.raises(PromiseError, match="not on the route"):
        heard(Position(9, at(0)))
