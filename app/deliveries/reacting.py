"""After something has happened to parcels: two questions tell of which the last door is concerned at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db import arrays
from app.deliveries import applying, doubts, instructions
from app.deliveries.door_models import CashCollection
from app.deliveries.models import Instruction
from app.deliveries.point_models import PointDeposit
from app.shipments.finding_models import ShipmentFinding
from tracking.instructions import OPEN
from tracking.shipment import Milestone


def after_scans(session: Session, scanned: Mapping[int, Collection[Milestone]], *, now: datetime) -> None:
    """See to what was instructed, waits, was paid or is doubted; again is no harm.

    Args:
        session: of the shipments' tenant.
        scanned: the shipments, each with the milestones where the events say that it stood.
        now: when.
    """
    instructed, handed_over = _concerned(session, scanned)
    for shipment_id, milestones in scanned.items():
        if Milestone.RETURNING in milestones:
            applying.turn_back(session, shipment_id, now=now)
        if shipment_id in instructed:
            instructions.follow(session, shipment_id, now=now)
    doubtful = {
        shipment_id
        for shipment_id, milestones in scanned.items()
        if shipment_id in handed_over or not doubts.AT_THE_DOOR.isdisjoint(milestones)
    }
    if doubtful:
        doubts.look_at_hand_overs(session, doubtful, now=now)


def _concerned(session: Session, shipment_ids: Collection[int]) -> tuple[set[int], set[int]]:
    """Those of some shipments that an instruction waits for; those whose hand-over is looked at."""
    given = arrays.any_of(shipment_ids)
    instructed = sa.select(Instruction.shipment_id).where(
        Instruction.shipment_id == given, Instruction.standing.in_(OPEN)
    )
    handed_over = sa.union(
        sa.select(PointDeposit.shipment_id).where(
            PointDeposit.shipment_id == given,
            PointDeposit.taken_at.is_(None),
            PointDeposit.taken_back_at.is_(None),
        ),
        sa.select(CashCollection.shipment_id).where(
            CashCollection.shipment_id == given, CashCollection.reversed_at.is_(None)
        ),
        sa.select(ShipmentFinding.shipment_id).where(
            ShipmentFinding.shipment_id == given,
            ShipmentFinding.closed_at.is_(None),
            ShipmentFinding.finding_key.startswith(f"{doubts.SOURCE}:"),
        ),
    )
    return set(session.scalars(instructed)), set(session.scalars(handed_over))
