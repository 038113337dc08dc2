"""What is asked about a parcel on its way, checked when it is made."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date

from app.actor import Actor
from app.deliveries.models import Access
from app.errors import InvalidInputError
from tracking.instructions import Asker, InstructionKind

NOTE_LENGTH_MAX, ADDRESS_LENGTH_MAX = 500, 200
REDELIVER_WITHIN_DAYS = 7


class Window(enum.StrEnum):
    """The part of a day in which somebody is at home."""

    DAY = "day"
    MORNING = "morning"
    AFTERNOON = "afternoon"


WINDOWS_S = {
    Window.DAY: (8 * 3600, 18 * 3600),
    Window.MORNING: (8 * 3600, 12 * 3600),
    Window.AFTERNOON: (12 * 3600, 18 * 3600),
}
"""From and to, in seconds since the local midnight."""


_ONLY_OF = {
    "day": InstructionKind.REDELIVER,
    "window": InstructionKind.REDELIVER,
    "facility_id": InstructionKind.REDIRECT,
    "district_adcode": InstructionKind.REDIRECT,
    "address": InstructionKind.REDIRECT,
}


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, and how it was known that he may."""

    asker: Asker
    access: Access
    actor: Actor | None = None

    @property
    def user_id(self) -> int | None:
        """The login that asks; none behind a tracking link."""
        return None if self.actor is None else self.actor.user_id


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted.

    Args:
        kind: which of the five.
        day, window: when to come again; for a redelivery only, and there needed.
        facility_id: the outlet, store, locker or point to go to; for a redirection this or an address.
        district_adcode, address: the door to go to.
        note: a word to whoever carries it out.

    Raises:
        InvalidInputError: what the kind needs is missing, or there is more than it takes; names each field.
    """

    kind: InstructionKind
    day: date | None = None
    window: Window | None = None
    facility_id: int | None = None
    district_adcode: str | None = None
    address: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        wrong = [
            {"detail": detail, "pointer": f"/{name}"} for name, detail in (*self._missing(), *self._surplus())
        ]
        if wrong:
            raise InvalidInputError("this is not what the instruction takes", wrong)

    def _missing(self) -> list[tuple[str, str]]:
        found = []
        if self.kind is InstructionKind.REDELIVER and self.day is None:
            found.append(("day", "is needed"))
        if self.kind is InstructionKind.REDIRECT and self.facility_id is None:
            if self.district_adcode is None:
                found.append(("district_adcode", "a place is needed: a facility, or district and address"))
            if not (self.address or "").strip():
                found.append(("address", "is needed, or a facility_id"))
        return found

    def _surplus(self) -> list[tuple[str, str]]:
        found = [
            (name, f"is of the kind {kind} only")
            for name, kind in _ONLY_OF.items()
            if self.kind is not kind and getattr(self, name) is not None
        ]
        if self.facility_id is not None and (self.address is not None or self.district_adcode is not None):
            found.append(("address", "a facility or an address, not both"))
        for name, length_max in (("note", NOTE_LENGTH_MAX), ("address", ADDRESS_LENGTH_MAX)):
            text = getattr(self, name) or ""
            if len(text) > length_max or "\0" in text:
                found.append((name, f"at most {length_max} characters"))
        return found
