"""Chains of custody read from scans, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.servicedesk.custody import Parties, chain
from settlement.compensation import BearerReason, attribute
from tracking.shipment import Scan, ScanCode

C = ScanCode
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
OUTLET, HUB, DOOR, LOCKER = 1, 2, 3, 4
# Parties: 10 and more; carrier 20 leaves the outlet, 21 the hub; couriers 30 and 31.
PARTIES = Parties(
    of_facility={OUTLET: 11, HUB: 12, DOOR: 13, LOCKER: 13},
    of_courier={7: 30, 8: 31},
    carrier_from={OUTLET: 20, HUB: 21},
    origin_facility_id=OUTLET,
)


def scan(
    hour: float, code: ScanCode, facility: int | None = None, courier: int | None = None, **more
) -> Scan:
    at = START + timedelta(hours=hour)
    return Scan(f"s{hour}-{code}", code, at, 480, at, "d", f"{hour}-{code}", facility, courier, **more)


WAY = (
    scan(0, C.BOOKED),
    scan(1, C.COLLECTED, courier=7),
    scan(2, C.ACCEPTED, OUTLET),
    scan(3, C.DEPARTED, OUTLET),
    scan(5, C.ARRIVED, HUB),
    scan(6, C.SORTED, HUB),
    scan(7, C.DEPARTED, HUB),
    scan(9, C.ARRIVED, DOOR),
    scan(10, C.OUT_FOR_DELIVERY, DOOR, 8),
    scan(11, C.DELIVERED, courier=8),
)


def holders(scans) -> list[tuple[int, int | None]]:
    return [(custody.party_id, custody.facility_id) for custody in chain(scans, PARTIES)]


def test_every_hand_over_ends_one_stretch_and_begins_the_next():
    custody = chain(WAY, PARTIES)
    assert holders(WAY) == [
        (30, None),
        (11, OUTLET),
        (20, None),
        (12, HUB),
        (21, None),
        (13, DOOR),
        (31, None),
    ]
    for earlier, later in pairwise(custody):
        assert earlier.to_at == later.from_at
    assert custody[3].scan_ids == ("s5-arrived", "s6-sorted", "s7-departed")
    assert custody[-1].to_at == START + timedelta(hours=11)


@given(st.permutations(WAY))
def test_the_order_of_arrival_makes_no_difference(scans):
    assert chain(scans, PARTIES) == chain(WAY, PARTIES)


def test_nobody_had_what_was_only_booked():
    assert chain(WAY[:1], PARTIES) == ()


def test_a_courier_nobody_knows_works_for_the_origin():
    assert holders([scan(1, C.COLLECTED, courier=99)]) == [(11, OUTLET)]


def test_damage_noted_on_arrival_is_borne_by_who_brought_it():
    arrived = scan(5, C.ARRIVED, HUB)
    damaged = scan(5, C.DAMAGED, HUB)
    bearer = attribute(chain((*WAY[:4], arrived, damaged, *WAY[6:]), PARTIES))
    assert (bearer.party_id, bearer.reason) == (20, BearerReason.NOTED_AT_TAKEOVER)


def test_damage_noted_later_is_borne_by_the_place_that_had_it():
    bearer = attribute(chain((*WAY[:6], scan(6.5, C.DAMAGED, HUB), *WAY[6:]), PARTIES))
    assert (bearer.party_id, bearer.facility_id) == (12, HUB)


def test_a_loss_is_borne_by_who_had_it_last_wherever_it_was_reported():
    bearer = attribute(chain((*WAY[:4], scan(30, C.LOST, DOOR)), PARTIES))
    assert (bearer.party_id, bearer.facility_id) == (20, None)
    assert "s30-lost" in bearer.scan_ids


def test_remarks_from_afar_move_nothing():
    remarks = (scan(5.5, C.DELAYED, DOOR), scan(5.6, C.INTERCEPTED, OUTLET), scan(5.7, C.REDIRECTED, DOOR))
    assert chain((*WAY, *remarks), PARTIES) == chain(WAY, PARTIES)


def test_a_parcel_sent_off_its_way_stays_with_who_sent_it():
    assert holders([scan(1, C.ARRIVED, DOOR), scan(2, C.DEPARTED, DOOR)]) == [(13, DOOR)]


def test_a_locker_is_the_places_and_no_longer_the_couriers():
    scans = [scan(1, C.OUT_FOR_DELIVERY, DOOR, 8), scan(2, C.AT_LOCKER, LOCKER, 8)]
    assert holders(scans) == [(31, None), (13, LOCKER)]


def test_a_scan_declared_an_error_shows_nothing():
    wrong = scan(4, C.ARRIVED, DOOR)
    voided = scan(4.5, C.VOIDED, corrects=wrong.scan_id)
    assert chain((*WAY, wrong, voided), PARTIES) == chain(WAY, PARTIES)


def test_after_delivery_the_chain_ends():
    confirmed = scan(20, C.RECEIPT_CONFIRMED)
    assert chain((*WAY, confirmed), PARTIES) == chain(WAY, PARTIES)
    assert attribute(chain(WAY, PARTIES)).reason is BearerReason.LAST_CUSTODIAN
