"""The one transition table: what every code means in every state.

The rules are the rows of `RULES`; `TRANSITIONS` is those rows written out for every (milestone, code) pair.
Two ideas make the outcome independent of the order in which scans arrive:

* **Tiers.** A code of a higher tier beats every code of a lower one, whenever it happened. Delivery is the
  highest, so no late, early or repeated scan can move a delivered parcel back; a booking is the lowest.
* **Within a tier** either the latest scan holds (a parcel that moves) or the first one does (an end that is
  reported twice ended the first time).

What does not fit is still applied by these rules, and is returned as a finding: a scan is evidence, and the
table never discards it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from tracking.finding import FindingKind
from tracking.shipment import Milestone, ScanCode


class Tier(IntEnum):
    """How strongly a code decides the state."""

    NOTE = -1
    ANNOUNCED = 0
    CANCELLED = 1
    CUSTODY = 2
    RETURNED = 3
    DELIVERED = 4


# In these tiers the latest scan decides; in the others the first one does.
LATEST_WINS = frozenset({Tier.ANNOUNCED, Tier.CUSTODY})


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: how strong a code is, where it leads, and from where it is expected."""

    tier: Tier
    milestone: Milestone
    expected: frozenset[Milestone]


@dataclass(frozen=True, slots=True)
class Transition:
    """One cell: the milestone afterwards, whether this scan now decides the state, and what is odd."""

    to: Milestone
    decides: bool
    finding: FindingKind | None


_M = Milestone
_BEFORE = frozenset({_M.PENDING, _M.BOOKED})
_HANDED_OVER = _BEFORE | {_M.ACCEPTED}
_READY = frozenset({_M.READY_FOR_PICKUP})
_AT_REST = frozenset({_M.ACCEPTED, _M.IN_TRANSIT, _M.EXCEPTION, _M.ATTEMPT_FAILED, _M.RETURNING})
_CUSTODY = _AT_REST | _READY | {_M.OUT_FOR_DELIVERY}
_TO_POINT = frozenset(
    {_M.ACCEPTED, _M.IN_TRANSIT, _M.EXCEPTION, _M.OUT_FOR_DELIVERY, _M.ATTEMPT_FAILED, _M.READY_FOR_PICKUP}
)
_AT_DOOR = frozenset({_M.OUT_FOR_DELIVERY, _M.ATTEMPT_FAILED, _M.READY_FOR_PICKUP})

RULES: Mapping[ScanCode, Rule] = MappingProxyType(
    {
        ScanCode.BOOKED: Rule(Tier.ANNOUNCED, _M.BOOKED, frozenset({_M.PENDING})),
        ScanCode.PICKUP_FAILED: Rule(Tier.ANNOUNCED, _M.BOOKED, _BEFORE),
        ScanCode.CANCELLED: Rule(Tier.CANCELLED, _M.CANCELLED, _BEFORE | {_M.CANCELLED}),
        ScanCode.COLLECTED: Rule(Tier.CUSTODY, _M.ACCEPTED, _HANDED_OVER),
        ScanCode.DEPOSITED: Rule(Tier.CUSTODY, _M.ACCEPTED, _HANDED_OVER),
        ScanCode.ACCEPTED: Rule(Tier.CUSTODY, _M.ACCEPTED, _HANDED_OVER),
        ScanCode.ARRIVED: Rule(Tier.CUSTODY, _M.IN_TRANSIT, _AT_REST | _READY),
        ScanCode.MISSORTED: Rule(Tier.CUSTODY, _M.EXCEPTION, _CUSTODY),
        ScanCode.DAMAGED: Rule(Tier.CUSTODY, _M.EXCEPTION, _CUSTODY),
        ScanCode.DELAYED: Rule(Tier.CUSTODY, _M.EXCEPTION, _CUSTODY),
        ScanCode.HELD: Rule(Tier.CUSTODY, _M.EXCEPTION, _CUSTODY),
        ScanCode.INTERCEPTED: Rule(Tier.CUSTODY, _M.EXCEPTION, _CUSTODY),
        ScanCode.RELEASED: Rule(Tier.CUSTODY, _M.IN_TRANSIT, frozenset({_M.EXCEPTION, _M.RETURNING})),
        ScanCode.REDIRECTED: Rule(Tier.CUSTODY, _M.IN_TRANSIT, _CUSTODY),
        ScanCode.SORTED: Rule(Tier.CUSTODY, _M.IN_TRANSIT, _AT_REST),
        ScanCode.DEPARTED: Rule(Tier.CUSTODY, _M.IN_TRANSIT, _AT_REST),
        ScanCode.OUT_FOR_DELIVERY: Rule(Tier.CUSTODY, _M.OUT_FOR_DELIVERY, _AT_REST | _READY),
        ScanCode.ATTEMPT_FAILED: Rule(
            Tier.CUSTODY, _M.ATTEMPT_FAILED, frozenset({_M.OUT_FOR_DELIVERY, _M.RETURNING})
        ),
        ScanCode.REFUSED: Rule(Tier.CUSTODY, _M.EXCEPTION, _AT_DOOR),
        ScanCode.AT_OUTLET: Rule(Tier.CUSTODY, _M.READY_FOR_PICKUP, _TO_POINT),
        ScanCode.AT_STORE: Rule(Tier.CUSTODY, _M.READY_FOR_PICKUP, _TO_POINT),
        ScanCode.AT_LOCKER: Rule(Tier.CUSTODY, _M.READY_FOR_PICKUP, _TO_POINT),
        ScanCode.AT_COLLECTIVE_POINT: Rule(Tier.CUSTODY, _M.READY_FOR_PICKUP, _TO_POINT),
        ScanCode.PICKUP_OVERDUE: Rule(Tier.CUSTODY, _M.READY_FOR_PICKUP, _READY),
        ScanCode.RETURNING: Rule(Tier.CUSTODY, _M.RETURNING, _CUSTODY),
        ScanCode.LOST: Rule(Tier.CUSTODY, _M.LOST, _CUSTODY | {_M.LOST}),
        ScanCode.RETURNED: Rule(Tier.RETURNED, _M.RETURNED, frozenset({_M.RETURNING})),
        ScanCode.DELIVERED: Rule(Tier.DELIVERED, _M.DELIVERED, _AT_DOOR),
        ScanCode.DELIVERED_TO_PROXY: Rule(Tier.DELIVERED, _M.DELIVERED, _AT_DOOR),
        ScanCode.TAKEN_FROM_POINT: Rule(Tier.DELIVERED, _M.DELIVERED, _READY),
        ScanCode.TAKEN_FROM_LOCKER: Rule(Tier.DELIVERED, _M.DELIVERED, _READY),
        ScanCode.RECEIPT_CONFIRMED: Rule(Tier.NOTE, _M.DELIVERED, frozenset({_M.DELIVERED})),
        ScanCode.VOIDED: Rule(Tier.NOTE, _M.PENDING, frozenset(Milestone)),
    }
)

