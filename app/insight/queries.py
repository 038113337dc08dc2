"""What needs a person now: counts for the home page of each role, oldest first within each."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.actor import Actor
from app.db.outbox import ATTEMPTS_MAX, OutboxEvent
from app.dispatch.models import Plan, PlanStatus, StopRequest, StopStatus
from app.orders.models import TermsStatus, TermsVersion
from app.payouts.models import PayoutBatch
from app.servicedesk.models import Case, CaseStatus, Claim, ClaimStatus
from app.shipments.finding_models import ShipmentFinding
from app.shipments.models import Shipment, UnmatchedScan
from settlement.payout import BatchState
from tracking.shipment import Milestone


class Matter(enum.StrEnum):
    """A kind of thing that waits for somebody."""

    PROBLEM_SHIPMENTS = "problem_shipments"
    READY_FOR_PICKUP = "ready_for_pickup"
    UNMATCHED_SCANS = "unmatched_scans"
    FINDINGS = "findings"
    STOPS_UNPLANNED = "stops_unplanned"
    PLANS_TO_PUBLISH = "plans_to_publish"
    STOPS_FAILED = "stops_failed"
    CASES_OVERDUE = "cases_overdue"
    CASES_UNOWNED = "cases_unowned"
    CASES_MINE = "cases_mine"
    CASES_OPEN = "cases_open"
    CLAIMS_TO_APPROVE = "claims_to_approve"
    PAYOUTS_TO_APPROVE = "payouts_to_approve"
    TERMS_TO_APPROVE = "terms_to_approve"
    EVENTS_STUCK = "events_stuck"


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many of a matter wait, and since when the oldest does."""

    matter: Matter
    count: int
    oldest_at: datetime | None


_PROBLEM = (Milestone.EXCEPTION, Milestone.ATTEMPT_FAILED)


# What one person made and another has to approve: scope, since when, its state, the one that waits, maker.
_APPROVALS: tuple[tuple[Matter, Scope, Any, Any, enum.Enum, Any], ...] = (
    (
        Matter.CLAIMS_TO_APPROVE,
        Scope.CLAIMS_APPROVE,
        Claim.proposed_at,
        Claim.status,
        ClaimStatus.PROPOSED,
        Claim.proposed_by_id,
    ),
    (
        Matter.PAYOUTS_TO_APPROVE,
        Scope.PAYOUTS_APPROVE,
        PayoutBatch.prepared_at,
        PayoutBatch.status,
        BatchState.PREPARED,
        PayoutBatch.prepared_by_id,
    ),
    (
        Matter.TERMS_TO_APPROVE,
        Scope.TERMS_APPROVE,
        TermsVersion.created_at,
        TermsVersion.status,
        TermsStatus.DRAFT,
        TermsVersion.created_by_id,
    ),
)


def waiting(session: Session, actor: Actor, *, now: datetime) -> list[Waiting]:
    """What waits for the asker: matters of his role that have a count, the most urgent first."""
    found = []
    for matter, statement in _statements(actor, now):
        count, oldest_at = session.execute(statement).one()
        if count:
            found.append(Waiting(matter, count, oldest_at))
    return found


def _statements(actor: Actor, now: datetime) -> list[tuple[Matter, sa.Select[int, datetime | None]]]:
    if actor.role == "shipper":
        return _shipper(actor)
    found: list[tuple[Matter, sa.Select[int, datetime | None]]] = []
    if actor.may(Scope.CASES_WRITE):
        found += _cases(actor, now)
    found += [
        (matter, _count(since, state == waiting_state, maker_id != actor.user_id))
        for matter, scope, since, state, waiting_state, maker_id in _APPROVALS
        if actor.may(scope)
    ]
    if actor.may(Scope.DISPATCH_WRITE):
        found += _dispatch(now)
    if actor.may(Scope.SCANS_WRITE) and actor.role != "courier":
        found.append(
            (Matter.UNMATCHED_SCANS, _count(UnmatchedScan.received_at, UnmatchedScan.resolved_at.is_(None)))
        )
    if actor.role in ("dispatcher", "hub", "agent", "admin"):
        found.append(
            (Matter.FINDINGS, _count(ShipmentFinding.opened_at, ShipmentFinding.closed_at.is_(None)))
        )
    if actor.may(Scope.ADMIN):
        stuck = _count(
            OutboxEvent.created_at, OutboxEvent.handled_at.is_(None), OutboxEvent.attempts >= ATTEMPTS_MAX
        )
        found.append((Matter.EVENTS_STUCK, stuck))
    return found


def _shipper(actor: Actor) -> list[tuple[Matter, sa.Select[int, datetime | None]]]:
    own = Shipment.customer_id == actor.subject_id
    return [
        (Matter.PROBLEM_SHIPMENTS, _count(Shipment.state_since, own, Shipment.milestone.in_(_PROBLEM))),
        (
            Matter.READY_FOR_PICKUP,
            _count(Shipment.state_since, own, Shipment.milestone == Milestone.READY_FOR_PICKUP),
        ),
        (
            Matter.CASES_OPEN,
            _count(
                Case.opened_at,
                Case.customer_id == actor.subject_id,
                Case.status.in_((CaseStatus.OPEN, CaseStatus.WAITING_CUSTOMER)),
            ),
        ),
    ]


def _cases(actor: Actor, now: datetime) -> list[tuple[Matter, sa.Select[int, datetime | None]]]:
    is_open = Case.status == CaseStatus.OPEN
    return [
        (Matter.CASES_OVERDUE, _count(Case.opened_at, is_open, Case.due_at < now)),
        (Matter.CASES_UNOWNED, _count(Case.opened_at, is_open, Case.owner_id.is_(None))),
        (Matter.CASES_MINE, _count(Case.opened_at, is_open, Case.owner_id == actor.user_id)),
    ]


def _dispatch(now: datetime) -> list[tuple[Matter, sa.Select[int, datetime | None]]]:
    due = StopRequest.day <= now.date()
    return [
        (Matter.STOPS_UNPLANNED, _count(StopRequest.created_at, due, StopRequest.status == StopStatus.OPEN)),
        (Matter.PLANS_TO_PUBLISH, _count(Plan.requested_at, Plan.status == PlanStatus.DRAFT)),
        (Matter.STOPS_FAILED, _count(StopRequest.created_at, due, StopRequest.status == StopStatus.FAILED)),
    ]


def _count(
    since: sa.ColumnElement[datetime] | sa.orm.InstrumentedAttribute[datetime],
    *conditions: sa.ColumnElement[bool],
) -> sa.Select[int, datetime | None]:
    return sa.select(sa.func.count(), sa.func.min(since)).where(*conditions)
