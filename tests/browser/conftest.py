"""A real Chromium before the real application: its security policy, its CSRF tokens, its scheduler.

Where Chromium is missing these tests are skipped with a warning; where CI is set, that is a failure.
"""

from __future__ import annotations

import os
import shutil
import threading
import uuid
import warnings
from collections.abc import Callable, Iterator

import pytest
from apiflask import APIFlask
from playwright.sync_api import Browser, expect, sync_playwright
from werkzeug.serving import make_server

from app.accounts import service as accounts
from app.accounts.roles import Role
from app.config import Settings
from app.db.session import Database
from app.factory import create_app
from app.scheduler import Scheduler
from tests.browser.look import VIEWS, View, Visitor, visit
from tests.support.app import PASSWORD, Logins, StepClock
from tests.support.company import Company, company

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# WebGL in software, so that maps are drawn on machines without a graphics card.
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--use-angle=swiftshader"]
ARGUMENTS += ["--enable-unsafe-swiftshader"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        missing = "NO BROWSER: the pages were NOT tested; install chromium (apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(missing)
        warnings.warn(missing, stacklevel=1)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=VIEWS, ids=lambda view: view.name)
def view(request: pytest.FixtureRequest) -> View:
    """Each test that asks is run at both widths and in both languages, each with a company of its own."""
    found: View = request.param
    return found


@pytest.fixture(scope="module")
def clock(view: View) -> StepClock:
    return StepClock()


@pytest.fixture(scope="module")
def app(database_url: str, clock: StepClock) -> Iterator[APIFlask]:
    """As in production: nothing of it is switched off."""
    settings = Settings(
        database_url=database_url,
        secret_key="a key of the tests that is long enough",
        session_hours=720,  # the clock goes forward by days while a parcel travels
    )
    application = create_app(settings, clock=clock)
    yield application
    application.extensions["wheelhouse"].database.dispose()


@pytest.fixture(scope="module")
def address(app: APIFlask, clock: StepClock) -> Iterator[str]:
    """Where the application is served, with a scheduler beside it that relays events and makes plans."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    scheduler = Scheduler(app.extensions["wheelhouse"].settings, clock=clock, jobs=())
    threads = [threading.Thread(target=server.serve_forever), threading.Thread(target=scheduler.run)]
    for thread in threads:
        thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    scheduler.stop()
    for thread in threads:
        thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def firm(app: APIFlask, database: Database, clock: StepClock) -> Company:
    """A courier company at work, with its logins."""
    code = f"t{uuid.uuid4().hex[:10]}"
    with database.unit_of_work(None) as session:
        tenant = accounts.create_tenant(session, code=code, name="锦程速运", now=clock())
    return company(Logins(app, database, clock, tenant.id))


@pytest.fixture
def newcomer(
    chromium: Browser, address: str, view: View, clock: StepClock
) -> Iterator[Callable[[], Visitor]]:
    """Makes visitors whom nobody knows; at the end none of their browsers may have complained."""
    made: list[Visitor] = []

    def make() -> Visitor:
        made.append(visit(chromium, address, view, clock))
        return made[-1]

    yield make
    for visitor in made:
        visitor.context.close()
    assert [complaint for visitor in made for complaint in visitor.complaints] == []


@pytest.fixture
def member(newcomer: Callable[[], Visitor], firm: Company, view: View) -> Callable[..., Visitor]:
    """Signs somebody in through the sign-in page: `member(role, subject_id, who=...)`."""

    def sign_in(role: Role | str, subject_id: int | None = None, *, who: str = "a") -> Visitor:
        visitor = newcomer()
        page = visitor.open("/login")
        page.locator("[name=username]").fill(firm.logins.username(role, subject_id, who=who))
        page.locator("[name=password]").fill(PASSWORD)
        with page.expect_navigation():
            page.get_by_role("button", name=view.words("Sign in", "登录")).click()
        expect(page.locator("summary.tool")).to_be_attached()
        return visitor

    return sign_in
