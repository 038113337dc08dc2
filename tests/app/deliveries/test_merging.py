"""Merge in transit: n-1 are held where they meet, the n-th releases all; and pieces stand each for itself."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.accounts.roles import Role
from app.dispatch.models import StopKind, StopRequest
from app.errors import InvalidInputError
from app.shipments import merging, queries
from app.shipments import service as shipments
from app.shipments.finding_models import ShipmentFinding
from app.shipments.merge_models import MergeGroup
from app.shipments.models import ScanRecord
from app.shipments.service import Merge, ScanInput
from tests.app.deliveries.conftest import Door
from tests.support.pages import visit
from tracking.finding import FindingKind
from tracking.shipment import Milestone, ScanCode


def outlet(door: Door) -> int:
    return door.firm.facilities["WUH-01"]


def group(
    door: Door, reference: str, count: int, *, start: tuple[str, ...] = ("chengdu",), **changes: object
) -> list[str]:
    """Booked from several cities for one consignee in Wuhan, merged at the last outlet."""
    door.firm.logins.clock.forward(hours=24 - door.firm.now.hour)
    merge = Merge(reference, count)
    numbers = [door.firm.book(start[n % len(start)], "wuhan", merge=merge, **changes) for n in range(count)]
    door.firm.relay()
    for number in numbers:
        door.scan(number, ScanCode.COLLECTED)
    return numbers


def arrive(door: Door, number: str, **facts: object) -> None:
    door.scan(number, ScanCode.ARRIVED, facility_id=outlet(door), **facts)


def released(door: Door, reference: str) -> bool:
    with door.firm.work() as session:
        return (
            session.scalars(sa.select(MergeGroup.released_at).where(MergeGroup.reference == reference)).one()
            is not None
        )


def delivery_stops(door: Door, numbers: list[str]) -> int:
    with door.firm.work() as session:
        ids = [door.shipment(number).id for number in numbers]
        return len(
            session.scalars(
                sa.select(StopRequest.id).where(
                    StopRequest.shipment_id.in_(ids), StopRequest.kind == StopKind.DELIVERY
                )
            ).all()
        )


def test_two_wait_for_the_third_and_go_on_together(door: Door) -> None:
    numbers = group(door, "M-3", 3, start=("chengdu", "hangzhou", "guangzhou"))
    for number in numbers[:2]:
        arrive(door, number)
        assert door.shipment(number).code is ScanCode.HELD
    assert delivery_stops(door, numbers) == 0, "nobody is sent out with what waits"
    assert not released(door, "M-3")
    arrive(door, numbers[2])
    assert released(door, "M-3")
    for number in numbers[:2]:
        after = door.shipment(number)
        assert (after.milestone, after.code) == (Milestone.IN_TRANSIT, ScanCode.RELEASED)
    assert ScanCode.HELD not in door.codes(numbers[2])
    assert delivery_stops(door, numbers) == 3
    with door.firm.work() as session:
        merging.follow(session, [door.shipment(numbers[0]).id], now=door.firm.now)
    assert door.codes(numbers[0]).count(ScanCode.RELEASED) == 1


def test_pieces_of_one_shipment_wait_for_each_other(door: Door) -> None:
    (number,) = group(door, "M-PIECES", 1, pieces=3)
    arrive(door, number, piece_no=2)
    arrive(door, number, piece_no=1)
    with door.firm.work() as session:
        rows = session.execute(
            sa.select(ScanRecord.piece_no, ScanRecord.code).where(
                ScanRecord.shipment_id == door.shipment(number).id, ScanRecord.code == ScanCode.HELD
            )
        ).all()
    assert sorted(row.piece_no for row in rows) == [1, 2]
    arrive(door, number, piece_no=3)
    assert released(door, "M-PIECES")
    after = door.shipment(number)
    assert after.milestone is Milestone.IN_TRANSIT
    agent = door.firm.logins.api(Role.AGENT)
    answer = agent.get(f"/api/v1/shipments/{number}/pieces").json
    assert [piece["code"] for piece in answer["items"]] == ["released", "released", "arrived"]
    assert answer["merge"]["waybill_numbers"] == [number]
    page = visit(door.firm.logins.browser(Role.AGENT), f"/shipments/{number}?lang=en")
    assert "3 / 3" in page.text
    public = visit(door.firm.logins.app.test_client(), f"{door.firm.link(number)}?lang=en")
    assert "came together" in public.text


@pytest.mark.parametrize("seed", range(3))
def test_late_repeated_and_voided_scans_end_alike(door: Door, seed: int) -> None:
    """Every arrival is declared an error once and told again; heard in any order, one by one."""
    reference = f"M-SHUFFLED-{seed}"
    numbers = group(door, reference, 2)
    base = door.firm.now
    told: list[ScanInput] = []
    for place, number in enumerate(numbers):
        for step, minutes in (("wrong", 10), ("right", 40)):
            told.append(
                ScanInput(
                    number=number,
                    code="arrived",
                    occurred_at=base + timedelta(minutes=minutes + place),
                    device_id="gun-3",
                    client_scan_id=f"{number}-{step}",
                    facility_id=outlet(door),
                )
            )
    shuffler = random.Random(seed)
    shuffler.shuffle(told)
    door.firm.logins.clock.forward(hours=2)
    keys: dict[str, str] = {}
    for one in [*told, *told]:
        with door.firm.work() as session:
            (result,) = shipments.record_scans(session, door.firm.dispatcher, [one], now=door.firm.now)
        assert result.scan_key is not None
        keys[one.client_scan_id] = result.scan_key
        door.firm.relay()
    for number in numbers:
        door.scan(number, ScanCode.VOIDED, corrects=keys[f"{number}-wrong"])
    assert released(door, reference)
    for number in numbers:
        codes = door.codes(number)
        assert codes.count(ScanCode.RELEASED) <= 1
        assert door.shipment(number).code in (ScanCode.RELEASED, ScanCode.ARRIVED)


def test_an_arrival_that_was_voided_is_waited_for_again(door: Door) -> None:
    numbers = group(door, "M-VOIDED", 2)
    with door.firm.work() as session:
        wrong = ScanInput(
            number=numbers[0],
            code="arrived",
            occurred_at=door.firm.now,
            device_id="gun-3",
            client_scan_id=f"{numbers[0]}-wrong",
            facility_id=outlet(door),
        )
        (result,) = shipments.record_scans(session, door.firm.dispatcher, [wrong], now=door.firm.now)
    door.firm.relay()
    held = next(key for key, code in scans_of(door, numbers[0]).items() if code is ScanCode.HELD)
    for key in (result.scan_key, held):
        assert key is not None
        with door.firm.work() as session:
            undo = ScanInput(
                number=numbers[0], code="voided", occurred_at=door.firm.now, device_id="gun-3",
                client_scan_id=f"undo-{key}", corrects=key,
            )  # fmt: skip
            shipments.record_scans(session, None, [undo], now=door.firm.now)
    door.firm.relay()
    arrive(door, numbers[1])
    assert not released(door, "M-VOIDED")
    assert door.shipment(numbers[1]).code is ScanCode.HELD
    arrive(door, numbers[0])
    assert released(door, "M-VOIDED")


def scans_of(door: Door, number: str) -> dict[str, ScanCode]:
    with door.firm.work() as session:
        rows = session.execute(
            sa.select(ScanRecord.scan_key, ScanRecord.code).where(
                ScanRecord.shipment_id == door.shipment(number).id
            )
        ).all()
        return dict(rows)


def test_what_is_announced_and_not_booked_is_waited_for_and_a_cancelled_one_is_not(door: Door) -> None:
    door.firm.logins.clock.forward(hours=24 - door.firm.now.hour)
    first = door.firm.book("chengdu", "wuhan", merge=Merge("M-LATER", 2))
    door.firm.relay()
    door.scan(first, ScanCode.COLLECTED)
    arrive(door, first)
    assert door.shipment(first).code is ScanCode.HELD
    second = door.firm.book("chengdu", "wuhan", merge=Merge("M-LATER", 2))
    with door.firm.work() as session:
        shipments.cancel(
            session, queries.load_shipment(session, door.firm.shop.agent, second), now=door.firm.now
        )
    door.firm.relay()
    assert released(door, "M-LATER")
    assert door.shipment(first).code is ScanCode.RELEASED


def test_an_overdue_merge_is_a_finding_until_it_is_released(door: Door) -> None:
    numbers = group(door, "M-LATE", 2)
    arrive(door, numbers[0])
    with door.firm.work() as session:
        due_at = session.scalars(sa.select(MergeGroup.due_at).where(MergeGroup.reference == "M-LATE")).one()
    door.firm.logins.clock.moment = due_at + timedelta(minutes=1)
    for _run in range(2):
        with door.firm.logins.database.unit_of_work(None) as session:
            merging.find_overdue(session, door.firm.now)
    assert findings(door, numbers[0]) == [FindingKind.MERGE_OVERDUE]
    arrive(door, numbers[1])
    assert findings(door, numbers[0]) == []


def findings(door: Door, number: str) -> list[FindingKind]:
    with door.firm.work() as session:
        return list(
            session.scalars(
                sa.select(ShipmentFinding.kind).where(
                    ShipmentFinding.shipment_id == door.shipment(number).id,
                    ShipmentFinding.kind == FindingKind.MERGE_OVERDUE,
                    ShipmentFinding.closed_at.is_(None),
                )
            )
        )


@pytest.mark.parametrize(
    ("merge", "pointer"),
    [
        (Merge("M-WRONG", 3), "/merge/shipments"),
        (Merge("M-WRONG", 2, -1), "/merge/facility_id"),
    ],
)
def test_members_of_a_group_fit_together(door: Door, merge: Merge, pointer: str) -> None:
    if merge.shipments == 3:
        door.firm.book("chengdu", "wuhan", merge=Merge("M-WRONG", 2))
    elsewhere = door.firm.facilities["CAN-01"]
    wanted = merge if merge.facility_id is None else Merge(merge.reference, merge.shipments, elsewhere)
    with pytest.raises(InvalidInputError) as refused:
        door.firm.book("chengdu", "wuhan", merge=wanted)
    assert refused.value.extra["errors"][0]["pointer"] == pointer


def test_by_api_and_by_page_at_booking(door: Door) -> None:
    shipper = door.firm.logins.api(Role.SHIPPER, door.firm.shipper_id)
    gateway = door.firm.facilities["WUH-G"]
    body = door.firm.booking_body("chengdu", "wuhan")
    merge = {"reference": "M-API", "shipments": 2, "facility_id": gateway}
    booked = shipper.post("/api/v1/shipments", json=body | {"merge": merge})
    assert booked.status_code == 201, booked.text
    number = booked.json["waybill_number"]
    assert shipper.get(f"/api/v1/shipments/{number}/pieces").json["merge"]["facility_id"] == gateway
    browser = door.firm.logins.browser(Role.SHIPPER, door.firm.shipper_id)
    form = door.firm.booking_form("chengdu", "wuhan") | {"merge_reference": "M-PAGE", "merge_shipments": "2"}
    page = visit(browser, "/book").submit("/book", **form)
    assert page.path.startswith("/book/")
    with door.firm.work() as session:
        assert session.scalar(sa.select(MergeGroup.id).where(MergeGroup.reference == "M-PAGE"))
