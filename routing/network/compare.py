"""The same parcel, or the same demand, on several topologies, side by side."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from routing.network.errors import InvalidNetworkError
from routing.network.network import Network
from routing.network.paths import DIRECT_LOAD_G, Itinerary, PlannedLeg, direct_itinerary, itinerary
from routing.network.terms import DIRECT_TERMS, LaneTerms, synthesise
from routing.network.timetable import Lane
from routing.network.topology import point_to_point_lines


@dataclass(frozen=True)
class Option:
    """One way to run the network.

    Attributes:
        name: shown beside its figures.
        network: the facilities, and the lanes unless `direct`.
        direct: every two facilities have a line of their own, synthesised from `menu`; the network's
            lanes play no part.
        load_g: what a direct departure carries when a single parcel is priced.
    """

    name: str
    network: Network
    direct: bool = False
    menu: Sequence[LaneTerms] = DIRECT_TERMS
    load_g: int = DIRECT_LOAD_G

    @property
    def lines(self) -> int:
        """Directed pairs of facilities that are connected."""
        if self.direct:
            return point_to_point_lines(len(self.network.facilities))
        return len({(lane.from_facility_id, lane.to_facility_id) for lane in self.network.lanes})

    def plan(self, origin_id: int, destination_id: int, ready_at: datetime, weight_g: int) -> Itinerary:
        """The itinerary of a parcel on this option; errors as for `paths.itinerary`."""
        if not self.direct:
            return itinerary(self.network, origin_id, destination_id, ready_at, weight_g=weight_g)
        return direct_itinerary(
            self.network,
            origin_id,
            destination_id,
            ready_at,
            weight_g=weight_g,
            menu=self.menu,
            load_g=self.load_g,
        )

    def lane_of(self, leg: PlannedLeg) -> Lane:
        """The lane a leg of this option's itineraries is travelled on."""
        if not self.direct:
            return self.network.lane(leg.lane_id)
        ends = self.network.facility(leg.from_facility_id), self.network.facility(leg.to_facility_id)
        return synthesise(leg.lane_id, *ends, self.menu)


@dataclass(frozen=True, slots=True)
class ParcelRow:
    """How one parcel fares on an option."""

    name: str
    lines: int
    itinerary: Itinerary


def compare_parcel(
    options: Sequence[Option], origin_id: int, destination_id: int, ready_at: datetime, *, weight_g: int
) -> tuple[ParcelRow, ...]:
    """Plan the same parcel on every option; errors as for `paths.itinerary`."""
    return tuple(
        ParcelRow(option.name, option.lines, option.plan(origin_id, destination_id, ready_at, weight_g))
        for option in options
    )


@dataclass(frozen=True, slots=True)
class Demand:
    """Parcels of equal weight between two facilities."""

    origin_id: int
    destination_id: int
    parcels: int
    weight_g: int

    def __post_init__(self) -> None:
        if self.parcels < 1 or self.weight_g < 0:
            raise InvalidNetworkError(f"{self.parcels} parcels of {self.weight_g} g are no demand")


@dataclass(frozen=True, slots=True)
class DemandRow:
    """How a demand fares on an option.

    Attributes:
        lines: directed pairs of facilities that are connected, used or not.
        departures: vehicle trips and flights the demand needs.
        vehicle_m: metres they travel.
        handlings_per_parcel: mean number of sortings.
        transit_s_mean, transit_s_p90: from ready to arrival, over parcels; p90 by nearest rank.
        cost_per_parcel_minor: all departures at their full cost, and the kilograms, over all parcels;
            rounded up.
    """

    name: str
    lines: int
    departures: int
    vehicle_m: int
    handlings_per_parcel: float
    transit_s_mean: int
    transit_s_p90: int
    cost_per_parcel_minor: int


def compare_demand(
    options: Sequence[Option], demand: Sequence[Demand], ready_at: datetime
) -> tuple[DemandRow, ...]:
    """Plan the same demand, all ready at one moment, on every option.

    A departure runs only where it carries something, and is doubled where its capacity is too small.

    Raises:
        InvalidNetworkError: there is no demand.
        NoRoute: some of the demand cannot be carried on one of the options.
    """
    if not demand:
        raise InvalidNetworkError("there is no demand to compare with")
    return tuple(_row(option, demand, ready_at) for option in options)


def _row(option: Option, demand: Sequence[Demand], ready_at: datetime) -> DemandRow:
    ways = [
        (flow, option.plan(flow.origin_id, flow.destination_id, ready_at, flow.weight_g)) for flow in demand
    ]
    loads_g: Counter[tuple[Lane, datetime]] = Counter()
    for flow, way in ways:
        for leg in way.legs:
            loads_g[option.lane_of(leg), leg.departure_at] += flow.parcels * flow.weight_g
    departures = vehicle_m = cost_minor = 0
    for (lane, _), load_g in loads_g.items():
        vehicles = -(-load_g // lane.capacity_g) if lane.capacity_g and load_g else 1
        departures += vehicles
        vehicle_m += vehicles * lane.distance_m
        cost_minor += vehicles * lane.cost_fixed_minor + -(-lane.cost_per_kg_minor * load_g // 1000)
    parcels = sum(flow.parcels for flow in demand)
    return DemandRow(
        name=option.name,
        lines=option.lines,
        departures=departures,
        vehicle_m=vehicle_m,
        handlings_per_parcel=sum(flow.parcels * way.handlings for flow, way in ways) / parcels,
        transit_s_mean=sum(flow.parcels * way.transit_s for flow, way in ways) // parcels,
        transit_s_p90=_nearest_rank([(way.transit_s, flow.parcels) for flow, way in ways], 90),
        cost_per_parcel_minor=-(-cost_minor // parcels),
    )


def _nearest_rank(weighted: Sequence[tuple[int, int]], percent: int) -> int:
    """Smallest value such that at least `percent` of the weight is not above it."""
    needed = -(-sum(weight for _, weight in weighted) * percent // 100)
    for value, weight in sorted(weighted):
        needed -= weight
        if needed <= 0:
            return value
    raise AssertionError("the weights add up to their sum")
