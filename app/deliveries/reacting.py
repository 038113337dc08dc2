"""After something has happened to a parcel: one question tells whether the last door is concerned at all."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.deliveries import applying, doubts, instructions
from app.deliveries.door_models import CashCollection
from app.deliveries.models import Instruction
from app.deliveries.point_models import PointDeposit
from app.shipments.finding_models import ShipmentFinding
from tracking.instructions import Standing
from tracking.shipment import Milestone


def after_scan(session: Session, shipment_id: int, milestone: Milestone, *, now: datetime) -> None:
    """See to what was instructed, waits, was paid or is doubted; again is no harm.

    Args:
        session: of the shipment's tenant.
        shipment_id: what was scanned.
        milestone: where the event says that it stands.
        now: when.
    """
    concerned = session.execute(
        sa.select(
            sa.exists()
            .where(Instruction.shipment_id == shipment_id, Instruction.standing == Standing.ACCEPTED)
            .label("instructed"),
            sa.or_(
                sa.exists().where(
                    PointDeposit.shipment_id == shipment_id,
                    PointDeposit.taken_at.is_(None),
                    PointDeposit.taken_back_at.is_(None),
                ),
                sa.exists().where(
                    CashCollection.shipment_id == shipment_id, CashCollection.reversed_at.is_(None)
                ),
                sa.exists().where(
                    ShipmentFinding.shipment_id == shipment_id,
                    ShipmentFinding.closed_at.is_(None),
                    ShipmentFinding.finding_key.startswith(f"{doubts.SOURCE}:"),
                ),
            ).label("handed_over"),
        )
    ).one()
    if milestone is Milestone.RETURNING:
        applying.turn_back(session, shipment_id, now=now)
    if concerned.instructed:
        instructions.follow(session, shipment_id, now=now)
    if concerned.handed_over or milestone in doubts.AT_THE_DOOR:
        doubts.look_at_hand_over(session, shipment_id, now=now)
