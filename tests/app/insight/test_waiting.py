"""What waits for each role: counted from real work, never one's own to approve, nothing of another firm."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from app.accounts.roles import Role
from app.actor import Actor
from app.insight.queries import Matter, waiting
from app.servicedesk import queries as cases
from app.servicedesk import service as servicedesk
from tests.flows.things import Things, things_of
from tests.support.app import Logins
from tests.support.company import company


@pytest.fixture(scope="module")
def things(new_tenant: Callable[[], Logins]) -> Things:
    """A proposed claim, a prepared batch, drafts of terms and of a plan, an open case, in both companies."""
    for _company in range(2):
        made = company(new_tenant())
        found = things_of(made, made.shipper_id, other_customer_id=made.private_id, goods="茶叶")
    return found


def counts(things: Things, actor: Actor, *, later: timedelta = timedelta()) -> dict[Matter, int]:
    with things.company.work() as session:
        found = waiting(session, actor, now=things.company.now + later)
    assert all(row.oldest_at is not None and row.oldest_at <= things.company.now for row in found)
    return {row.matter: row.count for row in found}


def test_a_maker_does_not_wait_for_himself(things: Things) -> None:
    approvals = {Matter.CLAIMS_TO_APPROVE, Matter.PAYOUTS_TO_APPROVE, Matter.TERMS_TO_APPROVE}
    shop = things.company.shop
    assert counts(things, shop.second).items() >= dict.fromkeys(approvals, 1).items()
    maker = counts(things, shop.finance)
    assert Matter.CLAIMS_TO_APPROVE in maker, "the agent proposed it"
    assert not {Matter.PAYOUTS_TO_APPROVE, Matter.TERMS_TO_APPROVE} & maker.keys()


def test_the_desk_counts_what_nobody_has_what_is_its_own_and_what_is_late(things: Things) -> None:
    agent = things.company.shop.agent
    assert counts(things, agent)[Matter.CASES_UNOWNED] == 1
    with things.company.work() as session:
        case = cases.load_case(session, agent, things.case_number)
        servicedesk.assign(session, agent, case, agent.user_id, now=things.company.now)
    found = counts(things, agent, later=timedelta(days=30))
    assert Matter.CASES_UNOWNED not in found
    assert (found[Matter.CASES_MINE], found[Matter.CASES_OVERDUE]) == (1, 1)


def test_the_dispatcher_counts_drafts_and_stops_without_a_courier(things: Things) -> None:
    found = counts(things, things.company.dispatcher)
    assert found[Matter.PLANS_TO_PUBLISH] == 1
    assert found[Matter.STOPS_UNPLANNED] == 1


def test_a_shipper_counts_his_own_only(things: Things) -> None:
    logins = things.company.logins
    own = counts(things, logins.actor(Role.SHIPPER, subject_id=things.customer_id, who="own"))
    other = counts(things, logins.actor(Role.SHIPPER, subject_id=things.other_customer_id, who="other"))
    assert own == {Matter.CASES_OPEN: 1, Matter.READY_FOR_PICKUP: 1}
    assert other == {}
