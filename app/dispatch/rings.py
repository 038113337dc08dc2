"""Rings of corners on the map: whether they are polygons, how large they are, and what lies in them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

CORNERS_MIN, CORNERS_MAX = 3, 200
REACH_M = 300_000
"""A corner further from the outlet is a slip, such as latitude and longitude exchanged."""
SIZE_MIN_M2 = 100
_METRES_A_DEGREE = 111_195

Corners: TypeAlias = Sequence[Sequence[float]]
Floats: TypeAlias = npt.NDArray[np.float64]


class Fault(StrEnum):
    """What keeps a ring from being an area."""

    TOO_FEW = "too_few"
    TOO_MANY = "too_many"
    NO_PLACE = "no_place"
    """The corner is no place on earth."""
    TOO_FAR = "too_far"
    """The corner lies further than `REACH_M` from the outlet."""
    CROSSES = "crosses"
    """The side that begins at one corner crosses or touches the one that begins at the other."""
    TOO_SMALL = "too_small"
    """All corners lie on a line, or nearly."""


@dataclass(frozen=True, slots=True)
class Found:
    """A fault, and the corners that show it, counted from 1."""

    fault: Fault
    corners: tuple[int, ...] = ()


def joined(corners: Corners) -> list[list[float]]:
    """Corners as they are stored: to a decimetre, none twice in a row, the first not again at the end."""
    found: list[list[float]] = []
    for latitude, longitude in corners:
        corner = [round(float(latitude), 6), round(float(longitude), 6)]
        if not found or corner != found[-1]:
            found.append(corner)
    while len(found) > 1 and found[0] == found[-1]:
        found.pop()
    return found


def fault_of(ring: Corners, outlet: tuple[float, float]) -> Found | None:
    """The first thing that is wrong with a ring; None: it is a polygon.

    Args:
        ring: as `joined` gives it.
        outlet: latitude and longitude.
    """
    if len(ring) < CORNERS_MIN:
        return Found(Fault.TOO_FEW)
    if len(ring) > CORNERS_MAX:
        return Found(Fault.TOO_MANY)
    for number, (latitude, longitude) in enumerate(ring, 1):
        if not (abs(latitude) <= 90 and abs(longitude) <= 180):
            return Found(Fault.NO_PLACE, (number,))
        north = (latitude - outlet[0]) * _METRES_A_DEGREE
        east = (longitude - outlet[1]) * _METRES_A_DEGREE * math.cos(math.radians(outlet[0]))
        if math.hypot(north, east) > REACH_M:
            return Found(Fault.TOO_FAR, (number,))
    crossing = _crossing(np.array(ring, dtype=np.float64))
    if crossing is not None:
        return Found(Fault.CROSSES, crossing)
    return Found(Fault.TOO_SMALL) if size_m2(ring) < SIZE_MIN_M2 else None


def size_m2(ring: Corners) -> float:
    """How large a polygon is, in square metres, as if the earth were flat there."""
    corners = np.array(ring, dtype=np.float64)
    latitude, longitude = (corners - corners[0]).T
    doubled = np.dot(latitude, np.roll(longitude, -1)) - np.dot(longitude, np.roll(latitude, -1))
    shrink = math.cos(math.radians(float(corners[:, 0].mean())))
    return abs(float(doubled)) / 2 * _METRES_A_DEGREE**2 * shrink


def inside(ring: Floats, points: Floats) -> npt.NDArray[np.bool_]:
    """Which points lie in a polygon; of two that share a side exactly one has a point on it.

    Args:
        ring: corner x (latitude, longitude).
        points: point x (latitude, longitude).
    """
    low, high = ring.min(axis=0), ring.max(axis=0)
    found = np.zeros(len(points), dtype=np.bool_)
    near = np.flatnonzero(((points >= low) & (points <= high)).all(axis=1))
    if not len(near):
        return found
    latitude, longitude = points[near].T
    # Each side from south to north, so that neighbours work out the same side alike.
    other = np.roll(ring, -1, axis=0)
    upward = (ring[:, 0] <= other[:, 0])[:, None]
    south, north = np.where(upward, ring, other), np.where(upward, other, ring)
    side, point = np.nonzero((south[:, :1] <= latitude) & (latitude < north[:, :1]))
    part = (latitude[point] - south[side, 0]) / (north[side, 0] - south[side, 0])
    east = south[side, 1] + part * (north[side, 1] - south[side, 1]) > longitude[point]
    found[near] = np.bincount(point[east], minlength=len(near)) % 2 == 1
    return found


def _crossing(ring: Floats) -> tuple[int, int] | None:
    """The first two sides, by the corners they begin at (from 1), that meet elsewhere than at their ends."""
    count = len(ring)
    after = np.roll(ring, -1, axis=0)
    way, before = after - ring, ring - np.roll(ring, 1, axis=0)
    back = (_cross(before, way) == 0) & ((before * way).sum(axis=1) < 0)
    if back.any():
        corner = int(back.argmax())
        return (corner - 1) % count + 1, corner + 1
    one, other = np.triu_indices(count, k=2)
    apart = ~((one == 0) & (other == count - 1))
    one, other = one[apart], other[apart]
    a, b, c, d = ring[one], after[one], ring[other], after[other]
    meets = (_sides(a, b, c) * _sides(a, b, d) <= 0) & (_sides(c, d, a) * _sides(c, d, b) <= 0)
    # Sides on one line meet where their extents do.
    lowest = np.maximum(np.minimum(a, b), np.minimum(c, d))
    meets &= (lowest <= np.minimum(np.maximum(a, b), np.maximum(c, d))).all(axis=1)
    if not meets.any():
        return None
    pair = int(meets.argmax())
    return int(one[pair]) + 1, int(other[pair]) + 1


def _cross(one: Floats, other: Floats) -> Floats:
    return one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]


def _sides(start: Floats, end: Floats, point: Floats) -> Floats:
    """On which side of a line each point lies: -1, 0 or 1."""
    return np.sign(_cross(end - start, point - start))
