"""What is asked for comes page by page, to whom it concerns; what is no event is told so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.accounts.roles import Role
from app.customers import service as customers
from tests.app.epcis.conftest import BASE, capture, document, listed
from tests.app.shipments.conftest import Desk
from tests.support.app import Api

Event = Callable[..., dict[str, Any]]


def pages(machine: Api, path: str) -> Iterator[list[dict[str, Any]]]:
    while True:
        answer = machine.get(path)
        yield listed(answer)
        link = answer.headers.get("Link")
        if link is None:
            return
        path, _, relation = link.partition("; ")
        assert relation == 'rel="next"'
        path = path.strip("<>")


def test_pages_hold_every_event_once_in_order_of_time(new_desk: Any, event: Event) -> None:
    desk: Desk = new_desk()
    machine = desk.logins.api(Role.ADMIN)
    shipment = desk.book()
    desk.record(*desk.life(shipment))
    own = len(desk.life(shipment)) + 1
    moments = [event(shipment, "arriving") for _ in range(7)]
    for one in moments[3:]:
        one["eventTime"] = moments[3]["eventTime"]  # several at once
    assert capture(machine, *moments, event(None))["captured"] == 8
    asked = f"/epcis/events?perPage=3&MATCH_epc={BASE}waybill/{shipment.waybill_number}"
    found = [one for page in pages(machine, asked) for one in page]
    assert len(found) == 7 + own
    assert len({json.dumps(one, sort_keys=True) for one in found}) == 7 + own
    times = [datetime.fromisoformat(one["eventTime"]) for one in found]
    assert times == sorted(times)
    assert all(len(page) <= 3 for page in pages(machine, asked))
    assert len([one for page in pages(machine, "/epcis/events?perPage=5") for one in page]) == 8


def test_filters_narrow_what_partners_sent_and_what_we_scanned(new_desk: Any, event: Event) -> None:
    desk: Desk = new_desk()
    machine = desk.logins.api(Role.ADMIN)
    shipment = desk.book()
    desk.record(*desk.life(shipment, until="accepted"))
    hub = {"id": f"{BASE}facility/{desk.world.facilities['WUH-HUB']}"}
    here, there = event(shipment, "arriving", bizLocation=hub), event(shipment, "departing")
    assert capture(machine, here, there)["captured"] == 2
    number = f"MATCH_epc={BASE}waybill/{shipment.waybill_number}"

    def asked(more: str) -> list[dict[str, Any]]:
        return listed(machine.get(f"/epcis/events?{number}&{more}"))

    assert asked("EQ_bizStep=arriving|departing") == [here, there]
    assert [one["wheelhouse:code"] for one in asked("EQ_bizStep=accepting")] == ["accepted"]
    assert asked(f"EQ_bizLocation={hub['id']}") == [here]
    outlet = f"{BASE}facility/{desk.world.facilities['CTU-01']}"
    assert [one["wheelhouse:code"] for one in asked(f"EQ_bizLocation={outlet}")] == ["accepted"]
    at = quote(there["eventTime"])
    assert here not in asked(f"GE_eventTime={at}")
    assert there in asked(f"GE_eventTime={at}")
    assert asked(f"LT_eventTime={at}") == [here]
    unescaped = there["eventTime"].replace("+00:00", "+00:00")
    assert asked(f"LT_eventTime={unescaped}") == [here]
    assert len(asked("MATCH_anyEPC=urn:epc:id:sgtin:0614141.107346.0")) == 0


def test_one_event_comes_back_under_its_id(desk: Desk, machine: Api, event: Event) -> None:
    ids = ["ni:///sha-256;00ff?ver=CBV2.0", "https://partner.example/events/1//2?a=b#c", "urn:x:a%2Fb|c"]
    for event_id in ids:
        sent = event(None, eventID=event_id)
        answer = machine.post("/epcis/events", json={"@context": [{"x": "http://x.example/"}], **sent})
        assert answer.status_code == 201
        told = machine.get(answer.headers["Location"])
        assert {name: listed(told)[0][name] for name in sent} == sent
        assert told.json["@context"][1:] == [{"x": "http://x.example/"}]
    nameless = event(None, eventID=None)
    answer = machine.post("/epcis/events", json=nameless)
    assert answer.json == {"eventID": answer.json["eventID"], **nameless}
    assert listed(machine.get(answer.headers["Location"])) == [answer.json]
    assert machine.post("/epcis/events", json=nameless).status_code == 409


def test_a_prefix_that_means_two_things_stays_with_its_event(new_desk: Any, event: Event) -> None:
    machine = new_desk().logins.api(Role.ADMIN)
    first, second = event(None, **{"x:a": 1}), event(None, **{"x:a": 2})
    for body, meaning in ((first, "http://one.example/"), (second, "http://two.example/")):
        sent = document(body, **{"@context": [{"x": meaning}]})
        assert machine.post("/epcis/capture", json=sent).json["captured"] == 1
    page = machine.get("/epcis/events")
    one, other = listed(page)
    assert page.json["@context"][1] == {"x": "http://one.example/"}
    assert one == first
    assert other["@context"][1] == {"x": "http://two.example/"}


def test_another_company_sees_nothing(desk: Desk, machine: Api, event: Event, new_desk: Any) -> None:
    shipment = desk.book()
    sent = event(shipment, "accepting")
    answer = machine.post("/epcis/capture", json=document(sent))
    stranger = new_desk().logins.api(Role.ADMIN)
    number = f"{BASE}waybill/{shipment.waybill_number}"
    assert listed(stranger.get(f"/epcis/events?MATCH_epc={number}")) == []
    assert listed(stranger.get("/epcis/events")) == []
    assert stranger.get(f"/epcis/events/{sent['eventID']}").status_code == 404
    assert stranger.get(answer.headers["Location"]).status_code == 404
    # The same id is another event there, and no scan of a parcel of this company.
    assert capture(stranger, {**sent, "bizStep": "receiving"})["captured"] == 1
    assert desk.again(shipment).code == "accepted"
    assert listed(machine.get(f"/epcis/events/{sent['eventID']}")) == [sent]


def test_a_shipper_sees_what_speaks_of_his_parcels_alone(desk: Desk, machine: Api, event: Event) -> None:
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        other_id = customers.find_or_create(
            session, name="王芳", phone="13700000001", now=desk.logins.clock()
        ).id
    mine, theirs = desk.book(), desk.book(customer_id=other_id)
    desk.record(*desk.life(mine, until="collected"), *desk.life(theirs, until="collected"))
    epcs = [f"{BASE}waybill/{parcel.waybill_number}" for parcel in (mine, theirs)]
    of_mine, of_theirs = event(mine, "accepting"), event(theirs, "accepting")
    of_both = event(mine, "departing", epcList=epcs)
    assert capture(machine, of_mine, of_theirs, of_both, event(None))["captured"] == 4

    shipper = desk.logins.api(Role.SHIPPER, desk.shipper_id)
    everything = listed(shipper.get("/epcis/events?perPage=500"))
    assert of_mine in everything
    assert all(theirs.waybill_number not in json.dumps(one) for one in everything)
    assert all(epcs[0].rpartition("/")[0] in json.dumps(one) for one in everything)
    assert listed(shipper.get(f"/epcis/events?MATCH_epc={epcs[1]}")) == []
    told = listed(shipper.get(f"/epcis/events?MATCH_epc={epcs[0]}"))
    # Of an event that he may not see he is told the scan of his own parcel.
    assert sorted(one["bizStep"] for one in told) == [
        "accepting", "collecting", "commissioning", "departing",
    ]  # fmt: skip
    assert of_both not in told
    assert shipper.get(f"/epcis/events/{of_theirs['eventID']}").status_code == 404
    assert shipper.get(f"/epcis/events/{of_both['eventID']}").status_code == 404
    whole = listed(machine.get(f"/epcis/events?perPage=500&MATCH_epc={epcs[1]}"))
    own = next(one["eventID"] for one in whole if "wheelhouse:code" in one)
    assert len(listed(machine.get(f"/epcis/events/{quote(own, safe='')}"))) == 1
    assert shipper.get(f"/epcis/events/{quote(own, safe='')}").status_code == 404
    assert shipper.post("/epcis/events", json=event(mine)).status_code == 403


def test_who_has_no_token_gets_a_problem(desk: Desk) -> None:
    client = desk.logins.app.test_client()
    for answer in (client.get("/epcis/events"), client.post("/epcis/capture", json={})):
        assert answer.status_code == 401
        assert answer.mimetype == "application/problem+json"
    browser = desk.logins.browser(Role.ADMIN)
    assert browser.get("/epcis/events").status_code == 401  # the cookie counts for pages only


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"null", 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 50_000, 400),
        (b'"\\ud800"', 400),
        (b"1e999", 400),
        (b'{"type": ["EPCISDocument"]}', 400),
        (b'{"type": "EPCISDocument"}', 400),
        (b'{"type": "EPCISDocument", "epcisBody": []}', 400),
        (b'{"type": "EPCISDocument", "epcisBody": {"eventList": {}}}', 400),
        (b'{"type": "EPCISDocument", "epcisBody": {"eventList": []}}', 400),
        (b'{"type": "EPCISDocument", "@context": "a\\u0000:b", "epcisBody": {"eventList": []}}', 400),
        (b'{"type": "EPCISDocument", "@context": 3, "epcisBody": {"eventList": []}}', 400),
        (b'{"type": "EPCISQueryDocument", "epcisBody": {"queryResults": 1}}', 400),
    ],
)
def test_what_is_no_document_is_a_problem(machine: Api, raw: bytes, status: int) -> None:
    for path in ("/epcis/capture", "/epcis/events"):
        answer = machine.post(path, data=raw, content_type="application/json")
        assert answer.status_code == status, answer.text
        assert answer.mimetype == "application/problem+json"
        assert answer.json["type"] == "epcisException:ValidationException"
        assert answer.json["detail"]
    assert machine.post("/epcis/capture", data=raw, content_type="text/xml").status_code == 415


@pytest.mark.parametrize(
    "query",
    [
        "perPage=0", "perPage=501", "perPage=x", "nextPageToken=x", "GE_eventTime=now", "EQ_action=ADD",
        "GE_eventTime=99999-01-01T00:00:00Z", "LT_eventTime=9999-12-31T23:59:59-14:00", "MATCH_epc=%00",
        "MATCH_epc=" + "|".join("a" * 101), "MATCH_epc=",
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_a_problem(machine: Api, query: str) -> None:
    answer = machine.get(f"/epcis/events?{query}")
    assert answer.status_code in (400, 422), answer.text
    assert answer.mimetype == "application/problem+json"


def test_a_cursor_of_another_kind_is_refused(machine: Api) -> None:
    for cursor in ("WyJhIl0", "WzEsMiwzLDRd", "WyIyMDI2LTAzLTAxVDAwOjAwOjAwIiwwLDEsIiJd"):
        assert machine.get(f"/epcis/events?nextPageToken={cursor}").status_code == 400


def test_unknown_behaviours_are_refused(machine: Api, event: Event) -> None:
    answer = machine.post(
        "/epcis/capture", json=document(event(None)), headers={"GS1-Capture-Error-Behaviour": "maybe"}
    )
    assert answer.status_code == 400


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(codec="utf-8"), max_size=20),
        st.sampled_from(
            ["a\0b", "urn:epc:id:sscc:0614141.1234567890", "http://[", f"{BASE}waybill/%00", "é:ü"]
        ),
        st.sampled_from([f"{BASE}scan/x", f"{BASE}facility/%00", f"{BASE}facility/1", f"{BASE}scan/%00"]),
        st.sampled_from([10**30, -(10**18) - 1, 1e300, 5e-324, 2**63]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = (
    "@context", "type", "eventID", "eventTime", "eventTimeZoneOffset", "epcList", "childEPCs", "parentID",
    "action", "bizStep", "disposition", "bizLocation", "readPoint", "errorDeclaration", "recordTime", "ilmd",
    "bizTransactionList", "sourceList", "sensorElementList", "quantityList", "persistentDisposition", "x:y",
    "wheelhouse:code", "wheelhouse:reason", "certificationInfo", "inputEPCList",
)  # fmt: skip


def exactly(text: str) -> dict[str, str]:
    """A JSON object's fields with their numbers as they are written, whichever way: 1e3 is 1000."""
    fields = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    return {name: repr(_plain(value)) for name, value in fields.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value.normalize() + 0
    if isinstance(value, dict):
        return {name: _plain(value[name]) for name in sorted(value)}
    return [_plain(one) for one in value] if isinstance(value, list) else value


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    changes=st.dictionaries(st.sampled_from(FIELDS), JSON, min_size=1, max_size=4), other_type=st.booleans()
)
@example(changes={"@context": {"\0": "\0"}}, other_type=False)  # its name stands in what is said of it
def test_no_event_breaks_the_server(
    machine: Api, event: Event, changes: dict[str, Any], other_type: bool
) -> None:
    body = event(None) | ({"type": "x:Event"} if other_type else {}) | changes
    posted = machine.post("/epcis/events", json=body)
    assert posted.status_code in (201, 400, 409), posted.text
    answer = machine.post(
        "/epcis/capture", json=document(body), headers={"GS1-Capture-Error-Behaviour": "proceed"}
    )
    assert answer.status_code == 202, answer.text
    assert machine.get(answer.headers["Location"]).json["success"] is (posted.status_code != 400)
    if posted.status_code == 201:
        told = machine.get(f"/epcis/events/{quote(posted.json['eventID'], safe='')}")
        assert exactly(json.dumps(body)).items() <= exactly(json.dumps(listed(told)[0])).items()


def test_the_next_page_keeps_the_question(machine: Api, event: Event) -> None:
    assert capture(machine, *(event(None, "picking") for _ in range(3)))["captured"] == 3
    link = machine.get("/epcis/events?perPage=2&EQ_bizStep=picking").headers["Link"]
    asked = parse_qs(urlsplit(link.partition(">")[0].strip("<")).query)
    assert asked["EQ_bizStep"] == ["picking"]
    assert asked["perPage"] == ["2"]


def test_old_and_early_events_of_others_are_kept(machine: Api, event: Event) -> None:
    long_ago = event(None, eventTime="1999-12-31T23:59:59.123456789-05:00", eventTimeZoneOffset="-05:00")
    assert capture(machine, long_ago)["captured"] == 1
    until = quote("2000-01-02T00:00:00Z")
    assert listed(machine.get(f"/epcis/events?LT_eventTime={until}")) == [long_ago]
    soon = event(None)
    soon["eventTime"] = (datetime.fromisoformat(soon["eventTime"]) + timedelta(days=40)).isoformat()
    assert capture(machine, soon)["captured"] == 1
