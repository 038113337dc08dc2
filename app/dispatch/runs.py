"""A courier's own round of a day, as his phone shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.models import AuditEntry
from app.accounts.roles import Role
from app.actor import Actor
from app.dispatch.models import (
    Courier,
    Plan,
    PlanRound,
    PlanStatus,
    PlanVisit,
    StopKind,
    StopRequest,
    StopStatus,
)
from app.dispatch.problem import COST_CURRENCY
from app.dispatch.queries import load_courier, local_day, number_of_stop
from app.dispatch.stored import WAITING
from app.errors import NotFoundError
from app.network.models import Facility
from app.shipments.models import Shipment
from tracking.instructions import InstructionKind


@dataclass(frozen=True, slots=True)
class RunStop:
    """A visit of a courier's round, with the parcel it is for."""

    visit: PlanVisit
    stop: StopRequest
    waybill_number: str
    # To be collected at the door.
    due_minor: int
    currency: str
    # The sender has stopped it, or it goes back: it is not handed over.
    stopped: bool = False

    @property
    def waits(self) -> bool:
        """Whether it is still to be made."""
        return self.stop.status in WAITING


@dataclass(frozen=True, slots=True)
class Run:
    """A courier's round of a day; no stops where none has been published."""

    courier: Courier
    facility: Facility
    day: date
    stops: tuple[RunStop, ...]
    # When his breaks are planned: first and last second.
    rests: tuple[tuple[int, int], ...] = ()
    # Cancelled since the round was published, with their numbers, the latest first: nobody goes there.
    cancelled: tuple[tuple[StopRequest, str], ...] = ()
    # Changes with every change of the plan: a phone that shows another one shows something old.
    version: str = ""

    @property
    def next_stop(self) -> RunStop | None:
        """The first that is still to be made."""
        return next((stop for stop in self.stops if stop.waits), None)

    @property
    def left(self) -> int:
        """How many are still to be made."""
        return sum(stop.waits for stop in self.stops)


def run_of_courier(session: Session, actor: Actor, day: date | None, *, now: datetime) -> Run:
    """The asker's own round, in the order of visit.

    Args:
        session: of the asker's tenant.
        actor: a courier's login.
        day: a local day; None is today at his outlet.
        now: the present moment.

    Raises:
        NotFoundError: the login is no courier's.
    """
    courier, facility = _asker(session, actor)
    day = day or local_day(now, facility)
    plan = _in_force(session, courier, day)
    if plan is None:
        return Run(courier, facility, day, ())
    rows = session.execute(
        sa.select(
            PlanVisit,
            StopRequest,
            number_of_stop(),
            sa.func.coalesce(Shipment.cod_minor + Shipment.door_charge_minor, 0),
            sa.func.coalesce(Shipment.currency, COST_CURRENCY),
            Shipment.instruction.in_((InstructionKind.INTERCEPT, InstructionKind.RETURN_TO_SENDER)),
        )
        .join(StopRequest, StopRequest.id == PlanVisit.stop_request_id)
        .outerjoin(Shipment, Shipment.id == StopRequest.shipment_id)
        .where(PlanVisit.plan_id == plan.id, PlanVisit.courier_id == courier.id)
        .order_by(PlanVisit.sequence)
    )
    stops = tuple(
        RunStop(
            visit,
            stop,
            number,
            due_minor if stop.kind is StopKind.DELIVERY else 0,
            currency,
            bool(stopped) and stop.kind is StopKind.DELIVERY,
        )
        for visit, stop, number, due_minor, currency, stopped in rows
    )
    return Run(
        courier,
        facility,
        day,
        stops,
        _rests(session, courier, plan),
        _cancelled(session, courier, plan),
        _version(plan),
    )


def run_version(session: Session, actor: Actor, *, now: datetime) -> str:
    """Which plan, and which version of it, says what the asker's round is today; see `Run.version`.

    Raises:
        NotFoundError: the login is no courier's.
    """
    courier, facility = _asker(session, actor)
    plan = _in_force(session, courier, local_day(now, facility))
    return "" if plan is None else _version(plan)


def _asker(session: Session, actor: Actor) -> tuple[Courier, Facility]:
    if actor.role != Role.COURIER or actor.subject_id is None:
        raise NotFoundError("this login has no round")
    courier = load_courier(session, actor, actor.subject_id)
    return courier, session.get_one(Facility, courier.facility_id)


def _in_force(session: Session, courier: Courier, day: date) -> Plan | None:
    return session.scalar(
        sa.select(Plan).where(
            Plan.facility_id == courier.facility_id, Plan.day == day, Plan.status == PlanStatus.PUBLISHED
        )
    )


def _version(plan: Plan) -> str:
    return f"{plan.id}.{plan.version}"


def _rests(session: Session, courier: Courier, plan: Plan) -> tuple[tuple[int, int], ...]:
    rests = session.scalar(
        sa.select(PlanRound.rests).where(PlanRound.courier_id == courier.id, PlanRound.plan_id == plan.id)
    )
    return tuple((start_s, end_s) for _key, _after, start_s, end_s in rests or ())


def _cancelled(session: Session, courier: Courier, plan: Plan) -> tuple[tuple[StopRequest, str], ...]:
    """What the plan's journal says was cancelled out of the courier's round, and is not asked for again."""
    left: dict[int, None] = dict.fromkeys(
        session.scalars(
            sa.select(AuditEntry.details["stop_id"].as_integer())
            .where(
                AuditEntry.subject_kind == "plan",
                AuditEntry.subject_id == plan.id,
                AuditEntry.action == "plan.stop_cancelled",
                AuditEntry.details["from_courier_id"].as_integer() == courier.id,
                AuditEntry.at >= plan.published_at,
            )
            .order_by(AuditEntry.id.desc())
        )
    )
    rows = session.execute(
        sa.select(StopRequest, number_of_stop())
        .outerjoin(Shipment, Shipment.id == StopRequest.shipment_id)
        .where(StopRequest.id.in_(left), StopRequest.status == StopStatus.CANCELLED)
    )
    found = {stop.id: (stop, number) for stop, number in rows}
    return tuple(found[stop_id] for stop_id in left if stop_id in found)
