"""Who may ask what, for every route of the application: role x route x tenant.

Two companies, and in the first of them two shippers. Each route is asked by nobody, by roles without its
scope, with ids of the other company, with ids of the other shipper, and with one's own.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from apiflask import APIFlask
from flask.testing import FlaskClient

from app.accounts.roles import Role
from app.db.base import Base, TenantScoped
from app.db.session import Database
from app.dispatch import queries as dispatch_queries
from app.dispatch import service as dispatch
from tests.flows.routes import (
    BODIES,
    COURIERS_ONLY,
    PUBLIC,
    SIGNED_IN,
    STAFF_ONLY,
    Asker,
    Route,
    ask,
    asker_of,
    filler,
    path_of,
    routes_of,
)
from tests.flows.things import Things, things_of
from tests.support.app import Logins
from tests.support.company import Company, company


@pytest.fixture(scope="module")
def home(new_tenant: Callable[[], Logins]) -> Company:
    return company(new_tenant())


@pytest.fixture(scope="module")
def abroad(new_tenant: Callable[[], Logins]) -> Company:
    return company(new_tenant())


@pytest.fixture(scope="module")
def foreign(abroad: Company) -> Things:
    """Of another company."""
    return things_of(abroad, abroad.shipper_id, other_customer_id=abroad.private_id, goods="外司瓷器")


@pytest.fixture(scope="module")
def theirs(home: Company, foreign: Things) -> Things:
    """Of another shipper of the company; made a day later on the clock."""
    return things_of(home, home.other_shipper_id, other_customer_id=home.private_id, goods="别家耳机")


@pytest.fixture(scope="module")
def mine(home: Company, theirs: Things, foreign: Things) -> Things:
    """Made last, so that it is of today: the courier has his round. Its plan is in force."""
    things = things_of(home, home.shipper_id, other_customer_id=home.private_id, goods="我的茶叶")
    with home.work() as session:
        plan = dispatch_queries.load_plan(session, home.dispatcher, things.plan_id)
        dispatch.publish(session, home.dispatcher, plan, now=home.now)
    assert len({things.case_number, theirs.case_number, foreign.case_number}) == 3
    return things


@pytest.fixture(scope="module")
def askers(mine: Things) -> dict[Role, Asker]:
    """Signed in when everything is made: that takes days on the clock, and a login lasts hours."""
    return {role: asker_of(mine, role) for role in Role}


@pytest.fixture(scope="module")
def stranger(foreign: Things) -> Asker:
    """Of the other company; for the ids that belong to a login."""
    return asker_of(foreign, Role.ADMIN)


@pytest.fixture(scope="module")
def routes(app: APIFlask) -> list[Route]:
    return routes_of(app)


def listing(problems: list[str]) -> str:
    """One a line, for the report."""
    return "\n" + "\n".join(problems)


def body_of(route: Route, things: Things) -> dict[str, object]:
    return BODIES[route.endpoint](things) if route.method == "POST" else {}


def test_no_route_is_unlisted(routes: list[Route]) -> None:
    unknown = []
    for route in routes:
        for argument in route.arguments:
            try:
                filler(route, argument)
            except KeyError:
                unknown.append(f"{route}: what fills <{argument}>?")
        if route.method == "POST" and route.endpoint not in BODIES:
            unknown.append(f"{route}: what is posted?")
        if route.method not in ("GET", "POST"):
            unknown.append(f"{route}: nobody asks by this method")
    assert not unknown, listing(unknown)
    endpoints = {route.endpoint for route in routes}
    assert {route.endpoint for route in routes if route.access == "public"} == PUBLIC & endpoints == PUBLIC
    assert {route.endpoint for route in routes if route.access == "signed-in"} == SIGNED_IN
    assert (set(BODIES) | STAFF_ONLY | COURIERS_ONLY) <= endpoints
    assert endpoints >= STAFF_ONLY


def test_nobody_gets_in_without_a_login(
    app: APIFlask, client: FlaskClient, routes: list[Route], mine: Things, askers: dict[Role, Asker]
) -> None:
    wrong = []
    for route in routes:
        if route.access == "public":
            continue
        path = path_of(app, route, mine, askers[Role.ADMIN])
        body = body_of(route, mine)
        answer = client.open(path, method=route.method, json=body.get("json"), data=body.get("form"))
        if route.is_api:
            right = answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"
        else:
            right = answer.status_code == 302 and answer.headers["Location"].startswith("/login")
        if not right:
            wrong.append(f"{route}: {answer.status_code}")
    assert not wrong, listing(wrong)


@pytest.mark.parametrize("role", Role)
def test_a_role_without_the_scope_is_refused(
    app: APIFlask, routes: list[Route], mine: Things, askers: dict[Role, Asker], role: Role
) -> None:
    refused, wrong = 0, []
    for route in routes:
        expected = route.refusal(role)
        if expected is None:
            continue
        answer = ask(route, path_of(app, route, mine, askers[role]), body_of(route, mine), askers[role])
        refused += 1
        if answer.status_code != expected:
            wrong.append(f"{route}: {answer.status_code}")
    assert not wrong, listing(wrong)
    assert refused > 0 or role is Role.ADMIN


@pytest.mark.parametrize("role", Role)
def test_ids_of_another_company_are_not_found(
    app: APIFlask,
    database: Database,
    routes: list[Route],
    mine: Things,
    foreign: Things,
    askers: dict[Role, Asker],
    stranger: Asker,
    role: Role,
) -> None:
    before = _rows(database, foreign.company.tenant_id)
    asked, wrong = 0, []
    for route in routes:
        if route.access == "public" or not route.arguments or not route.is_open_to(role):
            continue
        path = path_of(app, route, foreign, stranger)
        if path == path_of(app, route, mine, askers[role]):
            continue  # it names nothing that is a company's own
        answer = ask(route, path, body_of(route, foreign), askers[role])
        asked += 1
        if answer.status_code not in (404, route.refusal(role)):
            wrong.append(f"{route}: {answer.status_code}")
    assert not wrong, listing(wrong)
    assert asked > 0
    assert _rows(database, foreign.company.tenant_id) == before


def test_ids_of_another_shipper_are_not_found(
    app: APIFlask, routes: list[Route], mine: Things, theirs: Things, askers: dict[Role, Asker]
) -> None:
    asker, other = askers[Role.SHIPPER], asker_of(theirs, Role.SHIPPER)
    asked, wrong = set(), []
    for route in routes:
        if route.access == "public" or not route.is_open_to(Role.SHIPPER):
            continue
        path = path_of(app, route, theirs, other)
        if path == path_of(app, route, mine, asker):
            continue  # it names nothing that is a shipper's own
        answer = ask(route, path, body_of(route, theirs), asker)
        asked.add(route.room)
        if answer.status_code not in (404, route.refusal(Role.SHIPPER)):
            wrong.append(f"{route}: {answer.status_code}")
    assert not wrong, listing(wrong)
    assert asked >= {"orders", "shipments", "servicedesk", "accounts"}


def test_ids_in_what_is_sent_are_guarded_like_ids_in_addresses(
    mine: Things, theirs: Things, foreign: Things, askers: dict[Role, Asker]
) -> None:
    agent, dispatcher, shipper = askers[Role.AGENT], askers[Role.DISPATCHER], askers[Role.SHIPPER]
    ready = {"ready_at": "2026-03-02T09:00:00+08:00", "from_facility_id": mine.facility_id}
    move = {"stop_id": foreign.stop_id, "courier_id": mine.courier_id, "version": 1}
    case = {"category": "other", "body": "a question"}
    plan = {"facility_id": foreign.facility_id, "day": "2026-03-20", "seconds": 1}
    answers = {
        "a booking for another company's customer": agent.api.post(
            "/api/v1/shipments", json=mine.company.booking_body(customer_id=foreign.customer_id)
        ),
        "a booking for another shipper": shipper.api.post(
            "/api/v1/shipments", json=mine.company.booking_body(customer_id=theirs.customer_id)
        ),
        "a way to another company's place": dispatcher.api.get(
            "/api/v1/network/itineraries", query_string=ready | {"to_facility_id": foreign.facility_id}
        ),
        "a plan for another company's outlet": dispatcher.api.post("/api/v1/dispatch/plans", json=plan),
        "another company's stop in a plan": dispatcher.api.post(
            f"/api/v1/dispatch/plans/{mine.plan_id}/moves", json=move
        ),
        "the board of another company": dispatcher.browser.get(f"/dispatch?facility={foreign.facility_id}"),
        "a case about another company's parcel": agent.api.post(
            "/api/v1/cases", json=case | {"waybill_number": foreign.delivered}
        ),
        "a case about another shipper's parcel": shipper.api.post(
            "/api/v1/cases", json=case | {"waybill_number": theirs.delivered}
        ),
        "a case for another company's customer": agent.browser.get(
            f"/cases/new?customer={foreign.customer_id}"
        ),
        "a case begun from another shipper's parcel": shipper.browser.get(
            f"/cases/new?shipment={theirs.delivered}"
        ),
    }
    found = {what: answer.status_code for what, answer in answers.items()}
    assert found == dict.fromkeys(answers, 404)


def test_lists_hold_nothing_of_others(
    app: APIFlask,
    routes: list[Route],
    mine: Things,
    theirs: Things,
    foreign: Things,
    askers: dict[Role, Asker],
) -> None:
    listed, wrong = set(), []
    for role, asker in askers.items():
        hidden = {foreign.delivered, foreign.booked, foreign.goods, foreign.batch_number}
        if role is Role.SHIPPER:
            hidden |= {theirs.delivered, theirs.booked, theirs.goods}
        for route in routes:
            if route.method != "GET" or route.arguments or not route.is_open_to(role):
                continue
            text = ask(route, path_of(app, route, mine, asker), {}, asker).text
            wrong += [f"{role}: {route} holds {word}" for word in hidden if word in text]
            listed |= (
                {f"{role}: {route.endpoint}"} if mine.delivered in text or mine.booked in text else set()
            )
    assert not wrong, listing(wrong)
    # The lists do hold one's own, or their silence would say nothing.
    for endpoint in ("shipments.index", "shipments.export", "orders.index", "orders_api.orders"):
        assert f"shipper: {endpoint}" in listed
        assert f"agent: {endpoint}" in listed


def test_scans_reach_no_other_company(mine: Things, foreign: Things, askers: dict[Role, Asker]) -> None:
    scan = {
        "number": foreign.booked,
        "code": "lost",
        "occurred_at": mine.company.now.isoformat(),
        "device_id": "gun",
        "client_scan_id": "1",
    }
    elsewhere = scan | {
        "number": mine.booked,
        "client_scan_id": "2",
        "facility_id": foreign.facility_id,
    }
    answer = askers[Role.DISPATCHER].api.post("/api/v1/scans", json=[scan, elsewhere])
    assert [item["status"] for item in answer.json["items"]] == ["unmatched", "rejected"]
    station = askers[Role.HUB].browser.post("/scan", data={"number": foreign.booked, "code": "lost"})
    assert station.status_code == 200
    assert foreign.company.shipment(foreign.booked).milestone == "booked"
    assert mine.company.shipment(mine.booked).milestone == "booked"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("role", Role)
def test_one_gets_in_with_ones_own(
    app: APIFlask, routes: list[Route], mine: Things, askers: dict[Role, Asker], role: Role, method: str
) -> None:
    """The last of all: what is posted here changes things."""
    asker, wrong = askers[role], []
    for route in routes:
        if route.method != method or route.endpoint == "accounts.logout" or route.refusal(role):
            continue
        answer = ask(route, path_of(app, route, mine, asker), body_of(route, mine), asker)
        if answer.status_code in (401, 403, 404) or answer.status_code >= 500:
            wrong.append(f"{route}: {answer.status_code}")
    assert not wrong, listing(wrong)


def _rows(database: Database, tenant_id: int) -> dict[str, int]:
    """How many rows a tenant has in each table."""
    with database.unit_of_work(None) as session:
        return {
            mapper.class_.__name__: session.scalar(
                sa.select(sa.func.count()).where(mapper.class_.tenant_id == tenant_id)
            )
            for mapper in Base.registry.mappers
            if issubclass(mapper.class_, TenantScoped)
        }
