"""Places and what is sent between them, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from routing.network.design.gravity import gravity
from routing.network.errors import InvalidNetworkError
from routing.network.facility import EARTH_RADIUS_M

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

PARCEL_G = 1_500
"""Weight of a parcel where nobody tells it."""


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Places that send and receive, n of them; a place is meant by its position, from 0 to n - 1.

    Attributes:
        ids: n distinct ids.
        names: n names.
        latitude, longitude: (n,), WGS84 degrees.
        weight: (n,), not negative; how much a place draws in the gravity model, for example its population.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    latitude: Floats
    longitude: Floats
    weight: Floats

    def __post_init__(self) -> None:
        n = len(self.ids)
        if n < 2 or len(set(self.ids)) != n:
            raise InvalidNetworkError("a comparison needs two places at least, with distinct ids")
        if len(self.names) != n:
            raise InvalidNetworkError(f"{n} places have {len(self.names)} names")
        put = object.__setattr__
        for name, most in (("latitude", 90.0), ("longitude", 180.0), ("weight", np.inf)):
            values = np.array(getattr(self, name), dtype=np.float64)
            least = 0.0 if name == "weight" else -most
            # Written so that NaN, which compares false with everything, is refused too.
            if values.shape != (n,) or not ((values >= least) & (values <= most)).all():
                raise InvalidNetworkError(f"{name} is not one number a place, {least:g} to {most:g}")
            values.setflags(write=False)
            put(self, name, values)

    @property
    def size(self) -> int:
        """The number of places, n."""
        return len(self.ids)

    def distance_m(self, start: Ints, end: Ints) -> Floats:
        """Great-circle distances between places, broadcast over their positions (haversine formula)."""
        latitude, longitude = np.radians(self.latitude), np.radians(self.longitude)
        chord = np.sin((latitude[end] - latitude[start]) / 2) ** 2
        chord = chord + np.cos(latitude[start]) * np.cos(latitude[end]) * (
            np.sin((longitude[end] - longitude[start]) / 2) ** 2
        )
        distance: Floats = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(1.0, chord)))
        return distance


@dataclass(frozen=True, slots=True, eq=False)
class Flows:
    """What is sent on a day: m flows between two different places.

    Attributes:
        origin, destination: (m,), positions of places.
        parcels: (m,), positive.
        grams: (m,), weight of all parcels of the flow, not negative.
        local_parcels: parcels within one place; they travel on no line.
    """

    origin: Ints
    destination: Ints
    parcels: Ints
    grams: Ints
    local_parcels: int = 0

    @classmethod
    def of(
        cls,
        places: Places,
        origin: Sequence[int] | Ints,
        destination: Sequence[int] | Ints,
        parcels: Sequence[int] | Ints,
        grams: Sequence[int] | Ints | None = None,
    ) -> "Flows":
        """Sum up rows of demand: one flow for each two places, `PARCEL_G` a parcel where grams are not given.

        Raises:
            InvalidNetworkError: a row names no place, has less than one parcel or a negative weight, or
                nothing is sent from one place to another.
        """
        start, end, count = (np.asarray(values, dtype=np.int64) for values in (origin, destination, parcels))
        weight = count * PARCEL_G if grams is None else np.asarray(grams, dtype=np.int64)
        if not (start.shape == end.shape == count.shape == weight.shape):
            raise InvalidNetworkError("the columns of a demand have different lengths")
        for positions in (start, end):
            if ((positions < 0) | (positions >= places.size)).any():
                raise InvalidNetworkError("a row of the demand names a place that is not there")
        if (count < 1).any() or (weight < 0).any():
            raise InvalidNetworkError("a row of the demand has less than one parcel or a negative weight")
        travels = start != end
        pairs, row = np.unique(start[travels] * places.size + end[travels], return_inverse=True)
        if not pairs.size:
            raise InvalidNetworkError("nothing is sent from one place to another")
        summed = np.zeros((2, pairs.size), dtype=np.int64)
        np.add.at(summed[0], row, count[travels])
        np.add.at(summed[1], row, weight[travels])
        local = int(count[~travels].sum())
        return cls(pairs // places.size, pairs % places.size, summed[0], summed[1], local)

    @property
    def total_parcels(self) -> int:
        """All parcels that travel from one place to another."""
        return int(self.parcels.sum())


def gravity_flows(places: Places, parcels: int, *, exponent: float = 1.0, parcel_g: int = PARCEL_G) -> Flows:
    """So many whole parcels, spread over the places by the gravity model (see `design.gravity`).

    Each flow gets its share rounded down or up, by systematic sampling along the pairs of places (Madow &
    Madow 1944): the same places and number give the same demand.

    Raises:
        InvalidNetworkError: no parcels are asked for, or less than two places have a weight.
    """
    if parcels < 1:
        raise InvalidNetworkError(f"{parcels} parcels are no demand")
    if np.count_nonzero(places.weight) < 2:
        raise InvalidNetworkError("the gravity model needs two places with a weight")
    coordinates = list(zip(places.latitude.tolist(), places.longitude.tolist(), strict=True))
    shares = np.cumsum(gravity(coordinates, places.weight, exponent=exponent).ravel())
    points = (np.arange(parcels) + 0.5) / parcels * shares[-1]
    pairs, counts = np.unique(np.searchsorted(shares, points, side="right"), return_counts=True)
    return Flows.of(places, pairs // places.size, pairs % places.size, counts, counts * parcel_g)


def average_day(places: Places, flows: Flows, days: int) -> Flows:
    """A day's share of what was sent in so many days, in whole parcels of each flow's mean weight.

    Systematic sampling over the parcels: each flow gets its share rounded down or up.

    Raises:
        InvalidNetworkError: there is less than one day.
    """
    if days < 1:
        raise InvalidNetworkError(f"{days} days are none to share parcels out over")
    reached = np.cumsum(flows.parcels)
    parcels = max(1, round(int(reached[-1]) / days))
    points = (np.arange(parcels) + 0.5) / parcels * reached[-1]
    chosen, counts = np.unique(np.searchsorted(reached, points, side="right"), return_counts=True)
    grams = counts * flows.grams[chosen] // flows.parcels[chosen]
    return Flows.of(places, flows.origin[chosen], flows.destination[chosen], counts, grams)
