"""What is recorded about a parcel: scans with exact codes, and the legs it was meant to travel."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Self

import msgspec

from tracking.errors import ScanError

# The widest offsets in use are -12:00 and +14:00.
OFFSET_MINUTES_MIN, OFFSET_MINUTES_MAX = -12 * 60, 14 * 60


class Milestone(StrEnum):
    """Where in its life a parcel stands: the few words everybody understands.

    `rank` is the position in the list below; a later one is further along in an ordinary life. EXCEPTION
    stands before ACCEPTED, so that the least advanced piece of a shipment is the one that needs help.
    """

    rank: int

    PENDING = "pending"
    BOOKED = "booked"
    CANCELLED = "cancelled"
    EXCEPTION = "exception"
    ACCEPTED = "accepted"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    ATTEMPT_FAILED = "attempt_failed"
    READY_FOR_PICKUP = "ready_for_pickup"
    RETURNING = "returning"
    LOST = "lost"
    RETURNED = "returned"
    DELIVERED = "delivered"

    def __new__(cls, value: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.rank = len(cls.__members__)
        return member


class ScanCode(StrEnum):
    """The exact thing that was seen or done.

    `rank` is the position in the list below. Of two scans at the same instant the one with the higher
    rank counts as the later: a parcel arrives before it is found damaged, and is sorted before it departs.
    """

    rank: int

    BOOKED = "booked"
    PICKUP_FAILED = "pickup_failed"
    CANCELLED = "cancelled"
    COLLECTED = "collected"
    DEPOSITED = "deposited"
    ACCEPTED = "accepted"
    ARRIVED = "arrived"
    MISSORTED = "missorted"
    DAMAGED = "damaged"
    DELAYED = "delayed"
    HELD = "held"
    INTERCEPTED = "intercepted"
    RELEASED = "released"
    REDIRECTED = "redirected"
    SORTED = "sorted"
    DEPARTED = "departed"
    OUT_FOR_DELIVERY = "out_for_delivery"
    ATTEMPT_FAILED = "attempt_failed"
    REFUSED = "refused"
    AT_OUTLET = "at_outlet"
    AT_STORE = "at_store"
    AT_LOCKER = "at_locker"
    AT_COLLECTIVE_POINT = "at_collective_point"
    PICKUP_OVERDUE = "pickup_overdue"
    RETURNING = "returning"
    LOST = "lost"
    RETURNED = "returned"
    DELIVERED = "delivered"
    DELIVERED_TO_PROXY = "delivered_to_proxy"
    TAKEN_FROM_POINT = "taken_from_point"
    TAKEN_FROM_LOCKER = "taken_from_locker"
    RECEIPT_CONFIRMED = "receipt_confirmed"
    VOIDED = "voided"

    def __new__(cls, value: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.rank = len(cls.__members__)
        return member


class AttemptReason(StrEnum):
    """Why a delivery or a pickup was tried in vain: the reasons other systems have a word for.

    `Scan.reason` is free text, so that a partner's own reason is kept; these are the ones that are mapped.
    """

    CONSIGNEE_ABSENT = "consignee_absent"
    CANNOT_CONTACT = "cannot_contact"
    ADDRESS_INCOMPLETE = "address_incomplete"
    PHONE_WRONG = "phone_wrong"
    OUT_OF_AREA = "out_of_area"
    BUSINESS_CLOSED = "business_closed"
    POSTPONED_BY_CONSIGNEE = "postponed_by_consignee"
    NO_ACCESS = "no_access"
    CASH_NOT_PAID = "cash_not_paid"
    LOCKER_FULL = "locker_full"


def require_utc(moment: datetime, name: str) -> None:
    """Raise ScanError unless `moment` is timezone-aware and in UTC."""
    if moment.tzinfo is not UTC and (moment.tzinfo is None or moment.utcoffset() != timedelta(0)):
        raise ScanError(f"{name} must be an aware time in UTC, not {moment.isoformat()}")


class Scan(msgspec.Struct, frozen=True, gc=False):
    """One thing that was seen or done to one parcel, as it was recorded; never changed afterwards.

    A struct and no dataclass, because scans are made by the ten thousand: it takes a third of the time.

    Attributes:
        scan_id: unique over all scans. `(device_id, client_scan_id)` is unique as well: it is how a
            device that sends again is recognised.
        occurred_at: the device's time, in UTC; `offset_minutes` is the local offset it was recorded in.
        received_at: the server's time, in UTC.
        reason: why, for failed attempts, holds and refusals (`AttemptReason` or free text).
        corrects: the `scan_id` that this scan declares an error. With the code `VOIDED` that is all it
            says; with any other code it also says what was true instead.
        piece_no: which piece of a shipment of several; None where there is one, or for all of them.

    Raises:
        ScanError: naming the field that is not well formed.
    """

    scan_id: str
    code: ScanCode
    occurred_at: datetime
    offset_minutes: int
    received_at: datetime
    device_id: str
    client_scan_id: str
    facility_id: int | None
    courier_id: int | None
    container_id: int | None = None
    reason: str | None = None
    corrects: str | None = None
    piece_no: int | None = None

    def __post_init__(self) -> None:
        if self.code.__class__ is not ScanCode:
            raise ScanError(f"code must be a ScanCode, not {self.code!r}")
        if self.occurred_at.tzinfo is not UTC or self.received_at.tzinfo is not UTC:
            require_utc(self.occurred_at, "occurred_at")
            require_utc(self.received_at, "received_at")
        if not OFFSET_MINUTES_MIN <= self.offset_minutes <= OFFSET_MINUTES_MAX:
            raise ScanError(f"offset_minutes must be between -720 and 840, not {self.offset_minutes}")
        if not (self.scan_id and self.device_id and self.client_scan_id):
            raise ScanError("scan_id, device_id and client_scan_id must not be empty")
        if self.corrects is None:
            if self.code is ScanCode.VOIDED:
                raise ScanError("a voided scan must name the scan it corrects")
        elif not self.corrects:
            raise ScanError("corrects must name a scan where it is given")
        elif self.corrects == self.scan_id:
            raise ScanError(f"scan {self.scan_id} cannot correct itself")
        if self.piece_no is not None and self.piece_no < 1:
            raise ScanError(f"piece_no counts from 1, not {self.piece_no}")


@dataclass(frozen=True, slots=True)
class Leg:
    """One planned step of a parcel's route, from a facility to the next.

    Attributes:
        sequence: its number along the route, rising; as the route counts them.
        mode: how it travels (road, air, rail, courier), as the network names it.
        planned_departure_at: in UTC, like `planned_arrival_at`.

    Raises:
        ScanError: a time is not UTC, the arrival is not after the departure, or the leg leads nowhere.
    """

    sequence: int
    from_facility_id: int
    to_facility_id: int
    mode: str
    lane_id: int | None
    planned_departure_at: datetime
    planned_arrival_at: datetime

    def __post_init__(self) -> None:
        require_utc(self.planned_departure_at, "planned_departure_at")
        require_utc(self.planned_arrival_at, "planned_arrival_at")
        if self.planned_arrival_at <= self.planned_departure_at:
            raise ScanError(f"leg {self.sequence} must arrive after it departs")
        if self.from_facility_id == self.to_facility_id:
            raise ScanError(f"leg {self.sequence} must lead to another facility")
        if self.sequence < 0:
            raise ScanError(f"sequence must not be negative, as {self.sequence} is")

    @property
    def planned_s(self) -> int:
        """Planned time on the way, in seconds."""
        return round((self.planned_arrival_at - self.planned_departure_at).total_seconds())
