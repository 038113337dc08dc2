"""What people want on the demo's last day: instructions of all kinds, a dispute, numbers handed on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.deliveries import queries as deliveries_queries
from app.deliveries import service as deliveries
from app.deliveries import targets
from app.deliveries.models import Instruction
from app.deliveries.point_models import DisputeKind, PointDeposit
from app.deliveries.service import Asking, Window, Wish
from app.demo.setup import Company
from app.shipments import forwarding
from app.shipments.models import Shipment
from routing.network import Handover
from tracking.instructions import InstructionKind
from tracking.shipment import Milestone

_EACH = 2
_HANDED_ON = ("1Z5R89390357567127", "RB123456785GB")


def ask_around(session: Session, company: Company, now: datetime) -> None:
    """Ask for something about parcels that are under way now; where there are none, nothing is asked."""
    by_shipper = deliveries_queries.asking(company.staff["shipper"])
    by_staff = deliveries_queries.asking(company.staff["agent"])
    by_link = deliveries_queries.BY_LINK
    for shipment in _underway(session, Milestone.ATTEMPT_FAILED, _EACH):
        day = deliveries.redelivery_days(session, shipment, now)[0]
        wish = Wish(InstructionKind.REDELIVER, day=day, window=Window.MORNING, note="请先打电话")
        deliveries.ask(session, shipment, wish, by_link, now=now)
    for shipment in _underway(session, Milestone.IN_TRANSIT, _EACH):
        _redirect(session, shipment, by_link, now)
    own = Shipment.customer_id == company.staff["shipper"].subject_id
    for kind, asking, condition in (
        (InstructionKind.HOLD_AT_OUTLET, by_link, sa.true()),
        (InstructionKind.INTERCEPT, by_shipper, own),
        (InstructionKind.RETURN_TO_SENDER, by_shipper, own),
        (InstructionKind.RETURN_TO_SENDER, by_staff, sa.true()),
    ):
        for shipment in _underway(session, Milestone.IN_TRANSIT, _EACH, condition):
            deliveries.ask(session, shipment, Wish(kind), asking, now=now)
    _dispute(session, now)
    for number, shipment in zip(
        _HANDED_ON, _underway(session, Milestone.IN_TRANSIT, len(_HANDED_ON)), strict=False
    ):
        forwarding.forward(session, company.staff["dispatcher"], shipment, number, None, now=now)


def _redirect(session: Session, shipment: Shipment, asking: Asking, now: datetime) -> None:
    """To another place of the city where there is one, else to another door of the district."""
    points = [
        one for one in targets.points_in_city(session, shipment) if one.id != shipment.destination_facility_id
    ]
    if points:
        wish = Wish(InstructionKind.REDIRECT, facility_id=points[-1].id)
    else:
        adcode = shipment.consignee_district_adcode
        wish = Wish(InstructionKind.REDIRECT, district_adcode=adcode, address="人民路 88 号 2 楼")
    deliveries.ask(session, shipment, wish, asking, now=now)


def _dispute(session: Session, now: datetime) -> None:
    """Somebody stands at the locker, and what should be in it is not."""
    found = session.scalar(
        sa.select(Shipment)
        .join(PointDeposit, PointDeposit.shipment_id == Shipment.id)
        .where(PointDeposit.taken_at.is_(None), PointDeposit.taken_back_at.is_(None))
        .order_by(PointDeposit.deposited_at.desc(), Shipment.consignee_phone)
        .limit(1)
    )
    if found is not None:
        body = "柜门打开是空的，没有我的快件。"
        deliveries.dispute(session, found, DisputeKind.NOT_THERE, body=body, phone=None, now=now)


def _underway(
    session: Session, milestone: Milestone, limit: int, condition: sa.ColumnElement[bool] | None = None
) -> Sequence[Shipment]:
    """Parcels to a door that nobody has asked anything about, in an order that is the same in every load."""
    asked = sa.select(Instruction.shipment_id).scalar_subquery()
    return session.scalars(
        sa.select(Shipment)
        .where(
            Shipment.milestone == milestone,
            Shipment.delivery_handover == Handover.DOOR,
            Shipment.merge_group_id.is_(None),
            Shipment.id.not_in(asked),
            sa.true() if condition is None else condition,
        )
        .order_by(Shipment.booked_at, Shipment.sender_phone, Shipment.consignee_phone)
        .limit(limit)
    ).all()
