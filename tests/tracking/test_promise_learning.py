"""What is learned: exact where much was observed, its parent's where little was, and never wild."""

import math
import random
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tracking.build import at
from tracking.errors import PromiseError
from tracking.promise import LegHistory, LegObservation, StayObservation
from tracking.promise.levels import Level
from tracking.promise.shape import KNOTS, Shape, knots_of, shrunk
from tracking.promise.stored import LearnedSample, SampleKind, history_of, samples_of
from tracking.shipment import Leg

HOUR = 3600
SHARES = (0.1, 0.5, 0.8, 0.95)


def leg(lane=1, start=1, end=2, planned_s=10 * HOUR, departs=0.0, mode="road"):
    departs_at = at(departs)
    return Leg(1, start, end, mode, lane, departs_at, departs_at + timedelta(seconds=planned_s))


def seen(ratio, lane=1, start=1, end=2, planned_s=10 * HOUR, departs=0.0, mode="road", count=1):
    return LegObservation(lane, mode, planned_s, round(planned_s * ratio), start, end, at(departs), count)


def normal(share):
    """Quantiles of the standard normal distribution, for the four shares of these tests."""
    return {0.1: -1.28155, 0.5: 0.0, 0.8: 0.84162, 0.95: 1.64485}[share]


def test_a_lane_that_is_known_well_is_told_as_it_is():
    dice = random.Random(3)
    history = LegHistory.of([seen(dice.lognormvariate(0.2, 0.15)) for _ in range(4000)])
    for share, told in zip(SHARES, history.leg_quantiles_s(leg(), SHARES), strict=True):
        assert told == pytest.approx(10 * HOUR * math.exp(0.2 + 0.15 * normal(share)), rel=0.015)


def test_two_lanes_that_are_known_well_do_not_borrow_from_each_other():
    dice = random.Random(4)
    history = LegHistory.of(
        [
            seen(dice.lognormvariate(*world), lane, 2 * lane, 2 * lane + 1)
            for lane, world in ((1, (0.0, 0.05)), (2, (0.6, 0.3)))
            for _ in range(3000)
        ]
    )
    for lane, (middle, spread) in ((1, (0.0, 0.05)), (2, (0.6, 0.3))):
        told = history.leg_quantiles_s(leg(lane, 2 * lane, 2 * lane + 1), SHARES)
        for share, seconds in zip(SHARES, told, strict=True):
            assert seconds == pytest.approx(10 * HOUR * math.exp(middle + spread * normal(share)), rel=0.04)


def test_nothing_observed_is_the_prior_and_each_observation_moves_away_from_it():
    late = [LegHistory.of([seen(1.5)] * count) for count in (0, 1, 10, 1000)]
    spreads, medians = [], []
    for history in late:
        low, middle, high, _ = history.leg_quantiles_s(leg(), SHARES)
        spreads.append(high - low)
        medians.append(middle)
    assert medians[0] == 10 * HOUR
    assert medians[-1] == pytest.approx(15 * HOUR, rel=0.005)
    assert all(10 * HOUR < middle <= 16 * HOUR for middle in medians[1:])
    assert spreads[-1] < 0.02 * HOUR < 0.1 * HOUR < spreads[1]


def test_an_unknown_lane_learns_from_its_ends_its_length_and_its_mode():
    dice = random.Random(5)
    lanes = [(start, end) for start in range(1, 9) for end in range(1, 9) if start != end]
    observed = [
        seen(dice.lognormvariate(0.4 if start == 1 else 0.0, 0.05), lane, start, end)
        for lane, (start, end) in enumerate(lanes)
        for _ in range(8)
    ]
    history = LegHistory.of(observed)
    (slow,) = history.leg_quantiles_s(leg(999, 1, 8), (0.5,))
    (usual,) = history.leg_quantiles_s(leg(999, 2, 8), (0.5,))
    (stranger,) = history.leg_quantiles_s(leg(None, 99, 98), (0.5,))
    assert 1.3 < slow / usual <= math.exp(0.4), "a part of it may be the lanes'"
    assert usual <= stranger < slow
    (air,) = history.leg_quantiles_s(leg(None, 99, 98, mode="air"), (0.5,))
    assert air < stranger


