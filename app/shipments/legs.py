"""The planned legs of shipments as `tracking` watches them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.shipments.models import ShipmentLeg
from tracking.shipment import Leg


def legs_by_shipment(session: Session, shipment_ids: Collection[int]) -> dict[int, list[Leg]]:
    """The planned legs of some shipments, in order."""
    found: defaultdict[int, list[Leg]] = defaultdict(list)
    if not shipment_ids:
        return found
    rows = session.execute(
        sa.select(
            ShipmentLeg.shipment_id,
            ShipmentLeg.sequence,
            ShipmentLeg.from_facility_id,
            ShipmentLeg.to_facility_id,
            ShipmentLeg.mode,
            ShipmentLeg.lane_id,
            ShipmentLeg.planned_departure_at,
            ShipmentLeg.planned_arrival_at,
        )
        .where(ShipmentLeg.shipment_id == sa.any_(sa.literal(list(shipment_ids), sa.ARRAY(sa.BigInteger))))
        .order_by(ShipmentLeg.shipment_id, ShipmentLeg.sequence)
    )
    for row in rows:
        found[row.shipment_id].append(leg_of(row))
    return found


def leg_of(row: ShipmentLeg | sa.Row[*tuple[Any, ...]]) -> Leg:
    """A stored leg, or a row with its columns, as `tracking` takes it."""
    return Leg(
        row.sequence,
        row.from_facility_id,
        row.to_facility_id,
        row.mode.value,
        row.lane_id,
        row.planned_departure_at,
        row.planned_arrival_at,
    )
