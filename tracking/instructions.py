"""What may be asked of a parcel that is on its way, by whom, and what becomes of it: one table each.

An instruction is not a scan: it says what somebody wants, and a scan says what was done. `refusal` answers
whether a wish can still be met where the parcel stands, `STEPS` is the life of an instruction, and `due_scan`
is what the service records of itself once the parcel lies where the wish can be carried out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from tracking.errors import InstructionError
from tracking.shipment import Milestone, ScanCode


class InstructionKind(StrEnum):
    """What is wanted."""

    REDELIVER = "redeliver"
    REDIRECT = "redirect"
    HOLD_AT_OUTLET = "hold_at_outlet"
    INTERCEPT = "intercept"
    RETURN_TO_SENDER = "return_to_sender"


class Asker(StrEnum):
    """Who wants it: either end of the way, or the staff who speak for the company."""

    CONSIGNEE = "consignee"
    SHIPPER = "shipper"
    STAFF = "staff"


class Standing(StrEnum):
    """Where an instruction stands."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    CARRIED_OUT = "carried_out"
    WITHDRAWN = "withdrawn"


class Step(StrEnum):
    """What is done about an instruction."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    CARRY_OUT = "carry_out"
    WITHDRAW = "withdraw"


class InstructionRefusal(StrEnum):
    """Why a wish is not met. The first group is decided here, the second needs more than the state."""

    NOT_BY_YOU = "not_by_you"
    NOT_COLLECTED = "not_collected"
    OUT_FOR_DELIVERY = "out_for_delivery"
    WAITS_AT_POINT = "waits_at_point"
    STOPPED = "stopped"
    ON_ITS_WAY_BACK = "on_its_way_back"
    ENDED = "ended"

    NOT_TO_A_DOOR = "not_to_a_door"
    OTHER_CITY = "other_city"
    NO_SUCH_PLACE = "no_such_place"
    ALREADY_SO = "already_so"
    NO_ROUTE = "no_route"
    COSTS_MORE = "costs_more"
    PRICE_SETTLED = "price_settled"
    CASH_DUE = "cash_due"
    SEVERAL_PIECES = "several_pieces"
    TOO_LARGE = "too_large"
    NO_CONSENT = "no_consent"
    IN_A_ROUND = "in_a_round"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: who may want it, and at which milestones it can still be done."""

    askers: frozenset[Asker]
    milestones: frozenset[Milestone]


_M, _K, _A, _R = Milestone, InstructionKind, Asker, InstructionRefusal
_EVERYBODY = frozenset(Asker)
_SENDING_END = frozenset({_A.SHIPPER, _A.STAFF})
_MOVING = frozenset({_M.ACCEPTED, _M.IN_TRANSIT, _M.ATTEMPT_FAILED})

RULES: Mapping[InstructionKind, Rule] = MappingProxyType(
    {
        _K.REDELIVER: Rule(_EVERYBODY, _MOVING),
        _K.REDIRECT: Rule(_EVERYBODY, _MOVING | {_M.BOOKED}),
        _K.HOLD_AT_OUTLET: Rule(_EVERYBODY, _MOVING),
        _K.INTERCEPT: Rule(_SENDING_END, _MOVING | {_M.EXCEPTION}),
        _K.RETURN_TO_SENDER: Rule(_SENDING_END, _MOVING | {_M.EXCEPTION, _M.READY_FOR_PICKUP}),
    }
)

# Milestones that a rule may lack; every rule has those of `_MOVING`.
_WHY_NOT: Mapping[Milestone, InstructionRefusal] = MappingProxyType(
    {
        _M.PENDING: _R.NOT_COLLECTED,
        _M.BOOKED: _R.NOT_COLLECTED,
        _M.OUT_FOR_DELIVERY: _R.OUT_FOR_DELIVERY,
        _M.READY_FOR_PICKUP: _R.WAITS_AT_POINT,
        _M.EXCEPTION: _R.STOPPED,
        _M.RETURNING: _R.ON_ITS_WAY_BACK,
        **dict.fromkeys((_M.CANCELLED, _M.LOST, _M.RETURNED, _M.DELIVERED), _R.ENDED),
    }
)


def refusal(kind: InstructionKind, asker: Asker, milestone: Milestone) -> InstructionRefusal | None:
    """Return why a wish cannot be met where the parcel stands; None where it can."""
    rule = RULES[kind]
    if asker not in rule.askers:
        return InstructionRefusal.NOT_BY_YOU
    return None if milestone in rule.milestones else _WHY_NOT[milestone]


