"""What happens to payouts: prepared from what is available, approved by another, exported, settled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.actor import Actor
from app.db.session import tenant_of
from app.errors import ConflictError, ForbiddenError, InvalidInputError
from app.ledger import queries as ledger_queries
from app.ledger import service as ledger
from app.parties import queries as parties
from app.payouts import queries
from app.payouts.models import PartyBankAccount, PayoutBatch, PayoutItem
from settlement import payout, posting
from settlement.errors import PayoutTransitionError
from settlement.ledger import AccountKey, EvidenceRef, JournalEntry, Purpose
from settlement.money import Money
from settlement.payout import BatchState, ItemEvent, ItemState

_Step = Callable[[posting.Chart, posting.Header, int, Money], JournalEntry]

THRESHOLD_MINOR = 100
"""The least worth a bank transfer."""
_NUMBER_ZONE = timezone(timedelta(hours=8))  # batch numbers bear the date of the office


def set_bank_account(
    session: Session, *, party_id: int, holder: str, account_number: str, bank_name: str, cnaps_code: str
) -> None:
    """Say where a party is paid; a later word replaces an earlier one.

    Raises:
        InvalidInputError: a field is empty or not of its form.
    """
    values = {
        "holder": holder.strip(),
        "account_number": account_number.replace(" ", ""),
        "bank_name": bank_name.strip(),
        "cnaps_code": cnaps_code.strip(),
    }
    wrong = [
        {"detail": "must not be empty", "pointer": f"/{name}"} for name, value in values.items() if not value
    ]
    if not values["account_number"].isalnum():
        wrong.append({"detail": "letters and digits only", "pointer": "/account_number"})
    if not (values["cnaps_code"].isdecimal() and len(values["cnaps_code"]) == 12):
        wrong.append({"detail": "a CNAPS code has 12 digits", "pointer": "/cnaps_code"})
    if wrong:
        raise InvalidInputError("the bank account is not complete", wrong)
    session.execute(
        insert(PartyBankAccount)
        .values(tenant_id=tenant_of(session), party_id=party_id, **values)
        .on_conflict_do_update(index_elements=[PartyBankAccount.party_id], set_=values)
    )


def prepare_batch(session: Session, actor: Actor, *, currency: str, now: datetime) -> PayoutBatch:
    """Recover debts, set aside what can be paid, and hand it to approval.

    Raises:
        ConflictError: there is nothing to pay, or custody does not hold enough for it.
    """
    chart = posting.Chart(tenant_of(session), parties.platform(session).id)
    balances = _locked_balances(session, currency)
    number = _next_number(session, now)
    recovered = payout.recoverable(balances, currency)
    entries = [
        posting.debt_recovered(chart, _header(number, f"recovered:{party_id}", now), party_id, amount)
        for party_id, amount in recovered.items()
        if party_id != chart.platform_party_id
    ]
    items = queries.payable_with_account(session, balances, currency, Money(THRESHOLD_MINOR, currency))
    if not items:
        raise ConflictError("nothing can be paid out now")
    missing_minor = sum(item.amount.amount_minor for item, _account in items) - queries.covered_minor(
        session, currency
    )
    if missing_minor > 0:
        raise ConflictError(
            "the custody account does not hold it yet: record what the payment channel has handed over",
            missing_minor=missing_minor,
        )
    batch = PayoutBatch(
        tenant_id=chart.tenant_id,
        number=number,
        status=payout.next_batch_state(BatchState.DRAFT, payout.BatchEvent.PREPARE),
        currency=currency,
        total_minor=sum(item.amount.amount_minor for item, _account in items),
        prepared_by_id=actor.user_id,
        prepared_at=now,
        items=[_row(chart.tenant_id, item, account) for item, account in items],
    )
    session.add(batch)
    entries += [
        posting.payout_prepared(
            chart, _header(number, f"prepared:{item.party_id}", now), item.party_id, item.amount
        )
        for item, _account in items
    ]
    ledger.post_many(session, entries, now=now)
    session.flush()  # the audit entry names the batch's id
    accounts.audit(
        session, actor, "payout.prepared", subject_kind="payout_batch", subject_id=batch.id, now=now
    )
    return batch


def approve(session: Session, actor: Actor, batch: PayoutBatch, *, now: datetime) -> None:
    """Another person than the maker lets the batch go to the bank.

    Raises:
        ForbiddenError: the asker prepared it.
        PayoutTransitionError: it does not wait for approval.
    """
    _lock(session, batch)
    status = payout.next_batch_state(batch.status, payout.BatchEvent.APPROVE)
    if batch.prepared_by_id == actor.user_id:
        raise ForbiddenError("who prepared a batch cannot approve it")
    batch.status, batch.approved_by_id, batch.approved_at = status, actor.user_id, now
    accounts.audit(
        session, actor, "payout.approved", subject_kind="payout_batch", subject_id=batch.id, now=now
    )


def cancel(session: Session, actor: Actor, batch: PayoutBatch, *, reason: str, now: datetime) -> None:
    """Drop a batch that the bank has not been given: every item is available again.

    Raises:
        PayoutTransitionError: the bank has it, or it is cancelled already.
        InvalidInputError: no reason is given.
    """
    if not reason.strip():
        raise InvalidInputError("a reason is needed", [{"detail": "is empty", "pointer": "/reason"}])
    _lock(session, batch)
    batch.status = payout.next_batch_state(batch.status, payout.BatchEvent.CANCEL)
    for item in batch.items:
        item.status = payout.next_item_state(item.status, ItemEvent.BOUNCE)
    _post(session, batch, batch.items, posting.payout_bounced, "cancelled", now)
    accounts.audit(
        session,
        actor,
        "payout.cancelled",
        subject_kind="payout_batch",
        subject_id=batch.id,
        reason=reason.strip(),
        now=now,
    )


def export(session: Session, batch: PayoutBatch, *, now: datetime) -> str:
    """The batch as the file for the bank; the same text however often it is asked for.

    Raises:
        PayoutError: it has not been approved.
    """
    _lock(session, batch)
    if batch.status is BatchState.APPROVED:
        batch.status = payout.next_batch_state(batch.status, payout.BatchEvent.EXPORT)
        batch.exported_at = now
    return payout.payout_csv(_value(batch))


def settle_items(
    session: Session, batch: PayoutBatch, reports: Sequence[tuple[int, bool]], *, now: datetime
) -> list[str | None]:
    """The bank has paid items, or refused them; the last one settles the batch.

    Args:
        reports: of each item its party, and whether it was paid; an item's second report is refused.

    Returns:
        For each report why it was refused; None where it is recorded.

    Raises:
        PayoutTransitionError: the bank does not have the batch.
    """
    _lock(session, batch)
    if batch.status not in (BatchState.EXPORTED, BatchState.SETTLED):
        raise PayoutTransitionError(f"batch {batch.number} is {batch.status}: the bank does not have it")
    item_of = {item.party_id: item for item in batch.items}
    refusals: list[str | None] = []
    done: dict[bool, list[PayoutItem]] = {True: [], False: []}
    for party_id, paid in reports:
        item = item_of.get(party_id)
        if item is None:
            refusals.append("the batch pays nothing to this party")
            continue
        try:
            item.status = payout.next_item_state(item.status, ItemEvent.PAY if paid else ItemEvent.BOUNCE)
        except PayoutTransitionError as error:
            refusals.append(str(error))
        else:
            refusals.append(None)
            done[paid].append(item)
    if batch.status is BatchState.EXPORTED and all(item.status is not ItemState.OPEN for item in batch.items):
        batch.status = payout.next_batch_state(batch.status, payout.BatchEvent.SETTLE)
    _post(session, batch, done[True], posting.payout_paid, "paid", now)
    _post(session, batch, done[False], posting.payout_bounced, "bounced", now)
    return refusals


def _locked_balances(session: Session, currency: str) -> Mapping[AccountKey, int]:
    """What parties have available and owe, locked until it has been set aside."""
    found = ledger_queries.party_balances(session, currency=currency)
    keys = [key for key in found if key.purpose in (Purpose.AVAILABLE, Purpose.PARTY_DEBT)]
    return ledger.lock_accounts(session, keys)


def _next_number(session: Session, now: datetime) -> str:
    """A number of the day; the journal's lock, held by the caller, keeps two batches from taking the same."""
    prefix = f"P{tenant_of(session)}-{now.astimezone(_NUMBER_ZONE):%Y%m%d}-"
    taken = session.scalar(
        sa.select(sa.func.count()).select_from(PayoutBatch).where(PayoutBatch.number.startswith(prefix))
    )
    return f"{prefix}{(taken or 0) + 1:02d}"


