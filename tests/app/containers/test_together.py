"""Several at once: two guns on one bag, packing while it is scanned, one piece into two bags."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from app.containers.service import RowResult
from tests.app.containers.conftest import Dock


def together(*works: Callable[[], Any]) -> list[Any]:
    """Do things at the same moment; gives what each gave."""
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        barrier.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


def test_two_guns_on_one_bag(dock: Dock) -> None:
    parcels = [dock.desk.book() for _ in range(30)]
    bag = dock.open()
    dock.pack(bag, *(one.waybill_number for one in parcels))
    at = dock.desk.logins.clock.forward(minutes=1)
    same = {"client_scan_id": "shared", "occurred_at": at}
    results = together(*(lambda: dock.scan(bag, "departed", "CTU-G", **same) for _ in range(4)))
    assert sorted(result.status for result in results) == ["duplicate"] * 3 + ["recorded"]
    box = dock.container(bag)
    assert all(dock.scans(parcel) == [("departed", box.id)] for parcel in parcels)


def first_row(dock: Dock, bag: str, number: str) -> RowResult:
    return dock.pack(bag, number)[0]


def test_a_piece_goes_into_one_of_two_bags(dock: Dock) -> None:
    for _again in range(3):
        parcel = dock.desk.book()
        bags = [dock.open(), dock.open()]
        rows = together(*(partial(first_row, dock, bag, parcel.waybill_number) for bag in bags))
        assert sorted(row.status.value for row in rows) == ["in_another", "packed"]


def test_what_is_packed_while_the_bag_is_scanned_moves_with_it(dock: Dock) -> None:
    for _again in range(3):
        first, second = dock.desk.book(), dock.desk.book()
        bag = dock.open()
        dock.pack(bag, first.waybill_number)
        early, at = dock.deed(), dock.desk.logins.clock.forward(minutes=1)
        together(
            lambda: dock.pack(bag, second.waybill_number, deed=early),  # noqa: B023
            lambda: dock.scan(bag, "departed", "CTU-G", occurred_at=at),  # noqa: B023
        )
        box = dock.container(bag)
        assert dock.scans(second) == [("departed", box.id)]


def test_moves_crosswise_end(dock: Dock) -> None:
    """Each of two bags takes the other's pieces at the same moment: nobody waits for ever, none is lost."""
    one, two = [dock.desk.book() for _ in range(5)], [dock.desk.book() for _ in range(5)]
    left, right = dock.open(), dock.open()
    dock.pack(left, *(parcel.waybill_number for parcel in one))
    dock.pack(right, *(parcel.waybill_number for parcel in two))
    results = together(
        lambda: dock.pack(left, *(parcel.waybill_number for parcel in two), move=True),
        lambda: dock.pack(right, *(parcel.waybill_number for parcel in one), move=True),
    )
    assert [{row.status.value for row in rows} for rows in results] == [{"packed"}, {"packed"}]
    assert dock.comparison(left).counts.expected + dock.comparison(right).counts.expected == 10
