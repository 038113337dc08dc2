"""A network: facilities and lanes, checked, and laid out for searching."""

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TypeVar

import networkx as nx

from routing.network.errors import InvalidNetworkError, UnknownFacilityError
from routing.network.facility import Facility
from routing.network.layout import Layout
from routing.network.timetable import Lane
from routing.network.topology import Topology, graph

_Key = TypeVar("_Key", bound=Hashable)

_CLOSURES_KEPT_MAX = 64

Run = tuple[int, datetime]
"""A dated departure: lane id and the moment it leaves, aware."""


@dataclass(frozen=True)
class Network:
    """Facilities and lanes, checked, and laid out for searching on first use. Build once, ask often.

    Raises:
        InvalidNetworkError: an id or code stands twice, or a lane ends at a facility that is not there.
    """

    facilities: tuple[Facility, ...]
    lanes: tuple[Lane, ...]

    def __post_init__(self) -> None:
        known = set(_positions("facility id", (facility.facility_id for facility in self.facilities)))
        _positions("facility code", (facility.code for facility in self.facilities))
        _positions("lane id", (lane.lane_id for lane in self.lanes))
        for lane in self.lanes:
            for facility_id in (lane.from_facility_id, lane.to_facility_id):
                if facility_id not in known:
                    raise InvalidNetworkError(f"lane {lane.lane_id} refers to no facility {facility_id}")

    def facility(self, facility_id: int) -> Facility:
        """The facility of an id; `UnknownFacilityError` when there is none."""
        return self.facilities[self.position(facility_id)]

    def by_code(self, code: str) -> Facility:
        """The facility of a code; `UnknownFacilityError` when there is none."""
        position = self._code_positions.get(code)
        if position is None:
            raise UnknownFacilityError(code)
        return self.facilities[position]

    def position(self, facility_id: int) -> int:
        """Index in `facilities` of an id; `UnknownFacilityError` when there is none."""
        position = self._facility_positions.get(facility_id)
        if position is None:
            raise UnknownFacilityError(facility_id)
        return position

    def lane(self, lane_id: int) -> Lane:
        """The lane of an id; `InvalidNetworkError` when there is none."""
        return self.lanes[self._lane_position(lane_id)]

    def has_lane(self, lane_id: int) -> bool:
        """Whether a lane of this id is in the network."""
        return lane_id in self._lane_positions

    @cached_property
    def graph(self) -> "nx.DiGraph[int]":
        """The network as a networkx graph, see `topology.graph`."""
        return graph(Topology("network", self.facilities, self.lanes))

    @cached_property
    def layout(self) -> Layout:
        """The network laid out for searching."""
        return Layout(self.facilities, self.lanes)

    @cached_property
    def _facility_positions(self) -> dict[int, int]:
        return _positions("facility id", (facility.facility_id for facility in self.facilities))

    @cached_property
    def _code_positions(self) -> dict[str, int]:
        return _positions("facility code", (facility.code for facility in self.facilities))

    @cached_property
    def _lane_positions(self) -> dict[int, int]:
        return _positions("lane id", (lane.lane_id for lane in self.lanes))

    @cached_property
    def _too_small(self) -> tuple[list[int], list[frozenset[int]]]:
        """The capacities there are, rising, and before each as well as after the last the lanes too small."""
        sized = sorted(
            (lane.capacity_g, index) for index, lane in enumerate(self.lanes) if lane.capacity_g is not None
        )
        capacities, below, indices = [], [frozenset[int]()], set()
        for position, (capacity_g, index) in enumerate(sized):
            indices.add(index)
            if position + 1 == len(sized) or sized[position + 1][0] != capacity_g:
                capacities.append(capacity_g)
                below.append(frozenset(indices))
        return capacities, below

    def closures(self, facility_ids: Iterable[int], lane_ids: Iterable[int]) -> frozenset[int]:
        """Indices of the lanes that are closed, or lead to or from a closed facility."""
        closed: set[int] = set()
        for facility_id in facility_ids:
            place = self.position(facility_id)
            closed.update(self.layout.lanes_out[place], self.layout.lanes_in[place])
        closed.update(self._lane_position(lane_id) for lane_id in lane_ids)
        return frozenset(closed)

    def unusable(
        self, weight_g: int, facility_ids: frozenset[int], lane_ids: frozenset[int]
    ) -> frozenset[int]:
        """Indices of the lanes that a parcel cannot take: those closed, and those too small for it."""
        too_small = self.too_small_for(weight_g)
        if not facility_ids and not lane_ids:
            return too_small
        # The same closure is asked with again and again, and the same set need not be hashed anew.
        key = facility_ids, lane_ids, len(too_small)
        found = self._unusable.get(key)
        if found is None:
            if len(self._unusable) >= _CLOSURES_KEPT_MAX:
                self._unusable.clear()
            found = self._unusable[key] = self.closures(facility_ids, lane_ids) | too_small
        return found

    @cached_property
    def _unusable(self) -> dict[tuple[frozenset[int], frozenset[int], int], frozenset[int]]:
        return {}

    def full_for(self, weight_g: int, loads_g: Mapping[Run, int]) -> dict[int, set[int]]:
        """Departures that have no room for a weight: by index of the lane, seconds since 1970-01-01 UTC.

        Raises:
            InvalidNetworkError: a lane is unknown, a moment has no offset, or a load is negative.
        """
        full: dict[int, set[int]] = {}
        for (lane_id, departure_at), load_g in loads_g.items():
            index = self._lane_position(lane_id)
            if departure_at.utcoffset() is None or load_g < 0:
                raise InvalidNetworkError(f"lane {lane_id}: {load_g} g at {departure_at} is no load")
            capacity_g = self.lanes[index].capacity_g
            if capacity_g is not None and load_g + weight_g > capacity_g:
                full.setdefault(index, set()).add(int(departure_at.timestamp()))
        return full

    def costs_of(self, weight_g: int) -> Mapping[int, int]:
        """What a weight costs on each lane, by index; worked out for those that are asked for."""
        return _Costs(self.lanes, weight_g)

    def _lane_position(self, lane_id: int) -> int:
        position = self._lane_positions.get(lane_id)
        if position is None:
            raise InvalidNetworkError(f"no lane {lane_id} in this network")
        return position

    def too_small_for(self, weight_g: int) -> frozenset[int]:
        """Indices of the lanes that cannot carry the weight even when empty."""
        capacities, below = self._too_small
        return below[bisect_left(capacities, weight_g)]


class _Costs(dict[int, int]):
    """Costs of one weight, by index of the lane."""

    def __init__(self, lanes: Sequence[Lane], weight_g: int) -> None:
        super().__init__()
        self._lanes = lanes
        self._weight_g = weight_g

    def __missing__(self, index: int) -> int:
        cost_minor = self[index] = self._lanes[index].cost_minor(self._weight_g)
        return cost_minor


def _positions(what: str, keys: Iterable[_Key]) -> dict[_Key, int]:
    """Index of each key; every key may stand only once."""
    positions: dict[_Key, int] = {}
    for index, key in enumerate(keys):
        if positions.setdefault(key, index) != index:
            raise InvalidNetworkError(f"{what} {key!r} stands twice")
    return positions
