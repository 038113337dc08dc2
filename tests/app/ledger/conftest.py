"""Parties to post between."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from app.db.session import Database
from app.parties import service as parties
from app.parties.models import PartyKind
from settlement.ledger import AccountKey, Entry, EvidenceRef, JournalEntry, Purpose
from tests.support.app import Logins

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Books:
    """A tenant with a platform and two other parties, and short names for its accounts."""

    tenant_id: int
    platform_id: int
    first_id: int
    second_id: int

    def account(self, purpose: Purpose, party_id: int | None = None) -> AccountKey:
        return AccountKey(self.tenant_id, party_id, purpose, "CNY")

    def entry(
        self,
        key: str,
        *lines: tuple[AccountKey, int],
        kind: str = "paid",
        evidence: tuple[tuple[str, str], ...] = (),
    ) -> JournalEntry:
        return JournalEntry(
            key,
            kind,
            NOW,
            tuple(Entry(account, amount_minor) for account, amount_minor in lines),
            tuple(EvidenceRef(*item) for item in evidence),
        )

    def receive(self, key: str, party_id: int, amount_minor: int) -> JournalEntry:
        """Money arrives in custody and is available to a party."""
        return self.entry(
            key,
            (self.account(Purpose.CUSTODY), amount_minor),
            (self.account(Purpose.AVAILABLE, party_id), -amount_minor),
            kind="cod_remitted",
            evidence=(("order", f"O-{key}"), ("shipment", "WH1")),
        )

    def transfer(self, key: str, payer_id: int, payee_id: int, amount_minor: int) -> JournalEntry:
        """What is available to one party becomes available to another."""
        return self.entry(
            key,
            (self.account(Purpose.AVAILABLE, payer_id), amount_minor),
            (self.account(Purpose.AVAILABLE, payee_id), -amount_minor),
            kind="compensation_awarded",
            evidence=(("claim", key),),
        )


def make_books(database: Database, tenant: Logins) -> Books:
    """Parties of a fresh tenant."""
    with database.unit_of_work(tenant.tenant_id) as session:
        ids = [
            parties.create_party(session, code=code, name=code, kind=kind, now=NOW).id
            for code, kind in (
                ("P", PartyKind.PLATFORM),
                ("A", PartyKind.OUTLET),
                ("B", PartyKind.CARRIER),
            )
        ]
    return Books(tenant.tenant_id, *ids)


@pytest.fixture
def books(database: Database, new_tenant) -> Books:
    return make_books(database, new_tenant())
