"""Terms as versions in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from math import lcm

from settlement.errors import NoTermsInForceError, TermsError
from settlement.money import currency_exponent
from settlement.terms.shares import (
    GRAMS_PER_KILOGRAM,
    METRES_PER_KILOMETRE,
    Measure,
    Percent,
    PerUnit,
    Remainder,
    Share,
    Tiers,
)


class Shortfall(StrEnum):
    """What happens when the other shares together exceed the order's total."""

    REDUCE = "reduce"
    """They are reduced in proportion; the remainder is zero. No share is ever negative."""
    REMAINDER_PAYS = "remainder_pays"
    """The remainder party pays the difference: the one way to a negative share."""
    REFUSE = "refuse"
    """The split is refused."""


def checked_utc(name: str, moment: datetime) -> datetime:
    """The moment in UTC.

    Raises:
        TermsError: it has no offset.
    """
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise TermsError(f"{name}: a time with an offset was expected, not {moment!r}")
    return moment.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Terms:
    """One version of the terms that an order is split by; valid from ``effective_from`` until before
    ``effective_to``.

    The order of the shares is the written tie order of the last cents: of equal fractions the party of the
    share listed first gets the unit.

    Raises:
        TermsError: a field is wrong, or there is not exactly one remainder.
    """

    terms_id: str
    version: int
    currency: str
    effective_from: datetime
    effective_to: datetime | None
    shares: tuple[Share, ...]
    shortfall: Shortfall = Shortfall.REDUCE
    denominator: int = field(init=False, repr=False, compare=False)
    """Common denominator of all exact shares before a role is divided among parties."""
    remainder_index: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.terms_id, str) or not self.terms_id:
            raise TermsError("terms_id: a text was expected")
        if type(self.version) is not int or self.version < 1:
            raise TermsError(f"version: a positive integer was expected, not {self.version!r}")
        try:
            currency_exponent(self.currency)
        except ValueError as error:
            raise TermsError(f"currency: {error}") from error
        if not isinstance(self.shortfall, Shortfall):
            raise TermsError(f"shortfall: {self.shortfall!r} is no way to meet a shortfall")
        object.__setattr__(self, "effective_from", checked_utc("effective_from", self.effective_from))
        if self.effective_to is not None:
            object.__setattr__(self, "effective_to", checked_utc("effective_to", self.effective_to))
            if self.effective_to <= self.effective_from:
                raise TermsError("effective_to: not after effective_from")
        remainders = [index for index, share in enumerate(self.shares) if isinstance(share.rule, Remainder)]
        if len(remainders) != 1:
            raise TermsError(f"shares: exactly one remainder was expected, not {len(remainders)}")
        object.__setattr__(self, "remainder_index", remainders[0])
        object.__setattr__(self, "denominator", lcm(*map(_denominator, self.shares)))

    def covers(self, at: datetime) -> bool:
        """Whether this version's period contains the moment."""
        return self.effective_from <= at and (self.effective_to is None or at < self.effective_to)


def _denominator(share: Share) -> int:
    rule = share.rule
    if isinstance(rule, Percent):
        return rule.rate.denominator
    if isinstance(rule, Tiers) or (isinstance(rule, PerUnit) and rule.measure is Measure.KILOGRAM):
        return GRAMS_PER_KILOGRAM
    if isinstance(rule, PerUnit) and rule.measure is Measure.KILOMETRE:
        return METRES_PER_KILOMETRE
    return 1


def in_force(versions: Sequence[Terms], at: datetime) -> Terms:
    """The version that applies at a moment: of those whose period contains it, the highest.

    Raises:
        TermsError: the versions are not of one and the same terms, or a version number occurs twice.
        NoTermsInForceError: no version covers the moment.
    """
    at = checked_utc("at", at)
    if len({terms.terms_id for terms in versions}) > 1:
        raise TermsError("versions: of one and the same terms were expected")
    if len({terms.version for terms in versions}) != len(versions):
        raise TermsError("versions: a version number occurs twice")
    covering = [terms for terms in versions if terms.covers(at)]
    if not covering:
        raise NoTermsInForceError(f"no version of the terms is in force at {at.isoformat()}")
    return max(covering, key=lambda terms: terms.version)
