"""What goes in: each thing with an answer of its own, once, and never into two containers."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.containers import service
from app.containers.service import ContainerInput, RowResult
from app.errors import ConflictError, ForbiddenError, InvalidInputError
from app.shipments.container_models import ContainerItem, PackingRecord
from tests.app.containers.conftest import Dock
from tests.app.shipments.conftest import Desk
from tracking.containers import ContainerKind
from tracking.numbers import container_number_in, is_sscc


def statuses(rows: list[RowResult]) -> list[str]:
    return [row.status.value for row in rows]


def test_every_row_has_an_answer_of_its_own(dock: Dock) -> None:
    one, two = dock.desk.book(), dock.desk.book(pieces=3)
    bag, other = dock.open(), dock.open()
    assert statuses(dock.pack(other, one.waybill_number)) == ["packed"]
    rows = dock.pack(
        bag,
        one.waybill_number,
        two.waybill_number,
        f"{two.waybill_number}-002",
        f"{two.waybill_number}-004",
        "no such thing",
        f" {two.waybill_number.lower()} -002 ",
        bag,
    )
    assert statuses(rows) == [
        "in_another",
        "which_piece",
        "packed",
        "unknown_piece",
        "unknown",
        "already",
        "itself",
    ]
    assert rows[0].container == other
    assert statuses(dock.pack(bag, f"{two.waybill_number}-002")) == ["already"]
    assert statuses(dock.unpack(bag, one.waybill_number, f"{two.waybill_number}-002")) == [
        "not_inside",
        "unpacked",
    ]
    assert dock.comparison(bag).counts.expected == 0


def test_what_is_moved_leaves_where_it_was(dock: Dock) -> None:
    parcel = dock.desk.book()
    first, second = dock.open(), dock.open()
    dock.pack(first, parcel.waybill_number)
    assert statuses(dock.pack(second, parcel.waybill_number, move=True)) == ["packed"]
    assert dock.comparison(first).counts.expected == 0
    assert dock.comparison(second).counts.expected == 1


def test_a_sealed_bag_takes_nothing_but_what_was_packed_before(dock: Dock) -> None:
    early, late = dock.desk.book(), dock.desk.book()
    bag = dock.open()
    told_late = dock.deed()
    dock.seal(bag)
    assert statuses(dock.pack(bag, late.waybill_number)) == ["not_now"]
    assert statuses(dock.pack(bag, early.waybill_number, deed=told_late)) == ["packed"]
    with pytest.raises(ConflictError):
        dock.seal(bag)


def test_sent_again_is_answered_and_not_done_again(dock: Dock) -> None:
    parcel, other = dock.desk.book(), dock.desk.book()
    bag = dock.open()
    deed = dock.deed()
    assert statuses(dock.pack(bag, parcel.waybill_number, deed=deed)) == ["packed"]
    dock.unpack(bag, parcel.waybill_number)
    again = dock.pack(bag, parcel.waybill_number, other.waybill_number, deed=deed)
    assert statuses(again) == ["already", "refused_before"]
    assert dock.comparison(bag).counts.expected == 0
    with pytest.raises(ConflictError, match="other content"):
        dock.unpack(bag, parcel.waybill_number, deed=deed)


def test_containers_go_into_containers_and_never_into_themselves(dock: Dock) -> None:
    bag, sack, manifest, trip = (dock.open(kind) for kind in ("bag", "bag", "manifest", "trip"))
    assert statuses(dock.pack(bag, sack)) == ["packed"]
    assert statuses(dock.pack(manifest, bag)) == ["packed"]
    assert statuses(dock.pack(trip, manifest)) == ["packed"]
    assert statuses(dock.pack(sack, bag, manifest, trip)) == ["itself"] * 3
    assert statuses(dock.pack(dock.open(), dock.open("manifest"))) == ["cannot_hold"]
    empty = dock.open()
    dock.break_up(empty)
    assert statuses(dock.pack(trip, empty)) == ["broken"]


def test_numbers_tell_the_kind_and_are_never_a_waybills(dock: Dock) -> None:
    for kind, letter in (("bag", "B"), ("manifest", "M"), ("trip", "T")):
        number = dock.open(kind)
        assert number[0] == letter
        assert container_number_in(number) == number


def test_with_a_gs1_prefix_the_number_is_an_sscc(new_desk) -> None:
    desk: Desk = new_desk()
    body = {"gs1_company_prefix": "4012345"}
    assert desk.logins.api("admin").post("/api/v1/company", json=body).status_code == 200
    dock = Dock(desk)
    parcel = desk.book()
    bag = dock.open()
    assert is_sscc(bag)
    dock.pack(bag, parcel.waybill_number)
    dock.seal(bag)
    assert dock.scan(f"00{bag}", "departed", "CTU-G").moved == 1


def test_a_lane_gives_a_trip_its_ends(dock: Dock) -> None:
    lane_id = dock.desk.world.lanes["CTU-G>WUH-HUB"]
    trip = dock.container(dock.open("trip", end=None, lane_id=lane_id, vehicle="川A12345"))
    assert trip.to_facility_id == dock.desk.world.facilities["WUH-HUB"]
    with pytest.raises(InvalidInputError, match="only a trip"):
        dock.open("bag", end=None, lane_id=lane_id)
    with pytest.raises(InvalidInputError, match="from elsewhere"):
        dock.open("trip", "CTU-01", None, lane_id=lane_id)
    with pytest.raises(InvalidInputError, match="another place"):
        dock.open("bag", "CTU-G", "CTU-G")


def test_a_hub_acts_at_its_own_place_only(dock: Dock) -> None:
    logins, places = dock.desk.logins, dock.desk.world.facilities
    hub = logins.actor("hub", places["WUH-HUB"])
    with dock.desk.database.unit_of_work(logins.tenant_id) as session:
        bag = service.open_container(
            session, hub, ContainerInput(ContainerKind.BAG), dock.deed(), now=dock.now
        )
        assert bag.from_facility_id == places["WUH-HUB"]
        with pytest.raises(ForbiddenError):
            service.open_container(
                session, hub, ContainerInput(ContainerKind.BAG), dock.deed("CTU-G"), now=dock.now
            )


def test_nothing_of_another_company_goes_in(dock: Dock, new_desk) -> None:
    other = Dock(new_desk())
    foreign, foreign_bag = other.desk.book(), other.open()
    assert statuses(dock.pack(dock.open("trip"), foreign.waybill_number, foreign_bag)) == ["unknown"] * 2


def test_packing_is_written_down_for_good(dock: Dock) -> None:
    parcel = dock.desk.book()
    bag = dock.container(dock.open())
    dock.pack(bag.number, parcel.waybill_number)
    with dock.desk.database.unit_of_work(None) as session:
        record = session.scalars(sa.select(PackingRecord).where(PackingRecord.container_id == bag.id)).one()
        assert (record.shipment_ids, record.piece_nos, record.user_id is None) == ([parcel.id], [1], False)
    with (
        pytest.raises(sa.exc.DBAPIError, match="append-only"),
        dock.desk.database.unit_of_work(None) as session,
    ):
        session.execute(sa.delete(PackingRecord).where(PackingRecord.id == record.id))


def test_the_database_itself_keeps_a_piece_out_of_two_bags(dock: Dock) -> None:
    parcel = dock.desk.book()
    first, second = dock.container(dock.open()), dock.container(dock.open())
    dock.pack(first.number, parcel.waybill_number)
    with (
        pytest.raises(sa.exc.IntegrityError, match="uq_container_item_piece"),
        dock.desk.database.unit_of_work(dock.desk.logins.tenant_id) as session,
    ):
        session.add(
            ContainerItem(container_id=second.id, shipment_id=parcel.id, piece_no=1, packed_at=dock.now)
        )
