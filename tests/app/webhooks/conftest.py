"""A company whose shipper has a webhook, a receiver for it, and a deliverer that is stepped by hand."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest
import sqlalchemy as sa

from app.accounts.roles import Role
from app.actor import Actor
from app.db.session import Database
from app.notify.models import Notification
from app.webhooks import events, service
from app.webhooks.client import Client, Poster
from app.webhooks.delivering import Deliverer
from app.webhooks.models import WebhookAttempt, WebhookEndpoint, WebhookMessage
from app.webhooks.values import EndpointInput, EventType
from tests.app.webhooks.receiver import Receiver
from tests.support.app import Logins, StepClock

WANTED = EndpointInput("http://127.0.0.1:9000/hooks", frozenset(EventType), contact_email="dev@shop.example")


@dataclass
class Post:
    """The webhooks of one tenant."""

    logins: Logins
    admin: Actor
    made: list[Deliverer] = field(default_factory=list)

    @property
    def database(self) -> Database:
        return self.logins.database

    @property
    def clock(self) -> StepClock:
        return self.logins.clock

    def endpoint(self, url: str, **changes: object) -> int:
        """Register an endpoint of the company's own; gives its id."""
        wanted = replace(WANTED, url=url, **changes)  # type: ignore[arg-type]
        with self.database.unit_of_work(self.logins.tenant_id) as session:
            endpoint, _secret = service.register(
                session, self.admin, wanted, allow_loopback=True, now=self.clock()
            )
            return endpoint.id

    def waiting(self, *endpoint_ids: int, count: int = 1) -> None:
        """Put messages into the queue of endpoints."""
        with self.database.unit_of_work(self.logins.tenant_id) as session:
            for number in range(count):
                events.add_messages(
                    session,
                    self.logins.tenant_id,
                    endpoint_ids,
                    event_type=EventType.STATE_CHANGED,
                    event_key=f"test:{events.new_message_key()}",
                    body=f'{{"number":{number}}}',
                    now=self.clock(),
                )

    def deliverer(self, **options: object) -> Deliverer:
        options.setdefault("poster", Client(allow_loopback=True, timeout_s=1.0))
        options.setdefault("threads", 4)
        options.setdefault("chance", random.Random(1))
        poster = options.pop("poster")
        made = Deliverer(self.database, self.clock, poster, **options)  # type: ignore[arg-type]
        self.made.append(made)
        return made

    def deliver(self, poster: Poster | None = None, **options: object) -> None:
        """Deliver until nothing is due and nothing on its way."""
        if poster is not None:
            options["poster"] = poster
        deliverer = self.deliverer(**options)
        while True:
            busy = deliverer.busy  # looked at first: who ends in between may leave more behind
            if not deliverer.step() and not busy:
                break
            time.sleep(0.005)
        deliverer.close()

    def messages(self, endpoint_id: int) -> list[WebhookMessage]:
        with self.database.unit_of_work(self.logins.tenant_id) as session:
            return list(
                session.scalars(
                    sa.select(WebhookMessage)
                    .where(WebhookMessage.endpoint_id == endpoint_id)
                    .order_by(WebhookMessage.id)
                )
            )

    def attempts(self, endpoint_id: int) -> list[WebhookAttempt]:
        with self.database.unit_of_work(self.logins.tenant_id) as session:
            return list(
                session.scalars(
                    sa.select(WebhookAttempt)
                    .join(WebhookMessage, WebhookMessage.id == WebhookAttempt.message_id)
                    .where(WebhookMessage.endpoint_id == endpoint_id)
                    .order_by(WebhookAttempt.id)
                )
            )

    def state(self, endpoint_id: int) -> WebhookEndpoint:
        with self.database.unit_of_work(self.logins.tenant_id) as session:
            return session.get_one(WebhookEndpoint, endpoint_id)

    def at(self, moment: datetime) -> None:
        """Set the clock."""
        self.clock.moment = moment


@pytest.fixture(scope="module")
def admin(tenant: Logins) -> Actor:
    return tenant.actor(Role.ADMIN)


@pytest.fixture
def post(tenant: Logins, admin: Actor) -> Iterator[Post]:
    made = Post(tenant, admin)
    yield made
    for deliverer in made.made:
        deliverer.close()
    with made.database.unit_of_work(None) as session:
        # A deliverer sees every tenant: what one test leaves waiting is not to be sent by the next.
        session.execute(sa.delete(WebhookEndpoint))
        session.execute(sa.delete(Notification))


@pytest.fixture
def shop() -> Iterator[Receiver]:
    """A receiver that takes everything, until a test tells it otherwise."""
    made = Receiver()
    yield made
    made.stop()
