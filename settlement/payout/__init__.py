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
from settlement.payout.pain import Debtor, end_to_end_id, payout_pain001
from settlement.payout.payable import Hold, HoldReason, payable, recoverable
from settlement.payout.status import ItemReport, read_pain002

__all__ = [
    "BATCH_TRANSITIONS",
    "ITEM_TRANSITIONS",
    "BatchEvent",
    "BatchState",
    "Beneficiary",
    "Debtor",
    "Hold",
    "HoldReason",
    "ItemEvent",
    "ItemReport",
    "ItemState",
    "PayoutBatch",
    "PayoutItem",
    "end_to_end_id",
    "next_batch_state",
    "next_item_state",
    "payable",
    "payout_csv",
    "payout_pain001",
    "read_pain002",
    "recoverable",
]
