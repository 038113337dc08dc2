"""Questions about shipments. `load_shipment` guards; `by_link` and `by_number_public` are the public's."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from app.accounts.models import Installation
from app.accounts.roles import Role, Scope
from app.actor import Actor
from app.customers.identities import normal_form
from app.customers.models import IdentityKind
from app.errors import NotFoundError
from app.network.models import District, Facility
from app.pagination import Page, decode_cursor, page_of
from app.shipments.finding_models import ShipmentFinding
from app.shipments.models import DeliveryProof, ScanRecord, Shipment, ShipmentLeg
from app.shipments.values import parse_number, shipment_of_link, without_nul
from app.shipments.waybills import month_of
from tracking.shipment import Milestone

PROBLEMS = (Milestone.EXCEPTION, Milestone.ATTEMPT_FAILED)
"""Milestones at which somebody has to do something before the parcel goes on."""

_NOT_FOUND = "no such shipment"


@dataclass(frozen=True, slots=True)
class ShipmentFilters:
    """What a list of shipments is narrowed to; None and False narrow nothing.

    Args:
        milestone: where they stand.
        problems: only those at a milestone of `PROBLEMS`.
        text: a waybill number, a shipper's reference or a phone of either end; exact.
        booked_from: at or after this moment.
        booked_until: before this moment.
        facility_id: they start, end or are at this facility.
    """

    milestone: Milestone | None = None
    problems: bool = False
    text: str | None = None
    booked_from: datetime | None = None
    booked_until: datetime | None = None
    facility_id: int | None = None


def load_shipment(session: Session, actor: Actor, waybill_number: str) -> Shipment:
    """The shipment with this number, if the asker may know of it.

    Staff with `shipments:read` know all of the tenant, a shipper those that he is the customer of, a courier
    those that he holds.

    Raises:
        NotFoundError: there is none, or it is none of the asker's; one answer for both.
    """
    number, _piece_no = parse_number(waybill_number)
    return _loaded(session, actor, Shipment.waybill_number == number)


def load_shipment_by_id(session: Session, actor: Actor, shipment_id: int) -> Shipment:
    """As `load_shipment`, by id.

    Raises:
        NotFoundError: there is none, or it is none of the asker's.
    """
    return _loaded(session, actor, Shipment.id == shipment_id)


def by_number_public(session: Session, waybill_number: str) -> Shipment | None:
    """The shipment of any tenant with this number, for the public page; the session becomes its tenant's."""
    number, _piece_no = parse_number(waybill_number)
    return _bound(session, session.scalar(sa.select(Shipment).where(Shipment.waybill_number == number)))


def by_link(session: Session, token: str) -> Shipment:
    """The shipment that an unguessable link opens; the session becomes its tenant's.

    Raises:
        NotFoundError: the link is not one of ours.
    """
    shipment_id = shipment_of_link(token, session.get_one(Installation, 1).waybill_key)
    found = session.scalar(sa.select(Shipment).where(Shipment.id == (shipment_id or 0)))
    shipment = _bound(session, found)
    if shipment is None:
        raise NotFoundError(_NOT_FOUND)
    return shipment


def list_shipments(
    session: Session, actor: Actor, filters: ShipmentFilters, cursor: str | None, limit: int
) -> Page[Shipment]:
    """Shipments that the asker may know of, the latest booked first."""
    statement = sa.select(Shipment).where(visible(actor), *_conditions(filters))
    if cursor is not None:
        booked_at, shipment_id = decode_cursor(cursor, tuple[datetime, int])
        statement = statement.where(
            sa.tuple_(Shipment.booked_at, Shipment.id)
            < sa.tuple_(sa.literal(booked_at), sa.literal(shipment_id))
        )
    rows = session.scalars(
        statement.order_by(Shipment.booked_at.desc(), Shipment.id.desc()).limit(limit + 1)
    ).all()
    return page_of(rows, limit, lambda row: (row.booked_at, row.id))


def oldest_problems(session: Session, actor: Actor, limit: int) -> Sequence[Shipment]:
    """Shipments at which somebody has to do something, the one that waits longest first."""
    return session.scalars(
        sa.select(Shipment)
        .where(visible(actor), Shipment.milestone.in_(PROBLEMS), ~Shipment.terminal)
        .order_by(Shipment.state_since, Shipment.id)
        .limit(limit)
    ).all()


def open_by_milestone(session: Session, actor: Actor) -> dict[Milestone, int]:
    """How many shipments that are not at their end stand at each milestone."""
    rows = session.execute(
        sa.select(Shipment.milestone, sa.func.count())
        .where(visible(actor), ~Shipment.terminal)
        .group_by(Shipment.milestone)
    )
    return dict(rows.all())


def scans_of(session: Session, shipment: Shipment) -> Sequence[ScanRecord]:
    """Every scan of a shipment in the order it was made, corrected ones and corrections included."""
    return session.scalars(
        sa.select(ScanRecord)
        .where(
            ScanRecord.shipment_id == shipment.id,
            ScanRecord.shipment_month == month_of(shipment.booked_at),
        )
        .order_by(ScanRecord.occurred_at, ScanRecord.scan_key)
    ).all()


