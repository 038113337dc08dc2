"""What a consignee consents to: no locker, no store and no proxy without his word (Market Measures, 2024).

His word is kept with its time and source, is never overwritten, and can be taken back on the tracking link.
What is said of one parcel and what holds for all are one sequence: the latest word counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.actor import Actor
from app.db.session import tenant_of
from app.deliveries.models import ConsentChannel, ConsentSource, DeliveryConsent
from app.shipments.models import Shipment
from routing.network import Handover

CHANNEL_OF: Mapping[Handover, ConsentChannel] = MappingProxyType(
    {
        Handover.LOCKER: ConsentChannel.LOCKER,
        Handover.STORE: ConsentChannel.STORE,
        Handover.COLLECTIVE_POINT: ConsentChannel.STORE,
    }
)
"""What each hand-over needs consent for; to the door and over the company's own counter none is needed."""


def standing(session: Session, shipment: Shipment) -> dict[ConsentChannel, DeliveryConsent]:
    """The latest word of a shipment's consignee on each channel; a channel he never spoke of is missing."""
    rows = session.scalars(
        sa.select(DeliveryConsent)
        .ext(distinct_on(DeliveryConsent.channel))
        .where(
            DeliveryConsent.customer_id == shipment.consignee_customer_id,
            sa.or_(DeliveryConsent.shipment_id.is_(None), DeliveryConsent.shipment_id == shipment.id),
        )
        .order_by(DeliveryConsent.channel, DeliveryConsent.id.desc())
    )
    return {row.channel: row for row in rows}


def is_granted(session: Session, shipment: Shipment, channel: ConsentChannel) -> bool:
    """Whether the consignee agrees; his own door is taken for agreed until he says otherwise."""
    word = standing(session, shipment).get(channel)
    return channel is ConsentChannel.DOOR if word is None else word.granted


def record(
    session: Session,
    shipment: Shipment,
    channel: ConsentChannel,
    *,
    granted: bool,
    source: ConsentSource,
    now: datetime,
    actor: Actor | None = None,
    this_parcel_only: bool = False,
) -> None:
    """Write down the consignee's word; the same word again is no harm.

    Args:
        session: of the shipment's tenant.
        shipment: through whose link, or about which, he said it.
        channel: what it is about.
        granted: whether it suits him.
        source: how his word came to us.
        now: when.
        actor: who took it down, if it was not himself.
        this_parcel_only: whether it holds for this shipment alone.
    """
    word = standing(session, shipment).get(channel)
    about = shipment.id if this_parcel_only else None
    if word is not None and word.granted == granted and word.shipment_id in (None, about):
        return
    session.add(
        DeliveryConsent(
            tenant_id=tenant_of(session),
            customer_id=shipment.consignee_customer_id,
            shipment_id=about,
            channel=channel,
            granted=granted,
            source=source,
            recorded_by_id=None if actor is None else actor.user_id,
            recorded_at=now,
        )
    )
    session.flush()  # the next question must see it


def follow_merge(session: Session, *, keep_id: int, drop_id: int) -> None:
    """Two customer records became one: what the dropped one said is the kept one's word."""
    session.execute(
        sa.update(DeliveryConsent).where(DeliveryConsent.customer_id == drop_id).values(customer_id=keep_id)
    )
