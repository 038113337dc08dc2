"""The last door of the demo: consignees who agree to a locker or a neighbour, and cash that is collected."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.deliveries import service as deliveries
from app.deliveries.consent import CHANNEL_OF
from app.deliveries.models import ConsentChannel, ConsentSource
from app.demo.journey import Heard
from app.shipments.models import Shipment
from routing.network import Handover
from tracking.shipment import ScanCode


def agree(session: Session, shipment: Shipment, scans: Iterable[Heard], *, now: datetime) -> None:
    """Let the consignee say beforehand what the parcel's journey will need his word for."""
    channels = {CHANNEL_OF.get(shipment.delivery_handover)}
    if any(scan.code is ScanCode.DELIVERED_TO_PROXY for scan in scans):
        channels.add(ConsentChannel.PROXY)
    for channel in channels - {None}:
        assert channel is not None, "left out above"
        deliveries.record_consent(
            session,
            shipment,
            channel,
            granted=True,
            source=ConsentSource.TRACKING_LINK,
            this_parcel_only=True,
            now=now,
        )


def collects(shipment: Shipment, scan: Heard) -> bool:
    """Whether cash is collected with a scan."""
    at_the_door = shipment.delivery_handover is Handover.DOOR
    return bool(shipment.cod_minor) and at_the_door and scan.received_by is not None


def hand_over(row: dict[str, Any], shipment: Shipment) -> dict[str, Any]:
    """A delivery as the courier's phone tells it, from the scan that it is."""
    kept = ("number", "occurred_at", "offset_minutes", "device_id", "courier_id")
    proxy = row["code"] is ScanCode.DELIVERED_TO_PROXY
    return {
        **{name: row[name] for name in kept},
        "client_id": row["client_scan_id"],
        "received_by": row["proof"]["received_by"],
        "relation": "neighbour" if proxy else None,
        "paid": {"amount_minor": shipment.cod_minor, "means": "qr" if shipment.id % 2 else "cash"},
    }
