"""Terms as lines that a page can put into any language: a key and its parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from settlement.money import Money
from settlement.terms.shares import (
    Conditions,
    Fixed,
    PartyRef,
    Percent,
    PerUnit,
    Remainder,
    Rule,
    Share,
    Tiers,
)
from settlement.terms.version import Terms


@dataclass(frozen=True, slots=True)
class Line:
    """One statement: ``key`` names the sentence, ``params`` fill it.

    Amounts are decimal texts with their currency beside them, rates are texts such as ``"12.5%"``.
    """

    key: str
    params: Mapping[str, str | int]


def describe(terms: Terms) -> tuple[Line, ...]:
    """What the terms say, a line a statement, in the order of the shares.

    The keys: ``terms.percent|fixed|per_kilogram|per_piece|per_kilometre|tier|remainder`` for the rule, then
    ``terms.minimum|cap`` and ``terms.only_services|only_weight|only_pickup_handovers|
    only_delivery_handovers`` for its bounds and conditions, and last ``terms.shortfall.*``. Every line of a
    share carries ``share`` (its number from 1) and ``party_role`` or ``party_id``.
    """
    lines: list[Line] = []
    for number, share in enumerate(terms.shares, start=1):
        party = party_params(share.party)
        for key, params in _statements(share, terms.currency):
            lines.append(Line(f"terms.{key}", {"share": number, **party, **params}))
    lines.append(Line(f"terms.shortfall.{terms.shortfall.value}", {}))
    return tuple(lines)


def party_params(party: PartyRef) -> dict[str, str | int]:
    """A party as parameters of a line."""
    if party.role is not None:
        return {"party_role": party.role.value}
    assert party.party_id is not None
    return {"party_id": party.party_id}


def rule_key(rule: Rule) -> str:
    """The word for a rule in the keys of lines."""
    match rule:
        case PerUnit(measure, _):
            return f"per_{measure.value}"
        case _:
            return type(rule).__name__.lower()


def _statements(share: Share, currency: str) -> Iterator[tuple[str, dict[str, str | int]]]:
    def amount(minor: int) -> dict[str, str | int]:
        return {"amount": Money(minor, currency).decimal_text(), "currency": currency}

    match share.rule:
        case Percent(rate):
            yield rule_key(share.rule), {"rate": rate.text()}
        case Fixed(amount_minor):
            yield rule_key(share.rule), amount(amount_minor)
        case PerUnit(_, rate_minor):
            yield rule_key(share.rule), amount(rate_minor)
        case Tiers(tiers):
            from_g = 0
            for tier in tiers:
                end: dict[str, str | int] = {} if tier.up_to_g is None else {"up_to_g": tier.up_to_g}
                yield "tier", {"from_g": from_g, **end, **amount(tier.rate_minor)}
                from_g = tier.up_to_g or 0
        case Remainder():
            yield rule_key(share.rule), {}
    if share.minimum_minor is not None:
        yield "minimum", amount(share.minimum_minor)
    if share.cap_minor is not None:
        yield "cap", amount(share.cap_minor)
    yield from _conditions(share.conditions)


def _conditions(conditions: Conditions) -> Iterator[tuple[str, dict[str, str | int]]]:
    for key, codes in (
        ("only_services", conditions.services),
        ("only_pickup_handovers", conditions.pickup_handovers),
        ("only_delivery_handovers", conditions.delivery_handovers),
    ):
        if codes:
            yield key, {"codes": ", ".join(sorted(codes))}
    if conditions.weight_g_min is not None or conditions.weight_g_below is not None:
        bounds: dict[str, str | int] = {"min_g": conditions.weight_g_min or 0}
        if conditions.weight_g_below is not None:
            bounds["below_g"] = conditions.weight_g_below
        yield "only_weight", bounds
