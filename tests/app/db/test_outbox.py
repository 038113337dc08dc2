"""The outbox: an event is handed on once, after its cause is committed, and a failure is kept."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.customers.models import Customer, CustomerKind
from app.db import ending, outbox
from app.db.outbox import ATTEMPTS_MAX, Event, Handler, OutboxEvent, Subscriptions, one_by_one
from app.db.session import Database
from tests.support.app import Logins, StepClock


@pytest.fixture(autouse=True)
def _empty_outbox(database: Database) -> None:
    with database.unit_of_work(None) as session:
        session.execute(sa.delete(OutboxEvent))


def _append(
    database: Database, tenant: Logins, clock: StepClock, topic: str = "test.happened", count: int = 1
) -> None:
    with database.unit_of_work(tenant.tenant_id) as session:
        for number in range(count):
            outbox.append(session, topic, {"number": number}, now=clock())


def test_handlers_run_once_in_the_events_tenant(database: Database, tenant: Logins, clock: StepClock) -> None:
    seen: list[tuple[int, object]] = []

    def handler(session: Session, event: Event, _now: datetime) -> None:
        seen.append((session.info["tenant_id"], event.payload["number"]))

    _append(database, tenant, clock, count=3)
    assert outbox.relay(database, Subscriptions({"test.happened": [one_by_one(handler)]}), clock) == 3
    assert outbox.relay(database, Subscriptions({"test.happened": [one_by_one(handler)]}), clock) == 0
    assert seen == [(tenant.tenant_id, 0), (tenant.tenant_id, 1), (tenant.tenant_id, 2)]


def test_an_event_of_a_rolled_back_cause_never_leaves(
    database: Database, tenant: Logins, clock: StepClock
) -> None:
    with pytest.raises(RuntimeError), database.unit_of_work(tenant.tenant_id) as session:
        outbox.append(session, "test.happened", {}, now=clock())
        raise RuntimeError
    assert outbox.relay(database, Subscriptions({}), clock) == 0


def test_a_failing_handler_undoes_its_work_waits_longer_and_is_given_up_visibly(
    database: Database, tenant: Logins, clock: StepClock
) -> None:
    def handler(session: Session, _event: Event, now: datetime) -> None:
        session.add(Customer(kind=CustomerKind.PERSON, name="half done", created_at=now))
        session.flush()  # the failure must undo what reached the database
        raise ValueError("not today")

    _append(database, tenant, clock)
    waits = []
    for _ in range(ATTEMPTS_MAX):
        assert outbox.relay(database, Subscriptions({"test.happened": [one_by_one(handler)]}), clock) == 1
        with database.unit_of_work(None) as session:
            row = session.scalars(sa.select(OutboxEvent)).one()
            waits.append(row.available_at - clock())
            clock.moment = row.available_at
    assert outbox.relay(database, Subscriptions({"test.happened": [one_by_one(handler)]}), clock) == 0
    assert row.attempts == ATTEMPTS_MAX
    assert row.handled_at is None
    assert row.last_error == "ValueError: not today"
    assert waits == sorted(waits)
    assert waits[0] < timedelta(seconds=5)
    with database.unit_of_work(tenant.tenant_id) as session:
        assert session.scalar(sa.select(Customer).where(Customer.name == "half done")) is None


def test_many_relays_share_the_work_without_doubling_it(
    database: Database, tenant: Logins, clock: StepClock
) -> None:
    handled: list[int] = []
    lock = threading.Lock()

    def handler(_session: Session, event: Event, _now: datetime) -> None:
        with lock:
            handled.append(event.event_id)

    _append(database, tenant, clock, count=60)
    handlers = Subscriptions({"test.happened": [one_by_one(handler)]})
    relays = [threading.Thread(target=outbox.relay, args=(database, handlers, clock)) for _ in range(4)]
    for relay in relays:
        relay.start()
    for relay in relays:
        relay.join()
    assert len(handled) == 60
    assert len(set(handled)) == 60


def test_a_handler_is_given_what_follows_one_another(
    database: Database, tenant: Logins, clock: StepClock
) -> None:
    told: list[tuple[str, list[object]]] = []

    def noted(name: str) -> Handler:
        def handler(_session: Session, events: Sequence[Event], _now: datetime) -> None:
            told.append((name, [event.payload["number"] for event in events]))

        return handler

    _append(database, tenant, clock, count=2)
    _append(database, tenant, clock, "test.other")
    _append(database, tenant, clock)
    handlers = {"test.happened": [noted("first"), noted("second")], "test.other": [noted("other")]}
    assert outbox.relay(database, Subscriptions(handlers), clock) == 4
    assert told == [
        ("first", [0, 1]), ("second", [0, 1]), ("other", [0]), ("first", [0]), ("second", [0]),
    ]  # fmt: skip


def test_one_event_that_fails_takes_no_other_with_it(
    database: Database, tenant: Logins, clock: StepClock
) -> None:
    def handler(session: Session, events: Sequence[Event], now: datetime) -> None:
        for event in events:
            name = f"of {event.payload['number']}"
            session.add(Customer(kind=CustomerKind.PERSON, name=name, created_at=now))
        if any(event.payload["number"] == 1 for event in events):
            raise ValueError("not this one")

    _append(database, tenant, clock, count=3)
    assert outbox.relay(database, Subscriptions({"test.happened": [handler]}), clock) == 3
    with database.unit_of_work(tenant.tenant_id) as session:
        names = set(session.scalars(sa.select(Customer.name)))
        failed = session.scalars(sa.select(OutboxEvent).where(OutboxEvent.handled_at.is_(None))).all()
    assert names == {"of 0", "of 2"}
    assert [(row.payload["number"], row.attempts) for row in failed] == [(1, 1)]


def test_what_all_events_need_is_locked_before_the_first(
    database: Database, tenant: Logins, clock: StepClock
) -> None:
    told: list[tuple[str, list[object]]] = []

    def noted(name: str) -> Handler:
        def handler(_session: Session, events: Sequence[Event], _now: datetime) -> None:
            told.append((name, [event.payload["number"] for event in events]))
            if name == "other":
                raise ValueError("not today")

        return handler

    def lock_first(_session: Session, events: Sequence[Event]) -> None:
        told.append(("lock", [event.payload["number"] for event in events]))

    _append(database, tenant, clock, count=2)
    _append(database, tenant, clock, "test.other")
    handlers = {"test.happened": [noted("handled")], "test.other": [noted("other")]}
    assert outbox.relay(database, Subscriptions(handlers, lock_first), clock) == 3
    at_once = [("lock", [0, 1, 0]), ("handled", [0, 1]), ("other", [0])]
    alone = [("lock", [0]), ("handled", [0]), ("lock", [1]), ("handled", [1]), ("lock", [0]), ("other", [0])]
    assert told == at_once + alone


def test_what_the_commit_refuses_undoes_its_own_event_alone(
    database: Database, tenant: Logins, clock: StepClock
) -> None:
    def at_the_end(session: Session, items: Sequence[int]) -> None:
        for number in items:
            session.add(Customer(kind=CustomerKind.PERSON, name=f"end of {number}", created_at=clock()))
        if 1 in items:
            raise ValueError("refused at the end")

    def handler(session: Session, events: Sequence[Event], _now: datetime) -> None:
        ending.put_off(session, at_the_end, [event.payload["number"] for event in events])

    _append(database, tenant, clock, count=3)
    assert outbox.relay(database, Subscriptions({"test.happened": [handler]}), clock) == 3
    with database.unit_of_work(tenant.tenant_id) as session:
        names = set(session.scalars(sa.select(Customer.name).where(Customer.name.startswith("end of"))))
        failed = session.scalars(sa.select(OutboxEvent).where(OutboxEvent.handled_at.is_(None))).all()
    assert names == {"end of 0", "end of 2"}
    assert [(row.payload["number"], row.last_error) for row in failed] == [
        (1, "ValueError: refused at the end")
    ]
