"""The one sentence of status, without language: message keys and their parameters.

A page looks up each key in its own language and fills in the parameters (it turns ids into names and times
into the viewer's zone). The promise comes first, because it is what is asked: "Arrives Tuesday 14:00 to
16:00; at Wuhan hub since 03:12" is `Sentence("arrives", ...)`, `Sentence("arrived", ...)`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from tracking.shipment import Milestone, ScanCode
from tracking.state import ShipmentState

Value = str | int | datetime | None

_PLACE = ("since", "offset_minutes", "facility_id")

SENTENCE_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "arrives": ("from", "to"),
        "pending": (),
        "on_the_way_back": _PLACE,
        **{
            code.value: _PLACE
            for code in ScanCode
            if code not in (ScanCode.RECEIPT_CONFIRMED, ScanCode.VOIDED)
        },
        "out_for_delivery": (*_PLACE, "courier_id"),
        "pickup_failed": (*_PLACE, "reason"),
        "held": (*_PLACE, "reason"),
        "refused": (*_PLACE, "reason"),
        "attempt_failed": (*_PLACE, "reason", "attempts"),
        "receipt_confirmed": ("since", "offset_minutes", "confirmed_at"),
    }
)
"""Every key that can come out, with the names of its parameters: what has to be translated."""

TELLS_ARRIVAL = frozenset(
    {
        Milestone.BOOKED,
        Milestone.ACCEPTED,
        Milestone.IN_TRANSIT,
        Milestone.OUT_FOR_DELIVERY,
        Milestone.ATTEMPT_FAILED,
    }
)
"""While it stands so, a parcel still comes to its consignee, and its promise is worth telling."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A message key of `SENTENCE_KEYS` and the values of its parameters."""

    key: str
    parameters: Mapping[str, Value]


def status_sentence(
    state: ShipmentState, window: tuple[datetime, datetime] | None = None
) -> tuple[Sentence, ...]:
    """Return the status of a parcel as one or two clauses, the promise first.

    Args:
        state: as `tracking.lifecycle.fold` gives it.
        window: the promised (from, to) in UTC, as `tracking.promise.window` gives it; None if there is none.
    """
    values: dict[str, Value] = {
        "since": state.since,
        "offset_minutes": state.offset_minutes,
        "facility_id": state.facility_id,
        "courier_id": state.courier_id,
        "reason": state.reason,
        "attempts": state.attempts,
        "confirmed_at": state.confirmed_at,
    }
    key = _key(state)
    where = Sentence(key, MappingProxyType({name: values[name] for name in SENTENCE_KEYS[key]}))
    if window is None or state.milestone not in TELLS_ARRIVAL:
        return (where,)
    return Sentence("arrives", MappingProxyType({"from": window[0], "to": window[1]})), where


def _key(state: ShipmentState) -> str:
    if state.code is None:
        return "pending"
    if state.milestone is Milestone.DELIVERED and state.confirmed_at is not None:
        return "receipt_confirmed"
    if state.milestone is Milestone.RETURNING and state.code is not ScanCode.RETURNING:
        return "on_the_way_back"
    return state.code.value
