"""The customers' pages and their machine's door, through HTTP."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from app.accounts.models import AuditEntry
from app.customers import service
from app.customers.models import Customer, IdentityKind
from app.db.session import Database
from tests.support.app import Logins

Make = Callable[..., int]


@pytest.fixture(scope="module")
def make(tenant: Logins, database: Database) -> Make:
    """Makes a customer with a phone, and a mail address where one is given."""

    def made(name: str, phone: str, mail: str | None = None) -> int:
        with database.unit_of_work(tenant.tenant_id) as session:
            customer = service.find_or_create(session, name=name, phone=phone, now=tenant.clock())
            if mail:
                service.add_identity(
                    session, customer, kind=IdentityKind.EMAIL, value=mail, now=tenant.clock()
                )
            return customer.id

    return made


def test_a_list_hides_what_people_are_reached_by(tenant: Logins, make: Make) -> None:
    make("王芳", "13800138001", "wang.fang@example.com")
    page = tenant.browser("agent").get("/customers?q=王芳").text
    assert "138******01" in page
    assert "w***@example.com" in page
    assert "0138001" not in page
    assert "wang.fang" not in page


def test_a_phone_finds_one_and_a_name_all(tenant: Logins, make: Make) -> None:
    ids = {make("李雷", "13800138011"), make("李雷", "13800138012")}
    browser = tenant.browser("finance")

    def found(words: str) -> set[int]:
        page = browser.get("/customers", query_string={"q": words}).text
        return {int(number) for number in re.findall(r'href="/customers/(\d+)"[^>]*data-open', page)}

    assert found("李雷") == ids
    assert found("+86 138 0013 8012") < ids
    assert "Nobody fits" in browser.get("/customers?q=nobody&lang=en").text


def test_a_new_customer_is_made_once(tenant: Logins, database: Database) -> None:
    browser = tenant.browser("agent")
    form = {"name": "Acme", "phone": "028-85550001", "kind": "company", "locale": "en", "contract_no": "C-7"}
    first = browser.post("/customers/new", data=form)
    assert first.status_code == 302
    again = browser.post("/customers/new", data={**form, "name": "Other", "phone": "+86 28 8555 0001"})
    assert again.location == first.location
    with database.unit_of_work(tenant.tenant_id) as session:
        customer = session.get(Customer, int(first.location.rpartition("/")[2]))
        assert customer is not None
        assert (customer.name, customer.kind, customer.contract_no) == ("Acme", "company", "C-7")
    refused = browser.post("/customers/new", data={**form, "phone": "8555"})
    assert refused.status_code == 422
    assert "This is not a phone number" in refused.text
    assert 'value="Acme"' in refused.text


def test_a_stale_save_shows_the_difference_and_saves_nothing(
    tenant: Logins, make: Make, database: Database
) -> None:
    number = make("Before", "13800138021")
    path = f"/customers/{number}/edit"
    one, other = tenant.browser("agent"), tenant.browser("agent", who="b")
    form = {"kind": "person", "locale": "zh", "contract_no": "", "notes": "", "version": "1"}
    assert other.post(path, data={**form, "name": "Theirs"}).status_code == 302
    stale = one.post(path, data={**form, "name": "Mine"})
    assert stale.status_code == 409
    assert "Name: Theirs" in stale.text
    assert 'value="Mine"' in stale.text
    assert "Contract number:" not in stale.text
    version = re.search(r'name="version"[^>]*value="(\d+)"', stale.text)
    assert version is not None
    assert one.post(path, data={**form, "name": "Mine", "version": version[1]}).status_code == 302
    with database.unit_of_work(tenant.tenant_id) as session:
        customer = session.get(Customer, number)
        assert customer is not None
        assert customer.name == "Mine"


def test_an_identity_of_another_is_refused_with_the_way_out(tenant: Logins, make: Make) -> None:
    one, _other = make("One", "13800138031"), make("Other", "13800138032")
    browser = tenant.browser("agent")
    path = f"/customers/{one}/identities"
    assert browser.post(path, data={"kind": "email", "value": "one@example.com"}).status_code == 302
    taken = browser.post(path, data={"kind": "phone", "value": "13800138032"})
    assert taken.status_code == 422
    assert "Then merge them" in taken.text
    assert browser.post(path, data={"kind": "phone", "value": "x"}).status_code == 422


def test_a_phone_is_shown_for_a_reason_that_is_written_down(
    tenant: Logins, make: Make, database: Database
) -> None:
    number = make("Shown", "13800138041")
    browser = tenant.browser("finance")
    with database.unit_of_work(tenant.tenant_id) as session:
        customer = session.get(Customer, number)
        assert customer is not None
        path = f"/customers/{number}/identities/{customer.identities[0].id}/reveal"
    assert "13800138041" not in browser.get(path).text
    assert browser.post(path, data={"reason": " "}).status_code == 422
    assert "13800138041" in browser.post(path, data={"reason": "Courier cannot find the door"}).text
    assert browser.post(path.replace(f"/{number}/", "/999999/"), data={"reason": "x"}).status_code == 404
    with database.unit_of_work(tenant.tenant_id) as session:
        entry = session.scalars(
            sa.select(AuditEntry).where(AuditEntry.action == "customer.identity_revealed")
        ).one()
        assert (entry.subject_id, entry.reason) == (number, "Courier cannot find the door")


def test_two_records_are_merged_by_a_person(tenant: Logins, make: Make) -> None:
    keep, drop = make("赵六", "13800138051"), make("赵六", "13800138052")
    browser = tenant.browser("agent")
    page = browser.get(f"/customers/{keep}/merge").text
    assert f'action="/customers/{keep}/merge/{drop}"' in page
    path = f"/customers/{keep}/merge/{drop}"
    assert browser.post(path, data={}).status_code == 422
    assert browser.post(path, data={"reason": "Same voice, same address"}).status_code == 302
    assert browser.post(path, data={"reason": "Again"}).status_code == 409
    assert browser.get(f"/customers/{drop}/edit").location == f"/customers/{keep}/edit"


@pytest.mark.parametrize("role", ["shipper", "hub", "courier", "dispatcher"])
def test_customers_are_not_for_everybody(tenant: Logins, make: Make, role: str) -> None:
    number = make("Secret", "13800138061")
    assert tenant.browser(role).get("/customers").status_code == 403
    assert tenant.browser(role).get(f"/customers/{number}/edit").status_code == 403
    assert tenant.api(role).get(f"/api/v1/customers/{number}").status_code == 403


def test_finance_reads_and_does_not_write(tenant: Logins, make: Make) -> None:
    number = make("Read only", "13800138062")
    browser = tenant.browser("finance")
    assert browser.get(f"/customers/{number}/edit").status_code == 403
    assert browser.post(f"/customers/{number}/merge/{number}", data={"reason": "x"}).status_code == 403


def test_machines_find_or_make_a_customer(tenant: Logins) -> None:
    api = tenant.api("agent")
    body = {"name": "Machine", "phone": "139 0013 9001"}
    key = uuid.uuid4().hex
    made = api.post("/api/v1/customers", key=key, json=body)
    assert made.status_code == 201
    replayed = api.post("/api/v1/customers", key=key, json=body)
    assert (replayed.status_code, replayed.json) == (201, made.json)
    found = api.post("/api/v1/customers", json={**body, "name": "Another name"})
    assert (found.status_code, found.json) == (200, made.json)
    assert found.json["identities"][0]["value"] == "139******01"
    assert api.get(made.headers["Location"]).json == made.json
    assert api.get("/api/v1/customers?phone=13900139001").json["items"] == [made.json]
    assert api.get("/api/v1/customers?phone=13900139999").json["items"] == []
    assert api.post("/api/v1/customers", key=None, json=body).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "A"},
        {"name": "A", "phone": "1"},
        {"name": " ", "phone": "13900139002"},
        {"name": "A", "phone": "13900139002", "vip": True},
    ],
)
def test_machines_are_told_what_is_wrong(tenant: Logins, body: dict[str, object]) -> None:
    answer = tenant.api("agent").post("/api/v1/customers", json=body)
    assert answer.status_code == 422
    assert answer.json["errors"]


def test_machines_see_identities_for_a_reason(tenant: Logins, make: Make) -> None:
    number = make("Seen", "13900139011", "seen@example.com")
    api = tenant.api("agent")
    path = f"/api/v1/customers/{number}/reveal"
    assert api.post(path, json={"reason": ""}).status_code == 422
    items = api.post(path, json={"reason": "callback"}).json["items"]
    assert [item["value"] for item in items] == ["+8613900139011", "seen@example.com"]


def test_another_tenants_customer_is_not_there(
    tenant: Logins, make: Make, new_tenant: Callable[[], Logins]
) -> None:
    number = make("Theirs", "13900139021")
    stranger = new_tenant()
    assert stranger.api("admin").get(f"/api/v1/customers/{number}").status_code == 404
    assert stranger.browser("admin").get(f"/customers/{number}/edit").status_code == 404
    assert stranger.api("admin").get("/api/v1/customers?phone=13900139021").json["items"] == []
