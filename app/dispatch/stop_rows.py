"""A stop as a row: who, where, how much, and when somebody is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.dispatch.models import StopKind, StopStatus
from app.shipments.models import Service, Shipment

_SERVICE_S = {StopKind.PICKUP: 180, StopKind.DELIVERY: 120, StopKind.RETURN: 120}
_SERVICE_S_A_FURTHER_PIECE = 20
_PRIORITY = {Service.STANDARD: 0, Service.EXPRESS: 4}


@dataclass(frozen=True, slots=True)
class Appointment:
    """A local day, and when service may start on it, in seconds since its midnight."""

    day: date
    from_s: int
    to_s: int


def service_s(kind: StopKind, pieces: int) -> int:
    """Seconds at the door, as planned."""
    return _SERVICE_S[kind] + (pieces - 1) * _SERVICE_S_A_FURTHER_PIECE


def stop_row(shipment: Shipment, kind: StopKind, appointment: Appointment, now: datetime) -> dict[str, Any]:
    """The row of a stop that is open, by the names of its columns."""
    end = "consignee" if kind is StopKind.DELIVERY else "sender"
    outlet = "destination" if kind is StopKind.DELIVERY else "origin"
    return {
        "tenant_id": shipment.tenant_id,
        "shipment_id": shipment.id,
        "facility_id": getattr(shipment, f"{outlet}_facility_id"),
        "kind": kind,
        "status": StopStatus.OPEN,
        "day": appointment.day,
        "window_from_s": appointment.from_s,
        "window_to_s": appointment.to_s,
        "service_s": service_s(kind, shipment.pieces),
        "latitude": getattr(shipment, f"{end}_latitude"),
        "longitude": getattr(shipment, f"{end}_longitude"),
        "contact_name": getattr(shipment, f"{end}_name"),
        "contact_phone": getattr(shipment, f"{end}_phone"),
        "address": getattr(shipment, f"{end}_address"),
        "weight_g": shipment.weight_g,
        "volume_cm3": shipment.volume_cm3,
        "pieces": shipment.pieces,
        "priority": _PRIORITY[shipment.service],
        "created_at": now,
    }
