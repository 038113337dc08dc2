"""The tenant's demand on several topologies, for the page that puts them side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from app.db.session import tenant_of
from app.formatting import number
from app.network.labels import SERIES, facility_name
from app.network.models import Facility
from routing.network import FacilityKind
from routing.network.comparison import Comparison, Flows, Operation, Places, compare, gravity_flows
from routing.network.comparison.demand import average_day

GRAVITY_PLACES_MAX = 1_000
"""The gravity model joins each place with each; beyond this only those with the most parcels take part."""
_DIRECT_SHOWN_MAX = 60
_HUB_SERIES, _SPOKE_SERIES, _DIRECT_SERIES = SERIES[FacilityKind.HUB], SERIES[FacilityKind.OUTLET], 1

# The room of shipments stands on this one, not the other way round: of its table these columns are counted.
_SHIPMENT = sa.table(
    "shipment",
    sa.column("tenant_id", sa.BigInteger),
    sa.column("origin_facility_id", sa.BigInteger),
    sa.column("weight_g", sa.BigInteger),
    sa.column("id", sa.BigInteger),
    sa.column("booked_at", sa.DateTime(timezone=True)),
)
_STATE = sa.table(
    "shipment_state",
    sa.column("shipment_id", sa.BigInteger),
    sa.column("destination_facility_id", sa.BigInteger),
    sa.column("milestone", sa.Text),
)


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be compared.

    Attributes:
        gravity: demand by the gravity model on what outlets sent and received, instead of what was sent.
        days: so many are looked back on.
        parcels: of a day, for the gravity model.
        hubs: how many.
        discount_percent: what a vehicle costs between hubs beside elsewhere.
        hub_per_hour: parcels that a hub can sort in an hour; None for as many as come.
    """

    gravity: bool
    days: int
    parcels: int
    hubs: int
    discount_percent: int
    hub_per_hour: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A comparison, with the facility of each of its places."""

    comparison: Comparison
    facilities: Sequence[Facility]


def compare_topologies(session: Session, question: Question, *, now: datetime) -> Answer | None:
    """Run the demand of an average day over five topologies; None where nothing went between two outlets."""
    outlets = session.scalars(
        sa.select(Facility)
        .where(Facility.kind == FacilityKind.OUTLET, Facility.closed_at.is_(None))
        .order_by(Facility.id)
    ).all()
    position = {outlet.id: index for index, outlet in enumerate(outlets)}
    rows: list[tuple[int, int, int, int]] = [
        (position[start], position[end], parcels, grams)
        for start, end, parcels, grams in sent(session, now - timedelta(days=question.days))
        if start in position and end in position
    ]
    weight = np.zeros(len(outlets))
    for start, end, parcels, _ in rows:
        weight[start] += parcels
        weight[end] += parcels
    if question.gravity:
        # Where nothing was sent yet, one outlet is as good as another.
        weight += 1
        busiest = np.sort(np.argsort(-weight, kind="stable")[:GRAVITY_PLACES_MAX])
        outlets, weight, rows = [outlets[index] for index in busiest], weight[busiest], []
    elif not any(start != end for start, end, _, _ in rows):
        return None
    if len(outlets) < 2:
        return None
    places = Places(
        tuple(str(outlet.id) for outlet in outlets),
        tuple(facility_name(outlet) for outlet in outlets),
        np.array([outlet.latitude for outlet in outlets]),
        np.array([outlet.longitude for outlet in outlets]),
        weight,
    )
    operation = Operation(
        discount_per_mille=10 * question.discount_percent, hub_per_hour=question.hub_per_hour
    )
    flows = gravity_flows(places, question.parcels) if question.gravity else _average(places, rows, question)
    hubs = min(question.hubs, places.size)
    return Answer(compare(places, flows, hubs=hubs, operation=operation), outlets)


def _average(places: Places, rows: Sequence[tuple[int, int, int, int]], question: Question) -> Flows:
    start, end, parcels, grams = (np.array(column) for column in zip(*rows, strict=True))
    return average_day(places, Flows.of(places, start, end, parcels, grams), question.days)


def sent(session: Session, since: datetime) -> list[tuple[int, int, int, int]]:
    """Parcels and grams between each two outlets since a moment."""
    table, state = _SHIPMENT.c, _STATE.c
    rows = session.execute(
        sa.select(
            table.origin_facility_id,
            state.destination_facility_id,
            sa.func.count(),
            sa.cast(sa.func.sum(table.weight_g), sa.BigInteger),
        )
        .join_from(_SHIPMENT, _STATE, state.shipment_id == table.id)
        .where(
            table.tenant_id == tenant_of(session),
            table.booked_at >= since,
            state.milestone != "cancelled",
        )
        .group_by(table.origin_facility_id, state.destination_facility_id)
        .order_by(table.origin_facility_id, state.destination_facility_id)
    )
    return [(start, end, parcels, grams) for start, end, parcels, grams in rows.all()]


def comparison_map(answer: Answer) -> dict[str, Any]:
    """Hubs with their places, and the direct lines with the most parcels, as GeoJSON."""
    wanted = "hubs_single" if len(answer.comparison.hubs) > 1 else "one_hub"
    single = next(one for one in answer.comparison.options if one.shape.name == wanted)
    hybrid = answer.comparison.options[-1]
    hubs = single.shape.hubs
    pairs = [(place, int(hub)) for place, hub in enumerate(single.shape.allocation[:, 0]) if place != hub]
    lines = [_line(answer, start, end, _SPOKE_SERIES, 1) for start, end in pairs]
    flows = answer.comparison.flows
    direct = np.flatnonzero(hybrid.shape.direct)
    most = direct[np.argsort(-flows.parcels[direct], kind="stable")][:_DIRECT_SHOWN_MAX]
    ends = zip(flows.origin[most].tolist(), flows.destination[most].tolist(), strict=True)
    lines += [_line(answer, start, end, _DIRECT_SERIES, 2) for start, end in ends]
    lines += [_line(answer, start, end, _HUB_SERIES, 3) for start in hubs for end in hubs if start < end]
    loads = {load.hub: load.parcels for load in single.measured.hub_loads}
    # Outlets are seen where their lines end; hundreds of points more would hide the hubs.
    points = [_point(answer, hub, load) for hub, load in loads.items()]
    return {"type": "FeatureCollection", "features": [*lines, *points]}


def legend_items() -> list[tuple[int, str]]:
    """What the colours of the map mean."""
    return [
        (_HUB_SERIES, gettext("Hubs and the lines between them")),
        (_SPOKE_SERIES, gettext("Lines of the outlets")),
        (_DIRECT_SERIES, gettext("Direct lines that pay")),
    ]


def _at(facility: Facility) -> list[float]:
    return [facility.longitude, facility.latitude]


def _line(answer: Answer, start: int, end: int, series: int, width: float) -> dict[str, Any]:
    ends = answer.facilities[start], answer.facilities[end]
    return {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": [_at(place) for place in ends]},
        "properties": {
            "title": f"{facility_name(ends[0])} – {facility_name(ends[1])}",
            "series": series,
            "width": width,
        },
    }


def _point(answer: Answer, hub: int, load: int) -> dict[str, Any]:
    facility = answer.facilities[hub]
    name = facility_name(facility)
    parcels = ngettext("%(parcels)s parcel a day", "%(parcels)s parcels a day", load, parcels=number(load))
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": _at(facility)},
        "properties": {
            "title": name,
            "detail": parcels,
            "label": name,
            "series": _HUB_SERIES,
            "radius": 9,
        },
    }
