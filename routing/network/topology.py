"""Point-to-point, one hub, several hubs: counts, builders, and the network as a networkx graph."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, permutations

import networkx as nx

from routing.network.errors import InvalidNetworkError, TopologyTooLargeError, UnknownFacilityError
from routing.network.facility import Facility, distance_m
from routing.network.terms import DIRECT_TERMS, TRUNK_TERMS, LaneTerms, synthesise
from routing.network.timetable import Lane

LANES_BUILT_MAX = 250_000
"""Beyond this a complete graph costs gigabytes; `direct_itinerary` synthesises its lanes one by one."""


@dataclass(frozen=True)
class Topology:
    """A way to connect facilities.

    Attributes:
        name: e.g. "point-to-point" or "2 hubs".
        hub_ids: the facilities through which others are connected; empty for point-to-point.
    """

    name: str
    facilities: tuple[Facility, ...]
    lanes: tuple[Lane, ...]
    hub_ids: frozenset[int] = field(default_factory=frozenset)


def point_to_point_lines(facilities: int) -> int:
    """Directed lines that connect every facility with every other: n(n-1)."""
    _check_counts(facilities, 0)
    return facilities * (facilities - 1)


def hub_lines(facilities: int, hubs: int) -> int:
    """Directed lines of `hubs` fully meshed hubs with every other facility on one hub: k(k-1) + 2(n-k).

    With one hub this is 2(n-1). The hubs are among the facilities.
    """
    _check_counts(facilities, hubs)
    if hubs < 1:
        raise InvalidNetworkError("a hub network has at least one hub")
    return hubs * (hubs - 1) + 2 * (facilities - hubs)


def _check_counts(facilities: int, hubs: int) -> None:
    if facilities < 0 or not 0 <= hubs <= facilities:
        raise InvalidNetworkError(f"{hubs} hubs among {facilities} facilities cannot be")


def point_to_point(facilities: Sequence[Facility], menu: Sequence[LaneTerms] = DIRECT_TERMS) -> Topology:
    """Every facility connected with every other.

    Raises:
        TopologyTooLargeError: there would be more than `LANES_BUILT_MAX` lanes.
    """
    lines = point_to_point_lines(len(facilities))
    if lines > LANES_BUILT_MAX:
        raise TopologyTooLargeError(
            f"{len(facilities)} facilities point-to-point need {lines} lanes; more than {LANES_BUILT_MAX}"
        )
    lane_ids = count(1)
    lanes = tuple(synthesise(next(lane_ids), a, b, menu) for a, b in permutations(facilities, 2))
    return Topology("point-to-point", tuple(facilities), lanes)


def one_hub(facilities: Sequence[Facility], hub_id: int, menu: Sequence[LaneTerms] = TRUNK_TERMS) -> Topology:
    """Every facility connected with one hub, and through it with all others."""
    return several_hubs(facilities, [hub_id], menu=menu)


def several_hubs(
    facilities: Sequence[Facility],
    hub_ids: Sequence[int],
    allocation: Mapping[int, int] | None = None,
    menu: Sequence[LaneTerms] = TRUNK_TERMS,
) -> Topology:
    """Fully meshed hubs, every other facility connected with exactly one of them (single allocation).

    Args:
        facilities: all of them, the hubs included.
        hub_ids: facilities that are hubs.
        allocation: hub id of each facility that is no hub; the nearest hub where not given.
        menu: terms on which the lanes are run, by distance.

    Raises:
        UnknownFacilityError: a hub is not among the facilities.
        InvalidNetworkError: there is no hub, a hub stands twice, or an allocation names none of the hubs.
    """
    by_id = {facility.facility_id: facility for facility in facilities}
    for hub_id in hub_ids:
        if hub_id not in by_id:
            raise UnknownFacilityError(hub_id)
    if not hub_ids or len(set(hub_ids)) != len(hub_ids):
        raise InvalidNetworkError(f"hubs {list(hub_ids)} are none or not distinct")
    hubs = [by_id[hub_id] for hub_id in hub_ids]
    pairs = list(permutations(hubs, 2))
    for spoke in facilities:
        if spoke.facility_id not in hub_ids:
            hub = _hub_of(spoke, hubs, allocation or {})
            pairs += [(spoke, hub), (hub, spoke)]
    lanes = tuple(synthesise(lane_id, a, b, menu) for lane_id, (a, b) in enumerate(pairs, start=1))
    name = "1 hub" if len(hubs) == 1 else f"{len(hubs)} hubs"
    return Topology(name, tuple(facilities), lanes, frozenset(hub_ids))


def _hub_of(spoke: Facility, hubs: Sequence[Facility], allocation: Mapping[int, int]) -> Facility:
    hub_id = allocation.get(spoke.facility_id)
    if hub_id is None:
        return min(hubs, key=lambda hub: (distance_m(spoke, hub), hub.facility_id))
    for hub in hubs:
        if hub.facility_id == hub_id:
            return hub
    raise InvalidNetworkError(f"facility {spoke.code} is allocated to {hub_id}, which is no hub")


def graph(topology: Topology) -> "nx.DiGraph[int]":
    """The topology as a directed graph with facility ids as nodes.

    Node attributes: code, name, kind, sort_s. Edge attributes: `lane_ids` (several lanes may join the same
    two facilities), and over them the least `distance_m` and `time_s`: handling where the edge starts plus
    the shortest duration, a lower bound of any trip over it. An edge without departures has no `time_s`
    worth the name and is left out.
    """
    result: nx.DiGraph[int] = nx.DiGraph(name=topology.name)
    sort_s: dict[int, int] = {}
    for facility in topology.facilities:
        sort_s[facility.facility_id] = facility.sort_s
        result.add_node(
            facility.facility_id,
            code=facility.code,
            name=facility.name,
            kind=facility.kind,
            sort_s=facility.sort_s,
        )
    for lane in topology.lanes:
        if not lane.departures:
            continue
        origin, destination = lane.from_facility_id, lane.to_facility_id
        time_s = sort_s[origin] + min(departure.duration_s for departure in lane.departures)
        known = result.get_edge_data(origin, destination)
        result.add_edge(
            origin,
            destination,
            lane_ids=(*known["lane_ids"], lane.lane_id) if known else (lane.lane_id,),
            distance_m=min(lane.distance_m, known["distance_m"]) if known else lane.distance_m,
            time_s=min(time_s, known["time_s"]) if known else time_s,
        )
    return result


@dataclass(frozen=True, slots=True)
class Soundness:
    """What the graph of a topology says about its resilience.

    Attributes:
        unreachable_ids: facilities outside the largest strongly connected part.
        cut_ids: facilities other facilities lose all connection without (articulation points).
    """

    facilities: int
    lanes: int
    strongly_connected: bool
    unreachable_ids: tuple[int, ...]
    cut_ids: tuple[int, ...]


def soundness(topology: Topology) -> Soundness:
    """Check that every facility reaches every other, and find the single points of failure."""
    network = graph(topology)
    parts = sorted(nx.strongly_connected_components(network), key=lambda part: (-len(part), min(part)))
    outside = set(network).difference(parts[0]) if parts else set()
    return Soundness(
        facilities=len(topology.facilities),
        lanes=len(topology.lanes),
        strongly_connected=len(parts) == 1,
        unreachable_ids=tuple(sorted(outside)),
        cut_ids=tuple(sorted(nx.articulation_points(network.to_undirected(as_view=True)))),
    )


def least_time_s(network: "nx.DiGraph[int]", origin_id: int, destination_id: int) -> int | None:
    """Shortest time between two facilities if nothing had to wait for a departure, in seconds.

    A lower bound of every itinerary's transit time; None when there is no connection at all.

    Args:
        network: a graph made by `graph`.

    Raises:
        UnknownFacilityError: one of the ids is not in the graph.
    """
    for facility_id in (origin_id, destination_id):
        if facility_id not in network:
            raise UnknownFacilityError(facility_id)
    try:
        return int(nx.dijkstra_path_length(network, origin_id, destination_id, weight="time_s"))
    except nx.NetworkXNoPath:
        return None