def legs_of(session: Session, shipment: Shipment) -> Sequence[ShipmentLeg]:
    """The planned legs of a shipment, in order."""
    return session.scalars(
        sa.select(ShipmentLeg).where(ShipmentLeg.shipment_id == shipment.id).order_by(ShipmentLeg.sequence)
    ).all()


def proofs(session: Session, shipment: Shipment) -> Sequence[DeliveryProof]:
    """How the deliveries of a shipment are proved, latest first."""
    return session.scalars(
        sa.select(DeliveryProof)
        .where(DeliveryProof.shipment_id == shipment.id)
        .order_by(DeliveryProof.id.desc())
    ).all()


def proof(session: Session, shipment: Shipment, proof_id: int) -> DeliveryProof:
    """One proof of a shipment that was loaded for the asker.

    Raises:
        NotFoundError: the shipment has no such proof with a picture.
    """
    found = session.scalar(
        sa.select(DeliveryProof).where(
            DeliveryProof.id == proof_id,
            DeliveryProof.shipment_id == shipment.id,
            DeliveryProof.content.is_not(None),
        )
    )
    if found is None:
        raise NotFoundError("no such proof")
    return found


def findings(session: Session, shipment: Shipment) -> Sequence[ShipmentFinding]:
    """What was found about a shipment: open ones first, then the closed, latest first."""
    return session.scalars(
        sa.select(ShipmentFinding)
        .where(ShipmentFinding.shipment_id == shipment.id)
        .order_by(ShipmentFinding.closed_at.desc().nulls_first(), ShipmentFinding.opened_at.desc())
    ).all()


def corrected_keys(session: Session, scan_keys: Collection[str]) -> set[str]:
    """Which of some scans a later one declared an error."""
    rows = session.scalars(sa.select(ScanRecord.corrects).where(ScanRecord.corrects.in_(scan_keys)))
    return {key for key in rows if key is not None}


def open_facilities(session: Session) -> Sequence[Facility]:
    """Places where parcels can be scanned now, by code."""
    return session.scalars(
        sa.select(Facility).where(Facility.closed_at.is_(None)).order_by(Facility.code)
    ).all()


def facilities(session: Session, facility_ids: Collection[int | None]) -> dict[int, Facility]:
    """Facilities by id with their districts, for pages that name them."""
    wanted = {facility_id for facility_id in facility_ids if facility_id is not None}
    if not wanted:
        return {}
    rows = session.scalars(
        sa.select(Facility).options(joinedload(Facility.district)).where(Facility.id.in_(wanted))
    )
    return {facility.id: facility for facility in rows}


def districts(session: Session, adcodes: Collection[str]) -> dict[str, District]:
    """Districts by code."""
    return {
        row.adcode: row
        for row in session.scalars(sa.select(District).where(District.adcode.in_(set(adcodes))))
    }


def _loaded(session: Session, actor: Actor, condition: sa.ColumnElement[bool]) -> Shipment:
    # One statement whether it exists or not, so that both take the same time.
    shipment = session.scalar(sa.select(Shipment).where(condition, visible(actor)))
    if shipment is None:
        raise NotFoundError(_NOT_FOUND)
    return shipment


def _bound(session: Session, shipment: Shipment | None) -> Shipment | None:
    if shipment is not None:
        session.info["tenant_id"] = shipment.tenant_id  # from here on the session is that tenant's
    return shipment


def visible(actor: Actor) -> sa.ColumnElement[bool]:
    """What makes a shipment one that the asker may know of; every list of shipments needs it."""
    if actor.role == Role.SHIPPER:
        return Shipment.customer_id == actor.subject_id
    if actor.role == Role.COURIER:
        return Shipment.state_courier_id == actor.subject_id
    return sa.true() if actor.may(Scope.SHIPMENTS_READ) else sa.false()


def _conditions(filters: ShipmentFilters) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if filters.milestone is not None:
        found.append(Shipment.milestone == filters.milestone)
    if filters.problems:
        found.append(sa.and_(Shipment.milestone.in_(PROBLEMS), ~Shipment.terminal))
    if filters.text is not None and filters.text.strip():
        found.append(_matches(filters.text))
    if filters.booked_from is not None:
        found.append(Shipment.booked_at >= filters.booked_from)
    if filters.booked_until is not None:
        found.append(Shipment.booked_at < filters.booked_until)
    if filters.facility_id is not None:
        found.append(touches(filters.facility_id))
    return found


def _matches(text: str) -> sa.ColumnElement[bool]:
    text = without_nul(text).strip()
    number, _piece_no = parse_number(text)
    phone = normal_form(IdentityKind.PHONE, text)
    ways = [Shipment.waybill_number == number, Shipment.reference == text]
    if phone is not None:
        ways += [Shipment.sender_phone == phone, Shipment.consignee_phone == phone]
    return sa.or_(*ways)


def waits_at(session: Session, shipment: Shipment) -> Facility | None:
    """The place where a shipment waits to be fetched; None where it does not wait."""
    if shipment.milestone is not Milestone.READY_FOR_PICKUP or shipment.state_facility_id is None:
        return None
    return session.get_one(Facility, shipment.state_facility_id)


def touches(facility_id: int) -> sa.ColumnElement[bool]:
    """What makes a shipment one that starts, ends or is at a facility."""
    return sa.or_(
        Shipment.origin_facility_id == facility_id,
        Shipment.destination_facility_id == facility_id,
        Shipment.state_facility_id == facility_id,
    )
