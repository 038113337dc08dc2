"""The books, looked at from outside of any door."""

from __future__ import annotations

from app.ledger import queries as ledger
from settlement.ledger import Purpose
from tests.support.company import Company


def available_of(company: Company) -> dict[int, int]:
    """What each party could be paid now, in minor units, without those that stand at zero."""
    with company.work() as session:
        return {
            key.party_id: -minor
            for key, minor in ledger.party_balances(session).items()
            if key.purpose is Purpose.AVAILABLE and key.party_id is not None
        }


def debt_of(company: Company, party_id: int) -> int:
    """What a party owes, in minor units."""
    with company.work() as session:
        balances = ledger.party_balances(session, party_id=party_id)
    return sum(minor for key, minor in balances.items() if key.purpose is Purpose.PARTY_DEBT)


def assert_books_are_whole(company: Company) -> None:
    """Every entry sums to zero, every balance is the sum of its lines, and the chain is unbroken."""
    with company.work() as session:
        health = ledger.health(session)
        assert health.entries > 0
        assert (health.unbalanced_entries, health.wrong_balances) == (0, 0)
        assert ledger.broken_chain(session) == []