def _row(tenant_id: int, item: payout.PayoutItem, account: PartyBankAccount) -> PayoutItem:
    return PayoutItem(
        tenant_id=tenant_id,
        party_id=item.party_id,
        amount_minor=item.amount.amount_minor,
        status=ItemState.OPEN,
        bank_holder=account.holder,
        bank_account_number=account.account_number,
        bank_name=account.bank_name,
        cnaps_code=account.cnaps_code,
    )


def _value(batch: PayoutBatch) -> payout.PayoutBatch:
    """The batch as the engine sees it."""
    items = tuple(
        payout.PayoutItem(
            item.party_id,
            Money(item.amount_minor, batch.currency),
            payout.Beneficiary(item.bank_holder, item.bank_account_number, item.cnaps_code),
            item.status,
        )
        for item in batch.items
    )
    return payout.PayoutBatch(
        batch.number, batch.currency, items, batch.status, batch.prepared_by_id, batch.approved_by_id
    )


def _post(
    session: Session,
    batch: PayoutBatch,
    items: list[PayoutItem],
    step: _Step,
    word: str,
    now: datetime,
) -> None:
    chart = posting.Chart(batch.tenant_id, parties.platform(session).id)
    entries: list[JournalEntry] = [
        step(
            chart,
            _header(batch.number, f"{word}:{item.party_id}", now),
            item.party_id,
            Money(item.amount_minor, batch.currency),
        )
        for item in items
    ]
    ledger.post_many(session, entries, now=now)


def _header(number: str, step: str, now: datetime) -> posting.Header:
    return posting.Header(f"payout:{number}:{step}", now, (EvidenceRef("payout_batch", number),))


def _lock(session: Session, batch: PayoutBatch) -> None:
    """Two people at one batch take turns; each sees what the other has done, to the items too."""
    session.flush()  # a refresh would forget what is not written yet
    session.refresh(batch, with_for_update=True)
    session.scalars(
        sa.select(PayoutItem).where(PayoutItem.batch_id == batch.id).execution_options(populate_existing=True)
    ).all()
