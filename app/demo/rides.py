"""Which line-hauls of the demo are worked with bags, and when each of them leaves and arrives."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from tracking.shipment import Leg

LOADED_BEFORE = timedelta(minutes=40)
"""How long before a line-haul leaves its bags are packed; what is later travels loose."""
UNLOADED_AFTER = timedelta(minutes=20)
"""How long after its arrival the dock has compared and emptied it."""


@dataclass(frozen=True, slots=True)
class Ride:
    """One departure of a line-haul whose parcels travel in bags.

    Attributes:
        lane_id: the lane.
        planned_departure_at: when it should leave; with the lane it names the ride.
        departed_at: when it leaves.
        arrived_at: when it arrives.
        careless: whether its bags were packed in a hurry: what is inside is not what the list says.
    """

    lane_id: int
    from_facility_id: int
    to_facility_id: int
    planned_departure_at: datetime
    departed_at: datetime
    arrived_at: datetime
    careless: bool

    @property
    def loaded_at(self) -> datetime:
        """When its bags are packed."""
        return self.departed_at - LOADED_BEFORE

    @property
    def emptied_at(self) -> datetime:
        """When what was in it is on its own again."""
        return self.arrived_at + UNLOADED_AFTER


class Rides:
    """The rides of one storyteller: departures between two of the given places, from a moment on.

    Args:
        between: line-hauls count that begin and end at one of these facilities.
        at: and of these, those that touch this one.
        since: departures planned before are not worked with bags.
        careless_since: from when on what arrives at `at` was packed in a hurry.
        part: every storyteller works the departures of his part.
        seed: decides how late each is.
    """

    def __init__(
        self,
        *,
        between: Collection[int],
        at: int,
        since: datetime,
        careless_since: datetime,
        part: tuple[int, int],
        seed: int,
    ) -> None:
        self._between = frozenset(between)
        self._at = at
        self._since = since
        self._careless_since = careless_since
        self._part = part
        self._seed = seed

    def of(self, leg: Leg) -> Ride | None:
        """The ride that a leg is planned on; None where its parcels travel loose."""
        ends = {leg.from_facility_id, leg.to_facility_id}
        if leg.lane_id is None or self._at not in ends or not ends <= self._between:
            return None
        if leg.planned_departure_at < self._since:
            return None
        # By what is the same in every load; ids of lanes are.
        pick = random.Random(f"ride:{self._seed}:{leg.lane_id}:{leg.planned_departure_at.isoformat()}")
        number, of = self._part
        if pick.randrange(of) != number:
            return None
        departed_at = leg.planned_departure_at + timedelta(minutes=pick.randrange(0, 15))
        planned = leg.planned_arrival_at - leg.planned_departure_at
        arrived_at = (departed_at + planned * pick.uniform(0.95, 1.05)).replace(microsecond=0)
        return Ride(
            leg.lane_id,
            leg.from_facility_id,
            leg.to_facility_id,
            leg.planned_departure_at,
            departed_at.replace(microsecond=0),
            arrived_at,
            careless=leg.to_facility_id == self._at and arrived_at >= self._careless_since,
        )
