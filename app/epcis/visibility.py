"""Who may see which event: the condition that every question about events needs."""

from __future__ import annotations

import sqlalchemy as sa

from app.accounts.roles import Role, Scope
from app.actor import Actor
from app.epcis.models import EpcisEvent
from app.shipments.models import Shipment


def visible(actor: Actor) -> sa.ColumnElement[bool]:
    """What makes an event one that the asker may know of.

    Staff with `shipments:read` see all of the tenant. A shipper sees those that speak of his parcels and of
    nobody else's: an event is shown whole or not at all.
    """
    if not actor.may(Scope.SHIPMENTS_READ):
        return sa.false()
    if actor.role != Role.SHIPPER:
        return sa.true()
    named = sa.func.unnest(EpcisEvent.numbers).table_valued("number").render_derived(name="named")
    his = (
        sa.select(Shipment.id)
        .where(Shipment.waybill_number == named.c.number, Shipment.customer_id == actor.subject_id)
        .correlate(named)
        .exists()
    )
    others = sa.select(named.c.number).where(~his).correlate(EpcisEvent).exists()
    return sa.and_(sa.func.cardinality(EpcisEvent.numbers) > 0, ~others)