def test_a_lane_is_slower_on_friday_nights_and_it_can_be_told_why():
    dice = random.Random(6)
    observed = []
    for hours in range(0, 40 * 7 * 24, 6):
        moment = at(60 * hours)  # START is a Monday at eight
        friday_night = moment.weekday() == 4 and moment.hour >= 18
        observed.append(
            seen(dice.lognormvariate(math.log(1.18) if friday_night else 0, 0.04), 12, departs=60 * hours)
        )
    history = LegHistory.of(observed)
    friday, saturday = 60 * (4 * 24 + 12), 60 * (5 * 24 + 12)
    (at_its_worst,) = history.leg_quantiles_s(leg(12, departs=friday), (0.5,))
    (usual,) = history.leg_quantiles_s(leg(12, departs=saturday), (0.5,))
    assert at_its_worst / usual == pytest.approx(1.18, rel=0.03)
    reasons = {reason.level: reason for reason in history.reasons(leg(12, departs=friday))}
    assert reasons[Level.LANE_WEEK].key == (12, 4, 3)
    assert reasons[Level.LANE_WEEK].weight == 40
    assert math.prod(reason.factor for reason in reasons.values()) == pytest.approx(1.18, rel=0.03)
    assert reasons[Level.LANE_WEEK].factor == max(reason.factor for reason in reasons.values())


