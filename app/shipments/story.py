"""The story of a shipment: where it stands, what happened and what is to come, as every page tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.network.models import Facility
from app.shipments import estimates, folding, queries
from app.shipments.models import ScanRecord, Shipment, ShipmentLeg
from app.shipments.rounds import CourierComes, courier_comes
from app.shipments.scan_store import scans_by_shipment
from tracking.sentence import Sentence, status_sentence
from tracking.shipment import Milestone, ScanCode
from tracking.state import ShipmentState

Window = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the timeline: something that was scanned, or an arrival that is planned.

    `corrected`: a later scan declared it an error. `scan_key` is None for what is only planned.
    """

    code: ScanCode
    at: datetime
    offset_minutes: int
    facility_id: int | None
    courier_id: int | None = None
    reason: str | None = None
    scan_key: str | None = None
    piece_no: int | None = None
    corrected: bool = False

    @property
    def planned(self) -> bool:
        """Whether it has not happened yet."""
        return self.scan_key is None


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that pages and the API say of one shipment's way.

    `promised` is what was told at booking, `expected` what is expected now (None once nothing is), both as
    (from, to). `comes`: a courier is on his way to collect or deliver it. `events` are the latest first,
    with those to come above. `facilities` holds every place named.
    """

    shipment: Shipment
    state: ShipmentState
    sentence: tuple[Sentence, ...]
    promised: Window
    expected: Window | None
    comes: CourierComes | None
    events: tuple[Event, ...]
    legs: Sequence[ShipmentLeg]
    facilities: Mapping[int, Facility]

    @property
    def differs(self) -> bool:
        """Whether what is expected now is not what was promised."""
        return self.expected is not None and self.expected != self.promised

    @property
    def unheard(self) -> bool:
        """Whether what is expected takes into account that nothing was heard for longer than is usual."""
        return self.expected is not None and self.shipment.estimate_aged


def story_of(session: Session, shipment: Shipment, *, now: datetime) -> Story:
    """Read a shipment's scans and legs, and say what they mean now."""
    records = queries.scans_of(session, shipment)
    legs = queries.legs_of(session, shipment)
    scans = scans_by_shipment(session, [shipment])[shipment.id]
    state, _counting = folding.state_of_scans(scans, shipment.pieces)
    expected = estimates.expected_window(shipment, now=now)
    ends = (shipment.origin_facility_id, shipment.destination_facility_id)
    points = (shipment.pickup_point_id, shipment.delivery_point_id)
    stops = [*ends, *points, *(leg.to_facility_id for leg in legs), *(leg.from_facility_id for leg in legs)]
    return Story(
        shipment,
        state,
        status_sentence(state, expected),
        (shipment.promised_from_at, shipment.promised_to_at),
        expected,
        courier_comes(shipment, now=now),
        (*_to_come(shipment, state, legs, records, now), *_happened(records)),
        legs,
        queries.facilities(session, [*stops, *(record.facility_id for record in records)]),
    )


def timeline(session: Session, shipment: Shipment, *, now: datetime) -> tuple[Event, ...]:
    """What happened to a shipment and what is planned, latest first."""
    return story_of(session, shipment, now=now).events


def _happened(records: Sequence[ScanRecord]) -> list[Event]:
    corrected = {record.corrects for record in records if record.corrects is not None}
    in_order = sorted(
        records, key=lambda record: (record.occurred_at, record.code.rank, record.scan_key), reverse=True
    )
    return [
        Event(
            record.code,
            record.occurred_at,
            record.offset_minutes,
            record.facility_id,
            record.courier_id,
            record.reason,
            record.scan_key,
            record.piece_no,
            corrected=record.scan_key in corrected,
        )
        for record in in_order
    ]


def _to_come(
    shipment: Shipment,
    state: ShipmentState,
    legs: Sequence[ShipmentLeg],
    records: Sequence[ScanRecord],
    now: datetime,
) -> list[Event]:
    """Arrivals that are planned and can still be kept, the last one first."""
    if state.terminal or state.milestone in (Milestone.RETURNING, Milestone.READY_FOR_PICKUP):
        return []
    seen = {record.facility_id for record in records}
    reached = max((place for place, leg in enumerate(legs) if leg.to_facility_id in seen), default=-1)
    return [
        Event(ScanCode.ARRIVED, leg.planned_arrival_at, shipment.booked_offset_minutes, leg.to_facility_id)
        for leg in reversed(legs[reached + 1 :])
        if leg.planned_arrival_at > now
    ]
