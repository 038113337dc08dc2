"""One person, one record: recognised by any identity, made once, merged by a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.models import AuditEntry, User
from app.customers import queries, service
from app.customers.models import Customer, CustomerIdentity, IdentityKind
from app.customers.party import party_id_of
from app.db.outbox import OutboxEvent
from app.db.session import Database
from app.errors import ConflictError, InvalidInputError, NotFoundError
from tests.support.app import Logins

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
PHONE, EMAIL, CARD = IdentityKind.PHONE, IdentityKind.EMAIL, IdentityKind.CARD


@pytest.fixture
def session(tenant: Logins, session_factory: Callable[..., Session]) -> Iterator[Session]:
    with session_factory(info={"tenant_id": tenant.tenant_id}) as opened:
        yield opened
        opened.rollback()


def test_a_phone_finds_its_record_however_it_is_typed(session: Session) -> None:
    made = service.find_or_create(session, name="王芳", phone="138 0013 8000", now=NOW)
    again = service.find_or_create(session, name="Fang", phone="+86-13800138000", now=NOW)
    assert again is made
    assert made.name == "王芳"
    assert [identity.value for identity in made.identities] == ["+8613800138000"]
    assert service.recognise(session, kind=PHONE, value="１３８００１３８０００") is made
    assert service.recognise(session, kind=PHONE, value="13900139000") is None


@pytest.mark.parametrize(("name", "phone"), [("王芳", "123"), ("  ", "13800138000")])
def test_no_record_without_a_name_and_a_phone(session: Session, name: str, phone: str) -> None:
    with pytest.raises(InvalidInputError):
        service.find_or_create(session, name=name, phone=phone, now=NOW)


def test_the_same_new_phone_at_once_makes_one_record(tenant: Logins, database: Database) -> None:
    at_once = Barrier(6)

    def book(number: int) -> int:
        with database.unit_of_work(tenant.tenant_id) as session:
            at_once.wait(timeout=20)
            return service.find_or_create(session, name=f"N{number}", phone="13700137000", now=NOW).id

    with ThreadPoolExecutor(6) as pool:
        found = set(pool.map(book, range(6)))
    assert len(found) == 1
    with database.unit_of_work(tenant.tenant_id) as session:
        left_over = session.scalar(
            sa.select(sa.func.count()).select_from(Customer).where(~Customer.identities.any())
        )
    assert left_over == 0


def test_an_identity_belongs_to_one_record(session: Session) -> None:
    one = service.find_or_create(session, name="One", phone="13600136001", now=NOW)
    other = service.find_or_create(session, name="Other", phone="13600136002", now=NOW)
    service.add_identity(session, one, kind=EMAIL, value="One@Example.com", now=NOW)
    service.add_identity(session, one, kind=EMAIL, value="one@example.COM", now=NOW)
    assert len(one.identities) == 2
    with pytest.raises(ConflictError) as refused:
        service.add_identity(session, other, kind=EMAIL, value="one@example.com", now=NOW)
    assert refused.value.extra["customer_id"] == one.id


def test_the_same_phone_of_another_tenant_is_another_customer(
    session: Session, new_tenant: Callable[[], Logins], database: Database
) -> None:
    here = service.find_or_create(session, name="Here", phone="13500135000", now=NOW)
    with database.unit_of_work(new_tenant().tenant_id) as elsewhere:
        there = service.find_or_create(elsewhere, name="There", phone="13500135000", now=NOW)
        assert there.id != here.id


def test_an_address_is_remembered_once(session: Session) -> None:
    customer = service.find_or_create(session, name="王芳", phone="13400134000", now=NOW)
    place = {
        "contact_name": "王芳",
        "phone": "13400134000",
        "district_adcode": "510107",
        "line": "科华北路 62 号",
        "latitude": 30.6,
        "longitude": 104.0,
    }
    first = service.add_address(session, customer, **place, now=NOW)
    assert service.add_address(session, customer, **{**place, "phone": "+86 13400134000"}, now=NOW) is first
    service.add_address(session, customer, **{**place, "line": "人民南路 1 号"}, now=NOW)
    assert len(customer.addresses) == 2


def test_a_merge_moves_what_recognises_and_leads_on(session: Session, tenant: Logins) -> None:
    agent = tenant.actor("agent")
    keep = service.find_or_create(session, name="张伟", phone="13300133001", now=NOW)
    drop = service.find_or_create(session, name="张 伟", phone="13300133002", now=NOW)
    older = service.find_or_create(session, name="张伟伟", phone="13300133003", now=NOW)
    login = session.get(User, tenant.actor("shipper", drop.id).user_id)
    assert login is not None
    service.merge(session, agent, drop, older, reason="same person", now=NOW)
    service.merge(session, agent, keep, drop, reason="called and confirmed", now=NOW)
    assert {identity.value[-1] for identity in keep.identities} == {"1", "2", "3"}
    for record in (keep, drop, older):
        assert queries.load_customer(session, agent, record.id) is keep
    assert service.recognise(session, kind=PHONE, value="13300133003") is keep
    session.refresh(login)
    assert login.subject_id == keep.id
    entry = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.action, entry.subject_id, entry.reason) == (
        "customer.merged",
        keep.id,
        "called and confirmed",
    )
    event = session.scalars(sa.select(OutboxEvent).order_by(OutboxEvent.id.desc())).first()
    assert event is not None
    assert (event.topic, event.payload) == ("customer.merged", {"keep_id": keep.id, "drop_id": drop.id})


def test_a_merge_is_refused_twice_with_itself_and_without_a_reason(session: Session, tenant: Logins) -> None:
    agent = tenant.actor("agent")
    keep = service.find_or_create(session, name="A", phone="13300133011", now=NOW)
    drop = service.find_or_create(session, name="B", phone="13300133012", now=NOW)
    with pytest.raises(ConflictError):
        service.merge(session, agent, keep, keep, reason="x", now=NOW)
    with pytest.raises(InvalidInputError):
        service.merge(session, agent, keep, drop, reason=" ", now=NOW)
    service.merge(session, agent, keep, drop, reason="x", now=NOW)
    with pytest.raises(ConflictError):
        service.merge(session, agent, keep, drop, reason="x", now=NOW)
    with pytest.raises(ConflictError):
        service.merge(session, agent, drop, keep, reason="x", now=NOW)


def test_a_merge_keeps_the_account_of_money(session: Session, tenant: Logins) -> None:
    keep = service.find_or_create(session, name="A", phone="13300133021", now=NOW)
    drop = service.find_or_create(session, name="B", phone="13300133022", now=NOW)
    party_id = party_id_of(session, drop, now=NOW)
    service.merge(session, tenant.actor("agent"), keep, drop, reason="same", now=NOW)
    session.flush()
    assert (keep.party_id, drop.party_id) == (party_id, None)


def test_a_shipper_knows_himself_only(session: Session, tenant: Logins) -> None:
    me = service.find_or_create(session, name="Me", phone="13200132001", now=NOW)
    other = service.find_or_create(session, name="Me too", phone="13200132002", now=NOW)
    shipper = tenant.actor("shipper", me.id)
    assert queries.load_customer(session, shipper, me.id) is me
    with pytest.raises(NotFoundError):
        queries.load_customer(session, shipper, other.id)
    assert list(queries.search(session, shipper, "Me", 10)) == [me]
    # A courier's login stands for a courier: the same number is not his customer.
    courier = tenant.actor("courier", me.id)
    assert list(queries.search(session, courier, "Me", 10)) == []
    with pytest.raises(NotFoundError):
        queries.load_customer(session, courier, me.id)


def test_a_search_lists_all_of_a_name_and_the_one_of_a_phone(session: Session, tenant: Logins) -> None:
    agent = tenant.actor("agent")
    first = service.find_or_create(session, name="李雷 100%", phone="13100131001", now=NOW)
    second = service.find_or_create(session, name="李雷", phone="13100131002", now=NOW)
    service.add_identity(session, first, kind=CARD, value="VIP-77", now=NOW)
    assert list(queries.search(session, agent, "李雷", 10)) == [second, first]
    assert list(queries.search(session, agent, "131 0013 1001", 10)) == [first]
    assert list(queries.search(session, agent, "vip77", 10)) == [first]
    assert list(queries.search(session, agent, "100%", 10)) == [first]
    assert list(queries.search(session, agent, "%", 10)) == [first]
    assert list(queries.search(session, agent, " ", 10)) == []


def test_the_list_goes_on_after_its_last_row(session: Session, tenant: Logins) -> None:
    agent = tenant.actor("agent")
    made = [
        service.find_or_create(session, name=f"N{n}", phone=f"1300013000{n}", now=NOW).id for n in range(5)
    ]
    page = queries.newest(session, agent, None, 2)
    seen = [customer.id for customer in page.rows]
    while page.next_cursor is not None and len(seen) < 6:
        page = queries.newest(session, agent, page.next_cursor, 2)
        seen += [customer.id for customer in page.rows]
    assert seen[:5] == made[::-1]
    assert queries.count(session, agent) >= 5


def test_a_change_is_written_down_with_old_and_new(session: Session, tenant: Logins) -> None:
    agent = tenant.actor("agent")
    customer = service.find_or_create(session, name="Old", phone="15000150000", now=NOW)
    facts = {"kind": customer.kind, "contract_no": " C-1 ", "locale": "en", "notes": "", "now": NOW}
    service.update(session, agent, customer, name=" New ", **facts)
    session.flush()
    assert (customer.name, customer.contract_no, customer.version) == ("New", "C-1", 2)
    entry = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert entry.details == {"name": ["Old", "New"], "contract_no": [None, "C-1"], "locale": ["zh", "en"]}
    count = session.scalar(sa.select(sa.func.count()).select_from(AuditEntry))
    service.update(session, agent, customer, name="New", **facts)
    assert session.scalar(sa.select(sa.func.count()).select_from(AuditEntry)) == count
    with pytest.raises(InvalidInputError):
        service.update(session, agent, customer, name=" ", **facts)


def test_the_database_refuses_a_second_owner_of_an_identity(session: Session, tenant: Logins) -> None:
    customer = service.find_or_create(session, name="A", phone="15100151000", now=NOW)
    session.add(CustomerIdentity(customer_id=customer.id, kind=PHONE, value="+8615100151000", created_at=NOW))
    with pytest.raises(sa.exc.IntegrityError):
        session.flush()
