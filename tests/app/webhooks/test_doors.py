"""Webhooks by page and by machine, from registration to removal; and whose they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from apiflask import APIFlask

from app.accounts.models import AuditEntry
from app.accounts.roles import Role
from app.webhooks import service
from app.webhooks.models import MessageState, WebhookEndpoint, WebhookSecret
from app.webhooks.signing import key_of
from tests.app.webhooks.conftest import Post
from tests.app.webhooks.receiver import Receiver, answering
from tests.support.app import Api, Logins
from tests.support.company import Company, company
from tests.support.pages import visit

BODY: dict[str, Any] = {"url": "https://shop.example/hooks", "event_types": ["shipment.state_changed"]}


@pytest.fixture(scope="module")
def firm(tenant: Logins) -> Company:
    return company(tenant)


@pytest.fixture(scope="module")
def shipper(firm: Company) -> Api:
    return firm.logins.api(Role.SHIPPER, firm.shipper_id)


def made(api: Api, **changes: Any) -> dict[str, Any]:
    answer = api.post("/api/v1/webhooks", json=BODY | changes)
    assert answer.status_code == 201, answer.json
    found: dict[str, Any] = answer.json
    return found


def test_the_secret_is_told_once(post: Post, shipper: Api) -> None:
    found = made(shipper, milestones=["delivered"], description="Shop")
    assert len(key_of(found["secret"])) == 32
    again = shipper.get(f"/api/v1/webhooks/{found['id']}").json
    assert again == {key: value for key, value in found.items() if key != "secret"} | {
        "waiting": 0,
        "failed": 0,
    }
    listed = shipper.get("/api/v1/webhooks").json["items"]
    assert [one["id"] for one in listed] == [found["id"]]
    assert "secret" not in listed[0]
    with post.database.unit_of_work(None) as session:
        actions = session.scalars(
            sa.select(AuditEntry.action).where(AuditEntry.subject_kind == "webhook_endpoint")
        ).all()
    assert "webhook.registered" in actions


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"url": "http://shop.example/"}, "/url"),
        ({"url": "https://127.0.0.1/"}, "/url"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "/url"),
        ({"event_types": []}, "/event_types"),
        ({"event_types": ["shipment.exploded"]}, "/event_types/0"),
        ({"contact_email": "nobody"}, "/contact_email"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_what_is_wrong_is_named(shipper: Api, wrong: dict[str, Any], pointer: str) -> None:
    answer = shipper.post("/api/v1/webhooks", json=BODY | wrong)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_there_is_an_end_to_how_many(post: Post, shipper: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "ENDPOINTS_MAX", 2)
    made(shipper)
    made(shipper)
    assert shipper.post("/api/v1/webhooks", json=BODY).status_code == 409


def test_another_shippers_and_another_companys_are_not_there(
    post: Post, firm: Company, shipper: Api, new_tenant: Callable[[], Logins]
) -> None:
    """Same answer, in the same words, as for what does not exist."""
    found = made(shipper)
    key = shipper.post(f"/api/v1/webhooks/{found['id']}/ping").json["id"]
    strangers = [
        firm.logins.api(Role.SHIPPER, firm.other_shipper_id),
        new_tenant().api(Role.ADMIN),
    ]
    path = f"/api/v1/webhooks/{found['id']}"
    for stranger in strangers:
        nowhere = stranger.get("/api/v1/webhooks/999999999")
        for one in (path, f"{path}/messages", f"{path}/messages/{key}"):
            answer = stranger.get(one)
            assert (answer.status_code, answer.json["detail"]) == (404, nowhere.json["detail"])
        for act in ("pause", "resume", "ping", "remove", f"messages/{key}/replay"):
            assert stranger.post(f"{path}/{act}").status_code == 404
        assert stranger.post(f"{path}/rotate", json={}).status_code == 404
        assert stranger.post(path, json=BODY).status_code == 404
        since = {"since": "2026-01-01T00:00:00Z"}
        assert stranger.post(f"{path}/replay", json=since).status_code == 404
        assert stranger.get("/api/v1/webhooks").json["items"] == []
    other = made(shipper)
    assert shipper.get(f"/api/v1/webhooks/{other['id']}/messages/{key}").status_code == 404
    assert firm.logins.api(Role.ADMIN).get(path).status_code == 200


def test_a_shippers_login_without_a_customer_registers_nothing(tenant: Logins) -> None:
    assert tenant.api(Role.SHIPPER).post("/api/v1/webhooks", json=BODY).status_code == 403


def test_a_life_by_machine(post: Post, shipper: Api, shop: Receiver) -> None:
    found = made(shipper)
    with post.database.unit_of_work(None) as session:  # the API refuses loopback, as it must
        session.get_one(WebhookEndpoint, found["id"]).url = shop.url
    path = f"/api/v1/webhooks/{found['id']}"
    shop.behaviour = answering(500)
    ping = shipper.post(f"{path}/ping")
    assert (ping.status_code, ping.json["state"]) == (202, "waiting")
    post.deliver()
    told = shipper.get(ping.headers["Location"]).json
    assert (told["state"], told["attempts"]) == ("failed", 1)
    assert told["log"] == [
        {
            "number": 1,
            "at": post.clock().isoformat(),
            "duration_ms": told["log"][0]["duration_ms"],
            "status": 500,
            "failure": "status",
            "detail": None,
        }
    ]
    assert shipper.get(path).json["failed"] == 1
    shop.behaviour = answering(200)
    post.at(post.clock() + timedelta(minutes=1))
    assert shipper.post(f"{path}/messages/{told['id']}/replay").json["state"] == "waiting"
    assert shipper.post(f"{path}/messages/{told['id']}/replay").status_code == 409
    post.deliver()
    states = [one["state"] for one in shipper.get(f"{path}/messages?state=delivered").json["items"]]
    assert states == ["delivered"]
    assert shipper.get(f"{path}/messages?state=failed").json["items"] == []

    old = found["secret"]
    new = shipper.post(f"{path}/rotate", json={"overlap_hours": 0}).json["secret"]
    assert new != old
    assert shipper.post(f"{path}/rotate", json={"overlap_hours": 1000}).status_code == 422
    with post.database.unit_of_work(None) as session:
        keys = session.scalars(
            sa.select(WebhookSecret.key).where(WebhookSecret.endpoint_id == found["id"])
        ).all()
    assert list(keys) == [key_of(new)]

    assert shipper.post(f"{path}/pause").json["state"] == "paused"
    assert shipper.post(f"{path}/ping").status_code == 409
    assert shipper.post(f"{path}/resume").json["state"] == "active"
    changed = shipper.post(path, json=BODY | {"description": "Shop", "locale": "en"}).json
    assert (changed["description"], changed["locale"]) == ("Shop", "en")
    since = {"since": "2026-01-01T00:00:00+08:00"}
    assert shipper.post(f"{path}/replay", json=since).json == {"replayed": 0}
    assert shipper.post(f"{path}/remove").status_code == 409
    shipper.post(f"{path}/pause")
    assert shipper.post(f"{path}/remove").json == {"removed": found["id"]}
    assert shipper.get(path).status_code == 404


def test_the_same_registration_sent_again_is_one(shipper: Api, post: Post) -> None:
    first = shipper.post("/api/v1/webhooks", json=BODY, key="again")
    second = shipper.post("/api/v1/webhooks", json=BODY, key="again")
    assert first.json == second.json
    assert len(shipper.get("/api/v1/webhooks").json["items"]) == 1


def test_a_life_by_page(post: Post, firm: Company, app: APIFlask, shop: Receiver) -> None:
    browser = firm.logins.browser(Role.SHIPPER, firm.shipper_id)
    page = visit(browser, "/webhooks/new")
    refused = page.submit("/webhooks/new", url="https://10.0.0.1/", expect=422)
    assert "public internet" in refused.text
    page = refused.submit("/webhooks/new", url="https://shop.example/hooks", description="店铺")
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", page.text)
    assert secret is not None
    with post.database.unit_of_work(None) as session:
        endpoint = session.scalars(sa.select(WebhookEndpoint)).one()
        endpoint.url = shop.url
        number = endpoint.id
    page = visit(browser, f"/webhooks/{number}")
    assert "whsec_" not in page.text

    shop.behaviour = answering(500)
    page = page.submit(f"/{number}/ping")
    assert page.path.startswith(f"/webhooks/{number}/messages/msg_")
    post.deliver()
    page = visit(browser, page.path)
    assert "500" in page.text
    shop.behaviour = answering(200)
    post.at(post.clock() + timedelta(minutes=1))
    page = page.submit("/replay")
    post.deliver()
    assert len(shop.requests) == 2

    post.waiting(number, count=2)
    page = visit(browser, f"/webhooks/{number}").submit(f"/{number}/pause")
    assert {one.state for one in post.messages(number)} == {MessageState.DELIVERED, MessageState.FAILED}
    page = page.submit(f"/{number}/resume")
    page = page.submit(f"/{number}/replay", since="2026-03-01T00:00")
    post.deliver()
    assert {one.state for one in post.messages(number)} == {MessageState.DELIVERED}
    assert visit(browser, f"/webhooks/{number}?state=failed").answer.status_code == 200

    page = visit(browser, f"/webhooks/{number}").submit(f"/{number}/rotate", overlap_hours="0")
    assert "whsec_" in page.text
    assert secret[0] not in page.text
    page = visit(browser, f"/webhooks/{number}/edit").submit("/edit", url="https://shop.example/new")
    assert post.state(number).url == "https://shop.example/new"
    page = page.submit(f"/{number}/pause").submit(f"/{number}/remove")
    assert page.path == "/webhooks/"
    assert post.messages(number) == []