STEPS: Mapping[tuple[Standing, Step], Standing] = MappingProxyType(
    {
        (Standing.ASKED, Step.ACCEPT): Standing.ACCEPTED,
        (Standing.ASKED, Step.REFUSE): Standing.REFUSED,
        (Standing.ASKED, Step.WITHDRAW): Standing.WITHDRAWN,
        (Standing.ACCEPTED, Step.CARRY_OUT): Standing.CARRIED_OUT,
        (Standing.ACCEPTED, Step.REFUSE): Standing.REFUSED,
        (Standing.ACCEPTED, Step.WITHDRAW): Standing.WITHDRAWN,
        (Standing.CARRIED_OUT, Step.WITHDRAW): Standing.WITHDRAWN,
    }
)
OPEN = frozenset({Standing.ASKED, Standing.ACCEPTED})
"""While it stands so, something is still to be done, and no second instruction is taken."""


def after(standing: Standing, step: Step) -> Standing:
    """Return where an instruction stands after a step.

    Raises:
        InstructionError: it cannot take the step from where it stands.
    """
    try:
        return STEPS[standing, step]
    except KeyError:
        raise InstructionError(f"an instruction that is {standing} cannot be {step}") from None


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """As much of a parcel's state as an instruction needs.

    Attributes:
        milestone, code: of the folded state.
        facility_id: where it was seen last; None on the road.
        destination_id: the outlet that hands it over.
    """

    milestone: Milestone
    code: ScanCode
    facility_id: int | None
    destination_id: int

    @property
    def lies_at(self) -> int | None:
        """The facility where somebody can lay hands on it; None while it is on the road.

        What could not be delivered comes back to the outlet that sent it out.
        """
        if self.milestone is Milestone.ATTEMPT_FAILED:
            return self.destination_id
        if self.milestone is Milestone.OUT_FOR_DELIVERY or self.code is ScanCode.DEPARTED:
            return None
        return self.facility_id


# What the service records of itself, and from which milestones on.
_DONE_BY: Mapping[InstructionKind, ScanCode] = MappingProxyType(
    {
        _K.HOLD_AT_OUTLET: ScanCode.AT_OUTLET,
        _K.INTERCEPT: ScanCode.INTERCEPTED,
        _K.RETURN_TO_SENDER: ScanCode.RETURNING,
    }
)
_MET_AT: Mapping[InstructionKind, frozenset[Milestone]] = MappingProxyType(
    {
        _K.REDELIVER: frozenset({_M.OUT_FOR_DELIVERY, _M.READY_FOR_PICKUP, _M.DELIVERED}),
        _K.REDIRECT: frozenset(Milestone),  # its plan is changed at once
        _K.HOLD_AT_OUTLET: frozenset({_M.READY_FOR_PICKUP}),
        _K.INTERCEPT: frozenset(),
        _K.RETURN_TO_SENDER: frozenset({_M.RETURNING, _M.RETURNED}),
    }
)


def due_scan(kind: InstructionKind, where: Whereabouts) -> ScanCode | None:
    """Return what is to be recorded of a parcel with an accepted instruction, or None while nothing is.

    A parcel is stopped or sent back at the first facility where it lies, and held at its last outlet only.
    """
    code = _DONE_BY.get(kind)
    if code is None or where.lies_at is None or refusal(kind, Asker.STAFF, where.milestone) is not None:
        return None
    if kind is InstructionKind.HOLD_AT_OUTLET and where.lies_at != where.destination_id:
        return None
    return code


def is_met(kind: InstructionKind, where: Whereabouts) -> bool:
    """Whether the parcel stands as an accepted instruction wanted it."""
    return where.code is _DONE_BY.get(kind) or where.milestone in _MET_AT[kind]


def is_overtaken(kind: InstructionKind, where: Whereabouts) -> bool:
    """Whether an accepted instruction can no longer be carried out, since the parcel has come to its end."""
    return not is_met(kind, where) and _WHY_NOT.get(where.milestone) is InstructionRefusal.ENDED


def may_be_withdrawn(kind: InstructionKind, standing: Standing, where: Whereabouts) -> bool:
    """Whether it can still be taken back: while it is open, and of what was done only an interception.

    A parcel that stands intercepted is then released; what was redirected is redirected once more.
    """
    if standing in OPEN:
        return True
    intercepted = where.milestone is Milestone.EXCEPTION and where.code is ScanCode.INTERCEPTED
    return standing is Standing.CARRIED_OUT and kind is InstructionKind.INTERCEPT and intercepted
