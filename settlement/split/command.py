"""The shell's ``split``: one order in JSON, its shares with their reasons out.

::

    {"terms": {...},                          see settlement/terms/codec.py
     "facts": {"order_id": "A1", "total_minor": 2200, "weight_g": 1200, "pieces": 1,
               "service": "standard", "distance_m": null,
               "pickup_handover": "door", "delivery_handover": "locker",
               "roles": {"platform": [{"party_id": 1}],
                         "hub": [{"party_id": 3, "weight": 120}, {"party_id": 4, "weight": 80}]}}}

The total is in the currency of the terms. The answer::

    {"order_id": "A1", "terms_id": "standard", "version": 1, "currency": "CNY", "total_minor": 2200,
     "shares": [{"party_id": 1, "role": "platform", "amount_minor": 220, "amount": "2.20"}, ...],
     "reasons": [{"key": "split.reason.percent", "params": {"party_id": 1, ...}}, ...]}
"""

from __future__ import annotations

from typing import Any

import msgspec

from settlement.money import Money
from settlement.split.divide import split
from settlement.split.values import Facts, PartyRole, Split
from settlement.split.wording import explain
from settlement.terms import Role, Terms, terms_from_json


class _PartyRole(msgspec.Struct, forbid_unknown_fields=True):
    party_id: int
    weight: int = 1


class _Facts(msgspec.Struct, forbid_unknown_fields=True):
    order_id: str
    total_minor: int
    weight_g: int
    pieces: int
    service: str
    roles: dict[Role, list[_PartyRole]]
    distance_m: int | None = None
    pickup_handover: str | None = None
    delivery_handover: str | None = None


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    terms: dict[str, Any]
    facts: _Facts


def split_command(text: bytes) -> dict[str, Any]:
    """Split the order of a document.

    Raises:
        msgspec.DecodeError: it is no such document.
        SettlementError: the order cannot be split.
    """
    document = msgspec.json.decode(text, type=_Document)
    terms = terms_from_json(document.terms)
    return _answer(terms, split(terms, _facts(document.facts, terms.currency)))


def _facts(wire: _Facts, currency: str) -> Facts:
    return Facts(
        order_id=wire.order_id,
        total=Money(wire.total_minor, currency),
        weight_g=wire.weight_g,
        pieces=wire.pieces,
        service=wire.service,
        distance_m=wire.distance_m,
        roles={
            role: tuple(PartyRole(party.party_id, party.weight) for party in parties)
            for role, parties in wire.roles.items()
        },
        pickup_handover=wire.pickup_handover,
        delivery_handover=wire.delivery_handover,
    )


def _answer(terms: Terms, result: Split) -> dict[str, Any]:
    return {
        "order_id": result.order_id,
        "terms_id": result.terms_id,
        "version": result.version,
        "currency": result.total.currency,
        "total_minor": result.total.amount_minor,
        "shares": [
            {
                "party_id": share.party_id,
                "role": share.role,
                "amount_minor": share.amount.amount_minor,
                "amount": share.amount.decimal_text(),
            }
            for share in result.shares
        ],
        "reasons": [{"key": line.key, "params": line.params} for line in explain(terms, result)],
    }
