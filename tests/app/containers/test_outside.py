"""Scans of the outside: what is inside moves, once, in any order of arrival, and is corrected with it."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest

from app.shipments.models import ScanRecord
from app.shipments.values import scan_key
from tests.app.containers.conftest import Dock
from tracking.shipment import ScanCode


def codes(dock: Dock, parcel) -> list[str]:
    return [code for code, _container in dock.scans(parcel)]


def test_a_trip_moves_what_is_in_its_bags(dock: Dock) -> None:
    parcels = [dock.desk.book() for _ in range(3)]
    several = dock.desk.book(pieces=2)
    bag, trip = dock.open(), dock.open("trip")
    dock.pack(bag, *(one.waybill_number for one in parcels[:2]), f"{several.waybill_number}-002")
    dock.pack(trip, bag, parcels[2].waybill_number)
    result = dock.scan(trip, "departed", "CTU-G")
    assert (result.status, result.moved) == ("recorded", 4)
    box = dock.container(trip)
    for parcel in parcels:
        assert dock.scans(parcel) == [("departed", box.id)]
        assert dock.desk.again(parcel).code is ScanCode.DEPARTED
    with dock.desk.database.unit_of_work(dock.desk.logins.tenant_id) as session:
        rows = session.query(ScanRecord).filter_by(shipment_id=several.id, code="departed").all()
        assert [row.piece_no for row in rows] == [2]


def test_sent_again_it_moves_nothing_twice(dock: Dock) -> None:
    parcel = dock.desk.book()
    bag = dock.open()
    dock.pack(bag, parcel.waybill_number)
    at = dock.desk.logins.clock.forward(minutes=1)
    same = {"client_scan_id": "again", "occurred_at": at}
    assert dock.scan(bag, "departed", "CTU-G", **same).status == "recorded"
    assert dock.scan(bag, "departed", "CTU-G", **same).status == "duplicate"
    assert dock.scan(bag, "arrived", "CTU-G", **same).status == "conflict"
    assert codes(dock, parcel) == ["departed"]


def test_what_cannot_be_said_of_a_bag_is_refused(dock: Dock) -> None:
    bag = dock.open()
    result = dock.scan(bag, "delivered", "CTU-G")
    assert (result.status, result.reason) == ("rejected", "not_of_a_container")
    assert dock.scan(bag, "departed", "CTU-G", piece_no=1).reason == "unknown_piece"
    assert dock.scan(bag, "damaged", "CTU-G").moved == 0


def test_the_number_of_no_container_stays_unmatched(dock: Dock) -> None:
    assert dock.scan("B00000009999", "arrived", "CTU-G").status == "unmatched"


def test_a_voided_outer_scan_takes_the_inner_ones_back(dock: Dock) -> None:
    parcel = dock.desk.book()
    bag = dock.open()
    dock.pack(bag, parcel.waybill_number)
    wrong = dock.scan(bag, "departed", "CTU-G")
    dock.unpack(bag, parcel.waybill_number)
    undone = dock.scan(bag, "voided", None, corrects=wrong.scan_key)
    assert (undone.status, undone.moved) == ("recorded", 1)
    assert dock.desk.again(parcel).code is ScanCode.BOOKED


def test_a_correction_says_what_was_true_instead(dock: Dock) -> None:
    parcel = dock.desk.book()
    bag = dock.open()
    dock.pack(bag, parcel.waybill_number)
    wrong = dock.scan(bag, "departed", "CTU-G")
    dock.scan(bag, "arrived", "WUH-HUB", corrects=wrong.scan_key)
    again = dock.desk.again(parcel)
    assert (again.code, again.state_facility_id) == (
        ScanCode.ARRIVED,
        dock.desk.world.facilities["WUH-HUB"],
    )


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_order_of_arrival_makes_no_difference(dock: Dock, order: tuple[int, ...]) -> None:
    """One piece goes in before the bag departs and stays, another is taken out before; the departure of a
    first scan is corrected. Whatever is heard first, the same is true at the end."""
    stays, leaves = dock.desk.book(), dock.desk.book()
    bag = dock.open()
    dock.pack(bag, leaves.waybill_number)
    packs, unpacks = dock.deed(), dock.deed()
    clock = dock.desk.logins.clock
    departs, voids = clock.forward(minutes=1), clock.forward(minutes=1)
    key = scan_key(dock.desk.logins.tenant_id, "belt", f"wrong {bag}")
    steps = [
        lambda: dock.pack(bag, stays.waybill_number, deed=packs),
        lambda: dock.unpack(bag, leaves.waybill_number, deed=unpacks),
        lambda: [
            dock.scan(bag, "departed", "CTU-G", occurred_at=departs),
            dock.scan(bag, "delayed", "CTU-G", occurred_at=departs, client_scan_id=f"wrong {bag}"),
        ],
        lambda: dock.scan(bag, "voided", None, occurred_at=voids, corrects=key),
    ]
    for place in order:
        steps[place]()
    moved, left = dock.desk.again(stays), dock.desk.again(leaves)
    assert (moved.code, left.code) == (ScanCode.DEPARTED, ScanCode.BOOKED)


def test_parcels_and_bags_in_one_batch(dock: Dock) -> None:
    inside, alone = dock.desk.book(), dock.desk.book()
    bag = dock.open()
    dock.pack(bag, inside.waybill_number)
    at = dock.desk.logins.clock.forward(minutes=1)
    scans = [
        dock.desk.scan(alone, "arrived", at, "CTU-G"),
        dock.desk.scan(alone, "departed", at, "CTU-G", number=bag),
        dock.desk.scan(alone, "arrived", at, "CTU-G", number="UNKNOWN-1"),
    ]
    assert dock.desk.record(*scans) == ["recorded", "recorded", "unmatched"]
    assert dock.desk.again(inside).code is ScanCode.DEPARTED


def test_a_clock_that_runs_ahead_leaves_nothing_behind(dock: Dock) -> None:
    """The gun dates the packing after the departure that everybody saw follow it."""
    parcel = dock.desk.book()
    bag = dock.open()
    dock.pack(bag, parcel.waybill_number, deed=dock.deed(occurred_at=dock.now + timedelta(minutes=20)))
    dock.seal(bag)
    assert dock.dispatch(bag) == 1
    assert dock.desk.again(parcel).code is ScanCode.DEPARTED


def stands(dock: Dock, number: str) -> tuple[str, int | None]:
    box = dock.container(number)
    return box.status.value, box.received_facility_id


def test_a_gun_sends_and_receives_the_bag_itself(dock: Dock) -> None:
    """Nobody touches the container's own page: what was scanned is its status, and the dock goes on."""
    parcel = dock.desk.book()
    bag = dock.open()
    dock.pack(bag, parcel.waybill_number)
    dock.seal(bag)
    left = dock.scan(bag, "departed", "CTU-G")
    assert stands(dock, bag) == ("dispatched", None)
    assert dock.container(bag).dispatched_at is not None
    dock.scan(bag, "arrived", "CAN-G")
    assert stands(dock, bag) == ("dispatched", None), "a place on its way is not its end"
    hub = dock.desk.world.facilities["WUH-HUB"]
    came = dock.scan(bag, "arrived", "WUH-HUB")
    assert stands(dock, bag) == ("received", hub)
    dock.scan(bag, "voided", None, corrects=came.scan_key)
    assert stands(dock, bag) == ("dispatched", None)
    dock.scan(bag, "voided", None, corrects=left.scan_key)
    assert stands(dock, bag) == ("sealed", None)
    again = dock.scan(bag, "arrived", "WUH-HUB")
    assert [row.status.value for row in dock.check(bag, parcel.waybill_number)] == ["matched"]
    dock.scan(bag, "voided", None, corrects=again.scan_key)
    assert stands(dock, bag) == ("received", hub), "the dock has begun to compare"


def test_what_left_unsealed_takes_only_what_was_packed_before(dock: Dock) -> None:
    early, late = dock.desk.book(), dock.desk.book()
    bag = dock.open()
    told_late = dock.deed()
    dock.scan(bag, "departed", "CTU-G")
    assert [row.status.value for row in dock.pack(bag, late.waybill_number)] == ["not_now"]
    assert [row.status.value for row in dock.pack(bag, early.waybill_number, deed=told_late)] == ["packed"]
    assert dock.desk.again(early).code is ScanCode.DEPARTED


def test_an_arrival_that_is_heard_first_stands(dock: Dock) -> None:
    bag = dock.open()
    clock = dock.desk.logins.clock
    departs, arrives = clock.forward(minutes=1), clock.forward(minutes=1)
    dock.scan(bag, "arrived", "WUH-HUB", occurred_at=arrives)
    dock.scan(bag, "departed", "CTU-G", occurred_at=departs)
    box = dock.container(bag)
    assert (box.status.value, box.received_at) == ("received", arrives)
