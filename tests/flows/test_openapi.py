"""The OpenAPI document is valid, holds every machine's door, and nothing generated from it makes a 5xx."""

from __future__ import annotations

import math
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from apiflask import APIFlask
from hypothesis import HealthCheck, Phase, given, seed, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode

from app.accounts.roles import Role
from app.security import MACHINES
from tests.flows.routes import Asker, Route, asker_of, filler, routes_of
from tests.flows.things import Things, things_of
from tests.support.app import Logins
from tests.support.company import company

CASES = 2_000  # generated and sent; shared out among all ways of asking all doors


@pytest.fixture(scope="module")
def things(new_tenant: Callable[[], Logins]) -> Things:
    made = company(new_tenant())
    return things_of(made, made.shipper_id, other_customer_id=made.private_id, goods="茶叶")


@pytest.fixture(scope="module")
def admin(things: Things) -> Asker:
    return asker_of(things, Role.ADMIN)


@pytest.fixture(scope="module")
def document(app: APIFlask) -> dict[str, Any]:
    answer = app.test_client().get("/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json
    return found


@pytest.fixture(scope="module")
def api_routes(app: APIFlask) -> list[Route]:
    return [route for route in routes_of(app) if route.is_api]


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_every_machines_door_is_in_it(document: dict[str, Any], app: APIFlask) -> None:
    doors = {
        (_templated(rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(MACHINES)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert described == doors


def test_every_door_says_who_may_come_in_and_what_an_error_looks_like(
    document: dict[str, Any], api_routes: list[Route]
) -> None:
    public = {
        (_templated(route.path), route.method.lower()) for route in api_routes if route.access == "public"
    }
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], path
            assert operation["responses"]["default"]["content"].keys() == {"application/problem+json"}, path
            wanted = [] if (path, method) in public else [{"bearer": []}]
            assert operation.get("security", []) == wanted, f"{method} {path}"


Way = tuple[schemathesis.APIOperation, dict[str, Any]]


def test_nothing_generated_from_it_makes_a_server_error(app: APIFlask, things: Things, admin: Asker) -> None:
    """What fits the document, of made-up things and of existing ones, and what does not fit it."""
    ways = list(_ways(app, things, admin))
    broken: list[str] = []
    answered: Counter[int] = Counter()
    asked: Counter[str] = Counter()
    # A way that has few cases to offer gives fewer than its share; the next rounds make up for it.
    for round_no in range(8):
        share = math.ceil((CASES - answered.total()) / len(ways))
        for operation, way in ways:
            new = _ask(operation, way, admin, broken, examples=share, round_no=round_no)
            answered += new
            asked[operation.label] += new.total()
        if answered.total() >= CASES:
            break
    assert not broken, "\n" + "\n".join(broken[:40])
    assert answered.total() >= CASES
    assert asked.keys() == {operation.label for operation, _way in ways}
    assert min(asked.values()) >= CASES / len(ways) / 2, asked.most_common()[-5:]
    assert answered[200] + answered[201] > CASES / 10, answered
    assert answered[422] > CASES / 20, answered
    assert answered[401] < answered[422], answered  # what does not fit may also lack its login


def _ways(app: APIFlask, things: Things, admin: Asker) -> Iterator[Way]:
    """How each door is asked: of anything, of what there is, and, where it takes something, what is wrong."""
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    routes = {(_templated(route.path), route.method): route for route in routes_of(app)}
    for result in schema.get_all_operations():
        operation = result.ok()
        route = routes[operation.path, operation.method.upper()]
        existing = {name: filler(route, name)(things, admin) for name in route.arguments}
        yield operation, {}
        if existing:
            yield operation, {"path_parameters": existing}
        if operation.query or operation.body:
            yield operation, {"path_parameters": existing, "generation_mode": GenerationMode.NEGATIVE}


def _ask(
    operation: schemathesis.APIOperation,
    way: dict[str, Any],
    admin: Asker,
    broken: list[str],
    *,
    examples: int,
    round_no: int,
) -> Counter[int]:
    """Call an operation with generated cases; counts by status, and adds those that broke the server."""
    answered: Counter[int] = Counter()

    @seed(round_no)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(**way))
    def ask(case: schemathesis.Case) -> None:
        # A fresh key each time, so that nothing is answered from store.
        headers = {"Authorization": f"Bearer {admin.api.token}", "Idempotency-Key": uuid.uuid4().hex}
        answer = case.call(headers=headers)
        answered[answer.status_code] += 1
        if answer.status_code >= 500:
            broken.append(f"{answer.status_code} {case.as_curl_command()}")

    ask()
    return answered


def _templated(rule: str) -> str:
    """A Werkzeug rule as OpenAPI writes it: `/a/<int:b>` is `/a/{b}`."""
    return re.sub(r"<(?:[^:<>]*:)?([^<>]+)>", r"{\1}", rule)
