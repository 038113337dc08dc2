"""kill -9 in the middle of a delivery: the same message comes again under the same id, and none is lost."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.accounts.roles import Role
from app.db.session import Database
from app.webhooks import events, service
from app.webhooks.models import MessageState, WebhookAttempt, WebhookMessage
from app.webhooks.values import EndpointInput, EventType
from tests.app.webhooks.receiver import Receiver, Request, answering, receiver
from tests.support.app import Logins

REPOSITORY = Path(__file__).resolve().parents[2]
MESSAGES, ENDPOINTS, KILLS = 40, 5, 3


@contextmanager
def deliverer(url: str) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen([sys.executable, "-m", "tests.faults.webhook_child", url], cwd=REPOSITORY)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def eventually(question: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.05)


def registered(tenant: Logins, shop: Receiver, count: int) -> list[int]:
    """Endpoints at a receiver, by the real clock, which the child goes by."""
    wanted = EndpointInput(shop.url, frozenset(EventType))
    admin = tenant.actor(Role.ADMIN)
    made = []
    with tenant.database.unit_of_work(tenant.tenant_id) as session:
        for _ in range(count):
            endpoint, _secret = service.register(
                session, admin, wanted, allow_loopback=True, now=datetime.now(UTC)
            )
            made.append(endpoint.id)
    return made


def enqueue(tenant: Logins, endpoint_ids: list[int], count: int) -> None:
    with tenant.database.unit_of_work(tenant.tenant_id) as session:
        for number in range(count):
            events.add_messages(
                session,
                tenant.tenant_id,
                endpoint_ids,
                event_type=EventType.BOOKED,
                event_key=f"test:{events.new_message_key()}",
                body=json.dumps({"number": number}),
                now=datetime.now(UTC),
            )


def waiting(database: Database) -> int:
    with database.unit_of_work(None) as session:
        return session.scalar(
            sa.select(sa.func.count())
            .select_from(WebhookMessage)
            .where(WebhookMessage.state == MessageState.WAITING)
        ) or 0  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_left(database: Database) -> Iterator[None]:
    yield
    with database.unit_of_work(None) as session:
        session.execute(sa.delete(WebhookMessage))


def test_killed_between_sending_and_writing_down(
    tenant: Logins, database: Database, database_url: str
) -> None:
    """The receiver has it, we do not know: it is sent again, so that it can be known by its id."""
    arrived, over = threading.Event(), threading.Event()

    def slow_first(connection: socket.socket, request: Request) -> None:
        if not arrived.is_set():
            arrived.set()
            over.wait(30)
        answering(200)(connection, request)

    with receiver(slow_first) as shop:
        enqueue(tenant, registered(tenant, shop, 1), 1)
        with deliverer(database_url) as child:
            assert arrived.wait(60), "nothing was sent"
            child.kill()
            child.wait()
        over.set()
        with deliverer(database_url):
            eventually(lambda: waiting(database) == 0, "the message is delivered by another")
    first, second = shop.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    with database.unit_of_work(None) as session:
        (message,) = session.scalars(sa.select(WebhookMessage)).all()
        assert message.state is MessageState.DELIVERED
        assert message.attempts == 1, "what the dead one did not write down was not counted"


def test_killed_again_and_again_under_load(tenant: Logins, database: Database, database_url: str) -> None:
    with receiver(answering(200)) as shop:
        enqueue(tenant, registered(tenant, shop, ENDPOINTS), MESSAGES)
        total = MESSAGES * ENDPOINTS
        for kill in range(1, KILLS + 1):
            with deliverer(database_url) as child:
                goal = total * kill // (KILLS + 2)
                eventually(lambda goal=goal: len(shop.requests) >= goal, f"{goal} arrive")  # type: ignore[misc]
                child.kill()
        with deliverer(database_url):
            eventually(lambda: waiting(database) == 0, "everything is delivered")
    # One that was killed while it wrote its headers has told nothing yet.
    whole = [request for request in shop.requests if "webhook-id" in request.headers]
    times = Counter(request.headers["webhook-id"] for request in whole)
    with database.unit_of_work(None) as session:
        known = session.scalars(sa.select(WebhookMessage.message_key)).all()
        attempts = session.scalar(sa.select(sa.func.count()).select_from(WebhookAttempt))
    assert set(times) == set(known), "none is lost, none invented"
    # At each kill at most one message an endpoint was on its way.
    assert sum(times.values()) - total <= KILLS * ENDPOINTS
    assert attempts == total
