"""Questions about payouts; the guarded loader is here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.accounts.roles import Scope
from app.actor import Actor
from app.errors import NotFoundError
from app.ledger import queries as ledger
from app.orders import queries as orders
from app.pagination import Page, decode_cursor, page_of
from app.payouts.models import PartyBankAccount, PayoutBatch, PayoutItem
from settlement import payout
from settlement.ledger import AccountKey, Purpose
from settlement.money import Money
from settlement.payout import BatchState, ItemState


@dataclass(frozen=True, slots=True)
class Preview:
    """What a batch prepared now would hold, and what stays behind and why."""

    currency: str
    payable: tuple[tuple[int, int], ...]
    without_account: tuple[tuple[int, int], ...]
    awaiting_funds: tuple[tuple[int, int], ...]
    debts: tuple[tuple[int, int], ...]
    covered_minor: int

    @property
    def is_covered(self) -> bool:
        """Whether the custody account holds enough for all of it."""
        return self.total_minor <= self.covered_minor

    @property
    def total_minor(self) -> int:
        """The sum of what would be paid."""
        return sum(minor for _party_id, minor in self.payable)


def load_batch(session: Session, actor: Actor, number: str) -> PayoutBatch:
    """A batch with its items.

    Raises:
        NotFoundError: there is none, or the asker may not know of payouts.
    """
    batch = session.scalar(
        sa.select(PayoutBatch).options(selectinload(PayoutBatch.items)).where(PayoutBatch.number == number)
    )
    if batch is None or batch.tenant_id != actor.tenant_id or not actor.may(Scope.PAYOUTS_READ):
        raise NotFoundError("no such payout batch")
    return batch


def list_batches(
    session: Session, *, status: BatchState | None, cursor: str | None, limit: int
) -> Page[PayoutBatch]:
    """Batches, newest first."""
    query = sa.select(PayoutBatch)
    if status is not None:
        query = query.where(PayoutBatch.status == status)
    if cursor is not None:
        at, batch_id = decode_cursor(cursor, tuple[datetime, int])
        query = query.where(sa.tuple_(PayoutBatch.prepared_at, PayoutBatch.id) < (at, batch_id))
    rows = session.scalars(
        query.order_by(PayoutBatch.prepared_at.desc(), PayoutBatch.id.desc()).limit(limit + 1)
    ).all()
    return page_of(rows, limit, lambda batch: (batch.prepared_at, batch.id))


def batches_in(session: Session, status: BatchState) -> Sequence[PayoutBatch]:
    """Every batch in one state, oldest first."""
    return session.scalars(
        sa.select(PayoutBatch)
        .options(selectinload(PayoutBatch.items))
        .where(PayoutBatch.status == status)
        .order_by(PayoutBatch.id)
    ).all()


def item_counts(session: Session, batch_ids: Sequence[int]) -> dict[int, dict[ItemState, int]]:
    """How many items of each batch are in which state."""
    counts: dict[int, dict[ItemState, int]] = {batch_id: {} for batch_id in batch_ids}
    rows = session.execute(
        sa.select(PayoutItem.batch_id, PayoutItem.status, sa.func.count())
        .where(PayoutItem.batch_id.in_(batch_ids))
        .group_by(PayoutItem.batch_id, PayoutItem.status)
    )
    for batch_id, status, number in rows:
        counts[batch_id][status] = number
    return counts


def payable_with_account(
    session: Session, balances: Mapping[AccountKey, int], currency: str, threshold: Money
) -> list[tuple[payout.PayoutItem, PartyBankAccount]]:
    """What can be paid now to parties that have said where."""
    items = payout.payable(balances, orders.awaiting_funds(session, currency), threshold)
    accounts = bank_accounts(session, [item.party_id for item in items])
    return [(item, accounts[item.party_id]) for item in items if item.party_id in accounts]


def preview(session: Session, currency: str, threshold: Money) -> Preview:
    """What a batch prepared now would hold; reads only."""
    balances = ledger.party_balances(session, currency=currency)
    holds = orders.awaiting_funds(session, currency)
    items = payout.payable(balances, holds, threshold)
    accounts = bank_accounts(session, [item.party_id for item in items])
    amounts = [(item.party_id, item.amount.amount_minor) for item in items]
    return Preview(
        currency,
        tuple(row for row in amounts if row[0] in accounts),
        tuple(row for row in amounts if row[0] not in accounts),
        tuple((hold.party_id, hold.amount.amount_minor) for hold in holds),
        tuple(
            (key.party_id, minor)
            for key, minor in balances.items()
            if key.purpose is Purpose.PARTY_DEBT and key.party_id is not None and minor > 0
        ),
        covered_minor(session, currency),
    )


def covered_minor(session: Session, currency: str) -> int:
    """What the custody account holds beyond the payouts that are on their way.

    What a payment channel has confirmed and not handed over yet is not there.
    """
    totals = ledger.totals_by_purpose(session)
    return totals.get((Purpose.CUSTODY, currency), 0) + totals.get((Purpose.IN_PAYOUT, currency), 0)


def bank_accounts(session: Session, party_ids: Sequence[int]) -> dict[int, PartyBankAccount]:
    """Where parties are paid."""
    if not party_ids:
        return {}
    rows = session.scalars(sa.select(PartyBankAccount).where(PartyBankAccount.party_id.in_(party_ids)))
    return {row.party_id: row for row in rows}
