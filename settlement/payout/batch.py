"""The life of a payout batch.

A batch is made by one person and approved by another. Its items end one by one, as the bank reports them::

    batch  draft --prepare--> prepared --approve--> approved --export--> exported --settle--> settled
           draft | prepared | approved --cancel--> cancelled
    item   open --pay--> paid --return--> returned
           open --bounce--> bounced

The postings that go with it are `settlement.posting.payout_prepared` at prepare, ``payout_paid``,
``payout_bounced`` (also for every item of a batch cancelled after prepare) and ``payout_returned``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from settlement.errors import ApprovalError, PayoutError, PayoutTransitionError
from settlement.money import Money, total_of


class ItemState(StrEnum):
    """Where one payment of a batch stands."""

    OPEN = "open"
    PAID = "paid"
    BOUNCED = "bounced"
    RETURNED = "returned"


class ItemEvent(StrEnum):
    """What the bank reports of one payment."""

    PAY = "pay"
    BOUNCE = "bounce"
    RETURN = "return"


class BatchState(StrEnum):
    """Where a batch stands."""

    DRAFT = "draft"
    PREPARED = "prepared"
    APPROVED = "approved"
    EXPORTED = "exported"
    SETTLED = "settled"
    CANCELLED = "cancelled"


class BatchEvent(StrEnum):
    """What happens to a batch."""

    PREPARE = "prepare"
    APPROVE = "approve"
    EXPORT = "export"
    SETTLE = "settle"
    CANCEL = "cancel"


BATCH_TRANSITIONS: dict[tuple[BatchState, BatchEvent], BatchState] = {
    (BatchState.DRAFT, BatchEvent.PREPARE): BatchState.PREPARED,
    (BatchState.PREPARED, BatchEvent.APPROVE): BatchState.APPROVED,
    (BatchState.APPROVED, BatchEvent.EXPORT): BatchState.EXPORTED,
    (BatchState.EXPORTED, BatchEvent.SETTLE): BatchState.SETTLED,
    (BatchState.DRAFT, BatchEvent.CANCEL): BatchState.CANCELLED,
    (BatchState.PREPARED, BatchEvent.CANCEL): BatchState.CANCELLED,
    (BatchState.APPROVED, BatchEvent.CANCEL): BatchState.CANCELLED,
}

ITEM_TRANSITIONS: dict[tuple[ItemState, ItemEvent], ItemState] = {
    (ItemState.OPEN, ItemEvent.PAY): ItemState.PAID,
    (ItemState.OPEN, ItemEvent.BOUNCE): ItemState.BOUNCED,
    (ItemState.PAID, ItemEvent.RETURN): ItemState.RETURNED,
}


@dataclass(frozen=True, slots=True)
class Beneficiary:
    """The bank account a party is paid to."""

    name: str
    account_number: str
    bank_code: str


@dataclass(frozen=True, slots=True)
class PayoutItem:
    """One payment to one party."""

    party_id: int
    amount: Money
    beneficiary: Beneficiary | None = None
    state: ItemState = ItemState.OPEN

    def __post_init__(self) -> None:
        if self.amount.amount_minor <= 0:
            raise PayoutError(
                f"party {self.party_id}: a payout is positive, not {self.amount.decimal_text()}"
            )


@dataclass(frozen=True, slots=True)
class PayoutBatch:
    """Payments that one person prepares and another approves; each method returns the batch as it is after.

    Raises:
        PayoutError: no items, a party twice, or two currencies.
    """

    batch_id: str
    currency: str
    items: tuple[PayoutItem, ...]
    state: BatchState = BatchState.DRAFT
    maker_id: int | None = None
    checker_id: int | None = None

    def __post_init__(self) -> None:
        if not self.items:
            raise PayoutError(f"batch {self.batch_id} has no items")
        if len({item.party_id for item in self.items}) != len(self.items):
            raise PayoutError(f"batch {self.batch_id}: a party occurs twice")
        if any(item.amount.currency != self.currency for item in self.items):
            raise PayoutError(f"batch {self.batch_id}: an item is not in {self.currency}")
        if self.checker_id is not None and self.checker_id == self.maker_id:
            raise ApprovalError(f"batch {self.batch_id}: maker and checker are one person")

    @property
    def total(self) -> Money:
        """Sum of all items."""
        return total_of((item.amount for item in self.items), self.currency)

    def prepare(self, maker_id: int) -> PayoutBatch:
        """The maker hands the batch to approval."""
        return replace(self, state=self._next(BatchEvent.PREPARE), maker_id=maker_id)

    def approve(self, checker_id: int) -> PayoutBatch:
        """Another person approves.

        Raises:
            ApprovalError: the maker himself.
        """
        state = self._next(BatchEvent.APPROVE)
        if checker_id == self.maker_id:
            raise ApprovalError(f"batch {self.batch_id}: who prepared it cannot approve it")
        return replace(self, state=state, checker_id=checker_id)

    def export(self) -> PayoutBatch:
        """The file goes to the bank; from now on only the bank's reports change the items."""
        return replace(self, state=self._next(BatchEvent.EXPORT))

    def cancel(self) -> PayoutBatch:
        """Drop a batch that the bank has not been given."""
        return replace(self, state=self._next(BatchEvent.CANCEL))

    def report(self, party_id: int, event: ItemEvent) -> PayoutBatch:
        """Take the bank's report of one item; the last open one settles the batch.

        Raises:
            PayoutTransitionError: the batch is not with the bank, or the item does not know this event now.
            PayoutError: the party is not in this batch.
        """
        if self.state not in (BatchState.EXPORTED, BatchState.SETTLED):
            raise PayoutTransitionError(f"batch {self.batch_id} is {self.state}: the bank does not have it")
        items = tuple(
            replace(item, state=next_item_state(item.state, event)) if item.party_id == party_id else item
            for item in self.items
        )
        if all(item.party_id != party_id for item in items):
            raise PayoutError(f"batch {self.batch_id}: no item of party {party_id}")
        reported = replace(self, items=items)
        if self.state is BatchState.EXPORTED and all(item.state is not ItemState.OPEN for item in items):
            return replace(reported, state=self._next(BatchEvent.SETTLE))
        return reported

    def _next(self, event: BatchEvent) -> BatchState:
        return next_batch_state(self.state, event)


def next_batch_state(state: BatchState, event: BatchEvent) -> BatchState:
    """The state a batch goes to (`BATCH_TRANSITIONS`).

    Raises:
        PayoutTransitionError: the event does not happen in this state.
    """
    try:
        return BATCH_TRANSITIONS[state, event]
    except KeyError:
        raise PayoutTransitionError(f"a batch that is {state} cannot {event}") from None


def next_item_state(state: ItemState, event: ItemEvent) -> ItemState:
    """The state an item goes to (`ITEM_TRANSITIONS`).

    Raises:
        PayoutTransitionError: the event does not happen in this state.
    """
    try:
        return ITEM_TRANSITIONS[state, event]
    except KeyError:
        raise PayoutTransitionError(f"an item that is {state} cannot {event}") from None
