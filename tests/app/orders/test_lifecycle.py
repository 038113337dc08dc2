"""An order's money after booking: released once, cancelled before collection, paid, settled."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.db.ending import LockOrderError
from app.errors import ConflictError
from app.ledger import queries as ledger
from app.orders import jobs, queries
from app.orders import service as orders
from app.orders.models import Order, OrderStatus, PaymentChannel
from app.shipments.models import Shipment
from settlement.errors import EntryConflictError
from settlement.ledger import AccountKey, Purpose
from settlement.money import Money
from settlement.payout import HoldReason
from tests.app.orders.build import Shop, open_shop


@pytest.fixture
def fresh(new_tenant) -> Shop:
    """A shop of its own, so that sums can be told."""
    return open_shop(new_tenant())


def book(database, shop: Shop, channel: PaymentChannel = PaymentChannel.PREPAID) -> Order:
    with database.unit_of_work(shop.tenant_id) as session:
        return shop.book(session, channel)


def totals(database, shop: Shop) -> dict[str, int]:
    with database.unit_of_work(shop.tenant_id) as session:
        health = ledger.health(session)
        assert (health.unbalanced_entries, health.wrong_balances) == (0, 0)
        found = ledger.totals_by_purpose(session)
    return {purpose.value: minor for (purpose, _currency), minor in found.items() if minor}


def test_receipt_releases_what_was_held_once(database, fresh: Shop, clock):
    order = book(database, fresh)
    assert totals(database, fresh) == {"channel_clearing": 2600, "held": -2600}
    for _ in range(2):
        with database.unit_of_work(fresh.tenant_id) as session:
            orders.release_for_shipments(
                session, {order.shipment_id: "receipt_confirmed"}, now=clock.forward(hours=1)
            )
    with database.unit_of_work(fresh.tenant_id) as session:
        released = queries.load_order(session, fresh.finance, order.number)
        assert (released.status, released.release_reason) == (OrderStatus.RELEASED, "receipt_confirmed")
        platform = [s.amount_minor for s in released.shares if s.role == "platform"]
        assert [e.kind for e in queries.entries_of(session, released)][2:] == ["receipt_released"]
    after = totals(database, fresh)
    assert after["available"] == -2600
    assert "held" not in after
    assert after["platform_revenue"] == -platform[0]


def test_two_who_release_at_once_release_once(database, fresh: Shop, clock):
    order = book(database, fresh)
    start = threading.Barrier(4)
    moments = [clock.forward(seconds=1) for _ in range(4)]

    def release(moment) -> None:
        start.wait()
        with database.unit_of_work(fresh.tenant_id) as session:
            orders.release_for_shipments(session, {order.shipment_id: "receipt_confirmed"}, now=moment)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(release, moments))
    assert totals(database, fresh)["available"] == -2600


def test_a_cancelled_booking_leaves_no_money(database, fresh: Shop, clock):
    order = book(database, fresh)
    with database.unit_of_work(fresh.tenant_id) as session:
        found = queries.load_order(session, fresh.agent, order.number)
        orders.cancel(session, fresh.agent, found, reason="wrong address", now=clock.forward(minutes=5))
    assert totals(database, fresh) == {}
    with database.unit_of_work(fresh.tenant_id) as session:
        found = queries.load_order(session, fresh.agent, order.number)
        assert found.status is OrderStatus.CANCELLED
        assert session.get_one(Shipment, found.shipment_id).milestone == "cancelled"
        with pytest.raises(ConflictError):
            orders.cancel(session, fresh.agent, found, reason="again", now=clock())
        orders.cancel_for_shipments(session, [found.shipment_id], reason="scan", now=clock())
        orders.release_for_shipments(session, {found.shipment_id: "x"}, now=clock())
        assert found.cancel_reason == "wrong address"
        with pytest.raises(ConflictError):
            orders.pay(session, fresh.finance, _unpaid(found), now=clock())
    assert totals(database, fresh) == {}


def _unpaid(order: Order) -> Order:
    order.paid_at, order.paid_minor = None, 0
    return order


def test_a_released_order_is_not_cancelled(database, fresh: Shop, clock):
    order = book(database, fresh)
    with database.unit_of_work(fresh.tenant_id) as session:
        orders.release_for_shipments(session, {order.shipment_id: "r"}, now=clock())
    with pytest.raises(ConflictError), database.unit_of_work(fresh.tenant_id) as session:
        found = queries.load_order(session, fresh.agent, order.number)
        orders.cancel(session, fresh.agent, found, reason="late", now=clock())
    assert totals(database, fresh)["available"] == -2600


def test_what_nobody_paid_is_released_and_kept_back(database, fresh: Shop, clock):
    order = book(database, fresh, PaymentChannel.MONTHLY_ACCOUNT)
    with database.unit_of_work(fresh.tenant_id) as session:
        assert queries.awaiting_funds(session, "CNY") == ()
        orders.release_for_shipments(session, {order.shipment_id: "r"}, now=clock())
    with database.unit_of_work(fresh.tenant_id) as session:
        holds = queries.awaiting_funds(session, "CNY")
        assert sum(hold.amount.amount_minor for hold in holds) == 2600
        assert {hold.reason for hold in holds} == {HoldReason.AWAITING_FUNDS}
        standing = queries.standing(session, fresh.finance, "CNY")
        assert (standing.unpaid, standing.released_unpaid, standing.held_minor) == (1, 1, 0)
        found = queries.load_order(session, fresh.finance, order.number)
        orders.pay(session, fresh.finance, found, now=clock())
    with database.unit_of_work(fresh.tenant_id) as session:
        assert queries.awaiting_funds(session, "CNY") == ()


def test_the_channel_hands_over_what_it_confirmed_once(database, fresh: Shop, clock):
    book(database, fresh)
    for _ in range(2):
        with database.unit_of_work(fresh.tenant_id) as session:
            orders.settle_channel(
                session,
                fresh.finance,
                amount=Money(2000, "CNY"),
                reference="B1",
                now=clock.forward(hours=1),
            )
    assert totals(database, fresh) == {"channel_clearing": 600, "custody": 2000, "held": -2600}
    with pytest.raises(ConflictError), database.unit_of_work(fresh.tenant_id) as session:
        orders.settle_channel(session, fresh.finance, amount=Money(601, "CNY"), reference="B2", now=clock())
    with pytest.raises(EntryConflictError), database.unit_of_work(fresh.tenant_id) as session:
        orders.settle_channel(session, fresh.finance, amount=Money(1999, "CNY"), reference="B1", now=clock())


def test_whoever_locks_an_order_after_a_later_one_is_told(database, fresh: Shop, clock):
    first, second = book(database, fresh), book(database, fresh)
    with database.unit_of_work(fresh.tenant_id) as session:
        orders.release_for_shipments(session, {first.shipment_id: "r", second.shipment_id: "r"}, now=clock())
        orders.release_for_shipments(session, {first.shipment_id: "r"}, now=clock())
    with pytest.raises(LockOrderError), database.unit_of_work(fresh.tenant_id) as session:
        orders.release_for_shipments(session, {second.shipment_id: "r"}, now=clock())
        orders.release_for_shipments(session, {first.shipment_id: "r"}, now=clock())
    with pytest.raises(LockOrderError), database.unit_of_work(fresh.tenant_id) as session:
        orders.settle_channel(session, fresh.finance, amount=Money(1, "CNY"), reference="B", now=clock())
        orders.release_for_shipments(session, {first.shipment_id: "r"}, now=clock())


def test_what_waits_to_be_posted_is_known_to_its_transaction(database, fresh: Shop, clock):
    with database.unit_of_work(fresh.tenant_id) as session:
        order = fresh.book(session)
        orders.cancel(session, fresh.agent, order, reason="changed his mind", now=clock.forward(minutes=1))
    assert totals(database, fresh) == {}
    with database.unit_of_work(fresh.tenant_id) as session:
        kinds = [entry.kind for entry in queries.entries_of(session, order)]
        assert kinds == ["order_placed_split_held", "paid", "reversal", "reversal"]
        assert ledger.broken_chain(session) == []


def test_the_clock_releases_what_was_delivered_long_ago(database, fresh: Shop, new_tenant, settings, clock):
    other = open_shop(new_tenant())
    booked = [book(database, shop) for shop in (fresh, other, fresh)]
    too_new = book(database, fresh)
    delivered_at = clock.forward(days=2)
    with database.unit_of_work(None) as session:
        for order, moment in (
            *((order, delivered_at) for order in booked),
            (too_new, delivered_at + timedelta(days=1)),
        ):
            session.execute(
                sa.update(Shipment)
                .where(Shipment.shipment_id == order.shipment_id)
                .values(delivered_at=moment)
            )
    now = delivered_at + timedelta(days=settings.auto_confirm_days)
    with database.unit_of_work(None) as session:
        assert jobs.release_unconfirmed(session, settings, now) == 3
        assert session.info["tenant_id"] is None
    with database.unit_of_work(None) as session:
        assert jobs.release_unconfirmed(session, settings, now) == 0
        statuses = dict(session.execute(sa.select(Order.id, Order.status)).all())
        reason = session.get_one(Order, booked[0].id).release_reason
    assert [statuses[order.id] for order in booked] == [OrderStatus.RELEASED] * 3
    assert statuses[too_new.id] is OrderStatus.HELD
    assert reason == jobs.AUTO_CONFIRMED
    assert totals(database, fresh)["available"] == -5200
    assert totals(database, other)["available"] == -2600


def test_the_clock_leaves_what_somebody_works_on(database, fresh: Shop, settings, clock):
    first, second = book(database, fresh), book(database, fresh)
    with database.unit_of_work(None) as session:
        session.execute(
            sa.update(Shipment)
            .where(Shipment.shipment_id.in_([first.shipment_id, second.shipment_id]))
            .values(delivered_at=clock())
        )
    now = clock() + timedelta(days=settings.auto_confirm_days)
    with database.unit_of_work(fresh.tenant_id) as working:
        working.execute(sa.select(Order.id).where(Order.id == first.id).with_for_update())
        with database.unit_of_work(None) as session:
            assert jobs.release_unconfirmed(session, settings, now) == 1
    with database.unit_of_work(None) as session:
        assert jobs.release_unconfirmed(session, settings, now) == 1


def test_the_same_form_twice_is_one_order(database, fresh: Shop, clock):
    def send(_: int) -> str:
        with database.unit_of_work(fresh.tenant_id) as session:
            return orders.book(
                session,
                fresh.agent,
                fresh.request(),
                customer_id=fresh.customer_id,
                channel=PaymentChannel.PREPAID,
                now=clock(),
                booking_key="form-1",
            ).number

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(send, range(4)))) == 1
    balance_key = AccountKey(fresh.tenant_id, None, Purpose.CHANNEL_CLEARING, "CNY")
    with database.unit_of_work(fresh.tenant_id) as session:
        assert ledger.balance(session, balance_key) == 2600
