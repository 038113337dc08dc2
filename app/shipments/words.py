"""What codes, milestones, sentences, findings and hand-overs are called on pages and labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from app.shipments.calibration import Stage
from app.shipments.models import ProofKind, Service
from app.shipments.scan_values import Refused
from routing.network import Handover, Mode
from tracking.finding import FindingKind
from tracking.instructions import InstructionKind
from tracking.shipment import AttemptReason, Milestone, ScanCode

_M, _C, _F, _R = Milestone, ScanCode, FindingKind, AttemptReason

MILESTONES: Mapping[Milestone, tuple[Any, str]] = {
    _M.PENDING: (_l("Announced"), "neutral"),
    _M.BOOKED: (_l("Booked"), "neutral"),
    _M.CANCELLED: (_l("Cancelled"), "neutral"),
    _M.EXCEPTION: (_l("Held up"), "bad"),
    _M.ACCEPTED: (_l("Collected"), "progress"),
    _M.IN_TRANSIT: (_l("On the way"), "progress"),
    _M.OUT_FOR_DELIVERY: (_l("Out for delivery"), "progress"),
    _M.ATTEMPT_FAILED: (_l("Delivery failed"), "warn"),
    _M.READY_FOR_PICKUP: (_l("Waiting to be fetched"), "info"),
    _M.RETURNING: (_l("On the way back"), "warn"),
    _M.LOST: (_l("Lost"), "bad"),
    _M.RETURNED: (_l("Returned to sender"), "neutral"),
    _M.DELIVERED: (_l("Delivered"), "ok"),
}
"""Each milestone's word and tone."""

CODES: Mapping[ScanCode, Any] = {
    _C.BOOKED: _l("Booked"),
    _C.PICKUP_FAILED: _l("Pickup failed"),
    _C.CANCELLED: _l("Cancelled"),
    _C.COLLECTED: _l("Collected from sender"),
    _C.DEPOSITED: _l("Left at a drop-off point"),
    _C.ACCEPTED: _l("Accepted"),
    _C.ARRIVED: _l("Arrived"),
    _C.MISSORTED: _l("Sorted to the wrong place"),
    _C.DAMAGED: _l("Found damaged"),
    _C.DELAYED: _l("Delayed"),
    _C.HELD: _l("Held"),
    _C.INTERCEPTED: _l("Intercepted"),
    _C.RELEASED: _l("Released"),
    _C.REDIRECTED: _l("Redirected"),
    _C.SORTED: _l("Sorted"),
    _C.DEPARTED: _l("Departed"),
    _C.OUT_FOR_DELIVERY: _l("Out for delivery"),
    _C.ATTEMPT_FAILED: _l("Delivery failed"),
    _C.REFUSED: _l("Refused by the consignee"),
    _C.AT_OUTLET: _l("Waiting at the outlet"),
    _C.AT_STORE: _l("Waiting at the store"),
    _C.AT_LOCKER: _l("Waiting in the locker"),
    _C.AT_COLLECTIVE_POINT: _l("Waiting at the collective point"),
    _C.PICKUP_OVERDUE: _l("Not fetched in time"),
    _C.RETURNING: _l("Sent back"),
    _C.LOST: _l("Lost"),
    _C.RETURNED: _l("Returned to sender"),
    _C.DELIVERED: _l("Delivered"),
    _C.DELIVERED_TO_PROXY: _l("Delivered to somebody else"),
    _C.TAKEN_FROM_POINT: _l("Fetched at the counter"),
    _C.TAKEN_FROM_LOCKER: _l("Fetched from the locker"),
    _C.RECEIPT_CONFIRMED: _l("Receipt confirmed"),
    _C.VOIDED: _l("Earlier scan declared an error"),
}
"""Each scan code as a title of the timeline."""