# The way back to the sender goes on over every scan until one of these ends it.
RETURN_SWITCHES = frozenset({ScanCode.RETURNING, ScanCode.REDIRECTED, ScanCode.LOST})
COLLECTING = frozenset({ScanCode.COLLECTED, ScanCode.DEPOSITED, ScanCode.ACCEPTED})
FAILED_ATTEMPTS = frozenset({ScanCode.ATTEMPT_FAILED, ScanCode.REFUSED})
# What is recorded about a parcel without anybody having it in hand.
PLACELESS = frozenset(
    {ScanCode.BOOKED, ScanCode.CANCELLED, ScanCode.PICKUP_FAILED, ScanCode.RECEIPT_CONFIRMED, ScanCode.VOIDED}
)
TERMINAL = frozenset({_M.CANCELLED, _M.LOST, _M.RETURNED, _M.DELIVERED})

_STATE_TIER: Mapping[Milestone, Tier] = {
    **dict.fromkeys(Milestone, Tier.CUSTODY),
    _M.PENDING: Tier.NOTE,
    _M.BOOKED: Tier.ANNOUNCED,
    _M.CANCELLED: Tier.CANCELLED,
    _M.RETURNED: Tier.RETURNED,
    _M.DELIVERED: Tier.DELIVERED,
}


def _misfit(state: Milestone, code: ScanCode) -> FindingKind:
    """Name what is odd about `code` where it is not expected."""
    tier = RULES[code].tier
    if code is ScanCode.RECEIPT_CONFIRMED:
        return FindingKind.CONFIRMED_BEFORE_DELIVERY
    if state is _M.DELIVERED:
        return FindingKind.DELIVERED_AGAIN if tier is Tier.DELIVERED else FindingKind.AFTER_DELIVERY
    if tier is Tier.DELIVERED and state in (_M.RETURNING, _M.RETURNED):
        return FindingKind.CONFLICTING_END
    if state is _M.RETURNED:
        return FindingKind.AFTER_RETURN
    if state is _M.CANCELLED:
        return FindingKind.AFTER_CANCELLATION
    if code is ScanCode.CANCELLED:
        return FindingKind.CANCELLED_AFTER_COLLECTION
    if tier is Tier.ANNOUNCED:
        known = state is not _M.BOOKED and code is ScanCode.BOOKED
        return FindingKind.BOOKED_AFTER_START if known else FindingKind.OUT_OF_SEQUENCE
    if state is _M.LOST:
        return FindingKind.FOUND_AGAIN
    if state in _BEFORE:
        return FindingKind.COLLECTION_MISSING
    return FindingKind.OUT_OF_SEQUENCE


def _cell(state: Milestone, code: ScanCode) -> Transition:
    rule, held = RULES[code], _STATE_TIER[state]
    decides = rule.tier > held or (rule.tier is held and held in LATEST_WINS)
    to = rule.milestone if decides else state
    if decides and state is _M.RETURNING and rule.tier is Tier.CUSTODY and code not in RETURN_SWITCHES:
        to = _M.RETURNING
    return Transition(to, decides, None if state in rule.expected else _misfit(state, code))


TRANSITIONS: Mapping[tuple[Milestone, ScanCode], Transition] = MappingProxyType(
    {(state, code): _cell(state, code) for state in Milestone for code in ScanCode}
)

# The same by rank: an enum costs a Python call to hash, and a fold looks up one cell a scan.
BY_RANK: tuple[tuple[Transition, ...], ...] = tuple(
    tuple(TRANSITIONS[state, code] for code in ScanCode) for state in Milestone
)
