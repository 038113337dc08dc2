"""What several test modules start from: terms as a clerk would set them, and an order on them."""

import pytest

from settlement.money import Money
from settlement.split import Facts, PartyRole
from settlement.terms import Role, Terms, terms_from_json

TERMS = {
    "terms_id": "standard",
    "version": 1,
    "currency": "CNY",
    "effective_from": "2026-01-01T00:00:00+08:00",
    "effective_to": None,
    "shortfall": "reduce",
    "shares": [
        {"kind": "percent", "party": {"role": "origin_outlet"}, "rate": "18%", "minimum_minor": 50},
        {"kind": "per_kg", "party": {"role": "hub"}, "rate_minor": 40, "cap_minor": 300},
        {"kind": "percent", "party": {"role": "linehaul_carrier"}, "rate": "1/6"},
        {"kind": "per_piece", "party": {"role": "courier_delivery"}, "rate_minor": 120},
        {"kind": "fixed", "party": {"party_id": 70}, "amount_minor": 30},
        {
            "kind": "tiers",
            "party": {"role": "delivery_outlet"},
            "tiers": [{"up_to_g": 1000, "rate_minor": 150}, {"up_to_g": None, "rate_minor": 60}],
            "conditions": {"services": ["standard"], "weight_g_below": 30000},
        },
        {"kind": "remainder", "party": {"role": "platform"}},
    ],
}


@pytest.fixture
def document() -> dict:
    return TERMS | {"shares": [dict(share) for share in TERMS["shares"]]}


@pytest.fixture
def terms(document) -> Terms:
    return terms_from_json(document)


@pytest.fixture
def facts() -> Facts:
    return Facts(
        order_id="A1",
        total=Money(2207, "CNY"),
        weight_g=2500,
        pieces=1,
        service="standard",
        distance_m=180_000,
        roles={
            Role.PLATFORM: (PartyRole(1),),
            Role.ORIGIN_OUTLET: (PartyRole(2),),
            Role.HUB: (PartyRole(3, 2), PartyRole(4, 1)),
            Role.LINEHAUL_CARRIER: (PartyRole(5, 120_000), PartyRole(6, 60_000)),
            Role.DELIVERY_OUTLET: (PartyRole(7),),
        },
    )
