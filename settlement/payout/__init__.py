"""What is payable to whom, and the batch it is paid by, from draft to the bank's last report."""

from settlement.payout.batch import (
    BATCH_TRANSITIONS,
    ITEM_TRANSITIONS,
    BatchEvent,
    BatchState,
    Beneficiary,
    ItemEvent,
    ItemState,
    PayoutBatch,
    PayoutItem,
    next_batch_state,
    next_item_state,
)
from settlement.payout.export import payout_csv
from settlement.payout.payable import Hold, HoldReason, payable, recoverable

__all__ = [
    "BATCH_TRANSITIONS",
    "ITEM_TRANSITIONS",
    "BatchEvent",
    "BatchState",
    "Beneficiary",
    "Hold",
    "HoldReason",
    "ItemEvent",
    "ItemState",
    "PayoutBatch",
    "PayoutItem",
    "next_batch_state",
    "next_item_state",
    "payable",
    "payout_csv",
    "recoverable",
]
