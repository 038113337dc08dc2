"""Exact shares by the terms, and one rounding over all parties together.

Exact shares are integers over one common denominator; rounding happens once, by largest remainder (see
`settlement.allocation`). So the shares sum to the total exactly, and each is within one minor unit of its
exact value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import lcm

from settlement.allocation import allocate, largest_remainder
from settlement.errors import SplitError
from settlement.money import Money, Ratio, total_of
from settlement.split.values import Bound, Cause, Facts, PartyRole, PartyShare, Reason, SkippedShare, Split
from settlement.terms.shares import (
    GRAMS_PER_KILOGRAM,
    METRES_PER_KILOMETRE,
    Fixed,
    Measure,
    PartyRef,
    Percent,
    PerUnit,
    Remainder,
    Role,
    Rule,
    Share,
    Tiers,
)
from settlement.terms.version import Shortfall, Terms

_WHOLE = Ratio(1, 1)


@dataclass(slots=True)
class _Claim:
    """What one share asks for, over the common denominator of the terms."""

    share_index: int
    role: Role | None
    parties: tuple[PartyRole, ...]
    weight_sum: int
    numerator: int
    bound: Bound | None


def split(terms: Terms, facts: Facts) -> Split:
    """Divide an order's total among the parties of its terms.

    A role held by several parties is divided by their weights. A role that does not occur on the itinerary,
    or a share whose conditions are not met, leaves its part to the remainder.

    Raises:
        SplitError: the currency differs, a distance is needed and unknown, the remainder's role is not on the
            itinerary, or the shares exceed the total and the terms refuse that.
    """
    if facts.total.currency != terms.currency:
        raise SplitError(
            f"order {facts.order_id}: {facts.total.currency} is not the terms' currency, {terms.currency}"
        )
    claims, skipped = _claims(terms, facts)
    denominator = terms.denominator
    target = facts.total.amount_minor * denominator
    claimed = sum(claim.numerator for claim in claims)
    reduced = False
    if claimed > target:
        if terms.shortfall is Shortfall.REFUSE:
            raise SplitError(f"order {facts.order_id}: the shares exceed the total")
        if terms.shortfall is Shortfall.REDUCE:
            # Scaling every claim by target / claimed keeps integers over the denominator `claimed`.
            for claim in claims:
                claim.numerator *= facts.total.amount_minor
            reduced, denominator = True, claimed
            target = claimed = facts.total.amount_minor * denominator
    claims.insert(terms.remainder_index, _remainder(terms, facts, target - claimed))
    shares = _round(claims, denominator, reduced, terms.currency)
    return Split(facts.order_id, terms.terms_id, terms.version, facts.total, shares, skipped)


def refund_parts(remaining: Mapping[int, Money], amount: Money) -> dict[int, Money]:
    """Each party's part of a refund, in proportion to what is left of its share.

    No party gives back more than it has left, and any sequence of partial refunds ends at exactly zero.

    Args:
        remaining: party -> its share less what it has already refunded; none negative.
        amount: positive, at most the sum of what remains.

    Raises:
        SplitError: the refund is not positive or exceeds what remains.
    """
    left = total_of(remaining.values(), amount.currency)
    if not 0 < amount.amount_minor <= left.amount_minor:
        raise SplitError(f"a refund of {amount.decimal_text()} out of {left.decimal_text()} that remain")
    if any(part.amount_minor < 0 for part in remaining.values()):
        raise SplitError("a party cannot have less than nothing left to refund")
    parts = allocate(amount, [part.amount_minor for part in remaining.values()])
    return dict(zip(remaining, parts, strict=True))


def _claims(terms: Terms, facts: Facts) -> tuple[list[_Claim], tuple[SkippedShare, ...]]:
    claims: list[_Claim] = []
    skipped: list[SkippedShare] = []
    for index, share in enumerate(terms.shares):
        if isinstance(share.rule, Remainder):
            continue
        parties = _parties(share.party, facts)
        if not parties:
            skipped.append(SkippedShare(index, Cause.ROLE_ABSENT))
        elif not share.conditions.hold(
            facts.service, facts.weight_g, facts.pickup_handover, facts.delivery_handover
        ):
            skipped.append(SkippedShare(index, Cause.CONDITIONS_NOT_MET))
        else:
            numerator, bound = _bounded(
                share, _exact(share.rule, facts, terms.denominator), terms.denominator
            )
            weight_sum = sum(party.weight for party in parties)
            claims.append(_Claim(index, share.party.role, parties, weight_sum, numerator, bound))
    return claims, tuple(skipped)


def _parties(party: PartyRef, facts: Facts) -> tuple[PartyRole, ...]:
    if party.role is not None:
        return facts.roles.get(party.role, ())
    assert party.party_id is not None
    return (PartyRole(party.party_id),)


def _remainder(terms: Terms, facts: Facts, numerator: int) -> _Claim:
    party = terms.shares[terms.remainder_index].party
    parties = _parties(party, facts)
    if not parties:
        raise SplitError(f"order {facts.order_id}: no party holds the remainder's role, {party}")
    weight_sum = sum(holder.weight for holder in parties)
    return _Claim(terms.remainder_index, party.role, parties, weight_sum, numerator, None)


def _exact(rule: Rule, facts: Facts, denominator: int) -> int:
    match rule:
        case Percent(rate):
            return facts.total.amount_minor * rate.numerator * (denominator // rate.denominator)
        case Fixed(amount_minor):
            return amount_minor * denominator
        case PerUnit(Measure.PIECE, rate_minor):
            return facts.pieces * rate_minor * denominator
        case PerUnit(Measure.KILOGRAM, rate_minor):
            return facts.weight_g * rate_minor * (denominator // GRAMS_PER_KILOGRAM)
        case PerUnit(Measure.KILOMETRE, rate_minor):
            if facts.distance_m is None:
                raise SplitError(f"order {facts.order_id}: the terms pay by distance, and it is unknown")
            return facts.distance_m * rate_minor * (denominator // METRES_PER_KILOMETRE)
        case Tiers():
            return _graduated(rule, facts.weight_g) * (denominator // GRAMS_PER_KILOGRAM)
    raise AssertionError(f"{rule!r} is no rule with an amount of its own")


def _graduated(rule: Tiers, weight_g: int) -> int:
    total = from_g = 0
    for tier in rule.tiers:
        to_g = weight_g if tier.up_to_g is None else min(tier.up_to_g, weight_g)
        total += (to_g - from_g) * tier.rate_minor
        if to_g == weight_g:
            break
        from_g = to_g
    return total


def _bounded(share: Share, numerator: int, denominator: int) -> tuple[int, Bound | None]:
    if share.minimum_minor is not None and numerator < share.minimum_minor * denominator:
        return share.minimum_minor * denominator, Bound.MINIMUM
    if share.cap_minor is not None and numerator > share.cap_minor * denominator:
        return share.cap_minor * denominator, Bound.CAP
    return numerator, None


def _round(claims: list[_Claim], denominator: int, reduced: bool, currency: str) -> tuple[PartyShare, ...]:
    # Dividing a role by weights multiplies the denominator; roles with one party leave it alone.
    scale = lcm(*(claim.weight_sum for claim in claims if len(claim.parties) > 1))
    denominator *= scale
    exact: dict[tuple[int, Role | None], int] = {}
    reasons: dict[tuple[int, Role | None], list[Reason]] = {}
    for claim in claims:
        alone = len(claim.parties) == 1
        for party in claim.parties:
            numerator = claim.numerator * (scale if alone else scale // claim.weight_sum * party.weight)
            portion = _WHOLE if alone else Ratio(party.weight, claim.weight_sum)
            reason = Reason(claim.share_index, Ratio(numerator, denominator), portion, claim.bound, reduced)
            key = (party.party_id, claim.role)
            exact[key] = exact.get(key, 0) + numerator
            reasons.setdefault(key, []).append(reason)
    amounts = largest_remainder(list(exact.values()), denominator)
    return tuple(
        PartyShare(
            party_id=key[0],
            role=key[1],
            amount=Money(amount, currency),
            reasons=tuple(reasons[key]),
            rounding=Ratio(amount * denominator - numerator, denominator),
        )
        for (key, numerator), amount in zip(exact.items(), amounts, strict=True)
    )
