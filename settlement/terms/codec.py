"""Terms as JSON, checked strictly: unknown fields, wrong types and fractional numbers are refused.

::

    {"terms_id": "standard", "version": 1, "currency": "CNY",
     "effective_from": "2026-01-01T00:00:00Z", "effective_to": null, "shortfall": "reduce",
     "shares": [
       {"kind": "percent", "party": {"role": "origin_outlet"}, "rate": "18%", "minimum_minor": 50},
       {"kind": "fixed", "party": {"party_id": 7}, "amount_minor": 30},
       {"kind": "per_kg", "party": {"role": "hub"}, "rate_minor": 40, "cap_minor": 900},
       {"kind": "per_piece", "party": {"role": "courier_delivery"}, "rate_minor": 120},
       {"kind": "per_km", "party": {"role": "linehaul_carrier"}, "rate_minor": 1},
       {"kind": "tiers", "party": {"role": "delivery_outlet"},
        "tiers": [{"up_to_g": 1000, "rate_minor": 150}, {"up_to_g": null, "rate_minor": 60}],
        "conditions": {"services": ["standard"], "weight_g_below": 30000}},
       {"kind": "remainder", "party": {"role": "platform"}}]}
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from settlement.errors import MoneyError, TermsError
from settlement.money import Ratio
from settlement.terms.shares import (
    Conditions,
    Fixed,
    Measure,
    PartyRef,
    Percent,
    PerUnit,
    Remainder,
    Role,
    Rule,
    Share,
    Tier,
    Tiers,
)
from settlement.terms.version import Shortfall, Terms


class _Party(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    role: Role | None = None
    party_id: int | None = None


class _Conditions(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    services: list[str] = []
    weight_g_min: int | None = None
    weight_g_below: int | None = None
    pickup_handovers: list[str] = []
    delivery_handovers: list[str] = []


class _Share(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True, tag_field="kind"):
    party: _Party
    minimum_minor: int | None = None
    cap_minor: int | None = None
    conditions: _Conditions = msgspec.field(default_factory=_Conditions)


class _Percent(_Share, tag="percent"):
    rate: str


class _Fixed(_Share, tag="fixed"):
    amount_minor: int


class _PerKilogram(_Share, tag="per_kg"):
    rate_minor: int


class _PerPiece(_Share, tag="per_piece"):
    rate_minor: int


class _PerKilometre(_Share, tag="per_km"):
    rate_minor: int


class _Tier(msgspec.Struct, forbid_unknown_fields=True):
    up_to_g: int | None
    rate_minor: int


class _Tiers(_Share, tag="tiers"):
    tiers: list[_Tier]


class _Remainder(_Share, tag="remainder"):
    pass


_AnyShare = _Percent | _Fixed | _PerKilogram | _PerPiece | _PerKilometre | _Tiers | _Remainder


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    terms_id: str
    version: int
    currency: str
    effective_from: datetime
    effective_to: datetime | None
    shares: list[_AnyShare]
    shortfall: Shortfall = Shortfall.REDUCE


_MEASURES: dict[type[_AnyShare], Measure] = {
    _PerKilogram: Measure.KILOGRAM,
    _PerPiece: Measure.PIECE,
    _PerKilometre: Measure.KILOMETRE,
}
_PER_UNIT: dict[Measure, type[_PerKilogram | _PerPiece | _PerKilometre]] = {
    Measure.KILOGRAM: _PerKilogram,
    Measure.PIECE: _PerPiece,
    Measure.KILOMETRE: _PerKilometre,
}


def terms_from_json(document: str | bytes | Mapping[str, Any]) -> Terms:
    """Read terms from JSON text, or from what a JSON column already decoded.

    Raises:
        TermsError: the document is no valid terms; the message names the place.
    """
    try:
        if isinstance(document, Mapping):
            wire = msgspec.convert(document, _Document)
        else:
            wire = msgspec.json.decode(document, type=_Document)
    except msgspec.DecodeError as error:
        raise TermsError(str(error)) from error
    return Terms(
        terms_id=wire.terms_id,
        version=wire.version,
        currency=wire.currency,
        effective_from=wire.effective_from,
        effective_to=wire.effective_to,
        shares=tuple(_read_share(index, share) for index, share in enumerate(wire.shares)),
        shortfall=wire.shortfall,
    )


def terms_to_json(terms: Terms) -> dict[str, Any]:
    """The terms as a JSON document of plain dicts and lists; `terms_from_json` reads it back equal."""
    wire = _Document(
        terms_id=terms.terms_id,
        version=terms.version,
        currency=terms.currency,
        effective_from=terms.effective_from,
        effective_to=terms.effective_to,
        shares=[_write_share(share) for share in terms.shares],
        shortfall=terms.shortfall,
    )
    document: dict[str, Any] = msgspec.to_builtins(wire)
    return document


def _read_share(index: int, wire: _AnyShare) -> Share:
    conditions = wire.conditions
    try:
        return Share(
            party=PartyRef(wire.party.role, wire.party.party_id),
            rule=_read_rule(wire),
            minimum_minor=wire.minimum_minor,
            cap_minor=wire.cap_minor,
            conditions=Conditions(
                services=frozenset(conditions.services),
                weight_g_min=conditions.weight_g_min,
                weight_g_below=conditions.weight_g_below,
                pickup_handovers=frozenset(conditions.pickup_handovers),
                delivery_handovers=frozenset(conditions.delivery_handovers),
            ),
        )
    except (TermsError, MoneyError) as error:
        raise TermsError(f"shares[{index}].{error}") from error


def _read_rule(wire: _AnyShare) -> Rule:
    match wire:
        case _Percent():
            return Percent(Ratio.parse(wire.rate))
        case _Fixed():
            return Fixed(wire.amount_minor)
        case _PerKilogram() | _PerPiece() | _PerKilometre():
            return PerUnit(_MEASURES[type(wire)], wire.rate_minor)
        case _Tiers():
            return Tiers(tuple(Tier(tier.up_to_g, tier.rate_minor) for tier in wire.tiers))
        case _Remainder():
            return Remainder()


def _write_share(share: Share) -> _AnyShare:
    conditions = share.conditions
    common: dict[str, Any] = {
        "party": _Party(share.party.role, share.party.party_id),
        "minimum_minor": share.minimum_minor,
        "cap_minor": share.cap_minor,
        "conditions": _Conditions(
            services=sorted(conditions.services),
            weight_g_min=conditions.weight_g_min,
            weight_g_below=conditions.weight_g_below,
            pickup_handovers=sorted(conditions.pickup_handovers),
            delivery_handovers=sorted(conditions.delivery_handovers),
        ),
    }
    match share.rule:
        case Percent(rate):
            return _Percent(rate=rate.text(), **common)
        case Fixed(amount_minor):
            return _Fixed(amount_minor=amount_minor, **common)
        case PerUnit(measure, rate_minor):
            return _PER_UNIT[measure](rate_minor=rate_minor, **common)
        case Tiers(tiers):
            return _Tiers(tiers=[_Tier(tier.up_to_g, tier.rate_minor) for tier in tiers], **common)
        case Remainder():
            return _Remainder(**common)
