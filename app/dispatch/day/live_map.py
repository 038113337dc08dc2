"""Couriers where they are now, as GeoJSON (RFC 7946) for the map."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from app.dispatch.day.positions import Whereabouts
from app.dispatch.day.words import STATES
from app.formatting import duration


def couriers_map(found: Sequence[Whereabouts], now: datetime) -> dict[str, Any]:
    """A point for each courier whose phone has told today where it is; what is old says so."""
    return {"type": "FeatureCollection", "features": [_point(one, now) for one in found if _told(one, now)]}


def heard_text(moment: datetime | None, now: datetime) -> str:
    """How long ago something was heard."""
    if moment is None:
        return str(_("not heard of yet"))
    seconds = max(0, int((now - moment).total_seconds()))
    if seconds < 60:
        return str(_("heard just now"))
    return str(_("heard %(time)s ago", time=duration(seconds // 60 * 60)))


def _told(one: Whereabouts, now: datetime) -> bool:
    at = None if one.live is None else one.live.position_at
    return at is not None and (now - at).total_seconds() < 24 * 3600


def _point(one: Whereabouts, now: datetime) -> dict[str, Any]:
    assert one.live is not None, "it has told where it is"
    word, tone = STATES[one.state]
    left = ngettext("%(num)s stop left", "%(num)s stops left", one.left)
    return {
        "type": "Feature",
        "id": one.courier.id,
        "geometry": {"type": "Point", "coordinates": [one.live.longitude, one.live.latitude]},
        "properties": {
            "title": one.courier.name,
            "detail": f"{word} · {left} · {heard_text(one.live.position_at, now)}",
            "tone": tone if one.fresh(now) else "neutral",
            "radius": 9,
            "courier_id": one.courier.id,
            "state": one.state.value,
        },
    }
