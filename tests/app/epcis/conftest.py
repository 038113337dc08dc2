"""A desk that books, and machines that send events about what it booked."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app.accounts.roles import Role
from app.shipments.models import Shipment
from tests.app.shipments.conftest import Desk, desk, new_desk
from tests.support.app import Api

__all__ = ["desk", "new_desk"]

BASE = "http://127.0.0.1:8000/"
CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"


@pytest.fixture(scope="module")
def machine(desk: Desk) -> Api:
    """A program of the company's own."""
    return desk.logins.api(Role.ADMIN)


@pytest.fixture
def event(desk: Desk) -> Callable[..., dict[str, Any]]:
    """Makes events of a parcel; each call another id and a later time."""
    made: list[None] = []

    def make(shipment: Shipment | None, step: str = "arriving", **changes: Any) -> dict[str, Any]:
        made.append(None)
        at = desk.logins.clock() - timedelta(hours=20) + timedelta(minutes=10 * len(made))
        epc = f"urn:epc:id:sgtin:0614141.107346.{len(made)}"
        body = {
            "type": "ObjectEvent",
            "eventID": f"urn:uuid:{uuid.uuid4()}",
            "eventTime": at.isoformat(),
            "eventTimeZoneOffset": "+08:00",
            "epcList": [epc if shipment is None else f"{BASE}waybill/{shipment.waybill_number}"],
            "action": "OBSERVE",
            "bizStep": step,
        }
        return {name: value for name, value in (body | changes).items() if value is not None}

    return make


def document(*events: Any, **changes: Any) -> dict[str, Any]:
    return {
        "@context": [CONTEXT, {"example": "http://ns.example.com/epcis/"}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-03-01T00:00:00Z",
        "epcisBody": {"eventList": list(events)},
    } | changes


def capture(machine: Api, *events: Any, behaviour: str | None = None) -> dict[str, Any]:
    """Send a document and read its capture."""
    headers = {} if behaviour is None else {"GS1-Capture-Error-Behaviour": behaviour}
    answer = machine.post("/epcis/capture", json=document(*events), headers=headers)
    assert answer.status_code == 202, answer.text
    told = machine.get(answer.headers["Location"])
    assert told.status_code == 200
    return dict(told.json)


def listed(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.json["type"] == "EPCISQueryDocument"
    return list(answer.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"])
