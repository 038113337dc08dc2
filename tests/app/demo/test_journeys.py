"""The scans of 2,000 demo parcels mean the same in whatever order, and however often, they come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import reduce
from random import Random

import pytest
from msgspec import structs

from app.demo.journey import Journey
from app.demo.network_plan import FacilitySpec, plan_network
from app.demo.parcels import CHINA, OFFSET_MINUTES, Parcel, Story, plan_parcels
from app.demo.people import People
from routing.network import FacilityKind, Handover, Network, distance_m, itinerary
from routing.network.cutoff import ready_at
from tracking.lifecycle import RULES, Summary, fold, merge, state_of
from tracking.shipment import Leg, Milestone, Scan, ScanCode

SEED = 42
PARCELS = 2_000
START = datetime(2026, 11, 2, tzinfo=CHINA)
DELIVERIES = frozenset(code for code, rule in RULES.items() if rule.milestone is Milestone.DELIVERED)


@dataclass(frozen=True, slots=True)
class Told:
    """A parcel with all its scans in the order in which they were made."""

    parcel: Parcel
    scans: tuple[Scan, ...]

    @property
    def end(self) -> Milestone:
        """Where its story leads. Only who comes to the door can be refused, only who travels can get lost."""
        story = self.parcel.story
        if story is Story.CANCELLED:
            return Milestone.CANCELLED
        if self.parcel.request.merge is not None:
            return Milestone.IN_TRANSIT  # at its last outlet, until the others are there
        if story is Story.REFUSED and self.parcel.request.delivery_handover is Handover.DOOR:
            return Milestone.RETURNED
        travelled = any(scan.code is ScanCode.DEPARTED for scan in self.scans)
        return Milestone.LOST if story is Story.LOST and travelled else Milestone.DELIVERED


@pytest.fixture(scope="module")
def told() -> list[Told]:
    plan = plan_network(SEED)
    network = plan.network()
    outlets = [spec for spec in plan.facilities if spec.kind is FacilityKind.OUTLET]
    end = START + timedelta(days=14)
    parcels = plan_parcels(plan.facilities, People(SEED), seed=SEED, count=PARCELS, start=START, end=end)
    return [Told(parcel, tuple(_scans(parcel, outlets, network))) for parcel in parcels]


def _scans(parcel: Parcel, outlets: list[FacilitySpec], network: Network) -> Iterator[Scan]:
    request = parcel.request
    origin, destination = (
        network.by_code(min(outlets, key=lambda outlet: distance_m(outlet, place)).code).facility_id
        for place in (request.sender, request.consignee)
    )
    hours = {one.facility_id: one.hours for one in network.facilities if one.hours is not None}
    ready = ready_at(parcel.booked_at, request.pickup_handover, hours[origin])
    way = itinerary(network, origin, destination, ready, weight_g=request.weight_g)
    legs = [
        Leg(
            leg.sequence,
            leg.from_facility_id,
            leg.to_facility_id,
            leg.mode.value,
            leg.lane_id,
            leg.departure_at,
            leg.arrival_at,
        )
        for leg in way.legs
    ]
    journey = Journey(
        parcel,
        legs,
        ready_at=ready,
        origin_id=origin,
        destination_id=destination,
        delivery_point_id=None,
        last_outlet=hours[destination],
        seed=SEED,
    )
    yield _scan(parcel, "booked", ScanCode.BOOKED, parcel.booked_at, parcel.booked_at, None)
    if parcel.story is Story.CANCELLED:
        at = parcel.booked_at + timedelta(minutes=20)
        yield _scan(parcel, "cancelled", ScanCode.CANCELLED, at, at, None)
    for heard in sorted(journey.scans(), key=lambda heard: heard.index):
        yield _scan(
            parcel, str(heard.index), heard.code, heard.occurred_at, heard.received_at, heard.facility_id
        )


def _scan(
    parcel: Parcel, name: str, code: ScanCode, at: datetime, received_at: datetime, facility_id: int | None
) -> Scan:
    scan_id = f"{parcel.index}-{name}"
    return Scan(scan_id, code, at, OFFSET_MINUTES, received_at, "gun", scan_id, facility_id, None)


def _as_it_comes(scans: tuple[Scan, ...], pick: Random) -> list[Scan]:
    """Shuffled, and about every third sent again, once or twice, as it was or heard later."""
    again = [
        structs.replace(scan, received_at=scan.received_at + timedelta(minutes=pick.randrange(2) * 50))
        for scan in scans
        for _ in range(pick.choice((0, 0, 1, 2)))
    ]
    coming = [*scans, *again]
    pick.shuffle(coming)
    return coming


def test_every_story_is_told_to_its_end(told: list[Told]) -> None:
    stories = Counter(each.parcel.story for each in told)
    assert sum(stories.values()) == PARCELS
    assert set(stories) == set(Story)
    for each in told:
        assert fold(each.scans).milestone is each.end, each.parcel


def test_shuffled_and_repeated_scans_fold_to_the_same_states(told: list[Told]) -> None:
    pick = Random(7)
    repeated = 0
    for each in told:
        coming = _as_it_comes(each.scans, pick)
        repeated += len(coming) - len(each.scans)
        in_order = fold(each.scans)
        assert fold(coming) == in_order, each.parcel
        assert in_order.scan_count == len(each.scans)
    assert repeated > PARCELS  # many came more than once


def test_scans_counted_one_by_one_as_they_come_give_the_same_states(told: list[Told]) -> None:
    pick = Random(11)
    for each in told:
        coming = _as_it_comes(each.scans, pick)
        counted = reduce(merge, (Summary.of(scan) for scan in coming))
        state = fold(each.scans)
        found = state_of(counted, attempts=state.attempts, scan_count=state.scan_count)
        assert found == replace(state, findings=()), each.parcel


def test_a_delivered_parcel_never_goes_back(told: list[Told]) -> None:
    pick = Random(13)
    heard_later = 0
    for each in told:
        coming = _as_it_comes(each.scans, pick)
        heard = next((n for n, scan in enumerate(coming, start=1) if scan.code in DELIVERIES), None)
        if heard is None:
            assert each.end is not Milestone.DELIVERED
            continue
        for count in range(heard, len(coming) + 1):
            assert fold(coming[:count]).milestone is Milestone.DELIVERED, each.parcel
        heard_later += len(coming) - heard
    assert heard_later > PARCELS  # the deliveries did not simply come last
