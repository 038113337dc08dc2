"""The board as GeoJSON (RFC 7946): a line for each round, a point for each stop and for the outlet."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _

from app.dispatch.board import Board, Column, Left, Visited
from app.dispatch.words import KINDS, clock, reason_text
from app.network.labels import facility_name

SERIES = 10
_LABELS_MAX = 300  # more numbers than this lie on each other


def board_map(board: Board) -> dict[str, Any]:
    """Rounds in their couriers' colours, with stops numbered in the order of visit."""
    numbered = sum(len(column.visits) for column in board.columns) <= _LABELS_MAX
    features = [_line(board, place, column) for place, column in enumerate(board.columns) if column.visits]
    features += [_left(one) for one in board.left]
    for place, column in enumerate(board.columns):
        features += [_visit(one, column, place, numbered=numbered) for one in column.visits]
    return {"type": "FeatureCollection", "features": [*features, _outlet(board)]}


def _line(board: Board, place: int, column: Column) -> dict[str, Any]:
    outlet = [board.facility.longitude, board.facility.latitude]
    way = [[one.stop.longitude, one.stop.latitude] for one in column.visits]
    return {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": [outlet, *way, outlet]},
        "properties": {"title": column.courier.name, "series": place % SERIES, "width": 2},
    }


def _visit(one: Visited, column: Column, place: int, *, numbered: bool) -> dict[str, Any]:
    number = one.visit.sequence + 1
    properties: dict[str, Any] = {
        "title": f"{number}. {one.stop.contact_name}",
        "detail": f"{clock(one.visit.start_s)} · {KINDS[one.stop.kind]} · {column.courier.name}",
        "series": place % SERIES,
        "radius": 5,
    }
    if numbered:
        properties["label"] = str(number)
    return _point(one.stop.longitude, one.stop.latitude, properties)


def _left(one: Left) -> dict[str, Any]:
    properties = {
        "title": one.stop.contact_name,
        "detail": f"{KINDS[one.stop.kind]} · {reason_text(one.reason, one.details)}",
        "tone": "bad",
        "radius": 7,
    }
    return _point(one.stop.longitude, one.stop.latitude, properties)


def _outlet(board: Board) -> dict[str, Any]:
    facility = board.facility
    properties = {
        "title": facility_name(facility),
        "detail": _("Rounds start and end here"),
        "tone": "neutral",
        "radius": 9,
    }
    return _point(facility.longitude, facility.latitude, properties)


def _point(longitude: float, latitude: float, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [longitude, latitude]},
        "properties": properties,
    }
