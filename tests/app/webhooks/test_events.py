"""From the outbox to the queue: who is told of what, once, and with how much of a person."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from app.accounts.roles import Role
from app.actor import Actor
from app.customers import service as customers
from app.db.outbox import Event, OutboxEvent
from app.webhooks import events, service
from app.webhooks.models import WebhookEndpoint, WebhookMessage
from app.webhooks.values import EventType
from tests.app.webhooks.conftest import WANTED
from tests.support.app import Logins
from tests.support.company import Company, company
from tracking.shipment import Milestone


@pytest.fixture(scope="module")
def firm(tenant: Logins) -> Company:
    return company(tenant)


@pytest.fixture(autouse=True)
def _nothing_from_before(firm: Company) -> None:
    firm.relay()
    with firm.work() as session:
        session.execute(sa.delete(WebhookEndpoint))


def register(firm: Company, actor: Actor, **changes: object) -> int:
    with firm.work() as session:
        wanted = replace(WANTED, **changes)  # type: ignore[arg-type]
        endpoint, _secret = service.register(session, actor, wanted, allow_loopback=True, now=firm.now)
        return endpoint.id


def told(firm: Company, endpoint_id: int) -> list[dict[str, object]]:
    with firm.work() as session:
        return [
            json.loads(body)
            for body in session.scalars(
                sa.select(WebhookMessage.body)
                .where(WebhookMessage.endpoint_id == endpoint_id)
                .order_by(WebhookMessage.id)
            )
        ]


def test_a_parcels_life_is_told_in_its_order(firm: Company) -> None:
    endpoint_id = register(firm, firm.logins.actor(Role.SHIPPER, firm.shipper_id))
    number = firm.book()
    firm.relay()
    firm.deliver(number)
    with firm.work() as session:
        shipment = firm.shipment(number)
        from app.shipments import service as shipments_service

        shipments_service.confirm_receipt(session, session.merge(shipment), now=firm.now, by="consignee")
    firm.relay()
    found = told(firm, endpoint_id)
    types = [one["type"] for one in found]
    assert types[0] == "shipment.booked"
    assert types[-1] == "shipment.receipt_confirmed"
    assert set(types[1:-1]) == {"shipment.state_changed"}
    assert all(set(one) == {"type", "timestamp", "data"} for one in found)
    milestones = [one["data"]["milestone"] for one in found]  # type: ignore[index]
    assert milestones[0] == "booked"
    assert milestones[-1] == "delivered"
    assert {one["data"]["waybill_number"] for one in found} == {number}  # type: ignore[index]


def test_nothing_of_a_person_is_told_that_a_label_would_hide(firm: Company) -> None:
    endpoint_id = register(firm, firm.logins.actor(Role.ADMIN))
    number = firm.book()
    firm.relay()
    shipment = firm.shipment(number)
    (message,) = told(firm, endpoint_id)
    text = json.dumps(message, ensure_ascii=False)
    for hidden in (
        shipment.consignee_name,
        shipment.consignee_phone.removeprefix("+86"),
        shipment.consignee_address,
        shipment.sender_name,
        shipment.sender_phone.removeprefix("+86"),
        shipment.sender_address,
    ):
        assert hidden not in text
    consignee = message["data"]["consignee"]  # type: ignore[index]
    assert "*" in consignee["name"]
    assert consignee["phone"].count("*") >= 6


def test_each_shipper_is_told_of_his_own_and_the_company_of_all(
    firm: Company, new_tenant: Callable[[], Logins]
) -> None:
    mine = register(firm, firm.logins.actor(Role.SHIPPER, firm.shipper_id))
    theirs = register(firm, firm.logins.actor(Role.SHIPPER, firm.other_shipper_id))
    everything = register(firm, firm.logins.actor(Role.ADMIN))
    abroad = new_tenant()
    with abroad.database.unit_of_work(abroad.tenant_id) as session:
        foreign, _secret = service.register(
            session, abroad.actor(Role.ADMIN), WANTED, allow_loopback=True, now=abroad.clock()
        )
    first, second = firm.book(), firm.book(customer_id=firm.other_shipper_id)
    firm.relay()

    def numbers(endpoint_id: int) -> list[object]:
        return [one["data"]["waybill_number"] for one in told(firm, endpoint_id)]  # type: ignore[index]

    assert numbers(mine) == [first]
    assert numbers(theirs) == [second]
    assert sorted(map(str, numbers(everything))) == sorted([first, second])
    assert numbers(foreign.id) == []


def test_only_what_was_subscribed_to(firm: Company) -> None:
    admin = firm.logins.actor(Role.ADMIN)
    only_booked = register(firm, admin, event_types=frozenset({EventType.BOOKED}))
    only_ends = register(
        firm,
        admin,
        event_types=frozenset({EventType.STATE_CHANGED}),
        milestones=frozenset({Milestone.DELIVERED, Milestone.LOST}),
    )
    paused = register(firm, admin)
    with firm.work() as session:
        service.pause(session, admin, session.get_one(WebhookEndpoint, paused), now=firm.now)
    firm.deliver(firm.book())
    assert [one["type"] for one in told(firm, only_booked)] == ["shipment.booked"]
    assert [one["data"]["milestone"] for one in told(firm, only_ends)] == ["delivered"]  # type: ignore[index]
    assert told(firm, paused) == []


def test_an_event_that_is_relayed_twice_makes_one_message(firm: Company) -> None:
    endpoint_id = register(firm, firm.logins.actor(Role.ADMIN))
    firm.book()
    with firm.work() as session:
        row = session.scalars(sa.select(OutboxEvent).order_by(OutboxEvent.id.desc()).limit(1)).one()
        event = Event(row.id, row.tenant_id, row.topic, row.payload, row.created_at)
        for _ in range(2):
            events.tell(session, [event], firm.now)
    firm.relay()
    assert len(told(firm, endpoint_id)) == 1


def test_an_event_tells_what_was_when_it_was_written(firm: Company) -> None:
    """The relay may be late: the parcel has gone on, and its other events will say so."""
    endpoint_id = register(firm, firm.logins.actor(Role.ADMIN))
    number = firm.book()
    firm.record(firm.life(number))
    firm.relay()
    milestones = [one["data"]["milestone"] for one in told(firm, endpoint_id)]  # type: ignore[index]
    assert milestones[0] == "booked"
    assert milestones[-1] == "delivered"


def test_a_merged_customers_endpoints_go_with_him(firm: Company) -> None:
    shipper = firm.logins.actor(Role.SHIPPER, firm.other_shipper_id)
    endpoint_id = register(firm, shipper)
    with firm.work() as session:
        service.follow_merge(session, keep_id=firm.private_id, drop_id=firm.other_shipper_id)
    with firm.work() as session:
        assert session.get_one(WebhookEndpoint, endpoint_id).customer_id == firm.private_id
    assert callable(customers.merge)


def test_ids_of_messages_are_long_random_and_plain() -> None:
    keys = {events.new_message_key() for _ in range(1000)}
    assert len(keys) == 1000
    assert all(key.startswith("msg_") and key[4:].isalnum() and len(key) == 31 for key in keys)
