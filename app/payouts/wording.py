"""Words for the states of batches and items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from settlement.payout import BatchState, ItemState

# State -> (word, tone of its pill).
BATCH_STATES: Mapping[BatchState, tuple[Any, str]] = {
    BatchState.DRAFT: (_l("Draft"), "neutral"),
    BatchState.PREPARED: (_l("Waits for approval"), "warn"),
    BatchState.APPROVED: (_l("Approved"), "info"),
    BatchState.EXPORTED: (_l("With the bank"), "progress"),
    BatchState.SETTLED: (_l("Settled"), "ok"),
    BatchState.CANCELLED: (_l("Cancelled"), "neutral"),
}
ITEM_STATES: Mapping[ItemState, tuple[Any, str]] = {
    ItemState.OPEN: (_l("To be paid"), "neutral"),
    ItemState.PAID: (_l("Paid"), "ok"),
    ItemState.BOUNCED: (_l("Bounced"), "bad"),
    ItemState.RETURNED: (_l("Returned"), "bad"),
}
