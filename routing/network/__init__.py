"""Parcels between facilities: topologies, timetables, itineraries."""

from routing.network.bulk import Query, itineraries
from routing.network.cheapest import cheapest
from routing.network.compare import (
    Option,
    ParcelRow,
    compare_parcel,
)
from routing.network.errors import (
    InvalidNetworkError,
    NetworkError,
    NoRoute,
    NoRouteReason,
    TopologyTooLargeError,
    UnknownFacilityError,
)
from routing.network.facility import (
    HANDOVERS,
    Facility,
    FacilityKind,
    Handover,
    Operator,
    distance_m,
    road_distance_m,
    usual_hours,
)
from routing.network.hours import WorkingHours
from routing.network.network import Network, Run
from routing.network.paths import Itinerary, PlannedLeg, alternatives, direct_itinerary, itinerary
from routing.network.replan import Closure, PlannedHop, Replanned, Underway, replan, reroute
from routing.network.terms import LaneTerms
from routing.network.timetable import EVERY_DAY, Departure, Lane, Mode
from routing.network.topology import (
    Soundness,
    Topology,
    graph,
    hub_lines,
    least_time_s,
    one_hub,
    point_to_point,
    point_to_point_lines,
    several_hubs,
    soundness,
)

__all__ = [
    "EVERY_DAY",
    "HANDOVERS",
    "Closure",
    "Departure",
    "Facility",
    "FacilityKind",
    "Handover",
    "InvalidNetworkError",
    "Itinerary",
    "Lane",
    "LaneTerms",
    "Mode",
    "Network",
    "NetworkError",
    "NoRoute",
    "NoRouteReason",
    "Operator",
    "Option",
    "ParcelRow",
    "PlannedHop",
    "PlannedLeg",
    "Query",
    "Replanned",
    "Run",
    "Soundness",
    "Topology",
    "TopologyTooLargeError",
    "Underway",
    "UnknownFacilityError",
    "WorkingHours",
    "alternatives",
    "cheapest",
    "compare_parcel",
    "direct_itinerary",
    "distance_m",
    "graph",
    "hub_lines",
    "itineraries",
    "itinerary",
    "least_time_s",
    "one_hub",
    "point_to_point",
    "point_to_point_lines",
    "replan",
    "reroute",
    "road_distance_m",
    "several_hubs",
    "soundness",
    "usual_hours",
]
