"""Versions of the terms: two people, dry runs, the version in force."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta

import pytest

from app.errors import ConflictError, ForbiddenError, InvalidInputError
from app.orders import queries, terms
from app.orders import service as orders
from app.orders.models import TermsStatus
from tests.app.orders.build import BODY, Shop


def richer_outlets() -> dict:
    body = deepcopy(BODY)
    body["shares"][0]["rate"] = "30%"
    return body


def draft(database, shop: Shop, clock, body=None, **options):
    with database.unit_of_work(shop.tenant_id) as session:
        return orders.create_terms_version(
            session,
            shop.finance,
            name="standard",
            body=body or richer_outlets(),
            effective_from=options.get("effective_from", clock()),
            now=clock(),
        ).id


def test_the_writer_does_not_approve(database, shop: Shop, clock):
    version_id = draft(database, shop, clock)
    with database.unit_of_work(shop.tenant_id) as session:
        before = terms.in_force(session, clock()).version_id
        version = terms.load_terms(session, shop.finance, version_id)
        with pytest.raises(ForbiddenError):
            orders.approve_terms(session, shop.finance, version, now=clock())
        assert terms.in_force(session, clock()).version_id == before
        orders.withdraw_terms(session, shop.finance, version, now=clock())
        with pytest.raises(ConflictError):
            orders.approve_terms(session, shop.second, version, now=clock())


def test_a_version_comes_into_force_at_its_time_and_orders_follow(database, shop: Shop, clock):
    start = clock() + timedelta(hours=2)
    version_id = draft(database, shop, clock, effective_from=start)
    with database.unit_of_work(shop.tenant_id) as session:
        version = terms.load_terms(session, shop.second, version_id)
        orders.approve_terms(session, shop.second, version, now=clock())
        early = shop.book(session)
    assert early.terms_version_id != version_id
    clock.forward(hours=2)
    with database.unit_of_work(shop.tenant_id) as session:
        late = shop.book(session)
        assert late.terms_version_id == version_id
        origin = [share.amount_minor for share in late.shares if share.role == "origin_outlet"]
        assert origin == [780]
        trail = [row.action for row in queries.terms_trail(session, version_id)]
        assert trail == ["terms.drafted", "terms.approved"]
        assert terms.load_terms(session, shop.finance, version_id).status is TermsStatus.APPROVED


def test_a_dry_run_tells_the_difference_of_each_party(database, new_tenant, clock):
    from tests.app.orders.build import open_shop

    shop = open_shop(new_tenant())
    with database.unit_of_work(shop.tenant_id) as session:
        for _ in range(3):
            shop.book(session)
    with database.unit_of_work(shop.tenant_id) as session:
        same = orders.dry_run(session, BODY, now=clock())
        trial = orders.dry_run(session, richer_outlets(), now=clock())
        body = richer_outlets() | {"shortfall": "refuse"}
        body["shares"][3]["amount_minor"] = 9_000
        refused = orders.dry_run(session, body, now=clock())
    assert same.orders == trial.orders == 3
    assert {row.difference_minor for row in same.differences} == {0}
    found = {row.party_id: row.difference_minor for row in trial.differences}
    assert found[shop.world.parties["CTU-01"]] == 3 * 195
    assert found[shop.world.parties["PLATFORM"]] == -3 * 195
    assert sum(found.values()) == 0
    assert (refused.orders, len(refused.refused)) == (0, 3)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"shares": []}, "/body/shares"),
        ({"unknown": 1}, "/body"),
        ({"shares": [{"kind": "percent", "party": {"role": "platform"}, "rate": "x"}]}, "/body/shares/0"),
        ({"shares": [{"kind": "fixed", "party": {"role": "hub"}, "amount_minor": 1.5}]}, "/body/shares/0"),
        ({"currency": "XXX"}, "/body/currency"),
    ],
)
def test_a_wrong_body_is_refused_at_its_place(database, shop: Shop, clock, change, pointer):
    with pytest.raises(InvalidInputError) as caught, database.unit_of_work(shop.tenant_id) as session:
        orders.create_terms_version(
            session, shop.finance, name="standard", body=BODY | change, effective_from=clock(), now=clock()
        )
    assert caught.value.extra["errors"][0]["pointer"].startswith(pointer)
