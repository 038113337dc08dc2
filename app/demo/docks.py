"""The docks of the demo: bags packed into trips, received, compared and emptied.

Now and then a parcel stays out of its bag's list and is surplus where it arrives, or is on the list and was
never put in: then the dock at the other end names it as missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.actor import Actor
from app.containers import service as containers
from app.containers.queries import load_container
from app.containers.service import ContainerInput, Deed
from app.demo.feed import Action
from app.demo.journey import Boarding
from app.demo.parcels import OFFSET_MINUTES
from app.demo.rides import Ride
from tracking.containers import ContainerKind

_BAG_HOLDS = 12
_SEALED_BEFORE = timedelta(minutes=10)
_PLATES = ("鄂A", "沪B", "粤A", "京A", "川A", "陕A")


@dataclass(slots=True)
class _Load:
    """What travels on one ride: waybill numbers by whether the list has them and the bag."""

    listed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    surplus: list[str] = field(default_factory=list)
    bags: list[str] = field(default_factory=list)
    trip: str = ""
    manifest: str | None = None


class Docks:
    """Works the rides of one storyteller.

    Args:
        actor: who works at every dock.
        at: puts an action on the agenda.
        codes: of facilities, by id: what stands in the names of devices.
    """

    def __init__(self, actor: Actor, at: Callable[[datetime, Action], None], codes: dict[int, str]) -> None:
        self._actor = actor
        self._at = at
        self._codes = codes
        self._loads: dict[Ride, _Load] = {}

    def take(self, boarding: Boarding, number: str) -> None:
        """Let a parcel travel on a ride; the first one puts the ride on the agenda."""
        ride = boarding.ride
        load = self._loads.get(ride)
        if load is None:
            load = self._loads[ride] = _Load()
            for when, action in (
                (ride.loaded_at, self._pack),
                (ride.departed_at - _SEALED_BEFORE, self._close),
                (ride.departed_at, self._dispatch),
                (ride.arrived_at, self._receive),
                (ride.emptied_at, self._empty),
            ):
                self._at(when, _bound(action, ride, load))
        # A list of its own it cannot be surplus to.
        (load.surplus if boarding.surplus and load.listed else load.listed).append(number)
        if boarding.missing:
            load.missing.append(number)

    def _pack(self, session: Session, now: datetime, ride: Ride, load: _Load) -> None:
        """Into bags of a dozen."""
        for place, start in enumerate(range(0, len(load.listed), _BAG_HOLDS)):
            wanted = ContainerInput(ContainerKind.BAG, to_facility_id=ride.to_facility_id)
            deed = self._deed(ride, f"pack-{place}", ride.from_facility_id, now)
            bag = containers.open_container(session, self._actor, wanted, deed, now=now)
            listed = load.listed[start : start + _BAG_HOLDS]
            containers.pack(session, self._actor, bag, listed, deed, now=now)
            load.bags.append(bag.number)

    def _close(self, session: Session, now: datetime, ride: Ride, load: _Load) -> None:
        """Seal the bags and put them into the trip, on every third lane by way of a manifest."""
        here = ride.from_facility_id
        for place, number in enumerate(load.bags):
            bag = load_container(session, self._actor, number)
            deed = self._deed(ride, f"seal-{place}", here, now)
            containers.seal(session, self._actor, bag, f"S{bag.id:06d}", deed, now=now)
        inside = load.bags
        if ride.lane_id % 3 == 0:
            wanted = ContainerInput(ContainerKind.MANIFEST, to_facility_id=ride.to_facility_id)
            load.manifest = self._filled(session, now, ride, wanted, inside, "manifest")
            inside = [load.manifest]
        wanted = ContainerInput(
            ContainerKind.TRIP,
            lane_id=ride.lane_id,
            departs_at=ride.planned_departure_at,
            vehicle=f"{_PLATES[ride.lane_id % len(_PLATES)]}·{10_000 + ride.lane_id * 37 % 89_999}",
        )
        load.trip = self._filled(session, now, ride, wanted, inside, "trip")

    def _filled(
        self,
        session: Session,
        now: datetime,
        ride: Ride,
        wanted: ContainerInput,
        inside: Sequence[str],
        name: str,
    ) -> str:
        """Open a container, fill it with others and seal it; gives its number."""
        deed = self._deed(ride, name, ride.from_facility_id, now)
        one = containers.open_container(session, self._actor, wanted, deed, now=now)
        containers.pack(session, self._actor, one, inside, deed, now=now)
        containers.seal(session, self._actor, one, f"S{one.id:06d}", deed, now=now)
        return one.number

    def _dispatch(self, session: Session, now: datetime, ride: Ride, load: _Load) -> None:
        trip = load_container(session, self._actor, load.trip)
        deed = self._deed(ride, "dispatch", ride.from_facility_id, now)
        containers.dispatch(session, self._actor, trip, deed, now=now)

    def _receive(self, session: Session, now: datetime, ride: Ride, load: _Load) -> None:
        trip = load_container(session, self._actor, load.trip)
        containers.receive(
            session, self._actor, trip, self._deed(ride, "receive", ride.to_facility_id, now), now=now
        )

    def _empty(self, session: Session, now: datetime, ride: Ride, load: _Load) -> None:
        """Compare the bags where something is amiss; break everything."""
        here = ride.to_facility_id
        for place, number in enumerate((load.trip, load.manifest)):
            if number is not None:
                outer = load_container(session, self._actor, number)
                containers.break_up(
                    session, self._actor, outer, self._deed(ride, f"break-{place}", here, now), now=now
                )
        for place, number in enumerate(load.bags):
            bag = load_container(session, self._actor, number)
            listed = load.listed[place * _BAG_HOLDS : (place + 1) * _BAG_HOLDS]
            seen = [one for one in listed if one not in load.missing]
            seen += load.surplus if place == 0 else []
            deed = self._deed(ride, f"bag-{place}", here, now)
            if seen != listed:
                containers.receive(session, self._actor, bag, deed, now=now)
                if seen:
                    containers.check(session, self._actor, bag, seen, deed, now=now)
                containers.count(session, self._actor, bag, deed, now=now)
            else:
                containers.break_up(session, self._actor, bag, deed, now=now)

    def _deed(self, ride: Ride, what: str, facility_id: int, now: datetime) -> Deed:
        return Deed(
            device_id=f"dock-{self._codes[facility_id]}",
            client_event_id=f"{ride.lane_id}-{ride.planned_departure_at:%Y%m%dT%H%M}-{what}",
            occurred_at=now,
            offset_minutes=OFFSET_MINUTES,
            facility_id=facility_id,
        )


def _bound(action: Callable[[Session, datetime, Ride, _Load], None], ride: Ride, load: _Load) -> Action:
    return lambda session, now: action(session, now, ride, load)
