"""Areas of the demo's home outlet, with couriers at home in them; one is closed to vans in the early peak."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app.actor import Actor
from app.demo.network_plan import FacilitySpec
from app.dispatch import service as dispatch
from app.dispatch.models import Courier, VehicleClass
from app.dispatch.service import ClosedHours

_H = 3600
_EARLY_PEAK = ClosedHours(frozenset({VehicleClass.VAN, VehicleClass.TRUCK}), 7 * _H, 9 * _H)
_REACH = 0.1
"""Degrees from the outlet to the outer corners: nearly all of its customers live within."""
# Outer corners in parts of that reach, north and east of the outlet; each area also has the corner at it.
_DRAWN = (
    ("水果湖", ((0.0, 1.0), (0.55, 1.05), (1.0, 0.7), (1.0, -0.1)), (_EARLY_PEAK,)),
    ("徐家棚", ((1.0, -0.1), (0.95, -0.75), (0.5, -1.05), (-0.1, -1.0)), ()),
    ("白沙洲", ((-0.1, -1.0), (-0.6, -1.0), (-1.0, -0.6), (-1.0, 0.1)), ()),
    ("珞珈山", ((-1.0, 0.1), (-0.95, 0.7), (-0.5, 1.0), (0.0, 1.0)), ()),
)


def draw_areas(
    session: Session,
    dispatcher: Actor,
    outlet: FacilitySpec,
    facility_id: int,
    courier_ids: Sequence[int],
    now: datetime,
) -> None:
    """Draw them round the outlet; two couriers are at home in each.

    Args:
        session: of the demo's tenant.
        dispatcher: who draws.
        outlet: where it lies.
        facility_id: its id.
        courier_ids: its couriers.
        now: the present moment.
    """
    for place, (name, outer, closed) in enumerate(_DRAWN):
        corners = [(0.0, 0.0), *outer]
        area = dispatch.create_area(
            session,
            dispatcher,
            facility_id=facility_id,
            name=name,
            ring=[
                [outlet.latitude + north * _REACH, outlet.longitude + east * _REACH]
                for north, east in corners
            ],
            closed=closed,
            now=now,
        )
        for courier_id in courier_ids[2 * place : 2 * place + 2]:
            dispatch.set_territory(session, session.get_one(Courier, courier_id), [area.id])
