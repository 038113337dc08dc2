"""Event -> handlers: the one table of what reacts to what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app.db.outbox import Event, Handler, Subscriptions, one_by_one
from app.deliveries import service as deliveries
from app.dispatch import queries as dispatch_queries
from app.dispatch import service as dispatch
from app.notices import service as notices
from app.orders import service as orders
from app.servicedesk import service as servicedesk
from app.shipments import merging, replanning
from app.shipments import service as shipments
from app.webhooks import events as webhook_events
from app.webhooks import service as webhooks
from tracking.shipment import Milestone


def _shipments(events: Sequence[Event]) -> set[int]:
    return {event.payload["shipment_id"] for event in events}


def _make_pickup_requests(session: Session, events: Sequence[Event], now: datetime) -> None:
    dispatch.request_pickups(session, _shipments(events), now=now)


def _follow_state_in_dispatch(session: Session, events: Sequence[Event], now: datetime) -> None:
    dispatch.follow_shipments(session, _shipments(events), now=now)


def _follow_at_the_last_door(session: Session, events: Sequence[Event], now: datetime) -> None:
    scanned: dict[int, set[Milestone]] = {}
    for event in events:
        scanned.setdefault(event.payload["shipment_id"], set()).add(Milestone(event.payload["milestone"]))
    deliveries.after_scans(session, scanned, now=now)


def _merge_on_the_way(session: Session, events: Sequence[Event], now: datetime) -> None:
    merging.follow(session, _shipments(events), now=now)


def _post_collected_cash(session: Session, events: Sequence[Event], now: datetime) -> None:
    collected = [
        orders.Collected(
            event.payload,
            dispatch_queries.collector_party(
                session, courier_id=event.payload["courier_id"], facility_id=event.payload["facility_id"]
            ),
        )
        for event in events
    ]
    orders.post_collected_cash(session, collected, now=now)


def _reverse_collected_cash(session: Session, events: Sequence[Event], now: datetime) -> None:
    orders.reverse_collected_cash(session, [event.payload for event in events], now=now)


def _release_orders(session: Session, events: Sequence[Event], now: datetime) -> None:
    # Reversed, so that the first word about a shipment is the one that counts.
    reasons = {event.payload["shipment_id"]: event.payload["reason"] for event in reversed(events)}
    orders.release_for_shipments(session, reasons, now=now)


def _cancel_orders(session: Session, events: Sequence[Event], now: datetime) -> None:
    cancelled = _shipments([event for event in events if _is_cancelled(event)])
    orders.cancel_for_shipments(session, cancelled, reason="shipment_cancelled", now=now)


def _is_cancelled(event: Event) -> bool:
    return event.topic == "shipment.state_changed" and event.payload["milestone"] == Milestone.CANCELLED


@one_by_one
def _follow_merge(session: Session, event: Event, _now: datetime) -> None:
    keep_id, drop_id = event.payload["keep_id"], event.payload["drop_id"]
    for room in (shipments, orders, servicedesk, webhooks, notices, deliveries):
        room.follow_merge(session, keep_id=keep_id, drop_id=drop_id)


@one_by_one
def _replan_shipments(session: Session, event: Event, now: datetime) -> None:
    replanning.replan_after(session, event.payload, now=now)


HANDLERS: Mapping[str, Sequence[Handler]] = {
    # carries keep_id and drop_id
    "customer.merged": (_follow_merge,),
    # carry kind, subject_id, reason and user_id; the last one also how far it has come
    "network.closed": (_replan_shipments,),
    "network.reopened": (_replan_shipments,),
    "shipments.replan": (_replan_shipments,),
    # carries shipment_id
    "shipment.booked": (_make_pickup_requests, webhook_events.tell),
    # carries shipment_id, milestone, code, and whether the milestone is new
    "shipment.state_changed": (
        _merge_on_the_way,  # before a courier is asked for: what is held waits
        _follow_state_in_dispatch,
        _follow_at_the_last_door,
        _cancel_orders,
        webhook_events.tell,
        notices.tell,
    ),
    # carries shipment_id; a scan on the way back to the sender that left the milestone as it was
    "shipment.coming_back": (_follow_state_in_dispatch,),
    # carry shipment_id, scan_key, courier_id or facility_id, amount_minor, currency, means, collected_at
    "cod.collected": (_post_collected_cash,),
    "cod.reversed": (_reverse_collected_cash,),
    # carries shipment_id and why
    "shipment.receipt_confirmed": (_release_orders, webhook_events.tell),
}

_ABOUT_MONEY = frozenset({"cod.collected", "cod.reversed", "shipment.receipt_confirmed"})


def _lock_orders(session: Session, events: Sequence[Event]) -> None:
    """Orders are locked before anything else, and all that the events are about at once."""
    orders.lock_all(
        session,
        shipment_ids=_shipments([one for one in events if one.topic in _ABOUT_MONEY or _is_cancelled(one)]),
        customer_ids={one.payload["drop_id"] for one in events if one.topic == "customer.merged"},
    )


SUBSCRIPTIONS = Subscriptions(HANDLERS, _lock_orders)
