"""How fast an order is divided among five parties and becomes a journal entry, in memory.

The limit is integer arithmetic with the same rates written into the code: no terms, no bounds, no reasons, no
checks. The peer rounds decimals party by party, as is usual; how many orders it loses or makes a cent in is
counted beside it. Writing to a database is not in here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from _measure import Contender, print_table

from settlement.ledger import EvidenceRef, Ledger
from settlement.money import Money
from settlement.posting import Chart, Header, order_placed_split_held
from settlement.split import Facts, PartyRole, split
from settlement.terms import Role, terms_from_json

_ORDERS = 500
_AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
_TERMS = terms_from_json(
    {
        "terms_id": "standard",
        "version": 1,
        "currency": "CNY",
        "effective_from": "2026-01-01T00:00:00+08:00",
        "effective_to": None,
        "shortfall": "reduce",
        "shares": [
            {"kind": "percent", "party": {"role": "origin_outlet"}, "rate": "18%"},
            {"kind": "percent", "party": {"role": "hub"}, "rate": "7.5%"},
            {"kind": "percent", "party": {"role": "linehaul_carrier"}, "rate": "1/6"},
            {"kind": "percent", "party": {"role": "delivery_outlet"}, "rate": "22%"},
            {"kind": "percent", "party": {"role": "platform"}, "rate": "5%"},
            {"kind": "remainder", "party": {"role": "platform"}},
        ],
    }
)
_ROLES = {
    role: (PartyRole(party_id),)
    for party_id, role in enumerate(
        (Role.PLATFORM, Role.ORIGIN_OUTLET, Role.HUB, Role.LINEHAUL_CARRIER, Role.DELIVERY_OUTLET), start=1
    )
}
_RATES = ((18, 100), (75, 1000), (1, 6), (22, 100))
_DECIMAL_RATES = [Decimal(top) / Decimal(bottom) for top, bottom in _RATES]
# What the terms leave to the platform, as a rate of its own: the usual way, and where the cents go astray.
_DECIMAL_RATES.append(1 - sum(_DECIMAL_RATES))


def orders() -> list[Facts]:
    """Orders of 8 to 300 yuan, the same ones each time."""
    random = Random(42)
    return [
        Facts(
            order_id=str(number),
            total=Money(random.randint(800, 30_000), "CNY"),
            weight_g=random.randint(100, 20_000),
            pieces=1,
            service="standard",
            distance_m=None,
            roles=_ROLES,
        )
        for number in range(_ORDERS)
    ]


def integers(total_minor: int) -> list[int]:
    """Shares rounded down; the last one takes what is left."""
    shares = [total_minor * top // bottom for top, bottom in _RATES]
    return [*shares, total_minor - sum(shares)]


def decimals(total: Decimal) -> list[Decimal]:
    """Each share rounded for itself."""
    return [(total * rate).quantize(Decimal("0.01"), ROUND_HALF_UP) for rate in _DECIMAL_RATES]


def main() -> None:
    given = orders()
    amounts = [facts.total.amount_minor for facts in given]
    yuan = [Decimal(amount) / 100 for amount in amounts]
    chart = Chart(tenant_id=1, platform_party_id=1)
    astray = sum(sum(decimals(total)) != total for total in yuan)
    assert all(sum(integers(amount)) == amount for amount in amounts)
    assert all(
        sum(share.amount.amount_minor for share in split(_TERMS, facts).shares) == facts.total.amount_minor
        for facts in given
    )

    def plain() -> int:
        for amount in amounts:
            integers(amount)
        return _ORDERS

    def rounded() -> int:
        for total in yuan:
            decimals(total)
        return _ORDERS

    def divided() -> int:
        for facts in given:
            split(_TERMS, facts)
        return _ORDERS

    def posted() -> int:
        ledger = Ledger(chart.platform_party_id)
        for facts in given:
            header = Header(f"order:{facts.order_id}", _AT, (EvidenceRef("order", facts.order_id),))
            ledger.apply(order_placed_split_held(chart, header, split(_TERMS, facts), payer_id=9))
        return _ORDERS

    print_table(
        "Dividing orders among five parties",
        "orders",
        [
            Contender("limit: plain integers", plain, "no terms, no reasons, no checks"),
            Contender(
                "peer: decimals, rounded one by one",
                rounded,
                f"{astray} of {_ORDERS} do not sum to the total",
            ),
            Contender("split by terms, with reasons", divided, f"0 of {_ORDERS}"),
            Contender("split, entry, balances, hash chain", posted, "six lines an order, in memory"),
        ],
    )


if __name__ == "__main__":
    main()
