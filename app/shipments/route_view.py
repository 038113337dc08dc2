"""A shipment's route as a map draws it and as a table compares it with what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.network.labels import facility_name
from app.network.models import Facility
from app.shipments.models import ScanRecord, ShipmentLeg
from app.shipments.story import Story
from tracking.shipment import ScanCode


@dataclass(frozen=True, slots=True)
class LegRow:
    """A planned leg and when it was really left and reached; None where nothing was scanned."""

    leg: ShipmentLeg
    start: Facility
    end: Facility
    departed_at: datetime | None
    arrived_at: datetime | None

    @property
    def late_s(self) -> int | None:
        """How much later than planned it was reached; negative when earlier."""
        if self.arrived_at is None:
            return None
        return int((self.arrived_at - self.leg.planned_arrival_at).total_seconds())


def leg_rows(story: Story, records: Sequence[ScanRecord]) -> list[LegRow]:
    """Each planned leg with the first departure and the first arrival that were scanned for it."""
    voided = {event.scan_key for event in story.events if event.corrected}
    first: dict[tuple[ScanCode, int | None], datetime] = {}
    for record in records:
        if record.scan_key not in voided:
            first.setdefault((record.code, record.facility_id), record.occurred_at)
    return [
        LegRow(
            leg,
            story.facilities[leg.from_facility_id],
            story.facilities[leg.to_facility_id],
            first.get((ScanCode.DEPARTED, leg.from_facility_id)),
            first.get((ScanCode.ARRIVED, leg.to_facility_id)),
        )
        for leg in story.legs
    ]


def route_features(story: Story) -> dict[str, Any]:
    """The planned legs and their places as GeoJSON: travelled ones look done, its present place is marked."""
    seen = {event.facility_id for event in story.events if not event.planned and not event.corrected}
    lines = [
        _feature(
            "LineString",
            [_at(story.facilities[leg.from_facility_id]), _at(story.facilities[leg.to_facility_id])],
            tone="ok" if leg.to_facility_id in seen else "neutral",
            width=3 if leg.to_facility_id in seen else 2,
            title=f"{facility_name(story.facilities[leg.from_facility_id])} → "
            f"{facility_name(story.facilities[leg.to_facility_id])}",
        )
        for leg in story.legs
    ]
    stops = [story.shipment.origin_facility_id, *(leg.to_facility_id for leg in story.legs)]
    here = story.state.facility_id
    if here is not None:
        stops.append(here)
    points = [
        _feature(
            "Point",
            _at(story.facilities[stop]),
            title=facility_name(story.facilities[stop]),
            label=facility_name(story.facilities[stop]),
            tone="progress" if stop == here else "ok" if stop in seen else "neutral",
            radius=9 if stop == here else 6,
        )
        for stop in dict.fromkeys(stops)
    ]
    return {"type": "FeatureCollection", "features": [*lines, *points]}


def _at(facility: Facility) -> list[float]:
    return [facility.longitude, facility.latitude]


def _feature(shape: str, coordinates: list[Any], **properties: Any) -> dict[str, Any]:
    geometry = {"type": shape, "coordinates": coordinates}
    return {"type": "Feature", "geometry": geometry, "properties": properties}
