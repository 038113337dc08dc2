"""Learning and forecasting: on simulated days the error falls, and windows hold what they say."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.dispatch.day.forecast import Ahead, Here, Pace, forecast, pace_of
from app.dispatch.day.learning import Fit, Sample, error, fit
from app.dispatch.day.models import Level


def days(seed: int, samples: int, *, noise: float = 0.35) -> list[Sample]:
    """Stops of a city whose buildings, hours and couriers differ: lifts, gates, rush, habits."""
    dice = np.random.default_rng(seed)
    truth = np.random.default_rng(42)
    areas, buildings = truth.normal(0, 0.2, 12), truth.normal(0, 0.4, 240)
    hours, couriers = truth.normal(0, 0.15, 10), truth.normal(0, 0.25, 15)
    found = []
    for _one in range(samples):
        # Most stops lie in few buildings, as in real cities.
        building = min(int(dice.pareto(0.7) * 4), 239)
        hour, courier = int(dice.integers(10)), int(dice.integers(15))
        true = 0.25 + areas[building % 12] + buildings[building] + hours[hour] + couriers[courier]
        planned = int(dice.integers(60, 400))
        keys = {
            Level.AREA: str(building % 12),
            Level.BUILDING: str(building),
            Level.HOUR: str(hour),
            Level.COURIER: str(courier),
        }
        found.append(Sample(planned, max(int(planned * exp(true + dice.normal(0, noise))), 5), keys))
    return found


def learned(samples: list[Sample]) -> Fit:
    found = fit(samples)
    assert found is not None
    return found


def test_the_error_falls_with_what_is_learned() -> None:
    unseen = days(999, 3000)
    before = error(unseen, None)
    after = [error(unseen, learned(days(1, samples))) for samples in (100, 1000, 10_000)]
    assert after == sorted(after, reverse=True), "more data, less error"
    assert after[0] < before
    assert after[-1] < 0.7 * before
    # What nobody can know is the noise itself: no method comes below it.
    noise = float(np.abs(np.exp(np.random.default_rng(5).normal(0, 0.35, 100_000)) - exp(0.35**2 / 2)).mean())
    assert after[-1] < 1.2 * noise / exp(0.35**2 / 2)


def test_levels_beat_one_factor_for_all() -> None:
    samples, unseen = days(1, 6000), days(999, 3000)
    flat = learned([Sample(one.planned_s, one.actual_s, {}) for one in samples])
    assert error(unseen, learned(samples)) < 0.85 * error(unseen, flat)


def test_sums_are_right_and_not_only_middles() -> None:
    """Rounds add times up: what is learned must not be too short because logarithms are."""
    samples, unseen = days(1, 8000), days(999, 5000)
    found = learned(samples)
    expected = sum(one.planned_s * found.factor(one.keys) for one in unseen)
    assert expected == pytest.approx(sum(one.actual_s for one in unseen), rel=0.04)


def test_a_thin_building_has_its_areas_factor() -> None:
    area = {Level.AREA: "hills"}
    plain = {Level.AREA: "plain"}
    differ = (150, 267, 190, 210)  # around 200, as real ones do
    many = [Sample(100, differ[one % 4], {**area, Level.BUILDING: f"b{one // 4 % 40}"}) for one in range(400)]
    rest = [
        Sample(200, differ[one % 4], {**plain, Level.BUILDING: f"p{one // 4 % 40}"}) for one in range(400)
    ]
    odd = [Sample(100, 800, {**area, Level.BUILDING: "seen once"})]
    found = learned(many + rest + odd)
    assert found.factor({**area, Level.BUILDING: "never seen"}) == pytest.approx(2, rel=0.1)
    assert found.factor({**area, Level.BUILDING: "seen once"}) < 3.5
    assert found.factors[Level.BUILDING, "seen once"].samples == 1


def test_nothing_is_learned_of_nothing() -> None:
    assert fit([]) is None
    one = learned([Sample(100, 300, {Level.COURIER: "a"})])
    assert 1 < one.factor({Level.COURIER: "a"}) < 1.6, "one sample says little"
    with pytest.raises(ValueError, match="positive"):
        Sample(0, 10, {})


# --- forecasts


AHEAD = [Ahead(one, 600, 180, 0) for one in range(8)]


def test_windows_widen_along_the_round_and_follow_the_pace() -> None:
    here = Here(now_s=36_000, leaves_s=36_000)
    plain = forecast(here, AHEAD, Pace())
    widths = [one.to_s - one.from_s for one in plain]
    assert widths == sorted(widths)
    assert widths[0] < widths[-1]
    slow = forecast(here, AHEAD, Pace(travel=1.5, service=2))
    assert slow[-1].expected_s - 36_000 == pytest.approx(8 * 900 + 7 * 360, abs=2)
    assert forecast(here, [], Pace()) == []


def test_who_is_there_is_there() -> None:
    coming = forecast(Here(36_000, 35_000, at_stop_since_s=35_900), AHEAD, Pace())
    assert (coming[0].from_s, coming[0].to_s) == (35_900, 35_900)
    assert coming[1].expected_s == 35_900 + 180 + 600


def test_who_is_overdue_is_less_sure() -> None:
    """Nobody has heard of him since: the window widens instead of following the clock in a narrow strip."""
    stops = AHEAD[:2]
    widths = []
    for silent_s in (0, 1800, 5400):
        first = forecast(Here(36_600 + silent_s, 36_000), stops, Pace())[0]
        assert first.from_s == 36_600 + silent_s if silent_s else first.from_s <= 36_600
        widths.append(first.to_s - first.expected_s)
    assert widths == sorted(widths)
    assert widths[2] > 3600


def test_he_waits_until_a_window_opens() -> None:
    stops = [Ahead(1, 60, 100, 40_000), Ahead(2, 60, 100, 0)]
    coming = forecast(Here(36_000, 36_000), stops, Pace())
    assert coming[1].expected_s == 40_000 + 100 + 60


def test_four_of_five_arrivals_lie_in_the_window() -> None:
    """Simulated rounds whose ways and stops vary as much as is assumed keep what the windows say."""
    dice = np.random.default_rng(7)
    pace = Pace(spread_travel=0.3, spread_service=0.5)
    told = forecast(Here(0, 0), AHEAD, pace)
    held = np.zeros(len(AHEAD))
    rounds = 4000
    for _round in range(rounds):
        at = 0.0
        for place in range(len(AHEAD)):
            at += 600 * max(dice.normal(1, 0.3), 0.1)
            held[place] += told[place].from_s <= at <= told[place].to_s
            at += 180 * max(dice.normal(1, 0.5), 0.05)
    shares = held / rounds
    assert (shares > 0.78).all(), shares
    assert (shares < 0.93).all(), shares


@given(
    st.lists(st.tuples(st.integers(1, 5000), st.integers(0, 50_000)), max_size=30),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 2000), st.integers(0, 80_000)), max_size=20),
    st.integers(0, 86_400),
    st.integers(0, 86_400),
    st.none() | st.integers(0, 5000),
)
@settings(max_examples=200, deadline=None)
def test_nobody_comes_in_the_past_or_out_of_order(
    driven: list[tuple[int, int]],
    stops: list[tuple[int, int, int]],
    now_s: int,
    leaves_s: int,
    way_left_s: int | None,
) -> None:
    pace = pace_of(driven, driven)
    assert 0.5 <= pace.travel <= 3
    ahead = [Ahead(place, *stop) for place, stop in enumerate(stops)]
    coming = forecast(Here(now_s, leaves_s, way_left_s), ahead, pace)
    assert [one.stop_id for one in coming] == list(range(len(stops)))
    for one in coming:
        assert now_s <= one.from_s <= one.expected_s <= one.to_s
    moments = [one.expected_s for one in coming]
    assert moments == sorted(moments)


def test_a_factor_is_bounded_by_what_can_be() -> None:
    wild = learned([Sample(10, 7000, {Level.COURIER: "a"}) for _one in range(500)])
    assert log(wild.factor({Level.COURIER: "a"})) <= log(8) + 1e-6
