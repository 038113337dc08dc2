"""Business facts as balanced journal entries: the table of postings and the functions that make them.

``table`` is the list a reader and the docs see; ``orders`` posts the life of an order's money, ``parties``
what happens to a party's own money, ``draft`` is the arithmetic both share. Every function returns a
`JournalEntry` and changes nothing; the stored ledger (or `settlement.ledger.Ledger`) applies it.
"""

from settlement.posting.draft import Chart, Header
from settlement.posting.orders import (
    channel_settled,
    cod_collected,
    cod_deposited,
    cod_remitted,
    order_placed_split_held,
    paid,
    receipt_released,
    refunded_after_release,
    refunded_before_release,
    reversal,
    surcharge_collected,
    surcharged,
)
from settlement.posting.parties import (
    compensation_awarded,
    custody_topped_up,
    debt_recovered,
    payout_bounced,
    payout_paid,
    payout_prepared,
    payout_returned,
    tax_remitted,
    tax_withheld,
)
from settlement.posting.table import POSTINGS, Posting, PostingKind

__all__ = [
    "POSTINGS",
    "Chart",
    "Header",
    "Posting",
    "PostingKind",
    "channel_settled",
    "cod_collected",
    "cod_deposited",
    "cod_remitted",
    "compensation_awarded",
    "custody_topped_up",
    "debt_recovered",
    "order_placed_split_held",
    "paid",
    "payout_bounced",
    "payout_paid",
    "payout_prepared",
    "payout_returned",
    "receipt_released",
    "refunded_after_release",
    "refunded_before_release",
    "reversal",
    "surcharge_collected",
    "surcharged",
    "tax_remitted",
    "tax_withheld",
]
