"""Events as they are told outside: `{type, timestamp, data}`, with no more of a person than a label shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.actor import new_secret
from app.customers.identities import local_phone
from app.db.outbox import Event
from app.masking import mask_name, mask_phone
from app.network.models import District, Facility
from app.shipments.models import Shipment
from app.webhooks.models import EndpointState, MessageState, WebhookEndpoint, WebhookMessage
from app.webhooks.values import EventType
from tracking.shipment import Milestone

_KEY_LENGTH = 27


def tell(session: Session, events: Sequence[Event], now: datetime) -> None:
    """Make messages of events of one topic for endpoints that want them; told twice, there is no second."""
    event_type = EventType(events[0].topic)
    endpoints = _listening(session, event_type)
    if not endpoints:
        return
    ids = sorted({event.payload["shipment_id"] for event in events})
    shipments = {
        shipment.id: shipment
        for shipment in session.scalars(
            sa.select(Shipment).where(Shipment.id == sa.any_(sa.literal(ids, sa.ARRAY(sa.BigInteger))))
        )
    }
    for event in events:
        shipment = shipments[event.payload["shipment_id"]]
        wanted_by = [one.id for one in endpoints if _wants(one, shipment, event, event_type)]
        if wanted_by:
            _tell(session, shipment, wanted_by, event, event_type, now)


def _tell(
    session: Session,
    shipment: Shipment,
    endpoint_ids: Sequence[int],
    event: Event,
    event_type: EventType,
    now: datetime,
) -> None:
    data = _data(session, shipment, event, event_type)
    add_messages(
        session,
        event.tenant_id,
        endpoint_ids,
        event_type=event_type,
        event_key=f"outbox:{event.event_id}",
        body=document(event_type, event.created_at, data),
        now=now,
    )


def document(event_type: str, at: datetime, data: dict[str, Any]) -> str:
    """The body of a message; these very characters are signed and sent."""
    return msgspec.json.encode({"type": event_type, "timestamp": at.isoformat(), "data": data}).decode()


def add_messages(
    session: Session,
    tenant_id: int,
    endpoint_ids: Sequence[int],
    *,
    event_type: str,
    event_key: str,
    body: str,
    now: datetime,
) -> None:
    """Put a message for each endpoint in the queue, unless it has one of this event."""
    session.execute(
        insert(WebhookMessage)
        .values(
            [
                {
                    "tenant_id": tenant_id,
                    "endpoint_id": endpoint_id,
                    "message_key": new_message_key(),
                    "event_key": event_key,
                    "event_type": event_type,
                    "body": body,
                    "state": MessageState.WAITING,
                    "created_at": now,
                    "released_at": now,
                    "due_at": now,
                }
                for endpoint_id in endpoint_ids
            ]
        )
        .on_conflict_do_nothing(index_elements=["endpoint_id", "event_key"])
    )


def new_message_key() -> str:
    """A message's id: what a receiver recognises a repeated delivery by."""
    return f"msg_{new_secret().replace('-', 'A').replace('_', 'B')[:_KEY_LENGTH]}"


def _listening(session: Session, event_type: EventType) -> Sequence[WebhookEndpoint]:
    """The active endpoints of the company that subscribed to a kind of event."""
    return session.scalars(
        sa.select(WebhookEndpoint)
        .where(
            WebhookEndpoint.state == EndpointState.ACTIVE, WebhookEndpoint.event_types.contains([event_type])
        )
        .order_by(WebhookEndpoint.id)
    ).all()


def _wants(endpoint: WebhookEndpoint, shipment: Shipment, event: Event, event_type: EventType) -> bool:
    """Whether an endpoint, of the shipment's customer or of the whole company, wants to hear of an event."""
    if endpoint.customer_id not in (None, shipment.customer_id):
        return False
    if event_type is not EventType.STATE_CHANGED or not endpoint.milestones:
        return True
    return event.payload["milestone"] in endpoint.milestones


def _data(session: Session, shipment: Shipment, event: Event, event_type: EventType) -> dict[str, Any]:
    """A shipment as it stood when the event was written; later events tell what came later."""
    milestone, code = _as_it_stood(shipment, event, event_type)
    stands_so = (shipment.milestone, shipment.code) == (milestone, code)
    found: dict[str, Any] = {
        "waybill_number": shipment.waybill_number,
        "reference": shipment.reference,
        "milestone": milestone,
        "code": code,
        "since": (shipment.state_since if stands_so else event.created_at).isoformat(),
        "city": _city(session, shipment) if stands_so else None,
        "promised_from": shipment.promised_from_at.isoformat(),
        "promised_to": shipment.promised_to_at.isoformat(),
        "pieces": shipment.pieces,
        "service": shipment.service.value,
        "consignee": {
            "name": mask_name(shipment.consignee_name),
            "phone": mask_phone(local_phone(shipment.consignee_phone)),
            "district_adcode": shipment.consignee_district_adcode,
        },
    }
    if event_type is EventType.RECEIPT_CONFIRMED:
        found["reason"] = event.payload["reason"]
    return found


def _as_it_stood(shipment: Shipment, event: Event, event_type: EventType) -> tuple[str, str]:
    if event_type is EventType.STATE_CHANGED:
        return event.payload["milestone"], event.payload["code"]
    if event_type is EventType.BOOKED:
        return Milestone.BOOKED.value, "booked"
    return shipment.milestone.value, shipment.code.value


def _city(session: Session, shipment: Shipment) -> str | None:
    if shipment.state_facility_id is None:
        return None
    return session.scalar(
        sa.select(District.city_name)
        .join(Facility, Facility.district_adcode == District.adcode)
        .where(Facility.id == shipment.state_facility_id)
    )
