"""Corners on the map: what is a polygon, what lies in it, how large it is."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from app.dispatch.rings import CORNERS_MAX, Fault, Found, fault_of, inside, joined, size_m2

HOME = (30.6, 104.0)
SQUARE = [[30.60, 104.00], [30.60, 104.02], [30.62, 104.02], [30.62, 104.00]]


def wheel(corners: int, radius: float = 0.05) -> list[list[float]]:
    turns = [2 * math.pi * number / corners for number in range(corners)]
    return [[30.6 + radius * math.sin(turn), 104.0 + radius * math.cos(turn)] for turn in turns]


def test_corners_are_joined_once() -> None:
    assert joined([*SQUARE, SQUARE[-1], SQUARE[0]]) == SQUARE
    assert joined([[30.12345678, 104], [30.12345649, 104]]) == [[30.123457, 104.0], [30.123456, 104.0]]
    assert joined([[1, 1], [1, 1]]) == [[1.0, 1.0]]


@pytest.mark.parametrize(
    ("ring", "found"),
    [
        (SQUARE, None),
        (SQUARE[::-1], None),
        (wheel(CORNERS_MAX), None),
        (SQUARE[:2], Found(Fault.TOO_FEW)),
        (wheel(CORNERS_MAX + 1), Found(Fault.TOO_MANY)),
        ([[104.00, 30.60], *SQUARE], Found(Fault.NO_PLACE, (1,))),
        ([*SQUARE, [float("nan"), 104.0]], Found(Fault.NO_PLACE, (5,))),
        ([*SQUARE, [34.60, 104.00]], Found(Fault.TOO_FAR, (5,))),
        ([SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3]], Found(Fault.CROSSES, (1, 3))),
        # A corner on another side, and sides walked back.
        ([SQUARE[0], SQUARE[1], SQUARE[2], [30.60, 104.01], SQUARE[3]], Found(Fault.CROSSES, (1, 3))),
        ([[30.60, 104.00], [30.60, 104.04], [30.62, 104.02], [30.60, 104.02]], Found(Fault.CROSSES, (4, 1))),
        ([[30.60, 104.00], [30.60, 104.04], [30.62, 104.02], [30.60, 104.04]], Found(Fault.CROSSES, (4, 1))),
        ([[30.60, 104.00], [30.60, 104.02], [30.60, 104.01]], Found(Fault.CROSSES, (3, 1))),
        ([[30.60, 104.00], [30.60, 104.01], [30.60, 104.02]], Found(Fault.CROSSES, (3, 1))),
        ([[30.60, 104.00], [30.60, 104.000001], [30.600001, 104.0]], Found(Fault.TOO_SMALL)),
    ],
)
def test_what_is_a_polygon(ring: list[list[float]], found: Found | None) -> None:
    assert fault_of(ring, HOME) == found


def test_size_is_that_of_the_map() -> None:
    north, east = 0.02 * 111_195, 0.02 * 111_195 * math.cos(math.radians(30.61))
    assert size_m2(SQUARE) == pytest.approx(north * east, rel=1e-6)


def _slowly_inside(ring: list[list[float]], point: tuple[float, float]) -> bool:
    """By the angles under which the sides are seen: another way altogether."""
    angle = 0.0
    for one, other in zip(ring, [*ring[1:], ring[0]], strict=True):
        a = (one[0] - point[0], one[1] - point[1])
        b = (other[0] - point[0], other[1] - point[1])
        angle += math.atan2(a[0] * b[1] - a[1] * b[0], a[0] * b[0] + a[1] * b[1])
    return abs(angle) > math.pi


def test_what_lies_inside_compared_with_the_angles() -> None:
    draw = random.Random(4)
    for _ in range(60):
        turns = sorted(draw.uniform(0, 2 * math.pi) for _ in range(draw.randint(3, 30)))
        if max(b - a for a, b in zip(turns, [*turns[1:], turns[0] + 2 * math.pi], strict=True)) > 3:
            continue  # its middle would lie outside
        ring = [
            [30.6 + math.sin(turn) * (reach := draw.uniform(0.01, 0.05)), 104.0 + math.cos(turn) * reach]
            for turn in turns
        ]
        points = [(30.6 + draw.uniform(-0.06, 0.06), 104.0 + draw.uniform(-0.06, 0.06)) for _ in range(200)]
        found = inside(np.array(ring), np.array(points))
        assert found.tolist() == [_slowly_inside(ring, point) for point in points]
        assert 0 < found.sum() < len(points)


def test_a_point_on_a_shared_side_lies_in_exactly_one() -> None:
    draw = random.Random(7)
    for _ in range(50):
        low = [30.60, 104.0 + draw.uniform(0, 0.01)]
        high = [30.63, 104.0 + draw.uniform(0, 0.01)]
        west = np.array([[30.60, 103.9], low, high, [30.63, 103.9]])
        east = np.array([low, [30.60, 104.1], [30.63, 104.1], high])
        parts = np.linspace(0, 1, 50, endpoint=False)[:, None]
        points = np.array(low) + parts * (np.array(high) - np.array(low))
        assert (inside(west, points) ^ inside(east, points)).all()