SENTENCES: Mapping[str, Any] = {
    "arrives": _l("Arrives %(window)s"),
    "pending": _l("Announced; nothing has been scanned yet"),
    "on_the_way_back": _l("on the way back to the sender, last seen at %(place)s at %(since)s"),
    "booked": _l("booked, waiting for the courier since %(since)s"),
    "pickup_failed": _l("the pickup failed at %(since)s: %(reason)s"),
    "cancelled": _l("Cancelled at %(since)s"),
    "collected": _l("collected from the sender at %(since)s"),
    "deposited": _l("left at %(place)s since %(since)s"),
    "accepted": _l("accepted at %(place)s at %(since)s"),
    "arrived": _l("at %(place)s since %(since)s"),
    "missorted": _l("Sorted to the wrong place; at %(place)s since %(since)s"),
    "damaged": _l("Found damaged at %(place)s at %(since)s"),
    "delayed": _l("Delayed at %(place)s since %(since)s"),
    "held": _l("Held at %(place)s since %(since)s: %(reason)s"),
    "intercepted": _l("Intercepted at %(place)s at %(since)s"),
    "released": _l("goes on from %(place)s since %(since)s"),
    "redirected": _l("redirected at %(place)s at %(since)s"),
    "sorted": _l("sorted at %(place)s at %(since)s"),
    "departed": _l("on the way from %(place)s since %(since)s"),
    "out_for_delivery": _l("out for delivery since %(since)s"),
    "attempt_failed": _l("delivery failed at %(since)s: %(reason)s"),
    "refused": _l("Refused by the consignee at %(since)s: %(reason)s"),
    "at_outlet": _l("Waiting to be fetched at %(place)s since %(since)s"),
    "at_store": _l("Waiting to be fetched at %(place)s since %(since)s"),
    "at_locker": _l("Waiting in the locker at %(place)s since %(since)s"),
    "at_collective_point": _l("Waiting to be fetched at %(place)s since %(since)s"),
    "pickup_overdue": _l("Not fetched in time; waiting at %(place)s, reminded at %(since)s"),
    "returning": _l("Sent back to the sender at %(since)s"),
    "lost": _l("Lost; last sought at %(since)s"),
    "returned": _l("Returned to the sender at %(since)s"),
    "delivered": _l("Delivered at %(since)s"),
    "delivered_to_proxy": _l("Delivered to somebody else at %(since)s"),
    "taken_from_point": _l("Fetched at %(place)s at %(since)s"),
    "taken_from_locker": _l("Fetched from the locker at %(since)s"),
    "receipt_confirmed": _l("Delivered at %(since)s; receipt confirmed"),
}
"""Each clause of `tracking.sentence.SENTENCE_KEYS`."""

FINDINGS: Mapping[FindingKind, tuple[Any, Any]] = {
    _F.OUT_OF_SEQUENCE: (_l("Out of sequence"), _l("This scan is not expected after what came before it.")),
    _F.COLLECTION_MISSING: (
        _l("Collection missing"),
        _l("It is on its way, but nobody scanned that it was collected."),
    ),
    _F.BOOKED_AFTER_START: (_l("Booked late"), _l("It was booked after its journey had begun.")),
    _F.AFTER_CANCELLATION: (
        _l("Scanned after cancellation"),
        _l("It was cancelled and is travelling nevertheless."),
    ),
    _F.CANCELLED_AFTER_COLLECTION: (
        _l("Cancelled after collection"),
        _l("It was cancelled while it was in our hands."),
    ),
    _F.FOUND_AGAIN: (_l("Found again"), _l("It was reported lost and has been scanned since.")),
    _F.AFTER_DELIVERY: (
        _l("Scanned after delivery"),
        _l("It was delivered and scanned elsewhere since."),
    ),
    _F.DELIVERED_AGAIN: (_l("Delivered twice"), _l("Two deliveries are reported; the first one counts.")),
    _F.AFTER_RETURN: (_l("Scanned after return"), _l("It was returned and has been scanned since.")),
    _F.CONFLICTING_END: (_l("Two ends"), _l("It is reported both as delivered and as returned.")),
    _F.CONFIRMED_BEFORE_DELIVERY: (
        _l("Confirmed before delivery"),
        _l("The consignee confirmed a receipt that nobody scanned."),
    ),
    _F.FROM_THE_FUTURE: (_l("Clock ahead"), _l("The device's clock is ahead of the server's.")),
    _F.CONFLICTING_RESEND: (
        _l("Conflicting copy"),
        _l("A device sent one scan twice with other content."),
    ),
    _F.CORRECTION_UNMATCHED: (_l("Correction of nothing"), _l("The scan that it corrects is not there.")),
    _F.LATE: (_l("Late"), _l("The promised time has passed and it is not delivered.")),
    _F.EXPECTED_LATE: (
        _l("Expected late"),
        _l("From where it is now it will be later than promised."),
    ),
    _F.STUCK: (_l("Stuck"), _l("Nothing has been heard of it for longer than usual.")),
    _F.MISROUTED: (_l("Off its route"), _l("It was scanned at a place that is not on its route.")),
    _F.MISSING_FROM_CONTAINER: (
        _l("Missing from its bag"),
        _l("It was expected in a bag and was not inside when that was opened."),
    ),
    _F.SURPLUS_IN_CONTAINER: (
        _l("Surplus in a bag"),
        _l("It was found in a bag in which nobody had packed it."),
    ),
    _F.PICKUP_OVERDUE: (_l("Not fetched"), _l("It has waited to be fetched for longer than it may.")),
    _F.UNCONFIRMED: (_l("Unconfirmed"), _l("It was delivered and nobody has confirmed its receipt.")),
    _F.CASH_MISSING: (_l("Cash missing"), _l("It was delivered, and what was due is not recorded as paid.")),
    _F.WITHOUT_CONSENT: (
        _l("Without consent"),
        _l("It was left or given in a way that the consignee has not consented to."),
    ),
    _F.MERGE_OVERDUE: (
        _l("Merge overdue"),
        _l("The shipments that it waits for should have come by now."),
    ),
}
"""Each kind of finding: its name, and what it means."""

