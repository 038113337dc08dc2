"""From loss to posted money: the award, its bearer by the scans, two people, one balanced entry."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.customers.models import Customer
from app.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from app.ledger import queries as ledger
from app.ledger.models import JournalEntry
from app.orders import service as orders
from app.servicedesk import queries, service
from app.servicedesk.models import Claim
from app.servicedesk.values import CaseCategory, CaseEventKind, CaseStatus, ClaimStatus
from app.shipments import service as shipments
from settlement.compensation import BearerReason, LossKind
from settlement.ledger import AccountKey, Purpose
from tests.app.servicedesk.build import Desk, order_number
from tracking.shipment import ScanCode


def balance(session, desk: Desk, purpose: Purpose, party_id: int) -> int:
    return ledger.balance(session, AccountKey(desk.tenant_id, party_id, purpose, "CNY"))


def propose(session, desk: Desk, case, claimed_minor: int = 30_000, **changes) -> Claim:
    values = {"claimed_minor": claimed_minor, "now": desk.now} | changes
    return service.propose_claim(session, desk.agent, case, **values)


def lost_on_the_way(session, desk: Desk, **changes):
    """A parcel that left Wuhan's hub and never arrived in Hangzhou's, and its case."""
    parcel = desk.book(session, **changes)
    at = desk.carry(session, parcel, until="WUH-HUB") + timedelta(hours=1)
    desk.scan(session, parcel, ScanCode.DEPARTED, at, facility="WUH-HUB")
    key = desk.scan(session, parcel, ScanCode.LOST, at + timedelta(hours=30), facility="HGH-HUB")
    return parcel, desk.complain(session, parcel, category=CaseCategory.LOST), key


def test_a_loss_on_the_road_is_borne_by_the_carrier_of_that_leg(desk: Desk):
    with desk.work() as session:
        _parcel, case, lost_key = lost_on_the_way(session, desk)
        claim = propose(session, desk, case)
    parties = desk.shop.world.parties
    assert (claim.bearer_party_id, claim.bearer_facility_id) == (parties["TRUNK"], None)
    assert claim.bearer_reason is BearerReason.NOTED_IN_CUSTODY
    assert lost_key in claim.evidence
    assert (claim.kind, claim.award_minor, claim.status) == (LossKind.LOST, 30_000, ClaimStatus.PROPOSED)
    assert claim.instrument == "Interim Regulations on Express Delivery"
    assert claim.article == "27; Civil Code 833"
    assert claim.formula["key"] == "compensation.civil_loss"
    assert claim.formula["params"]["loss"] == "300.00"


def test_an_insured_parcel_is_compensated_up_to_its_declared_value(desk: Desk):
    with desk.work() as session:
        parcel = desk.book(session, declared_value_minor=20_000)
        desk.deliver(session, parcel)
        case = desk.complain(session, parcel)
        with pytest.raises(InvalidInputError, match="exceeds"):
            propose(session, desk, case)
        claim = propose(session, desk, case, total_value_minor=50_000)
        assert (claim.article, claim.award_minor) == ("27", 20_000)
        assert claim.formula["params"]["insured"] == "200.00"
        assert claim.bearer_party_id == desk.courier_party_id
        assert claim.bearer_reason is BearerReason.LAST_CUSTODIAN


def test_damage_found_on_arrival_is_borne_by_who_brought_it(desk: Desk):
    with desk.work() as session:
        parcel = desk.book(session)
        at = desk.carry(session, parcel, until="HGH-HUB")
        desk.scan(session, parcel, ScanCode.DAMAGED, at, facility="HGH-HUB")
        claim = propose(session, desk, desk.complain(session, parcel))
    assert claim.bearer_party_id == desk.shop.world.parties["TRUNK"]
    assert claim.bearer_reason is BearerReason.NOTED_AT_TAKEOVER


def test_what_gives_no_award_is_refused_with_its_reason(desk: Desk):
    with desk.work() as session:
        booked = desk.complain(session, desk.book(session))
        with pytest.raises(ConflictError, match="no scan shows"):
            propose(session, desk, booked)
        with pytest.raises(InvalidInputError, match="no shipment"):
            propose(session, desk, desk.complain(session, None))
        with pytest.raises(InvalidInputError, match="what happened"):
            propose(session, desk, desk.complain(session, None, category=CaseCategory.PRICE))
        with pytest.raises(InvalidInputError, match="positive"):
            propose(session, desk, booked, 0)
        with pytest.raises(ForbiddenError):
            service.propose_claim(session, desk.shop.shipper, booked, claimed_minor=1, now=desk.now)
        parcel = desk.book(session)
        at = parcel.booked_at + timedelta(hours=1)
        desk.scan(session, parcel, ScanCode.ACCEPTED, at, facility="CTU-01")
        desk.scan(session, parcel, ScanCode.DAMAGED, at, facility="CTU-01")
        with pytest.raises(ConflictError, match="nobody in the chain"):
            propose(session, desk, desk.complain(session, parcel))


def test_a_shipment_is_compensated_once_whoever_complains(desk: Desk):
    with desk.work() as session:
        parcel, case, _key = lost_on_the_way(session, desk)
        propose(session, desk, case)
        other = desk.complain(session, parcel, customer_id=desk.consignee_id)
        with pytest.raises(ConflictError, match="once"):
            propose(session, desk, other)
        assert [event.kind for event in other.events] == [CaseEventKind.OPENED]


def test_an_approved_claim_is_posted_from_bearer_to_customer_with_its_evidence(desk: Desk):
    with desk.work() as session:
        # What the outlet has available pays; the rest becomes its debt.
        paid = desk.book(session)
        desk.deliver(session, paid)
        shipments.confirm_receipt(session, paid, now=desk.now, by="agent")
        orders.release_for_shipments(session, {paid.id: "receipt_confirmed"}, now=desk.now)
    with desk.work() as session:
        parcel = desk.book(session)
        desk.carry(session, parcel, until="CTU-01")
        case = desk.complain(session, parcel)
        claim = propose(session, desk, case)
        outlet_id = desk.shop.world.parties["CTU-01"]
        assert claim.bearer_party_id == outlet_id
        available = -balance(session, desk, Purpose.AVAILABLE, outlet_id)
        assert 0 < available < 30_000
        number, waybill = order_number(session, parcel), parcel.waybill_number
    with desk.work() as session:
        claim = queries.load_claim(session, desk.finance, case.number, claim.id)
        service.approve_claim(session, desk.finance, claim, now=desk.now)
    with desk.work() as session:
        claim = queries.load_claim(session, desk.finance, case.number, claim.id)
        assert (claim.status, claim.approved_by_id) == (ClaimStatus.POSTED, desk.finance.user_id)
        (entry,) = ledger.entries_with_evidence(session, "claim", str(claim.id))
        assert entry.kind == "compensation_awarded"
        assert sum(line.amount_minor for line in entry.lines) == 0
        evidence = {(item.kind, item.ref) for item in entry.evidence}
        assert evidence == {
            ("case", case.number),
            ("claim", str(claim.id)),
            ("shipment", waybill),
            ("order", number),
            *(("scan", key) for key in claim.evidence),
        }
        customer = session.get_one(Customer, desk.shop.customer_id)
        assert customer.party_id is not None
        assert -balance(session, desk, Purpose.AVAILABLE, customer.party_id) == 30_000
        assert balance(session, desk, Purpose.AVAILABLE, outlet_id) == 0
        assert balance(session, desk, Purpose.PARTY_DEBT, outlet_id) == 30_000 - available
    with desk.logins.database.unit_of_work(None) as session:
        health = ledger.health(session)
        assert (health.unbalanced_entries, health.wrong_balances) == (0, 0)


def test_whoever_proposed_never_decides_and_others_need_the_scope(desk: Desk):
    with desk.work() as session:
        _parcel, case, _key = lost_on_the_way(session, desk)
        claim = service.propose_claim(session, desk.admin, case, claimed_minor=1000, now=desk.now)
        with pytest.raises(ForbiddenError, match="proposed"):
            service.approve_claim(session, desk.admin, claim, now=desk.now)
        with pytest.raises(ForbiddenError, match="proposed"):
            service.refuse_claim(session, desk.admin, claim, reason="不", now=desk.now)
        with pytest.raises(ForbiddenError, match="claims:approve"):
            service.approve_claim(session, desk.second_agent, claim, now=desk.now)
    with pytest.raises(IntegrityError, match="two_people"), desk.work() as session:
        session.execute(
            sa.update(Claim).where(Claim.id == claim.id).values(approved_by_id=desk.admin.user_id)
        )


def test_approving_twice_at_once_posts_once(desk: Desk):
    with desk.work() as session:
        _parcel, case, _key = lost_on_the_way(session, desk)
        claim = propose(session, desk, case)
    start = threading.Barrier(4)
    failures: list[Exception] = []

    def approve() -> None:
        try:
            start.wait()
            with desk.work() as session:
                mine = queries.load_claim(session, desk.finance, case.number, claim.id)
                service.approve_claim(session, desk.finance, mine, now=desk.now)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must see it
            failures.append(error)

    threads = [threading.Thread(target=approve) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with desk.work() as session:
        key = f"claim:{claim.id}:awarded"
        assert session.scalar(sa.select(sa.func.count()).where(JournalEntry.entry_key == key)) == 1
        kinds = [event.kind for event in queries.load_case(session, desk.agent, case.number).events]
        assert kinds.count(CaseEventKind.CLAIM_POSTED) == 1


def test_a_refused_claim_says_why_and_makes_room_for_another(desk: Desk):
    with desk.work() as session:
        _parcel, case, _key = lost_on_the_way(session, desk)
        claim = propose(session, desk, case)
        with pytest.raises(InvalidInputError):
            service.refuse_claim(session, desk.finance, claim, reason=" ", now=desk.now)
        service.refuse_claim(session, desk.finance, claim, reason="没有发票", now=desk.now)
        assert (claim.status, claim.refusal) == (ClaimStatus.REFUSED, "没有发票")
        with pytest.raises(ConflictError):
            service.approve_claim(session, desk.finance, claim, now=desk.now)
        with pytest.raises(ConflictError):
            service.refuse_claim(session, desk.finance, claim, reason="再次", now=desk.now)
        again = propose(session, desk, case, 10_000)
        assert again.id != claim.id


def test_a_case_is_not_resolved_while_its_claim_waits(desk: Desk):
    with desk.work() as session:
        _parcel, case, _key = lost_on_the_way(session, desk)
        claim = propose(session, desk, case)
        with pytest.raises(ConflictError, match="waits for its decision"):
            service.resolve(session, desk.agent, case, "已处理", now=desk.now)
        service.approve_claim(session, desk.finance, claim, now=desk.now)
    with desk.work() as session:
        case = queries.load_case(session, desk.agent, case.number)
        service.resolve(session, desk.agent, case, "已赔付 300 元。", now=desk.now)
        assert case.status is CaseStatus.RESOLVED


def test_a_claim_is_reached_through_its_own_case_only(desk: Desk, new_tenant):
    with desk.work() as session:
        _parcel, case, _key = lost_on_the_way(session, desk)
        claim = propose(session, desk, case)
        other = desk.complain(session, None)
        with pytest.raises(NotFoundError):
            queries.load_claim(session, desk.finance, other.number, claim.id)
    elsewhere = new_tenant()
    with elsewhere.database.unit_of_work(elsewhere.tenant_id) as session, pytest.raises(NotFoundError):
        queries.load_claim(session, elsewhere.actor("finance"), case.number, claim.id)
