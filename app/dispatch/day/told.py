"""An act as a courier's phone tells it, and what became of it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.dispatch.day.models import Act, Outcome
from app.dispatch.models import StopKind
from app.errors import InvalidInputError
from app.shipments.pictures import picture_type
from app.shipments.scan_values import PROOF_BYTES_MAX
from tracking.shipment import OFFSET_MINUTES_MAX, OFFSET_MINUTES_MIN, AttemptReason, ScanCode

ID_LENGTH_MAX = 150
PAST_MAX, FUTURE_MAX = timedelta(days=30), timedelta(days=1)
"""A phone may have had no line for weeks, and its clock may be wrong; further off it is not believed."""

_C, _R = ScanCode, AttemptReason
DONE_CODES = {StopKind.PICKUP: _C.COLLECTED, StopKind.RETURN: _C.RETURNED}
"""What is recorded when a stop is done; what is brought to a consignee is handed over by the room above."""
FAILED_CODES = {
    StopKind.PICKUP: _C.PICKUP_FAILED,
    StopKind.DELIVERY: _C.ATTEMPT_FAILED,
    StopKind.RETURN: _C.ATTEMPT_FAILED,
}
_AT_THE_SENDERS = (
    _R.CONSIGNEE_ABSENT,
    _R.CANNOT_CONTACT,
    _R.ADDRESS_INCOMPLETE,
    _R.BUSINESS_CLOSED,
    _R.NO_ACCESS,
)
REASONS_OF = {
    StopKind.PICKUP: _AT_THE_SENDERS,
    StopKind.RETURN: _AT_THE_SENDERS,
    StopKind.DELIVERY: (
        _R.CONSIGNEE_ABSENT,
        _R.CANNOT_CONTACT,
        _R.ADDRESS_INCOMPLETE,
        _R.PHONE_WRONG,
        _R.POSTPONED_BY_CONSIGNEE,
        _R.BUSINESS_CLOSED,
        _R.NO_ACCESS,
        _R.CASH_NOT_PAID,
    ),
}
"""Why a stop of each kind may fail."""


@dataclass(frozen=True, slots=True)
class Told:
    """An act on a stop.

    Args:
        stop_id: the stop request.
        act: what was done.
        occurred_at, offset_minutes: the phone's own time and its local offset.
        device_id, client_id: together the same whenever the same act is told again.
        reason: why it failed; one of `REASONS_OF` its kind.
        photo: what was seen at the door of a failed stop: a picture of at most `PROOF_BYTES_MAX` bytes.
        latitude, longitude: where the phone was, if it knew.

    Raises:
        InvalidInputError: an id is missing, the photo is no picture or too large, or the place is none.
    """

    stop_id: int
    act: Act
    occurred_at: datetime
    offset_minutes: int
    device_id: str
    client_id: str
    reason: str | None = None
    photo: bytes | None = None
    latitude: float | None = None
    longitude: float | None = None

    def __post_init__(self) -> None:
        wrong = [
            {"detail": f"1 to {ID_LENGTH_MAX} characters", "pointer": f"/{name}"}
            for name in ("device_id", "client_id")
            if not 0 < len(getattr(self, name)) <= ID_LENGTH_MAX or "\0" in getattr(self, name)
        ]
        if self.photo is not None and len(self.photo) > PROOF_BYTES_MAX:
            wrong.append({"detail": f"at most {PROOF_BYTES_MAX // 1000} kB", "pointer": "/photo"})
        elif self.photo is not None and picture_type(self.photo) is None:
            wrong.append({"detail": "a PNG, JPEG or WebP picture", "pointer": "/photo"})
        if self.occurred_at.tzinfo is None:
            wrong.append({"detail": "needs an offset", "pointer": "/occurred_at"})
        if not OFFSET_MINUTES_MIN <= self.offset_minutes <= OFFSET_MINUTES_MAX:
            wrong.append({"detail": "is out of range", "pointer": "/offset_minutes"})
        if not is_place(self.latitude, self.longitude):
            wrong.append({"detail": "is no place on earth", "pointer": "/latitude"})
        if wrong:
            raise InvalidInputError("what was told of the stop is not complete", wrong)


def is_place(latitude: float | None, longitude: float | None) -> bool:
    """Whether both are given and on earth, or neither is given."""
    if latitude is None or longitude is None:
        return latitude is None and longitude is None
    return -90 <= latitude <= 90 and -180 <= longitude <= 180


class Why(enum.StrEnum):
    """Why an act is in conflict or was refused."""

    OTHER_COURIER = "other_courier"
    NOT_IN_ROUND = "not_in_round"
    FINISHED = "finished"
    NOT_RECORDED = "not_recorded"
    STOPPED = "stopped"
    NO_CONSENT = "no_consent"
    WRONG_CODE = "wrong_code"
    CODE_LOCKED = "code_locked"
    NOT_PAID = "not_paid"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an act.

    Attributes:
        outcome: as it is kept.
        duplicate: it had been told before; the outcome is that of the first time.
        why: of a conflict or refusal.
        detail: the same in English, for logs and machines.
    """

    outcome: Outcome
    duplicate: bool = False
    why: Why | None = None
    detail: str | None = None
