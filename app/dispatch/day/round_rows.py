"""The rounds in force of a day as rows: thousands of mapped objects would take most of a page's time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.db import arrays
from app.dispatch.models import Plan, PlanStatus, StopRequest
from app.dispatch.stored import rows_of

Visited: TypeAlias = tuple[Row[Any], Row[Any]]
"""A visit and its stop."""


@dataclass(frozen=True, slots=True)
class InForce:
    """A published plan: its rounds by courier, and their visits with their stops in the order of visit."""

    rounds: Mapping[int, Row[Any]] = field(default_factory=dict)
    visits: Mapping[int, Sequence[Visited]] = field(default_factory=dict)


def in_force(
    session: Session, facility_id: int, day: date, courier_ids: Collection[int] | None = None
) -> InForce:
    """The rounds that couriers of an outlet drive on a day; empty where none has been published.

    Args:
        session: of the outlet's tenant; what was changed and not yet sent is sent first.
        facility_id, day: whose day.
        courier_ids: of these couriers only; None: of all.
    """
    plan_id = session.scalar(
        sa.select(Plan.id).where(
            Plan.facility_id == facility_id, Plan.day == day, Plan.status == PlanStatus.PUBLISHED
        )
    )
    if plan_id is None:
        return InForce()
    rows = rows_of(session, plan_id, courier_ids)
    ids = [visit.stop_request_id for visits in rows.visits.values() for visit in visits]
    stops = stops_by_id(session, ids)
    return InForce(
        rows.rounds,
        {
            courier_id: [(visit, stops[visit.stop_request_id]) for visit in visits]
            for courier_id, visits in rows.visits.items()
        },
    )


def stops_by_id(session: Session, ids: Collection[int]) -> dict[int, Row[Any]]:
    """Stops by their ids."""
    found = session.execute(sa.select(*StopRequest.__table__.c).where(StopRequest.id == arrays.any_of(ids)))
    return {stop.id: stop for stop in found}
