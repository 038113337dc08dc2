"""How long and how far it is from place to place.

A travel model answers for any two lists of places, pair by pair (`legs`) or all with all (`matrix`), and
gives the same integers both ways. Whole matrices are for planning; single legs keep a change of a running
plan in milliseconds.

Seconds and metres are whole numbers. A pair without a way has `UNREACHABLE` in both.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from math import cos, isfinite, radians, sin
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from routing.pickup.errors import ProblemError

Point: TypeAlias = tuple[float, float]
"""Latitude and longitude in degrees (WGS 84)."""

IntArray: TypeAlias = npt.NDArray[np.int32]

UNREACHABLE = 100_000_000
"""Stands for "no way": longer than any shift, and two of them still fit into 32 bits."""

_EARTH_RADIUS_M = 6_371_008.8  # mean radius of the GRS 80 ellipsoid
_BLOCK_PAIRS = 60_000  # worked on at a time: keeps the temporary arrays in the cache


class Travel(Protocol):
    """A source of travel times and distances."""

    def covers(self, point: Point) -> bool:
        """Tell whether the model knows the place."""

    def legs(self, origins: list[Point], destinations: list[Point]) -> tuple[IntArray, IntArray]:
        """Seconds and metres from each origin to the destination at the same position."""

    def matrix(self, points: list[Point]) -> tuple[IntArray, IntArray]:
        """Seconds and metres from every place (row) to every place (column), in new arrays."""


@dataclass(frozen=True, slots=True)
class StraightLine:
    """Great-circle distance times a detour factor, at one speed.

    The distance is the chord through the earth, stretched to the arc by its power series (error below 0.4
    m at 3,000 km). Only additions, products and square roots touch the pairs: IEEE 754 rounds these
    exactly, so a pair has the same integers alone and in a matrix of any shape, on any processor.

    Attributes:
        detour_factor: metres on the road per metre in the air; 1.3 to 1.4 is usual in cities.
        speed_m_per_h: average speed while driving, in metres an hour.
    """

    detour_factor: float = 1.35
    speed_m_per_h: int = 25_000

    def __post_init__(self) -> None:
        if not (isfinite(self.detour_factor) and 1 <= self.detour_factor <= 10):
            raise ProblemError(f"travel: detour_factor must be between 1 and 10, not {self.detour_factor}")
        if not 100 <= self.speed_m_per_h <= 1_000_000:
            raise ProblemError(f"travel: speed_m_per_h must be 100 to 1,000,000, not {self.speed_m_per_h}")

    def covers(self, point: Point) -> bool:
        """Every place on earth is known."""
        return -90 <= point[0] <= 90 and -180 <= point[1] <= 180

    def legs(self, origins: list[Point], destinations: list[Point]) -> tuple[IntArray, IntArray]:
        """See `Travel.legs`."""
        return self._measured(_on_sphere(origins), _on_sphere(destinations))

    def matrix(self, points: list[Point]) -> tuple[IntArray, IntArray]:
        """See `Travel.matrix`."""
        places = _on_sphere(points)
        seconds = np.empty((len(points), len(points)), dtype=np.int32)
        metres = np.empty_like(seconds)
        block_rows = max(1, _BLOCK_PAIRS // max(1, len(points)))
        for first in range(0, len(points), block_rows):
            rows = slice(first, first + block_rows)
            seconds[rows], metres[rows] = self._measured(places[rows, None, :], places[None, :, :])
        return seconds, metres

    def _measured(
        self, origins: npt.NDArray[np.float64], destinations: npt.NDArray[np.float64]
    ) -> tuple[IntArray, IntArray]:
        x, y, z = (origins[..., axis] - destinations[..., axis] for axis in range(3))
        half_chord = np.sqrt(x * x + y * y + z * z) * 0.5
        square = half_chord * half_chord
        # arcsin x = x (1 + x^2/6 + 3x^4/40 + 5x^6/112 + ...)
        arc = 2.0 * half_chord * (1.0 + square * (1 / 6 + square * (3 / 40 + square * (5 / 112))))
        metres = np.rint(arc * (_EARTH_RADIUS_M * self.detour_factor))
        seconds = np.rint(metres * 3600.0 / self.speed_m_per_h)
        return seconds.astype(np.int32), metres.astype(np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Given seconds and metres between given places, for example from a road engine.

    Attributes:
        places: the places, in the order of the rows and columns. Stops and vehicles are found by their
            exact place.
        seconds: square table, seconds[i][j] is the way from place i to place j; it need not be symmetric.
        metres: the same for distances.

    A negative entry in either table means that there is no way. The tables are copied and made read-only.
    """

    places: tuple[Point, ...]
    seconds: IntArray
    metres: IntArray
    _rows: dict[Point, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        size = len(self.places)
        rows = {place: row for row, place in enumerate(self.places)}
        if len(rows) != size:
            raise ProblemError("travel: a place stands twice in the table")
        given = {"seconds": np.asarray(self.seconds), "metres": np.asarray(self.metres)}
        for name, values in given.items():
            if values.shape != (size, size):
                raise ProblemError(f"travel: {name} must be {size} x {size}, not {values.shape}")
            if values.dtype.kind not in "iu" and size:
                raise ProblemError(f"travel: {name} must be whole numbers, not {values.dtype}")
            if size and int(values.max()) > UNREACHABLE:
                raise ProblemError(f"travel: {name} must be at most {UNREACHABLE}, not {int(values.max())}")
        no_way = (given["seconds"] < 0) | (given["metres"] < 0)
        for name, values in given.items():
            clean = np.where(no_way, UNREACHABLE, values).astype(np.int32)
            clean.setflags(write=False)
            object.__setattr__(self, name, clean)
        object.__setattr__(self, "_rows", rows)

    @property
    def no_way(self) -> npt.NDArray[np.bool_]:
        """The pairs without a way."""
        return self.seconds >= UNREACHABLE

    def covers(self, point: Point) -> bool:
        """Tell whether the place is one of the table's."""
        return point in self._rows

    def legs(self, origins: list[Point], destinations: list[Point]) -> tuple[IntArray, IntArray]:
        """See `Travel.legs`."""
        pairs = (self._index(origins), self._index(destinations))
        return self.seconds[pairs], self.metres[pairs]

    def matrix(self, points: list[Point]) -> tuple[IntArray, IntArray]:
        """See `Travel.matrix`."""
        index = self._index(points)
        pairs = np.ix_(index, index)
        return self.seconds[pairs], self.metres[pairs]

    def _index(self, points: list[Point]) -> npt.NDArray[np.intp]:
        return np.array([self._rows[point] for point in points], dtype=np.intp)


def at_speed(seconds: IntArray, speed_factor: float | npt.NDArray[np.float64]) -> IntArray:
    """Travel times of vehicles `speed_factor` times as fast as the travel model says (one, or each)."""
    if np.all(np.equal(speed_factor, 1)):
        return seconds
    changed = np.minimum(np.rint(seconds / speed_factor), UNREACHABLE)
    return np.where(seconds >= UNREACHABLE, UNREACHABLE, changed).astype(np.int32)


def _on_sphere(points: list[Point]) -> npt.NDArray[np.float64]:
    """Places on the unit sphere, shape (number of places, 3)."""
    return np.array([_unit_vector(point) for point in points], dtype=np.float64).reshape(len(points), 3)


@lru_cache(maxsize=65_536)  # single legs are asked for again and again while a plan runs
def _unit_vector(point: Point) -> tuple[float, float, float]:
    latitude, longitude = radians(point[0]), radians(point[1])
    return cos(latitude) * cos(longitude), cos(latitude) * sin(longitude), sin(latitude)
