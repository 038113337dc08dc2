"""A bag from its opening to its breaking, through the services."""

from __future__ import annotations

from tests.app.containers.conftest import Dock
from tracking.shipment import Milestone


def statuses(rows):
    return [row.status.value for row in rows]


def test_a_bag_is_packed_sent_received_and_broken(dock: Dock) -> None:
    parcels = [dock.desk.book() for _ in range(4)]
    numbers = [parcel.waybill_number for parcel in parcels]
    bag = dock.open()
    assert statuses(dock.pack(bag, *numbers[:3])) == ["packed"] * 3
    dock.seal(bag)
    assert dock.dispatch(bag) == 3
    assert dock.desk.again(parcels[0]).milestone is Milestone.IN_TRANSIT
    box = dock.container(bag)
    assert dock.scans(parcels[0]) == [("departed", box.id)]
    assert dock.receive(bag) == 3
    here = dock.desk.world.facilities["WUH-HUB"]
    assert dock.desk.again(parcels[0]).state_facility_id == here
    assert statuses(dock.check(bag, numbers[0])) == ["matched"]
    assert statuses(dock.check(bag, numbers[1], numbers[3])) == ["matched", "surplus"]
    compared = dock.comparison(bag)
    assert (compared.counts.expected, compared.counts.matched, compared.counts.missing) == (3, 2, 1)
    assert compared.missing == (numbers[2],)
    assert compared.surplus == (numbers[3],)
    assert dock.findings(parcels[3]) == {"surplus_in_container"}
    assert dock.findings(parcels[2]) == set()
    assert dock.break_up(bag) == 1
    assert dock.findings(parcels[2]) == {"missing_from_container"}
    assert dock.container(bag).status.value == "broken"
    assert dock.comparison(bag) == compared
