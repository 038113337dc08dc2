"""The web application for a test: `app`, its clock, and doors for people and for machines."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.accounts import service as accounts
from app.accounts.roles import Role
from app.actor import Actor
from app.config import Settings
from app.db.session import Database
from app.factory import create_app

PASSWORD = "correct horse battery"


@dataclass
class StepClock:
    """A clock that stands still until it is moved."""

    moment: datetime = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # a Monday, 09:00 in China

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **delta: float) -> datetime:
        """Move on by `timedelta(**delta)`."""
        self.moment += timedelta(**delta)
        return self.moment


@dataclass
class Api:
    """A machine with a token."""

    client: FlaskClient
    token: str
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, headers=self._headers(options), **options)

    def post(self, path: str, *, key: str | None = "", **options: Any) -> TestResponse:
        """POST with a fresh Idempotency-Key; `key=None` sends none."""
        headers = self._headers(options)
        if key is not None:
            headers["Idempotency-Key"] = key or uuid.uuid4().hex
        return self.client.post(path, headers=headers, **options)

    def _headers(self, options: dict[str, Any]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}


@dataclass(frozen=True)
class Logins:
    """Logins of one tenant: `actor`, `browser` and `api` make the user they need, once a (role, subject)."""

    app: APIFlask
    database: Database
    clock: StepClock
    tenant_id: int
    _users: dict[tuple[Role, int | None, str], str] = field(default_factory=dict)

    def username(self, role: Role | str, subject_id: int | None = None, *, who: str = "a") -> str:
        """A login's username; another `who` is another person of the same role."""
        key = (Role(role), subject_id, who)
        if key not in self._users:
            name = f"{role}-{subject_id or 0}-{who}-{uuid.uuid4().hex[:8]}"
            with self.database.unit_of_work(self.tenant_id) as session:
                accounts.create_user(
                    session,
                    username=name,
                    name=f"{Role(role).value.title()} {who.upper()}",
                    role=Role(role),
                    password=PASSWORD,
                    subject_id=subject_id,
                    now=self.clock(),
                )
            self._users[key] = name
        return self._users[key]

    def actor(self, role: Role | str, subject_id: int | None = None, *, who: str = "a") -> Actor:
        """The value that services take."""
        username = self.username(role, subject_id, who=who)
        with self.database.unit_of_work(None) as session:
            user = accounts.check_password(session, username, PASSWORD, now=self.clock())
            assert user is not None
            return accounts.actor_of(user)

    def browser(self, role: Role | str, subject_id: int | None = None, *, who: str = "a") -> FlaskClient:
        """A signed-in browser (CSRF tokens are off in HTTP tests, on in tests/browser and test_csrf)."""
        client = self.app.test_client()
        answer = client.post(
            "/login", data={"username": self.username(role, subject_id, who=who), "password": PASSWORD}
        )
        assert answer.status_code == 302, answer.text
        return client

    def api(self, role: Role | str, subject_id: int | None = None, *, who: str = "a") -> Api:
        """A machine with a token that has every scope of the role."""
        actor = self.actor(role, subject_id, who=who)
        with self.database.unit_of_work(self.tenant_id) as session:
            _token, secret = accounts.create_token(
                session, actor, name="test", scopes=actor.scopes, now=self.clock()
            )
        return Api(self.app.test_client(), secret)


@pytest.fixture(scope="module")
def clock() -> StepClock:
    return StepClock()


@pytest.fixture(scope="module")
def settings(database_url: str) -> Settings:
    return Settings(
        database_url=database_url,
        secret_key="a key of the tests that is long enough",
        demo_logins=False,
    )


@pytest.fixture(scope="module")
def app(settings: Settings, clock: StepClock) -> Iterator[APIFlask]:
    application = create_app(settings, clock=clock)
    application.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    yield application
    application.extensions["wheelhouse"].database.dispose()


@pytest.fixture
def client(app: APIFlask) -> FlaskClient:
    """A browser that nobody has signed in to."""
    return app.test_client()


@pytest.fixture(scope="module")
def new_tenant(app: APIFlask, database: Database, clock: StepClock) -> Callable[[], Logins]:
    """Makes tenants; each call another one."""

    def make() -> Logins:
        with database.unit_of_work(None) as session:
            tenant = accounts.create_tenant(
                session, code=f"t{uuid.uuid4().hex[:10]}", name="Tenant", now=clock()
            )
        return Logins(app, database, clock, tenant.id)

    return make


@pytest.fixture(scope="module")
def tenant(new_tenant: Callable[[], Logins]) -> Logins:
    """The module's tenant and its logins."""
    return new_tenant()
