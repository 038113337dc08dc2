"""The dock: expected against scanned, findings that open and close, and five thousand pieces in a second."""

from __future__ import annotations

import pytest

from app.config import Settings
from app.containers import jobs
from app.containers.service import RowResult
from app.errors import ConflictError
from app.shipments.models import Shipment
from tests.app.containers.conftest import Dock
from tracking.shipment import ScanCode


def statuses(rows: list[RowResult]) -> list[str]:
    return [row.status.value for row in rows]


def arrived(dock: Dock, count: int) -> tuple[str, list[Shipment]]:
    """A bag that is received with so many parcels."""
    parcels = [dock.desk.book() for _ in range(count)]
    bag = dock.open()
    dock.pack(bag, *(one.waybill_number for one in parcels))
    dock.seal(bag)
    dock.dispatch(bag)
    dock.receive(bag)
    return bag, parcels


def settle(dock: Dock, settings: Settings) -> int:
    with dock.desk.database.unit_of_work(None) as session:
        return jobs.settle_findings(session, settings, dock.now)


def test_piece_by_piece_and_what_is_missing_is_found_again(dock: Dock, settings: Settings) -> None:
    bag, (here, gone, later) = arrived(dock, 3)
    with pytest.raises(ConflictError):
        dock.receive(bag)
    assert statuses(dock.check(bag, here.waybill_number)) == ["matched"]
    assert statuses(dock.check(bag, here.waybill_number)) == ["already"]
    assert dock.count(bag) == 2
    assert dock.findings(gone) == dock.findings(later) == {"missing_from_container"}
    assert statuses(dock.check(bag, later.waybill_number)) == ["matched"]
    assert dock.findings(later) == set()
    assert dock.scans(later)[-1] == ("arrived", None)
    assert settle(dock, settings) == 0
    dock.scan(dock.open("trip"), "arrived", "HGH-HUB")
    assert settle(dock, settings) == 0
    seen = dock.scan(gone.waybill_number, "arrived", "HGH-HUB")
    assert dock.findings(gone) == {"missing_from_container"}
    assert settle(dock, settings) == 1
    assert dock.findings(gone) == set()
    assert seen.status == "recorded"
    assert dock.break_up(bag) == 0


def test_a_scan_that_was_an_error_settles_nothing(dock: Dock, settings: Settings) -> None:
    bag, (here, gone) = arrived(dock, 2)
    dock.check(bag, here.waybill_number)
    dock.count(bag)
    wrong = dock.scan(gone.waybill_number, "arrived", "HGH-HUB")
    dock.scan(gone.waybill_number, "voided", None, corrects=wrong.scan_key)
    assert settle(dock, settings) == 0
    assert dock.findings(gone) == {"missing_from_container"}


def test_one_piece_of_several_is_missing_by_itself(dock: Dock, settings: Settings) -> None:
    parcel = dock.desk.book(pieces=3)
    labels = [f"{parcel.waybill_number}-{piece:03}" for piece in (1, 2, 3)]
    bag = dock.open()
    dock.pack(bag, *labels)
    dock.seal(bag)
    dock.receive(bag)
    dock.check(bag, labels[0])
    assert dock.count(bag) == 2
    assert dock.comparison(bag).missing == tuple(labels[1:])
    dock.scan(labels[1], "arrived", "HGH-HUB")
    assert settle(dock, settings) == 1
    assert dock.findings(parcel) == {"missing_from_container"}


def test_surplus_is_taken_from_where_it_was_said_to_be(dock: Dock, settings: Settings) -> None:
    bag, (parcel,) = arrived(dock, 1)
    stray = dock.desk.book()
    other = dock.open()
    dock.pack(other, stray.waybill_number)
    rows = dock.check(bag, parcel.waybill_number, stray.waybill_number, "no such thing")
    assert statuses(rows) == ["matched", "surplus", "unknown"]
    assert rows[1].container == other
    assert dock.comparison(other).counts.expected == 0
    assert dock.findings(stray) == {"surplus_in_container"}
    again = dock.desk.again(stray)
    assert (again.code, again.state_facility_id) == (
        ScanCode.ARRIVED,
        dock.desk.world.facilities["WUH-HUB"],
    )
    assert settle(dock, settings) == 0
    dock.scan(stray.waybill_number, "departed", "WUH-HUB")
    assert settle(dock, settings) == 1


def test_packing_it_again_settles_it_at_once(dock: Dock) -> None:
    bag, (parcel, gone) = arrived(dock, 2)
    dock.check(bag, parcel.waybill_number)
    dock.count(bag)
    onward = dock.open("bag", "WUH-HUB", "HGH-HUB")
    assert statuses(dock.pack(onward, parcel.waybill_number, gone.waybill_number)) == ["packed"] * 2
    assert dock.findings(gone) == set()
    assert dock.comparison(bag).missing == ()


def test_a_bag_that_nobody_counts_is_taken_as_sealed(dock: Dock) -> None:
    bag, parcels = arrived(dock, 2)
    assert dock.break_up(bag) == 0
    assert [dock.findings(one) for one in parcels] == [set(), set()]
    assert statuses(dock.check(bag, parcels[0].waybill_number)) == ["not_now"]
    onward = dock.open("bag", "WUH-HUB", "HGH-HUB")
    assert statuses(dock.pack(onward, parcels[0].waybill_number)) == ["packed"]


def test_bags_of_a_trip_are_compared_as_bags(dock: Dock) -> None:
    inner, lost = dock.desk.book(), dock.desk.book()
    bag, missing, trip, stray = dock.open(), dock.open(), dock.open("trip"), dock.open()
    dock.pack(bag, inner.waybill_number)
    dock.pack(missing, lost.waybill_number)
    dock.pack(trip, bag, missing)
    dock.seal(trip)
    assert dock.dispatch(trip) == 2
    assert dock.receive(trip) == 2
    rows = dock.check(trip, bag, inner.waybill_number, stray)
    assert statuses(rows) == ["matched", "inside", "surplus"]
    assert rows[1].container == bag
    assert dock.count(trip) == 1
    assert dock.findings(lost) == {"missing_from_container"}
    compared = dock.comparison(trip)
    assert (compared.missing, compared.surplus) == ((missing,), (stray,))


def test_a_check_that_is_sent_again_tells_the_same(dock: Dock) -> None:
    bag, (parcel,) = arrived(dock, 1)
    deed = dock.deed()
    assert statuses(dock.check(bag, parcel.waybill_number, deed=deed)) == ["matched"]
    assert statuses(dock.check(bag, parcel.waybill_number, deed=deed)) == ["already"]