def test_hours_are_those_of_local_clocks():
    night = [seen(1.4, departs=60 * (24 * day + 12)) for day in range(200)]  # 20:00 in UTC
    day = [seen(1.0, departs=60 * 24 * day) for day in range(200)]
    for offset in (0, 480, -570):
        history = LegHistory.of(night + day, offset_minutes=offset)
        hour = (20 + offset / 60) % 24
        clock = {
            key: one.log_ratio for (level, key), one in history.effects.items() if level is Level.LANE_CLOCK
        }
        assert max(clock, key=clock.__getitem__) == (1, int(hour // 6))
        (late,), (usual,) = (history.leg_quantiles_s(leg(departs=60 * at_h), (0.5,)) for at_h in (12, 0))
        assert (late, usual) == pytest.approx((14 * HOUR, 10 * HOUR), rel=0.01)


def test_one_leg_that_went_wrong_moves_little():
    calm = [seen(1.0 + step / 1000) for step in range(-20, 21)]
    before = LegHistory.of(calm).leg_quantiles_s(leg(), (0.5, 0.8))
    after = LegHistory.of([*calm, seen(40.0)]).leg_quantiles_s(leg(), (0.5, 0.8))
    assert after == pytest.approx(before, rel=0.03)


def test_a_summary_tells_how_long_and_not_how_variable():
    dice = random.Random(8)
    others = [
        seen(dice.lognormvariate(0, 0.1), lane, lane, lane + 50) for lane in range(2, 40) for _ in range(10)
    ]
    history = LegHistory.of([*others, seen(1.6, 1, 1, 51, count=30)])
    low, middle, high, _ = history.leg_quantiles_s(leg(1, 1, 51), SHARES)
    assert middle == pytest.approx(16 * HOUR, rel=0.05)
    assert high / low == pytest.approx(math.exp(0.1 * (0.84162 + 1.28155)), rel=0.1)
    assert 1 not in history.lanes


def test_thin_lanes_are_covered_as_promised():
    # 400 lanes with three observations each: the spread told must hold what is not known of the lane too.
    dice = random.Random(9)
    usual = {lane: dice.gauss(0.1, 0.3) for lane in range(400)}

    def trip(lane):
        return seen(dice.lognormvariate(usual[lane], 0.15), lane, lane, lane + 1000)

    history = LegHistory.of([trip(lane) for lane in usual for _ in range(3)])
    kept = dict.fromkeys(SHARES, 0)
    for lane in usual:
        told = history.leg_quantiles_s(leg(lane, lane, lane + 1000), SHARES)
        for _ in range(5):
            actual = trip(lane).actual_s
            for share, seconds in zip(SHARES, told, strict=True):
                kept[share] += actual <= seconds
    assert [count / 2000 for count in kept.values()] == pytest.approx(SHARES, abs=0.035)


legs = st.builds(
    seen,
    ratio=st.floats(0.05, 20),
    lane=st.one_of(st.none(), st.integers(1, 3)),
    start=st.one_of(st.none(), st.integers(1, 3)),
    end=st.integers(4, 6),
    planned_s=st.sampled_from([600, 3000, 10_000, 36_000]),
    departs=st.integers(0, 20_000),
    count=st.sampled_from([1, 1, 1, 5, 40]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(legs, max_size=40), st.data())
def test_whatever_was_observed_quantiles_rise_and_the_history_is_stored_as_it_is(observed, data):
    stays = [
        StayObservation(leg.to_facility_id, leg.actual_s - leg.planned_s, leg.departs_at) for leg in observed
    ]
    history = LegHistory.of(observed, stays, stays, stays, offset_minutes=480)
    assert history == LegHistory.of(observed, stays, stays, stays, offset_minutes=480)
    asked = leg(data.draw(st.sampled_from([None, 1, 2, 9])), data.draw(st.sampled_from([1, 2, 9])), 5)
    told = history.leg_quantiles_s(asked, (0.01, 0.1, 0.5, 0.8, 0.95, 0.99))
    assert list(told) == sorted(told)
    assert told[0] > 0
    rows = list(samples_of(history))
    assert len({(row.kind, row.key) for row in rows}) == len(rows)
    again = history_of(rows, offset_minutes=480)
    assert again == history
    assert again.leg_quantiles_s(asked, SHARES) == history.leg_quantiles_s(asked, SHARES)
    for moment in (at(0), at(700)):
        cases = history.dwell_deviation(5, moment)
        assert (np.diff(cases) >= 0).all()


@pytest.mark.parametrize(
    "row",
    [
        LearnedSample(SampleKind.LEG_EFFECT, "lane:1", 3.0, None, ()),
        LearnedSample(SampleKind.LEG_EFFECT, "moon:1", 3.0, 0.1, ()),
        LearnedSample(SampleKind.DWELL, "1", 3.0, None, (1.0, 2.0)),
        LearnedSample(SampleKind.DWELL, "1", 0.0, None, (0.0,) * KNOTS),
        LearnedSample(SampleKind.HANDOVER, "", 3.0, None, (*(0.0,) * (KNOTS - 1), -1.0)),
    ],
)
def test_a_row_that_no_history_gives_is_refused(row):
    with pytest.raises(PromiseError):
        history_of([row], offset_minutes=0)


def test_dwells_are_those_of_the_hour_of_the_facility_of_all():
    night, day, elsewhere = 3 * HOUR, 0, HOUR
    history = LegHistory.of(
        dwells=[StayObservation(1, night, at(60 * 12)) for _ in range(2000)]
        + [StayObservation(1, day, at(0)) for _ in range(2000)]
        + [StayObservation(2, elsewhere, at(0)) for _ in range(2000)]
    )
    assert np.median(history.dwell_deviation(1, at(60 * 12))) == pytest.approx(night, rel=0.02)
    assert np.median(history.dwell_deviation(1, at(0))) == pytest.approx(day, abs=120)
    assert np.median(history.dwell_deviation(2, at(0))) == pytest.approx(elsewhere, rel=0.02)
    assert day < np.median(history.dwell_deviation(3, at(0))) < night


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200))
def test_a_shape_rises_within_what_was_observed(values):
    shape = Shape.of(values)
    assert shape.weight == len(values)
    assert min(values) - 1e-5 <= shape.knots[0] <= shape.knots[-1] <= max(values) + 1e-5


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5)), min_size=1, max_size=30))
def test_a_weight_is_so_many_observations(weighted):
    values, weights = zip(*weighted, strict=True)
    repeated = [value for value, weight in weighted for _ in range(weight)]
    assert Shape.of(values, weights).knots == pytest.approx(Shape.of(repeated).knots, abs=1e-5)


def test_shrinking_goes_from_the_parent_to_the_own():
    parent = np.zeros(KNOTS)
    assert shrunk(None, parent, 10.0) is parent
    for weight, share in ((10, 0.5), (90, 0.9), (1e9, 1.0)):
        assert shrunk(Shape(weight, (1.0,) * KNOTS), parent, 10.0) == pytest.approx([share] * KNOTS)


def test_quantiles_of_weighted_values_are_those_values():
    knots = knots_of([(5.0, 1), (0.0, 3)])
    assert knots.tolist() == [0.0] * 30 + [5.0] * 10
