"""The pieces of a shipment, each where it stands, and what they are merged with on their way."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.network.models import Facility
from app.shipments import merging, queries
from app.shipments.merge_models import MergeGroup
from app.shipments.models import Shipment
from tracking.state import ShipmentState


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of several: its number from 1, its state, and the place of its latest scan."""

    piece_no: int
    state: ShipmentState
    facility: Facility | None


@dataclass(frozen=True, slots=True)
class Merged:
    """What a shipment is merged with: the group and its members that are booked."""

    group: MergeGroup
    facility: Facility
    members: tuple[Shipment, ...]

    @property
    def there(self) -> int:
        """How many of them are at the place or past it: all, once they were released."""
        if self.group.released_at is not None:
            return len(self.members)
        return sum(member.state_facility_id == self.facility.id for member in self.members)


def pieces_of(session: Session, shipment: Shipment) -> list[Piece]:
    """Every piece where it stands; none for a shipment of one, which stands where the shipment does."""
    if shipment.pieces == 1:
        return []
    states = merging.pieces_of(session, shipment)
    places = queries.facilities(session, [state.facility_id for state in states])
    return [
        Piece(number, state, places.get(state.facility_id) if state.facility_id else None)
        for number, state in enumerate(states, start=1)
    ]


def merged_with(session: Session, shipment: Shipment) -> Merged | None:
    """What a shipment waits for on its way, or waited for; None where it goes alone."""
    found = merging.place_of(session, shipment)
    if found is None:
        return None
    group, facility = found
    return Merged(group, facility, tuple(merging.members_of(session, group)))
