"""Where a parcel is to go instead: a door or a point of the same city, and the outlet it is brought from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from app.deliveries import consent
from app.deliveries.models import ConsentChannel
from app.deliveries.values import Asking, Wish
from app.errors import InvalidInputError
from app.network import queries as network
from app.network.models import District, Facility
from app.shipments.models import Shipment
from routing.network import HANDOVERS, FacilityKind, Handover
from tracking.instructions import Asker, InstructionRefusal
from tracking.pickup import Measured, Size

POINT_KINDS = (FacilityKind.OUTLET, FacilityKind.STORE, FacilityKind.LOCKER, FacilityKind.COLLECTIVE_POINT)
_OFFERED_MAX = 50


@dataclass(frozen=True, slots=True)
class Target:
    """Where a parcel is to go: its last outlet, the point if it is one, and the door if it is one."""

    handover: Handover
    outlet: Facility
    point: Facility | None = None
    district: District | None = None
    address: str | None = None


def points_in_city(session: Session, shipment: Shipment) -> Sequence[Facility]:
    """Open outlets, stores, lockers and points of the consignee's city, the parcel's own outlet first."""
    home = network.district(session, shipment.consignee_district_adcode)
    return session.scalars(
        sa.select(Facility)
        .join(District, District.adcode == Facility.district_adcode)
        .options(joinedload(Facility.district))
        .where(
            Facility.closed_at.is_(None),
            Facility.kind.in_(POINT_KINDS),
            District.province_name == home.province_name,
            District.city_name == home.city_name,
        )
        .order_by(Facility.id != shipment.destination_facility_id, Facility.kind, Facility.code)
        .limit(_OFFERED_MAX)
    ).all()


def districts_in_city(session: Session, shipment: Shipment) -> Sequence[District]:
    """The districts that a parcel may be redirected within, its own first."""
    home = network.district(session, shipment.consignee_district_adcode)
    return session.scalars(
        sa.select(District)
        .where(District.province_name == home.province_name, District.city_name == home.city_name)
        .order_by(District.adcode != home.adcode, District.adcode)
    ).all()


def target_of(
    session: Session, shipment: Shipment, wish: Wish, asking: Asking
) -> Target | InstructionRefusal:
    """Where a redirection leads, or why it leads nowhere.

    Raises:
        InvalidInputError: there is no such district.
    """
    home = network.district(session, shipment.consignee_district_adcode)
    if wish.facility_id is not None:
        found = _point(session, wish.facility_id, home)
        if isinstance(found, InstructionRefusal):
            return found
        return _unfit(session, shipment, found, asking) or found
    assert wish.district_adcode is not None, "a wish names one or the other"
    district = session.get(District, wish.district_adcode)
    if district is None:
        raise InvalidInputError(
            "there is no such district", [{"detail": "is no district's code", "pointer": "/district_adcode"}]
        )
    if not _same_city(district, home):
        return InstructionRefusal.OTHER_CITY
    try:
        outlet = network.serving_outlet(
            session,
            district_adcode=district.adcode,
            latitude=district.latitude,
            longitude=district.longitude,
        )
    except InvalidInputError:
        return InstructionRefusal.NO_SUCH_PLACE
    return Target(Handover.DOOR, outlet, None, district, (wish.address or "").strip())


def is_there_already(shipment: Shipment, target: Target) -> bool:
    """Whether the parcel goes there as it is."""
    if shipment.delivery_handover is not target.handover:
        return False
    if target.district is not None:
        return (shipment.consignee_district_adcode, shipment.consignee_address) == (
            target.district.adcode,
            target.address,
        )
    point_id = None if target.point is None else target.point.id
    return (shipment.destination_facility_id, shipment.delivery_point_id) == (target.outlet.id, point_id)


def _same_city(one: District, other: District) -> bool:
    return (one.province_name, one.city_name) == (other.province_name, other.city_name)


def _point(session: Session, facility_id: int, home: District) -> Target | InstructionRefusal:
    facility = session.scalar(
        sa.select(Facility)
        .options(joinedload(Facility.district), joinedload(Facility.parent))
        .where(Facility.id == facility_id, Facility.closed_at.is_(None), Facility.kind.in_(POINT_KINDS))
    )
    if facility is None:
        return InstructionRefusal.NO_SUCH_PLACE
    if not _same_city(facility.district, home):
        return InstructionRefusal.OTHER_CITY
    if facility.kind is FacilityKind.OUTLET:
        return Target(Handover.OUTLET, facility)
    outlet = facility.parent
    if outlet is None or outlet.kind is not FacilityKind.OUTLET or outlet.closed_at is not None:
        return InstructionRefusal.NO_SUCH_PLACE
    (handover,) = HANDOVERS[facility.kind]
    return Target(handover, outlet, facility)


def _unfit(session: Session, shipment: Shipment, target: Target, asking: Asking) -> InstructionRefusal | None:
    """Why the parcel cannot be handed over there.

    A consignee who asks for a locker or a store consents to it by asking; nobody consents for him.
    """
    if target.handover is Handover.LOCKER:
        if shipment.due_at_door_minor:
            return InstructionRefusal.CASH_DUE
        if shipment.pieces > 1:
            return InstructionRefusal.SEVERAL_PIECES
        assert target.point is not None, "a locker is a point"
        rooms = network.compartments(session, target.point.id)
        parcel = Measured(shipment.volume_cm3)
        if not any(parcel.fits(Size(one.length_mm, one.width_mm, one.height_mm)) for one in rooms):
            return InstructionRefusal.TOO_LARGE
    channel: ConsentChannel | None = consent.CHANNEL_OF.get(target.handover)
    if channel is None or asking.asker is Asker.CONSIGNEE:
        return None
    return None if consent.is_granted(session, shipment, channel) else InstructionRefusal.NO_CONSENT
