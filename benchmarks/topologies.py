"""How long it takes to put five topologies side by side: 2,852 places, 100,000 rows of demand.

The limit is to read each flow's ends and sum up its distance, once for each topology. The peer plans every
flow on its own with the timetable engine over one of the topologies; it needs no less for each of the others.
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from _measure import Contender, print_table

from app.demo.geography import counties
from routing.network import Facility, FacilityKind, Network, Operator, itinerary, several_hubs
from routing.network.comparison import Comparison, Flows, Operation, Places, compare
from routing.network.terms import ROAD_LORRY

_PLACES = 2852
_ROWS = 100_000
_HUBS = 6
_PLANNED = 500
_TOPOLOGIES = 5


def national_demand() -> tuple[Places, Flows]:
    """Counties with weights that spread like those of towns, and rows between them by those weights."""
    random = np.random.default_rng(42)
    chosen = counties()[:_PLACES]
    weight = random.lognormal(12, 1, _PLACES)
    places = Places(
        tuple(county.adcode for county in chosen),
        tuple(county.name for county in chosen),
        np.array([county.latitude for county in chosen]),
        np.array([county.longitude for county in chosen]),
        weight,
    )
    start, end = random.choice(_PLACES, (2, _ROWS), p=weight / weight.sum())
    return places, Flows.of(places, start, end, random.integers(1, 30, _ROWS))


def hub_network(places: Places, hubs: tuple[int, ...]) -> Network:
    """The same topology as facilities and lanes, for the engine that searches."""
    facilities = [
        Facility(
            index + 1,
            place_id,
            "",
            FacilityKind.HUB if index in hubs else FacilityKind.OUTLET,
            float(places.latitude[index]),
            float(places.longitude[index]),
            1800,
            Operator.OWN,
        )
        for index, place_id in enumerate(places.ids)
    ]
    lanes = several_hubs(facilities, [hub + 1 for hub in hubs], menu=[ROAD_LORRY]).lanes
    return Network(tuple(facilities), lanes)


def main() -> None:
    places, flows = national_demand()
    operation = Operation(discount_per_mille=600)
    compared: Comparison = compare(places, flows, hubs=_HUBS, operation=operation)
    network = hub_network(places, compared.hubs)
    ready_at = datetime(2026, 3, 2, 10, tzinfo=UTC)
    ends = list(zip(flows.origin.tolist(), flows.destination.tolist(), strict=True))

    def sum_up() -> int:
        for _ in range(_TOPOLOGIES):
            float(places.distance_m(flows.origin, flows.destination) @ flows.parcels)
        return _ROWS

    def plan_each() -> int:
        for start, end in ends[:_PLANNED]:
            itinerary(network, start + 1, end + 1, ready_at, weight_g=1_500)
        return _PLANNED // _TOPOLOGIES

    def side_by_side() -> int:
        compare(places, flows, hubs=_HUBS, operation=operation)
        return _ROWS

    print(
        f"{places.size:,} places, {_ROWS:,} rows, {flows.total_parcels:,} parcels, {_HUBS} hubs chosen anew"
    )
    print_table(
        "Five topologies side by side",
        "rows",
        [
            Contender("limit: sum up the distances", sum_up, "five times"),
            Contender("peer: each flow by the timetable engine", plan_each, "a fifth of its rate"),
            Contender("routing.network.comparison", side_by_side, "hubs, five topologies, their failures"),
        ],
    )


if __name__ == "__main__":
    main()
