"""What rests on holidays: lanes and facilities, by the same doors and pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.actor import Actor
from app.network import queries
from app.network.models import Facility, Lane


@dataclass(frozen=True, slots=True)
class Resting:
    """One kind of what rests.

    Args:
        path: of its days of rest, with the id of the one that rests.
        infix: what its endpoints have in their names.
        load: its guarded loader; raises `NotFoundError`.
    """

    path: str
    infix: str
    load: Callable[[Session, Actor, int], Lane | Facility]

    @property
    def days(self) -> str:
        """The endpoint that shows its days of rest."""
        return f"{self.infix}holidays"

    @property
    def add(self) -> str:
        """The endpoint that adds days."""
        return f"add_{self.infix}holidays"

    @property
    def remove(self) -> str:
        """The endpoint that takes a day back."""
        return f"remove_{self.infix}holiday"


LANES = Resting("/network/lanes/<int:lane_id>/holidays", "", queries.load_lane)
FACILITIES = Resting("/network/facilities/<int:facility_id>/holidays", "facility_", queries.load_facility)
