"""Demand where none is known yet, and the distances it travels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from routing.network.design.errors import InvalidInstanceError
from routing.network.design.instance import Floats

_EARTH_RADIUS_KM = 6371.0088


def distances_km(places: Sequence[tuple[float, float]]) -> Floats:
    """Great-circle distances (haversine) between places given as latitude and longitude in degrees, (n, n).

    They are not rounded, so that the triangle inequality holds.

    Raises:
        InvalidInstanceError: a coordinate is not one.
    """
    degrees = np.array(places, dtype=np.float64).reshape(-1, 2)
    latitude, longitude = degrees.T
    # Written so that NaN, which compares false with everything, is refused too.
    if not ((abs(latitude) <= 90) & (abs(longitude) <= 180)).all():
        raise InvalidInstanceError("a place has no latitude and longitude")
    latitude, longitude = np.radians(latitude), np.radians(longitude)
    chord = np.sin((latitude[:, None] - latitude) / 2) ** 2
    chord += np.cos(latitude)[:, None] * np.cos(latitude) * np.sin((longitude[:, None] - longitude) / 2) ** 2
    distance: Floats = 2 * _EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(1.0, chord)))
    np.fill_diagonal(distance, 0.0)
    return distance


def gravity(
    places: Sequence[tuple[float, float]],
    weights: ArrayLike,
    *,
    parcels: float = 1.0,
    exponent: float = 1.0,
    nearness_km: float = 50.0,
) -> Floats:
    """Demand by the gravity model: parcels between two places grow with both weights and fall with distance.

    Flow is proportional to ``weight_i * weight_j / (nearness_km + distance_ij) ** exponent`` between
    different places (Carey 1858; in the form of Wilson 1967 without balancing).

    Args:
        places: n pairs of latitude and longitude in degrees.
        weights: n non-negative numbers like population or turnover.
        parcels: what all flows sum to.
        exponent: how fast demand falls with distance; 0 leaves distance out.
        nearness_km: added to each distance, so that neighbours do not draw everything.

    Returns:
        (n, n), zero on the diagonal.

    Raises:
        InvalidInstanceError: weights are negative, not one a place, or leave nothing to send.
    """
    weight = np.array(weights, dtype=np.float64)
    if weight.shape != (len(places),) or not (weight >= 0).all():
        raise InvalidInstanceError("gravity needs one weight a place, none negative")
    if not (nearness_km > 0 and exponent >= 0 and parcels >= 0):
        raise InvalidInstanceError("gravity needs a positive nearness, and exponent and parcels not below 0")
    flow: Floats = np.outer(weight, weight) / (nearness_km + distances_km(places)) ** exponent
    np.fill_diagonal(flow, 0.0)
    total = flow.sum()
    if not 0 < total < np.inf:
        raise InvalidInstanceError("gravity needs two places with a weight")
    flow *= parcels / total
    return flow
