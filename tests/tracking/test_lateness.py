"""Scenarios are distributions: carried exactly where that can be known, conditioned, and read off."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.lateness import SCENARIOS, at_least, quantile_s, scenarios, shuffled

knot_lists = st.lists(st.floats(-1e5, 1e5), min_size=1, max_size=60).map(sorted)


@given(knot_lists, st.integers(0, 200))
def test_a_step_has_the_same_cases_in_another_order(knots, step):
    cases = scenarios(knots)
    assert cases.size == SCENARIOS
    assert (np.diff(cases) >= 0).all()
    assert sorted(shuffled(cases, step)) == cases.tolist()
    assert (shuffled(cases, 0) == cases).all()


@given(knot_lists, st.floats(0, 1), st.floats(0, 1))
def test_quantiles_rise_and_stay_within_the_distribution(knots, one, other):
    cases = scenarios(knots)
    low, high = (quantile_s(cases, share) for share in sorted((one, other)))
    assert knots[0] - 0.01 <= low <= high <= knots[-1] + 0.01


def test_the_quantiles_given_are_the_quantiles_read():
    knots = np.linspace(0, 1000, 40)
    cases = scenarios(knots)
    for share in (0.1, 0.5, 0.8, 0.95):
        assert quantile_s(cases, share) == pytest.approx(
            np.interp(share, (np.arange(40) + 0.5) / 40, knots), abs=1
        )


@given(knot_lists, st.floats(-2e5, 2e5))
def test_what_has_not_happened_yet_happens_later(knots, least):
    cases = scenarios(knots)
    known = at_least(cases, least)
    assert known.size == SCENARIOS
    assert (np.diff(known) >= 0).all()
    assert known[0] >= least - 0.01 or known is cases
    assert known[-1] >= cases[-1] - 0.01


def test_conditioning_cuts_and_stretches():
    cases = scenarios(np.arange(1000.0))
    known = at_least(cases, 600.0)
    for share in (0.25, 0.5, 0.75):
        assert quantile_s(known, share) == pytest.approx(600 + 400 * share, abs=4)


def test_beyond_all_cases_the_rest_is_exponential_and_grows():
    cases = scenarios(np.arange(3600.0))
    soon, late = at_least(cases, 10_000.0), at_least(cases, 100_000.0)
    assert quantile_s(soon, 0.5) - 10_000 == pytest.approx(0.25 * (10_000 - 1800) * np.log(2), rel=0.02)
    assert quantile_s(late, 0.5) - 100_000 > quantile_s(soon, 0.5) - 10_000


@pytest.mark.parametrize("steps", [2, 3, 5, 9, 13])
def test_sums_of_independent_steps_are_about_as_exact_as_5_000_draws(steps):
    rng = np.random.default_rng(steps)
    grid, total = np.ones(1), np.zeros(SCENARIOS)
    for step in range(steps):
        scale = rng.uniform(100, 1000)
        values = np.sort(np.round(scale * rng.lognormal(0, 0.8, 4000)).astype(int)).clip(0, 20_000)
        total = total + shuffled(scenarios(np.quantile(values, (np.arange(2000) + 0.5) / 2000)), step)
        # In steps of ten seconds, exactly.
        grid = np.convolve(grid, np.bincount(np.rint(values / 10).astype(int)) / values.size)
    total.sort()
    exact = np.cumsum(grid)
    for share in (0.5, 0.8, 0.95):
        reached = exact[int(quantile_s(total, share) // 10)]
        assert reached == pytest.approx(share, abs=0.03)
