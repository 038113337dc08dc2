"""Whether promises were kept: of the parcels promised by a moment, how many came by then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.db.session import tenant_of
from app.shipments.history_models import FirstPromise
from app.shipments.models import ScanRecord, Shipment
from app.shipments.observations import WAITING
from app.shipments.waybills import month_of
from tracking.shipment import Milestone

# What its shipper called off, or what turned back, was never to come by then.
_NOT_MEANT_TO_COME = (Milestone.CANCELLED, Milestone.RETURNING, Milestone.RETURNED)


class Stage(StrEnum):
    """When a time was told."""

    BOOKED = "booked"
    WINDOW = "window"
    ESTIMATED = "estimated"


@dataclass(frozen=True, slots=True)
class Calibration:
    """How often a kind of promise was kept.

    Attributes:
        stage: BOOKED: the quantiles at the booking; WINDOW: the end of the window that the customer was told;
            ESTIMATED: the last estimate before it came.
        promised: the share that was to come by then: 0.5, 0.8 or 0.95.
        parcels: of which this is known.
        kept: of these, how many came by then.
    """

    stage: Stage
    promised: float
    parcels: int
    kept: int

    @property
    def share(self) -> float | None:
        """Which share came by then; None where nothing is known."""
        return self.kept / self.parcels if self.parcels else None


def calibration(session: Session, since: datetime, *, now: datetime) -> tuple[Calibration, ...]:
    """Hold what was told against what happened, for the tenant's parcels booked since a moment.

    A parcel counts once all its promised times of a stage have passed, whether it has come or not: to count
    what has come alone would flatter. It has come when it is with its consignee, or waits for him at a point.
    """
    told: tuple[
        tuple[Stage, float, InstrumentedAttribute[datetime], InstrumentedAttribute[datetime]], ...
    ] = (
        (Stage.BOOKED, 0.5, FirstPromise.p50_at, FirstPromise.p95_at),
        (Stage.BOOKED, 0.8, FirstPromise.p80_at, FirstPromise.p95_at),
        (Stage.BOOKED, 0.95, FirstPromise.p95_at, FirstPromise.p95_at),
        (Stage.WINDOW, 0.8, Shipment.promised_to_at, Shipment.promised_to_at),
        (Stage.ESTIMATED, 0.5, Shipment.estimate_p50_at, Shipment.estimate_p95_at),
        (Stage.ESTIMATED, 0.8, Shipment.estimate_p80_at, Shipment.estimate_p95_at),
        (Stage.ESTIMATED, 0.95, Shipment.estimate_p95_at, Shipment.estimate_p95_at),
    )
    waiting = _waiting(session, since)
    came_at = sa.func.least(Shipment.delivered_at, waiting.c.waits_at)
    counts = [
        count
        for _, _, moment, last in told
        for count in (
            sa.func.count().filter(last < now),
            sa.func.count().filter(last < now, came_at <= moment),
        )
    ]
    row = session.execute(
        sa.select(*counts)
        .select_from(Shipment)
        .outerjoin(FirstPromise, FirstPromise.shipment_id == Shipment.id)
        .outerjoin(waiting, waiting.c.shipment_id == Shipment.id)
        .where(
            Shipment.tenant_id == tenant_of(session),
            Shipment.booked_at >= since,
            Shipment.milestone.not_in(_NOT_MEANT_TO_COME),
        )
    ).one()
    return tuple(
        Calibration(stage, promised, row[2 * place], row[2 * place + 1])
        for place, (stage, promised, _, _) in enumerate(told)
    )


def _waiting(session: Session, since: datetime) -> sa.Subquery:
    """Since when shipments wait for their consignee at a point."""
    return (
        sa.select(ScanRecord.shipment_id, sa.func.min(ScanRecord.occurred_at).label("waits_at"))
        .where(
            ScanRecord.tenant_id == tenant_of(session),
            ScanRecord.shipment_month >= month_of(since),
            ScanRecord.code.in_(WAITING),
        )
        .group_by(ScanRecord.shipment_id)
        .subquery()
    )
