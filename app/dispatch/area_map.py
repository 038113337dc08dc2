"""Areas as GeoJSON (RFC 7946): a surface, its edge and its name for each, and what one finds one's way by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.dispatch.area_models import Area
from app.dispatch.areas import areas_of
from app.dispatch.models import StopRequest
from app.network.labels import facility_name
from app.network.models import Facility

SERIES = 10
STOPS_MAX = 400
"""So many of the latest stops are drawn to find one's way by."""


def areas_map(facility: Facility, areas: Iterable[Area]) -> dict[str, Any]:
    """An outlet's areas, each in a colour of its own, and the outlet."""
    features = [
        feature for place, area in enumerate(areas) for feature in _area(area, {"series": place % SERIES})
    ]
    return _collection([*features, _outlet(facility)])


def around_map(session: Session, facility: Facility, area: Area | None) -> dict[str, Any]:
    """What lies around an area that is drawn: the outlet's other areas, and its latest stops."""
    features = [
        feature
        for one in areas_of(session, facility.id)
        if area is None or one.id != area.id
        for feature in _area(one, {"tone": "neutral"})
    ]
    latest = session.execute(
        sa.select(StopRequest.latitude, StopRequest.longitude)
        .where(StopRequest.facility_id == facility.id)
        .order_by(StopRequest.id.desc())
        .limit(STOPS_MAX)
    )
    small = {"tone": "neutral", "radius": 3}
    features += [_point([longitude, latitude], small) for latitude, longitude in latest]
    features.append(_outlet(facility))
    for feature in features:
        feature["properties"].pop("title", None)  # a tap draws; it opens no note that hides the map
    return _collection(features)


def _area(area: Area, colour: dict[str, Any]) -> list[dict[str, Any]]:
    ring = [[longitude, latitude] for latitude, longitude in area.ring]
    closed = [*ring, ring[0]]
    properties = {"title": area.name, **colour}
    middle = [sum(corner[axis] for corner in ring) / len(ring) for axis in (0, 1)]
    return [
        {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [closed]},
            "properties": properties,
        },
        {
            "type": "Feature",
            "geometry": {"type": "LineString", "coordinates": closed},
            "properties": {**colour, "width": 2},
        },
        _point(middle, {**properties, "label": area.name, "radius": 3}),
    ]


def _outlet(facility: Facility) -> dict[str, Any]:
    name = facility_name(facility)
    return _point(
        [facility.longitude, facility.latitude],
        {"title": name, "label": name, "tone": "neutral", "radius": 9},
    )


def _point(coordinates: list[float], properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": coordinates},
        "properties": properties,
    }


def _collection(features: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": features}
