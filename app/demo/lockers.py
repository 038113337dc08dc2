"""Lockers of the demo: their compartments, and parcels that wait behind a code in its last days."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.actor import Actor
from app.deliveries import service as deliveries
from app.deliveries.service import Leaving
from app.demo.feed import Action, Feed
from app.demo.journey import Heard
from app.demo.parcels import Parcel
from app.errors import ConflictError
from app.network import service as network
from app.network.models import Facility
from app.shipments.models import Shipment
from routing.network import FacilityKind
from tracking.shipment import ScanCode

KEPT_FOR = timedelta(days=4)
"""How long before the end of the demo its couriers begin to use codes."""
_FORGOTTEN_PERCENT = 30
_COMPARTMENTS: Mapping[str, network.Size] = {
    "A1": (350, 300, 120),
    "A2": (350, 300, 120),
    "B1": (450, 400, 220),
    "B2": (450, 400, 220),
    "C1": (600, 450, 400),
}


def equip(session: Session, actor: Actor, now: datetime) -> None:
    """Give every locker its compartments."""
    lockers = sa.select(Facility).where(Facility.kind == FacilityKind.LOCKER).order_by(Facility.id)
    for locker in session.scalars(lockers).all():
        for code, size in _COMPARTMENTS.items():
            network.set_compartment(session, actor, locker, code=code, size=size, now=now)


class Lockers:
    """Leaves parcels in lockers as a courier does, in place of a scan that only says so.

    Args:
        feed: where it is told.
        since: parcels that come to their locker before are scanned only.
        seed: decides who forgets to fetch his.
    """

    def __init__(self, feed: Feed, *, since: datetime, seed: int) -> None:
        self._feed = feed
        self._since = since
        self._seed = seed

    def take(self, parcel: Parcel, shipment: Shipment, scans: list[Heard]) -> list[Heard]:
        """Put the deposit of a parcel on the agenda; gives the scans that are left to be told."""
        placed = next((scan for scan in scans if scan.code is ScanCode.AT_LOCKER), None)
        if placed is None or placed.occurred_at < self._since or shipment.pieces > 1:
            return scans
        number, outlet_id = shipment.waybill_number, shipment.destination_facility_id
        courier_id = self._feed.courier(number, outlet_id)
        self._feed.push(placed.occurred_at, self._deposit(shipment.id, placed, courier_id))
        left = [scan for scan in scans if scan is not placed]
        if random.Random(f"locker:{self._seed}:{parcel.index}").randrange(100) < _FORGOTTEN_PERCENT:
            left = [scan for scan in left if scan.code is not ScanCode.TAKEN_FROM_LOCKER]
        return left

    def _deposit(self, shipment_id: int, placed: Heard, courier_id: int) -> Action:
        assert placed.facility_id is not None, "a locker is a place"
        locker_id = placed.facility_id
        actor = self._feed.company.staff["dispatcher"]

        def act(session: Session, now: datetime) -> None:
            shipment = session.get_one(Shipment, shipment_id)
            left = Leaving(locker_id, courier_id=courier_id)
            try:
                deliveries.deposit(session, actor, shipment, left, now=now)
            except ConflictError:  # full, or too small for it: it waits at the counter
                counter = Leaving(shipment.destination_facility_id, courier_id=courier_id)
                deliveries.deposit(session, actor, shipment, counter, now=now)

        return act
