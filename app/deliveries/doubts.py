"""What a device reported about the last door that should not be so: a finding, since a scan is evidence.

Hand-overs of this room cannot bring them about; a scan that was simply sent can.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db import arrays
from app.deliveries import cash, consent, points
from app.deliveries.door_models import CashCollection
from app.deliveries.models import ConsentChannel
from app.shipments.findings import store_findings
from app.shipments.models import Shipment
from tracking.finding import Finding, FindingKind
from tracking.shipment import Milestone, ScanCode

SOURCE = "door"
AT_THE_DOOR = frozenset({Milestone.DELIVERED, Milestone.READY_FOR_PICKUP})
"""Where a parcel may have been handed over in a way that it should not have been."""
_CHANNELS: Mapping[ScanCode, ConsentChannel] = MappingProxyType(
    {
        ScanCode.AT_LOCKER: ConsentChannel.LOCKER,
        ScanCode.AT_STORE: ConsentChannel.STORE,
        ScanCode.AT_COLLECTIVE_POINT: ConsentChannel.STORE,
        ScanCode.DELIVERED_TO_PROXY: ConsentChannel.PROXY,
    }
)


def look_at_hand_overs(session: Session, shipment_ids: Collection[int], *, now: datetime) -> None:
    """Bring deposits, cash and findings of some shipments in step with their scans; again is no harm."""
    points.close_elsewhere(session, shipment_ids, now=now)
    cash.reverse_voided(session, now=now, shipment_ids=shipment_ids)
    given = arrays.any_of(shipment_ids)
    session.flush()  # what was reversed just now is asked for below
    shipments = session.scalars(sa.select(Shipment).where(Shipment.id == given)).all()
    collected = set(
        session.scalars(
            sa.select(CashCollection.shipment_id).where(
                CashCollection.shipment_id == given, CashCollection.reversed_at.is_(None)
            )
        )
    )
    found = {one.id: _found(session, one, is_collected=one.id in collected) for one in shipments}
    store_findings(session, found, source=SOURCE, now=now)


def _found(session: Session, shipment: Shipment, *, is_collected: bool) -> list[Finding]:
    found = []
    delivered = shipment.milestone is Milestone.DELIVERED
    if delivered and shipment.due_at_door_minor and not is_collected:
        parameters = (("amount_minor", shipment.due_at_door_minor),)
        found.append(
            Finding("cash_missing", FindingKind.CASH_MISSING, shipment.state_since, parameters=parameters)
        )
    channel = _CHANNELS.get(shipment.code)
    if channel is not None and not consent.is_granted(session, shipment, channel):
        found.append(
            Finding(
                f"without_consent:{channel}",
                FindingKind.WITHOUT_CONSENT,
                shipment.state_since,
                parameters=(("channel", channel.value),),
            )
        )
    return found
