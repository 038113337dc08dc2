"""A shipper registers by a code to his phone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.accounts.models import Tenant, User
from app.customers import registration, service
from app.customers.models import PhoneChallenge
from app.db.session import Database
from app.errors import TooManyTriesError
from app.notify.models import Channel, Notification
from tests.support.app import Logins, StepClock

KEY = b"a key of the tests"
PASSWORD = "a long enough password"
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def query(tenant: Logins, database: Database) -> str:
    """Names the tenant in the link, for this database has several."""
    with database.unit_of_work(None) as session:
        found = session.get(Tenant, tenant.tenant_id)
        assert found is not None
        return f"?tenant={found.code}"


@pytest.fixture
def last_code(tenant: Logins, database: Database) -> Callable[[], str]:
    """The code in the newest message."""

    def read() -> str:
        with database.unit_of_work(tenant.tenant_id) as session:
            message = session.scalars(sa.select(Notification).order_by(Notification.id.desc())).first()
            assert message is not None
            assert message.channel is Channel.SMS
            assert message.params["code"] in message.body
            return str(message.params["code"])

    return read


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_a_new_shipper_gets_a_record_and_a_login(
    client: FlaskClient, query: str, last_code: Callable[[], str], tenant: Logins, database: Database
) -> None:
    sent = client.post(f"/register{query}", data={"name": "周杰", "phone": "137 0013 7001"})
    assert sent.location == "/register/code"
    page = client.get("/register/code").text
    code = last_code()
    assert "137******01" in page
    assert code not in page
    bad = client.post("/register/code", data={"code": wrong(code), "password": PASSWORD})
    assert (bad.status_code, "This is not the code." in bad.text) == (422, True)
    done = client.post("/register/code", data={"code": code, "password": PASSWORD})
    assert (done.status_code, done.location) == (302, "/")
    with database.unit_of_work(tenant.tenant_id) as session:
        user = session.scalars(sa.select(User).where(User.username == "13700137001")).one()
        customer = service.recognise(session, kind="phone", value="13700137001")
        assert customer is not None
        assert (user.role, user.subject_id, customer.name) == ("shipper", customer.id, "周杰")
    client.post("/logout")
    assert client.post("/login", data={"username": "13700137001", "password": PASSWORD}).status_code == 302


def test_a_known_phone_keeps_its_record(
    client: FlaskClient, query: str, last_code: Callable[[], str], tenant: Logins, database: Database
) -> None:
    with database.unit_of_work(tenant.tenant_id) as session:
        known = service.find_or_create(session, name="Consignee", phone="13700137002", now=NOW)
    client.post(f"/register{query}", data={"name": "Somebody", "phone": "13700137002"})
    client.post("/register/code", data={"code": last_code(), "password": PASSWORD})
    with database.unit_of_work(tenant.tenant_id) as session:
        user = session.scalars(sa.select(User).where(User.username == "13700137002")).one()
        assert user.subject_id == known.id


def test_a_phone_with_a_login_is_told_so_only_to_who_holds_it(
    app: object, query: str, last_code: Callable[[], str]
) -> None:
    for round_number in range(2):
        browser = app.test_client()  # type: ignore[attr-defined]
        browser.post(f"/register{query}", data={"name": "N", "phone": "13700137003"})
        assert "login already" not in browser.get("/register/code").text
        answer = browser.post("/register/code", data={"code": last_code(), "password": PASSWORD})
        assert ("login already" in answer.text) == bool(round_number)


def test_five_wrong_codes_end_it(client: FlaskClient, query: str, last_code: Callable[[], str]) -> None:
    client.post(f"/register{query}", data={"name": "N", "phone": "13700137004"})
    code = last_code()
    pages = [
        client.post("/register/code", data={"code": wrong(code), "password": PASSWORD}).text for _ in range(5)
    ]
    assert ["no longer valid" in page for page in pages] == [False] * 4 + [True]
    right = client.post("/register/code", data={"code": code, "password": PASSWORD})
    assert (right.status_code, "no longer valid" in right.text) == (422, True)


def test_a_code_is_too_late_after_ten_minutes(
    client: FlaskClient, query: str, last_code: Callable[[], str], clock: StepClock
) -> None:
    client.post(f"/register{query}", data={"name": "N", "phone": "13700137005"})
    clock.forward(minutes=10)
    answer = client.post("/register/code", data={"code": last_code(), "password": PASSWORD})
    assert "no longer valid" in answer.text


@pytest.mark.parametrize(
    "data", [{"code": "12345", "password": PASSWORD}, {"code": "123456", "password": "short"}, {}]
)
def test_a_form_that_cannot_be_right_costs_no_try(
    client: FlaskClient,
    query: str,
    data: dict[str, str],
    tenant: Logins,
    database: Database,
    clock: StepClock,
) -> None:
    clock.forward(hours=2)
    client.post(f"/register{query}", data={"name": "N", "phone": "13700137006"})
    assert client.post("/register/code", data=data).status_code == 422
    with database.unit_of_work(tenant.tenant_id) as session:
        tries = session.scalars(sa.select(PhoneChallenge.tries).order_by(PhoneChallenge.id.desc())).first()
    assert tries == 0


@pytest.mark.parametrize("data", [{"name": "", "phone": "13700137007"}, {"name": "N", "phone": "12"}, {}])
def test_no_code_without_a_name_and_a_phone(client: FlaskClient, query: str, data: dict[str, str]) -> None:
    assert client.post(f"/register{query}", data=data).status_code == 422


def test_a_link_must_say_which_of_several_companies(client: FlaskClient, new_tenant: object) -> None:
    new_tenant()  # type: ignore[operator]
    assert client.get("/register?tenant=nobody").status_code == 404
    assert client.get("/register").status_code == 404


def test_the_code_page_needs_a_code_that_was_sent(client: FlaskClient) -> None:
    assert client.get("/register/code").location == "/register"


def send(database: Database, tenant: Logins, *, phone: str, address: str, now: datetime) -> None:
    with database.unit_of_work(tenant.tenant_id) as session:
        registration.send_code(
            session, name="N", phone=phone, company="C", address=address, key=KEY, locale="zh", now=now
        )


def test_a_phone_is_sent_three_codes_an_hour(tenant: Logins, database: Database) -> None:
    for minute in range(3):
        send(
            database,
            tenant,
            phone="13600136001",
            address=f"10.1.0.{minute}",
            now=NOW + timedelta(minutes=minute),
        )
    with pytest.raises(TooManyTriesError) as refused:
        send(database, tenant, phone="136 0013 6001", address="10.1.0.9", now=NOW + timedelta(minutes=3))
    assert refused.value.extra["retry_after_s"] == 57 * 60 + 1
    send(database, tenant, phone="13600136001", address="10.1.0.9", now=NOW + timedelta(minutes=60))


def test_an_address_may_ask_for_ten_codes_an_hour(tenant: Logins, database: Database) -> None:
    for number in range(10):
        send(database, tenant, phone=f"1360013601{number}", address="10.2.0.1", now=NOW)
    with pytest.raises(TooManyTriesError):
        send(database, tenant, phone="13600136020", address="10.2.0.1", now=NOW)
    send(database, tenant, phone="13600136020", address="10.2.0.2", now=NOW)


def test_neither_code_nor_address_is_stored(tenant: Logins, database: Database) -> None:
    send(database, tenant, phone="13600136031", address="10.3.0.1", now=NOW)
    with database.unit_of_work(tenant.tenant_id) as session:
        challenge = session.scalars(sa.select(PhoneChallenge).order_by(PhoneChallenge.id.desc())).first()
        assert challenge is not None
        code = challenge.notification.params["code"]
        assert code.encode() not in challenge.code_hash
        assert b"10.3.0.1" not in challenge.address_hash
        assert (
            registration.check_code(challenge, code, key=b"another key", now=NOW)
            is registration.CodeCheck.WRONG
        )
        assert registration.check_code(challenge, code, key=KEY, now=NOW) is registration.CodeCheck.RIGHT
        assert registration.check_code(challenge, code, key=KEY, now=NOW) is registration.CodeCheck.SPENT


def test_challenges_are_cleared_away_after_a_day(tenant: Logins, database: Database) -> None:
    send(database, tenant, phone="13600136041", address="10.4.0.1", now=NOW + timedelta(days=30))
    with database.unit_of_work(None) as session:
        registration.drop_old_challenges(session, now=NOW + timedelta(days=30, hours=23))
        kept = session.scalars(sa.select(PhoneChallenge.phone)).all()
    assert kept == ["+8613600136041"]
