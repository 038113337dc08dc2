"""A container begins, is closed by a seal, and leaves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.models import AuditEntry, Tenant
from app.accounts.roles import Role
from app.accounts.service import audit
from app.actor import Actor
from app.containers.queries import outer_scans
from app.containers.values import Deed
from app.db.session import tenant_of
from app.errors import ConflictError, ForbiddenError, InvalidInputError
from app.network.models import Facility, Lane
from app.shipments import outside
from app.shipments.container_models import Container
from app.shipments.scan_values import FUTURE_MAX, PAST_MAX
from app.shipments.service import ScanInput, record_scans
from tracking.container_states import TRANSITIONS, ContainerAct, ContainerStatus
from tracking.containers import ContainerKind
from tracking.numbers import container_number, sscc
from tracking.shipment import OFFSET_MINUTES_MAX, OFFSET_MINUTES_MIN, ScanCode

_LETTERS = {ContainerKind.BAG: "B", ContainerKind.MANIFEST: "M", ContainerKind.TRIP: "T"}
_SSCC_DIGITS = 16  # of prefix and serial; the extension digit before them is free to the company
_ID_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class ContainerInput:
    """What a new container is.

    Args:
        kind: bag, manifest or trip.
        to_facility_id: where it goes; None where it roams, or where the lane says it.
        lane_id: of a trip, the line-haul that it is.
        departs_at: when that leaves.
        vehicle: what it travels in, such as a licence plate.
    """

    kind: ContainerKind
    to_facility_id: int | None = None
    lane_id: int | None = None
    departs_at: datetime | None = None
    vehicle: str | None = None


def open_container(
    session: Session, actor: Actor, wanted: ContainerInput, deed: Deed, *, now: datetime
) -> Container:
    """Open a container and give it its number.

    Raises:
        InvalidInputError: a place or lane is not known, the lane is not of a trip or starts elsewhere, or the
            deed is not well formed.
        ForbiddenError: the login stands for another place.
    """
    lane = None
    if wanted.lane_id is not None:
        lane = session.scalar(sa.select(Lane).where(Lane.id == wanted.lane_id))
        if wanted.kind is not ContainerKind.TRIP or lane is None:
            raise _invalid(
                "only a trip has a lane" if lane is not None else "there is no such lane", "/lane_id"
            )
    here = place_of(session, actor, deed, None if lane is None else lane.from_facility_id, now=now)
    to_id = wanted.to_facility_id
    if lane is not None:
        if here != lane.from_facility_id or to_id not in (None, lane.to_facility_id):
            raise _invalid("this lane leads from elsewhere or to elsewhere", "/lane_id")
        to_id = lane.to_facility_id
    if to_id == here:
        raise _invalid("it must go to another place", "/to_facility_id")
    if to_id is not None and not _is_facility(session, to_id):
        raise _invalid("there is no such facility", "/to_facility_id")
    container_id = session.execute(
        sa.text("SELECT nextval(pg_get_serial_sequence('container', 'id'))")
    ).scalar_one()
    container = Container(
        id=container_id,
        kind=wanted.kind,
        number=_number(session, wanted.kind, container_id),
        status=ContainerStatus.OPEN,
        from_facility_id=here,
        to_facility_id=to_id,
        lane_id=wanted.lane_id,
        departs_at=wanted.departs_at,
        vehicle=_text(wanted.vehicle),
        opened_at=deed.at(now),
    )
    session.add(container)
    session.flush()  # the audit trail and what is packed refer to it
    audit(session, actor, "container.opened", subject_kind="container", subject_id=container.id, now=now)
    return container


def seal(
    session: Session,
    actor: Actor,
    container: Container,
    seal_number: str | None,
    deed: Deed,
    *,
    now: datetime,
) -> None:
    """Close a container: what is inside stays inside until it is received or broken.

    Raises:
        ConflictError: it is not open.
    """
    place_of(session, actor, deed, container.from_facility_id, now=now)
    step(session, container, ContainerAct.SEAL)
    container.sealed_at, container.seal_number = deed.at(now), _text(seal_number)
    audit(session, actor, "container.sealed", subject_kind="container", subject_id=container.id, now=now)


def dispatch(
    session: Session,
    actor: Actor,
    container: Container,
    deed: Deed,
    *,
    vehicle: str | None = None,
    now: datetime,
) -> int:
    """Let a sealed container leave; everything inside departs with it.

    Returns:
        How many pieces departed; 0 where a scan of the outside had said so already.

    Raises:
        ConflictError: it is not sealed.
    """
    here = place_of(session, actor, deed, container.from_facility_id, now=now)
    if not told_by_scan(session, container, ContainerStatus.DISPATCHED):
        step(session, container, ContainerAct.DISPATCH)
        container.dispatched_at = deed.at(now)
    container.vehicle = _text(vehicle) or container.vehicle
    audit(session, actor, "container.dispatched", subject_kind="container", subject_id=container.id, now=now)
    return scan_outside(session, actor, container, ScanCode.DEPARTED, deed, here, now=now)


def step(session: Session, container: Container, act: ContainerAct) -> None:
    """Lock a container and take it on by an act.

    Raises:
        ConflictError: the act cannot be done where it stands.
    """
    outside.lock(session, {container.id})
    session.refresh(container)
    after = TRANSITIONS.get((container.status, act))
    if after is None:
        raise ConflictError(
            f"{container.number} is {container.status}; that does not go with {act}", status=container.status
        )
    container.status = after


def told_by_scan(session: Session, container: Container, status: ContainerStatus) -> bool:
    """Whether a container, now locked, stands so by a scan of its outside alone, and nobody has said it here.

    What a gun has told is then only confirmed; what a person has told is not told twice.
    """
    outside.lock(session, {container.id})
    session.refresh(container)
    if container.status is not status:
        return False
    said = sa.exists().where(
        AuditEntry.subject_kind == "container",
        AuditEntry.subject_id == container.id,
        AuditEntry.action == f"container.{status}",
    )
    return not session.scalar(sa.select(said))


def scan_outside(
    session: Session,
    actor: Actor,
    container: Container,
    code: ScanCode,
    deed: Deed,
    here: int,
    *,
    now: datetime,
) -> int:
    """Scan the outside, unless its latest scan has said the same at this place; gives how many pieces moved.

    Raises:
        ConflictError: the same device sent other content under the same id before.
    """
    said = outer_scans(session, container.id)
    if said and (said[0].code, said[0].facility_id) == (code, here):
        return 0
    scan = ScanInput(
        number=container.number,
        code=code.value,
        occurred_at=deed.occurred_at,
        device_id=deed.device_id,
        client_scan_id=deed.client_event_id,
        offset_minutes=deed.offset_minutes,
        facility_id=here,
    )
    (result,) = record_scans(session, actor, [scan], now=now)
    if result.status not in ("recorded", "duplicate"):
        raise ConflictError(f"{container.number}: {result.detail}")
    return result.moved or 0


def place_of(session: Session, actor: Actor, deed: Deed, otherwise: int | None, *, now: datetime) -> int:
    """Where something is done: as the deed says, at the login's own place, or where it must be.

    Raises:
        ForbiddenError: the login stands for another place.
        InvalidInputError: nobody knows where, or the deed is not well formed.
    """
    _check(deed, now)
    own = actor.subject_id if actor.role == Role.HUB else None
    if own is not None:
        if deed.facility_id not in (None, own):
            raise ForbiddenError("this login acts at its own facility only")
        return own
    here = deed.facility_id or otherwise
    if here is None:
        raise _invalid("say at which facility", "/facility_id")
    if deed.facility_id is not None and not _is_facility(session, deed.facility_id):
        raise _invalid("there is no such facility", "/facility_id")
    return here


def _check(deed: Deed, now: datetime) -> None:
    for name, text in (("device_id", deed.device_id), ("client_event_id", deed.client_event_id)):
        if not text or len(text) > _ID_LENGTH_MAX or "\0" in text:
            raise _invalid(f"needs 1 to {_ID_LENGTH_MAX} characters", f"/{name}")
    if not now - PAST_MAX <= deed.occurred_at <= now + FUTURE_MAX:
        raise _invalid(
            "more than 400 days ago or two days ahead: the device's clock is wrong", "/occurred_at"
        )
    if not OFFSET_MINUTES_MIN <= deed.offset_minutes <= OFFSET_MINUTES_MAX:
        raise _invalid("is out of range", "/offset_minutes")


def _is_facility(session: Session, facility_id: int) -> bool:
    return session.scalar(sa.select(Facility.id).where(Facility.id == facility_id)) is not None


def _number(session: Session, kind: ContainerKind, container_id: int) -> str:
    """An SSCC as long as the company's prefix leaves room for one, its extension digit counted in."""
    prefix = session.get_one(Tenant, tenant_of(session)).gs1_company_prefix
    if prefix is not None:
        extension, serial = divmod(container_id, 10 ** (_SSCC_DIGITS - len(prefix)))
        if extension <= 9:
            return sscc(extension, prefix, serial)
    return container_number(_LETTERS[kind], container_id)


def _text(text: str | None) -> str | None:
    return (text or "").replace("\0", "").strip() or None


def _invalid(detail: str, pointer: str) -> InvalidInputError:
    return InvalidInputError(detail, [{"detail": detail, "pointer": pointer}])
