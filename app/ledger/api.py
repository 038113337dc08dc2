"""The machine's door to the ledger room: entries and accounts, read only."""

from __future__ import annotations

from datetime import date
from typing import Any

import flask
from apiflask import APIBlueprint
from pydantic import AwareDatetime, Field

from app.accounts.roles import Scope
from app.api_schema import BEARER, ApiOutput, PageQuery, page_answer
from app.ledger import queries
from app.ledger.models import Account, JournalEntry
from app.security import requires
from app.web import unit_of_work
from settlement.ledger import Purpose
from settlement.posting import PostingKind

blueprint = APIBlueprint("ledger_api", __name__, url_prefix="/api/v1", tag="Ledger")


class EntryQuery(PageQuery):
    """Which entries."""

    kind: PostingKind | None = None
    party_id: int | None = Field(default=None, ge=1, le=2**63 - 1)
    evidence_kind: str | None = Field(default=None, max_length=40, pattern=r"^[a-z_]+$")
    evidence_ref: str | None = Field(default=None, max_length=100, pattern=r"^[^\x00]+$")
    day: date | None = Field(
        default=None, ge=date(2000, 1, 1), le=date(2200, 1, 1), description="Local day of the fact"
    )
    offset_minutes: int = Field(default=480, ge=-840, le=840, description="Of the local day")


class AccountQuery(PageQuery):
    """Which accounts."""

    party_id: int | None = Field(default=None, ge=1, le=2**63 - 1)
    purpose: Purpose | None = None


class LineOut(ApiOutput):
    """An amount on an account; debit positive."""

    account_id: int
    party_id: int | None
    purpose: Purpose
    currency: str
    amount_minor: int


class EvidenceOut(ApiOutput):
    """What an entry rests on."""

    kind: str
    ref: str


class EntryOut(ApiOutput):
    """A journal entry; `hash` is SHA-256 over the hash before it and its own content."""

    id: int
    sequence: int
    key: str
    kind: str
    effective_at: AwareDatetime
    recorded_at: AwareDatetime
    hash: str
    lines: list[LineOut]
    evidence: list[EvidenceOut]


class EntryPage(ApiOutput):
    """A page of entries."""

    items: list[EntryOut]
    next_cursor: str | None


class AccountOut(ApiOutput):
    """An account; debit positive."""

    id: int
    party_id: int | None
    purpose: Purpose
    currency: str
    balance_minor: int


class AccountPage(ApiOutput):
    """A page of accounts."""

    items: list[AccountOut]
    next_cursor: str | None


@blueprint.get("/ledger/entries")
@blueprint.input(EntryQuery, location="query")
@blueprint.output(EntryPage)
@blueprint.doc(summary="Journal entries, newest first", security=BEARER)
@requires(Scope.LEDGER_READ)
def entries(query_data: EntryQuery) -> flask.typing.ResponseReturnValue:
    """Journal entries with their lines and evidence; debit is positive."""
    chosen = queries.EntryFilter(
        kind=query_data.kind,
        party_id=query_data.party_id,
        evidence_kind=query_data.evidence_kind,
        evidence_ref=query_data.evidence_ref,
        day=query_data.day,
        offset_minutes=query_data.offset_minutes,
    )
    with unit_of_work() as session:
        page = queries.list_entries(session, chosen, cursor=query_data.cursor, limit=query_data.limit)
        return page_answer([_entry(row) for row in page.rows], page.next_cursor)


@blueprint.get("/ledger/accounts")
@blueprint.input(AccountQuery, location="query")
@blueprint.output(AccountPage)
@blueprint.doc(summary="Accounts with their balances", security=BEARER)
@requires(Scope.LEDGER_READ)
def accounts(query_data: AccountQuery) -> flask.typing.ResponseReturnValue:
    """Accounts with their signed balances; debit is positive."""
    with unit_of_work() as session:
        page = queries.list_accounts(
            session,
            party_id=query_data.party_id,
            purpose=query_data.purpose,
            cursor=query_data.cursor,
            limit=query_data.limit,
        )
        return page_answer(
            [{"id": row.id, **_account(row), "balance_minor": row.balance_minor} for row in page.rows],
            page.next_cursor,
        )


def _entry(row: JournalEntry) -> dict[str, Any]:
    return {
        "id": row.id,
        "sequence": row.sequence,
        "key": row.entry_key,
        "kind": row.kind,
        "effective_at": row.effective_at.isoformat(),
        "recorded_at": row.recorded_at.isoformat(),
        "hash": row.entry_hash.hex(),
        "lines": [
            {"account_id": line.account_id, **_account(line.account), "amount_minor": line.amount_minor}
            for line in row.lines
        ],
        "evidence": [{"kind": item.kind, "ref": item.ref} for item in row.evidence],
    }


def _account(row: Account) -> dict[str, Any]:
    return {"party_id": row.party_id, "purpose": row.purpose.value, "currency": row.currency}
