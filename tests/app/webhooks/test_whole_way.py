"""From a booking to a receiver's door, by the scheduler that runs in production."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime

from app.accounts.roles import Role
from app.config import Settings
from app.scheduler import Scheduler
from app.webhooks import queries, queue, service
from app.webhooks.signing import signature
from app.webhooks.values import EndpointInput, EventType
from tests.app.webhooks.receiver import Receiver
from tests.support.app import Logins
from tests.support.company import company


def test_a_booking_reaches_the_shippers_program(tenant: Logins, settings: Settings, shop: Receiver) -> None:
    tenant.clock.moment = datetime.now(UTC)
    firm = company(tenant)
    with firm.work() as session:
        endpoint, _secret = service.register(
            session,
            tenant.actor(Role.SHIPPER, firm.shipper_id),
            EndpointInput(shop.url, frozenset({EventType.BOOKED})),
            allow_loopback=True,
            now=firm.now,
        )
        endpoint_id = endpoint.id
    number = firm.book()
    scheduler = Scheduler(settings.model_copy(update={"webhooks_to_loopback": True}), jobs=())
    thread = threading.Thread(target=scheduler.run)
    thread.start()
    deadline = time.monotonic() + 60
    while not shop.requests and time.monotonic() < deadline:
        time.sleep(0.05)
    scheduler.stop()
    thread.join()
    (request,) = shop.requests
    assert json.loads(request.body)["data"]["waybill_number"] == number
    with firm.work() as session:
        (key,) = queue.keys_in_force(session, endpoint_id, firm.now)
    assert request.headers["webhook-signature"] == signature(
        key, request.headers["webhook-id"], int(request.headers["webhook-timestamp"]), request.body
    )


def test_without_the_setting_this_machine_is_not_reached(
    tenant: Logins, settings: Settings, shop: Receiver
) -> None:
    """An address that was registered while it was allowed is refused at the door all the same."""
    assert not settings.webhooks_to_loopback
    scheduler = Scheduler(settings, jobs=())
    actor = tenant.actor(Role.ADMIN)
    with tenant.database.unit_of_work(tenant.tenant_id) as session:
        wanted = EndpointInput(shop.url, frozenset(EventType))
        endpoint, _secret = service.register(
            session, actor, wanted, allow_loopback=True, now=datetime.now(UTC)
        )
        service.ping(session, endpoint, now=datetime.now(UTC))
        endpoint_id = endpoint.id
    thread = threading.Thread(target=scheduler.run)
    thread.start()
    deadline = time.monotonic() + 60
    ended = False
    while not ended and time.monotonic() < deadline:
        time.sleep(0.05)
        with tenant.database.unit_of_work(tenant.tenant_id) as session:
            ended = queries.tallies(session, [endpoint_id])[endpoint_id] == queries.Tally(0, 1)
    scheduler.stop()
    thread.join()
    assert ended
    assert shop.connections == 0
