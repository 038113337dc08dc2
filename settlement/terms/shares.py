"""One share of a split: its party, its rule, its bounds and the orders it applies to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from settlement.errors import TermsError
from settlement.money import AMOUNT_LIMIT_MINOR, Ratio

GRAMS_PER_KILOGRAM = 1_000
METRES_PER_KILOMETRE = 1_000


class Role(StrEnum):
    """What a party does on the itinerary of a parcel."""

    PLATFORM = "platform"
    ORIGIN_OUTLET = "origin_outlet"
    HUB = "hub"
    LINEHAUL_CARRIER = "linehaul_carrier"
    DELIVERY_OUTLET = "delivery_outlet"
    COURIER_PICKUP = "courier_pickup"
    COURIER_DELIVERY = "courier_delivery"
    WAREHOUSE = "warehouse"


class Measure(StrEnum):
    """What a rate per unit is multiplied by."""

    KILOGRAM = "kilogram"
    PIECE = "piece"
    KILOMETRE = "kilometre"


def _checked_amount(field: str, amount_minor: int) -> None:
    if type(amount_minor) is not int or not 0 <= amount_minor <= AMOUNT_LIMIT_MINOR:
        raise TermsError(
            f"{field}: an integer of minor units, not negative, was expected, not {amount_minor!r}"
        )


@dataclass(frozen=True, slots=True)
class PartyRef:
    """A party named by its role on the itinerary, or by its id; exactly one of the two."""

    role: Role | None = None
    party_id: int | None = None

    def __post_init__(self) -> None:
        if (self.role is None) == (self.party_id is None):
            raise TermsError("party: either a role or a party id, and not both")
        if self.role is not None and not isinstance(self.role, Role):
            raise TermsError(f"party: {self.role!r} is no role")
        if self.party_id is not None and (type(self.party_id) is not int or self.party_id <= 0):
            raise TermsError(f"party: {self.party_id!r} is no party id")

    def __str__(self) -> str:
        return f"party {self.party_id}" if self.role is None else self.role.value


@dataclass(frozen=True, slots=True)
class Percent:
    """A part of the order's total, from nothing to all of it."""

    rate: Ratio

    def __post_init__(self) -> None:
        if not 0 <= self.rate.numerator <= self.rate.denominator:
            raise TermsError(f"rate: between 0% and 100%, not {self.rate.text()}")


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same amount for every order."""

    amount_minor: int

    def __post_init__(self) -> None:
        _checked_amount("amount_minor", self.amount_minor)


@dataclass(frozen=True, slots=True)
class PerUnit:
    """An amount for each kilogram (exact to the gram), piece, or kilometre (exact to the metre)."""

    measure: Measure
    rate_minor: int

    def __post_init__(self) -> None:
        if not isinstance(self.measure, Measure):
            raise TermsError(f"measure: {self.measure!r} is no measure")
        _checked_amount("rate_minor", self.rate_minor)


@dataclass(frozen=True, slots=True)
class Tier:
    """A rate per kilogram for the grams of one bracket, up to and including ``up_to_g``; None has no end."""

    up_to_g: int | None
    rate_minor: int

    def __post_init__(self) -> None:
        if self.up_to_g is not None and (type(self.up_to_g) is not int or self.up_to_g <= 0):
            raise TermsError(f"up_to_g: a positive number of grams was expected, not {self.up_to_g!r}")
        _checked_amount("rate_minor", self.rate_minor)


@dataclass(frozen=True, slots=True)
class Tiers:
    """Graduated rates by weight: each gram is paid at the rate of the bracket it falls into."""

    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        if not self.tiers or self.tiers[-1].up_to_g is not None:
            raise TermsError("tiers: the last tier has no end")
        previous_g = 0
        for tier in self.tiers[:-1]:
            if tier.up_to_g is None or tier.up_to_g <= previous_g:
                raise TermsError("tiers: each tier ends at a higher weight than the one before")
            previous_g = tier.up_to_g


@dataclass(frozen=True, slots=True)
class Remainder:
    """What all other shares leave."""


Rule = Percent | Fixed | PerUnit | Tiers | Remainder


@dataclass(frozen=True, slots=True)
class Conditions:
    """Which orders a share applies to; an empty set or None does not restrict.

    Args:
        services: service codes.
        weight_g_min: lightest order, included.
        weight_g_below: the order is lighter than this.
        pickup_handovers: how the parcel was handed over at origin (door, outlet, locker, ...).
        delivery_handovers: the same at destination.
    """

    services: frozenset[str] = frozenset()
    weight_g_min: int | None = None
    weight_g_below: int | None = None
    pickup_handovers: frozenset[str] = frozenset()
    delivery_handovers: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for field, codes in (
            ("services", self.services),
            ("pickup_handovers", self.pickup_handovers),
            ("delivery_handovers", self.delivery_handovers),
        ):
            if not all(isinstance(code, str) and code for code in codes):
                raise TermsError(f"conditions.{field}: codes are texts and not empty")
        for field, weight_g in (("weight_g_min", self.weight_g_min), ("weight_g_below", self.weight_g_below)):
            if weight_g is not None and (type(weight_g) is not int or weight_g < 0):
                raise TermsError(f"conditions.{field}: grams, not negative, were expected, not {weight_g!r}")
        if self.weight_g_below is not None and (self.weight_g_min or 0) >= self.weight_g_below:
            raise TermsError("conditions: the weight range is empty")

    def hold(
        self, service: str, weight_g: int, pickup_handover: str | None, delivery_handover: str | None
    ) -> bool:
        """Whether an order meets all of them; an unknown hand-over meets no hand-over condition."""
        return (
            (not self.services or service in self.services)
            and (self.weight_g_min is None or weight_g >= self.weight_g_min)
            and (self.weight_g_below is None or weight_g < self.weight_g_below)
            and (not self.pickup_handovers or pickup_handover in self.pickup_handovers)
            and (not self.delivery_handovers or delivery_handover in self.delivery_handovers)
        )


ANY_ORDER = Conditions()


@dataclass(frozen=True, slots=True)
class Share:
    """A party, the rule it earns by, its least and most for one order, and the orders it applies to.

    Minimum and cap bound the share of the whole role, before it is divided among several parties.
    """

    party: PartyRef
    rule: Rule
    minimum_minor: int | None = None
    cap_minor: int | None = None
    conditions: Conditions = ANY_ORDER

    def __post_init__(self) -> None:
        if self.minimum_minor is not None:
            _checked_amount("minimum_minor", self.minimum_minor)
        if self.cap_minor is not None:
            _checked_amount("cap_minor", self.cap_minor)
            if (self.minimum_minor or 0) > self.cap_minor:
                raise TermsError("cap_minor: below the minimum")
        if isinstance(self.rule, Remainder):
            if self.minimum_minor is not None or self.cap_minor is not None or self.conditions != ANY_ORDER:
                raise TermsError("remainder: takes what is left of every order, without bounds or conditions")
            if self.party.role not in (None, Role.PLATFORM):
                # Any other role may be missing on an itinerary, and then the cents would have no owner.
                raise TermsError("remainder: belongs to the platform or to a named party")
