"""Logins, sessions and tokens."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.accounts import service
from app.accounts.models import ApiToken, User, WebSession
from app.accounts.roles import SCOPES, Role, Scope
from app.db.session import Database
from app.errors import ConflictError, InvalidInputError, TooManyTriesError, UnauthenticatedError
from tests.support.app import PASSWORD, Logins, StepClock


def test_every_role_has_scopes_and_only_admin_has_all() -> None:
    assert set(SCOPES) == set(Role)
    assert all(SCOPES[role] for role in Role)
    assert [role for role in Role if SCOPES[role] == frozenset(Scope)] == [Role.ADMIN]


def test_a_password_is_stored_as_argon2id_only(database: Database, tenant: Logins) -> None:
    username = tenant.username(Role.AGENT)
    with database.unit_of_work(None) as session:
        stored = session.scalars(sa.select(User.password_hash).where(User.username == username)).one()
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored


def test_a_username_is_taken_whatever_its_case(database: Database, tenant: Logins, clock: StepClock) -> None:
    username = tenant.username(Role.AGENT)
    with pytest.raises(ConflictError), database.unit_of_work(tenant.tenant_id) as session:
        service.create_user(
            session,
            username=f" {username.upper()} ",
            name="x",
            role=Role.AGENT,
            password=PASSWORD,
            now=clock(),
        )


def test_a_username_is_taken_by_another_company_too(
    database: Database, new_tenant: Callable[[], Logins], tenant: Logins, clock: StepClock
) -> None:
    username = new_tenant().username(Role.SHIPPER)
    with pytest.raises(ConflictError), database.unit_of_work(tenant.tenant_id) as session:
        service.create_user(
            session, username=username, name="x", role=Role.SHIPPER, password=PASSWORD, now=clock()
        )


def test_a_short_password_is_refused(database: Database, tenant: Logins, clock: StepClock) -> None:
    with pytest.raises(InvalidInputError), database.unit_of_work(tenant.tenant_id) as session:
        service.create_user(session, username="s", name="s", role=Role.HUB, password="short", now=clock())


def test_five_wrong_passwords_lock_even_the_right_one_for_a_while(
    database: Database, new_tenant: Callable[[], Logins], clock: StepClock
) -> None:
    username = new_tenant().username(Role.FINANCE)
    for _ in range(5):
        with database.unit_of_work(None) as session:
            assert service.check_password(session, username, "wrong", now=clock()) is None
    with pytest.raises(TooManyTriesError), database.unit_of_work(None) as session:
        service.check_password(session, username, PASSWORD, now=clock())
    clock.forward(minutes=16)
    with database.unit_of_work(None) as session:
        assert service.check_password(session, username, PASSWORD, now=clock()) is not None


def test_signing_in_and_out(tenant: Logins) -> None:
    browser = tenant.browser(Role.AGENT)
    assert browser.get("/tokens").status_code == 200
    cookie = browser.get_cookie("wheelhouse")
    assert cookie is not None
    assert cookie.http_only
    assert browser.post("/logout").status_code == 302
    browser.set_cookie("wheelhouse", cookie.value)  # a stolen copy of the cookie is worth nothing either
    assert browser.get("/tokens").status_code == 302


def test_a_page_asks_to_sign_in_and_comes_back(client: FlaskClient, tenant: Logins) -> None:
    answer = client.get("/tokens?x=1")
    assert answer.status_code == 302
    assert answer.location == "/login?next=/tokens?x%3D1"
    answer = client.post(answer.location, data={"username": tenant.username(Role.HUB), "password": PASSWORD})
    assert answer.location == "/tokens?x=1"


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:x"]
)
def test_signing_in_never_leads_to_another_site(client: FlaskClient, tenant: Logins, target: str) -> None:
    answer = client.post(
        "/login",
        query_string={"next": target},
        data={"username": tenant.username(Role.HUB), "password": PASSWORD},
    )
    assert answer.status_code == 302
    assert answer.location == "/"


def test_a_wrong_password_and_an_unknown_name_look_alike(client: FlaskClient, tenant: Logins) -> None:
    wrong = client.post("/login", data={"username": tenant.username(Role.HUB), "password": "wrong"})
    unknown = client.post("/login", data={"username": "nobody", "password": "wrong"})
    assert wrong.status_code == unknown.status_code == 422
    wrong_page, unknown_page = (  # but for the form's token, which bears the second it was made in
        re.sub(r'(csrf-token" content=|name="csrf_token"[^>]*value=)"[^"]+"', r'\1""', answer.text)
        for answer in (wrong, unknown)
    )
    assert wrong_page != wrong.text
    assert wrong_page.replace(tenant.username(Role.HUB), "nobody") == unknown_page


def test_a_session_ends_with_its_time_and_the_job_removes_it(
    database: Database, tenant: Logins, clock: StepClock
) -> None:
    browser = tenant.browser(Role.HUB, who="late")
    clock.forward(hours=13)
    assert browser.get("/tokens").status_code == 302
    with database.unit_of_work(None) as session:
        assert service.drop_expired_sessions(session, now=clock()) >= 1
        assert session.scalar(sa.select(WebSession).where(WebSession.expires_at <= clock())) is None


def test_a_token_works_until_it_is_revoked_or_expires(
    database: Database, tenant: Logins, clock: StepClock
) -> None:
    api = tenant.api(Role.AGENT)
    answer = api.get("/api/v1/me")
    assert answer.status_code == 200
    assert answer.json["scopes"] == sorted(SCOPES[Role.AGENT])
    with database.unit_of_work(tenant.tenant_id) as session:
        stored = session.scalars(sa.select(ApiToken)).all()
        assert all(api.token.encode() not in row.token_hash for row in stored)
    clock.forward(days=366)
    answer = api.get("/api/v1/me")
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_never_has_more_scopes_than_its_owner(
    database: Database, tenant: Logins, clock: StepClock
) -> None:
    actor = tenant.actor(Role.HUB)
    with pytest.raises(InvalidInputError), database.unit_of_work(tenant.tenant_id) as session:
        service.create_token(
            session, actor, name="x", scopes=frozenset({Scope.LEDGER_READ.value}), now=clock()
        )


def test_the_machines_door_ignores_cookies(tenant: Logins) -> None:
    assert tenant.browser(Role.ADMIN).get("/api/v1/me").status_code == 401


def test_a_token_of_somebody_who_left_is_worth_nothing(
    database: Database, tenant: Logins, clock: StepClock
) -> None:
    actor = tenant.actor(Role.HUB, who="leaver")
    api = tenant.api(Role.HUB, who="leaver")
    with database.unit_of_work(tenant.tenant_id) as session:
        user = session.get(User, actor.user_id)
        assert user is not None
        user.active = False
    with pytest.raises(UnauthenticatedError), database.unit_of_work(None) as session:
        service.actor_of_token(session, api.token, now=clock())


def test_tokens_page_shows_a_new_token_once_and_revokes_it(tenant: Logins) -> None:
    browser = tenant.browser(Role.SHIPPER, 1)
    page = browser.post("/tokens", data={"name": "warehouse", "scopes": ["shipments:read"]})
    assert page.status_code == 200
    secret = page.text.split("wh_", 1)[1]
    secret = "wh_" + secret[:43]
    machine = browser.application.test_client()
    headers = {"Authorization": f"Bearer {secret}"}
    assert machine.get("/api/v1/me", headers=headers).status_code == 200
    assert secret not in browser.get("/tokens").text
    action = page.text.split('/revoke"')[0].rsplit('"', 1)[1] + "/revoke"
    assert browser.post(action).status_code == 302
    assert machine.get("/api/v1/me", headers=headers).status_code == 401
