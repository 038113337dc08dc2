"""Which compartment of a locker a parcel goes into."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.deliveries.point_models import PointDeposit
from app.errors import ConflictError, NotFoundError
from app.network import queries as network
from app.network.models import Compartment, Facility
from app.shipments.models import Shipment
from routing.network import FacilityKind
from tracking.pickup import Measured, Size, smallest_fitting


def choose_compartment(
    session: Session, shipment: Shipment, facility: Facility, *, named: str | None, size: Size | None
) -> Compartment | None:
    """The compartment that was named, or the smallest free one that the parcel fits into.

    Args:
        session: of the shipment's tenant.
        shipment: what is left.
        facility: where; only a locker has compartments.
        named: the code of a compartment; None lets the service choose.
        size: as the parcel was measured there; None goes by its booked volume.

    Raises:
        NotFoundError: no compartment has the code.
        ConflictError: it does not fit, or what it fits into is taken; `why` says which.
    """
    if facility.kind is not FacilityKind.LOCKER:
        return None
    known = {one.id: one for one in network.compartments(session, facility.id)}
    if not known:
        raise ConflictError("no compartment of this locker is known", why="locker_full")
    taken = set(
        session.scalars(
            sa.select(PointDeposit.compartment_id).where(
                PointDeposit.facility_id == facility.id,
                PointDeposit.taken_at.is_(None),
                PointDeposit.taken_back_at.is_(None),
            )
        )
    )
    parcel = Measured(shipment.volume_cm3, size)
    if named is not None:
        wanted = next((one for one in known.values() if one.code == named), None)
        if wanted is None:
            raise NotFoundError("no such compartment")
        if wanted.id in taken:
            raise ConflictError("the compartment is taken", why="compartment_taken")
        if not parcel.fits(size_of(wanted)):
            raise ConflictError("it is too large for the compartment", why="too_large")
        return wanted
    if smallest_fitting(parcel, [(key, size_of(one)) for key, one in known.items()]) is None:
        raise ConflictError("it is too large for this locker", why="too_large")
    free = smallest_fitting(parcel, [(key, size_of(one)) for key, one in known.items() if key not in taken])
    if free is None:
        raise ConflictError("no compartment that it fits into is free", why="locker_full")
    return known[free]


def size_of(compartment: Compartment) -> Size:
    """How much lies behind a door."""
    return Size(compartment.length_mm, compartment.width_mm, compartment.height_mm)
