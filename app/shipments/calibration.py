"""Whether promises were kept: of the parcels promised by a moment, how many came by then.

Measured once a day by a job, by the month and the service of the booking, and kept: pages and metrics read
what was measured.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.accounts.models import Tenant
from app.config import Settings
from app.db.session import tenant_of
from app.shipments.history_models import FirstPromise, PromiseCalibration
from app.shipments.models import ScanRecord, Service, Shipment
from app.shipments.observations import WAITING
from app.shipments.waybills import month_of
from tracking.shipment import Milestone

# What its shipper called off, or what turned back, was never to come by then.
_NOT_MEANT_TO_COME = (Milestone.CANCELLED, Milestone.RETURNING, Milestone.RETURNED)
# Parcels of older months have come or never will: what was measured of them stays.
_MONTHS_MEASURED = 3
_MONTHS_OF_A_FIGURE = 2


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
        service: of the parcels.
        month: in which they were booked, by their senders' local time: its first day.
        parcels: of which this is known.
        kept: of these, how many came by then.
    """

    stage: Stage
    promised: float
    service: Service
    month: date
    parcels: int
    kept: int

    @property
    def share(self) -> float | None:
        """Which share came by then; None where nothing is known."""
        return self.kept / self.parcels if self.parcels else None


@dataclass(frozen=True, slots=True)
class Figure:
    """How often a tenant's promises of a kind were kept in the latest months; for metrics."""

    tenant: str
    stage: str
    promised_percent: int
    parcels: int
    kept: int


def summed(found: Iterable[Calibration]) -> dict[tuple[Stage, float], tuple[int, int]]:
    """Parcels and how many came in time, over all services and months, by stage and promised share."""
    sums: defaultdict[tuple[Stage, float], list[int]] = defaultdict(lambda: [0, 0])
    for one in found:
        of = sums[one.stage, one.promised]
        of[0] += one.parcels
        of[1] += one.kept
    return {key: (parcels, kept) for key, (parcels, kept) in sums.items()}


def measure_promises(session: Session, _settings: Settings, now: datetime) -> int:
    """Measure the latest months of every tenant anew; gives how many figures there are of them."""
    first = _months_back(now.date(), _MONTHS_MEASURED - 1)
    measured = 0
    for tenant_id in session.scalars(sa.select(Tenant.id).order_by(Tenant.id)).all():
        session.info["tenant_id"] = tenant_id  # as if the session had been opened for it
        measured += measure(session, first, now=now)
    session.info["tenant_id"] = None
    return measured


def measure(session: Session, first: date, *, now: datetime) -> int:
    """Measure the tenant's promises of the months from `first` on; replaces what was measured of them."""
    tenant_id = tenant_of(session)
    found = [
        one
        for one in calibration(session, datetime.combine(first, time(), UTC), now=now)
        if one.parcels and one.month >= first
    ]
    session.execute(
        sa.delete(PromiseCalibration).where(
            PromiseCalibration.tenant_id == tenant_id, PromiseCalibration.month >= first
        )
    )
    if found:
        session.execute(
            sa.insert(PromiseCalibration),
            [
                {
                    "tenant_id": tenant_id,
                    "month": one.month,
                    "service": one.service,
                    "stage": one.stage.value,
                    "promised_percent": round(one.promised * 100),
                    "parcels": one.parcels,
                    "kept": one.kept,
                    "measured_at": now,
                }
                for one in found
            ],
        )
    return len(found)


def measured(
    session: Session, *, stage: Stage | None = None, service: Service | None = None
) -> Sequence[PromiseCalibration]:
    """What was measured of the tenant's promises, the latest month first."""
    statement = sa.select(PromiseCalibration)
    if stage is not None:
        statement = statement.where(PromiseCalibration.stage == stage.value)
    if service is not None:
        statement = statement.where(PromiseCalibration.service == service)
    return session.scalars(
        statement.order_by(
            PromiseCalibration.month.desc(),
            PromiseCalibration.service,
            PromiseCalibration.stage,
            PromiseCalibration.promised_percent,
        )
    ).all()


def figures(session: Session, *, now: datetime) -> list[Figure]:
    """How promises of the latest months were kept, by tenant; the session sees every tenant."""
    rows = session.execute(
        sa.select(
            Tenant.code,
            PromiseCalibration.stage,
            PromiseCalibration.promised_percent,
            sa.func.sum(PromiseCalibration.parcels),
            sa.func.sum(PromiseCalibration.kept),
        )
        .join(Tenant, Tenant.id == PromiseCalibration.tenant_id)
        .where(PromiseCalibration.month >= _months_back(now.date(), _MONTHS_OF_A_FIGURE - 1))
        .group_by(Tenant.code, PromiseCalibration.stage, PromiseCalibration.promised_percent)
        .order_by(Tenant.code, PromiseCalibration.stage, PromiseCalibration.promised_percent)
    )
    return [Figure(*row) for row in rows]


def _months_back(day: date, months: int) -> date:
    place = day.year * 12 + day.month - 1 - months
    return date(place // 12, place % 12 + 1, 1)


def calibration(session: Session, since: datetime, *, now: datetime) -> tuple[Calibration, ...]:
    """Hold what was told against what happened, for the tenant's parcels booked since a moment.

    By the service and month of the booking; nothing where nothing was booked.

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
    booked_on = sa.func.timezone("UTC", Shipment.booked_at) + sa.func.make_interval(
        0, 0, 0, 0, 0, sa.cast(Shipment.booked_offset_minutes, sa.Integer)
    )
    month = sa.cast(sa.func.date_trunc("month", booked_on), sa.Date)
    rows = session.execute(
        sa.select(Shipment.service, month, *counts)
        .select_from(Shipment)
        .outerjoin(FirstPromise, FirstPromise.shipment_id == Shipment.id)
        .outerjoin(waiting, waiting.c.shipment_id == Shipment.id)
        .where(
            Shipment.tenant_id == tenant_of(session),
            Shipment.booked_at >= since,
            Shipment.milestone.not_in(_NOT_MEANT_TO_COME),
        )
        .group_by(Shipment.service, month)
        .order_by(month, Shipment.service)
    )
    return tuple(
        Calibration(stage, promised, service, booked_in, row[2 * place], row[2 * place + 1])
        for service, booked_in, *row in rows
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
