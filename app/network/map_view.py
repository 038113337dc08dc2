"""The network as GeoJSON (RFC 7946): facilities as points, each two joined facilities as one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask import url_for
from flask_babel import ngettext, pgettext
from sqlalchemy.dialects.postgresql import BIT
from sqlalchemy.orm import Session

from app.network.labels import KINDS, SERIES, facility_name
from app.network.models import Facility, Lane, LaneDeparture
from routing.network import FacilityKind

_RADIUS = {FacilityKind.HUB: 9, FacilityKind.GATEWAY: 7, FacilityKind.AIRPORT: 7}
_RADIUS_OTHER = 5


def network_map(session: Session) -> dict[str, Any]:
    """Everything on one map; what is closed is shown as such."""
    facilities = session.scalars(sa.select(Facility).order_by(Facility.id)).all()
    by_id = {facility.id: facility for facility in facilities}
    return {
        "type": "FeatureCollection",
        "features": [*_lines(session, by_id), *(_point(facility) for facility in facilities)],
    }


def _lines(session: Session, by_id: dict[int, Facility]) -> list[dict[str, Any]]:
    weekly = sa.select(
        LaneDeparture.lane_id, sa.func.sum(sa.func.bit_count(sa.cast(LaneDeparture.weekdays, BIT(7))))
    ).group_by(LaneDeparture.lane_id)
    departures: dict[int, int] = {lane_id: int(count) for lane_id, count in session.execute(weekly)}
    lanes = session.execute(
        sa.select(Lane.id, Lane.from_facility_id, Lane.to_facility_id, Lane.closed_at).order_by(Lane.id)
    )
    pairs: dict[tuple[int, int], list[tuple[int, bool]]] = {}
    for lane_id, start, end, closed_at in lanes:
        pair = (min(start, end), max(start, end))
        pairs.setdefault(pair, []).append((departures.get(lane_id, 0), closed_at is None))
    return [_line(by_id[start], by_id[end], runs) for (start, end), runs in pairs.items()]


def _line(start: Facility, end: Facility, runs: Sequence[tuple[int, bool]]) -> dict[str, Any]:
    ends_open = start.closed_at is None and end.closed_at is None
    weekly = sum(count for count, is_open in runs if is_open and ends_open)
    properties = {
        "title": f"{facility_name(start)} – {facility_name(end)}",
        "detail": ngettext("%(num)s departure a week", "%(num)s departures a week", weekly)
        if weekly
        else pgettext("facility", "Closed"),
        "width": 3 if {start.kind, end.kind} == {FacilityKind.HUB} else 1.5,
        **({"series": SERIES[_smaller_kind(start, end)]} if weekly else {"tone": "bad"}),
    }
    return {
        "type": "Feature",
        "geometry": {
            "type": "LineString",
            "coordinates": [[start.longitude, start.latitude], [end.longitude, end.latitude]],
        },
        "properties": properties,
    }


def _smaller_kind(start: Facility, end: Facility) -> FacilityKind:
    """A line has the colour of the smaller of the two places it joins."""
    return max((start.kind, end.kind), key=lambda kind: SERIES[kind])


def _point(facility: Facility) -> dict[str, Any]:
    closed = facility.closed_at is not None
    words = [facility.code, str(KINDS[facility.kind])]
    if closed:
        words.append(pgettext("facility", "Closed"))
    properties: dict[str, Any] = {
        "title": facility_name(facility),
        "detail": " · ".join(words),
        "url": url_for("network.facility", facility_id=facility.id),
        "radius": _RADIUS.get(facility.kind, _RADIUS_OTHER),
        **({"tone": "bad"} if closed else {"series": SERIES[facility.kind]}),
    }
    if facility.kind.sorts:
        properties["label"] = facility_name(facility)
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [facility.longitude, facility.latitude]},
        "properties": properties,
    }