REASONS: Mapping[str, Any] = {
    _R.CONSIGNEE_ABSENT: _l("nobody was there"),
    _R.CANNOT_CONTACT: _l("nobody answered the phone"),
    _R.ADDRESS_INCOMPLETE: _l("the address is incomplete"),
    _R.PHONE_WRONG: _l("the phone number is wrong"),
    _R.OUT_OF_AREA: _l("the address is outside the area"),
    _R.BUSINESS_CLOSED: _l("the business was closed"),
    _R.POSTPONED_BY_CONSIGNEE: _l("the consignee wants it another day"),
    _R.NO_ACCESS: _l("the courier could not get in"),
    _R.CASH_NOT_PAID: _l("the amount due was not paid"),
    _R.LOCKER_FULL: _l("the locker was full"),
}
"""Reasons of failed attempts; any other text stands as it was given."""

_CONFIRMED_BY: Mapping[str, Any] = {
    "tracking_page": _l("by the consignee, on the tracking page"),
    "agent": _l("for the consignee, by the service desk"),
    "waits_for_merge": _l("until the shipments that belong to it are there"),
}
"""Through which door a receipt was confirmed, which its scan keeps as the reason."""

HANDOVERS: Mapping[Handover, Any] = {
    Handover.DOOR: _l("At the door"),
    Handover.OUTLET: _l("At the outlet"),
    Handover.STORE: _l("At a store"),
    Handover.LOCKER: _l("In a locker"),
    Handover.COLLECTIVE_POINT: _l("At a collective point"),
}
STAGES: Mapping[Stage, Any] = {
    Stage.BOOKED: _l("Promise at the booking"),
    Stage.WINDOW: _l("Window told to the customer"),
    Stage.ESTIMATED: _l("Last estimate"),
}
"""When a time was told."""

INSTRUCTED: Mapping[InstructionKind, tuple[Any, Any]] = {
    InstructionKind.INTERCEPT: (_l("INTERCEPT"), _l("set it aside, the sender has stopped it")),
    InstructionKind.RETURN_TO_SENDER: (_l("RETURN"), _l("it goes back to its sender")),
    InstructionKind.HOLD_AT_OUTLET: (_l("HOLD"), _l("keep it here, it is fetched")),
}
"""What a scanner is told in large letters, and what that means; other instructions change the way itself."""

SERVICES: Mapping[Service, Any] = {Service.STANDARD: _l("Standard"), Service.EXPRESS: _l("Express")}
MODES: Mapping[Mode, Any] = {
    Mode.ROAD: _l("by road"),
    Mode.AIR: _l("by air"),
    Mode.RAIL: _l("by rail"),
}
PROOFS: Mapping[ProofKind, Any] = {
    ProofKind.SIGNATURE: _l("Signature"),
    ProofKind.PHOTO: _l("Photo"),
    ProofKind.CODE: _l("Code"),
}
RESULTS: Mapping[str, tuple[Any, str]] = {
    "recorded": (_l("Recorded"), "ok"),
    "duplicate": (_l("Heard before"), "warn"),
    "conflict": (_l("Conflicts with an earlier scan"), "bad"),
    "unmatched": (_l("Unknown number"), "warn"),
    "rejected": (_l("Not recorded"), "bad"),
}
"""What becomes of a scan: its word and tone."""


REFUSALS: Mapping[Refused, Any] = {
    Refused.MALFORMED: _l("The scan is not complete."),
    Refused.UNKNOWN_CODE: _l("There is no such kind of scan."),
    Refused.CLOCK_WRONG: _l("The clock of this device is wrong."),
    Refused.UNKNOWN_PLACE: _l("There is no such place."),
    Refused.UNKNOWN_PIECE: _l("The shipment has fewer pieces."),
    Refused.BAD_PROOF: _l("The proof of delivery is not complete."),
    Refused.NOT_OF_A_CONTAINER: _l("That is said of a parcel, not of the bag it is in."),
    Refused.NOT_YOURS: _l("This login may scan and take back at its own place only."),
}
"""Why a scan is not kept."""


def reason_text(reason: str | None) -> Any:
    """A reason in words; one that is not on the list stands as it was given."""
    words, none_given = reason_words()
    return words.get(reason, reason) if reason else none_given


def reason_words() -> tuple[Mapping[str, Any], Any]:
    """The words of each reason that has some, and what stands where none was given."""
    return {**_CONFIRMED_BY, **REASONS}, _l("no reason given")
