"""What is payable to whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from settlement.errors import PayoutError
from settlement.ledger import AccountKey, Purpose
from settlement.money import Money
from settlement.payout.batch import PayoutItem


class HoldReason(StrEnum):
    """Why available money is not paid out yet."""

    AWAITING_FUNDS = "awaiting_funds"
    """Released, and the payer has not paid the order."""
    OPEN_CLAIM = "open_claim"
    """A claim may be borne by this party."""
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Hold:
    """An amount of a party that stays where it is."""

    party_id: int
    amount: Money
    reason: HoldReason

    def __post_init__(self) -> None:
        if self.amount.amount_minor <= 0:
            raise PayoutError(f"a hold is a positive amount, not {self.amount.decimal_text()}")


def recoverable(balances: Mapping[AccountKey, int], currency: str) -> dict[int, Money]:
    """What can be netted now of each party's debt: party -> the smaller of its debt and what is available.

    Post `settlement.posting.debt_recovered` for each before paying out.

    Args:
        balances: signed balances of one tenant, debit positive.
        currency: which balances are looked at.
    """
    available = _sums(balances, Purpose.AVAILABLE, currency)
    debts = _sums(balances, Purpose.PARTY_DEBT, currency)
    return {
        party_id: Money(min(debt, -available.get(party_id, 0)), currency)
        for party_id, debt in sorted(debts.items())
        if debt > 0 and available.get(party_id, 0) < 0
    }


def payable(
    balances: Mapping[AccountKey, int], holds: Iterable[Hold], threshold: Money
) -> tuple[PayoutItem, ...]:
    """What can be paid out now: available, less debts, less holds, where that reaches the threshold.

    Args:
        balances: signed balances of one tenant, debit positive.
        holds: amounts that stay; those of another currency do not matter here.
        threshold: the least worth a payment; its currency is the one that is paid.

    Returns:
        One item a party, by party id.
    """
    currency = threshold.currency
    free = {party: -minor for party, minor in _sums(balances, Purpose.AVAILABLE, currency).items()}
    for party_id, debt_minor in _sums(balances, Purpose.PARTY_DEBT, currency).items():
        free[party_id] = free.get(party_id, 0) - debt_minor
    for hold in holds:
        if hold.amount.currency == currency:
            free[hold.party_id] = free.get(hold.party_id, 0) - hold.amount.amount_minor
    least_minor = max(1, threshold.amount_minor)
    return tuple(
        PayoutItem(party_id, Money(free_minor, currency))
        for party_id, free_minor in sorted(free.items())
        if free_minor >= least_minor
    )


def _sums(balances: Mapping[AccountKey, int], purpose: Purpose, currency: str) -> dict[int, int]:
    sums: dict[int, int] = {}
    for account, amount_minor in balances.items():
        if account.purpose is purpose and account.currency == currency and account.party_id is not None:
            sums[account.party_id] = sums.get(account.party_id, 0) + amount_minor
    return sums
