"""Money in a hurry: relays release and cancel while finance pays, the channel settles and desks cancel.

All of it is about the same orders of one tenant, in orders chosen at random, so that whoever locks crosswise
meets somebody who waits for him. PostgreSQL would end one of the two; here none may be ended, since the one
ended could be a request that somebody waits for.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import sqlalchemy as sa

from app.db import outbox
from app.db.session import Database
from app.ledger import queries as ledger
from app.orders import queries
from app.orders import service as orders
from app.orders.models import Order, OrderStatus, PaymentChannel
from app.subscriptions import SUBSCRIPTIONS
from settlement.money import Money
from tests.app.orders.build import Shop, open_shop
from tests.support.app import StepClock

ROUNDS = 6
ORDERS = 120
CANCELLED = 12
COLLECTED = 24
PAID_AT_ONCE = 30
RELAYED_AT_ONCE = 50
SETTLEMENTS = 15


@dataclass(frozen=True)
class Round:
    """One crowd of orders: the first ones are cancelled, all others are released and, if owed, paid."""

    shop: Shop
    database: Database
    clock: StepClock
    booked: Sequence[Order]
    pick: random.Random

    @property
    def cancelled(self) -> Sequence[Order]:
        return self.booked[:CANCELLED]

    @property
    def kept(self) -> Sequence[Order]:
        return self.booked[CANCELLED:]

    def shuffled(self, some: Sequence[Order]) -> list[Order]:
        return self.pick.sample(list(some), len(some))

    def tell(self) -> None:
        """Receipts and cash at the door, in any order."""
        told = [("shipment.receipt_confirmed", order) for order in self.kept]
        told += [("cod.collected", order) for order in self.kept[:COLLECTED]]
        self.pick.shuffle(told)
        with self.database.unit_of_work(self.shop.tenant_id) as session:
            for topic, order in told:
                outbox.append(session, topic, self._payload(topic, order), now=self.clock())

    def _payload(self, topic: str, order: Order) -> dict[str, object]:
        if topic == "shipment.receipt_confirmed":
            return {"shipment_id": order.shipment_id, "reason": "receipt_confirmed"}
        return {
            "shipment_id": order.shipment_id,
            "scan_key": f"{order.id:032x}",
            "courier_id": None,
            "facility_id": self.shop.world.facilities["HGH-01"],
            "amount_minor": 100,
            "currency": "CNY",
            "means": "cash",
            "collected_at": self.clock().isoformat(),
        }

    def relay(self, others_work: Callable[[], bool]) -> None:
        while True:
            handed_on = outbox.relay(self.database, SUBSCRIPTIONS, self.clock, batch=RELAYED_AT_ONCE)
            if not handed_on:
                if not others_work():
                    return
                time.sleep(0.01)  # as the relay's process rests

    def pay(self) -> None:
        owed = self.shuffled([one for one in self.kept if one.channel is PaymentChannel.MONTHLY_ACCOUNT])
        for start in range(0, len(owed), PAID_AT_ONCE):
            numbers = [order.number for order in owed[start : start + PAID_AT_ONCE]]
            with self.database.unit_of_work(self.shop.tenant_id) as session:
                due = [queries.load_order(session, self.shop.finance, number) for number in numbers]
                orders.pay_many(session, self.shop.finance, due, now=self.clock())

    def cancel(self) -> None:
        for order in self.shuffled(self.cancelled):
            with self.database.unit_of_work(self.shop.tenant_id) as session:
                found = queries.load_order(session, self.shop.agent, order.number)
                orders.cancel(session, self.shop.agent, found, reason="in a hurry", now=self.clock())

    def settle(self) -> None:
        for number in range(SETTLEMENTS):
            with self.database.unit_of_work(self.shop.tenant_id) as session:
                reference = f"{self.booked[0].id}-{number}"
                orders.settle_channel(
                    session,
                    self.shop.finance,
                    amount=Money(10, "CNY"),
                    reference=reference,
                    now=self.clock(),
                )


def test_whoever_touches_the_same_orders_at_once_nobody_is_ended(
    database: Database, new_tenant, clock: StepClock
) -> None:
    shop = open_shop(new_tenant())
    deadlocks_before = _deadlocks(database)
    pick = random.Random(11)
    every: list[Order] = []
    for _round in range(ROUNDS):
        crowd = Database(database.url)
        one = Round(shop, crowd, clock, _book(crowd, shop, clock), pick)
        every += one.booked
        one.tell()
        _all_at_once(one)
        crowd.dispose()  # a connection that ends tells what it has counted
    assert _deadlocks(database) == deadlocks_before
    with database.unit_of_work(shop.tenant_id) as session:
        rows = {order.id: order for order in session.scalars(sa.select(Order))}
        cancelled = [order for order in rows.values() if order.status is OrderStatus.CANCELLED]
        assert len(cancelled) == ROUNDS * CANCELLED
        assert all(
            order.status is OrderStatus.RELEASED and order.paid_at is not None
            for order in rows.values()
            if order not in cancelled
        )
        assert len(rows) == len(every)
        failed = session.scalars(sa.select(outbox.OutboxEvent).where(outbox.OutboxEvent.attempts > 0)).all()
        assert [event.last_error for event in failed] == []
        health = ledger.health(session)
        assert (health.unbalanced_entries, health.wrong_balances) == (0, 0)
        assert health.entries > len(every) * 2
        assert ledger.broken_chain(session) == []


def _book(database: Database, shop: Shop, clock: StepClock) -> list[Order]:
    channels = [PaymentChannel.MONTHLY_ACCOUNT, PaymentChannel.PREPAID]
    bookings = [
        orders.Booking(shop.request(), shop.customer_id, channels[number % 3 == 0], clock())
        for number in range(ORDERS)
    ]
    with database.unit_of_work(shop.tenant_id) as session:
        return orders.book_many(session, shop.agent, bookings)


def _all_at_once(one: Round) -> None:
    start = threading.Barrier(5)

    def others_work() -> bool:
        return any(not job.done() for job in deeds)

    def begin(deed: Callable[[], None]) -> None:
        start.wait()
        deed()

    with ThreadPoolExecutor(5) as pool:
        deeds = [pool.submit(begin, deed) for deed in (one.pay, one.cancel, one.settle)]
        relays = [pool.submit(begin, lambda: one.relay(others_work)) for _ in range(2)]
        for job in (*deeds, *relays):
            job.result(timeout=120)


def _deadlocks(database: Database) -> int:
    with database.unit_of_work(None) as session:
        found = session.scalar(
            sa.text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        )
    assert isinstance(found, int)
    return found
