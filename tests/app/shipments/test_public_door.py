"""What is answered in front of Flask is answered as the views of the same paths would."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import Client, TestResponse

from app.accounts.roles import Role
from app.config import Settings
from app.factory import create_app
from app.shipments.models import Shipment
from app.shipments.public_door import PublicDoor
from tests.app.shipments.conftest import Desk
from tests.app.shipments.test_public import unknown_number
from tests.support.app import StepClock
from tracking.shipment import ScanCode

REQUEST_ID = {"X-Request-Id": "asked-7"}


@pytest.fixture(scope="module")
def guarded(settings: Settings, clock: StepClock) -> Iterator[APIFlask]:
    """The application with its forms protected, as in production."""
    application = create_app(settings, clock=clock)
    yield application
    application.extensions["wheelhouse"].database.dispose()


@pytest.fixture
def door(guarded: APIFlask) -> FlaskClient:
    return guarded.test_client()


@pytest.fixture
def views(guarded: APIFlask) -> Client:
    """The views alone, as if there were no door in front of them."""
    assert isinstance(guarded.wsgi_app, PublicDoor)
    return Client(guarded.wsgi_app.others)


@pytest.fixture(scope="module")
def parcel(desk: Desk) -> Shipment:
    shipment = desk.book()
    desk.record(*desk.life(shipment, until="out_for_delivery"))
    return shipment


def headers(answer: TestResponse) -> list[tuple[str, str]]:
    return sorted((name.lower(), value) for name, value in answer.headers if name != "Set-Cookie")


@pytest.mark.parametrize("asked", [{}, {"Accept-Language": "zh-CN,en;q=0.5"}, {"Cookie": "lang=zh; other=1"}])
def test_the_document_is_the_views(
    door: FlaskClient, views: Client, parcel: Shipment, asked: dict[str, str]
) -> None:
    path = f"/api/v1/track/{parcel.waybill_number}"
    answers = [one.get(path, headers={**REQUEST_ID, **asked}) for one in (door, views)]
    assert answers[0].data == answers[1].data
    assert [answer.status for answer in answers] == ["200 OK"] * 2
    assert headers(answers[0]) == headers(answers[1])


def test_an_unknown_number_is_answered_as_by_the_view(door: FlaskClient, views: Client) -> None:
    path = f"/api/v1/track/{unknown_number(4)}"
    answers = [one.get(path, headers=REQUEST_ID) for one in (door, views)]
    assert answers[0].data == answers[1].data
    assert [answer.status for answer in answers] == ["404 NOT FOUND"] * 2
    assert headers(answers[0]) == headers(answers[1])
    other = door.get(f"/api/v1/track/{unknown_number(5)}", headers=REQUEST_ID)
    assert other.text.replace(unknown_number(5), unknown_number(4)) == answers[0].text
    assert headers(other) == headers(answers[0])


def test_more_than_a_plain_question_goes_to_the_view(door: FlaskClient, parcel: Shipment) -> None:
    path = f"/api/v1/track/{parcel.waybill_number}"
    assert door.get(path, headers={"Authorization": "Bearer of-nothing"}).status_code == 401
    assert door.get(f"{path}?phone_last4=12").status_code == 422
    assert door.get(f"{path}?phone_last4=5678").json["details_access"] == "open"
    assert door.head(path).data == b""
    assert door.get(f"/api/v1/track/{parcel.waybill_number.lower()}").data == door.get(path).data
    assert door.post(path).status_code == 405


def plain(page: str) -> str:
    """A page without the token of its forms and the spaces that nobody sees."""
    page = re.sub(r'(name="csrf_token"[^>]*value="|name="csrf-token" content=")[^"]+', r"\1TOKEN", page)
    return re.sub(r">\s+<", "><", re.sub(r"\s+", " ", page))


def alike(door: FlaskClient, views: Client, shipment: Shipment, language: str) -> TestResponse:
    path = f"/track/{shipment.waybill_number}"
    asked = {**REQUEST_ID, "Accept-Language": language}
    mine, theirs = (one.get(path, headers=asked) for one in (door, views))
    assert plain(mine.text) == plain(theirs.text)
    assert [answer for answer in headers(mine) if answer[0] not in ("content-length", "vary")] == [
        answer for answer in headers(theirs) if answer[0] not in ("content-length", "vary")
    ]
    assert set(mine.vary) == set(theirs.vary)
    return mine


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("code", [code.value for code in ScanCode if code is not ScanCode.VOIDED])
def test_the_page_is_the_views(
    guarded: APIFlask, views: Client, desk: Desk, code: str, language: str
) -> None:
    shipment = desk.book()
    life = desk.life(shipment, until="departed")
    late = desk.scan(shipment, code, life[-1].occurred_at.replace(hour=23), "WUH-HUB", reason="no_access")
    desk.record(*life, late)
    alike(guarded.test_client(), views, shipment, language)


def test_the_page_of_what_is_late_is_the_views(
    guarded: APIFlask, views: Client, desk: Desk, clock: StepClock
) -> None:
    shipment = desk.book()
    before, clock.moment = clock.moment, shipment.estimate_p95_at.replace(minute=1)
    try:
        page = alike(guarded.test_client(), views, shipment, "en")
    finally:
        clock.moment = before
    assert "Expected now" in page.text


def token_of(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None, "the form is protected"
    return found[1]


def test_the_form_on_the_page_is_protected_and_works(door: FlaskClient, parcel: Shipment) -> None:
    path = f"/track/{parcel.waybill_number}"
    first, again = door.get(path), door.get(path)
    assert "Set-Cookie" in first.headers
    assert "Set-Cookie" not in again.headers
    assert door.post(f"{path}/details", data={"digits": "5678"}).status_code == 400
    forged = {"digits": "5678", "csrf_token": token_of(first.text)[:-2]}
    assert door.post(f"{path}/details", data=forged).status_code == 400
    for page in (first, again):
        opened = door.post(f"{path}/details", data={"digits": "5678", "csrf_token": token_of(page.text)})
        assert opened.status_code == 302
    assert "李**" in door.get(path).text


def test_the_cookie_is_flasks(door: FlaskClient, views: Client, parcel: Shipment) -> None:
    path = f"/track/{parcel.waybill_number}"
    shapes = set()
    for one in (door, views):
        name, _, rest = one.get(path).headers["Set-Cookie"].partition("=")
        shapes.add((name, rest.partition(";")[2]))
    assert len(shapes) == 1
    assert door.get("/track").status_code == 200
    with door.session_transaction() as session:
        assert set(session) == {"csrf_token"}


def test_a_cookie_that_is_not_ours_is_as_none(door: FlaskClient, parcel: Shipment) -> None:
    page = door.get(f"/track/{parcel.waybill_number}", headers={"Cookie": "wheelhouse=forged.by.somebody"})
    assert page.status_code == 200
    assert "Set-Cookie" in page.headers


def test_somebody_who_has_signed_in_keeps_his_menu(desk: Desk, parcel: Shipment) -> None:
    page = desk.logins.browser(Role.DISPATCHER).get(f"/track/{parcel.waybill_number}")
    assert 'class="nav-main"' in page.text


def test_a_choice_of_language_is_kept(door: FlaskClient, parcel: Shipment) -> None:
    path = f"/track/{parcel.waybill_number}"
    assert door.get(f"{path}?lang=zh", headers={"Accept": "text/html"}).location == path
    assert door.get(path).headers["Content-Language"] == "zh-Hans-CN"


def test_a_database_that_is_away_is_said_alike(desk: Desk, parcel: Shipment, clock: StepClock) -> None:
    away = Settings(
        database_url="postgresql://nobody@127.0.0.1:1/none",
        secret_key="a key of the tests that is long enough",
    )
    app = create_app(away, clock=clock)
    assert isinstance(app.wsgi_app, PublicDoor)
    path = f"/api/v1/track/{parcel.waybill_number}"
    answers = [one.get(path, headers=REQUEST_ID) for one in (app.test_client(), Client(app.wsgi_app.others))]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert answers[0].headers["Retry-After"]
    assert answers[0].data == answers[1].data
    assert headers(answers[0]) == headers(answers[1])
    page = app.test_client().get(f"/track/{parcel.waybill_number}")
    assert page.status_code == 503


def test_every_answer_is_counted_by_its_route(door: FlaskClient, parcel: Shipment) -> None:
    def count() -> float:
        text = door.get("/metrics").text
        line = 'wheelhouse_requests_total{method="GET",route="/track/<number>",status="200"}'
        (found,) = [one for one in text.splitlines() if one.startswith(line)]
        return float(found.rpartition(" ")[2])

    path = f"/track/{parcel.waybill_number}"
    door.get(path)
    before = count()
    door.get(path)
    assert count() == before + 1
