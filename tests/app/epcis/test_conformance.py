"""The official examples go in and come back equal; what goes out is valid by the official schema."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema
import pytest

from app.accounts.roles import Role
from tests.app.epcis.conftest import BASE, listed
from tests.app.shipments.conftest import Desk
from tests.support.app import Api, Logins

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("WHEELHOUSE_DATA", ROOT / "../shared/data")) / "epcis"
EXAMPLES = sorted((DATA / "examples").glob("*.jsonld"))

pytestmark = pytest.mark.skipif(not EXAMPLES, reason=f"no EPCIS examples at {DATA}; set WHEELHOUSE_DATA")


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(json.loads((DATA / "EPCIS-JSON-Schema.json").read_text("utf-8")))


def events_of(example: dict[str, Any]) -> list[dict[str, Any]]:
    body = example["epcisBody"]
    return body["eventList"] if "eventList" in body else body["queryResults"]["resultsBody"]["eventList"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_official_example_is_captured_and_comes_back_equal(
    path: Path, new_tenant: Callable[[], Logins], schema: jsonschema.Draft7Validator
) -> None:
    machine = new_tenant().api(Role.ADMIN)
    example = json.loads(path.read_text("utf-8"))
    sent = events_of(example)
    answer = machine.post("/epcis/capture", data=path.read_bytes(), content_type="application/ld+json")
    assert answer.status_code == 202
    told = machine.get(answer.headers["Location"]).json
    assert (told["success"], told["running"], told["errors"]) == (True, False, [])
    assert told["captured"] == len(sent)

    page = machine.get("/epcis/events?perPage=500")
    assert [error.message for error in schema.iter_errors(page.json)] == []
    assert page.json["@context"][0] == example["@context"][0]
    extra = [part for part in example["@context"] if isinstance(part, dict)]
    assert page.json["@context"][1:] == extra
    got = listed(page)
    assert len(got) == len(sent)
    for one in sent:
        equal = [other for other in got if {name: other.get(name) for name in one} == one]
        assert len(equal) == 1
        # An event without an id was given one, as the standard wants it; nothing else was added.
        assert set(equal[0]) - set(one) <= ({"eventID"} - set(one))
        alone = machine.get(f"/epcis/events/{quote(equal[0]['eventID'], safe='')}")
        assert equal[0] in listed(alone)

    again = machine.post("/epcis/capture", data=path.read_bytes(), content_type="application/json")
    told = machine.get(again.headers["Location"]).json
    assert (told["success"], told["captured"], told["repeated"]) == (True, 0, len(sent))


def test_what_goes_out_about_our_own_parcels_is_valid(
    desk: Desk, machine: Api, schema: jsonschema.Draft7Validator
) -> None:
    shipment = desk.book()
    life = desk.life(shipment)
    desk.record(*life)
    wrong = desk.scan(shipment, "refused", life[-1].occurred_at)
    desk.record(wrong)
    page = machine.get(f"/epcis/events?perPage=500&MATCH_epc={BASE}waybill/{shipment.waybill_number}")
    assert len(listed(page)) == len(life) + 2  # with the booking and the refusal
    assert [error.message for error in schema.iter_errors(page.json)] == []
