"""What a split is made from and what it is: facts of an order in, party shares with reasons out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from settlement.errors import SplitError
from settlement.money import Money, Ratio
from settlement.terms.shares import Role


@dataclass(frozen=True, slots=True)
class PartyRole:
    """A party in a role, and its weight among the parties of that role (metres carried, parcels sorted)."""

    party_id: int
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the order that is split.

    Args:
        order_id: the caller's id, for messages.
        total: what is divided; not negative.
        weight_g: chargeable weight.
        pieces: number of pieces.
        service: service code.
        distance_m: distance carried, None when unknown.
        roles: the parties on the itinerary by role; a role that does not occur is left out or empty.
        pickup_handover: how the parcel is handed over at origin, None when unknown.
        delivery_handover: the same at destination.

    Raises:
        SplitError: a fact is impossible.
    """

    order_id: str
    total: Money
    weight_g: int
    pieces: int
    service: str
    distance_m: int | None
    roles: Mapping[Role, tuple[PartyRole, ...]]
    pickup_handover: str | None = None
    delivery_handover: str | None = None

    def __post_init__(self) -> None:
        if self.total.amount_minor < 0:
            raise SplitError(f"order {self.order_id}: a negative total is refunded, not split")
        for name, number in (("weight_g", self.weight_g), ("pieces", self.pieces)):
            if type(number) is not int or number < 0:
                raise SplitError(f"order {self.order_id}: {name} is an integer, not negative, not {number!r}")
        if self.distance_m is not None and (type(self.distance_m) is not int or self.distance_m < 0):
            raise SplitError(f"order {self.order_id}: distance_m is an integer, not {self.distance_m!r}")
        for role, parties in self.roles.items():
            seen: set[int] = set()
            for party in parties:
                if type(party.party_id) is not int or type(party.weight) is not int or party.weight < 0:
                    raise SplitError(
                        f"order {self.order_id}: {role}: ids and weights are integers, not negative"
                    )
                if party.party_id in seen:
                    raise SplitError(f"order {self.order_id}: {role}: party {party.party_id} occurs twice")
                seen.add(party.party_id)
            if parties and not any(party.weight for party in parties):
                raise SplitError(f"order {self.order_id}: {role}: at least one weight is positive")


class Bound(StrEnum):
    """The bound that replaced what the rule gave."""

    MINIMUM = "minimum"
    CAP = "cap"


@dataclass(frozen=True, slots=True)
class Reason:
    """One share's contribution to what a party gets.

    Args:
        share_index: position of the share in the terms, from 0.
        exact: its exact contribution in minor units, after bounds, division and reduction.
        portion: this party's part of its role.
        bound: set where minimum or cap decided.
        reduced: set where the shares exceeded the total and were reduced in proportion.
    """

    share_index: int
    exact: Ratio
    portion: Ratio
    bound: Bound | None
    reduced: bool


class Cause(StrEnum):
    """Why a share gave nothing, so that it went to the remainder."""

    ROLE_ABSENT = "role_absent"
    CONDITIONS_NOT_MET = "conditions_not_met"


@dataclass(frozen=True, slots=True)
class SkippedShare:
    """A share of the terms that this order does not know."""

    share_index: int
    cause: Cause


@dataclass(frozen=True, slots=True)
class PartyShare:
    """What one party gets in one role: ``amount`` = sum of the reasons' exact parts + ``rounding``.

    Args:
        role: None for a party that the terms name by id.
        rounding: what largest remainder added or took, below one minor unit either way.
    """

    party_id: int
    role: Role | None
    amount: Money
    reasons: tuple[Reason, ...]
    rounding: Ratio


@dataclass(frozen=True, slots=True)
class Split:
    """The shares of one order, in the written order of the terms; they sum to ``total`` exactly."""

    order_id: str
    terms_id: str
    version: int
    total: Money
    shares: tuple[PartyShare, ...]
    skipped: tuple[SkippedShare, ...]

    def by_party(self) -> dict[int, Money]:
        """One amount a party, over all its roles."""
        amounts: dict[int, Money] = {}
        for share in self.shares:
            so_far = amounts.get(share.party_id)
            amounts[share.party_id] = share.amount if so_far is None else so_far + share.amount
        return amounts
