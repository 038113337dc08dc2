"""What is strange or wrong about a parcel, as values that a page can explain in any language."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FindingKind(StrEnum):
    """What was found. From the scans themselves, from the watch, and from the last door."""

    OUT_OF_SEQUENCE = "out_of_sequence"
    COLLECTION_MISSING = "collection_missing"
    BOOKED_AFTER_START = "booked_after_start"
    AFTER_CANCELLATION = "after_cancellation"
    CANCELLED_AFTER_COLLECTION = "cancelled_after_collection"
    FOUND_AGAIN = "found_again"
    AFTER_DELIVERY = "after_delivery"
    DELIVERED_AGAIN = "delivered_again"
    AFTER_RETURN = "after_return"
    CONFLICTING_END = "conflicting_end"
    CONFIRMED_BEFORE_DELIVERY = "confirmed_before_delivery"
    FROM_THE_FUTURE = "from_the_future"
    CONFLICTING_RESEND = "conflicting_resend"
    CORRECTION_UNMATCHED = "correction_unmatched"

    LATE = "late"
    EXPECTED_LATE = "expected_late"
    STUCK = "stuck"
    MISROUTED = "misrouted"
    MISSING_FROM_CONTAINER = "missing_from_container"
    SURPLUS_IN_CONTAINER = "surplus_in_container"
    PICKUP_OVERDUE = "pickup_overdue"
    UNCONFIRMED = "unconfirmed"

    CASH_MISSING = "cash_missing"
    WITHOUT_CONSENT = "without_consent"
    MERGE_OVERDUE = "merge_overdue"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found about one parcel.

    Attributes:
        key: the same for the same matter whenever it is looked at, and unique within the parcel; who
            stores findings opens one row per (parcel, key) and closes it when the key is gone.
        since: when the matter began, in UTC.
        evidence: the scan ids it rests on.
        parameters: what an explanation needs, as (name, value) pairs; never prose.
    """

    key: str
    kind: FindingKind
    since: datetime
    evidence: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str | int], ...] = ()
