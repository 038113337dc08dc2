"""A network: facilities and lanes, checked, and laid out for searching."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import networkx as nx

from routing.network.errors import InvalidNetworkError, UnknownFacilityError
from routing.network.facility import Facility
from routing.network.search import Searcher
from routing.network.timetable import Lane
from routing.network.topology import Topology, graph

_Key = TypeVar("_Key", bound=Hashable)


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

    @cached_property
    def graph(self) -> "nx.DiGraph[int]":
        """The network as a networkx graph, see `topology.graph`."""
        return graph(Topology("network", self.facilities, self.lanes))

    @cached_property
    def searcher(self) -> Searcher:
        """The network laid out for searching."""
        return Searcher(self.facilities, self.lanes)

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
    def _capacity_g_min(self) -> int | None:
        return min((lane.capacity_g for lane in self.lanes if lane.capacity_g is not None), default=None)

    def closures(self, facility_ids: Iterable[int], lane_ids: Iterable[int]) -> frozenset[int]:
        """Indices of the lanes that are closed, or lead to or from a closed facility."""
        closed: set[int] = set()
        for facility_id in facility_ids:
            place = self.position(facility_id)
            closed.update(self.searcher.lanes_out[place], self.searcher.lanes_in[place])
        closed.update(self._lane_position(lane_id) for lane_id in lane_ids)
        return frozenset(closed)

    def _lane_position(self, lane_id: int) -> int:
        position = self._lane_positions.get(lane_id)
        if position is None:
            raise InvalidNetworkError(f"no lane {lane_id} in this network")
        return position

    def too_small_for(self, weight_g: int) -> frozenset[int]:
        """Indices of the lanes that cannot carry the weight even when empty."""
        if self._capacity_g_min is None or weight_g <= self._capacity_g_min:
            return frozenset()
        return frozenset(
            index
            for index, lane in enumerate(self.lanes)
            if lane.capacity_g is not None and lane.capacity_g < weight_g
        )


def _positions(what: str, keys: Iterable[_Key]) -> dict[_Key, int]:
    """Index of each key; every key may stand only once."""
    positions: dict[_Key, int] = {}
    for index, key in enumerate(keys):
        if positions.setdefault(key, index) != index:
            raise InvalidNetworkError(f"{what} {key!r} stands twice")
    return positions
