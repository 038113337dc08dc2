"""Stores, lockers and collective points: beside a route where the outlet that each hangs on is on it."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db import arrays
from app.network.models import Facility
from routing.network import FacilityKind

POINT_KINDS = frozenset({FacilityKind.STORE, FacilityKind.LOCKER, FacilityKind.COLLECTIVE_POINT})
"""What hangs on an outlet and is no stop of a line-haul."""


def outlets_of_points(session: Session, facility_ids: Collection[int | None]) -> dict[int, int]:
    """Of some places those that hang on an outlet, each with it.

    Args:
        session: of the places' tenant.
        facility_ids: any places, with None for nowhere in particular.
    """
    asked = {one for one in facility_ids if one is not None}
    if not asked:
        return {}
    rows = session.execute(
        sa.select(Facility.id, Facility.parent_id).where(
            Facility.id == arrays.any_of(asked),
            Facility.kind.in_(POINT_KINDS),
        )
    )
    return {row.id: row.parent_id for row in rows if row.parent_id is not None}
