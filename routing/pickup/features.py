"""What a problem asks for beyond tours with windows, loads, skills and limits of stops and metres."""

from enum import StrEnum

from routing.pickup.problem import Problem
from routing.pickup.stops import StopKind


class Feature(StrEnum):
    """What a problem asks for beyond tours with windows, loads, skills and limits of stops and metres.

    An engine that knows tours only can plan a problem without any of these.
    """

    BREAKS = "breaks"
    PAIRS = "pairs"
    RELEASE = "release"
    LATENESS = "lateness"
    OVERTIME = "overtime"
    STOP_COST = "stop_cost"
    TERRITORY = "territory"
    DRIVING_COST = "driving_cost"
    DRIVING_LIMIT = "driving_limit"
    SETUP = "setup"
    EXCHANGE = "exchange"
    OPEN_START = "open_start"
    PROFILES = "profiles"
    TRAFFIC = "traffic"
    RESTRICTIONS = "restrictions"
    DURATION_LIMIT = "duration_limit"
    RELOADS = "reloads"
    SOFT_DURATION = "soft_duration"


TOURS = frozenset(
    {
        Feature.PAIRS,
        Feature.STOP_COST,
        Feature.TERRITORY,
        Feature.DRIVING_COST,
        Feature.DRIVING_LIMIT,
        Feature.EXCHANGE,
        Feature.OPEN_START,
        Feature.PROFILES,
        Feature.SOFT_DURATION,
    }
)
"""What concerns order, loads and prices, but not the clock: with these the shortest timetable is the best."""

PRICES = frozenset({Feature.STOP_COST, Feature.TERRITORY, Feature.DRIVING_COST, Feature.PROFILES})
"""What makes legs dearer or cheaper, and nothing else."""


def features_of(problem: Problem) -> frozenset[Feature]:
    """What the problem asks for beyond plain tours."""
    stops, vehicles = problem.stops, problem.vehicles
    present = {
        Feature.BREAKS: any(vehicle.breaks for vehicle in vehicles),
        Feature.PAIRS: bool(problem.pairs),
        Feature.RELEASE: any(stop.release_s for stop in stops if stop.kind is StopKind.DELIVERY),
        Feature.LATENESS: any(stop.late_cost_per_hour for stop in stops),
        Feature.OVERTIME: any(vehicle.overtime_s_max for vehicle in vehicles),
        Feature.STOP_COST: any(
            vehicle.cost_per_stop or vehicle.cost_per_service_hour for vehicle in vehicles
        ),
        Feature.TERRITORY: any(vehicle.territory and vehicle.cost_per_strange_stop for vehicle in vehicles),
        Feature.DRIVING_COST: any(vehicle.cost_per_driving_hour for vehicle in vehicles),
        Feature.DRIVING_LIMIT: any(vehicle.driving_s_max is not None for vehicle in vehicles),
        Feature.SETUP: any(stop.setup_s for stop in stops),
        Feature.EXCHANGE: any(stop.collects for stop in stops),
        Feature.OPEN_START: any(vehicle.start is None for vehicle in vehicles),
        Feature.PROFILES: any(vehicle.profile is not None for vehicle in vehicles),
        Feature.TRAFFIC: bool(problem.speed_by_hour),
        Feature.RESTRICTIONS: bool(problem.restrictions),
        Feature.DURATION_LIMIT: any(vehicle.duration_s_max is not None for vehicle in vehicles),
        Feature.SOFT_DURATION: any(vehicle.prefers_short for vehicle in vehicles),
        Feature.RELOADS: any(vehicle.reloads for vehicle in vehicles),
    }
    return frozenset(feature for feature, here in present.items() if here)
