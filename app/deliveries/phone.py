"""What a courier's phone kept while it had no line, taken one by one: each act has a result of its own.

An act that cannot be recorded any more, since the stop was given to another or the parcel was stopped
meanwhile, is kept all the same and told to the courier; only what nobody could make sense of is refused
without a trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from app.accounts.roles import Role
from app.actor import Actor
from app.deliveries.door_models import Relation
from app.deliveries.door_values import Evidence, HandOver, Paid
from app.deliveries.door_values import Outcome as DoorOutcome
from app.deliveries.handover import Done, hand_over
from app.dispatch import queries
from app.dispatch.day import acts, following
from app.dispatch.day.models import Act, Outcome
from app.dispatch.day.told import Answer, Told, Why
from app.dispatch.models import Courier, StopKind, StopRequest
from app.dispatch.service import follow_shipments
from app.errors import AppError, ConflictError, InvalidInputError, NotFoundError
from app.network.models import Facility
from app.shipments.models import Shipment
from tracking.shipment import AttemptReason

ACTS_MAX = 50

_REFUSALS = {"stopped": Why.STOPPED, "no_consent": Why.NO_CONSENT}
_DOOR = {
    DoorOutcome.WRONG_CODE: Answer(
        Outcome.REFUSED, why=Why.WRONG_CODE, detail="that is not the consignee's code"
    ),
    DoorOutcome.CODE_LOCKED: Answer(Outcome.REFUSED, why=Why.CODE_LOCKED, detail="too many wrong codes"),
}


@dataclass(frozen=True, slots=True)
class Given:
    """How a parcel changed hands: to whom, against what, and how that is proved."""

    received_by: str
    relation: Relation | None = None
    evidence: Evidence | None = None
    paid: Paid | None = None


@dataclass(frozen=True, slots=True)
class PhoneAct:
    """An act as it was kept on the phone; `given` where a parcel was handed over."""

    told: Told
    given: Given | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an act: recorded, duplicate, conflict, or refused."""

    client_id: str
    status: str
    why: str | None = None
    detail: str | None = None


def own_courier(session: Session, actor: Actor) -> Courier:
    """The courier that a login stands for.

    Raises:
        NotFoundError: it is no courier's.
    """
    if actor.role != Role.COURIER or actor.subject_id is None:
        raise NotFoundError("this login has no round")
    return queries.load_courier(session, actor, actor.subject_id)


def take(session: Session, actor: Actor, phone_acts: Sequence[PhoneAct], *, now: datetime) -> list[Result]:
    """Take what a phone sends, in the order in which it happened; gives a result for each.

    Args:
        session: of the courier's tenant.
        actor: the courier's login.
        phone_acts: at most `ACTS_MAX`; each as often as you like.
        now: the server's time.

    Raises:
        NotFoundError: the login is no courier's.
        InvalidInputError: there are more than `ACTS_MAX`.
    """
    if len(phone_acts) > ACTS_MAX:
        raise InvalidInputError(
            f"at most {ACTS_MAX} acts at once", [{"detail": f"holds {len(phone_acts)}", "pointer": "/acts"}]
        )
    courier = own_courier(session, actor)
    in_time = sorted(range(len(phone_acts)), key=lambda place: phone_acts[place].told.occurred_at)
    results: dict[int, Result] = {}
    for place in in_time:
        act = phone_acts[place]
        try:
            with session.begin_nested():
                answer = _take_one(session, actor, courier, act, now)
        except AppError as error:
            results[place] = Result(act.told.client_id, "refused", error.code, said(error))
        else:
            status = "duplicate" if answer.duplicate else answer.outcome.value
            results[place] = Result(act.told.client_id, status, answer.why, answer.detail)
    facility = session.get_one(Facility, courier.facility_id)
    following.follow(session, facility, now=now, courier_ids=[courier.id])
    return [results[place] for place in range(len(phone_acts))]


def hand_over_stop(
    session: Session, actor: Actor, courier: Courier, stop: StopRequest, given: HandOver, *, now: datetime
) -> Done:
    """Hand over the parcel of a stop, and keep that as the act it is.

    Args:
        session: of the courier's tenant.
        actor: his login.
        courier: who hands it over.
        stop: a delivery of his outlet.
        given: as it was told.
        now: the server's time.

    Raises:
        ConflictError, InvalidInputError: as `app.deliveries.service.hand_over` does.
    """
    told = Told(
        stop_id=stop.id,
        act=Act.DONE,
        occurred_at=given.occurred_at,
        offset_minutes=given.offset_minutes,
        device_id=given.device_id,
        client_id=given.client_id,
    )
    found = acts.find(session, courier, told, now=now)
    shipment = session.get_one(Shipment, stop.shipment_id)
    done = hand_over(session, actor, shipment, given, now=now)
    _keep(session, courier, found, told, done, now)
    return done


def _take_one(session: Session, actor: Actor, courier: Courier, act: PhoneAct, now: datetime) -> Answer:
    told, given = act.told, act.given
    if given is None:
        return acts.tell(session, actor, courier, told, now=now)
    found = acts.find(session, courier, told, now=now)
    if found.earlier is not None:
        return found.earlier
    if found.stop.kind is not StopKind.DELIVERY or told.act is not Act.DONE:
        raise InvalidInputError(
            "nothing is handed over here", [{"detail": "is for deliveries only", "pointer": "/hand_over"}]
        )
    handed = HandOver(
        received_by=given.received_by,
        occurred_at=told.occurred_at,
        offset_minutes=told.offset_minutes,
        device_id=told.device_id,
        client_id=told.client_id,
        relation=given.relation,
        evidence=given.evidence,
        paid=given.paid,
        courier_id=courier.id,
    )
    shipment = session.get_one(Shipment, found.stop.shipment_id)
    try:
        done = hand_over(session, actor, shipment, handed, now=now)
    except ConflictError as error:
        why = _REFUSALS.get(error.extra.get("why", ""), Why.FINISHED)
        return acts.keep(
            session, courier, found, told, Answer(Outcome.REFUSED, why=why, detail=error.detail), now=now
        )
    return _keep(session, courier, found, told, done, now)


def _keep(
    session: Session, courier: Courier, found: acts.Found, told: Told, done: Done, now: datetime
) -> Answer:
    """Keep a hand-over as an act; what was not paid for was not done. Told before, it is kept already."""
    if found.earlier is not None:
        return found.earlier
    answer = _DOOR.get(done.outcome) or acts.conflict(courier, found) or Answer(Outcome.RECORDED)
    # Followed now and not only when the event comes round, so that the page shows the next stop.
    assert found.stop.shipment_id is not None, "a parcel is handed over at its own door"
    follow_shipments(session, [found.stop.shipment_id], now=now)
    if done.outcome is DoorOutcome.NOT_PAID:
        told = replace(told, act=Act.FAILED, reason=AttemptReason.CASH_NOT_PAID)
        answer = Answer(Outcome.RECORDED, why=Why.NOT_PAID, detail="kept, since it was not paid")
    return acts.keep(session, courier, found, told, answer, now=now)


def said(error: AppError) -> str:
    """What was wrong, with the places where it was."""
    wrong = error.extra.get("errors") or []
    return "; ".join([error.detail, *(f"{one['pointer']} {one['detail']}" for one in wrong)])
