"""Booking: price, shipment, split and held money in one transaction."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.errors import InvalidInputError, NotFoundError
from app.ledger import queries as ledger
from app.orders import queries
from app.orders import service as orders
from app.orders.models import Order, OrderStatus, PaymentChannel
from app.orders.tariff import ChargeKind
from app.shipments.models import Shipment
from settlement.errors import NoTermsInForceError
from settlement.ledger import AccountKey, Purpose
from tests.app.orders.build import TARIFF, Shop


def balance(session, shop: Shop, purpose: Purpose, party: str | None = None) -> int:
    party_id = None if party is None else shop.world.parties[party]
    return ledger.balance(session, AccountKey(shop.tenant_id, party_id, purpose, "CNY"))


def test_a_quote_writes_nothing(database, shop: Shop, clock):
    with database.unit_of_work(shop.tenant_id) as session:
        before = session.scalar(sa.select(sa.func.count(Shipment.id)))
        offer = orders.quote(
            session,
            shop.request(declared_value_minor=150_000, cod_minor=88_800, volume_cm3=21_000),
            now=clock(),
        )
        session.flush()
        assert session.scalar(sa.select(sa.func.count(Shipment.id))) == before
    # 21,000 cm³ are 3,500 g, so four kilograms begun; 0.5 % of 1,000 yuan; 1 % of 888 yuan.
    assert offer.chargeable_weight_g == 3500
    assert [(charge.kind, charge.amount.amount_minor) for charge in offer.charges] == [
        (ChargeKind.FREIGHT, 1400 + 3 * 600),
        (ChargeKind.INSURANCE, 500),
        (ChargeKind.COD_FEE, 888),
    ]
    assert offer.total_minor == 4588
    assert offer.plan.origin.code == "CTU-01"


def test_a_booking_holds_the_whole_price_for_its_parties(database, shop: Shop):
    with database.unit_of_work(shop.tenant_id) as session:
        number = shop.book(session).number
    with database.unit_of_work(shop.tenant_id) as session:
        order = queries.load_order(session, shop.agent, number)
        shipment = session.get_one(Shipment, order.shipment_id)
        assert (order.total_minor, order.status) == (2600, OrderStatus.HELD)
        assert order.paid_at is not None
        assert sum(charge.amount_minor for charge in order.charges) == 2600
        shares = {(share.role, share.party_id): share.amount_minor for share in order.shares}
        parties = shop.world.parties
        # 22.5 % = 585; 2.3 kg at 30 = 69 over five transfers, three in Wuhan's and two in Hangzhou's hub;
        # a third = 866 2/3 by metres; 180; the platform has the rest.
        assert shares[("origin_outlet", parties["CTU-01"])] == 585
        assert shares[("delivery_outlet", parties["HGH-01"])] == 180
        hubs = [shares[("hub", parties[code])] for code in ("WUH-HUB", "HGH-HUB")]
        assert sum(hubs) in (68, 69, 70)
        assert sum(shares.values()) == 2600
        for share in order.shares:
            assert share.reasons[-1]["key"] == "split.amount"
            assert share.reasons[0]["key"].startswith("split.reason.")
        kinds = [entry.kind for entry in queries.entries_of(session, order)]
        assert kinds == ["order_placed_split_held", "paid"]
        evidence = ledger.entries_with_evidence(session, "shipment", shipment.waybill_number)
        assert len(evidence) == 2
        assert queries.order_of_shipment(session, shipment.id).number == number


def test_a_monthly_account_owes_until_it_pays(database, shop: Shop, clock):
    with database.unit_of_work(shop.tenant_id) as session:
        receivable = ledger.totals_by_purpose(session).get((Purpose.CUSTOMER_RECEIVABLE, "CNY"), 0)
        order = shop.book(session, PaymentChannel.MONTHLY_ACCOUNT)
        number = order.number
        assert order.paid_at is None
    with database.unit_of_work(shop.tenant_id) as session:
        totals = ledger.totals_by_purpose(session)
        assert totals[(Purpose.CUSTOMER_RECEIVABLE, "CNY")] == receivable + 2600
        order = queries.load_order(session, shop.finance, number)
        orders.pay(session, shop.finance, order, now=clock())
        orders.pay(session, shop.finance, order, now=clock.forward(minutes=1))
    with database.unit_of_work(shop.tenant_id) as session:
        assert ledger.totals_by_purpose(session)[(Purpose.CUSTOMER_RECEIVABLE, "CNY")] == receivable
        assert ledger.health(session).wrong_balances == 0


def test_a_refused_booking_leaves_nothing(database, shop: Shop, clock):
    with database.unit_of_work(shop.tenant_id) as session:
        before = session.scalar(sa.select(sa.func.count(Shipment.id)))
    with pytest.raises(InvalidInputError), database.unit_of_work(shop.tenant_id) as session:
        shop.book(session, request=shop.request(currency="USD"))
    with pytest.raises(NotFoundError), database.unit_of_work(shop.tenant_id) as session:
        orders.book(
            session,
            shop.logins.actor("shipper", shop.customer_id + 1),
            shop.request(),
            customer_id=shop.customer_id,
            channel=PaymentChannel.PREPAID,
            now=clock(),
        )
    with database.unit_of_work(shop.tenant_id) as session:
        assert session.scalar(sa.select(sa.func.count(Shipment.id))) == before


def test_without_terms_nothing_is_booked(database, new_tenant, clock):
    from datetime import timedelta

    from app.customers import service as customers
    from tests.support.world import small_world

    logins = new_tenant()
    finance, agent = logins.actor("finance"), logins.actor("agent")
    with database.unit_of_work(logins.tenant_id) as session:
        world = small_world(session, now=clock())
        orders.set_tariff(session, finance, TARIFF, effective_from=clock() - timedelta(days=1), now=clock())
        customer_id = customers.find_or_create(session, name="A", phone="13800000001", now=clock()).id
    shop = Shop(logins, world, finance, finance, agent, customer_id)
    with pytest.raises(NoTermsInForceError), database.unit_of_work(logins.tenant_id) as session:
        shop.book(session)
    with database.unit_of_work(logins.tenant_id) as session:
        assert session.scalar(sa.select(sa.func.count(Order.id))) == 0
        assert session.scalar(sa.select(sa.func.count(Shipment.id))) == 0


def test_a_shipper_sees_his_own_orders_only(database, shop: Shop):
    with database.unit_of_work(shop.tenant_id) as session:
        number = shop.book(session).number
    stranger = shop.logins.actor("shipper", shop.customer_id + 1)
    with database.unit_of_work(shop.tenant_id) as session:
        assert queries.load_order(session, shop.shipper, number).number == number
        with pytest.raises(NotFoundError):
            queries.load_order(session, stranger, number)
        chosen = queries.OrderFilter()
        assert queries.list_orders(session, stranger, chosen, cursor=None, limit=10).rows == []
        assert queries.list_orders(session, shop.shipper, chosen, cursor=None, limit=10).rows
