"""Where a shipment is on its way, as `routing.network` plans it anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.shipments.hours import ready
from app.shipments.replanning_store import Open
from routing.network import Handover, Network, PlannedHop, Underway
from tracking.shipment import Leg, Milestone, ScanCode
from tracking.transitions import COLLECTING


def underway(row: Open, legs: Sequence[Leg], places: Network, now: datetime) -> Underway | None:
    """Where a shipment is on its way; None when it was last seen nowhere in particular."""
    place_id, since, code = row.place_id, row.since, ScanCode(row.code)
    stops = {stop for leg in legs for stop in (leg.from_facility_id, leg.to_facility_id)}
    if row.milestone == Milestone.BOOKED or (code in COLLECTING and place_id not in stops):
        # What is not collected yet, and what a courier or a point has, comes to its outlet as planned.
        place_id = row.origin_id
        since = max(
            now, ready(places, row.booked_at, Handover(row.pickup), row.origin_id, row.pickup_point_id)
        )
    if place_id is None:
        return None
    return Underway(
        legs=tuple(
            PlannedHop(leg.lane_id, leg.from_facility_id, leg.to_facility_id, leg.planned_arrival_at)
            for leg in legs
        ),
        destination_id=row.destination_id,
        weight_g=row.weight_g,
        place_id=place_id,
        since=since,
        departed=code is ScanCode.DEPARTED,
        handled=code is ScanCode.SORTED,
    )
