"""The hub location instance: who sends how much to whom, and what carrying it costs."""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from routing.network.design.errors import InvalidInstanceError

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


def _checked(name: str, values: ArrayLike, shape: tuple[int, ...], *, infinite: bool = False) -> Floats:
    """A read-only copy of non-negative numbers."""
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInstanceError(f"{name} is not an array of numbers: {error}") from error
    if array.shape != shape:
        raise InvalidInstanceError(f"{name} has shape {array.shape}, not {shape}")
    if np.isnan(array).any() or (not infinite and np.isinf(array).any()) or (array < 0).any():
        raise InvalidInstanceError(f"{name} holds a value that is negative or not a number")
    array.setflags(write=False)
    return array


@dataclass(frozen=True, slots=True, eq=False)
class HubInstance:
    """A p-hub median instance (O'Kelly 1987): n places, of which any may become a hub.

    A unit of flow from i to j over the hubs k and m costs ``collection * distance[i, k] + transfer *
    distance[k, m] + distribution * distance[m, j]``.

    Attributes:
        names: n distinct names.
        flow: (n, n); what is sent from the row's place to the column's. The diagonal counts too: what a place
            sends to itself still travels to its hub and back.
        distance: (n, n), zero on the diagonal; it need be neither symmetric nor a metric.
        collection: cost of a unit of flow and distance from a place to its hub.
        transfer: the same between hubs; the discount alpha of the literature where the other two are 1.
        distribution: the same from a hub to a place.
        fixed_cost: (n,); of opening a hub, in the unit of the objective. Zero unless given.
        capacity: (n,); the most a hub can collect from the places it serves, itself included (Ernst &
            Krishnamoorthy 1999). Infinite unless given.
        metric: distances are known to obey the triangle inequality. For large instances this saves a check.
    """

    names: tuple[str, ...]
    flow: Floats
    distance: Floats
    collection: float = 1.0
    transfer: float = 1.0
    distribution: float = 1.0
    fixed_cost: Floats = field(default_factory=lambda: np.zeros(0))
    capacity: Floats = field(default_factory=lambda: np.zeros(0))
    metric: bool = False

    def __post_init__(self) -> None:
        n = len(self.names)
        if n < 1 or len(set(self.names)) != n:
            raise InvalidInstanceError("the places of an instance need distinct names, at least one")
        put = object.__setattr__
        put(self, "flow", _checked("flow", self.flow, (n, n)))
        put(self, "distance", _checked("distance", self.distance, (n, n)))
        for name, missing, infinite in (("fixed_cost", 0.0, False), ("capacity", np.inf, True)):
            given = np.asarray(getattr(self, name))
            values = given if given.size else np.full(n, missing)
            put(self, name, _checked(name, values, (n,), infinite=infinite))
        if self.distance.diagonal().any():
            raise InvalidInstanceError("the distance from a place to itself is not zero")
        for name in ("collection", "transfer", "distribution"):
            factor = getattr(self, name)
            if not 0 <= factor < np.inf:
                raise InvalidInstanceError(f"{name} factor {factor} is negative or not a number")

    @property
    def size(self) -> int:
        """The number of places, n."""
        return len(self.names)

    @property
    def capacitated(self) -> bool:
        """Some hub could be overloaded."""
        return bool((self.capacity < self.flow.sum()).any())

    def access_cost(self) -> Floats:
        """(n, n): what all of a row's place costs between it and the column's place as its only hub."""
        sent, received = self.flow.sum(axis=1)[:, None], self.flow.sum(axis=0)[:, None]
        cost: Floats = self.collection * sent * self.distance + self.distribution * received * self.distance.T
        return cost
