"""The scans of one parcel, from the door of its sender to that of its consignee, as life would make them.

The plan gives the times; the story and a few dice say how far reality strays from them. Everything is decided
when the parcel is booked, so that scans can be told in the order of time later on.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.demo.parcels import Parcel, Story
from app.demo.rides import Ride
from routing.network import Handover, WorkingHours
from routing.network.cutoff import LOADING_S, next_round
from tracking.shipment import AttemptReason, Leg, ScanCode


@dataclass(frozen=True, slots=True)
class Heard:
    """One scan of a journey and when the server hears of it."""

    received_at: datetime
    index: int
    code: ScanCode
    occurred_at: datetime
    facility_id: int | None
    by_courier_of: int | None = None
    reason: str | None = None
    received_by: str | None = None
    repeated: bool = False


_POINTS = {
    Handover.OUTLET: (ScanCode.AT_OUTLET, ScanCode.TAKEN_FROM_POINT),
    Handover.STORE: (ScanCode.AT_STORE, ScanCode.TAKEN_FROM_POINT),
    Handover.LOCKER: (ScanCode.AT_LOCKER, ScanCode.TAKEN_FROM_LOCKER),
    Handover.COLLECTIVE_POINT: (ScanCode.AT_COLLECTIVE_POINT, ScanCode.TAKEN_FROM_POINT),
}
_MISSING_PERCENT, _SURPLUS_PERCENT = 25, 25
_REASONS = (
    AttemptReason.CONSIGNEE_ABSENT,
    AttemptReason.CANNOT_CONTACT,
    AttemptReason.POSTPONED_BY_CONSIGNEE,
    AttemptReason.ADDRESS_INCOMPLETE,
)


@dataclass(frozen=True, slots=True)
class Boarding:
    """A ride that the parcel takes in a bag: the scans of the trip's outside speak for it.

    Attributes:
        ride: which.
        missing: it is on the list and was never put in.
        surplus: it was put in and is on no list.
    """

    ride: Ride
    missing: bool
    surplus: bool


class Journey:
    """Builds the scans of one parcel, and the rides that speak for it in between.

    Args:
        ride_of: the ride that a leg is planned on, where its parcels travel in bags.
    """

    def __init__(
        self,
        parcel: Parcel,
        legs: Sequence[Leg],
        *,
        ready_at: datetime,
        origin_id: int,
        destination_id: int,
        delivery_point_id: int | None,
        last_outlet: WorkingHours,
        seed: int,
        ride_of: Callable[[Leg], Ride | None] = lambda _leg: None,
    ) -> None:
        self._parcel = parcel
        self._legs = legs
        self._ready_at = ready_at
        self._origin_id = origin_id
        self._destination_id = destination_id
        self._point_id = delivery_point_id
        self._last_outlet = last_outlet
        self._pick = random.Random(f"journey:{seed}:{parcel.index}")
        self._ride_of = ride_of if parcel.request.pieces == 1 else lambda _leg: None
        self._scans: list[Heard] = []
        self.rides: list[Boarding] = []

    def scans(self) -> list[Heard]:
        """Every scan in the order in which it is heard."""
        if self._parcel.story is Story.CANCELLED:
            return []
        at = self._collect()
        arrived = self._travel(at)
        if arrived is not None and self._parcel.request.merge is None:  # that one waits for the others
            self._last_mile(arrived)
        return sorted(self._scans, key=lambda scan: (scan.received_at, scan.occurred_at))

    def _collect(self) -> datetime:
        request = self._parcel.request
        if request.pickup_handover is Handover.DOOR:
            collected_at = self._ready_at - timedelta(minutes=self._pick.randrange(25, 100))
            self._add(ScanCode.COLLECTED, collected_at, None, courier_of=self._origin_id)
        elif request.pickup_handover is not Handover.OUTLET:
            deposited_at = self._parcel.booked_at + timedelta(minutes=self._pick.randrange(10, 90))
            self._add(ScanCode.DEPOSITED, min(deposited_at, self._ready_at), self._origin_id)
        accepted_at = self._ready_at + timedelta(minutes=self._pick.randrange(0, 12))
        self._add(ScanCode.ACCEPTED, accepted_at, self._origin_id)
        return accepted_at

    def _travel(self, at: datetime) -> datetime | None:
        """Along the legs; the arrival at the last outlet, or None for a parcel that gets lost."""
        story = self._parcel.story
        struck = self._pick.randrange(len(self._legs)) if self._legs else -1
        for number, leg in enumerate(self._legs):
            late = timedelta(seconds=self._pick.expovariate(1 / 420))
            ride = None if number == struck and story is not Story.SMOOTH else self._ride_of(leg)
            if ride is not None and at <= ride.loaded_at:
                if self._board(ride):
                    return None
                at = ride.emptied_at + timedelta(minutes=self._pick.randrange(12, 45))
                if number + 1 < len(self._legs):
                    self._add(ScanCode.SORTED, at, leg.to_facility_id)
                continue
            departed_at = max(leg.planned_departure_at + late, at + timedelta(minutes=4))
            self._add(ScanCode.DEPARTED, departed_at, leg.from_facility_id)
            if story is Story.LOST and number == struck:
                self._add(ScanCode.LOST, departed_at + timedelta(days=3), leg.from_facility_id)
                return None
            stretch = min(1.6, max(0.9, self._pick.gauss(1.0, 0.05)))
            arrived_at = departed_at + leg_time(leg) * stretch
            if story is Story.LATE and number == struck:
                arrived_at += timedelta(hours=self._pick.randrange(14, 40))
                self._add(
                    ScanCode.DELAYED, departed_at + leg_time(leg), leg.from_facility_id, reason="weather"
                )
            self._add(ScanCode.ARRIVED, arrived_at, leg.to_facility_id)
            at = arrived_at + timedelta(minutes=self._pick.randrange(12, 45))
            if story is Story.DAMAGED and number == struck:
                self._add(ScanCode.DAMAGED, at, leg.to_facility_id)
                at += timedelta(hours=2)
                self._add(ScanCode.RELEASED, at, leg.to_facility_id)
            elif story is Story.MISSORTED and number == struck and number + 1 < len(self._legs):
                self._add(ScanCode.MISSORTED, at, leg.to_facility_id)
                at += timedelta(hours=self._pick.randrange(5, 20))
                self._add(ScanCode.SORTED, at, leg.to_facility_id)
            elif number + 1 < len(self._legs):
                self._add(ScanCode.SORTED, at, leg.to_facility_id)
        return at

    def _board(self, ride: Ride) -> bool:
        """Travel in a bag; gives whether the parcel got lost doing so."""
        dice = self._pick.randrange(100)
        missing = ride.careless and dice < _MISSING_PERCENT
        surplus = ride.careless and dice >= 100 - _SURPLUS_PERCENT
        self.rides.append(Boarding(ride, missing, surplus))
        return missing

    def _last_mile(self, arrived_at: datetime) -> None:
        handover = self._parcel.request.delivery_handover
        destination = self._destination_id
        name = self._parcel.request.consignee.name
        if handover is Handover.OUTLET:
            ready_at = arrived_at + timedelta(minutes=30)
        else:
            out_at = self._next_round(arrived_at)
            self._add(ScanCode.OUT_FOR_DELIVERY, out_at, destination, courier_of=destination)
            ready_at = out_at + timedelta(minutes=self._pick.randrange(35, 230))
        if handover is not Handover.DOOR:
            placed, taken = _POINTS[handover]
            self._add(placed, ready_at, self._point_id or destination)
            taken_at = ready_at + timedelta(hours=self._pick.expovariate(1 / 9))
            self._add(taken, taken_at, self._point_id or destination, received_by=name)
            return
        if self._parcel.story is Story.REFUSED:
            self._refuse(ready_at)
            return
        if self._parcel.story is Story.SECOND_ATTEMPT:
            reason = self._pick.choice(_REASONS)
            self._add(ScanCode.ATTEMPT_FAILED, ready_at, destination, courier_of=destination, reason=reason)
            out_at = self._next_round(ready_at + timedelta(hours=4))
            self._add(ScanCode.OUT_FOR_DELIVERY, out_at, destination, courier_of=destination)
            ready_at = out_at + timedelta(minutes=self._pick.randrange(35, 200))
        proxy = self._pick.random() < 0.08
        code = ScanCode.DELIVERED_TO_PROXY if proxy else ScanCode.DELIVERED
        receiver = f"{name}（邻居）" if proxy else name
        self._add(code, ready_at, destination, courier_of=destination, received_by=receiver)

    def _refuse(self, at: datetime) -> None:
        destination = self._destination_id
        self._add(ScanCode.REFUSED, at, destination, courier_of=destination, reason="refused_by_consignee")
        at += timedelta(hours=5)
        self._add(ScanCode.RETURNING, at, destination)
        for leg in reversed(self._legs):
            at += timedelta(hours=2)
            self._add(ScanCode.DEPARTED, at, leg.to_facility_id)
            at += leg_time(leg)
            self._add(ScanCode.ARRIVED, at, leg.from_facility_id)
        self._add(ScanCode.RETURNED, at + timedelta(hours=6), self._origin_id)

    def _next_round(self, moment: datetime) -> datetime:
        """The next delivery round of the last outlet, a little after its hour; loading is quick for once."""
        start = next_round(self._last_outlet, moment - timedelta(seconds=LOADING_S))
        return start + timedelta(minutes=self._pick.randrange(1, 25))

    def _add(
        self,
        code: ScanCode,
        at: datetime,
        facility_id: int | None,
        *,
        courier_of: int | None = None,
        reason: str | None = None,
        received_by: str | None = None,
    ) -> None:
        at = at.replace(microsecond=0)
        delay_s = self._pick.randrange(2, 20)
        if self._pick.random() < 0.04:
            delay_s = self._pick.randrange(1_200, 14_400)  # the device was out of reach
        repeated = self._pick.random() < 0.03
        received_at = at + timedelta(seconds=delay_s)
        index = len(self._scans)
        self._scans.append(
            Heard(received_at, index, code, at, facility_id, courier_of, reason, received_by, repeated)
        )


def leg_time(leg: Leg) -> timedelta:
    """How long a leg is planned to take."""
    return leg.planned_arrival_at - leg.planned_departure_at
