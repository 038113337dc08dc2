"""Builders shared by the tests of this room."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tracking.shipment import Leg, Scan, ScanCode

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """A moment so many minutes after the start of the story."""
    return START + timedelta(minutes=minutes)


def scan(code: ScanCode, minutes: float, **fields: Any) -> Scan:
    """A scan at `minutes`, received at once, with an id made from its code and time."""
    scan_id = fields.pop("scan_id", f"{code.value}@{minutes}")
    values: dict[str, Any] = {
        "scan_id": scan_id,
        "code": code,
        "occurred_at": at(minutes),
        "offset_minutes": 480,
        "received_at": at(minutes),
        "device_id": "gun-1",
        "client_scan_id": scan_id,
        "facility_id": None,
        "courier_id": None,
    }
    return Scan(**(values | fields))


def leg(sequence: int, origin: int, destination: int, departs: float, arrives: float) -> Leg:
    """A road leg between two facilities, at planned minutes."""
    return Leg(sequence, origin, destination, "road", 100 + sequence, at(departs), at(arrives))
