"""A national network for benchmarks: 2,852 counties of China, thirty hubs, ten thousand departures a day."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from app.demo.geography import counties
from routing.network import (
    Departure,
    Facility,
    FacilityKind,
    Lane,
    Mode,
    Network,
    Operator,
    WorkingHours,
    distance_m,
    road_distance_m,
)
from routing.network.hours import weekly

PLACES = 2852
HUBS = 30
_SECOND_HUB = 873
"""So many counties are served by a second hub; with it the departures of a day add up to ten thousand."""
_MESH_MINUTES = (60, 9 * 60, 17 * 60)
_SPEED_M_H = 70_000
_LOADING_S = 3600
_EVERY_DAY = 0b111_1111


def national_network() -> Network:
    """Counties, of which thirty, spread as far apart as can be, are hubs in a full mesh.

    A lorry runs between two hubs three times a day, and once a day each way between a county and its nearest
    hub; some counties have a second one. Every third hub sorts from 5 to midnight only.
    """
    places = [
        Facility(
            number,
            county.adcode,
            county.name,
            FacilityKind.OUTLET,
            county.latitude,
            county.longitude,
            1800,
            Operator.OWN,
        )
        for number, county in enumerate(counties()[:PLACES], start=1)
    ]
    hubs = _spread(places)
    shift = WorkingHours("Asia/Shanghai", weekly([[(5 * 60, 24 * 60)]] * 7))
    facilities = tuple(
        replace(
            place,
            kind=FacilityKind.HUB,
            sort_s=3600,
            hours=shift if hubs.index(place.facility_id) % 3 == 0 else None,
        )
        if place.facility_id in hubs
        else place
        for place in places
    )
    by_id = {facility.facility_id: facility for facility in facilities}
    spokes = [facility for facility in facilities if facility.facility_id not in hubs]
    runs = [
        (by_id[a], by_id[b], tuple((minute + 7 * a + 11 * b) % 1440 for minute in _MESH_MINUTES))
        for a, b in permutations(hubs, 2)
    ]
    for index, spoke in enumerate(spokes):
        near = sorted((by_id[hub] for hub in hubs), key=lambda hub: distance_m(spoke, hub))
        for hub in near[: 2 if index < _SECOND_HUB else 1]:
            runs.append((spoke, hub, (18 * 60 + index % 180,)))
            runs.append((hub, spoke, (4 * 60 + index % 180,)))
    lanes = tuple(
        _lane(number, start, end, minutes) for number, (start, end, minutes) in enumerate(runs, start=1)
    )
    return Network(facilities, lanes)


def _spread(places: list[Facility]) -> list[int]:
    """Ids of places, each the farthest from those before it."""
    chosen = [places[0]]
    apart = [distance_m(place, chosen[0]) for place in places]
    while len(chosen) < HUBS:
        place = places[max(range(len(places)), key=apart.__getitem__)]
        chosen.append(place)
        apart = [min(known, distance_m(other, place)) for known, other in zip(apart, places, strict=True)]
    return [place.facility_id for place in chosen]


def _lane(lane_id: int, start: Facility, end: Facility, minutes: tuple[int, ...]) -> Lane:
    length_m = road_distance_m(start, end)
    duration_s = _LOADING_S + length_m * 3600 // _SPEED_M_H
    departures = tuple(Departure(_EVERY_DAY, minute, duration_s, "Asia/Shanghai") for minute in minutes)
    cost = 8000 + 550 * length_m // 1000
    return Lane(
        lane_id,
        start.facility_id,
        end.facility_id,
        Mode.ROAD,
        length_m,
        cost,
        1,
        18_000_000,
        "line",
        departures,
    )
