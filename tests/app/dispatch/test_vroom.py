"""VROOM's interface over HTTP."""

from __future__ import annotations

import pytest
from apiflask import APIFlask

from app.dispatch import api_vroom
from tests.app.dispatch.conftest import Depot

DOCUMENT = {
    "vehicles": [{"id": 1, "start": [121.4, 31.2], "end": [121.4, 31.2], "capacity": [2]}],
    "jobs": [
        {"id": number, "location": [121.4 + number / 100, 31.2], "delivery": [1], "service": 60}
        for number in (1, 2, 3)
    ],
}


def test_a_client_of_vroom_gets_its_fields(depot: Depot) -> None:
    machine = depot.logins.api("dispatcher")
    answer = machine.post("/api/v1/vroom?seconds=1", json=DOCUMENT)
    assert answer.status_code == 200
    found = answer.json
    assert found["code"] == 0
    assert found["summary"]["unassigned"] == 1
    assert found["summary"]["delivery"] == [2]
    assert [step["type"] for step in found["routes"][0]["steps"]] == ["start", "job", "job", "end"]


def test_a_document_posted_to_the_root_is_answered_as_by_vrooms_wrapper(depot: Depot, app: APIFlask) -> None:
    machine = depot.logins.api("dispatcher")
    answer = machine.post("/?seconds=1", json=DOCUMENT)
    assert answer.status_code == 200
    assert answer.json["summary"]["routes"] == 1
    assert app.test_client().post("/", data={"a": "form"}).status_code == 405  # the home page takes none
    nobody = app.test_client().post("/", json=DOCUMENT)
    assert nobody.status_code == 401
    assert nobody.content_type == "application/problem+json"


def test_plan_mode_over_http(depot: Depot) -> None:
    steps = [{"type": "job", "id": number} for number in (1, 2, 3)]
    document = {**DOCUMENT, "vehicles": [{**DOCUMENT["vehicles"][0], "steps": steps}]}
    answer = depot.logins.api("dispatcher").post("/api/v1/vroom?check=true", json=document)
    assert answer.json["summary"]["violations"] == [{"cause": "load"}]


def test_what_is_wrong_is_told_in_vrooms_form(depot: Depot) -> None:
    machine = depot.logins.api("dispatcher")
    answer = machine.post("/api/v1/vroom?seconds=1", json={**DOCUMENT, "jobs": [{"id": 1}]})
    assert answer.status_code == 400
    assert answer.json["code"] == 2
    assert "job 1" in answer.json["error"]
    assert machine.post("/api/v1/vroom?seconds=31", json=DOCUMENT).status_code == 422


def test_limits_of_size_and_of_work_at_once(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = depot.logins.api("dispatcher")
    monkeypatch.setattr(api_vroom, "BODY_BYTES_MAX", 10)
    assert machine.post("/api/v1/vroom", json=DOCUMENT).status_code == 400
    monkeypatch.undo()
    for _ in range(2):
        assert api_vroom._turns.acquire(blocking=False)
    try:
        busy = machine.post("/api/v1/vroom", json=DOCUMENT)
    finally:
        for _ in range(2):
            api_vroom._turns.release()
    assert busy.status_code == 429
    assert busy.headers["Retry-After"]
